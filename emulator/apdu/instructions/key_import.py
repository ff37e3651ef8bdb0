"""The encryption key pair of the certificate application, made elsewhere: how an enveloped key of GM/T 0016 comes to
the card.

The key's maker enciphers its private half under a session key of SM4, and that session key under the card's signature
key: so the card deciphers the session key, is given it, and takes the two halves.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator import ber
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.certificate import VALUE, CertificateInstruction, fields, unavailable
from emulator.apdu.instructions.key_pair import PRIVATE, PUBLIC
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import sm2, sm4
from emulator.filesystem.layouts.specs import ApplicationSpec, CertificateSpec, Layout
from emulator.filesystem.memory.cells import KEY_SIZE, file_cell
from emulator.security import Condition

PUBLIC_VALUE, PRIVATE_VALUE = 0xCA, 0xCB
"""Tags of the two halves of a key pair that is imported."""
PUBLIC_HALF, PRIVATE_HALF = 0x4000, 0xC001
"""P1 P2 of IMPORT KEY."""
ENVELOPE = 3 * sm2.SIZE + KEY_SIZE
"""Bytes of a session key under SM2: C1 ‖ C3 ‖ C2."""


class _Import(CertificateInstruction):
    """What the commands of an import share: the same right, in the application, with a place for the pair."""

    cla = 0x80
    secret = True
    source = "two public programs [S: prog-z390, prog-t10-certificates]; right and status words [D]"

    __slots__ = ()

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where the layout has files for an imported pair."""
        return layout.certificate is not None and bool(layout.certificate.encryption_private)

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What an import asks for: the user's PIN."""
        return layout.certificate.imports if layout.certificate is not None else None

    @staticmethod
    def named(card: CardState, path: str, fid: bytes) -> bool:
        """True for the file id of that file."""
        return fid == card.layout.files[path].fid.to_bytes(2, "big")


@dataclass(slots=True)
class DecipherSessionKey(_Import):
    """Deciphers a session key that was enciphered for one of the card's key pairs, and gives it out."""

    name = "DECIPHER SESSION KEY"
    name_zh = "解密会话密钥"
    ins = 0x4E
    p1p2 = {0x0001: "SM2"}
    lengths = frozenset(range(ENVELOPE + 6, ENVELOPE + 9))
    answers = "session key, 16 bytes"
    case4 = True
    secret_answer = True
    fresh_answer = True
    status = (0x6700, 0x6982, 0x6985, 0x6A80, 0x6A81, 0x6A82, 0x6A86, 0x9303)

    data: bytes

    @classmethod
    def command(cls, private: int, envelope: bytes) -> CommandAPDU:
        """The id of the private key's file, and C1 ‖ C3 ‖ C2, 112 bytes; their length takes three bytes, as programs
        have it.
        """
        size = b"\x82" + len(envelope).to_bytes(2, "big")
        return cls.apdu(ber.build(PRIVATE, private.to_bytes(2, "big")) + bytes((VALUE,)) + size + envelope)

    @classmethod
    def parse(cls, command: CommandAPDU) -> DecipherSessionKey:
        """Objects C2, the file id of the private key, and C1, the session key under its public half."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns the session key, 16 bytes. Raises CardError 6982 without the user's PIN, 6985 elsewhere and without a
        key pair, 6A80 for data that do not decipher, 6A82 for another file, 6A81 without a library for SM2.
        """
        spec = self.home(card)
        self.permit(card)
        fid, envelope = fields(self.data, PRIVATE, VALUE)
        path = next((one for one in (spec.private, spec.encryption_private) if self.named(card, one, fid)), None)
        if path is None:
            raise CardError(SW.FILE_NOT_FOUND, f"{fid.hex().upper()} is no file of a private key")
        private = card.memory.records(path)[0][: sm2.SIZE]
        try:
            key = sm2.decrypt(private, envelope) if any(private) else None
        except sm2.Unavailable as error:
            raise unavailable(error) from None
        except ValueError as error:
            raise CardError(SW.WRONG_DATA, str(error)) from None
        if key is None:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{path} holds no private key")
        if len(key) != KEY_SIZE:
            raise CardError(SW.WRONG_DATA, f"a session key has {KEY_SIZE} bytes, {len(key)} came out")
        return key


