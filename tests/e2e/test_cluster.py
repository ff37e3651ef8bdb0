"""Runs on a real Dask scheduler and two workers, each in a network namespace of its own; one machine has no pcscd."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.proving import cluster as in_cluster
from harness.proving import executor
from harness.proving.cluster import ClusterLost
from harness.proving.executor import opened
from harness.proving.machine import CannotRun, Need
from tests.kit import runs as work
from tests.kit.cluster import Cluster, cluster

PCSCD = frozenset({Need.PCSCD})
COMMANDS = ("00A4040009D15600000573686273", "0020000000", "00B2012C12", "0084", "FF")


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    """Worker ``b`` has no pcscd. The tests below take away one after another: they stand in this order."""
    with cluster(without_pcscd="b") as found:
        yield found


def test_a_cluster_finds_what_this_machine_finds(two: Cluster) -> None:
    asked = [COMMANDS[:count] for count in range(1, 6)] * 4
    said: list[str] = []
    with opened(two.address, say=said.append) as runs:
        done = sorted(runs.completed(work.answers, asked), key=lambda one: one.number)
    with opened(jobs=2) as here:
        ours = sorted(here.completed(work.answers, asked), key=lambda one: one.number)
    assert [(one.number, one.found, one.trouble) for one in done] == [(one.number, one.found, "") for one in ours]
    assert {one.where.rpartition(":")[2] for one in done} == {str(one.pid) for one in two.workers.values()}
    assert said == [f"2 workers of {two.address} do the runs"]


def test_a_worker_without_pcscd_says_so_and_gets_other_runs(two: Cluster) -> None:
    said: list[str] = []
    with opened(two.address, needs=PCSCD, say=said.append) as runs:
        found = {one.found for one in runs.completed(work.pid, range(8))}
    assert found == {two.workers["a"].pid}
    assert [text for text in said if "pcscd is missing" in text and "gets other work" in text] == said[:1]


def test_a_run_that_raises_on_a_worker_says_what_it_raised(two: Cluster) -> None:
    with opened(two.address) as runs:
        done = {one.number: one for one in runs.completed(work.refused, range(4))}
    assert [done[number].found for number in range(4)] == [0, None, 2, None]
    assert done[1].trouble == "Refused: 1 is odd"


def test_a_killed_worker_loses_nothing_and_only_its_own_runs_are_repeated(two: Cluster, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def kill() -> None:
        (tmp_path / "pipe").read_text()
        two.kill("a")

    killing = threading.Thread(target=kill)
    killing.start()
    victim = two.workers["a"].pid
    with opened(two.address) as runs:
        asked = [(tmp_path, number, victim) for number in range(12)]
        done = {one.number: one for one in runs.completed(work.held_once, asked)}
    killing.join()
    assert {number: one.found for number, one in done.items()} == {number: number for number in range(12)}
    begun = {number: (tmp_path / f"begun-{number}").read_text().split() for number in range(12)}
    assert {by[0] for by in begun.values() if len(by) > 1} == {str(victim)}, "runs of the worker that lives came twice"


def test_where_nobody_is_left_who_could_it_is_said(two: Cluster) -> None:
    with pytest.raises(CannotRun, match="no worker of"), opened(two.address, needs=PCSCD):
        pass


def test_what_is_lost_in_the_middle_ends_the_runs_with_a_word(two: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "QUIET", 0.2)
    monkeypatch.setattr(in_cluster, "CONNECTING", 0.5)
    with opened(two.address) as runs:
        completed = runs.completed(work.pid, iter(range(10**9)))
        assert next(completed).found == two.workers["b"].pid
        two.kill("b")
        with pytest.raises(CannotRun, match="has no workers"):
            list(completed)
        two.scheduler.kill()
        with pytest.raises(ClusterLost, match="is gone"):
            list(runs.completed(work.pid, [1]))
