"""A name from elsewhere makes no line of its own and moves no cursor, whatever it names and whoever tells it."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from harness.cli import main, progress
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.messages.visible import VisibleStream
from harness.readers import pcsc
from harness.readers.connection import InProcess
from harness.trace.record import TraceFile
from tests.kit.cards import SSSE, new_card

NAME = "x\nFORGED 9 passed\x1b[2J\u202e\u2028"
FORGED = "FORGED"
TEXT = json.dumps(NAME)
"""As YAML, TOML and JSON take it."""
VECTOR = f"""\
schema: 1
id: EVIL-1
standard: SSSE_RECORD
title: {TEXT}
title_zh: {TEXT}
grade: own
source: {json.dumps(NAME + " [D]")}
steps:
  - select: SSSE
  - apdu: 00B2012C12
    expect: {{sw: '6FFF'}}
"""
SCENARIO = f"""\
scenario: 1
id: OFFICE-22-EVIL
title: {TEXT}
title_zh: {TEXT}
articles: ["22"]
grade: D
source: {TEXT}
people:
  a: {{is: adult, order: 11}}
steps:
  - {{do: query, for: a, expect: refused, rule: {TEXT}}}
"""
LAYOUT = f"""\
extends = "3.00"
schema = 1
name = {TEXT}
title = {TEXT}
title_zh = {TEXT}
[file."SSSE/EF0B"]
name = {TEXT}
name_en = {TEXT}
structure = "records"
read = "free"
update = "UKSSSE"
grade = "D"
items = [{{ tag = "D1", format = "an", length = 20, name = {TEXT}, name_en = {TEXT} }}]
"""


def _vector(folder: Path) -> None:
    (folder / "v.yaml").write_text(VECTOR, encoding="utf-8")


def _scenario(folder: Path) -> None:
    (folder / "s.yaml").write_text(SCENARIO, encoding="utf-8")


def _layout(folder: Path) -> None:
    (folder / "l.toml").write_text(LAYOUT, encoding="utf-8")


def _trace(folder: Path) -> None:
    image = new_card().chip.image
    with TraceFile(folder / "good.jsonl") as trace:
        connection = InProcess(FaultyChip(image, Plan(()), observer=trace.slot(0, image)))
        for command in (SSSE, "00C000001E"):
            connection.send(bytes.fromhex(command))
        connection.close()
    events = [json.loads(line) for line in (folder / "good.jsonl").read_text(encoding="utf-8").splitlines()]
    told = (
        {**one, **({"reason": NAME, "instruction": NAME} if one["event"] == "apdu" else {"card": NAME})}
        for one in events
    )
    (folder / "t.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")


def _program(folder: Path) -> None:
    program = folder / "pr\nFORGED.sh"
    program.write_text("#!/bin/sh\nprintf 'x\\nFORGED\\033[2J\\n'\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)


def _report(folder: Path) -> None:
    _vector(folder)
    arguments = ["vectors", "run", "v.yaml", "--profile", "3.00-3des", "--report", "r", "--product", NAME]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    found = json.loads((folder / "r" / "report.json").read_text(encoding="utf-8"))
    found["results"][0] |= {"id": NAME, "reason": NAME}
    (folder / "evil.json").write_text(json.dumps({**found, "program": NAME}), encoding="utf-8")


def _persona(folder: Path) -> None:
    assert CliRunner().invoke(main, ["persona", "new", "-o", "me.toml"]).exit_code == 0
    text = (folder / "me.toml").read_text(encoding="utf-8").replace("测试新", r"x\nFORGED\u001b[2J")
    (folder / "me.toml").write_text(text, encoding="utf-8")


def _nothing(folder: Path) -> None:
    del folder


KINDS: dict[str, tuple[Callable[[Path], None], tuple[tuple[str, ...], ...]]] = {
    "a vector's titles and source": (
        _vector,
        (
            ("vectors", "list", "v.yaml"),
            ("vectors", "run", "v.yaml", "--profile", "3.00-3des", "-vv"),
            ("vectors", "run", "v.yaml", "--profile", "3.00-3des", "--write-baseline", "known.txt"),
        ),
    ),
    "a scenario's titles, source and rule": (
        _scenario,
        (("scenarios", "list", "s.yaml"), ("scenarios", "run", "s.yaml")),
    ),
    "a layout's names": (
        _layout,
        (
            ("layout", "check", "l.toml"),
            ("layout", "show", "l.toml"),
            ("layout", "diff", "3.00", "l.toml"),
            ("show", "--layout", "l.toml"),
        ),
    ),
    "a trace's reasons": (
        _trace,
        (("trace", "show", "t.jsonl"),),
    ),
    "a program, what it prints and its arguments": (
        _program,
        (
            ("prove", "--driver", "--situation", "ordinary", "--", "./pr\nFORGED.sh", "a\nFORGED"),
            ("prove", "--driver", "--situation", "ordinary", "--", "no\nFORGED"),
        ),
    ),
    "what a report says": (
        _report,
        (
            ("report", "show", "r"),
            ("report", "show", "evil.json"),
            ("report", "diff", "r", "evil.json"),
            ("report", "merge", "r", "evil.json", "-o", "m"),
        ),
    ),
    "a persona's name": (_persona, (("persona", "check", "me.toml"), ("show", "--persona", "me.toml"))),
    "what names a file that is not there": (
        _nothing,
        (
            ("report", "show", NAME),
            ("vectors", "list", NAME),
            ("layout", "show", NAME),
            ("trace", "show", NAME),
            ("office", "--register", NAME, "trail"),
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_name_stays_text_within_its_line(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, commands = KINDS[kind]
    make(tmp_path)
    for command in commands:
        said = CliRunner().invoke(main, list(command))
        assert isinstance(said.exception, SystemExit | None), said.exception
        assert FORGED in said.output, (command, said.output)
        assert [line for line in said.output.splitlines() if line.lstrip().startswith(FORGED)] == [], command
        assert not {"\x1b", "\u202e", "\u2028", "\r"} & set(said.output), command


def test_readers_names_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PC/SC has them from drivers, which have them from devices."""
    state = pcsc.ReaderState(NAME, card=False, atr=b"", mute=False, used=False, exclusive=False)
    monkeypatch.setattr(pcsc, "states", lambda: [state])
    monkeypatch.setattr(pcsc, "reader_names", lambda: [NAME])
    for command in (["readers"], ["show", "--reader", "nobody"]):
        said = CliRunner().invoke(main, command)
        assert FORGED in said.output
        assert [line for line in said.output.splitlines() if line.lstrip().startswith(FORGED)] == []
        assert not {"\x1b", "\u202e"} & set(said.output)


