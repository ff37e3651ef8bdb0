"""A baseline of known failures: written by a run, told where it forgives what fails no more, never green by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.cards import SSSE
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.cli.test_monitor_command import recorded
from tests.unit.harness.verdicts.test_report_commands import BAD, GOOD, SM4, VECTOR, vectors

WRONG = "00200000" + "06" + "31" * 6
PROFILE = ("--profile", "3.00-3des")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_fails_is_written_and_then_forgiven() -> None:
    vectors(Path("v.yaml"), A=BAD, B=GOOD, C=BAD)
    told = run("vectors", "run", "v.yaml", *PROFILE, "--write-baseline", "known.txt", expect=1).stderr
    assert "known.txt: 2 known failures 已知未通过, 2 new 新增, 0 gone 删去" in told
    text = Path("known.txt").read_text(encoding="utf-8")
    assert text.splitlines()[1:] == ["MINE-A  # tried A", "MINE-C  # tried C"]
    assert "stale" not in run("vectors", "run", "v.yaml", *PROFILE, "--baseline", "known.txt").stderr


def test_a_known_failure_that_fails_no_more_is_told_and_stands_in_the_report() -> None:
    Path("known.txt").write_text("MINE-A\nMINE-C\n", encoding="utf-8")
    vectors(Path("v.yaml"), A=GOOD, B=GOOD, C=BAD)
    arguments = ("vectors", "run", "v.yaml", *PROFILE, "--baseline", "known.txt", "--report", "r")
    assert "stale baseline 基线中已不再失败: MINE-A\n" in run(*arguments).stderr
    assert json.loads(Path("r/report.json").read_text(encoding="utf-8"))["stale_baseline"] == ["MINE-A"]
    assert "stale baseline 基线中已不再失败: MINE-A" in run("report", "show", "r").stdout


def test_of_what_was_not_run_a_baseline_says_nothing() -> None:
    Path("known.txt").write_text("MINE-A\nMINE-C\n", encoding="utf-8")
    vectors(Path("v.yaml"), A=GOOD, C=BAD)
    arguments = ("vectors", "run", "v.yaml", *PROFILE, "--baseline", "known.txt", "--only", "MINE-C")
    assert "stale" not in run(*arguments).stderr


def test_a_baseline_written_again_keeps_what_its_owner_wrote_and_loses_what_fails_no_more() -> None:
    before = "# ours\n\nMINE-A # waits for the vendor\nMINE-B\nMINE-E\n"
    Path("known.txt").write_text(before, encoding="utf-8")
    vectors(Path("v.yaml"), A=BAD, B=GOOD, C=BAD, E=GOOD)
    run("vectors", "run", "v.yaml", *PROFILE, "--only", "MINE-[ABC]", "--write-baseline", "known.txt", expect=1)
    after = "# ours\n\nMINE-A # waits for the vendor\nMINE-E\nMINE-C  # tried C\n"
    assert Path("known.txt").read_text(encoding="utf-8") == after


def test_of_what_nobody_judged_no_baseline_is_made() -> None:
    text = VECTOR.format(name="A", length=GOOD, more=SM4)
    Path("v.yaml").write_text(text, encoding="utf-8")
    told = run("vectors", "run", "v.yaml", *PROFILE, "--write-baseline", "known.txt", expect=4).stderr
    assert "known.txt was not written" in told
    assert not Path("known.txt").exists()


def test_what_is_no_baseline_is_not_written_over() -> None:
    vectors(Path("v.yaml"), A=GOOD)
    before = Path("v.yaml").read_bytes()
    told = run("vectors", "run", "v.yaml", "--write-baseline", "v.yaml", expect=2).stderr
    assert "v.yaml:2: expected one id a line" in told
    assert Path("v.yaml").read_bytes() == before
    assert "no such folder" in run("vectors", "run", "v.yaml", "--write-baseline", "nowhere/k.txt", expect=2).stderr


def test_a_hostile_title_makes_no_line_of_its_own() -> None:
    vectors(Path("v.yaml"), A=BAD)
    hostile = Path("v.yaml").read_text(encoding="utf-8").replace("tried A", '"a\\nMINE-B\\e[2J\\u202e"')
    Path("v.yaml").write_text(hostile, encoding="utf-8")
    run("vectors", "run", "v.yaml", *PROFILE, "--write-baseline", "known.txt", expect=1)
    (line,) = Path("known.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert line == r"MINE-A  # a\x0aMINE-B\x1b[2J\u202e"


def test_a_terminals_rules_and_a_programs_situations_have_one_too() -> None:
    recorded(Path("t.jsonl"), SSSE, WRONG, WRONG)
    run("monitor", "t.jsonl", "--write-baseline", "rules.txt", expect=1)
    assert "PIN-KNOWN-WRONG  # " in Path("rules.txt").read_text(encoding="utf-8")
    run("monitor", "t.jsonl", "--baseline", "rules.txt")
    recorded(Path("good.jsonl"), SSSE, WRONG)
    assert "stale" in run("monitor", "good.jsonl", "--baseline", "rules.txt").stderr
    proving = ("prove", "--driver", "--situation", "ordinary")
    run(*proving, "--write-baseline", "programs.txt", "--", "false", expect=1)
    assert "ordinary  # " in Path("programs.txt").read_text(encoding="utf-8")
    assert "goes without --sweep" in run(*proving, "--sweep", "--write-baseline", "x", "--", "false", expect=2).stderr


def test_scenarios_have_one_too() -> None:
    Path("s.yaml").write_text(
        "scenario: 1\nid: OFFICE-22-TRIED\ntitle: tried\ntitle_zh: 试\narticles: ['22']\ngrade: S\n"
        "people: {a: {is: adult, order: 11}}\nsteps:\n  - {do: query, for: a, expect: refused, rule: LOST}\n",
        encoding="utf-8",
    )
    run("scenarios", "run", "s.yaml", "--write-baseline", "known.txt", expect=1)
    assert Path("known.txt").read_text(encoding="utf-8").splitlines()[1:] == ["OFFICE-22-TRIED  # tried"]
