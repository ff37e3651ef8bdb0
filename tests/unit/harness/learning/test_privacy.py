"""Nothing personal is in what a learning leaves behind: every file of it is searched for every value of the card.

The values are taken from the personas that the cards were made of, not from what was read, and looked for by means of
this file's own: what the program itself searches for is no proof of it.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.layouts import load
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import file_cell
from harness.cli import main
from harness.learning import folder, outputs, privacy
from harness.learning.learn import Learned, Wanted, learn
from harness.readers.connection import InProcess
from harness.readers.pcsc import REMOVED_CARD, PcscError
from tests.kit.sampled import sampled
from tests.unit.harness.learning.cards import EVERYTHING, chip, learned

SHARED = {
    "code", "region", "country", "year", "month", "months", "count", "number", "data object list", "fen",
    "initialising organisation", "terminal number",
}  # fmt: skip
"""Kinds of value that thousands have alike, or that are so even (an amount's zeros) that they are found anywhere."""
KNOWN = {"A000000333010101", "PBOC DEBIT"}
"""The bank application's name and label, which all such cards have."""


def forms(raw: bytes) -> set[bytes]:
    """What bytes on a card may look like in a file."""
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw.hex(" ").upper().encode()}
    for codec in ("gb18030", "ascii"):
        try:
            told = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        if told.isprintable():
            found |= {
                told.encode(),
                told.encode("gb18030"),
                told.encode("unicode_escape"),
                told.encode().hex().encode(),
            }
    number = str(int.from_bytes(raw, "big"))
    if len(number) > 7:
        found.add(number.encode())
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw + b"\0\0\0")
        start = (before * 8 + 5) // 6
        found.add(coded[start : (before + len(raw)) * 8 // 6])
    return {one for one in found if len(one) >= 4}


def of_item(item: ItemSpec, value: Any) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        parts = {part.label: part for part in item.elements}
        for tag, inner in value.items():
            yield from of_item(parts[tag], inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from of_item(item, inner)
    elif isinstance(value, str) and value and item.kind not in SHARED and value not in KNOWN:
        if item.format == "an":
            yield value.encode("gb18030")
        elif item.format != "dec":
            yield bytes.fromhex(value + "F" * (len(value) % 2))
        if item.kind == "citizen id":
            yield value[6:14].encode()
            yield bytes.fromhex(value[6:14])


def values(holder: str, layout: Layout) -> set[bytes]:
    """All that a persona's card says of a person and a chip."""
    persona = catalogue.persona(holder).for_version(layout.version)
    found = {persona.serial}
    for path, held in persona.values.items():
        spec = layout.files.get(path)
        if spec is None or spec.directory:
            continue
        if spec.structure is Structure.TRANSPARENT:
            found.add(bytes.fromhex(held.get("hex", "")))
        elif spec.structure is Structure.CYCLIC:
            for record in held.get("records", ()):
                for item, value in zip(spec.items, record, strict=True):
                    found |= set(of_item(item, value))
        else:
            for item in spec.items:
                found |= set(of_item(item.rewritten or item, held.get(item.label)))
    image = catalogue.card(holder, layout)
    if "SSSE/EF05" in layout.files:
        found |= {one[2 + 8 :] for one in image.memory.records("SSSE/EF05") if one[0] == 1}
    return {one for one in found if len(one.strip(b"\0\xff")) >= 4 and len(set(one.hex())) > 3}


def left_behind(found: Learned) -> dict[str, bytes]:
    """Every file of the folder."""
    texts = {**outputs.of(found, mark="0" * 16).files, "learning.json": found.learning.text()}
    files = {name: one.encode() for name, one in texts.items()}
    if found.drawing is not None:
        files["layout"] = repr(found.drawing.own).encode()
    return files


def assert_nothing_of(wanted: set[bytes], files: Mapping[str, bytes]) -> int:
    searched = 0
    for name, content in files.items():
        joined = re.sub(rb"[\s\"',:_-]", b"", content)
        for raw in wanted:
            for form in forms(raw):
                searched += 1
                assert form not in content and form not in joined, f"{name} holds {form!r}"  # noqa: PT018
    return searched


CARDS = [
    ("adult-chengdu", "1.00", ""), ("adult-chengdu", "1.00-whole", ""), ("adult-chengdu", "2.00", ""),
    ("adult-chengdu", "3.00", ""), ("adult-chengdu", "regional", ""), ("child-guardian", "1.00", ""),
    ("child-guardian", "3.00", ""), ("long-name", "2.00", ""), ("latin-name", "3.00", "sm4"),
    ("rare-name", "3.00", ""), ("foreign-resident", "2.00", ""), ("centenarian", "3.00", ""),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "layout", "algorithm"), sampled(CARDS, 4))
def test_no_value_of_the_card_is_in_any_file(holder: str, layout: str, algorithm: str) -> None:
    plan = catalogue.layout(layout)
    found = learned(chip(layout, algorithm, persona=holder), EVERYTHING)
    wanted = values(holder, plan)
    assert len(wanted) > 12
    files = left_behind(found)
    assert {"facts.json", "persona.toml", "report.html", "report.md", "learning.json", "layout"} <= set(files)
    assert assert_nothing_of(wanted, files) > 500
    outputs.searched(files, found)


PLANTED = {
    "name": "欧阳查无此人".encode("gb18030"),
    "number": b"519900198712241234",
    "digits": bytes.fromhex("8613912345678F"),
    "bytes": bytes.fromhex("9B21C4D7E05FA36612"),
}


def altered(*, with_room: bool = False) -> Chip:
    """A card with files, and items in two files of ours, that no layout of ours declares, each with a number.
    ``with_room``: only in a file that has room for it, as an image file wants it.
    """
    own = load.extending(
        {
            "extends": "3.00", "schema": 1, "name": "own", "version": "3.00", "title": "t", "title_zh": "t",
            "file": {
                "SSSE/EF11": {
                    "structure": "records", "fid": "EF11", "read": "free", "update": "never", "name": "x",
                    "name_en": "x", "grade": "D",
                    "items": [
                        {"tag": tag, "format": "b", "length": len(PLANTED[one]), "name": "x", "name_en": "x"}
                        for tag, one in (("E1", "name"), ("E2", "number"))
                    ],
                },
                "SSSE/EF12": {
                    "structure": "transparent", "fid": "EF12", "read": "free", "update": "never", "name": "y",
                    "name_en": "y", "grade": "D", "size": 64,
                },
            },
        },
        "own",
    )  # fmt: skip
    image = catalogue.card("adult-mianyang", own)
    memory = image.memory

    def record(tag: int, value: bytes) -> bytes:
        return bytes((tag, len(value))) + value

    memory.put(file_cell("SSSE/EF11"), (record(0xE1, PLANTED["name"]), record(0xE2, PLANTED["number"])))
    memory.put(file_cell("SSSE/EF12"), (PLANTED["bytes"].ljust(64, b"\0"),))
    for path, tag, value in (("DF01/EF06", 0xE9, PLANTED["number"]), ("SSSE/EF05", 0x7E, PLANTED["digits"])):
        if with_room and path == "SSSE/EF05":
            continue
        memory.put(file_cell(path), (*memory.records(path), record(tag, value)))
    memory.commit()
    return Chip(image)


def folder_of(tmp_path: Path, *arguments: str) -> dict[str, bytes]:
    """Every file that the command leaves behind, the trace among them."""
    told = ["learn", *arguments, "--keys", "test", "--pin", "123456", "-o", str(tmp_path / "card")]
    result = CliRunner().invoke(main, told)
    assert result.exit_code == 0, result.output
    return {one.name: one.read_bytes() for one in (tmp_path / "card").iterdir()}


def test_the_command_leaves_no_value_of_a_card_in_its_folder(tmp_path: Path) -> None:
    files = folder_of(tmp_path, "--layout", "3.00", "--persona", "adult-mianyang")
    assert set(files) == set(folder.FILES)
    wanted = values("adult-mianyang", catalogue.layout("3.00"))
    assert assert_nothing_of(wanted, files) > 1000


def test_nor_a_planted_number(tmp_path: Path) -> None:
    image = tmp_path / "card.img"
    image.write_text(altered(with_room=True).image.to_text(), encoding="utf-8")
    files = folder_of(tmp_path, "--image", str(image))
    assert b"EF11" in files["learning.json"]
    assert_nothing_of({*PLANTED.values(), *values("adult-mianyang", catalogue.layout("3.00"))}, files)


@pytest.mark.parametrize("wanted", [EVERYTHING, None], ids=["with keys", "without"])
def test_numbers_planted_where_no_layout_looks_are_in_no_file_either(wanted: Any) -> None:
    found = learned(altered(), wanted)
    read = {data for records in found.reading.records.values() for data in records}
    assert any(PLANTED["name"] in one for one in read), "it was read"
    assert any(PLANTED["bytes"] in one for one in found.reading.contents.values())
    assert_nothing_of(set(PLANTED.values()), left_behind(found))


@pytest.mark.parametrize(
    "told",
    [
        lambda raw: raw,
        lambda raw: raw.decode("gb18030").encode(),
        lambda raw: raw.hex().encode(),
        lambda raw: raw.hex(" ").upper().encode(),
        lambda raw: base64.b64encode(b"x" + raw),
        lambda raw: b'{"x": "' + raw.hex(":").encode() + b'"}',
        lambda raw: str(int.from_bytes(raw, "big")).encode(),
        lambda raw: raw.decode("gb18030").encode("ascii", "backslashreplace"),
    ],
    ids=["bytes", "text", "hex", "spaced", "base64", "in JSON", "decimal", "escaped"],
)
def test_a_file_that_holds_a_value_is_found_and_told_without_the_value(told: Any) -> None:
    found = learned(altered())
    content = b"# a file\n" + told(PLANTED["name"]) + b"\n"
    with pytest.raises(
        privacy.PersonalDataFound, match=r"leak\.txt would hold what the card says in SSSE/EF11"
    ) as error:
        outputs.searched({"good.txt": b"nothing", "leak.txt": content}, found)
    assert error.value.exit_code == 5
    assert PLANTED["name"].hex() not in str(error.value)
    assert "欧阳" not in str(error.value)


def test_what_all_cards_share_is_no_value() -> None:
    found = learned(chip("3.00"))
    shared = "A000000333010101 PBOC DEBIT 1PAY.SYS.DDF01 510100 3.00 D15600000500"
    outputs.searched({"a": shared.encode(), "b": shared.encode().hex().encode()}, found)


class Through(InProcess):
    """A card whose answers are made into others on their way."""

    def __init__(self, one: Chip, answer: Callable[[bytes, bytes], bytes]) -> None:
        super().__init__(one)
        self._answer = answer

    def send(self, command: bytes) -> bytes:
        return self._answer(command, super().send(command))


NAME = catalogue.layout("3.00").applications["SSSE"].dfname
REPEATED = {
    "what it was sent": bytes.fromhex("00B2012C00"),
    "a name": NAME,
    "a short word": b"SSSE",
    "another": b"read",
}


@pytest.mark.parametrize("told", REPEATED.values(), ids=REPEATED)
def test_a_card_that_repeats_what_all_know_is_learned_all_the_same(told: bytes) -> None:
    found = learned(chip("3.00"))
    files = left_behind(found)
    assert any(told in one or told.hex().upper().encode() in one for one in files.values())
    for path, file in found.found.files.items():
        if file.records:
            file.records = found.reading.records[path] = [told]
    outputs.searched(files, found)


@pytest.mark.parametrize("seed", range(2))
def test_nothing_of_a_card_that_answers_at_random_is_left_either(seed: int) -> None:
    chance = random.Random(seed)
    noise: set[bytes] = set()

    def answer(command: bytes, own: bytes) -> bytes:
        """Its own records and bytes, with anything for values."""
        data, plain = own[:-2], command[1] == 0xB0
        if command[1] not in (0xB2, 0xB0) or len(data) < 10 or (not plain and data[1] != len(data) - 2):
            return own
        head = b"" if plain else data[:2]
        told = chance.randbytes(len(data) - len(head))
        noise.add(told)
        return head + told + own[-2:]

    found = learn(Through(chip("3.00", persona="adult-mianyang"), answer), EVERYTHING)
    files = left_behind(found)
    assert noise
    assert_nothing_of(values("adult-mianyang", catalogue.layout("3.00")) | noise, files)
    outputs.searched(files, found)


def test_a_card_that_left_in_the_middle_leaves_a_report_and_no_person(tmp_path: Path) -> None:
    count = 0

    def answer(command: bytes, own: bytes) -> bytes:
        nonlocal count
        del command
        count += 1
        if count > 400:
            raise PcscError("no card", REMOVED_CARD)
        return own

    found = learn(Through(chip("3.00"), answer), Wanted())
    assert found.broken is not None
    folder.prepare(tmp_path / "card")
    files = folder.write(tmp_path / "card", found)
    assert {one.name for one in files} == {"learning.json", "report.md", "report.html"}
    assert "ended early" in (tmp_path / "card" / "report.md").read_text(encoding="utf-8")
    assert_nothing_of(values("adult-chengdu", catalogue.layout("3.00")), {one.name: one.read_bytes() for one in files})
