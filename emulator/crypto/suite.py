"""What a suite of algorithms does for the card: one small protocol, and the padding both suites share."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from emulator.messages import because


class Fold(StrEnum):
    """How a MAC's last block becomes 4 bytes: its first ones, its words by XOR, or as the suite does it."""

    SUITE = "suite"
    LEFT = "left"
    XOR = "xor"


Folded: TypeAlias = Literal[Fold.LEFT, Fold.XOR]
"""What a suite does by itself, or a layout says instead."""


class Suite(Protocol):
    """Keys are 16 bytes; process keys 8 (3DES) or 16 (SM4); cryptograms 8; MACs 4."""

    @property
    def name(self) -> str:
        """``3des`` or ``sm4``, as layouts and options write it."""

    @property
    def code(self) -> int:
        """The algorithm's number in the FCI's tag 9F0C: 1 3DES, 3 SM4. [S: part5:6.11, reference:card §2]"""

    @property
    def block(self) -> int:
        """Returns the cipher's block size in bytes."""

    @property
    def fold(self) -> Folded:
        """How it folds by itself."""

    def derive(self, key: bytes, factor: bytes) -> bytes:
        """One level of diversification by an 8-byte factor: E(key, factor ‖ ¬factor), 16 bytes.
        [S: part9:7.1.1, reference:card §6]
        """

    def process_key(self, card_key: bytes, challenge: bytes) -> bytes:
        """The key for one use, from the last challenge (4, 8 or 16 bytes): 3DES [S: part4:8.4, reference:card §6],
        SM4 [T: part4:8.4].
        """

    def cryptogram(self, process_key: bytes, data: bytes) -> bytes:
        """Authentication cryptogram, 8 bytes, of 8 bytes of data: 3DES [S: part4:9.3, reference:card §6],
        SM4 [T: part4:9.3].
        """

    def mac(self, key: bytes, message: bytes, *, start: bytes = b"", fold: Fold = Fold.SUITE) -> bytes:
        """MAC of 4 bytes over a message that this function pads.

        ``start`` value: zero [S: part4:8, reference:card §6], or bytes, filled with 00 or cut to a block. ``fold`` of
        the last block: ``left``, ``xor`` of its 4-byte words, or ``suite``: the suite's own. Under a card key instead
        of a process key 3DES takes ISO 9797-1 algorithm 3. [P]
        """

    def cbc(self, key: bytes, blocks: bytes, start: bytes) -> bytes:
        """The last block of a CBC over whole blocks: what a MAC folds."""

    def crypt(self, key: bytes, blocks: bytes) -> bytes:
        """ECB over whole blocks, nothing framed."""

    def tac(self, key: bytes, message: bytes) -> bytes:
        """TAC of 4 bytes under a card key: 3DES by single DES under the XOR of its halves, SM4 its MAC.
        [T: part7:15]
        """

    def encipher(self, process_key: bytes, data: bytes) -> bytes:
        """ECB over ``data`` with its length byte before it, padded only where needed. [T: part4:8.3]"""

    def decipher(self, process_key: bytes, data: bytes) -> bytes:
        """Undoes ``encipher``; ValueError where length byte or padding is wrong."""


def xor(left: bytes, right: bytes) -> bytes:
    """Returns two byte strings of one length combined bit by bit."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def folded(block: bytes, fold: Folded) -> bytes:
    """4 bytes of a MAC's last block: its first ones, or all its words by XOR."""
    if fold is Fold.LEFT:
        return block[:4]
    result = bytes(4)
    for at in range(0, len(block), 4):
        result = xor(result, block[at : at + 4])
    return result


def pad_always(message: bytes, block: int) -> bytes:
    """80 and zeros up to a full block; a whole block more if already full."""
    return message + b"\x80" + bytes(-(len(message) + 1) % block)


def frame(data: bytes, block: int) -> bytes:
    """Length byte ‖ data, and 80 00… only if that is no multiple of the block. [T: part4:8.3]"""
    framed = bytes((len(data),)) + data
    return framed if len(framed) % block == 0 else pad_always(framed, block)


def start_value(start: bytes, block: int) -> bytes:
    """A MAC's start value, filled with 00 or cut to a block."""
    return start[:block].ljust(block, b"\0")


def unframe(framed: bytes, block: int) -> bytes:
    """Undoes ``frame``; ValueError if it could not have come from there."""
    if not framed or len(framed) % block or framed[0] >= len(framed):
        raise ValueError(because("length byte beyond the deciphered data"))
    data = framed[1 : 1 + framed[0]]
    if frame(data, block) != framed:
        raise ValueError(because("padding is not 80 00…"))
    return data
