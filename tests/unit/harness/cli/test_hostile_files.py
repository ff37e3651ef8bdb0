"""Every reader of files from elsewhere says one sentence to whatever it is given, with the exit code of its command."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from emulator import catalogue
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import LayoutError
from emulator.textfiles import as_csv, as_json, as_toml, as_yaml, text
from emulator.textfiles.text import FormatError
from harness.cli import main
from harness.faults import plan
from tests.kit.cards import new_card

VECTOR = """schema: 1
id: HOSTILE-1
title: one
title_zh: 一
grade: own
source: none
steps:
  - select: SSSE
  - apdu: 00B2012C12
    expect: {sw: "9000"}
"""
PEOPLE = "name: 测试甲\nsex: '1'\nbirth: 1990-03-07\nphone: '00000000011'\naddress: 虚构路1号\n"
ROWS = 'name,sex,birth,address\n测试甲,1,1990-03-07,"虚构路\n1号"\n'
FAULTS = "format: 1\nseed: 3\nfaults:\n  - {kind: status, sw: 6A82, instruction: READ_RECORD, nth: 3}\n"
TRACE = (
    '{"v": 2, "event": "reset", "t": 0.0, "slot": 0, "atr": "3B6D000000815449908684510151010001"}\n'
    '{"v": 2, "event": "apdu", "t": 0.1, "slot": 0, "command": "00A4000002EF05", "answer": "9000", "ms": 1.0}\n'
)
ROOTS = '[roots]\nUKSSSE = "00112233445566778899AABBCCDDEEFF"\n'
LAYOUT = 'extends = "3.00"\nname = "mine"\n'
PERSONA = 'extends = "adult-chengdu"\nname = "mine"\n'
CALENDAR = '[2027]\nholidays = ["2027-01-01"]\n'


@dataclass(frozen=True)
class Reader:
    """A command that reads a file. ``code``: its exit code for one that it cannot use."""

    command: tuple[str, ...]
    name: str
    sample: str
    code: int = 1


def image_text() -> str:
    return new_card().chip.image.to_text()


READERS = {
    "layout": Reader(("layout", "check", "{file}"), "x.toml", LAYOUT),
    "persona": Reader(("show", "--persona", "{file}"), "x.toml", PERSONA),
    "image": Reader(("image", "show", "{file}"), "x.image", ""),
    "roots": Reader(("machine", "keys", "--roots", "{file}"), "x.toml", ROOTS),
    "faults": Reader(("run", "--faults", "{file}"), "x.yaml", FAULTS),
    "vectors": Reader(("vectors", "list", "{file}"), "x.yaml", VECTOR),
    "scenarios": Reader(("scenarios", "list", "{file}"), "x.yaml", ""),
    "trace": Reader(("trace", "show", "{file}"), "x.trace", TRACE),
    "monitor": Reader(("monitor", "{file}"), "x.trace", TRACE),
    "people": Reader(("office", "issue", "--people", "{file}"), "x.yaml", PEOPLE),
    "spreadsheet": Reader(("office", "issue", "--people", "{file}"), "x.csv", ROWS),
    "calendar": Reader(("office", "pending", "--calendar", "{file}"), "x.toml", CALENDAR),
}
BYTES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\n",
    "mark alone": b"\xef\xbb\xbf",
    "NUL": b"a: 1\0\n",
    "UTF-16": "schema: 1\n".encode("utf-16"),
    "UTF-16 without mark": "schema: 1\n".encode("utf-16-le"),
    "UTF-32": "schema: 1\n".encode("utf-32"),
    "GBK": "测试甲的姓名".encode("gbk"),
    "half a character": "测试甲".encode()[:-1],
    "noise": bytes(range(1, 256)),
    "binary": bytes(range(256)) * 16,
    "lists": b"[" * 100_000,
    "mappings": b'{"a":' * 50_000,
    "keys": b"a = " + b"{a=" * 5_000,
    "dots": b"a" + b".a" * 20_000 + b" = 1\n",
    "dashes": b"- " * 50_000,
    "steps": b"".join(b" " * level + b"a:\n" for level in range(1000)),
    "number": b"a = " + b"9" * 6000 + b"\n",
    "YAML number": b"a: " + b"9" * 6000 + b"\n",
    "JSON number": b'{"v": ' + b"9" * 6000 + b"}\n",
    "infinite": b'{"v": 2, "event": "apdu", "t": 1e999, "slot": 1e999, "command": "", "answer": ""}\n',
    "surrogate": b'{"v": 2, "event": "\\ud800"}\n',
    "twice": b'{"v": 2, "v": 3}\n',
    "itself": b"&a [*a]\n",
    "tag": b"!!python/object/apply:os.system [echo]\n",
    "binary tag": b"a: !!binary '%%%'\n",
    "list": b"[]\n",
    "text": b"text\n",
    "null": b"null\n",
    "date": b"2026-13-99\n",
    "two": b"a: 1\n---\nb: 2\n",
    "quote": b'a,"b\nc\n',
    "lines": b"a" * 200_000,
    "anchor": b"a: &" + b"x" * 5000 + b" 1\n",
}


def run(reader: Reader, path: Path, office: Path) -> Result:
    command = [part.replace("{file}", str(path)) for part in reader.command]
    if command[0] == "office":
        command[1:1] = ["--register", str(office / "register.sqlite"), "--drawer", str(office / "drawer")]
    return CliRunner().invoke(main, command)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    result = run(Reader(("office", "init"), "", ""), folder, folder)
    assert result.exit_code == 0, result.output
    return folder


def assert_one_sentence(result: Result, code: int, what: str) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), f"{what}: {result.exception!r}"
    assert result.exit_code == code, f"{what}: {result.output[-300:]}"
    said = [line for line in result.stderr.splitlines() if not line.startswith(("Usage:", "Try "))]
    said = [line for line in said if line]
    assert len(said) == 1, f"{what}: {said}"
    assert len(said[0]) < 1000, what
    assert "Traceback" not in result.output
    assert "Error(" not in said[0]


@pytest.mark.parametrize("kind", READERS)
def test_whatever_bytes_are_read_the_answer_is_one_sentence_and_the_exit_code(
    kind: str, tmp_path: Path, office: Path
) -> None:
    reader = READERS[kind]
    path = tmp_path / reader.name
    for what, content in BYTES.items():
        if (kind, what) in TAKEN:
            continue
        # A trace's last line without an end is left out: its writer may have been killed.
        path.write_bytes(content + (b"\n" if reader.name.endswith(".trace") and content else b""))
        assert_one_sentence(run(reader, path, office), reader.code, f"{kind}, {what}")
    with path.open("wb") as file:
        file.truncate(text.MOST * 4)
    assert_one_sentence(run(reader, path, office), reader.code, f"{kind}, 64 MiB of NUL")


EMPTY = ("empty", "blank", "mark alone")
TAKEN = {*(("trace", what) for what in EMPTY), *(("monitor", what) for what in EMPTY)}
"""What a reader rightly takes: a trace of nothing is one, and the monitor says that nothing was judged, 4."""


@pytest.mark.parametrize("kind", ["faults", "vectors", "people", "spreadsheet", "roots", "layout", "persona", "image"])
def test_a_half_file_is_told_in_one_sentence(kind: str, tmp_path: Path, office: Path) -> None:
    reader = READERS[kind]
    whole = (reader.sample or image_text()).encode()
    path = tmp_path / reader.name
    cuts = range(1, len(whole), max(1, len(whole) // 12))
    for cut in cuts:
        path.write_bytes(whole[:cut])
        result = run(reader, path, office)
        if result.exit_code:
            assert_one_sentence(result, result.exit_code, f"{kind}, cut at {cut}")
            assert result.exit_code in (1, 3), result.output
        else:
            assert kind != "image"


# --- what any saver may do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["layout", "roots", "vectors", "trace", "image"])
@pytest.mark.parametrize("how", ["mark", "lines", "both"])
def test_a_byte_order_mark_and_windows_lines_change_nothing(kind: str, how: str, tmp_path: Path, office: Path) -> None:
    reader = READERS[kind]
    sample = reader.sample or image_text()
    path = tmp_path / reader.name
    path.write_text(sample, encoding="utf-8")
    plain = run(reader, path, office)
    assert plain.exit_code == 0, plain.output
    content = sample.replace("\n", "\r\n") if how in ("lines", "both") else sample
    path.write_bytes((b"\xef\xbb\xbf" if how in ("mark", "both") else b"") + content.encode())
    again = run(reader, path, office)
    assert again.exit_code == 0
    sizes = re.compile(r"(?m)^file.*$|\d{6}$")  # how long the file is, is told of images
    assert sizes.sub("", again.output) == sizes.sub("", plain.output)


SENTENCES = {
    b"": "is empty",
    b"\n \n": "is empty",
    "a: 1".encode("utf-16"): "is UTF-16: save it as UTF-8",
    "a: 1".encode("utf-16-le"): "looks like UTF-16: save it as UTF-8",
    b"a: 1\n\0": "line 2: is not text: byte 5 is NUL",
    "a: 甲".encode("gbk"): "if it is GBK or GB 18030, save it as UTF-8",
    "甲".encode()[:2]: "ends in the middle of a character",
}


@pytest.mark.parametrize("content", SENTENCES)
def test_each_way_of_being_no_text_has_its_own_sentence(content: bytes) -> None:
    with pytest.raises(FormatError) as told:
        text.decoded(content, "a.yaml")
    assert SENTENCES[content] in str(told.value)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FormatError, match="too large"):
        text.read(path)


CUT: list[tuple[Callable[[str, str], object], str]] = [
    (as_toml.loads, 'a = "x'), (as_toml.loads, "a = [1,"), (as_json.loads, '{"a": [1'), (as_json.loads, '{"a": "x'),
    (as_yaml.loads, "a: [1,\n"), (as_yaml.loads, 'a: "x\n'), (as_csv.loads, 'a,b\n1,"x\n'),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "half"), CUT)
def test_a_cut_off_file_is_said_to_be_so(reader: Callable[[str, str], object], half: str) -> None:
    with pytest.raises(FormatError, match="cut off"):
        reader(half, "a")


# --- YAML -------------------------------------------------------------------------------------------------------------


def bomb(width: int = 9, height: int = 12) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{at}: &a{at} [{','.join([f'*a{at - 1}'] * width)}]" for at in range(1, height)]
    return "\n".join(lines) + "\n"


def merges() -> str:
    lines = ["a0: &a0 {x0: 1}"]
    lines += [f"a{at}: &a{at} {{<<: [{','.join([f'*a{at - 1}'] * 9)}], x{at}: 1}}" for at in range(1, 12)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("hostile", [bomb(), bomb(3, 40), merges(), "[" * 590, "- " * 295, "{a: " * 147, "? " * 295])
def test_a_small_bomb_costs_nothing(hostile: str) -> None:
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(FormatError):
        as_yaml.loads(hostile, "bomb.yaml")
    spent = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 0.05
    assert peak < 1024 * 1024


def test_a_few_anchors_are_right() -> None:
    assert as_yaml.loads("a: &x {p: [1, 2]}\nb: *x\nc: {<<: *x, q: 3}\n", "a.yaml") == [
        {"a": {"p": [1, 2]}, "b": {"p": [1, 2]}, "c": {"p": [1, 2], "q": 3}}
    ]


def test_a_key_that_stands_twice_is_told_with_both_lines() -> None:
    with pytest.raises(FormatError, match=r"a\.yaml, line 4: 'c' stands twice, first in line 2"):
        as_yaml.loads("a:\n  c: 1\n  d: 2\n  c: 3\n", "a.yaml")
    assert as_yaml.loads("- {c: 1}\n- {c: 2}\n--- \nc: 3\n", "a.yaml") == [[{"c": 1}, {"c": 2}], {"c": 3}]


def test_dates_and_keys_are_texts() -> None:
    assert as_yaml.loads("1: 2026-11-26\nyes: 2026-99-99\n", "a.yaml") == [{"1": "2026-11-26", "yes": "2026-99-99"}]


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_a_quoted_cell_holds_lines_quotes_and_commas() -> None:
    rows = as_csv.loads('name,address\n甲,"路1号\n2楼, ""左"""\n\n乙,路3号\n', "a.csv")
    assert rows == [(2, {"name": "甲", "address": '路1号\n2楼, "左"'}), (5, {"name": "乙", "address": "路3号"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1\n", "a.csv, line 2: 1 cells, but the header names 2"),
        ('a,b\n"1\n2",3\n4\n', "a.csv, line 4: 1 cells"),
        ("a,a\n1,2\n", "line 1: column 'a' stands twice"),
        ("a,,b\n1,2,3\n", "line 1: column 2 has no name"),
        ('a\n"x"y\n', "line 2: not CSV"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(content: str, said: str) -> None:
    with pytest.raises(FormatError) as told:
        as_csv.loads(content, "a.csv")
    assert said in str(told.value)


# --- wrong types at every level ---------------------------------------------------------------------------------------

WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1.5, "", "\u0000", "\u202e", "x" * 3000, [], [[]], {}, {"": {}}, [None], {"a": [1]},
    "2026-01-01",
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*at, name))


def replaced(value: Any, at: tuple[Any, ...], by: Any) -> Any:
    if not at:
        return by
    changed = copy.copy(value)
    changed[at[0]] = replaced(value[at[0]], at[1:], by)
    return changed


@pytest.mark.parametrize("kind", ["vectors", "people", "trace", "monitor"])
def test_a_wrong_type_at_any_place_is_one_sentence(kind: str, tmp_path: Path, office: Path) -> None:
    reader = READERS[kind]
    path = tmp_path / reader.name
    lined = reader.name.endswith(".trace")
    sample: Any = list(map(json.loads, reader.sample.splitlines())) if lined else as_yaml.loads(reader.sample, "x")[0]
    for number, at in enumerate(places(sample)):
        for by in WRONG[number % 4 :: 4]:
            table = replaced(sample, at, by)
            content = "".join(json.dumps(one) + "\n" for one in table) if lined and at else json.dumps(table)
            path.write_text(content + "\n", encoding="utf-8")
            result = run(reader, path, office)
            said = result.exception
            assert said is None or isinstance(said, SystemExit), (kind, at, by, said)
            if result.exit_code in (1, 2) and kind not in ("monitor", "people"):
                assert_one_sentence(result, 1, f"{kind}, {at}: {by!r:.40}")


def test_a_wrong_type_at_any_place_of_a_plan_of_faults_is_a_fault_error(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    sample = as_yaml.loads(FAULTS, "x")[0]
    for at in places(sample):
        for by in WRONG:
            path.write_text(json.dumps(replaced(sample, at, by)), encoding="utf-8")
            with contextlib.suppress(plan.FaultError):
                plan.load(path)


def test_a_wrong_type_at_any_place_of_a_layout_is_a_layout_error() -> None:
    table = catalogue.layout("3.00").table
    for number, at in enumerate(places(table)):
        if number % 11 == 0:
            with contextlib.suppress(LayoutError):
                layouts.from_table(replaced(table, at, WRONG[number % len(WRONG)]), "a.toml")
