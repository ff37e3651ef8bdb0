"""The certificate application of 3.00 cards: its own PINs, and the hash that they are proved with."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from emulator import ber
from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.base import Instruction, check_declared
from emulator.apdu.instructions.touched import KeyNamed
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError, tries_left
from emulator.crypto import sm2, sm3, suite_of
from emulator.crypto.keys import pin_key
from emulator.filesystem.layouts.specs import CertificateSpec, KeySpec, Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import key_cell
from emulator.filesystem.memory.tries import TryCounter

PIN_PROVED = 0x01
"""P1 of VERIFY for a PIN that is proved; P2 is its id."""
PIN_PROOF = 16
PIN_DIGITS = range(4, 17)
"""How many digits a PIN of the application may have. [D]"""
VALUE = 0xC1
"""Tag of what a command of this application works upon."""


class CertificateInstruction(Instruction):
    """What all commands of the application share."""

    versions = "3.00"

    __slots__ = ()

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where the layout has the application."""
        return layout.certificate is not None

    @classmethod
    def home(cls, card: CardState) -> CertificateSpec:
        """The application, which must be the current DF; 6985."""
        spec = card.layout.certificate
        assert spec is not None
        here = card.session.directory.spec.id
        if here != spec.application:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{cls.name} is given in {spec.application}, not in {here}")
        return spec


def unavailable(error: Exception) -> CardError:
    """6A81 without a library for SM2, 6985 without a key pair."""
    if isinstance(error, sm2.Unavailable):
        return CardError(SW.FUNCTION_NOT_SUPPORTED, str(error))
    return CardError(SW.CONDITIONS_NOT_SATISFIED, f"the card holds no key pair: {error}")


def fields(data: bytes, *tags: int) -> tuple[bytes, ...]:
    """The values of exactly these data objects in this order; 6A80."""
    expected = ", ".join(f"{tag:02X}" for tag in tags)
    try:
        found = ber.objects(data)
    except ValueError as error:
        raise CardError(SW.WRONG_DATA, f"expected data objects {expected}: {error}") from None
    if tuple(tag for tag, _ in found) != tags:
        raise CardError(SW.WRONG_DATA, f"expected data objects {expected}, others came")
    return tuple(value for _, value in found)


