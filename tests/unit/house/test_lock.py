"""requirements-dev.txt locks what pyproject.toml asks for, and all that this brings, each file by its hash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.unit.house.test_extras import PROJECT

LOCK = Path(__file__).parents[3] / "requirements-dev.txt"
OURS = "sscard (pyproject.toml)"
PYTHONS = [f"3.{minor}" for minor in range(11, 16)]
SYSTEMS = [("linux", "Linux"), ("win32", "Windows"), ("darwin", "Darwin")]


@dataclass(frozen=True)
class Locked:
    """One package of the lock: at one version, where its marker holds."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int
    via: tuple[str, ...]
    """What asks for it."""


def locked() -> Iterator[Locked]:
    for entry in re.split(r"\n(?=\w)", LOCK.read_text(encoding="utf-8").partition("\n")[2]):
        if entry.startswith("#"):
            continue
        asked = Requirement(re.split(r"\s\\|\n", entry, maxsplit=1)[0])
        (pin,) = asked.specifier
        assert pin.operator == "==", entry
        via = re.findall(r"^ +# +(?:via )?(\S.*)$", entry, re.MULTILINE)
        yield Locked(
            canonicalize_name(asked.name), Version(pin.version), asked.marker,
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)), tuple(one for one in via if one != "via"),
        )  # fmt: skip


ALL = list(locked())


def asked_for() -> list[Requirement]:
    """What `make test` installs, by pyproject.toml."""
    extras = PROJECT["optional-dependencies"]
    names = [*re.findall(r"\w+", extras["all"][0])[1:], "dev"]
    return [Requirement(one) for one in [*PROJECT["dependencies"], *(one for name in names for one in extras[name])]]


def holds(marker: Marker | None, python: str, system: tuple[str, str]) -> bool:
    where: dict[str, str] = {"python_version": python, "python_full_version": f"{python}.0", "extra": "",
             "sys_platform": system[0], "platform_system": system[1]}  # fmt: skip
    return marker is None or marker.evaluate({**where})


def versions(name: str, python: str, system: tuple[str, str]) -> list[Version]:
    return [one.version for one in ALL if one.name == canonicalize_name(name) and holds(one.marker, python, system)]


def test_every_package_is_there_by_its_hash() -> None:
    assert len(ALL) > 50
    assert [one.name for one in ALL if not one.hashes] == []


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system[0])
@pytest.mark.parametrize("python", PYTHONS)
def test_what_pyproject_asks_for_is_locked_once_within_its_range(python: str, system: tuple[str, str]) -> None:
    for one in asked_for():
        if holds(one.marker, python, system):
            found = versions(one.name, python, system)
            assert len(found) == 1, f"{one.name}: make lock"
            assert one.specifier.contains(found[0]), f"{one.name}: make lock"


def test_nothing_is_locked_that_nobody_asks_for() -> None:
    ours = {one.name for one in ALL if OURS in one.via}
    assert ours == {canonicalize_name(one.name) for one in asked_for()}, "make lock"
    there = {OURS, *(one.name for one in ALL)}
    assert [one.name for one in ALL if not one.via or not there.issuperset(one.via)] == []


def test_what_is_installed_here_needs_nothing_that_is_not_locked() -> None:
    """By what the packages themselves say; the installed ones may be other releases than the locked."""
    waiting, seen = asked_for(), set[tuple[str, frozenset[str]]]()
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        assert key[0] in {each.name for each in ALL}, f"{one.name}: make lock"
        for text in metadata.requires(one.name) or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (*one.extras, "")):
                waiting.append(needed)
