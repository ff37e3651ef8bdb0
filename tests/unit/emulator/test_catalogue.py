"""The catalogue: the only one who loads layouts and personas, once each, and hands out what nobody can change."""

from __future__ import annotations

import ast
import copy
import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.specs import LayoutError
from emulator.filesystem.layouts.terms import CardKind, Structure
from emulator.filesystem.memory.cells import PIN_CELL, CellKind
from emulator.frozen import FrozenDict, FrozenList, frozen
from emulator.interface import Interface
from emulator.personas import PersonaError, UnknownPersonaError
from harness.conformance import names
from tests.kit.sources import tree

ROOT = Path(__file__).parents[3]
LOADERS = {
    ("emulator.filesystem.layouts.load", "read"),
    ("emulator.filesystem.layouts.load", "base_of"),
    ("emulator.personas", "read"),
}
HOURS_AGO = time.time() - 7200


def written(path: Path, text: str, at: float = HOURS_AGO) -> Path:
    """A file that was written some time ago."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))
    return path


def own_layout(path: Path, tries: int, at: float = HOURS_AGO, extends: str = "3.00") -> Path:
    return written(path, f'schema = 1\nextends = "{extends}"\nname = "own"\n[pin]\ntries = {tries}\n', at)


@pytest.mark.parametrize("kind", CardKind)
def test_personas_are_told_by_the_kind_of_their_card_as_a_term_or_as_its_word(kind: CardKind) -> None:
    assert catalogue.personas(kind) == catalogue.personas(kind.value)
    assert {catalogue.persona(name).card for name in catalogue.personas(kind)} == {kind}


def test_nobody_else_calls_the_loaders() -> None:
    callers = set()
    for path in (file for room in ("emulator", "harness", "sscard", "tests") for file in (ROOT / room).rglob("*.py")):
        known: dict[str, str] = {}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
                if any((node.module, one.name) in LOADERS for one in node.names):
                    callers.add(path.relative_to(ROOT).as_posix())
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                    known.get(name, ""),
                    attribute,
                ) in LOADERS:
                    callers.add(path.relative_to(ROOT).as_posix())
    assert callers == {"emulator/catalogue.py"}


@pytest.mark.parametrize("load", [lambda: catalogue.layout("3.00"), lambda: catalogue.persona("rare-name")])
def test_what_comes_with_the_package_is_one_object(load: Callable[[], object]) -> None:
    assert load() is load()


def test_a_layout_cannot_be_changed() -> None:
    layout = catalogue.layout("3.00")
    changes: list[Callable[[], Any]] = [
        lambda: layout.files.pop("SSSE/EF05"),
        lambda: layout.keys.update({}),
        lambda: layout.applications.clear(),
        lambda: layout.messaging.setdefault("x", None),  # type: ignore[arg-type]
        lambda: layout.table["pin"].__setitem__("tries", 15),
        lambda: layout.table["algorithms"].append("ssf33"),
        lambda: setattr(layout, "name", "other"),
    ]
    for change in changes:
        with pytest.raises((TypeError, AttributeError)):
            change()


def test_a_persona_cannot_be_changed() -> None:
    person = catalogue.persona("adult-chengdu")
    with pytest.raises(TypeError, match="change a copy"):
        person.values["SSSE/EF06"]["09"] = "someone"
    with pytest.raises(TypeError, match="change a copy"):
        person.purse["balance"] = 1
    with pytest.raises(TypeError, match="change a copy"):
        person.versions.update({})


def test_frozen_is_dict_and_list_all_the_same() -> None:
    one = frozen({"a": [1, {"b": [2]}], "c": (3,)})
    assert (type(one), type(one["a"]), type(one["a"][1])) == (FrozenDict, FrozenList, FrozenDict)
    assert one == {"a": [1, {"b": [2]}], "c": (3,)}
    twin = pickle.loads(pickle.dumps(one))
    assert (twin, type(twin), type(twin["a"])) == (one, FrozenDict, FrozenList)
    for loose in (dict(one), copy.copy(one), copy.deepcopy(one)):
        loose["d"] = 4
    copy.copy(one["a"]).append(0)
    copy.deepcopy(one)["a"][1]["b"].append(0)
    assert one == {"a": [1, {"b": [2]}], "c": (3,)}
    for change in ("append", "extend", "insert", "remove", "sort", "clear", "__iadd__"):
        with pytest.raises(TypeError, match="this list"):
            getattr(one["a"], change)(0)


def test_cards_are_ones_own() -> None:
    first, second = catalogue.card("adult-chengdu", "3.00"), catalogue.card("adult-chengdu", "3.00")
    first.memory.put(PIN_CELL, "999999")
    first.memory.commit()
    assert (first.memory.text(PIN_CELL), second.memory.text(PIN_CELL)) == ("999999", "123456")
    assert first.layout is second.layout is catalogue.layout("3.00")


def test_two_files_may_call_a_persona_the_same(tmp_path: Path) -> None:
    serials = []
    for number in ("51010001", "51010002"):
        path = written(
            tmp_path / f"{number}.toml", f'name = "twin"\nextends = "adult-chengdu"\n[chip]\nserial = "{number}"\n'
        )
        serials.append(catalogue.card(path, "3.00").atr[-4:].hex())
    assert serials == ["51010001", "51010002"]


def test_a_tree_holds_no_record_and_no_key_but_the_transport_key() -> None:
    image = catalogue.tree("3.00", "sm4")
    assert image.algorithm == "sm4"
    for path, spec in image.layout.files.items():
        if spec.structure is not Structure.TRANSPARENT and not spec.directory:
            assert image.memory.records(path) == (), path
    held = {cell.name for cell in image.memory.snapshot() if cell.kind is CellKind.KEY}
    assert image.layout.personalisation is not None
    assert held == {image.layout.personalisation.key}


def test_a_file_of_ones_own_is_loaded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = own_layout(tmp_path / "own.toml", 5)
    first = catalogue.layout(path)
    assert catalogue.layout(path) is first
    own_layout(path, 6, HOURS_AGO + 60)
    assert catalogue.layout(path).pin.tries == 6


def test_a_file_is_loaded_again_when_one_that_it_extends_changes(tmp_path: Path) -> None:
    base = own_layout(tmp_path / "base.toml", 5)
    path = written(tmp_path / "own.toml", 'schema = 1\nextends = "base.toml"\nname = "above"\n')
    assert catalogue.layout(path).pin.tries == 5
    own_layout(base, 7, HOURS_AGO + 60)
    assert catalogue.layout(path).pin.tries == 7


def test_a_file_that_changes_within_the_clocks_tick_is_loaded_again(tmp_path: Path) -> None:
    now = time.time()
    path = own_layout(tmp_path / "own.toml", 5, now)
    assert catalogue.layout(path).pin.tries == 5
    own_layout(path, 6, now)  # as many bytes, and the same time
    assert catalogue.layout(path).pin.tries == 6


def test_a_relative_path_means_another_file_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, tries in (("a", 5), ("b", 6)):
        (tmp_path / name).mkdir()
        own_layout(tmp_path / name / "own.toml", tries)
        monkeypatch.chdir(tmp_path / name)
        assert catalogue.layout("own.toml").pin.tries == tries


def test_what_is_not_there_is_said_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(LayoutError, match="no such file"):
            catalogue.layout(tmp_path / "none.toml")
        with pytest.raises(LayoutError, match="no such layout"):
            catalogue.layout("4.00")
        with pytest.raises(UnknownPersonaError, match="did you mean adult-chengdu"):
            catalogue.persona("adult-chengd")
        with pytest.raises(PersonaError, match="no such file"):
            catalogue.persona(tmp_path / "none.toml")


COUNTED = """
import os, sys
told = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, arguments):
    if event == "open" and not isinstance(arguments[0], int) and os.fsdecode(arguments[0]).endswith((".toml", ".yaml")):
        os.write(told, os.path.realpath(arguments[0]).encode() + b"\\n")
