"""requirements-dev.txt locks what pyproject.toml asks for, and all that this brings, each file by its hash."""

from __future__ import annotations

from importlib import metadata

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts.locked import OURS, asked_for, installed, lock

ALL = lock()
ASKED = [one for named in asked_for().values() for one in named]
PYTHONS = [f"3.{minor}" for minor in range(11, 16)]
SYSTEMS = [("linux", "Linux"), ("win32", "Windows"), ("darwin", "Darwin")]


def holds(marker: Marker | None, python: str, system: tuple[str, str]) -> bool:
    where = {"python_version": python, "python_full_version": f"{python}.0", "extra": "",
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
    for one in ASKED:
        if holds(one.marker, python, system):
            found = versions(one.name, python, system)
            assert len(found) == 1, f"{one.name}: make lock"
            assert one.specifier.contains(found[0]), f"{one.name}: make lock"


def test_nothing_is_locked_that_nobody_asks_for() -> None:
    ours = {one.name for one in ALL if OURS in one.via}
    assert ours == {canonicalize_name(one.name) for one in ASKED}, "make lock"
    there = {OURS, *(one.name for one in ALL)}
    assert [one.name for one in ALL if not one.via or not there.issuperset(one.via)] == []


def test_what_the_locked_releases_need_is_locked() -> None:
    """By what they say themselves, where that very release is installed: `make test` installs the newest."""
    there = {one.name for one in ALL}
    extras: dict[str, set[str]] = {canonicalize_name(one.name): one.extras for one in ASKED}
    compared = 0
    for entry in ALL:
        if not installed(entry):
            continue
        compared += 1
        for text in metadata.requires(entry.name) or ():
            needed = Requirement(text)
            asked = [{"extra": extra} for extra in (*extras.get(entry.name, ()), "")]
            if needed.marker is None or any(needed.marker.evaluate(one) for one in asked):
                assert canonicalize_name(needed.name) in there, f"{needed.name}, for {entry.name}: make lock"
    if compared == 0:
        pytest.skip("no locked release is installed")
