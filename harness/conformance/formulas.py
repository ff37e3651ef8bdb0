"""What a vector computes before it sends: cryptograms, MACs and ciphers under card keys or given ones."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes

from emulator.apdu.command import CommandAPDU
from emulator.crypto import Suite, suite
from emulator.crypto.suite import xor
from harness.keys.access import Use
from harness.terminal.terminal import Terminal

LAST_CHALLENGE = "${challenge}"
BLOCK = {"3des": 8, "sm4": 16}


class Formulas:
    """The functions of ``let``. ``given`` gives the bytes that a text of hex and names stands for."""

    def __init__(self, terminal: Terminal, given: Callable[[str], bytes]) -> None:
        self._terminal, self._given = terminal, given

    def compute(self, formula: dict[str, Any]) -> bytes:
        """The value of ``{function: arguments}``. UnknownKey where a key is not at hand."""
        ((function, arguments),) = formula.items()
        perform: Callable[[Any], bytes] = getattr(self, f"_{function}")
        return perform(arguments)

    def _use(self, arguments: dict[str, Any], challenge: bytes = b"") -> Use:
        return self._terminal.use(arguments["key"], challenge, arguments.get("version", 1))

    def _key(self, arguments: dict[str, Any]) -> tuple[Suite, bytes]:
        use = self._use(arguments)
        return use.suite, self._terminal.card_key(use.key.name, use.version)

    def _process_key(self, arguments: dict[str, Any]) -> tuple[Suite, bytes]:
        algorithms, key = self._key(arguments)
        return algorithms, algorithms.process_key(key, self._given(arguments.get("factor", LAST_CHALLENGE)))

    def _cryptogram(self, arguments: dict[str, Any]) -> bytes:
        algorithms, key = self._process_key(arguments)
        return algorithms.cryptogram(key, self._given(arguments["data"]))

    def _mac(self, arguments: dict[str, Any]) -> bytes:
        algorithms, key = self._process_key(arguments)
        return algorithms.mac(key, self._given(arguments["over"]))

    def _encipher(self, arguments: dict[str, Any]) -> bytes:
        algorithms, key = self._process_key(arguments)
        return algorithms.encipher(key, self._given(arguments["data"]))

    def _tac(self, arguments: dict[str, Any]) -> bytes:
        algorithms, key = self._key(arguments)
        return algorithms.tac(key, self._given(arguments["over"]))

    def _sealed(self, arguments: dict[str, Any]) -> bytes:
        use = self._use(arguments, self._given(arguments.get("factor", LAST_CHALLENGE)))
        command = CommandAPDU.under(self._given(arguments["header"]), self._given(arguments.get("data", "")))
        return bytes(self._terminal.keys.seal(use, command, enciphered=arguments.get("cipher", False)))

    def _block(self, arguments: dict[str, str]) -> bytes:
        data, size = self._given(arguments["data"]), BLOCK[arguments["algorithm"]]
        return suite(arguments["algorithm"]).crypt(self._given(arguments["key"]), data + bytes(-len(data) % size))

    def _hash(self, arguments: dict[str, str]) -> bytes:
        over = self._given(arguments["over"])
        if arguments["algorithm"] == "sha256":
            return sha256(over).digest()
        digest = hashes.Hash(hashes.SM3())
        digest.update(over)
        return digest.finalize()

    def _xor(self, sides: list[str]) -> bytes:
        left, right = map(self._given, sides)
        return xor(left, right)

    def _join(self, text: str) -> bytes:
        return self._given(text)
