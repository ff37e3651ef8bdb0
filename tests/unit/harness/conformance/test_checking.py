"""Files of vectors judged before a run: every fault at once, with its line and what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.conformance import checking
from harness.verdicts import documents

HOME = Path(__file__).parents[4] / "vectors"
HEAD = """schema: 1
id: {id}
title: "x"
title_zh: 测试
grade: own
source: "[D]"
"""


def check(path: Path, *, expect: int) -> Result:
    result = CliRunner().invoke(main, ["vectors", "check", str(path)])
    assert result.exit_code == expect, result.output
    return result


def written(folder: Path, *texts: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text("---\n".join(texts), encoding="utf-8")
    return path


def faults(folder: Path, *texts: str) -> list[tuple[int, str]]:
    found = checking.check([written(folder, *texts)], HOME)
    return [(one.line, one.what) for one in found.faults]


def test_the_programs_own_vectors_have_none() -> None:
    found = checking.check([HOME / "pin.yaml", HOME / "field", HOME / "generated" / "keys.yaml"], HOME)
    assert [str(one) for one in found.faults] == []
    assert found.vectors > 300


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("- select: SSE", "unknown application 'SSE'; did you mean \"SSSE\"?"),
        ("- selct: SSSE", "unknown name 'selct'; did you mean \"select\"?"),
        ("- read: SSSE/EF05/7", "unknown item 'SSSE/EF05/7'; did you mean \"SSSE/EF05/07\"?"),
        ("- read: SSSE/EF5/07", "unknown item 'SSSE/EF5/07'; did you mean \"SSSE/EF05/07\"?"),
        ("- authenticate: UKSSE", "unknown key 'UKSSE'; did you mean \"UKSSSE\"?"),
        ("- authenticate: {key: UKSSSE, version: 9}", "UKSSSE has 3 versions, not 9"),
        ("- verify_pin: wrong\n    times: UKSSE-1", "unknown key 'UKSSE'; did you mean \"UKSSSE\"?"),
        ('- apdu: "00 B2 0"', "odd number of hex digits: 00B20"),
        ('- apdu: "00B2${chip}0"', "odd number of hex digits: 0"),
        ('- apdu: "00XX"', "expected hex digits"),
        ('- apdu: "00B2${chalenge}"', "computed as 'chalenge' before this step; did you mean \"challenge\"?"),
        ("- driver: {function: iReadCardBass}", "unknown function 'iReadCardBass'; did you mean \"iReadCardBas\"?"),
        ("- select: SSSE\n    select: DF01", "'select' stands twice, first in line 8"),
        ("- select: SSSE\n    reset: warm", "a step does one thing"),
        ("- expect: {sw: '9000'}", "a step does one thing"),
        ('- apdu: "00"\n    expect: {sw: "90"}', "expected a status word of 4 hex digits"),
    ],
)  # fmt: skip
def test_a_slip_in_a_step_is_told_with_its_line_and_what_was_meant(tmp_path: Path, line: str, what: str) -> None:
    told = faults(tmp_path, HEAD.format(id="MINE") + f"steps:\n  {line}\n")
    assert [where for where, __ in told] == [9 if "twice" in what or "status word" in what else 8]
    assert what in told[0][1]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("standard: SSSE_RECRD", "unknown item of the standard 'SSSE_RECRD'; did you mean \"SSSE_RECORD\"?"),
        ("covers: [SELECT, REED RECORD]", "unknown item of the standard 'REED RECORD'; did you mean \"READ RECORD\"?"),
        ("versions: ['2.0']", "unknown version '2.0'; did you mean \"2.00\"?"),
        ("keys: [UKSSE]", "unknown key 'UKSSE'"),
        ("persona: adult-chendu", "did you mean adult-chengdu?"),
        ("origin: {source: prog-decart}", "unknown source 'prog-decart'; did you mean \"prog-decard\"?"),
        ("layout: generater\nversions: ['2.00']", "no such layout"),
        ("algorithm: sm4", "unknown name 'algorithm'; did you mean \"algorithms\"?"),
        ("algorithms: [sm5]", "'sm5' is not one of"),
    ],
)
def test_a_slip_in_the_head_is_told_too(tmp_path: Path, line: str, what: str) -> None:
    told = faults(tmp_path, HEAD.format(id="MINE") + f"{line}\nsteps:\n  - select: SSSE\n")
    assert len(told) == 1
    assert told[0][0] == 7
    assert what in told[0][1]


def test_all_faults_of_all_files_come_at_once_in_order(tmp_path: Path) -> None:
    first = HEAD.format(id="MINE-A") + "steps:\n  - selct: SSSE\n  - select: SSE\n  - apdu: '0'\n"
    second = HEAD.format(id="MINE-A").replace("grade: own", "grade: maybe") + "steps:\n  - read: SSSE/EF05/7\n"
    told = faults(tmp_path, first, second)
    assert [line for line, __ in told] == [8, 9, 10, 13, 16, 19]
    words = [what for __, what in told]
    assert "already" in words[3]
    assert "'maybe' is not one of" in words[4]
    assert "SSSE/EF05/07" in words[5], "one fault in a document hides no other"


@pytest.mark.parametrize("text", ["steps: [", "- a\n- b\n", "7\n", "", "\tx: 1\n", "a: &x [*x]\n"])
def test_what_is_no_vector_at_all_is_a_fault_and_no_crash(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)


def test_the_command_tells_lines_and_ends_with_two(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD.format(id="MINE") + "steps:\n  - select: SSE\n")
    told = check(path, expect=2)
    assert f"{path}:8: MINE: unknown application 'SSE'" in told.stdout
    assert "1 faults in 1 files" in told.stderr
    table = json.loads(CliRunner().invoke(main, ["vectors", "check", "--json", str(path)]).stdout)
    assert table["faults"][0]["line"] == 8
    written(tmp_path, HEAD.format(id="MINE") + "steps:\n  - select: SSSE\n")
    assert check(path, expect=0).stdout == ""


def test_names_that_stand_twice_are_all_found(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("a: 1\nb: {c: 1, c: 2}\na: 3\n", encoding="utf-8")
    (first, *_) = documents.judged(path, documents.validator("harness.conformance", "schema-1.json"), "it")
    assert [(one.line, one.what[:3]) for one in first.faults] == [(3, "'a'"), (2, "'c'")]
