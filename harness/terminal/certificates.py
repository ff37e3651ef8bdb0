"""The certificate application of one card, as a terminal works with it: what it holds, its PINs, keys and certificates.

The PIN of the application is never guessed: what asks for it is refused here unless it was proved before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from emulator.apdu.instructions.binary import UpdateBinary
from emulator.apdu.instructions.certificate import ChangeCertificatePin
from emulator.apdu.instructions.key_import import DecipherSessionKey, ImportKey, ImportSessionKey
from emulator.apdu.instructions.key_pair import ExportPublicKey, GenerateKeyPair
from emulator.apdu.instructions.select import Select
from emulator.apdu.instructions.signature import ComputeSignature, VerifySignature
from emulator.apdu.messaging import Seal
from emulator.apdu.status import SW, tries_told
from emulator.crypto import sm2
from emulator.crypto.keys import pin_key
from emulator.errors import ErrorKind
from emulator.filesystem.layouts.specs import CertificateSpec, Layout
from emulator.messages import _, deferred
from harness.certificates import x509
from harness.certificates.authority import Purpose
from harness.certificates.envelope import Envelope
from harness.certificates.x509 import Certificate, CertificateError
from harness.clock import CHINA, Clock
from harness.keys.access import LONG_CRYPTOGRAM, TerminalError
from harness.terminal.pin import bcd
from harness.terminal.refused import PinRefused, Refused
from harness.terminal.terminal import Terminal

PIECES = (0x70, 0xFA)
"""How long the pieces are in which programs write a certificate. [S: prog-z390, prog-t10-certificates]"""
MOST = 1020
"""Bytes of the longest certificate; what is left of them is written as zeros, so that nothing of an older one stays.
[1: prog-t10-certificates]
"""


class NoApplication(TerminalError):
    """The card, or its layout, has no certificate application."""

    kind = ErrorKind.MISSING
    exit_code = 3


class NotProved(TerminalError):
    """Something that asks for a PIN of the application was begun before that PIN was proved."""


class NotWritten(TerminalError):
    """What the card gives back is not what was written on it."""

    kind = ErrorKind.BROKEN


class State(StrEnum):
    """How one key pair of a card and its certificate stand to each other."""

    NO_KEY = "no key pair"
    NO_CERTIFICATE = "no certificate"
    UNREADABLE = "not a certificate"
    OTHER_KEY = "of another key"
    NOT_YET = "not yet valid"
    EXPIRED = "expired"
    VALID = "valid"


WORDS = {
    State.NO_KEY: deferred("no key pair 无密钥对"),
    State.NO_CERTIFICATE: deferred("a key pair without a certificate 有密钥对，无证书"),
    State.UNREADABLE: deferred("not a certificate 不是证书"),
    State.OTHER_KEY: deferred("the certificate is not the key's 证书与密钥不符"),
    State.NOT_YET: deferred("the certificate is not yet valid 证书未生效"),
    State.EXPIRED: deferred("the certificate has expired 证书已过期"),
    State.VALID: deferred("the certificate is valid 证书有效"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """One key pair as the card has it. ``public``: 64 bytes, empty where none was made; ``told``: why a certificate
    cannot be read.
    """

    purpose: Purpose
    public: bytes
    certificate: Certificate | None
    told: str = ""

    def state(self, moment: datetime) -> State:
        """How it stands at a moment."""
        if not self.public and self.certificate is None and not self.told:
            return State.NO_KEY
        if self.told:
            return State.UNREADABLE
        if self.certificate is None:
            return State.NO_CERTIFICATE
        if self.certificate.public != self.public:
            return State.OTHER_KEY
        if moment < self.certificate.begins:
            return State.NOT_YET
        return State.VALID if self.certificate.valid_at(moment) else State.EXPIRED

    @property
    def span(self) -> str:
        """The certificate's first and last day; empty where there is none."""
        if self.certificate is None:
            return ""
        begins, ends = (one.astimezone(CHINA) for one in (self.certificate.begins, self.certificate.ends))
        return f"{begins:%Y-%m-%d}–{ends:%Y-%m-%d}"

    @property
    def lasting(self) -> str:
        """How it stands whatever the day, in words."""
        state = self.state(self.certificate.begins if self.certificate is not None else Clock().now())
        return _("the certificate is the key's 证书与密钥相符") if state is State.VALID else _(WORDS[state])


