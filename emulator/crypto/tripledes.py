"""The 3DES suite: 3DES with the two-key card keys, single DES under the 8-byte process keys."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from emulator.crypto.suite import frame, pad_always, unframe


@lru_cache(maxsize=256)
def _ecb(key: bytes) -> Cipher[modes.ECB]:
    # An 8-byte key is written out thrice: EDE under equal keys is single DES.
    return Cipher(TripleDES(key * 3 if len(key) == 8 else key + key[:8]), modes.ECB())


def _encrypt(key: bytes, data: bytes) -> bytes:
    return _ecb(key).encryptor().update(data)


class TripleDESSuite:
    """Algorithm 01. See ``Suite`` for shapes."""

    name = "3des"
    code = 1
    block = 8

    def derive(self, key: bytes, factor: bytes) -> bytes:
        """3DES-ECB over factor and its complement. [S]"""
        return _encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))

    def process_key(self, card_key: bytes, challenge: bytes) -> bytes:
        """3DES of the challenge; 4 bytes are filled with 00 [S], of 16 the first 8 count [D]."""
        return _encrypt(card_key, challenge[:8].ljust(8, b"\0"))

    def cryptogram(self, process_key: bytes, data: bytes) -> bytes:
        """Single DES. [S]"""
        return _encrypt(process_key, data)

    def mac(self, process_key: bytes, message: bytes) -> bytes:
        """Single-DES CBC, leftmost 4 bytes of the last block. [S]"""
        padded = pad_always(message, 8)
        state = bytes(8)
        cipher = _ecb(process_key).encryptor()
        for start in range(0, len(padded), 8):
            mixed = int.from_bytes(state, "big") ^ int.from_bytes(padded[start : start + 8], "big")
            state = cipher.update(mixed.to_bytes(8, "big"))
        return state[:4]

    def encipher(self, process_key: bytes, data: bytes) -> bytes:
        """Single-DES ECB. [T]"""
        return _encrypt(process_key, frame(data, 8))

    def decipher(self, process_key: bytes, data: bytes) -> bytes:
        """Single-DES ECB. [T]"""
        return unframe(_ecb(process_key).decryptor().update(data), 8)


def retail_mac(key: bytes, message: bytes) -> bytes:
    """MAC by ISO 9797-1 algorithm 3 (DES CBC, last block 3DES), padding 80 00…, leftmost 4 bytes: the check of the
    card identification code. [1]
    """
    left, right = key[:8], key[8:]
    state = bytes(8)
    padded = pad_always(message, 8)
    for start in range(0, len(padded), 8):
        mixed = int.from_bytes(state, "big") ^ int.from_bytes(padded[start : start + 8], "big")
        state = _encrypt(left, mixed.to_bytes(8, "big"))
    return _encrypt(left, _ecb(right).decryptor().update(state))[:4]
