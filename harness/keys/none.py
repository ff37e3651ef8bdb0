"""No keys: a terminal that may use none."""

from __future__ import annotations

from emulator.apdu.command import CommandAPDU
from emulator.messages import _
from emulator.override import override
from harness.keys.access import KeyAccess, Unauthorised, Use


class NoKeys(KeyAccess):
    """Stands where a call may use no key: what needs one is refused as the card would, 6982."""

    @override
    def cryptogram(self, use: Use, data: bytes) -> bytes:  # noqa: ARG002
        raise self._refusal(use)

    @override
    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:  # noqa: ARG002
        raise self._refusal(use)

    @override
    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:  # noqa: ARG002
        raise self._refusal(use)

    @staticmethod
    def _refusal(use: Use) -> Unauthorised:
        return Unauthorised(_("{name} is needed").format(name=use.key.name))
