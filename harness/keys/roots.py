"""Roots that a user gives to a program of ours: the published test roots, or a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from emulator.crypto.keys import test_root
from emulator.errors import ErrorKind, NotFound, SscardError
from emulator.messages import _
from emulator.textfiles import as_toml
from emulator.textfiles import text as textfile
from emulator.textfiles.text import FormatError

RootSource = Callable[[str, int], bytes]
"""Gives a root by a key's name and version; UnknownKey where it has none."""
TEST = "test"
SIZE = 16
LONGEST_NAME = 12
"""No key's name is longer; half a key's value would be."""


class RootsError(SscardError, RuntimeError):
    """A file of roots that cannot be used: why. What is in it is never quoted."""

    kind = ErrorKind.INPUT


class UnknownKey(NotFound):
    """No root of this name, with its version where that is not the first, is at hand."""

    def __init__(self, name: str) -> None:
        super().__init__(_("the key {name}").format(name=name))
        self.name = name


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
            raise UnknownKey(wanted)
        return known[wanted]

    return root


def _shown(name: str) -> str:
    """A name as it may be told: one that could be a key itself is not."""
    return repr(name) if len(name) <= LONGEST_NAME else _("a name of more than 12 characters")


def _read(path: str) -> dict[str, bytes]:
    try:
        text = textfile.read(Path(path), as_toml.MOST)
    except OSError as error:
        raise RootsError(_("{path}: cannot be read: {strerror}").format(path=path, strerror=error.strerror)) from None
    except FormatError as error:
        raise RootsError(_("{error}; expected TOML with [roots], names to 32 hex digits").format(error=error)) from None
    try:
        table = as_toml.loads(text, path)
        known = {name: bytes.fromhex(value) for name, value in table.pop("roots", {}).items()}
    except (ValueError, TypeError, AttributeError):  # FormatError among them: what TOML complains of may be a key
        raise RootsError(_("{path}: expected TOML with [roots], names to 32 hex digits").format(path=path)) from None
    if table:
        raise RootsError(
            _("{path}: expected [roots] alone, found {table}").format(path=path, table=", ".join(map(_shown, table)))
        )
    if not known:
        raise RootsError(_("{path}: no key stands under [roots]").format(path=path))
    strange = [name for name in known if not re.fullmatch(r"[A-Za-z0-9]+( [23])?", name)]
    if strange:
        raise RootsError(
            _("{path}: expected names like UKSSSE, or 'UKSSSE 2' for a version, found {shown}").format(
                path=path, shown=_shown(strange[0])
            )
        )
    wrong = [name for name, value in known.items() if len(value) != SIZE]
    if wrong:
        raise RootsError(
            _("{path}: a root has {size} bytes, {wrong} has not").format(path=path, size=SIZE, wrong=", ".join(wrong))
        )
    return known
