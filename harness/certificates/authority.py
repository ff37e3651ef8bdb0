"""A certificate authority for tests: it issues to made-up people alone, and vouches for nothing.

One is published with the package, key and all, so that whoever likes can issue with it; `sscard certificate authority`
makes others. In a file an authority is PEM: its private key (PKCS #8) and its certificate, as OpenSSL reads them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha1
from importlib import resources
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from emulator import ber
from emulator.crypto import sm2
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.certificates import x509 as certificates
from harness.certificates.x509 import Certificate, CertificateError, Wanted

COUNTRY, ORGANISATION = "CN", "sscard test, not a real issuer"
MADE_UP = "519900"
"""How the citizen ids of made-up people begin."""
YEARS = 30
SERIAL_SIZE = 15
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)
_KEY, _CERTIFICATE = "PRIVATE KEY", "CERTIFICATE"
_PKCS8 = bytes.fromhex("020100301306072A8648CE3D020106082A811CCF5501822D")
"""Version, and the algorithm: a key on the curve of SM2."""
_SEC1 = bytes.fromhex("0201010420")
_PUBLIC = bytes.fromhex("A14403420004")


class AuthorityError(SscardError, ValueError):
    """A file that should hold an authority does not, or an authority will not issue."""

    kind = ErrorKind.INPUT
    exit_code = 2


class Purpose(StrEnum):
    """What a certificate's key is for: a holder has one of each, 双证书."""

    SIGNATURE = "signature"
    ENCRYPTION = "encryption"


_USES = {
    Purpose.SIGNATURE: ("digital_signature", "content_commitment"),
    Purpose.ENCRYPTION: ("key_encipherment", "data_encipherment", "key_agreement"),
    None: ("key_cert_sign", "crl_sign"),
}
"""Bits of the key usage; of the authority itself under None."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A key and the certificate that goes with it."""

    private: bytes
    certificate: Certificate

    @classmethod
    def make(cls, name: str, random: Callable[[int], bytes], begins: datetime, years: int = YEARS) -> Authority:
        """A new one of that common name; sm2.Unavailable."""
        private, public = sm2.key_pair(random)
        subject = _name((NameOID.COMMON_NAME, name))
        wanted = Wanted(
            subject,
            subject,
            _serial(random),
            public,
            begins,
            begins + timedelta(days=365 * years),
            ((x509.BasicConstraints(ca=True, path_length=0), True), *_extensions(None, public, public)),
        )
        return cls(private, certificates.read(certificates.issue(wanted, private)))

    def issue(
        self,
        holder: Holder,
        public: bytes,
        purpose: Purpose,
        random: Callable[[int], bytes],
        begins: datetime,
        ends: datetime,
    ) -> Certificate:
        """A certificate for a made-up person's key. AuthorityError for a number that may be somebody's, and where it
        would end before it begins; sm2.Unavailable.
        """
        if not holder.number.startswith(MADE_UP):
            raise AuthorityError(
                _("a test authority issues to made-up people alone, whose numbers begin with {made_up}").format(
                    made_up=MADE_UP
                )
            )
        if ends < begins:
            raise AuthorityError(_("the certificate would end before it begins"))
        wanted = Wanted(
            _name((NameOID.COMMON_NAME, holder.name), (NameOID.SERIAL_NUMBER, holder.number)),
            x509.load_der_x509_certificate(self.certificate.der).subject,
            _serial(random),
            public,
            begins,
            ends,
            (
                (x509.BasicConstraints(ca=False, path_length=None), True),
                *_extensions(purpose, public, self.certificate.public),
            ),
        )
        return certificates.read(certificates.issue(wanted, self.private))

    def to_pem(self) -> str:
        """The private key and the certificate, as a file has them."""
        return pem(_KEY, _private_key(self.private, self.certificate.public)) + pem(_CERTIFICATE, self.certificate.der)


def published() -> Authority:
    """The test authority that comes with the package, its private key too."""
    return from_pem((resources.files(__package__) / "test-authority.pem").read_text(encoding="ascii"), "test-authority")


def load(path: Path) -> Authority:
    """The authority in a file. AuthorityError saying what is missing in it; OSError."""
    try:
        return from_pem(path.read_text(encoding="ascii"), str(path))
    except UnicodeDecodeError:
        raise AuthorityError(_("{path}: expected PEM, found something else").format(path=path)) from None


def from_pem(text: str, source: str) -> Authority:
    """An authority from its PEM. AuthorityError naming ``source``."""
    found = dict(_blocks(text, source))
    for kind in (_KEY, _CERTIFICATE):
        if kind not in found:
            raise AuthorityError(
                _("{source}: no {kind}; `sscard certificate authority` makes a file that has both").format(
                    source=source, kind=kind
                )
            )
    try:
        certificate = certificates.read(found[_CERTIFICATE])
    except CertificateError as error:
        raise AuthorityError(f"{source}: {error}") from None
    key = found[_KEY]
    at = key.find(_SEC1)
    private = key[at + len(_SEC1) :][: sm2.SIZE]
    if at < 0 or sm2.public_key(private) != certificate.public:
        raise AuthorityError(_("{source}: the private key is not the certificate's").format(source=source))
    return Authority(private, certificate)


def der_of(text: str, source: str) -> bytes:
    """A certificate's DER from its PEM. CertificateError naming ``source``."""
    for kind, der in _blocks(text, source):
        if kind == _CERTIFICATE:
            return der
    raise CertificateError(_("{source}: no certificate in PEM").format(source=source))


def pem(kind: str, der: bytes) -> str:
    """DER between its BEGIN and END lines."""
    body = base64.b64encode(der).decode("ascii")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----\n"))


def certificate_pem(certificate: Certificate) -> str:
    """A certificate as PEM."""
    return pem(_CERTIFICATE, certificate.der)


def _blocks(text: str, source: str) -> list[tuple[str, bytes]]:
    try:
        return [(kind, base64.b64decode("".join(body.split()), validate=True)) for kind, body in _PEM.findall(text)]
    except binascii.Error as error:
        raise CertificateError(f"{source}: {error}") from None


def _private_key(private: bytes, public: bytes) -> bytes:
    """PKCS #8."""
    inner = ber.build(0x30, _SEC1 + private + _PUBLIC + public)
    return ber.build(0x30, _PKCS8 + ber.build(0x04, inner))


def _name(*own: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    all_of_them = ((NameOID.COUNTRY_NAME, COUNTRY), (NameOID.ORGANIZATION_NAME, ORGANISATION), *own)
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in all_of_them])


def _serial(random: Callable[[int], bytes]) -> int:
    return int.from_bytes(b"\x01" + random(SERIAL_SIZE), "big")


def _extensions(purpose: Purpose | None, public: bytes, issuer: bytes) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    bits = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    usage = x509.KeyUsage(**(bits | dict.fromkeys(_USES[purpose], True)))
    return (
        (usage, True),
        (x509.SubjectKeyIdentifier(_identifier(public)), False),
        (x509.AuthorityKeyIdentifier(_identifier(issuer), None, None), False),
    )


def _identifier(public: bytes) -> bytes:
    """RFC 5280, 4.2.1.2: SHA-1 over the key, as a name of it."""
    return sha1(b"\x04" + public, usedforsecurity=False).digest()
