"""Runs on this machine: done as there is room, given as they end, and each alone with what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import pytest

from emulator.errors import Misuse
from harness.proving.cluster import ClusterLost
from harness.proving.executor import Runs, opened
from harness.proving.machine import CannotRun, Machine, Need
from harness.readers import pcsc
from tests.kit import runs as work

COMMANDS = ("00A4040009D15600000573686273", "0020000000", "00B2012C12", "FF")


@pytest.fixture(scope="module")
def two() -> Iterator[Runs]:
    with opened(jobs=2) as runs:
        yield runs


def test_what_processes_find_is_what_this_one_finds(two: Runs) -> None:
    asked = [COMMANDS[:count] for count in range(1, 5)]
    done = sorted(two.completed(work.answers, asked), key=lambda one: one.number)
    assert [one.asked for one in done] == asked
    assert [one.found for one in done] == [work.answers(one) for one in asked]
    assert {one.trouble for one in done} == {""}


def test_runs_are_done_in_processes_of_their_own_which_say_who_they_are(two: Runs) -> None:
    done = list(two.completed(work.pid, range(8)))
    assert os.getpid() not in {one.found for one in done}
    assert [one.where.rpartition(":")[2] for one in done] == [str(one.found) for one in done]


def test_a_run_that_raises_is_done_and_says_what_it_raised(two: Runs) -> None:
    done = {one.number: one for one in two.completed(work.refused, range(4))}
    assert [done[number].found for number in range(4)] == [0, None, 2, None]
    assert done[3].trouble == "Refused: 3 is odd"


def test_no_more_is_taken_than_there_is_room_for(two: Runs) -> None:
    taken: list[int] = []

    def asked() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    completed = two.completed(work.pid, asked())
    next(completed)
    completed.close()
    assert len(taken) <= 2 * 2


def test_nothing_asked_for_is_nothing_done(two: Runs) -> None:
    assert list(two.completed(work.pid, [])) == []


def test_a_run_whose_process_died_is_begun_again_once_and_no_other_is(tmp_path: Path) -> None:
    said: list[str] = []
    with opened(jobs=2, say=said.append) as runs:
        done = {one.number: one for one in runs.completed(work.dies, [(tmp_path / "mark", n) for n in range(6)])}
    assert [done[number].found for number in range(6)] == list(range(6))
    assert [done[number].repeated for number in range(6)] == [0, 1, 0, 0, 0, 0]
    assert len(said) == 1
    assert "died" in said[0]


def test_a_run_that_kills_every_process_is_told_and_costs_no_other(tmp_path: Path) -> None:
    with opened(jobs=2) as runs:
        asked = [(tmp_path / "nowhere" / "mark", number) for number in range(6)]
        done = {one.number: one for one in runs.completed(work.dies, asked)}
        assert [done[number].found for number in range(6)] == [0, None, 2, 3, 4, 5]
        assert (done[1].repeated, "died" in done[1].trouble) == (1, True)
        assert [one.found for one in runs.completed(work.refused, [8])] == [8], "it goes on with new processes"


def test_who_gives_up_ends_what_is_being_done_which_cleans_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ExitStack() as stack:

        def given_up() -> None:
            with opened(jobs=1) as runs:
                runs.executor.submit(work.waits, pipe)
                told = stack.enter_context(pipe.open())
                begun.append((int(told.readline()), told))
                raise KeyboardInterrupt

        begun: list[tuple[int, TextIO]] = []
        with pytest.raises(KeyboardInterrupt):
            given_up()
        ((process, told),) = begun
        assert told.read() == "cleaned up\n"
        assert not Path(f"/proc/{process}").exists()


def test_processes_end_with_the_one_that_asked_even_if_that_one_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = (
        "import sys; from pathlib import Path\n"
        "from harness.proving.executor import opened; from tests.kit import runs\n"
        "with opened(jobs=1) as found: list(found.completed(runs.waits, [Path(sys.argv[1])]))"
    )
    asking = subprocess.Popen([sys.executable, "-c", program, str(pipe)])
    try:
        with pipe.open() as told:
            process = int(told.readline())
            asking.kill()
            assert told.read() == "cleaned up\n", "its end of the pipe closes as it ends"
    finally:
        asking.kill()
        asking.wait()
    assert process != asking.pid


def test_here_and_elsewhere_at_once_is_misuse() -> None:
    with pytest.raises(Misuse), opened("tcp://127.0.0.1:8786", jobs=2):
        pass


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://h:8786/x"])
def test_an_address_that_is_none_of_a_scheduler_is_misuse(address: str) -> None:
    with pytest.raises(Misuse, match="tcp://HOST:8786"), opened(address):
        pass


def test_a_machine_says_what_it_lacks_for_a_need_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = pcsc.Missing("pcscd", "apt-get install pcscd")
    monkeypatch.setattr(pcsc, "missing", lambda: [lacking])
    with pytest.raises(CannotRun, match="apt-get install pcscd"), opened(jobs=1, needs=frozenset({Need.PCSCD})):
        pass
    with opened(jobs=1) as runs:
        assert [one.found for one in runs.completed(work.refused, [2])] == [2]


def test_a_machine_with_another_version_gets_nothing() -> None:
    assert "0.0.1" in Machine("there:1", "0.0.1").why_not(frozenset())


def test_no_scheduler_is_one_sentence() -> None:
    with pytest.raises(ClusterLost, match="dask scheduler"), opened(f"tcp://127.0.0.1:{pcsc.free_port(1)}"):
        pass