def test_reports_for_other_programs_stay_well_formed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vector's titles and ids, a product and a tester."""
    monkeypatch.chdir(tmp_path)
    _report(tmp_path)
    xml = ElementTree.parse(tmp_path / "r" / "junit.xml")
    assert any(FORGED in one.get("name", "") for one in xml.iter("testcase"))
    text = (tmp_path / "r" / "junit.xml").read_text(encoding="utf-8")
    assert not {"\x1b", "\u202e", "\u2028"} & set(text)
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert FORGED in page
    assert not {"\x1b", "\u202e", "\u2028"} & set(page)


@pytest.fixture
def terminal() -> Iterator[tuple[io.TextIOWrapper, int]]:
    """A terminal's stream to write to, and the end where its user sees what came."""
    mine, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 — a descriptor
        yield stream, mine
    os.close(mine)


def test_a_bar_moves_and_its_label_does_not(
    terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar's own controls are obeyed; those of a layout's name, which is its label, are seen."""
    stream, seen = terminal
    monkeypatch.setattr(sys, "stderr", VisibleStream(stream))
    with progress.bar([1, 2], 2, NAME) as shown:
        list(shown)
    progress.over_the_last(NAME)
    stream.flush()
    told = os.read(seen, 1 << 16).decode()
    assert told.startswith("\r\x1b[?25l")
    assert r"x\x0aFORGED 9 passed\x1b[2J\u202e\u2028" in told
    assert "\x1b[2J" not in told
    assert "\n" not in told.rpartition("\x1b[?25h")[2].removeprefix("\r\n").removeprefix("\n")
