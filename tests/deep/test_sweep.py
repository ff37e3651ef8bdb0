"""Whole sweeps: of the good terminals every cell, of each bad one enough to find its mistake; and of OpenSC's own
tool, which shows what it was told and checks none of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.reader.shape import ReaderShape
from harness.proving import executor, stage
from harness.proving.runs import RunRequest
from harness.proving.sweep import play, store, swept
from harness.proving.sweep.grid import Cell
from harness.proving.sweep.outcome import BAD, GOOD, Outcome
from harness.proving.sweep.swept import Bounds, Swept
from tests import native
from tests.e2e.test_sweep import MISTAKES
from tests.kit import terminals

ENOUGH = 240
"""Cells of a bad terminal: of each fault eight or so."""
OPENSC = ("opensc-tool", "-s", "00:A4:04:00:0F:73:78:31:2E:73:68:2E:C9:E7:BB:E1:B1:A3:D5:CF", "-s", "00:B2:07:2C:0B")
HOURS = 4 * 3600


@pytest.fixture(autouse=True)
def _no_readers_wait() -> Iterator[None]:
    yield
    stage.clear()


def whole(request: RunRequest, bounds: Bounds = Bounds(), *, deadline: float | None = None) -> Swept:  # noqa: B008
    with executor.opened(jobs=os.cpu_count() or 1, needs=swept.needs(request)) as runs, store.opened(None) as results:
        return swept.sweep(request, bounds, runs, results, lambda _so_far: None, deadline=deadline)


def bad(found: Swept) -> dict[str, tuple[str, ...]]:
    return {str(one.cell): one.judged.reasons for one in found.played if one.judged.outcome in BAD}


@pytest.mark.pcsc
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("shape", ["t0", "apdu"])
@pytest.mark.parametrize(("layout", "algorithm"), [("3.00", "sm4"), ("2.00", "3des")])
def test_no_fault_at_no_command_harms_who_meets_the_good_terminal(layout: str, algorithm: str, shape: str) -> None:
    whole_one = (layout, shape) == ("3.00", "t0")
    request = terminals.request()
    situation = replace(request.situation, layout=layout, algorithm=algorithm, shape=ReaderShape(shape))
    found = whole(replace(request, situation=situation), Bounds(limit=0 if whole_one else ENOUGH))
    assert bad(found) == {}
    assert {one.judged.outcome for one in found.played} <= GOOD
    assert found.left == 0
    assert len(found.played) > (900 if whole_one else ENOUGH - 1)


@pytest.mark.timeout(HOURS)
def test_no_fault_at_no_command_harms_who_meets_the_one_in_c(tmp_path: Path) -> None:
    built = native.built(tmp_path / "built")
    found = whole(terminals.driver_request(terminals.compiled(built, tmp_path)), Bounds(limit=4 * ENOUGH))
    assert bad(found) == {}
    assert {one.judged.outcome for one in found.played} <= GOOD


@pytest.mark.pcsc
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_by_a_sweep_that_knows_nothing_of_it(mistake: str) -> None:
    found = whole(
        terminals.request(mistake), Bounds(limit=ENOUGH, seed=3), deadline=10.0 if mistake == "waits" else None
    )
    told = MISTAKES[mistake][-1]
    assert any(told in reason for reasons in bad(found).values() for reason in reasons), bad(found)


@pytest.mark.pcsc
@pytest.mark.skipif(shutil.which("opensc-tool") is None, reason="not installed: opensc")
def test_what_opensc_shows_unchecked_is_told_and_what_it_refuses_is_not() -> None:
    request = terminals.request()
    prints = replace(request.expectation, prints=("A00000310",), prints_not=())
    request = replace(request, argv=OPENSC, expectation=prints)
    baseline = play.record(request)
    assert not isinstance(baseline, str), baseline
    last = baseline.commands[-1]
    assert last.command == bytes.fromhex("00B2072C0B")

    def outcome(fault: str) -> Outcome:
        cell = Cell.parse(f"{last.number}:{fault}")
        return play.play_cell(play.CellRequest(request, baseline, cell)).judged.outcome

    assert outcome("garbled,by=9") is Outcome.HARMED
    assert outcome("truncated,by=5") is Outcome.HARMED
    assert outcome("removal,moment=before") is Outcome.NOTICED
    assert outcome("sw61,part=4") is Outcome.UNHARMED, "it fetches what is announced"
