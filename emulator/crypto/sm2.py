"""SM2 key pairs, and signatures (GB/T 32918.2) over a digest made elsewhere, by OpenSSL's own library.

The `cryptography` package has no SM2. OpenSSL (1.1.1 and later) does; of the libraries that do it is the one that every
Debian has already, so its few functions are called through ctypes.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

SIZE = 32
"""Bytes of a digest, of a private key, and of each half of a public key or signature."""
_CURVE = bytes.fromhex("06082A811CCF5501822D")
_EC_KEY = bytes.fromhex("06072A8648CE3D0201")
_LONGEST = 80
_NID = 1172
"""OpenSSL's number of the curve."""
_UNCOMPRESSED = 4
_ORDER = int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", 16)
"""Of the base point. GB/T 32918.5"""


class Unavailable(SscardError, RuntimeError):
    """This machine has no library that does SM2."""

    kind = ErrorKind.MISSING


@lru_cache(maxsize=1)
def libcrypto() -> Any:
    """libcrypto with the functions used here; Unavailable."""
    pointer, number, size, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
    functions: dict[str, tuple[Any, list[Any]]] = {
        "d2i_AutoPrivateKey": (pointer, [pointer, pointer, ctypes.c_long]),
        "d2i_PUBKEY": (pointer, [pointer, pointer, ctypes.c_long]),
        "EVP_PKEY_CTX_new": (pointer, [pointer, pointer]),
        "EVP_PKEY_CTX_free": (None, [pointer]),
        "EVP_PKEY_free": (None, [pointer]),
        "EVP_PKEY_sign_init": (number, [pointer]),
        "EVP_PKEY_sign": (number, [pointer, pointer, pointer, text, size]),
        "EVP_PKEY_verify_init": (number, [pointer]),
        "EVP_PKEY_verify": (number, [pointer, text, size, text, size]),
        "EC_GROUP_new_by_curve_name": (pointer, [number]),
        "EC_GROUP_free": (None, [pointer]),
        "EC_POINT_new": (pointer, [pointer]),
        "EC_POINT_free": (None, [pointer]),
        "EC_POINT_mul": (number, [pointer, pointer, pointer, pointer, pointer, pointer]),
        "EC_POINT_point2oct": (size, [pointer, pointer, number, pointer, size, pointer]),
        "BN_bin2bn": (pointer, [text, number, pointer]),
        "BN_clear_free": (None, [pointer]),
    }
    name = ctypes.util.find_library("crypto")
    try:
        library = ctypes.CDLL(name or "libcrypto.so.3")
        for function, (result, arguments) in functions.items():
            found = getattr(library, function)
            found.restype, found.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise Unavailable(
            _("OpenSSL's libcrypto is not there, or too old for SM2: {error}").format(error=error)
        ) from None
    return library


@contextmanager
def _context(decode: str, der: bytes) -> Iterator[tuple[Any, Any]]:
    """The library, and a context for the key of this DER; ValueError for an invalid key."""
    library = libcrypto()
    buffer = ctypes.create_string_buffer(der, len(der))
    at = ctypes.c_void_p(ctypes.addressof(buffer))
    key = getattr(library, decode)(None, ctypes.byref(at), len(der))
    if not key:
        raise ValueError("no key on the curve of SM2")
    context = library.EVP_PKEY_CTX_new(key, None)
    try:
        yield library, context
    finally:
        library.EVP_PKEY_CTX_free(context)
        library.EVP_PKEY_free(key)


def available() -> bool:
    """True if this machine has a library that does SM2."""
    try:
        libcrypto()
    except Unavailable:
        return False
    return True


def key_pair(random: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """A new private key, 32 bytes, and its public key, 64; Unavailable.

    The private key is uniform from 1 to n - 2: eight bytes more than it needs are drawn, so that none is likelier.
    """
    private = 1 + int.from_bytes(random(SIZE + 8), "big") % (_ORDER - 2)
    key = private.to_bytes(SIZE, "big")
    return key, public_key(key)


def public_key(private: bytes) -> bytes:
    """x ‖ y of a private key, 64 bytes; Unavailable."""
    library = libcrypto()
    group = library.EC_GROUP_new_by_curve_name(_NID)
    if not group:
        raise Unavailable(_("this OpenSSL does not know the curve of SM2"))
    point, number = library.EC_POINT_new(group), library.BN_bin2bn(private, len(private), None)
    try:
        encoded = ctypes.create_string_buffer(1 + 2 * SIZE)
        if library.EC_POINT_mul(group, point, number, None, None, None) != 1 or library.EC_POINT_point2oct(
            group, point, _UNCOMPRESSED, encoded, len(encoded), None
        ) != len(encoded):
            raise ValueError("no private key on the curve of SM2")
        return encoded.raw[1:]
    finally:
        library.BN_clear_free(number)
        library.EC_POINT_free(point)
        library.EC_GROUP_free(group)


def _point(public: bytes) -> bytes:
    return b"\x03\x42\x00\x04" + public


def sign(private: bytes, public: bytes, digest: bytes) -> bytes:
    """r ‖ s, 64 bytes, over a digest of 32 bytes; ValueError for no SM2 key, Unavailable."""
    der = bytes.fromhex("30770201010420") + private + b"\xa0\x0a" + _CURVE + b"\xa1\x44" + _point(public)
    with _context("d2i_AutoPrivateKey", der) as (library, context):
        signature, size = ctypes.create_string_buffer(_LONGEST), ctypes.c_size_t(_LONGEST)
        if (
            library.EVP_PKEY_sign_init(context) != 1
            or library.EVP_PKEY_sign(context, signature, ctypes.byref(size), digest, len(digest)) != 1
        ):
            raise Unavailable(_("this OpenSSL does not sign with SM2"))
        r, s = decode_dss_signature(signature.raw[: size.value])
    return r.to_bytes(SIZE, "big") + s.to_bytes(SIZE, "big")


def verify(public: bytes, digest: bytes, signature: bytes) -> bool:
    """True if r ‖ s is a signature over the digest; ValueError for no SM2 key, Unavailable."""
    der = bytes.fromhex("30593013") + _EC_KEY + _CURVE + _point(public)
    encoded = encode_dss_signature(int.from_bytes(signature[:SIZE], "big"), int.from_bytes(signature[SIZE:], "big"))
    with _context("d2i_PUBKEY", der) as (library, context):
        if library.EVP_PKEY_verify_init(context) != 1:
            raise Unavailable(_("this OpenSSL does not verify with SM2"))
        return bool(library.EVP_PKEY_verify(context, encoded, len(encoded), digest, len(digest)) == 1)
