"""What a suite of algorithms does for the card: one small protocol, and the padding both suites share."""

from __future__ import annotations

from typing import Protocol


class Suite(Protocol):
    """Keys are 16 bytes; process keys 8 (3DES) or 16 (SM4); cryptograms 8; MACs 4."""

    @property
    def name(self) -> str:
        """``3des`` or ``sm4``, as layouts and options write it."""

    @property
    def code(self) -> int:
        """The algorithm's number in the FCI's tag 9F0C: 1 3DES, 3 SM4. [S]"""

    @property
    def block(self) -> int:
        """Block size in bytes."""

    def derive(self, key: bytes, factor: bytes) -> bytes:
        """One level of diversification by an 8-byte factor: E(key, factor ‖ ¬factor), 16 bytes. [S]"""

    def process_key(self, card_key: bytes, challenge: bytes) -> bytes:
        """The key for one use, from the last challenge (4, 8 or 16 bytes). [S] 3DES, [T] SM4."""

    def cryptogram(self, process_key: bytes, data: bytes) -> bytes:
        """Authentication cryptogram, 8 bytes, of 8 bytes of data. [S] 3DES, [T] SM4."""

    def mac(self, process_key: bytes, message: bytes) -> bytes:
        """MAC of 4 bytes over a message that this function pads; start value zero. [S]"""

    def encipher(self, process_key: bytes, data: bytes) -> bytes:
        """ECB over ``data`` with its length byte before it, padded only where needed. [T]"""

    def decipher(self, process_key: bytes, data: bytes) -> bytes:
        """Undoes ``encipher``; ValueError where length byte or padding is wrong."""


def pad_always(message: bytes, block: int) -> bytes:
    """80 and zeros up to a full block; a whole block more if already full."""
    return message + b"\x80" + bytes(-(len(message) + 1) % block)


def frame(data: bytes, block: int) -> bytes:
    """Length byte ‖ data, and 80 00… only if that is no multiple of the block. [T]"""
    framed = bytes((len(data),)) + data
    return framed if len(framed) % block == 0 else pad_always(framed, block)


def unframe(framed: bytes, block: int) -> bytes:
    """Undoes ``frame``; ValueError if it could not have come from there."""
    if not framed or len(framed) % block or framed[0] >= len(framed):
        raise ValueError("length byte beyond the deciphered data")
    data = framed[1 : 1 + framed[0]]
    if frame(data, block) != framed:
        raise ValueError("padding is not 80 00…")
    return data
