"""A made-up person of the same shape as a card's values: as long, of the same kind, valid, not one value the card's.

What a value of the card's would look like in the file is found here by other means than those that made the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import catalogue
from emulator.filesystem.layouts import items, text
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.own_personas import check
from emulator.own_personas.likeness import INTIMATE, Likeness, Seen, like, region_of
from emulator.personas import document
from harness.cli import main
from tests.kit.sampled import DEEP

Contents = dict[str, tuple[bytes, ...]]


def contents(holder: str | Path, layout: str | Layout) -> tuple[Layout, Contents]:
    image = catalogue.card(holder, layout)
    plan = image.layout
    return plan, {
        path: tuple(image.memory.records(path)) for path, spec in plan.files.items()
        if not spec.secret and not spec.directory
    }  # fmt: skip


def leaves(item: ItemSpec, value: Value, path: str) -> Iterator[tuple[str, ItemSpec, str]]:
    if isinstance(value, Mapping):
        parts = {part.label: part for part in item.elements}
        for tag, held in value.items():
            yield from leaves(parts[tag], held, f"{path}/{tag}")
    else:
        yield path, item, value


def values(plan: Layout, held: Contents) -> Iterator[tuple[str, ItemSpec, str]]:
    """Every leaf of every record, by path and place in the file."""
    for path, records in held.items():
        spec = plan.files[path]
        for at, record in enumerate(records):
            if spec.structure is Structure.RECORDS:
                item = spec.item(record[0])
                assert item is not None
                yield from leaves(items.meant(item, record[2:]), items.decode(item, record[2:]), f"{path}/{at}")
            elif spec.structure is Structure.CYCLIC:
                for number, (field, value) in enumerate(
                    zip(spec.items, items.decode_fields(spec.items, record), strict=True)
                ):
                    yield from leaves(field, value, f"{path}/{at}/{number}")


def written(likeness: Likeness, tmp_path: Path) -> Path:
    file = tmp_path / "persona.toml"
    file.write_text(likeness.text, encoding="utf-8")
    return file


CARDS = [
    *(("adult-chengdu", layout) for layout in ("1.00", "1.00-whole", "2.00", "3.00", "regional", "generator")),
    *((holder, layout) for layout in ("1.00", "3.00") for holder in ("child-guardian", "centenarian", "long-name")),
    *((holder, "3.00") for holder in ("foreign-resident", "interpunct-name", "latin-name", "rare-name", "expired")),
]


@cache
def twin_of(holder: str, layout: str) -> Likeness:
    return like(Seen(*contents(holder, layout), "510700"))


CLASSES = (("9", "[0-9]"), ("A", "[A-Z]"), ("a", "[a-z]"), ("字", "[\u3400-\u9fff\U00020000-\U0003ffff]"))


def classes(value: str) -> str:
    for sign, pattern in CLASSES:
        value = re.sub(pattern, sign, value)
    return value


@pytest.mark.parametrize(("holder", "layout"), CARDS)
def test_a_twin_is_valid_and_each_of_its_items_is_as_long_and_of_the_same_characters(
    tmp_path: Path, holder: str, layout: str
) -> None:
    plan, held = contents(holder, layout)
    made = twin_of(holder, layout)
    assert made.findings == made.emptied == made.unread == ()
    file = written(made, tmp_path)
    result = CliRunner().invoke(main, ["persona", "check", str(file)])
    assert result.exit_code == 0, result.output
    _, twin = contents(file, plan)
    assert {path: list(map(len, records)) for path, records in twin.items()} == {
        path: list(map(len, records)) for path, records in held.items()
    }, "the same records, each as long"
    its = {path: (item, value) for path, item, value in values(plan, twin)}
    texts = 0
    for path, item, value in values(plan, held):
        if path.startswith(INTIMATE):
            continue
        theirs = its[path][1]
        assert bool(value.strip("0")) == bool(theirs.strip("0")) or item.kind in ("fen", "number"), path
        if item.kind == "text" and item.format == "an":
            texts += bool(value)
            assert classes(theirs) == classes(value), path
            assert len(text.encode(theirs)) == len(text.encode(value)), path
    assert texts >= 2


def forms(value: str, item: ItemSpec) -> set[str]:
    """How a value might stand in a text."""
    found = {value, value.lower()}
    if item.format in ("an",):
        found |= {text.encode(value, "replace").hex().upper(), value.encode("utf-8", "replace").hex().upper()}
        found |= {value[at : at + 2] for at in range(len(value) - 1) if min(value[at : at + 2]) >= "\u3400"}
    return found


SHARED = {"code", "region", "country", "year", "month", "months", "count", "number", "data object list"}


@pytest.mark.parametrize(("holder", "layout"), CARDS)
def test_no_value_of_the_card_stands_anywhere_in_the_file(holder: str, layout: str) -> None:
    plan, held = contents(holder, layout)
    lines = [line.partition("   # ")[0] for line in twin_of(holder, layout).text.splitlines()]
    told = "\n".join(line for line in lines if not line.startswith(("#", "title")))
    searched = 0
    for path, item, value in values(plan, held):
        size = len(value) / 2 if item.format in ("cn", "b", "hex") else len(text.encode(value, "replace"))
        if item.kind in SHARED or size < 4 or len(set(value)) == 1 or item.kind == "initialising organisation":
            continue
        for form in forms(value, item):
            searched += 1
            assert form not in told, path
    serial = catalogue.persona(holder).serial.hex().upper()
    assert serial not in told
    assert searched > 20


def test_a_seed_makes_always_the_same_person_and_another_another() -> None:
    plan, held = contents("adult-mianyang", "3.00")
    seen = Seen(plan, held, "510700")
    assert like(seen, seed="7").text == like(seen, seed="7").text
    one, other = like(seen, seed="7").table, like(seen, seed="8").table
    for tag in ("08", "09", "0D"):
        assert one["values"]["SSSE/EF06"][tag] != other["values"]["SSSE/EF06"][tag]


def test_a_twin_of_the_twin_has_no_value_of_either(tmp_path: Path) -> None:
    plan, held = contents("adult-chengdu", "3.00")
    for seed in ("1", "1", "2"):
        made = like(Seen(plan, held, "510700"), seed=seed)
        assert made.findings == ()
        _, twin = contents(written(made, tmp_path), plan)
        before = {
            value for _, item, value in values(plan, held) if item.kind in ("text", "date", "telephone") and value
        }
        after = {value for _, item, value in values(plan, twin) if item.kind in ("text", "date", "telephone")}
        assert not {one for one in before & after if len(text.encode(one)) >= 4}
        held = twin


def test_what_the_card_does_not_have_its_twin_does_not_have_and_what_was_not_read_is_made_up(tmp_path: Path) -> None:
    plan, held = contents("adult-chengdu", "3.00")
    less = {path: records for path, records in held.items() if path.startswith("SSSE/EF0") and path != "SSSE/EF08"}
    less["SSSE/EF06"] = tuple(one for one in less["SSSE/EF06"] if one[0] not in (0x4E, 0x0B))
    made = like(Seen(plan, less, "510700"))
    assert made.findings == ()
    assert "DF01/EF05" in made.unread
    assert "SSSE/EF06" not in made.unread
    _, twin = contents(written(made, tmp_path), plan)
    assert [one[0] for one in twin["SSSE/EF06"]] == [0x08, 0x09, 0x0A, 0x0C, 0x0D]
    assert made.table["values"]["DF01/EF05"]["21"], "somebody lives somewhere"
    part = like(Seen(plan, less, "510700", partly=frozenset({"SSSE/EF06"})))
    assert part.table["remove"] == []


def test_of_health_and_assistance_not_even_what_is_filled_is_taken_from_the_card() -> None:
    plan, held = contents("adult-chengdu", "3.00")
    empty = {
        path: tuple(one[:2] + bytes(len(one) - 2) for one in records)
        if path.startswith(INTIMATE) and plan.files[path].structure is Structure.RECORDS else records
        for path, records in held.items()
    }  # fmt: skip
    told = like(Seen(plan, held, "510700")).table["values"]
    untold = like(Seen(plan, empty, "510700")).table["values"]
    of = [path for path in told if path.startswith(INTIMATE) and plan.files[path].structure is Structure.RECORDS]
    assert len(of) > 4
    for path in of:
        assert {tag for tag, one in told[path].items() if one} == {tag for tag, one in untold[path].items() if one}


def test_items_that_cannot_agree_are_left_empty_and_named() -> None:
    """Retirement is filled, and so are a foreigner's country and half of an officer's transfer: no one life has all."""
    plan, held = contents("adult-chengdu", "3.00")
    filled = {
        "DF03/EF07": (0x6C, bytes.fromhex("20150301")),
        "DF01/EF0A": (0x37, b"DEU"),
        "DF07/EF07": (0xF8, bytes.fromhex("20110101")),
    }
    for path, (tag, value) in filled.items():
        held[path] = tuple(bytes((tag, len(value))) + value if one[0] == tag else one for one in held[path])
    made = like(Seen(plan, held, "510700"))
    assert made.findings == ()
    assert made.emptied
    assert all(path in made.text.partition("\n\n")[0] for path in made.emptied)


@pytest.mark.parametrize(
    ("path", "tag", "length"),
    [("SSSE/EF06", "09", 48), ("SSSE/EF06", "09", 7), ("SSSE/EF05", "05", 5), ("DF01/EF06", "28", 30)],
)
def test_an_item_of_another_length_than_ours_is_as_long_on_the_twin(
    tmp_path: Path, path: str, tag: str, length: int
) -> None:
    own = tmp_path / "layout.toml"
    own.write_text(
        f'extends = "3.00"\nschema = 1\nname = "own"\nversion = "3.00"\ntitle = "t"\ntitle_zh = "t"\n'
        f'[file."{path}".item.{tag}]\nlength = {length}\n',
        encoding="utf-8",
    )
    plan = catalogue.layout(own)
    try:
        _, held = contents("adult-chengdu", plan)
    except items.ItemError:
        _, held = contents("blank", plan)
    made = like(Seen(plan, held, "510700"))
    _, twin = contents(written(made, tmp_path), plan)
    record = next(one for one in twin[path] if one[0] == int(tag, 16))
    assert record[1] == length


@settings(max_examples=25 if DEEP else 10, deadline=None)
@given(st.data())
def test_whatever_bytes_a_card_holds_its_twin_is_valid(data: st.DataObject) -> None:
    plan, held = contents("adult-chengdu", "2.00")
    for path in data.draw(st.lists(st.sampled_from(sorted(held)), max_size=4)):
        held[path] = tuple(
            one[: 2 if plan.files[path].structure is Structure.RECORDS else 0]
            + data.draw(st.binary(min_size=len(one), max_size=len(one)))[
                2 if plan.files[path].structure is Structure.RECORDS else 0 :
            ]
            for one in held[path]
        )
    made = like(Seen(plan, held, "510700"))
    assert made.findings == ()
    table = tomllib.loads(made.text)
    assert not check.judge("p", [document.parsed("p", made.text.encode())], [plan]).findings
    assert table["chip"]["region"] == "510700"


@pytest.mark.parametrize(
    ("identification", "atr", "region"),
    [
        ("5107020000", "3B6D00000081544C9086843401A1B2C3D4", "510700"),
        ("", "3B6D00000081544C9086843401A1B2C3D4", "340100"),
        ("FFFF", "3B6D00000081544C9086840000A1B2C3D4", "510100"),
    ],
)
def test_the_region_is_the_city_of_the_card(identification: str, atr: str, region: str) -> None:
    assert region_of(bytes.fromhex(identification), bytes.fromhex(atr)) == region


def test_names_are_not_those_of_any_persona_of_ours() -> None:
    plan, held = contents("latin-name", "3.00")
    made: Any = like(Seen(plan, held, "510700")).table["values"]["SSSE/EF06"]["09"]
    theirs = {catalogue.persona(one).values["SSSE/EF06"]["09"] for one in catalogue.personas() if one != "blank"}
    assert made not in theirs
    assert made.isascii()