def held(spec: CertificateSpec, purpose: Purpose, public: bytes, content: bytes) -> Held:
    """What a card has of one purpose, from the content of its two files. A card whose layout has no encryption pair has
    one key for both.
    """
    key = spec.public_key(public)
    key = key if any(key) else b""
    try:
        der = x509.cut(content)
        return Held(purpose, key, x509.read(der) if der else None)
    except CertificateError as error:
        return Held(purpose, key, None, str(error))


def held_in(layout: Layout, contents: Mapping[str, bytes]) -> dict[str, Held]:
    """What a card has, by the path of each certificate, of the contents of its files; without those whose key or whose
    certificate is not among them. Empty for a layout without the application.
    """
    spec = layout.certificate
    pairs = [(one, *files(spec, one)) for one in Purpose] if spec is not None else []
    return {
        certificate: held(spec, purpose, contents[public], contents[certificate])
        for purpose, public, certificate in pairs
        if spec is not None and public in contents and certificate in contents
    }


def files(spec: CertificateSpec, purpose: Purpose) -> tuple[str, str]:
    """The paths of the public key and of the certificate of one purpose, empty where the layout has none."""
    if purpose is Purpose.SIGNATURE:
        return spec.public, spec.signature
    return spec.encryption_public or spec.public, spec.encryption


def spec_of(layout: Layout) -> CertificateSpec:
    """What a layout says of the application; NoApplication."""
    spec = layout.certificate
    if spec is None or not spec.user:
        raise NoApplication(_("layout {name} has no certificate application; 3.00 has one").format(name=layout.name))
    return spec


