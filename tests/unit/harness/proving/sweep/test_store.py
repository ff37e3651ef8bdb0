"""Results of a sweep are kept, found again, and not taken for those of another one."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from harness.proving.sweep import store
from harness.proving.sweep.grid import Cell
from harness.proving.sweep.outcome import Judged, Outcome
from harness.proving.sweep.store import Kept, ResultsError

ABOUT = {"program": ["./terminal"], "seed": 7}
HARMED = Kept(Cell(17, "power-cut,after=3"), Judged(Outcome.HARMED, ("半 half", "more"), False), 1.5, "exit 0, exit 1")
GOOD = Kept(Cell(3, "garbled"), Judged(Outcome.UNHARMED), 0.5)


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with store.opened(path) as results:
        assert results.begin(ABOUT) == {}
        results.keep(HARMED)
        results.keep(GOOD)
    with store.opened(path) as results:
        assert results.begin(ABOUT) == {HARMED.cell: HARMED, GOOD.cell: GOOD}
        assert list(results.kept()) == [GOOD, HARMED]


def test_a_cell_played_again_replaces_what_was_kept() -> None:
    with store.opened(None) as results:
        results.begin(ABOUT)
        results.keep(HARMED)
        again = Kept(HARMED.cell, Judged(Outcome.NOTICED), 2.0)
        results.keep(again)
        assert list(results.kept()) == [again]


@pytest.mark.parametrize(
    ("other", "differ"), [({"seed": 8}, "seed"), ({"program": ["./other"], "seed": 8}, "program, seed")]
)
def test_results_of_another_sweep_are_not_gone_on_with(tmp_path: Path, other: dict[str, object], differ: str) -> None:
    path = tmp_path / "r.sqlite"
    with store.opened(path) as results:
        results.begin(ABOUT)
    with store.opened(path) as results, pytest.raises(ResultsError, match=rf"of another sweep \({differ} differ\)"):
        results.begin(ABOUT | other)


def test_another_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    foreign = tmp_path / "register.sqlite"
    connection = sqlite3.connect(foreign)
    connection.execute("create table people (name text)")
    connection.commit()
    connection.close()
    text = tmp_path / "t.txt"
    text.write_text("not a database, but long enough to be looked at as if it were one" * 20)
    newer = tmp_path / "newer.sqlite"
    with store.opened(newer) as results:
        results.begin(ABOUT)
    connection = sqlite3.connect(newer)
    connection.execute("pragma user_version = 2")
    connection.close()
    for path, said in ((foreign, "not a file of results"), (text, "not a database"), (newer, "results of format 2")):
        before = path.read_bytes()
        with pytest.raises(ResultsError, match=said), store.opened(path):
            pass
        assert path.read_bytes() == before
    with pytest.raises(ResultsError, match="unable to open"), store.opened(tmp_path / "nowhere" / "r.sqlite"):
        pass


def test_a_file_that_several_make_at_once_is_made_once(tmp_path: Path) -> None:
    together = Barrier(4)

    def opened(path: Path) -> int:
        together.wait()
        with store.opened(path) as results:
            return len(list(results.kept()))

    with ThreadPoolExecutor(4) as threads:
        for number in range(25):
            assert list(threads.map(opened, [tmp_path / f"{number}.sqlite"] * 4)) == [0] * 4
