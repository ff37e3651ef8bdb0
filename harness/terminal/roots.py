"""Roots that a user gives to a program of ours: the published test roots, or a file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from emulator.crypto.keys import test_root

RootSource = Callable[[str, int], bytes]
"""Gives a root by a key's name and version; LookupError, naming it, where it has none."""
TEST = "test"
SIZE = 16


class RootsError(RuntimeError):
    """A file of roots that cannot be used: why. What is in it is never quoted."""


def load(path: str | None) -> RootSource:
    """Roots from a user's TOML file (``[roots]``, a key's name to 32 hex digits, version 2 as ``NAME 2``). RootsError.

    ``test``: the published test roots. None: no key at all.
    """
    if path == TEST:
        return test_root
    known = _read(path) if path is not None else {}

    def root(name: str, version: int) -> bytes:
        wanted = name if version == 1 else f"{name} {version}"
        if wanted not in known:
            raise LookupError(wanted)
        return known[wanted]

    return root


def _read(path: str) -> dict[str, bytes]:
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("roots", {})
        known = {name: bytes.fromhex(value) for name, value in table.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError):
        raise RootsError(f"{path}: expected TOML with [roots], names to 32 hex digits") from None
    wrong = [name for name, value in known.items() if len(value) != SIZE]
    if wrong:
        raise RootsError(f"{path}: a root has {SIZE} bytes, {', '.join(wrong)} has not")
    return known
