"""Access to keys: what a terminal that holds none has computed for it, whoever holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from emulator.apdu.command import CommandAPDU
from emulator.crypto import Suite
from emulator.errors import CardFailure, ErrorKind
from emulator.filesystem.layouts.specs import KeySpec, MessagingSpec

LONG_CRYPTOGRAM = 16
"""Bytes of a cryptogram where it is the challenge enciphered, and of the challenge then. [1: reference:card §2]"""


class TerminalError(CardFailure, RuntimeError):
    """What the terminal could not do, and why."""

    kind = ErrorKind.BROKEN


class Unproved(TerminalError):
    """This terminal cannot prove a key that the card asks for: it has none, or its own card does not do it."""

    kind = ErrorKind.REFUSED


class Unauthorised(Unproved):
    """The card would refuse for want of a right that this terminal cannot win by itself."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a card's key: which key, of which card, under which challenge.

    ``region``: the card's, six digits; ``chip``: the last 8 bytes of its ATR.
    """

    key: KeySpec
    suite: Suite
    scheme: MessagingSpec
    region: str
    chip: bytes
    challenge: bytes
    version: int = 1


class KeyAccess(Protocol):
    """Computes under card keys for a terminal: ``RootKeys``, ``Psam`` or ``NoKeys``."""

    def cryptogram(self, use: Use, data: bytes) -> bytes:
        """Over 8 bytes of data; where the scheme wants the long one, the challenge enciphered, 16 bytes."""

    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        """The command with its data enciphered, if they are to be, and its MAC."""

    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        """The data of a sealed answer; ValueError if its MAC or its cipher is not right."""