class CertificateApplication:
    """The application on the card of a terminal's session."""

    def __init__(self, terminal: Terminal) -> None:
        """NoApplication where the card's layout has none."""
        self._terminal = terminal
        self.spec = spec_of(terminal.layout)
        self._proved: set[str] = set()

    def enter(self) -> None:
        """Makes it current. NoApplication where the card has none all the same."""
        try:
            self._terminal.enter(self.spec.application)
        except Refused as refused:
            if refused.sw != SW.FILE_NOT_FOUND:
                raise
            raise NoApplication(_("the card has no certificate application")) from None

    # --- looking -------------------------------------------------------------------------------------------------

    def held(self, purpose: Purpose) -> Held:
        """The key pair of one purpose, and its certificate; Refused."""
        self.enter()
        public, certificate = files(self.spec, purpose)
        read = self._terminal.read_binary
        return held(self.spec, purpose, read(public) if public else b"", read(certificate) if certificate else b"")

    # --- PINs ----------------------------------------------------------------------------------------------------

    def prove(self, pin: str, *, administrator: bool = False) -> None:
        """Proves the user's PIN, or the administrator's. PinRefused with the tries that are left."""
        self.enter()
        name = self._pin(administrator=administrator)
        try:
            self._terminal.prove_pin(name, pin)
        except Refused as refused:
            self._proved.discard(name)
            if tries_told(refused.sw) is not None:
                raise PinRefused(_("verifying {name}").format(name=name), refused.sw) from None
            raise
        self._proved.add(name)

    def change_pin(self, old: str, new: str, *, administrator: bool = False) -> None:
        """Sets a new PIN under the old one. Refused: 6988 for a wrong old one, which costs a try."""
        self.enter()
        terminal, name = self._terminal, self._pin(administrator=administrator)
        use = terminal.use(name, terminal.challenge(LONG_CRYPTOGRAM))
        seal = Seal.under(use.suite, use.scheme, pin_key(old), use.challenge, enciphered=True)
        terminal.exchange(
            seal.seal(ChangeCertificatePin.command(use.key.id, bcd(new))), _("changing {name}").format(name=name)
        )

    def _pin(self, *, administrator: bool) -> str:
        name = self.spec.administrator if administrator else self.spec.user
        if not name:
            raise NoApplication(_("the layout names no administrator's PIN"))
        return name

    def _needs_pin(self, doing: str) -> None:
        if self.spec.user not in self._proved:
            raise NotProved(_("{doing} needs the user's PIN proved").format(doing=doing))

    # --- keys ----------------------------------------------------------------------------------------------------

    def generate(self) -> bytes:
        """Has the card make a signature key pair in place of the one it has; x ‖ y, 64 bytes. Refused, NotProved."""
        doing = _("making a key pair")
        self._needs_pin(doing)
        self._terminal.exchange(GenerateKeyPair.command(*self._pair()), doing)
        return self.exported()

    def exported(self) -> bytes:
        """The public key as EXPORT PUBLIC KEY gives it, without what stands before it: 64 bytes. Refused."""
        self.enter()
        doing = _("exporting the public key")
        self._terminal.exchange(ExportPublicKey.command(*self._pair()), doing)
        return self._terminal.exchange(ExportPublicKey.fetch(), doing)[len(self.spec.header) :]

    def take(self, envelope: Envelope) -> None:
        """Imports an encryption key pair. Refused, NotProved, NoApplication where the layout has no place for one."""
        if not self.spec.encryption_private:
            raise NoApplication(_("the layout has no files for an encryption key pair"))
        doing = _("importing the encryption key pair")
        self._needs_pin(doing)
        send, fid = self._terminal.exchange, self._fid
        key = send(DecipherSessionKey.command(fid(self.spec.private), envelope.session), doing)
        send(ImportSessionKey.command(key), doing)
        send(ImportKey.command(fid(self.spec.encryption_public), envelope.public), doing)
        send(ImportKey.enciphered_half(fid(self.spec.encryption_private), envelope.private), doing)

    def _pair(self) -> tuple[int, int]:
        return self._fid(self.spec.public), self._fid(self.spec.private)

    def _fid(self, path: str) -> int:
        return self._terminal.layout.files[path].fid

    # --- certificates --------------------------------------------------------------------------------------------

    def write(self, purpose: Purpose, der: bytes, piece: int = PIECES[-1]) -> None:
        """Writes a certificate in pieces, reads it back and compares. Refused, NotProved; NotWritten where the card
        gives back something else; CertificateError for one that is too long.
        """
        path = files(self.spec, purpose)[1]
        most = min(MOST, self._terminal.layout.files[path].size) if path else 0
        if len(der) > most:
            raise CertificateError(
                _("the certificate has {count} bytes, there is room for {most}").format(count=len(der), most=most)
            )
        doing = _("writing {path}").format(path=path)
        self._needs_pin(doing)
        self._terminal.exchange(Select.by_id(self._fid(path)), doing)
        content = der.ljust(most, b"\0")
        for at in range(0, most, piece):
            self._terminal.exchange(UpdateBinary.command(content[at : at + piece], offset=at), doing)
        if self._terminal.read_binary(path)[:most] != content:
            raise NotWritten(_("{path}: the card gives back something else than was written").format(path=path))

    # --- signatures ----------------------------------------------------------------------------------------------

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """r ‖ s over a message by the card's signature key, 64 bytes, and the public key that it was made under.
        Refused: 6985 without a key pair; NotProved.
        """
        doing = _("signing")
        self._needs_pin(doing)
        public = self.exported()
        signature = self._terminal.exchange(ComputeSignature.command(sm2.message_digest(public, message)), doing)
        return signature, public

    def verify(self, message: bytes, signature: bytes) -> bool:
        """True if the card says that it signed this message. Refused where it cannot say."""
        self.enter()
        doing = _("verifying a signature")
        digest = sm2.message_digest(self.exported(), message)
        response = self._terminal.send(VerifySignature.command(digest, signature))
        if response.sw == SW.AUTHENTICATION_FAILED:
            return False
        if not response.ok:
            raise Refused(doing, response.sw)
        return True
