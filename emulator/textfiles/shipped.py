"""Text files that come with the package: each is opened once and parsed once, as it never changes."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from emulator.frozen import frozen
from emulator.textfiles import as_toml


@cache
def names(package: str, folder: str = ".") -> tuple[str, ...]:
    """The TOML files in a package, or in a folder of it, without their ending, sorted."""
    found = (entry.name for entry in (resources.files(package) / folder).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


@cache
def text(package: str, file: str) -> str:
    """A file's text; ``file`` is its path from the package. FileNotFoundError."""
    return (resources.files(package) / file).read_text(encoding="utf-8")


@cache
def table(package: str, file: str) -> dict[str, Any]:
    """What a TOML file says, frozen. FileNotFoundError, FormatError."""
    result: dict[str, Any] = frozen(as_toml.loads(text(package, file), file))
    return result
