"""Secure messaging, both ways: on the card it strips and checks MAC and cipher, so that instructions see plain data
alone; a terminal that has the key seals its commands and opens the answers by the same rules.

MAC over CLA INS P1 P2 Lc (with the MAC counted) and data. [S: part4:8, reference:card §6] Which key, which start value
and which fold is the scheme that the layout names for the current DF.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace

from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import Suite, suite_of
from emulator.filesystem.layouts.specs import KeySpec, MessagingSpec
from emulator.filesystem.layouts.terms import MacStart, Messaging, MessagingKey
from emulator.messages import _


def covered(command: CommandAPDU, body: bytes) -> bytes:
    """What a command's MAC is made over: CLA INS P1 P2, Lc with the MAC counted, and the data, enciphered or not."""
    return command.header + bytes((len(body) + MAC_SIZE,)) + body


def sealed(command: CommandAPDU, body: bytes, mac: bytes) -> CommandAPDU:
    """The command as a terminal sends it: these data and their MAC; T=0 has no Le with them."""
    return replace(command, data=body + mac, le=None)


@dataclass(frozen=True, slots=True)
class Seal:
    """What one command's messaging is done with, and its answer's: on the card, and in a terminal that has the key."""

    suite: Suite
    scheme: MessagingSpec
    key: bytes = field(repr=False)
    start: bytes
    enciphered: bool

    @classmethod
    def under(cls, suite: Suite, scheme: MessagingSpec, key: bytes, challenge: bytes, *, enciphered: bool) -> Seal:
        """Of the card's own key and its last challenge, as the scheme says."""
        value = suite.process_key(key, challenge) if scheme.key is MessagingKey.PROCESS else key
        return cls(suite, scheme, value, challenge if scheme.start is MacStart.CHALLENGE else b"", enciphered)

    @classmethod
    def begin(cls, card: CardState, key: KeySpec, *, enciphered: bool) -> Seal:
        """On the card: takes the challenge. 6984 without one, 6A88 without the key."""
        scheme = card.scheme(key)
        value, challenge = card.key(key), card.take_challenge()
        return cls.under(suite_of(scheme.algorithm, card.suite), scheme, value, challenge, enciphered=enciphered)

    def mac(self, message: bytes) -> bytes:
        """Returns a message's MAC under this seal, 4 bytes."""
        return self.suite.mac(self.key, message, start=self.start, fold=self.scheme.fold)

    def seal(self, command: CommandAPDU) -> CommandAPDU:
        """In the terminal: the command with its data enciphered, if they are to be, and its MAC."""
        body = self.suite.encipher(self.key, command.data) if self.enciphered and command.data else command.data
        return sealed(command, body, self.mac(covered(command, body)))

    def close(self, answer: bytes) -> bytes:
        """On the card: an answer under the same messaging, its data, enciphered if the command's were to be, and their
        MAC. [D]
        """
        if not answer:
            return answer
        body = self.suite.encipher(self.key, answer) if self.enciphered else answer
        return body + self.mac(body)

    def open(self, answer: bytes) -> bytes:
        """In the terminal: the data of a closed answer; ValueError if its MAC or its cipher is not right."""
        body, mac = answer[:-MAC_SIZE], answer[-MAC_SIZE:]
        if not hmac.compare_digest(self.mac(body), mac):
            raise ValueError(_("the MAC of the card's answer is not right"))
        return self.suite.decipher(self.key, body) if self.enciphered else body


@dataclass(slots=True)
class Opened(CommandAPDU):
    """A command that came under secure messaging, as its instruction takes it: under the instruction's own class, its
    MAC checked and taken off, its data deciphered. Its answer goes back under the same ``seal``.
    """

    seal: Seal = field(kw_only=True)

    def __post_init__(self) -> None:
        self.messaging = Messaging.CIPHER if self.seal.enciphered else Messaging.MAC


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
    tries = kind.counted(card, command)
    seal = Seal.begin(card, key, enciphered=enciphered)
    left = tries.spend() if tries else None
    if not hmac.compare_digest(seal.mac(covered(command, body)), mac):
        card.session.drop_keys()
        if left is None:
            raise CardError(SW.MESSAGING_OBJECT_WRONG, f"the MAC is not right under {key.name}")
        raise CardError(SW.MESSAGING_OBJECT_WRONG, f"the MAC is not right under {key.name}; {left} tries left")
    if enciphered and body:
        try:
            body = seal.suite.decipher(seal.key, body)
        except ValueError as error:
            raise CardError(SW.WRONG_DATA, f"the enciphered data are not right under {key.name}: {error}") from None
    return Opened(kind.cla, command.ins, command.p1, command.p2, body, seal=seal)


__all__ = ["Opened", "Seal", "covered", "opened", "sealed"]
