"""SM2 (GB/T 32918): key pairs, the digest that is signed, signatures and encryption, by OpenSSL's own library.

The `cryptography` package has SM3 and SM4, but no SM2. OpenSSL (1.1.1 and later) does; of the libraries that do it is
the one that every Debian has already, so its few functions are called through ctypes.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from emulator import ber
from emulator.crypto import sm3
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, because

SIZE = 32
"""Bytes of a digest, of a private key, and of each half of a public key or signature."""
_CURVE = bytes.fromhex("06082A811CCF5501822D")
_EC_KEY = bytes.fromhex("06072A8648CE3D0201")
_LONGEST = 80
_LONGEST_CIPHER = 256
"""More than ASN.1 adds to what is enciphered, and its point and digest."""
_NID = 1172
"""OpenSSL's number of the curve."""
_UNCOMPRESSED = 4
_ORDER = int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", 16)
"""Of the base point. GB/T 32918.5"""
_PARAMETERS = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)
"""a, b and the base point of the curve. GB/T 32918.5"""
IDENTITY = b"1234567812345678"
"""The signer's identity where none is agreed. GM/T 0009"""
_ON_MACOS = (
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    f"{sys.base_prefix}/lib/libcrypto.3.dylib",
)
"""Homebrew's, on either processor, and Python's own as python.org installs it: the last that is there."""
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04


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
        "EVP_PKEY_encrypt_init": (number, [pointer]),
        "EVP_PKEY_encrypt": (number, [pointer, pointer, pointer, text, size]),
        "EVP_PKEY_decrypt_init": (number, [pointer]),
        "EVP_PKEY_decrypt": (number, [pointer, pointer, pointer, text, size]),
        "EC_GROUP_new_by_curve_name": (pointer, [number]),
        "EC_GROUP_free": (None, [pointer]),
        "EC_POINT_new": (pointer, [pointer]),
        "EC_POINT_free": (None, [pointer]),
        "EC_POINT_mul": (number, [pointer, pointer, pointer, pointer, pointer, pointer]),
        "EC_POINT_point2oct": (size, [pointer, pointer, number, pointer, size, pointer]),
        "BN_bin2bn": (pointer, [text, number, pointer]),
        "BN_clear_free": (None, [pointer]),
    }
    try:
        library = ctypes.CDLL(_place())
        for function, (result, arguments) in functions.items():
            found = getattr(library, function)
            found.restype, found.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise Unavailable(
            _("OpenSSL's libcrypto is not there, or too old for SM2: {error}").format(error=error)
        ) from None
    return library


def _place() -> str:
    """The library's name or path; OSError. Python's own on Windows, which its `_hashlib` loads. On macOS not the
    system's: a program that loads that one is ended by the system.
    """
    if sys.platform == "win32":
        import _hashlib

        return _last(Path(_hashlib.__file__).parent.glob("libcrypto-*.dll"))
    if sys.platform == "darwin":
        return _last(path for path in map(Path, _ON_MACOS) if path.exists())
    return ctypes.util.find_library("crypto") or "libcrypto.so.3"


def _last(found: Iterable[Path]) -> str:
    every = list(found)
    if not every:
        raise FileNotFoundError("libcrypto")
    return str(every[-1])


@contextmanager
def _context(decode: str, der: bytes) -> Iterator[tuple[Any, Any]]:
    """The library, and a context for the key of this DER; ValueError for an invalid key."""
    library = libcrypto()
    buffer = ctypes.create_string_buffer(der, len(der))
    at = ctypes.c_void_p(ctypes.addressof(buffer))
    key = getattr(library, decode)(None, ctypes.byref(at), len(der))
    if not key:
        raise ValueError(because("no key on the curve of SM2"))
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
            raise ValueError(because("no private key on the curve of SM2"))
        return encoded.raw[1:]
    finally:
        library.BN_clear_free(number)
        library.EC_POINT_free(point)
        library.EC_GROUP_free(group)


def _point(public: bytes) -> bytes:
    return b"\x03\x42\x00\x04" + public


