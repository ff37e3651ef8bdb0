"""The SM4 suite: SM4 (GB/T 32907) throughout, results folded by XOR."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from emulator.crypto.suite import Fold, Folded, folded, frame, pad_always, start_value, unframe, xor
from emulator.messages import because


@lru_cache(maxsize=256)
def _ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(SM4(key), modes.ECB())


def encrypt(key: bytes, blocks: bytes) -> bytes:
    """Whole blocks enciphered, each by itself (ECB)."""
    return _ecb(key).encryptor().update(blocks)


def decrypt(key: bytes, blocks: bytes) -> bytes:
    """Whole blocks deciphered, each by itself (ECB)."""
    return _ecb(key).decryptor().update(blocks)


class SM4Suite:
    """Algorithm 03. See ``Suite`` for shapes."""

    name = "sm4"
    code = 3
    block = 16
    fold: Folded = Fold.XOR

    def derive(self, key: bytes, factor: bytes) -> bytes:
        """One SM4 block over factor and its complement. [S: part9:7.2.1, reference:card §6]"""
        return encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))

    def process_key(self, card_key: bytes, challenge: bytes) -> bytes:
        """SM4 of the challenge, filled with 00 to 16 bytes. [T: part4:8.4]"""
        return encrypt(card_key, challenge.ljust(16, b"\0"))

    def cryptogram(self, process_key: bytes, data: bytes) -> bytes:
        """SM4 of data ‖ 00…, left half XOR right half. [T: part4:9.3]"""
        block = encrypt(process_key, data.ljust(16, b"\0"))
        return xor(block[:8], block[8:])

    def mac(self, key: bytes, message: bytes, *, start: bytes = b"", fold: Fold = Fold.SUITE) -> bytes:
        """SM4 CBC-MAC, its four 4-byte words XORed [S: part4:8, reference:card §6], from a start value of zero
        [T: part4:8].
        """
        last = self.cbc(key, pad_always(message, 16), start_value(start, 16))
        return folded(last, self.fold if fold is Fold.SUITE else fold)

    def cbc(self, key: bytes, blocks: bytes, start: bytes) -> bytes:
        """Returns the last block of SM4 CBC over whole blocks, 16 bytes."""
        state = start
        cipher = _ecb(key).encryptor()
        for at in range(0, len(blocks), 16):
            state = cipher.update(xor(state, blocks[at : at + 16]))
        return state

    def crypt(self, key: bytes, blocks: bytes) -> bytes:
        """Returns whole blocks enciphered with SM4 ECB."""
        return encrypt(key, blocks)

    def tac(self, key: bytes, message: bytes) -> bytes:
        """As a MAC, under the key itself. [T: part7:15]"""
        return self.mac(key, message)

    def encipher(self, process_key: bytes, data: bytes) -> bytes:
        """Returns the data, framed and padded, enciphered with SM4 ECB. [T: part4:8.3]"""
        return encrypt(process_key, frame(data, 16))

    def decipher(self, process_key: bytes, data: bytes) -> bytes:
        """SM4 ECB; the length byte is 1 or more. [T: part4:8.3.3.2]"""
        plain = unframe(decrypt(process_key, data), 16)
        if not plain:
            raise ValueError(because("length byte 00: blocks of 16 bytes carry one byte at least"))
        return plain
