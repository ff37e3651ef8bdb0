"""The certificate functions, ``PKI_SignData`` and ``PKI_VerifySign``: their declarations are public, and no more.
[1: reference:corrections B12]

What stands in their strings is decided here, after the interface that comes nearest, GM/T 0020 and GM/T 0009 [D]:
certificates and signatures in Base64, a signature as DER of r and s; the text is signed as its bytes in GBK, with SM3
and the usual identity; iType says which reader, as in every other function.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from emulator.apdu.status import SW
from emulator.crypto import sm2
from emulator.filesystem.layouts.text import encode
from emulator.messages import _
from harness.certificates import x509
from harness.certificates.authority import Purpose
from harness.certificates.x509 import CertificateError
from harness.driver.codes import Code, DriverError, negated
from harness.driver.formats import joined
from harness.driver.open_card import OpenCard
from harness.driver.pad import Pad, checked
from harness.terminal.certificates import CertificateApplication, NoApplication

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def application(card: OpenCard) -> CertificateApplication:
    """The card's certificate application, current; -27266 where it has none."""
    try:
        found = CertificateApplication(card.terminal)
        found.enter()
    except NoApplication as error:
        raise DriverError(
            negated(SW.FILE_NOT_FOUND), _("无证书应用 no certificate application: {error}").format(error=error)
        ) from None
    return found


def sign(card: OpenCard, pad: Pad, pin: str, data: str) -> str:
    """``signature|certificate|``, both in Base64, the certificate empty where the card has none.

    -33, -51, -52 for the PIN; -27013 without a key pair; -15 where the card's certificate is not its key's, or the
    signature that it made is not right.
    """
    message = _bytes(data, "pInData")
    own = application(card)
    _prove(card, own, pin or pad.enter())
    signature, public = own.sign(message)
    if not sm2.verify(public, sm2.message_digest(public, message), signature):
        raise DriverError(Code.CHECKSUM, _("卡内签名不正确 the card's signature is not right"))
    found = own.held(Purpose.SIGNATURE)
    if found.told:
        raise DriverError(Code.CHECKSUM, _("卡内证书错误 {error}").format(error=found.told))
    if found.certificate is not None and found.certificate.public != public:
        raise DriverError(Code.CHECKSUM, _("卡内证书与密钥不符 the card's certificate is not its key's"))
    der = found.certificate.der if found.certificate is not None else b""
    pair = (int.from_bytes(signature[at : at + sm2.SIZE], "big") for at in (0, sm2.SIZE))
    return joined(_base64(encode_dss_signature(*pair)), _base64(der))


def verify(card: OpenCard, pin: str, certificate: str, text: str, signature: str) -> str:
    """Empty where the signature is right under the certificate, -25344 where it is not. A signature of the card's own
    key is held against it by the card, any other here.

    The PIN is proved where one is given: verifying asks for none. -23 for what is no certificate or signature, -27266
    where no certificate is given and the card has none. Whether a certificate is valid is not judged.
    """
    message, pair = _bytes(text, "pClearText"), _signature(signature)
    given = _certificate(certificate) if certificate.strip("|\n\r\t ") else None
    own = application(card)
    if pin:
        _prove(card, own, pin)
    found = own.held(Purpose.SIGNATURE)
    public = given or (found.certificate.public if found.certificate is not None else b"")
    if not public:
        raise DriverError(negated(SW.FILE_NOT_FOUND), _("卡内无证书 the card has no certificate"))
    if public == found.public:
        right = own.verify(message, pair)
    else:
        right = sm2.verify(public, sm2.message_digest(public, message), pair)
    if not right:
        raise DriverError(negated(SW.AUTHENTICATION_FAILED), _("验证签名不通过 the signature is not right"))
    return ""


def _prove(card: OpenCard, own: CertificateApplication, pin: str) -> None:
    checked(pin)
    card.guarded(lambda: own.prove(pin))


def _bytes(text: str, name: str) -> bytes:
    """What a string of the caller has as bytes; -14 for an empty one, -41."""
    if not text:
        raise DriverError(Code.BAD_PARAMETER, _("参数错误 bad parameter: {name} is empty").format(name=name))
    try:
        return encode(text)
    except UnicodeEncodeError:
        raise DriverError(Code.ILLEGAL_CHARACTER) from None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode("".join(text.removesuffix("|").split()), validate=True)
    except (binascii.Error, ValueError):
        raise DriverError(Code.BAD_INPUT, _("{name}: 应为Base64 expected Base64").format(name=name)) from None


def _certificate(text: str) -> bytes:
    """The public key of a certificate in Base64, between BEGIN and END or not; -23."""
    body = text.strip().removesuffix("|").strip().removeprefix(BEGIN).removesuffix(END)
    try:
        return x509.read(x509.cut(_decoded(body, "pCert"))).public
    except CertificateError as error:
        raise DriverError(Code.BAD_INPUT, f"pCert: {error}") from None


def _signature(text: str) -> bytes:
    """r ‖ s of a signature in Base64, DER or the 64 bytes themselves; -23."""
    value = _decoded(text, "pSignature")
    if len(value) == 2 * sm2.SIZE:
        return value
    try:
        return b"".join(one.to_bytes(sm2.SIZE, "big") for one in decode_dss_signature(value))
    except (ValueError, OverflowError):
        raise DriverError(
            Code.BAD_INPUT, _("pSignature: 应为DER或64字节 expected DER of r and s, or their 64 bytes")
        ) from None
