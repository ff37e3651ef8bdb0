"""Secure messaging: strips and checks MAC and cipher, so that instructions only ever see plain data.

MAC over CLA INS P1 P2 Lc (with the MAC counted) and data, under the process key of the last challenge. [S]
"""

from __future__ import annotations

import hmac

from emulator.apdu.command import CommandAPDU
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.specs import KeySpec

MAC_SIZE = 4


def open_command(card: CardState, command: CommandAPDU, key: KeySpec, *, enciphered: bool) -> CommandAPDU:
    """The command with its MAC checked and taken off, its data deciphered.

    A wrong MAC answers 6988, costs the key a try and loses the rights of keys and the challenge [D]; a locked key
    6983, no challenge 6984, data that do not decipher 6A80.
    """
    tries = card.usable(key)
    process_key = card.suite.process_key(card.key(key), card.take_challenge())
    body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
    left = tries.spend()
    expected = card.suite.mac(process_key, command.header + bytes((len(command.data),)) + body)
    if not hmac.compare_digest(expected, mac):
        card.session.drop_keys()
        raise CardError(SW.MESSAGING_OBJECT_WRONG, f"the MAC is not right under {key.name}; {left} tries left")
    tries.restore()
    if enciphered:
        try:
            body = card.suite.decipher(process_key, body)
        except ValueError as error:
            raise CardError(SW.WRONG_DATA, f"the enciphered data are not right under {key.name}: {error}") from None
    return CommandAPDU(command.cla, command.ins, command.p1, command.p2, body, command.le)


__all__ = ["MAC_SIZE", "open_command"]