@dataclass(slots=True)
class VerifyCertificatePin(CertificateInstruction):
    """Proves a PIN of the application: the last challenge under SM4, with the first half of SM3 over the PIN as key.

    The PIN itself is never sent. A wrong proof costs a try and the right.
    """

    name = "VERIFY CERTIFICATE PIN"
    name_zh = "验证证书应用密码"
    cla = 0x00
    ins = 0x20
    by_p1 = True
    source = "two public programs [S: prog-z390, prog-t10-certificates]; status words [D]"
    p1p2 = {0x0181: "the user's PIN", 0x0100: "the administrator's PIN"}
    lengths = frozenset({PIN_PROOF})
    status = (0x63C0, 0x6581, 0x6700, 0x6983, 0x6984, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    secret = True
    proves = True
    writes = True

    identifier: int
    proof: bytes

    @classmethod
    def touches(cls, command: CommandAPDU) -> KeyNamed:
        """Returns the PIN whose number is in P2."""
        return KeyNamed(command.p2, KeyUse.PIN)

    @classmethod
    def command(cls, identifier: int, proof: bytes) -> CommandAPDU:
        """The PIN's id, and the challenge enciphered, 16 bytes."""
        return cls.apdu(proof, PIN_PROVED << 8 | identifier)

    @classmethod
    def parse(cls, command: CommandAPDU) -> VerifyCertificatePin:
        """Returns the instruction: the PIN's number from P2, its proof from the data."""
        return cls(command.p2, command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. Raises CardError 6A88 where the PIN is not found, 6983, 6984, 63Cx."""
        spec = card.find_key(self.identifier, KeyUse.PIN)
        key = card.key(spec)
        tries = card.usable(spec)
        suite = suite_of(card.scheme(spec).algorithm, card.suite)
        # A challenge of 8 bytes is filled with zeros, as one program does. [1: prog-t10-certificates]
        expected = suite.crypt(key, card.take_challenge().ljust(PIN_PROOF, b"\0"))
        left = tries.spend()
        if not hmac.compare_digest(expected, self.proof):
            card.session.rights.discard(spec.name)
            raise CardError(tries_left(left), f"the proof is not {spec.name}'s; {left} tries left")
        tries.restore()
        card.session.rights.add(spec.name)
        return b""


@dataclass(slots=True)
class ChangeCertificatePin(CertificateInstruction):
    """Sets a new PIN of the application under the old one: the new PIN enciphered under the old PIN's key, and a MAC
    under it with the challenge as start value. Whoever has not the old PIN has not the MAC, which costs a try.
    """

    name = "CHANGE CERTIFICATE PIN"
    name_zh = "修改证书应用密码"
    cla = 0x84
    ins = 0x5E
    source = "[1: prog-z390] for the administrator's PIN; the user's, tries and status words [D]"
    p1p2 = {0x0181: "the user's PIN", 0x0100: "the administrator's PIN"}
    lengths = frozenset({PIN_PROOF + MAC_SIZE})
    status = (0x6581, 0x6700, 0x6983, 0x6984, 0x6985, 0x6988, 0x6A80, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    secret = True
    writes = True
    protected = True

    identifier: int
    new: bytes

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """A block of 16 bytes, and a MAC."""
        check_declared(cls, command)

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The PIN in P2, as the key of cipher and MAC; 6985 elsewhere, 6A88 where it is not found, 6983 once locked."""
        cls.home(card)
        spec = card.find_key(command.p2, KeyUse.PIN)
        card.usable(spec)
        return spec

    @classmethod
    def counted(cls, card: CardState, command: CommandAPDU) -> TryCounter:
        """The tries of the PIN: without the old one no MAC is right."""
        return card.usable(card.find_key(command.p2, KeyUse.PIN))

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True: no PIN comes in the clear."""
        return True

    @classmethod
    def pins(cls, data: bytes) -> tuple[bytes, ...]:
        """Returns the new PIN, for masks."""
        return (data,)

    @classmethod
    def command(cls, identifier: int, new: bytes) -> CommandAPDU:
        """To be sealed under the old PIN's key. ``new``: in BCD."""
        return cls.apdu(new, PIN_PROVED << 8 | identifier)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ChangeCertificatePin:
        """Returns the instruction: the PIN's number from P2, the new PIN from the deciphered data."""
        return cls(command.p2, command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError 6A80 for a PIN that is not 4 to 16 digits in BCD. [D]"""
        spec = card.find_key(self.identifier, KeyUse.PIN)
        digits = self.new.hex().upper().rstrip("F")
        if not (digits.isdecimal() and len(digits) in PIN_DIGITS):
            raise CardError(SW.WRONG_DATA, f"a PIN has {PIN_DIGITS.start} to {PIN_DIGITS.stop - 1} digits in BCD")
        card.memory.put(key_cell(spec.name), pin_key(digits))
        card.key_tries(spec).restore()
        return b""


@dataclass(slots=True)
class Hash(CertificateInstruction):
    """Gives SM3 over the data: so a terminal without SM3 comes by the key that proves a PIN."""

    name = "HASH"
    name_zh = "计算杂凑值"
    cla = 0x80
    ins = 0xC4
    source = "one public program [1: prog-z390]; that it is given in this application alone [D]"
    p1p2 = {0x0103: "SM3, all data in one command"}
    lengths = frozenset(range(2, 256))
    answers = "digest, 32 bytes"
    case4 = True
    status = (0x6700, 0x6985, 0x6A80, 0x6A81, 0x6A86, 0x9303)
    secret = True
    secret_answer = True

    data: bytes

    @classmethod
    def command(cls, value: bytes) -> CommandAPDU:
        """What the digest is made over."""
        return cls.apdu(ber.build(VALUE, value))

    @classmethod
    def parse(cls, command: CommandAPDU) -> Hash:
        """Returns the instruction with the message to be hashed, in object C1."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns the digest. Raises CardError 6985 elsewhere, 6A80 for other data than object C1."""
        self.home(card)
        (value,) = fields(self.data, VALUE)
        return sm3.digest(value)