@dataclass(slots=True)
class ImportSessionKey(_Import):
    """Gives the card the session key under which the next private key comes. A reset or another DF ends it. [D]"""

    name = "IMPORT SESSION KEY"
    name_zh = "导入会话密钥"
    ins = 0x4A
    p1p2 = {0x0210: "SM4"}
    lengths = frozenset({KEY_SIZE + 2})
    status = (0x6700, 0x6982, 0x6985, 0x6A80, 0x6A81, 0x6A86, 0x9303)

    data: bytes

    @classmethod
    def command(cls, key: bytes) -> CommandAPDU:
        """The session key, 16 bytes."""
        return cls.apdu(ber.build(VALUE, key))

    @classmethod
    def parse(cls, command: CommandAPDU) -> ImportSessionKey:
        """Object C1: the session key."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6982 without the user's PIN, 6985 elsewhere, 6A80 for other data than C1."""
        self.home(card)
        self.permit(card)
        (card.session.session_key,) = fields(self.data, VALUE)
        return b""


@dataclass(slots=True)
class ImportKey(_Import):
    """Takes a half of the encryption key pair: the public one plain, then the private one under the session key."""

    name = "IMPORT KEY"
    name_zh = "导入密钥"
    ins = 0xC2
    p1p2 = {PUBLIC_HALF: "public key", PRIVATE_HALF: "private key, enciphered under the session key"}
    lengths = frozenset({4 + 2 + sm2.SIZE, 4 + 2 + 2 * sm2.SIZE})
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A80, 0x6A81, 0x6A82, 0x6A86, 0x9303)
    writes = True

    private: bool
    data: bytes

    @classmethod
    def command(cls, public: int, value: bytes) -> CommandAPDU:
        """The id of the public key's file, and x ‖ y, 64 bytes."""
        named = ber.build(PUBLIC, public.to_bytes(2, "big"))
        return cls.apdu(named + ber.build(PUBLIC_VALUE, value), PUBLIC_HALF)

    @classmethod
    def enciphered_half(cls, private: int, value: bytes) -> CommandAPDU:
        """The id of the private key's file, and the private key under the session key, 32 bytes."""
        named = ber.build(PRIVATE, private.to_bytes(2, "big"))
        return cls.apdu(named + ber.build(PRIVATE_VALUE, value), PRIVATE_HALF)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ImportKey:
        """From P1 P2 which half it is; its file id and value are in the data."""
        return cls(command.p1 << 8 | command.p2 == PRIVATE_HALF, command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. Raises CardError 6982 without the user's PIN, 6985 elsewhere and for a private key with no
        session key before it, 6A80 for other data and for a private key that is not the public one's, 6A82 for another
        file, 6A81 without a library for SM2.
        """
        spec = self.home(card)
        self.permit(card)
        if self.private:
            self._take_private(card, spec)
        else:
            fid, value = fields(self.data, PUBLIC, PUBLIC_VALUE)
            self._put(card, spec.encryption_public, fid, spec.header + value, 2 * sm2.SIZE + len(spec.header))
        return b""

    def _take_private(self, card: CardState, spec: CertificateSpec) -> None:
        fid, value = fields(self.data, PRIVATE, PRIVATE_VALUE)
        key = card.session.session_key
        if key is None:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no session key: IMPORT SESSION KEY comes first")
        private = sm4.decrypt(key, value)
        public = spec.public_key(card.memory.records(spec.encryption_public)[0])
        try:
            fits = len(value) == sm2.SIZE and sm2.public_key(private) == public
        except sm2.Unavailable as error:
            raise unavailable(error) from None
        except ValueError:
            fits = False
        if not fits:
            raise CardError(SW.WRONG_DATA, f"what deciphers is not the private half of {spec.encryption_public}'s key")
        self._put(card, spec.encryption_private, fid, private, sm2.SIZE)
        card.session.session_key = None

    def _put(self, card: CardState, path: str, fid: bytes, content: bytes, size: int) -> None:
        if not self.named(card, path, fid):
            raise CardError(SW.FILE_NOT_FOUND, f"{fid.hex().upper()} is no file of this half, expected {path}'s")
        if len(content) != size:
            raise CardError(SW.WRONG_DATA, f"{path} takes {size} bytes, {len(content)} came")
        card.memory.put(file_cell(path), (content.ljust(card.layout.files[path].size, b"\0"),))
