"""X.509 certificates of SM2 with SM3, as GM/T 0015 has them: read from what a card holds, and made.

`cryptography` reads and builds names, times and extensions, but knows neither the curve nor the signature, so the
public key and the signature are taken out and put in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from emulator import ber
from emulator.crypto import sm2
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

SM2_WITH_SM3 = x509.ObjectIdentifier("1.2.156.10197.1.501")
"""GM/T 0006"""
_ALGORITHM = bytes.fromhex("300A06082A811CCF55018375")
_SEQUENCE, _INTEGER, _BITS, _VERSION, _EXTENSIONS = 0x30, 0x02, 0x03, 0xA0, 0xA3
_UTC_TIME, _GENERALIZED_TIME, _TRUE = 0x17, 0x18, b"\x01\x01\xff"
_OBJECT, _OCTETS = 0x06, 0x04
_V3 = b"\x02\x01\x02"
_UTC_TIMES = range(1950, 2050)
"""Years that X.509 writes with two digits."""
_WITHOUT_CONTENT = frozenset(b"\0\xff")
"""Bytes of a file that nobody wrote."""


class CertificateError(SscardError, ValueError):
    """What should be a certificate of SM2 is none, and why."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. ``public``: x ‖ y, 64 bytes; ``begins`` and ``ends`` are its first and its last second."""

    der: bytes
    public: bytes
    subject: str
    issuer: str
    serial: int
    begins: datetime
    ends: datetime

    @property
    def self_issued(self) -> bool:
        """True where it names its subject as its issuer."""
        return self.subject == self.issuer

    def valid_at(self, moment: datetime) -> bool:
        """True from its first second to its last one."""
        return self.begins <= moment <= self.ends

    def signed_by(self, public: bytes) -> bool:
        """True if its signature is right under a public key of 64 bytes; sm2.Unavailable."""
        loaded = x509.load_der_x509_certificate(self.der)
        try:
            pair = decode_dss_signature(loaded.signature)
            signature = b"".join(one.to_bytes(sm2.SIZE, "big") for one in pair)
            return sm2.verify(public, sm2.message_digest(public, loaded.tbs_certificate_bytes), signature)
        except (ValueError, OverflowError):
            return False


def cut(content: bytes) -> bytes:
    """The certificate at the beginning of a file, without what fills the file up; empty where nobody wrote one.
    CertificateError where the file begins otherwise, or ends before the certificate does.
    """
    if not set(content) - _WITHOUT_CONTENT:
        return b""
    if content[:1] != bytes((_SEQUENCE,)):
        raise CertificateError(_("no certificate: expected DER, which begins with 30"))
    try:
        size = ber.sized(content)
    except ValueError as error:
        raise CertificateError(_("no certificate: {error}").format(error=error)) from None
    if size > len(content):
        raise CertificateError(
            _("the certificate announces {size} bytes, {count} are there").format(size=size, count=len(content))
        )
    return content[:size]


def read(der: bytes) -> Certificate:
    """A certificate from its DER. CertificateError for what is none, or is of another key or signature than SM2's."""
    try:
        loaded = x509.load_der_x509_certificate(der)
        names = loaded.subject.rfc4514_string(), loaded.issuer.rfc4514_string()
        public = _public(loaded.tbs_certificate_bytes)
        signed = loaded.signature_algorithm_oid
    except ValueError as error:
        raise CertificateError(_("no certificate: {error}").format(error=error)) from None
    if signed != SM2_WITH_SM3:
        raise CertificateError(
            _("the certificate is signed by {oid}, expected SM2 with SM3, {wanted}").format(
                oid=signed.dotted_string, wanted=SM2_WITH_SM3.dotted_string
            )
        )
    return Certificate(
        der, public, *names, loaded.serial_number, loaded.not_valid_before_utc, loaded.not_valid_after_utc
    )


def _public(signed_part: bytes) -> bytes:
    """x ‖ y of the certificate's key; CertificateError for another key than one of SM2."""
    ((__, inner),) = ber.objects(signed_part)
    parts = [(tag, value) for tag, value in ber.objects(inner) if tag != _VERSION]
    info = ber.build(*parts[5])
    public = info[-2 * sm2.SIZE :]
    if info != sm2.public_key_info(public):
        raise CertificateError(_("the certificate's key is not one of SM2"))
    return public


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate is to say."""

    subject: x509.Name
    issuer: x509.Name
    serial: int
    public: bytes
    begins: datetime
    ends: datetime
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    """Each with whether it is critical."""


def issue(wanted: Wanted, private: bytes) -> bytes:
    """A certificate's DER, signed with the issuer's private key; sm2.Unavailable."""
    body = b"".join(
        (
            ber.build(_VERSION, _V3),
            ber.build(_INTEGER, wanted.serial.to_bytes(wanted.serial.bit_length() // 8 + 1, "big")),
            _ALGORITHM,
            wanted.issuer.public_bytes(),
            ber.build(_SEQUENCE, _time(wanted.begins) + _time(wanted.ends)),
            wanted.subject.public_bytes(),
            sm2.public_key_info(wanted.public),
            ber.build(_EXTENSIONS, ber.build(_SEQUENCE, b"".join(_extensions(wanted.extensions)))),
        )
    )
    signed_part = ber.build(_SEQUENCE, body)
    public = sm2.public_key(private)
    signature = sm2.sign(private, public, sm2.message_digest(public, signed_part))
    encoded = encode_dss_signature(*(int.from_bytes(signature[at : at + sm2.SIZE], "big") for at in (0, sm2.SIZE)))
    return ber.build(_SEQUENCE, signed_part + _ALGORITHM + ber.build(_BITS, b"\0" + encoded))


def _time(moment: datetime) -> bytes:
    utc = moment.astimezone(UTC)
    if utc.year in _UTC_TIMES:
        return ber.build(_UTC_TIME, f"{utc:%y%m%d%H%M%S}Z".encode())
    return ber.build(_GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%S}Z".encode())


def _extensions(wanted: Iterable[tuple[x509.ExtensionType, bool]]) -> Iterable[bytes]:
    for one, critical in wanted:
        arcs = [int(part) for part in one.oid.dotted_string.split(".")]
        oid = bytes((40 * arcs[0] + arcs[1], *arcs[2:]))  # the standard extensions' arcs are all below 128
        value = ber.build(_OCTETS, one.public_bytes())
        yield ber.build(_SEQUENCE, ber.build(_OBJECT, oid) + (_TRUE if critical else b"") + value)
