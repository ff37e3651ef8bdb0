"""Secure messaging: strips and checks MAC and cipher, so that instructions only ever see plain data.

MAC over CLA INS P1 P2 Lc (with the MAC counted) and data. [S: part4:8, reference:card §6] Which key, which start value
and which fold is the scheme that the layout names for the current DF.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import Suite, suite_of
from emulator.filesystem.layouts.specs import KeySpec, MessagingSpec

MAC_SIZE = 4


@dataclass(frozen=True, slots=True)
class Seal:
    """What one command's messaging was done with, and its answer's will be."""

    suite: Suite
    scheme: MessagingSpec
    key: bytes
    start: bytes
    enciphered: bool

    @classmethod
    def begin(cls, card: CardState, key: KeySpec, *, enciphered: bool) -> Seal:
        """Takes the challenge. 6984 without one, 6A88 without the key."""
        scheme = card.scheme(key)
        value, challenge = card.key(key), card.take_challenge()
        suite = suite_of(scheme.algorithm, card.suite)
        if scheme.key == "process":
            value = suite.process_key(value, challenge)
        start = challenge if scheme.start == "challenge" else b""
        return cls(suite, scheme, value, start, enciphered)

    def mac(self, message: bytes) -> bytes:
        """4 bytes."""
        return self.suite.mac(self.key, message, start=self.start, fold=self.scheme.fold)

    def close(self, answer: bytes) -> bytes:
        """An answer under the same messaging: its data, enciphered if the command's were to be, and their MAC. [D]"""
        if not answer:
            return answer
        body = self.suite.encipher(self.key, answer) if self.enciphered else answer
        return body + self.mac(body)


@dataclass(slots=True)
class Opened(CommandAPDU):
    """A command that came under secure messaging, as its instruction takes it: under the instruction's own class, its
    MAC checked and taken off, its data deciphered. Its answer goes back under the same ``seal``.
    """

    seal: Seal = field(kw_only=True)

    @property
    def messaging(self) -> str:
        """``mac`` or ``cipher``."""
        return "cipher" if self.seal.enciphered else "mac"


def opened(card: CardState, kind: type[Instruction], command: CommandAPDU) -> Opened:
    """The command that secure messaging covers.

    A missing MAC answers 6987. A wrong one 6988; it locks no key [T: part7:7.4], but loses the rights of keys and the
    challenge [D]. What the instruction counts it against falls before the comparison. [P] No challenge answers 6984,
    data that do not decipher 6A80.
    """
    body, mac = command.data[:-MAC_SIZE], command.data[-MAC_SIZE:]
    if kind.protected:
        kind.check(command)
    elif len(mac) < MAC_SIZE:
        raise CardError(SW.MESSAGING_OBJECT_MISSING, f"a MAC of {MAC_SIZE} bytes is missing")
    else:
        kind.check(replace(command, cla=kind.cla, data=body, le=None))
    key = kind.authorise(card, command)
    enciphered = kind.enciphered(card, command)
    tries = kind.counted(card)
    seal = Seal.begin(card, key, enciphered=enciphered)
    left = tries.spend() if tries else None
    if not hmac.compare_digest(seal.mac(command.header + bytes((len(command.data),)) + body), mac):
        card.session.drop_keys()
        counted = "" if left is None else f"; {left} tries left"
        raise CardError(SW.MESSAGING_OBJECT_WRONG, f"the MAC is not right under {key.name}{counted}")
    if enciphered and body:
        try:
            body = seal.suite.decipher(seal.key, body)
        except ValueError as error:
            raise CardError(SW.WRONG_DATA, f"the enciphered data are not right under {key.name}: {error}") from None
    return Opened(kind.cla, command.ins, command.p1, command.p2, body, seal=seal)


__all__ = ["MAC_SIZE", "Opened", "Seal", "opened"]
