"""Runs that are begun from the page: queued, told, cancelled, ended with the page, kept, and never green unjudged."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.studio.verdicts import command
from harness.studio.verdicts.jobs import Jobs
from harness.studio.verdicts.programs import ProgramNameError, parsed
from harness.studio.verdicts.requests import (
    ProveRequest,
    RequestError,
    ScenariosRequest,
    SessionRequest,
    SweepRequest,
    VectorsRequest,
)
from harness.studio.verdicts.store import LOCK, NoSuchRun, RunsError, State, Store
from tests.kit.forks import Say, forked

DEADLINE = 60.0
PATIENT = """#!/bin/sh
# In the command's place: says how far it is, starts a process of its own, and goes on until it is ended.
sleep 600 &
echo $! > "$0.$$.child"
echo 'no progress' >&2
echo '{"progress": {"done": 1, "total": 2, "bad": 1, "what": "FIRST"}}' >&2
wait
"""


class Told:
    """Is told that runs changed, and waits for them to be as a test wants them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def __call__(self) -> None:
        """Something changed."""
        with self._changed:
            self._changed.notify_all()

    def until(self, as_wanted: Callable[[], object]) -> None:
        """Waits until it is so."""
        with self._changed:
            assert self._changed.wait_for(as_wanted, DEADLINE)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """A command that does not end by itself."""
    path = tmp_path / "patient"
    path.write_text(PATIENT)
    path.chmod(0o755)
    return path


@pytest.fixture
def slow(tmp_path: Path, patient: Path, told: Told) -> Iterator[Jobs]:
    """Jobs whose runs do not end by themselves."""
    jobs = Jobs(Store(tmp_path / "runs"), parsed(["mine=./mine --pin {pin}"]), changed=told, sscard=[str(patient)])
    with contextlib.closing(jobs):
        yield jobs


def children(patient: Path) -> list[int]:
    """The processes that its runs have started, as they say themselves."""
    files = patient.parent.glob(f"{patient.name}.*.child")
    return [int(text) for one in files if (text := one.read_text().strip())]


def lives(pid: int) -> bool:
    """True for a process that is there and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_two_are_played_at_once_and_the_third_waits_for_its_turn(slow: Jobs, told: Told) -> None:
    first, second, third = (slow.start(ScenariosRequest()) for _ in range(3))
    assert [slow.get(one.id).state for one in (first, second, third)] == [State.RUNNING, State.RUNNING, State.QUEUED]
    slow.cancel(first.id)
    told.until(lambda: slow.get(third.id).state is State.RUNNING)
    assert slow.wait(first.id, DEADLINE).state is State.CANCELLED


def test_one_that_waits_is_cancelled_without_ever_being_begun(slow: Jobs) -> None:
    for _ in range(2):
        slow.start(ScenariosRequest())
    waiting = slow.start(ScenariosRequest())
    ended = slow.cancel(waiting.id)
    assert (ended.state, ended.began, ended.came["conclusion"]) == (State.CANCELLED, "", "not judged")
    with pytest.raises(RunsError, match="over"):
        slow.cancel(waiting.id)


def test_how_far_a_run_is_is_told_and_the_rest_that_it_says_is_kept(slow: Jobs, told: Told) -> None:
    run = slow.start(VectorsRequest())
    told.until(lambda: slow.get(run.id).progress.total)
    progress = slow.get(run.id).progress
    assert (progress.done, progress.total, progress.bad, progress.what) == (1, 2, 1, "FIRST")
    slow.cancel(run.id)
    slow.wait(run.id, DEADLINE)
    assert (slow.store.folder(run.id) / "output.txt").read_text() == "no progress\n"


def test_a_cancelled_run_leaves_no_process_and_is_not_judged(slow: Jobs, told: Told, patient: Path) -> None:
    run = slow.start(VectorsRequest())
    told.until(lambda: slow.get(run.id).progress.total)
    slow.cancel(run.id)
    ended = slow.wait(run.id, DEADLINE)
    assert ended.state is State.CANCELLED
    assert ended.came["conclusion"] == "not judged"
    assert not any(map(lives, children(patient)))


def test_a_run_ends_with_the_process_of_the_page_and_is_told_as_interrupted(tmp_path: Path, patient: Path) -> None:
    def page(say: Say) -> None:
        told = Told()
        jobs = Jobs(Store(tmp_path / "runs"), changed=told, sscard=[str(patient)])
        run = jobs.start(VectorsRequest())
        told.until(lambda: jobs.get(run.id).progress.total)
        say(run.id)
        threading.Event().wait()

    process = forked(page)
    name = process.lines.readline().strip()
    here = Store(tmp_path / "runs")
    assert here.get(name).state is State.RUNNING, "another page plays it"
    with pytest.raises(RunsError, match="not over"):
        here.delete(name)
    process.kill()
    process.ended()
    for pid in children(patient):
        wait_gone(pid)
    with contextlib.closing(Jobs(here)) as jobs:
        run = jobs.get(name)
        assert run.state is State.INTERRUPTED
        assert run.came["conclusion"] == "not judged"
        assert [one.id for one in jobs.newest()] == [name]
        jobs.delete(name)
        assert jobs.newest() == []


def wait_gone(pid: int) -> None:
    """Waits for the end of a process that is no child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([handle], [], [], DEADLINE)
        assert ready, f"process {pid} lives on"
    finally:
        os.close(handle)


