"""The electronic card's credential, shown as a QR code: signed, short-lived, and good for nothing but tests.

The nation's own credential is not public, and nothing here resembles it [D]. The text is ``SSCARD-TEST:`` and base32,
which a QR code holds in its dense alphanumeric mode. It says of the holder only an id that the register alone
can read. That it is used once, the register sees to: ``serial`` tells one from another.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from construct import Byte, Bytes, Const, ConstructError, Int16ub, Int32ub, PascalString, Struct, Terminated
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, chinese_first

PREFIX = "SSCARD-TEST:"
TTL = timedelta(seconds=60)
"""How long a credential is good [D]: long enough for a counter's scanner, too short for a photo passed on."""
LONGEST = timedelta(hours=1)
SERIAL_SIZE = 8
SIGNATURE_SIZE = 64
OPAQUE = re.compile(r"[0-9A-Za-z._-]{1,40}")
CITIZEN = re.compile(r"\d{17}[\dXx]")

_PAYLOAD = Struct(
    "version" / Const(1, Byte),
    "issued" / Int32ub,
    "ttl" / Int16ub,
    "serial" / Bytes(SERIAL_SIZE),
    "holder" / PascalString(Byte, "ascii"),
    "card" / PascalString(Byte, "ascii"),
    Terminated,
)


class Why(StrEnum):
    """Why a credential is not accepted."""

    FORMAT = "format"
    SIGNATURE = "signature"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CredentialError(SscardError, ValueError):
    """A credential that is not accepted: ``why`` for programs, ``zh`` and ``en`` for people."""

    kind = ErrorKind.REFUSED

    def __init__(self, why: Why, zh: str, en: str) -> None:
        super().__init__(chinese_first(en, zh, " / "))
        self.why, self.zh, self.en = why, zh, en


@dataclass(frozen=True, slots=True)
class Credential:
    """What a credential says. Good from ``issued`` until just before ``expires``, both in UTC."""

    holder: str
    card: str
    serial: str
    issued: datetime
    expires: datetime


def issue(key: Ed25519PrivateKey, holder: str, card: str, now: datetime, ttl: timedelta = TTL) -> str:
    """A fresh credential as text. ``holder`` an opaque id, ``card`` the card's number, ``now`` with its time zone.

    ValueError for what has no place in it: a citizen's number, other than plain letters and digits, a life longer
    than an hour.
    """
    for name, value in (("holder", holder), ("card", card)):
        if CITIZEN.fullmatch(value):
            raise ValueError(
                _("{name}: a citizen's number has no place in a QR code: give an id that says nothing").format(
                    name=name
                )
            )
        if not OPAQUE.fullmatch(value):
            raise ValueError(
                _("{name}: expected 1 to 40 letters, digits, dots, dashes or underscores").format(name=name)
            )
    seconds = ttl // timedelta(seconds=1)
    if not 1 <= seconds <= LONGEST.total_seconds():
        raise ValueError(
            _("a credential is good for 1 second to {longest}, asked for {ttl}").format(longest=LONGEST, ttl=ttl)
        )
    said = {
        "issued": _seconds(now),
        "ttl": seconds,
        "serial": secrets.token_bytes(SERIAL_SIZE),
        "holder": holder,
        "card": card,
    }
    payload = _PAYLOAD.build(said)
    return PREFIX + _text(payload + key.sign(_signed(payload)))


def verify(
    keys: Ed25519PublicKey | Sequence[Ed25519PublicKey],
    text: str,
    now: datetime,
    *,
    revoked: Callable[[Credential], bool] | None = None,
) -> Credential:
    """What a credential says, if one of these keys signed it and it is good now; CredentialError if not.

    ``revoked`` is asked last, about a credential otherwise good.
    """
    payload, signature = _parts(text)
    if not any(_signed_by(key, payload, signature) for key in (keys if isinstance(keys, Sequence) else (keys,))):
        raise CredentialError(Why.SIGNATURE, "二维码签名无效", "the credential is not signed by a key known here")
    credential = _read(payload)
    moment = _seconds(now)
    if moment < credential.issued.timestamp():
        raise CredentialError(
            Why.NOT_YET, "二维码尚未生效", f"the credential is good from {credential.issued:%Y-%m-%d %H:%M:%S} UTC only"
        )
    if moment >= credential.expires.timestamp():
        raise CredentialError(
            Why.EXPIRED, "二维码已过期", f"the credential expired at {credential.expires:%Y-%m-%d %H:%M:%S} UTC"
        )
    if revoked is not None and revoked(credential):
        raise CredentialError(Why.REVOKED, "二维码已作废", "the credential was revoked")
    return credential


def _parts(text: str) -> tuple[bytes, bytes]:
    if not text.startswith(PREFIX):
        raise _malformed(f"it does not begin with {PREFIX}")
    encoded = text.removeprefix(PREFIX)
    try:
        data = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    except (binascii.Error, ValueError):
        raise _malformed("what follows is not base32") from None
    # Spare bits and padding could be written in several ways: one credential is one text.
    if _text(data) != encoded:
        raise _malformed("its base32 is not the shortest form")
    if len(data) <= SIGNATURE_SIZE:
        raise _malformed("it is too short to be signed")
    return data[:-SIGNATURE_SIZE], data[-SIGNATURE_SIZE:]


def _read(payload: bytes) -> Credential:
    try:
        said: Any = _PAYLOAD.parse(payload)
    except (ConstructError, UnicodeDecodeError):
        raise _malformed("its content is not that of version 1") from None
    issued = datetime.fromtimestamp(said.issued, UTC)
    return Credential(said.holder, said.card, said.serial.hex().upper(), issued, issued + timedelta(seconds=said.ttl))


def _malformed(what: str) -> CredentialError:
    return CredentialError(Why.FORMAT, "不是测试用电子社保卡二维码", f"no test credential: {what}")


def _signed_by(key: Ed25519PublicKey, payload: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, _signed(payload))
    except InvalidSignature:
        return False
    return True


def _signed(payload: bytes) -> bytes:
    # With the prefix, so that a signature made for something else by the same key is not valid here.
    return PREFIX.encode() + payload


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(_("a moment without time zone says nothing: {moment}").format(moment=moment))
    return int(moment.timestamp())
