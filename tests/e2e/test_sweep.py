"""The reference terminals, swept through real pcscd: nothing is found in the good ones, each mistake in the bad ones.
A few cells of each; `make deep` plays all of them.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import interrupt, main
from harness.proving import stage
from harness.proving.sweep import play, store
from harness.proving.sweep.grid import Cell
from harness.proving.sweep.outcome import BAD, GOOD, Outcome
from harness.proving.sweep.play import Baseline, CellRequest
from harness.proving.sweep.store import Kept
from harness.verdicts.verdict import UNCERTAIN
from tests.kit import terminals
from tests.kit.sampled import sampled
from tests.kit.served import DEADLINE, SSCARD

MISTAKES = {
    "no-recovery": ("UPDATE RECORD", 3, "power-cut,after=2", "the card is left half-written"),
    "claims-success": ("UPDATE RECORD", 2, "status,sw=6F00", "it claims success, but DF03/EF"),
    "stale-data": ("READ RECORD", 8, "status,sw=6F00", "shown as right: it printed what matches '^name"),
    "blind-pin": ("VERIFY", 2, "status,sw=63C2", "PIN-KNOWN-WRONG is broken"),
    "no-reselect": ("READ RECORD", 6, "removal", "SESSION-RESELECT is broken"),
    "reused-challenge": ("EXTERNAL AUTHENTICATION", 2, "status,sw=6F00", "CHALLENGE-REPLAYED is broken"),
    "unverified": ("UPDATE RECORD", 3, "repeat", "it claims success, but DF03/EF"),
    "ignores-61": ("READ RECORD", 8, "sw61", "ANSWER-61 is broken"),
    "ignores-63": ("VERIFY", 2, "status,sw=63C2", "RIGHTS-IGNORED is broken"),
    "crashes": ("GET CHALLENGE", 1, "truncated", "it ended with IndexError"),
    "waits": ("READ RECORD", 6, "removal", "it did not end before its deadline"),
}
"""Where each mistake shows: at which command of its name, under which fault, and how it is told."""


@pytest.fixture(scope="module")
def baseline() -> Iterator[Baseline]:
    found = play.record(terminals.request())
    assert isinstance(found, Baseline), found
    yield found
    stage.clear()


def cell(baseline: Baseline, instruction: str, which: int, fault: str) -> Cell:
    numbers = [one.number for one in baseline.commands if one.instruction == instruction]
    return Cell.parse(f"{numbers[which - 1]}:{fault}")


def played(baseline: Baseline, at: Cell, mistake: str = "") -> Kept:
    return play.play_cell(
        CellRequest(terminals.request(mistake, deadline=8.0 if mistake == "waits" else 60.0), baseline, at)
    )


@pytest.mark.pcsc
def test_the_sound_run_is_told_whole(baseline: Baseline) -> None:
    assert 50 <= len(baseline.commands) <= 70
    assert baseline.sound.broken == frozenset()
    assert baseline.steady
    moved = {"DF03/EF05/61", "DF03/EF07/71", "DF03/EF15/7A", "DF03/EF16/51", "DF04/EF05/84"}
    assert baseline.sound.written == moved | {"DF01/EF06/28"}
    assert sum(one.instruction == "UPDATE RECORD" for one in baseline.commands) == 6


@pytest.mark.pcsc
@pytest.mark.parametrize("mistake", sampled(MISTAKES, 4))
def test_a_mistake_is_found_where_the_good_terminal_has_none(baseline: Baseline, mistake: str) -> None:
    *place, told = MISTAKES[mistake]
    at = cell(baseline, *place)  # type: ignore[arg-type]
    bad = played(baseline, at, mistake).judged
    assert bad.outcome in BAD
    assert any(told in reason for reason in bad.reasons), bad
    assert played(baseline, at).judged.outcome in GOOD


@pytest.mark.pcsc
def test_a_fault_that_never_comes_is_said_to_be_so(baseline: Baseline) -> None:
    kept = played(baseline, Cell(len(baseline.commands) + 1, "garbled"))
    assert kept.judged.outcome is Outcome.NOT_REACHED


def test_the_terminal_in_c_is_swept_without_any_reader(built: Path, tmp_path: Path) -> None:
    request = terminals.driver_request(terminals.compiled(built, tmp_path))
    baseline = play.record(request)
    assert isinstance(baseline, Baseline), baseline
    writes = [one.number for one in baseline.commands if one.instruction == "UPDATE RECORD"]
    assert len(writes) == 5
    found = [
        play.play_cell(CellRequest(request, baseline, Cell(writes[2], fault)))
        for fault in ("power-cut,after=2", "status,sw=9000", "garbled")
    ]
    assert [one.judged.outcome in GOOD for one in found] == [True, True, False]
    assert found[2].judged.outcome is Outcome.NOT_REACHED, "there are no data to garble"


def test_a_program_that_does_not_do_its_work_is_no_baseline(tmp_path: Path) -> None:
    script = tmp_path / "never.sh"
    script.write_text("#!/bin/sh\necho read 519900198802290016 of 测试改\n")
    script.chmod(0o755)
    said = play.record(terminals.driver_request(script))
    assert isinstance(said, str)
    assert "without a fault the program does not do its work: " in said
    assert "without one command to the card" in said
    assert "read" in said
    assert "519900198802290016" not in said
    assert "测试改" not in said


# --- from the shell ------------------------------------------------------------------------------------------------


def sweeping(program: Path, *options: str) -> list[str]:
    """The sweep of the terminal in C, as its user has it."""
    demanded = ("--prints", "^card A00000011$", "--prints", "^moved 510700$")
    return [
        SSCARD, "prove", "--sweep", "--driver", "--limit", "6", "--seed", "5", *demanded, *options, "--",
        str(program), "510700", "{folder}/journal",
    ]  # fmt: skip


def kept_in(path: Path) -> dict[Cell, Kept]:
    with store.opened(path) as results:
        return {one.cell: one for one in results.kept()}


def test_a_sweep_that_was_killed_goes_on_where_it_was(built: Path, tmp_path: Path) -> None:
    program, path = terminals.compiled(built, tmp_path), tmp_path / "results.sqlite"
    command = sweeping(program, "--results", str(path), "--json")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as killed:
        deadline = time.monotonic() + DEADLINE
        while not (path.exists() and len(kept_in(path)) >= 2):
            assert killed.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
        os.killpg(killed.pid, signal.SIGKILL)
    before = kept_in(path)
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    after = kept_in(path)
    assert len(after) == 6
    assert {cell: after[cell] for cell in before} == before, "what was played was not played again"
    table = json.loads(done.stdout)
    assert {f"{one['number']}:{one['fault']}" for one in table["sweep"]["map"]} == {str(cell) for cell in after}
    assert table["counts"]["passed"] == 7, "the sound run and six cells"


def test_a_cell_is_played_again_by_the_line_that_the_report_has(built: Path, tmp_path: Path) -> None:
    program = terminals.compiled(built, tmp_path)
    folder = tmp_path / "report"
    command = [SSCARD, "prove", "--sweep", "--driver", "--cell", "20:status,sw=6F00", "-o", str(folder), "--"]
    command += [str(program), "510700", "{folder}/journal"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == UNCERTAIN, "nothing says what must be printed"
    assert "1 of them: output not judged" in done.stdout
    (one,) = json.loads((folder / "report.json").read_text(encoding="utf-8"))["sweep"]["map"]
    assert (one["output_judged"], one["verdict"]) == (False, "requirement missing")
    again = shlex.split(one["again"])
    assert again[0] == "sscard"
    assert again[again.index("--cell") + 1] == "20:status,sw=6F00"
    assert again[again.index("--") + 1 :] == command[command.index("--") + 1 :]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "故障扫描 Sweep: ordinary" in page
    assert 'class="unharmed" title="20:status,sw=6F00' in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--limit", "3"], "--limit goes with --sweep"),
        (["--cell", "1:garbled"], "--cell goes with --sweep"),
        (["--sweep", "--cell", "garbled"], "expected the number of a command and a fault, like 17:power-cut,after=3"),
        (["--sweep", "--cell", "1:garbeld"], "expected one of status, sw61"),
        (["--sweep", "--prints", "("], "'(': not a regular expression"),
        (["--sweep", "--situation", "ordinary", "--situation", "child"], "--sweep plays one situation, 2 are named"),
        (["--sweep", "--keep", "kept"], "--keep goes without --sweep"),
    ],
)
def test_a_sweep_that_cannot_be_meant_is_wrong_usage(options: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["prove", "--driver", *options, "--", sys.executable])
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())


def test_ctrl_c_ends_a_sweep_with_what_it_found(built: Path, tmp_path: Path) -> None:
    program, path = terminals.compiled(built, tmp_path), tmp_path / "results.sqlite"
    command = sweeping(program, "--results", str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ended:
        deadline = time.monotonic() + DEADLINE
        while not (path.exists() and kept_in(path)):
            assert ended.poll() is None, "it ended before it could be interrupted"
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
        ended.send_signal(signal.SIGINT)
        out, err = ended.communicate(timeout=DEADLINE)
    assert ended.returncode == interrupt.INTERRUPTED
    assert "cells were played" in err
    assert "a sample, seed 5" in out
