"""What requirements-dev.txt locks, and which of it the core, an extra and development bring."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-dev.txt"
OURS = "sscard (pyproject.toml)"
"""What the lock calls this package where it says who asks for another."""
CORE = "core"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TOOLS = ("bench", "fuzz", "release", "site")
"""Extras that `make test` needs not: they are not locked."""


@dataclass(frozen=True)
class Locked:
    """One release of the lock, where its marker holds."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int
    via: tuple[str, ...]
    """What asks for it."""


@cache
def lock() -> tuple[Locked, ...]:
    """Every entry of the lock. AssertionError for one that names no single release."""
    return tuple(_entries(LOCK.read_text(encoding="utf-8")))


def _entries(text: str) -> Iterator[Locked]:
    for entry in re.split(r"\n(?=\w)", text.partition("\n")[2]):
        if entry.startswith("#"):
            continue
        asked = Requirement(re.split(r"\s\\|\n", entry, maxsplit=1)[0])
        (pin,) = asked.specifier
        assert pin.operator == "==", entry
        via = re.findall(r"^ +# +(?:via )?(\S.*)$", entry, re.MULTILINE)
        yield Locked(
            canonicalize_name(asked.name),
            Version(pin.version),
            asked.marker,
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)),
            tuple(one for one in via if one != "via"),
        )


def installed(entry: Locked) -> bool:
    """Whether this very release is installed here."""
    try:
        return Version(metadata.version(entry.name)) == entry.version
    except metadata.PackageNotFoundError:
        return False


def asked_for() -> dict[str, list[Requirement]]:
    """The requirements that the lock is made of, by the extra they are of."""
    extras = PROJECT["optional-dependencies"]
    sets = {CORE: PROJECT["dependencies"]} | {name: extras[name] for name in extras if name not in ("all", *TOOLS)}
    return {name: [Requirement(one) for one in texts] for name, texts in sets.items()}


def brought() -> dict[str, set[str]]:
    """The packages that each extra brings, on some system and Python: those it names and all that these need."""
    needs: dict[str, set[str]] = {}
    for one in lock():
        for asker in one.via:
            needs.setdefault(asker, set()).add(one.name)
    return {
        extra: _closure({canonicalize_name(one.name) for one in named}, needs) for extra, named in asked_for().items()
    }


def _closure(names: set[str], needs: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found