sys.addaudithook(hook)
from harness.cli import main
main(["vectors", "run", *sys.argv[2:]])
"""
OWN_VECTOR = """schema: 1
id: OWN-{number}
title: own
title_zh: 自有
grade: own
source: own
persona: me.toml
layout: mine.toml
steps:
- reset: cold
"""


@pytest.mark.parametrize("files", [["driver"], ["driver", "select", "pin", "messaging"]])
def test_a_run_of_vectors_opens_each_file_once(tmp_path: Path, files: list[str]) -> None:
    """Vectors, personas, layouts, the user's own too, on cards and PSAMs, in this process and in others."""
    own_layout(tmp_path / "mine.toml", 5)
    written(tmp_path / "me.toml", 'name = "me"\nextends = "adult-chengdu"\n')
    own = written(tmp_path / "own.yaml", "---\n".join(OWN_VECTOR.format(number=number) for number in range(3)))
    told = tmp_path / "opened"
    vectors = [str(ROOT / "vectors" / f"{name}.yaml") for name in files]
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, str(told), *vectors, str(own)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    opened = Counter(told.read_text(encoding="utf-8").split("\n")[:-1])
    assert {*vectors, str(own), str(tmp_path / "mine.toml"), str(tmp_path / "me.toml")} <= opened.keys()
    assert {"3.00.toml", "psam.toml", "adult-chengdu.toml"} <= {Path(path).name for path in opened}
    assert {path: times for path, times in opened.items() if times != 1} == {}


def test_names_are_found_without_all_being_listed_on_the_side_that_reaches_them() -> None:
    for name in catalogue.layouts():
        layout = catalogue.layout(name)
        sides = [layout] if layout.contactless is None else [catalogue.over(layout, one) for one in Interface]
        for kind, there in names.known(layout).items():
            assert all(any(names.has(side, kind, one) for side in sides) for one in there)
            assert not any(
                names.has(side, kind, one)
                for side in sides
                for one in ("", "NONE", "SSSE/EF05/", "SSSE/EF05/FF", "XX/EF05/01")
            )


def test_what_is_found_in_a_field_alone_is_not_found_by_contacts() -> None:
    layout = catalogue.layout("3.00")
    assert not names.has(layout, names.Kind.APPLICATION, "PPSE")
    assert names.has(catalogue.over(layout, Interface.CONTACTLESS), names.Kind.APPLICATION, "PPSE")


def test_what_a_layout_puts_out_of_reach_of_a_field_is_found_by_contacts_alone(tmp_path: Path) -> None:
    text = 'schema = 1\nextends = "3.00"\nname = "own"\n[contactless]\nunreachable = ["PKI"]\n'
    contacts = catalogue.layout(written(tmp_path / "own.toml", text))
    field = catalogue.over(contacts, Interface.CONTACTLESS)
    key = next(key.name for key in contacts.keys.values() if key.application == "CERT")
    for kind, name in (
        (names.Kind.APPLICATION, "CERT"),
        (names.Kind.KEY, key),
        (names.Kind.ITEM, "CERT/EF13"),
    ):
        assert (names.has(contacts, kind, name), names.has(field, kind, name)) == (True, False), name
