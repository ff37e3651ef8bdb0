"""What a sweep plays: every kind of fault, at every command where it has something to spoil."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import pytest

from harness.faults.chip import FaultyChip
from harness.faults.kinds import KINDS
from harness.faults.plan import FaultError, Plan, from_text
from harness.proving.sweep import grid
from harness.proving.sweep.grid import Cell, CellError, Recorded
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from harness.trace import read
from harness.trace.record import TraceFile
from tests.kit.cards import SSSE, VERIFY, new_card

COMMANDS = (SSSE, "00C000001E", "00B2072C0B", "0084000008", VERIFY)


def play(path: Path, cell: Cell | None = None) -> list[bytes | None]:
    """The answers of one session, None where none came; after a loss it begins anew."""
    image = new_card().chip.image.fork()
    found: list[bytes | None] = []
    with TraceFile(path, force=True) as trace:
        plan = cell.plan(0) if cell else Plan(())
        chip = FaultyChip(image, plan, observer=trace.slot(0, image), sleep=lambda _seconds: None)
        connection = InProcess(chip)
        for command in COMMANDS:
            try:
                found.append(connection.send(bytes.fromhex(command)))
            except PcscError:
                found.append(None)
                with contextlib.suppress(PcscError):  # a card that never comes back
                    connection.reset()
    return found


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    path = tmp_path_factory.mktemp("sound") / "t.jsonl"
    play(path)
    return list(grid.recorded(read.events(path), 0))


def test_every_kind_of_fault_is_in_a_sweep() -> None:
    writing = Recorded(1, b"", b"\x90\x00", "UPDATE RECORD", False, 2)
    kinds = Counter(from_text(text).kind for text in grid.columns([writing]))
    assert kinds.keys() == KINDS.keys()
    assert kinds["power-cut"] == 3, "before the first write, between the two, after the last"


def test_the_commands_of_a_sound_run_are_numbered_as_the_card_counts_them(commands: list[Recorded]) -> None:
    assert [(one.number, one.instruction, one.first, one.writes) for one in commands] == [
        (1, "SELECT", True, 0),
        (2, "GET RESPONSE", False, 0),
        (3, "READ RECORD", False, 0),
        (4, "GET CHALLENGE", False, 0),
        (5, "VERIFY", False, 2),
    ]


def test_a_cell_stands_where_its_fault_has_something_to_spoil(commands: list[Recorded]) -> None:
    where: dict[str, set[int]] = {}
    for cell in grid.cells(commands):
        where.setdefault(cell.fault, set()).add(cell.number)
    assert where["repeat"] == {2, 3, 4, 5}, "no answer comes before the first"
    assert where["challenge"] == {4}
    assert where["garbled"] == where["truncated"] == {2, 3, 4}
    assert where["sw61"] == {2, 3, 4}
    assert where["status,sw=9000"] == where["status,sw=63C2"] == where["status,sw=6581,executed=yes"] == {5}
    assert where["power-cut,after=0"] == where["power-cut"] == where["power-cut,after=2"] == {5}
    for always in ("status,sw=6F00", "removal", "reset,moment=before", "delay,seconds=0.5", "oversized"):
        assert where[always] == {1, 2, 3, 4, 5}


def test_every_cell_comes_at_its_command_and_nowhere_else(commands: list[Recorded], tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for cell in grid.cells(commands):
        play(path, cell)
        events = list(read.events(path))
        faults = [at for at, one in enumerate(events) if one.kind is read.EventKind.FAULT]
        assert len(faults) == 1, cell
        before = sum(one.kind is read.EventKind.APDU for one in events[: faults[0]])
        assert before == cell.number - 1, cell
        assert events[faults[0]].told("kind") == cell.model.kind


def test_a_cell_reads_back_as_it_is_written(commands: list[Recorded]) -> None:
    for cell in grid.cells(commands):
        assert Cell.parse(str(cell)) == cell
    assert Cell.parse("5:power-cut,after=1") == Cell(5, "power-cut")


@pytest.mark.parametrize("text", ["", "garbled", "0:garbled", "x:garbled", "-1:garbled", "５:garbled"])
def test_a_cell_begins_with_the_number_of_a_command(text: str) -> None:
    with pytest.raises(CellError, match=r"expected the number of a command and a fault, like 17:power-cut"):
        Cell.parse(text)


@pytest.mark.parametrize("text", ["3:garbeld", "3:garbled,nth=2", "3:garbled,at=3", "3:"])
def test_a_cell_names_a_fault_and_no_other_place(text: str) -> None:
    with pytest.raises(FaultError):
        Cell.parse(text)


def test_a_sample_has_every_fault_before_it_has_one_twice(commands: list[Recorded]) -> None:
    every = grid.cells(commands)
    faults = {cell.fault for cell in every}
    few = grid.sampled(every, len(faults), 7)
    assert {cell.fault for cell in few} == faults
    assert few == grid.sampled(every, len(faults), 7)
    assert few != grid.sampled(every, len(faults), 8)
    assert sorted(map(str, grid.sampled(every, 0, 7))) == sorted(map(str, every))
    assert grid.sampled(every, 3, 7) == few[:3], "a longer sample goes on where a shorter one ended"
