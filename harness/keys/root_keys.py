"""Roots in this process: card keys are diversified from them here, as an encryption machine does it elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.command import CommandAPDU
from emulator.apdu.messaging import Seal
from emulator.crypto.keys import card_key, pin_key
from emulator.filesystem.layouts.terms import KeyUse
from emulator.override import override
from harness.keys.access import LONG_CRYPTOGRAM, KeyAccess, Use


class RootKeys(KeyAccess):
    """``root(name, version)`` gives one, LookupError where it is not known."""

    def __init__(self, root: Callable[[str, int], bytes]) -> None:
        self._root = root

    def card_key(self, use: Use) -> bytes:
        """The card's own key, 16 bytes."""
        if use.key.pin:
            return pin_key(use.key.pin, text=use.key.use is not KeyUse.PIN)
        root = self._root(use.key.name, use.version)
        return card_key(use.suite, root, use.region, use.chip, use.key.levels)

    @override
    def cryptogram(self, use: Use, data: bytes) -> bytes:
        key = self.card_key(use)
        if use.scheme.cryptogram == LONG_CRYPTOGRAM:
            return use.suite.crypt(key, use.challenge)
        return use.suite.cryptogram(use.suite.process_key(key, use.challenge), data)

    @override
    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        return self._seal(use, enciphered=enciphered).seal(command)

    @override
    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        return self._seal(use, enciphered=enciphered).open(answer)

    def _seal(self, use: Use, *, enciphered: bool) -> Seal:
        return Seal.under(use.suite, use.scheme, self.card_key(use), use.challenge, enciphered=enciphered)
