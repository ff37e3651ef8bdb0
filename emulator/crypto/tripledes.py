"""The 3DES suite: 3DES with the two-key card keys, single DES under the 8-byte process keys."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from emulator.crypto.suite import Fold, Folded, folded, frame, pad_always, start_value, unframe, xor


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
    fold: Folded = Fold.LEFT

    def derive(self, key: bytes, factor: bytes) -> bytes:
        """3DES-ECB over factor and its complement. [S: part9:7.1.1, reference:card §6]"""
        return _encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))

    def process_key(self, card_key: bytes, challenge: bytes) -> bytes:
        """3DES of the challenge; 4 bytes are filled with 00 [S: part4:8.4, reference:card §6], of 16 the first 8 count
        [D].
        """
        return _encrypt(card_key, challenge[:8].ljust(8, b"\0"))

    def cryptogram(self, process_key: bytes, data: bytes) -> bytes:
        """Single DES. [S: part4:9.3, reference:card §6]"""
        return _encrypt(process_key, data)

    def mac(self, key: bytes, message: bytes, *, start: bytes = b"", fold: Fold = Fold.SUITE) -> bytes:
        """Single-DES CBC, leftmost 4 bytes of the last block [S: part4:8, reference:card §6]; under 16 bytes ISO 9797-1
        algorithm 3 [P: iso9797-1].
        """
        last = self.cbc(key[:8], pad_always(message, 8), start_value(start, 8))
        if len(key) == 16:
            last = _encrypt(key[:8], _ecb(key[8:]).decryptor().update(last))
        return folded(last, self.fold if fold is Fold.SUITE else fold)

    def cbc(self, key: bytes, blocks: bytes, start: bytes) -> bytes:
        """Returns the last block of DES CBC over whole blocks, 8 bytes."""
        state = start
        cipher = _ecb(key).encryptor()
        for at in range(0, len(blocks), 8):
            state = cipher.update(xor(state, blocks[at : at + 8]))
        return state

    def crypt(self, key: bytes, blocks: bytes) -> bytes:
        """DES or 3DES ECB, as long as the key is."""
        return _encrypt(key, blocks)

    def tac(self, key: bytes, message: bytes) -> bytes:
        """Single DES under the key's halves XORed. [T: part7:15]"""
        return self.mac(xor(key[:8], key[8:]), message)

    def encipher(self, process_key: bytes, data: bytes) -> bytes:
        """Returns the data, framed and padded, enciphered with single-DES ECB. [T: part4:8.3]"""
        return _encrypt(process_key, frame(data, 8))

    def decipher(self, process_key: bytes, data: bytes) -> bytes:
        """Returns the data deciphered with single-DES ECB, without frame and padding. [T: part4:8.3]"""
        return unframe(_ecb(process_key).decryptor().update(data), 8)