def public_key_info(public: bytes) -> bytes:
    """A public key of 64 bytes as X.509 has it (SubjectPublicKeyInfo, DER)."""
    return bytes.fromhex("30593013") + _EC_KEY + _CURVE + _point(public)


def _private_key(private: bytes, public: bytes) -> bytes:
    return bytes.fromhex("30770201010420") + private + b"\xa0\x0a" + _CURVE + b"\xa1\x44" + _point(public)


def message_digest(public: bytes, message: bytes, identity: bytes = IDENTITY) -> bytes:
    """What is signed of a message, 32 bytes: SM3 over Z and the message, where Z is SM3 over the signer's identity, the
    curve and the public key. GB/T 32918.2
    """
    size = (8 * len(identity)).to_bytes(2, "big")
    return sm3.digest(sm3.digest(size + identity + _PARAMETERS + public) + message)


def sign(private: bytes, public: bytes, digest: bytes) -> bytes:
    """r ‖ s, 64 bytes, over a digest of 32 bytes; ValueError for no SM2 key, Unavailable."""
    with _context("d2i_AutoPrivateKey", _private_key(private, public)) as (library, context):
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
    encoded = encode_dss_signature(int.from_bytes(signature[:SIZE], "big"), int.from_bytes(signature[SIZE:], "big"))
    with _context("d2i_PUBKEY", public_key_info(public)) as (library, context):
        if library.EVP_PKEY_verify_init(context) != 1:
            raise Unavailable(_("this OpenSSL does not verify with SM2"))
        return bool(library.EVP_PKEY_verify(context, encoded, len(encoded), digest, len(digest)) == 1)


def encrypt(public: bytes, plain: bytes) -> bytes:
    """C1 (x ‖ y, 64 bytes) ‖ C3 (SM3, 32 bytes) ‖ C2 (as long as the text), GB/T 32918.4; ValueError for no SM2 key,
    Unavailable.
    """
    with _context("d2i_PUBKEY", public_key_info(public)) as (library, context):
        size = ctypes.c_size_t(_LONGEST_CIPHER + len(plain))
        out = ctypes.create_string_buffer(size.value)
        if (
            library.EVP_PKEY_encrypt_init(context) != 1
            or library.EVP_PKEY_encrypt(context, out, ctypes.byref(size), plain, len(plain)) != 1
        ):
            raise Unavailable(_("this OpenSSL does not encrypt with SM2"))
    ((__, inner),) = ber.objects(out.raw[: size.value])
    x, y, check, text = (value for __, value in ber.objects(inner))
    point = b"".join(int.from_bytes(one, "big").to_bytes(SIZE, "big") for one in (x, y))
    return point + check + text


def decrypt(private: bytes, cipher: bytes) -> bytes:
    """The text of C1 ‖ C3 ‖ C2, see ``encrypt``; ValueError where it was not enciphered for this key, Unavailable."""
    parts = (cipher[:SIZE], cipher[SIZE : 2 * SIZE])
    point = b"".join(ber.build(_INTEGER, _unsigned(one)) for one in parts)
    rest = ber.build(_OCTETS, cipher[2 * SIZE : 3 * SIZE]) + ber.build(_OCTETS, cipher[3 * SIZE :])
    der = ber.build(_SEQUENCE, point + rest)
    with _context("d2i_AutoPrivateKey", _private_key(private, public_key(private))) as (library, context):
        size = ctypes.c_size_t(len(der))
        out = ctypes.create_string_buffer(size.value)
        if library.EVP_PKEY_decrypt_init(context) != 1:
            raise Unavailable(_("this OpenSSL does not decrypt with SM2"))
        if library.EVP_PKEY_decrypt(context, out, ctypes.byref(size), der, len(der)) != 1:
            raise ValueError(because("not enciphered for this key of SM2"))
        return out.raw[: size.value]


def _unsigned(value: bytes) -> bytes:
    """The content of an ASN.1 integer that is not negative, in its shortest form."""
    short = value.lstrip(b"\0")
    return short if short and short[0] < 0x80 else b"\0" + short
