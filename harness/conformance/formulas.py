"""What a vector computes before it sends: cryptograms, MACs and ciphers under card keys or given ones."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives import hashes

from emulator.apdu.command import CommandAPDU
from emulator.crypto import Suite, suite
from emulator.crypto.suite import xor
from harness.conformance.models import (
    Block,
    Cryptogram,
    Digest,
    Encipher,
    Formula,
    Hash,
    Join,
    Mac,
    Sealed,
    Tac,
    UnderKey,
    Xor,
)
from harness.terminal.terminal import Terminal

BLOCK = {"3des": 8, "sm4": 16}


class Formulas:
    """The functions of ``let``. ``given`` gives the bytes that a text of hex and names stands for."""

    def __init__(self, terminal: Terminal, given: Callable[[str], bytes]) -> None:
        self._terminal, self._given = terminal, given

    def compute(self, formula: Formula) -> bytes:
        """The value of a formula. UnknownKey where a key is not at hand."""
        match formula:
            case Cryptogram(data=data):
                algorithms, key = self._process_key(formula)
                return algorithms.cryptogram(key, self._given(data))
            case Mac(over=over):
                algorithms, key = self._process_key(formula)
                return algorithms.mac(key, self._given(over))
            case Encipher(data=data):
                algorithms, key = self._process_key(formula)
                return algorithms.encipher(key, self._given(data))
            case Tac(over=over):
                algorithms, key = self._key(formula)
                return algorithms.tac(key, self._given(over))
            case Sealed():
                return self._sealed(formula)
            case Block(algorithm=algorithm):
                plain, size = self._given(formula.data), BLOCK[algorithm]
                return suite(algorithm).crypt(self._given(formula.key), plain + bytes(-len(plain) % size))
            case Hash(algorithm=algorithm, over=over):
                return _digest(algorithm, self._given(over))
            case Xor(sides):
                left, right = map(self._given, sides)
                return xor(left, right)
            case Join(text):
                return self._given(text)

    def _key(self, formula: UnderKey | Tac) -> tuple[Suite, bytes]:
        use = self._terminal.use(formula.key, b"", formula.version)
        return use.suite, self._terminal.card_key(use.key.name, use.version)

    def _process_key(self, formula: UnderKey) -> tuple[Suite, bytes]:
        algorithms, key = self._key(formula)
        return algorithms, algorithms.process_key(key, self._given(formula.factor))

    def _sealed(self, formula: Sealed) -> bytes:
        use = self._terminal.use(formula.key, self._given(formula.factor), formula.version)
        command = CommandAPDU.under(self._given(formula.header), self._given(formula.data))
        return bytes(self._terminal.keys.seal(use, command, enciphered=formula.cipher))


def _digest(algorithm: Digest, over: bytes) -> bytes:
    if algorithm is Digest.SHA256:
        return sha256(over).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(over)
    return digest.finalize()