@pytest.mark.parametrize("code", [2, 3, 5])
def test_a_run_that_its_command_refuses_says_why_and_is_not_green(tmp_path: Path, code: int) -> None:
    command = tmp_path / "refusing"
    command.write_text(f"#!/bin/sh\necho 'Usage: …' >&2\necho 'Error: no such card' >&2\nexit {code}\n")
    command.chmod(0o755)
    with contextlib.closing(Jobs(Store(tmp_path / "runs"), sscard=[str(command)])) as jobs:
        run = jobs.wait(jobs.start(VectorsRequest()).id, DEADLINE)
    assert (run.state, run.exit_code, run.came["conclusion"]) == (State.ENDED, code, "not judged")
    assert run.why == "Error: no such card"


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with contextlib.closing(Jobs(Store(tmp_path / "runs"), sscard=[str(tmp_path / "none")])) as jobs:
        run = jobs.wait(jobs.start(VectorsRequest()).id, DEADLINE)
    assert (run.state, run.exit_code, run.came["conclusion"]) == (State.BROKEN, None, "not judged")
    assert "could not be begun" in run.why


def test_history_outlives_the_page(tmp_path: Path, slow: Jobs) -> None:
    run = slow.start(ScenariosRequest(only=("OFFICE-3-*",)))
    slow.close()
    with contextlib.closing(Jobs(Store(tmp_path / "runs"))) as later:
        (found,) = later.newest()
    assert (found.id, found.state, dict(found.request)) == (
        run.id, State.CANCELLED, {"kind": "scenarios", "only": ["OFFICE-3-*"]},
    )  # fmt: skip
    assert not (tmp_path / "runs" / run.id / LOCK).exists()


@pytest.mark.parametrize("name", ["..", "20261126-120000-abcdef", "../runs", "", "20261126-120000-abcdeg"])
def test_a_run_that_is_not_there_is_not_found_wherever_its_name_leads(slow: Jobs, name: str) -> None:
    for act in (slow.get, slow.cancel, slow.delete):
        with pytest.raises(NoSuchRun):
            act(name)


