"""The house stands as docs/architecture.md says: rooms import from lower floors alone, and there is no circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("emulator", "harness", "sscard")
PAGES = ("architecture.md", "architecture.zh-CN.md")


def modules() -> dict[str, Path]:
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


MODULES = modules()


def imported(module: str) -> Iterator[str]:
    """The modules of ours that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            named = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (one if one in MODULES else node.module for one in named)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


IMPORTS = {module: {one for one in imported(module) if one in MODULES and one != module} for module in MODULES}


def room(module: str) -> str:
    """``harness.office`` of ``harness.office.desk.office``; the package itself has no floor."""
    return ".".join(module.split(".")[:2])


def floors(page: str) -> dict[str, int]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([a-z_/]+)` \|", text, re.MULTILINE)
    return {name.replace("/", "."): int(floor) for floor, name in rows}


FLOORS = floors(PAGES[0])


def test_every_room_has_its_floor() -> None:
    rooms = {room(module) for module in MODULES} - set(PACKAGES)
    rooms = {one for one in rooms if one.partition(".")[0] != "sscard"}
    assert rooms == set(FLOORS), "docs/architecture.md"


def test_both_languages_have_the_same_floors() -> None:
    assert floors(PAGES[1]) == FLOORS


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_imports_from_lower_floors_alone(module: str) -> None:
    own = FLOORS.get(room(module))
    if own is None:  # the packages themselves, and sscard, which stands beside the floors
        return
    for one in IMPORTS[module]:
        if room(one) != room(module) and room(one) in FLOORS:
            assert FLOORS[room(one)] < own, f"{module} imports {one}"
        assert not one.startswith("sscard"), f"{module} imports the public face"


def test_the_chip_knows_no_terminal() -> None:
    upward = {
        (module, one)
        for module in MODULES
        for one in IMPORTS[module]
        if module.startswith("emulator") and one.startswith("harness")
    }
    assert not upward


def test_no_circle_of_imports_anywhere() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_folders_of_tests_mirror_the_source() -> None:
    """What holds the whole house together is in ``house``; all else is in the folder of what it tests."""
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}
    assert [one for one in sorted(folders - {Path("house")}) if not (ROOT / one).is_dir() or one == Path()] == []
