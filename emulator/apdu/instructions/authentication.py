"""GET CHALLENGE, INTERNAL and EXTERNAL AUTHENTICATION."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import WHOLE, Instruction, check_declared, wrong_p1p2
from emulator.apdu.instructions.touched import KeyNamed
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError, tries_left
from emulator.crypto import suite_of
from emulator.filesystem.layouts.specs import MessagingSpec
from emulator.filesystem.layouts.terms import CardKind, KeyUse
from emulator.messages import _

CHALLENGE_SIZES = (4, 8, 16)
CRYPTOGRAM = 8
PROOF = 16
"""Bytes of a cryptogram and its data, or of a factor and its data."""
"""What layouts say that such keys are for."""


def versioned(version: int | None) -> bytes:
    """What ends the data of both authentications: a key version, or nothing."""
    return b"" if version is None else bytes((version,))


@dataclass(slots=True)
class GetChallenge(Instruction):
    """Gives random bytes. Only the last ones count, for one use, won or lost. [T: part5:6.5.1]"""

    name = "GET CHALLENGE"
    name_zh = "取随机数"
    cla = 0x00
    ins = 0x84
    source = "[T: part5:6.5]"
    p1p2 = {0x0000: "random number"}
    answers = "challenge, 4, 8 or 16 bytes"
    harmless_answer = ((0, 16),)
    fresh_answer = True
    status = (0x6700, 0x6A81, 0x6A86, 0x9303)
    before_activation = True
    unblocks = True
    cards = (CardKind.USER, CardKind.PSAM)

    size: int

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """Le 4, 8 or 16; 6700. [S: part5:6.5, reference:card §7]"""
        check_declared(cls, command)
        if command.le not in CHALLENGE_SIZES:
            raise CardError(SW.WRONG_LENGTH, f"a challenge has 4, 8 or 16 bytes, Le is {command.le}")

    @classmethod
    def command(cls, size: int = CRYPTOGRAM) -> CommandAPDU:
        """Returns the command that asks for ``size`` random bytes."""
        return cls.apdu(le=size)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetChallenge:
        """Returns the instruction: Le says how many bytes are asked for."""
        return cls(command.le or 0)

    def execute(self, card: CardState) -> bytes:
        """Returns a fresh challenge of the length asked for, and keeps it for one authentication."""
        challenge = card.session.challenge = card.random(self.size)
        return challenge


@dataclass(slots=True)
class InternalAuthentication(Instruction):
    """The card proves itself: a cryptogram over the terminal's data. Needs no challenge of its own. [T: part5:6.7]"""

    name = "INTERNAL AUTHENTICATION"
    name_zh = "内部认证"
    cla = 0x00
    ins = 0x88
    source = "[T: part5:6.7]"
    p1p2 = {0x0000: "IRK"}
    lengths = frozenset({16, 17})
    answers = "cryptogram, 8 bytes"
    case4 = True
    harmless_data = WHOLE
    harmless_answer = ((0, 8),)
    fresh_answer = True
    status = (0x6700, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    before_activation = True

    factor: bytes
    data: bytes
    version: int | None

    @classmethod
    def lasting(cls, p1: int, data: bytes) -> bytes:  # noqa: ARG003
        """Returns the key's version, if one came: what stays the same from session to session."""
        return data[PROOF:]

    @classmethod
    def command(cls, factor: bytes, data: bytes, version: int | None = None) -> CommandAPDU:
        """Process factor and data, 8 bytes each; the key's lowest version where none is named."""
        return cls.apdu(factor + data + versioned(version))

    @classmethod
    def parse(cls, command: CommandAPDU) -> InternalAuthentication:
        """Process factor (8) ‖ data (8) [‖ key version]."""
        data = command.data
        return cls(data[:8], data[8:16], data[16] if len(data) > 16 else None)

    def execute(self, card: CardState) -> bytes:
        """Returns the cryptogram, 8 bytes. Raises CardError 6A88 if the key or its version does not exist."""
        key = card.key(card.find_key(0x00, KeyUse.INTERNAL), self.version)
        return card.suite.cryptogram(card.suite.process_key(key, self.factor), self.data)


@dataclass(slots=True)
class ExternalAuthentication(Instruction):
    """The terminal proves that it has a key, and wins that key's right. A wrong proof costs a try."""

    name = "EXTERNAL AUTHENTICATION"
    name_zh = "外部认证"
    cla = 0x00
    ins = 0x82
    source = "[T: part5:6.4]"
    lengths = frozenset({16, 17})
    harmless_data = WHOLE
    proves = True
    status = (0x63C0, 0x6581, 0x6700, 0x6983, 0x6984, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    writes = True
    before_activation = True
    unblocks = True
    cards = (CardKind.USER, CardKind.PSAM)

    key: int
    cryptogram: bytes
    data: bytes
    version: int | None

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """P1 00, any key id in P2."""
        if command.p1:
            raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", "00 and a key id")
        check_declared(cls, command)

    @classmethod
    def touches(cls, command: CommandAPDU) -> KeyNamed:
        """Returns the external key whose id is in P2."""
        return KeyNamed(command.p2, KeyUse.EXTERNAL)

    @classmethod
    def lasting(cls, p1: int, data: bytes) -> bytes:  # noqa: ARG003
        """Returns the key's version, if one came: what stays the same from session to session."""
        return data[PROOF:]

    @classmethod
    def command(cls, key: int, proof: bytes, version: int | None = None) -> CommandAPDU:
        """``key``: its id; ``proof``: cryptogram and data, 16 bytes; the key's lowest version where none is named."""
        return cls.apdu(proof + versioned(version), key)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ExternalAuthentication:
        """Cryptogram (8) ‖ data (8) [‖ key version]."""
        data = command.data
        return cls(command.p2, data[:8], data[8:16], data[16] if len(data) > 16 else None)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """The key's id."""
        return (_("local key {id:02X}") if command.p2 & 0x80 else _("global key {id:02X}")).format(id=command.p2)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A88, 6983, 6984, 63Cx."""
        spec = card.find_key(self.key, KeyUse.EXTERNAL)
        key = card.key(spec, self.version)
        tries = card.usable(spec)
        expected, presented = self._proof(card, card.scheme(spec), key)
        left = tries.spend()
        if not hmac.compare_digest(expected, presented):
            if spec.tries:
                raise CardError(tries_left(left), f"the cryptogram is not {spec.name}'s; {left} tries left")
            raise CardError(tries_left(left), f"the cryptogram is not {spec.name}'s; it never locks")
        tries.restore()
        card.session.rights.add(spec.name)
        return b""

    def _proof(self, card: CardState, scheme: MessagingSpec, key: bytes) -> tuple[bytes, bytes]:
        """The cryptogram that would be right, and the one that came. Uses the challenge up.

        Where the scheme has cryptograms of 16 bytes, they are the challenge enciphered under the key itself.
        [1: reference:card §2]
        """
        challenge = card.take_challenge()
        suite = suite_of(scheme.algorithm, card.suite)
        if scheme.cryptogram > CRYPTOGRAM:
            return suite.crypt(key, challenge.ljust(scheme.cryptogram, b"\0")), self.cryptogram + self.data
        return suite.cryptogram(suite.process_key(key, challenge), self.data), self.cryptogram