def test_a_run_that_cannot_be_read_says_so_and_can_be_deleted(slow: Jobs) -> None:
    run = slow.start(ScenariosRequest())
    slow.cancel(run.id)
    slow.wait(run.id, DEADLINE)
    (slow.store.folder(run.id) / "run.json").write_text('{"format": 1, "id": 3}')
    assert [(one.id, one.state, one.request["kind"]) for one in slow.newest()] == [(run.id, State.BROKEN, "unreadable")]
    slow.delete(run.id)
    assert slow.newest() == []
    with pytest.raises(NoSuchRun):
        slow.store.folder(run.id)


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        (VectorsRequest(profiles=("3.00-sm5",)), "profiles", "3.00-sm4"),
        (VectorsRequest(layout="3.0"), "layout", "3.00"),
        (VectorsRequest(layout="1.00", profiles=("1.00-sm4",)), "profiles", "1.00-3des"),
        (VectorsRequest(only=("VERIFY-RIHGT*",)), "only", "no id"),
        (VectorsRequest(items=("VERFIY",)), "items", "VERIFY"),
        (VectorsRequest(only=("VERIFY-*",), items=("RESET",)), "only", "no vector of these items"),
        (VectorsRequest(persona="adult-chengdu"), "persona", "name the slot"),
        (VectorsRequest(slot=0, profiles=("3.00-sm4",)), "profiles", "leave this out"),
        (VectorsRequest(slot=0, persona="adult-chegdu"), "persona", "adult-chengdu"),
        (ScenariosRequest(profiles=("4.00-sm4",)), "profiles", "3.00-sm4"),
        (ScenariosRequest(only=("OFICE",)), "only", "no id"),
        (ProveRequest(program="mien"), "program", "mine"),
        (ProveRequest(program="mine", situations=("usualy",)), "situations", "situation"),
        (SweepRequest(program="mine", prints=("(",)), "prints", "regular expression"),
        (SweepRequest(program="./mine"), "program", "named when the page was started"),
    ],
)  # fmt: skip
def test_a_typo_is_refused_at_its_field_before_anything_is_begun(
    slow: Jobs, asked: VectorsRequest | ScenariosRequest | ProveRequest | SweepRequest, field: str, said: str
) -> None:
    with pytest.raises(RequestError) as caught:
        slow.start(asked)
    assert caught.value.field == field
    assert said in str(caught.value)
    assert slow.newest() == []


def test_a_session_that_is_not_there_is_not_judged(slow: Jobs) -> None:
    with pytest.raises(RunsError, match="nothing to be judged"):
        slow.start(SessionRequest())


def test_a_session_is_judged_as_it_stands_when_it_is_asked_for(tmp_path: Path, patient: Path) -> None:
    traces = {"r1": ["one\n", "two\n"]}
    store = Store(tmp_path / "runs")
    with contextlib.closing(Jobs(store, trace_of=traces.get, sscard=[str(patient)])) as jobs:
        run = jobs.start(SessionRequest(session="r1"))
        traces["r1"].append("three\n")
        assert (store.folder(run.id) / "trace.jsonl").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("text", ["mine", "=x", "a b=x", "mine=", "mine='", "-x=y"])
def test_a_program_without_a_name_or_a_command_is_refused(text: str) -> None:
    with pytest.raises(ProgramNameError):
        parsed([text])
    with pytest.raises(ProgramNameError, match="twice"):
        parsed(["mine=a", "mine=b"])


def test_no_value_of_a_request_is_ever_taken_for_an_option_of_the_command(tmp_path: Path) -> None:
    """What is typed into a form stands behind its option's ``=``; a program is what was named at the start alone."""
    (program,) = parsed(["mine='my terminal' --pin {pin}"])
    asked = SweepRequest(program="mine", situation="--help", prints=("--version",), product="-x; rm -rf /")
    made = command.made(asked, tmp_path, {"mine": program}, tmp_path)
    before = made.argv[: made.argv.index("--")]
    assert made.argv[len(before) + 1 :] == ("my terminal", "--pin", "{pin}")
    assert "--situation=--help" in before
    assert "--prints=--version" in before
    assert "--product=-x; rm -rf /" in before


def test_a_run_whose_end_cannot_be_written_is_over_all_the_same(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.new({"kind": "scenarios"})
    (store.folder(run.id) / "run.new").mkdir()  # in the way of what is written
    with pytest.raises(OSError, match=r"run\.new"):
        store.put(replace(run, state=State.ENDED))
    assert store.get(run.id).state is State.INTERRUPTED
    store.delete(run.id)
    assert store.names() == []


def test_a_run_that_cannot_be_kept_leaves_nothing_in_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    store = Store(tmp_path)
    with pytest.raises(RunsError, match="the disk is full"):
        store.new({"kind": "scenarios"})
    assert store.names() == []


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: VectorsRequest(product="a\0b"),
        lambda: VectorsRequest(only=("a\0b",)),
        lambda: ProveRequest(program="a\0b"),
        lambda: SweepRequest(program="mine", prints=("a\0b",)),
        lambda: SessionRequest(product="a\0b"),
    ],
)
def test_what_no_command_line_can_have_is_refused_beside_its_field(request_of: Callable[[], object]) -> None:
    with pytest.raises(ValidationError, match="NUL"):
        request_of()
