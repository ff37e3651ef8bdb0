"""Signatures of the certificate application: its SM2 key signs and verifies digests that the terminal made."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.certificate import CertificateInstruction, unavailable
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import sm2
from emulator.filesystem.layouts.specs import ApplicationSpec, CertificateSpec, Layout
from emulator.security import Condition


class _Signature(CertificateInstruction):
    """What both operations share."""

    cla = 0x00
    ins = 0x2A
    by_p1 = True
    fresh_data = True  # the digest is over the card's own key too
    source = "ISO/IEC 7816-8 [P]; that this application answers it [D]"

    __slots__ = ()

    @staticmethod
    def public(card: CardState, spec: CertificateSpec) -> bytes:
        """The public key, without what stands before it in its file."""
        return spec.public_key(card.memory.records(spec.public)[0])


@dataclass(slots=True)
class ComputeSignature(_Signature):
    """Signs a digest (SM3 over Z ‖ message, made by the terminal) with the card's private key."""

    name = "COMPUTE DIGITAL SIGNATURE"
    name_zh = "数字签名"
    p1p2 = {0x9E9A: "over a digest"}
    lengths = frozenset({sm2.SIZE})
    answers = "r 32, s 32"
    case4 = True
    harmless_answer = ((0, 64),)
    fresh_answer = True
    status = (0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x9303)

    digest: bytes

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What a signature asks for: the user's PIN."""
        return layout.certificate.sign if layout.certificate is not None else None

    @classmethod
    def command(cls, digest: bytes) -> CommandAPDU:
        """SM3 over Z ‖ message, 32 bytes."""
        return cls.apdu(digest)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ComputeSignature:
        """Returns the instruction with the digest to be signed, 32 bytes."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """The signature; 6982 without the application's own PIN, 6985, 6A81."""
        spec = self.home(card)
        public = self.public(card, spec)
        self.permit(card)
        private = card.memory.records(spec.private)[0][: sm2.SIZE]
        try:
            return sm2.sign(private, public, self.digest)
        except (ValueError, sm2.Unavailable) as error:
            raise unavailable(error) from None


@dataclass(slots=True)
class VerifySignature(_Signature):
    """Holds a signature against the card's own public key."""

    name = "VERIFY DIGITAL SIGNATURE"
    name_zh = "验证签名"
    p1p2 = {0x00A8: "digest ‖ signature"}
    lengths = frozenset({3 * sm2.SIZE})
    status = (0x6300, 0x6700, 0x6985, 0x6A81, 0x6A86, 0x9303)

    digest: bytes
    signature: bytes

    @classmethod
    def command(cls, digest: bytes, signature: bytes) -> CommandAPDU:
        """Digest 32, signature 64 (r ‖ s)."""
        return cls.apdu(digest + signature)

    @classmethod
    def parse(cls, command: CommandAPDU) -> VerifySignature:
        """Digest 32, r 32, s 32."""
        return cls(command.data[: sm2.SIZE], command.data[sm2.SIZE :])

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6300 for a signature that is not right, 6985, 6A81."""
        public = self.public(card, self.home(card))
        try:
            right = sm2.verify(public, self.digest, self.signature)
        except (ValueError, sm2.Unavailable) as error:
            raise unavailable(error) from None
        if not right:
            raise CardError(SW.AUTHENTICATION_FAILED, "the signature is not right under the card's public key")
        return b""
