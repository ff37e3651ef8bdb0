"""Observers never change an answer: what fails to be written down fails apart from the card."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest

from emulator.chip import Chip, Exchange
from emulator.reader.slot import Slot
from emulator.reader.wire import Control
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.relay import Relay
from harness.readers.connection import InProcess
from harness.trace.record import TraceFile, check_new
from tests.kit.cards import SSSE, VERIFY, new_card
from tests.unit.emulator.reader.test_reader import Driver
from tests.unit.harness.cli.test_cli import run

CHANGE = "805E010007123456FF876543"
NEW = "0020000003876543"
FULL = Path("/dev/full")


class Broken:
    """Fails at every exchange, with words that quote it."""

    def __init__(self) -> None:
        self.seen = 0

    def exchanged(self, exchange: Exchange) -> None:
        self.seen += 1
        raise ValueError(exchange.command.hex())

    def powered(self, event: str, atr: bytes) -> None:
        if event == "off":
            raise KeyError(atr)


def changes_pin(card: InProcess | Relay) -> None:
    """The whole of a change, as if nobody looked."""
    send = card.send if isinstance(card, InProcess) else card.transmit
    answers = [send(bytes.fromhex(one))[-2:].hex() for one in (VERIFY, CHANGE, NEW)]
    assert answers == ["9000"] * 3


@pytest.mark.parametrize("faulty", [False, True])
def test_a_full_disk_ends_the_trace_in_one_sentence_and_the_card_lives_on(
    caplog: pytest.LogCaptureFixture, faulty: bool
) -> None:
    image = new_card().chip.image
    with TraceFile(FULL) as trace:
        faults = Plan((plan.from_text("delay,seconds=0"),))
        observer = trace.slot(0, image)
        chip = FaultyChip(image, faults, observer=observer) if faulty else Chip(image, observer=observer)
        card = InProcess(chip)
        card.reset()
        card.send(bytes.fromhex(SSSE))
        changes_pin(card)
        card.close()
    assert [one.getMessage() for one in caplog.records] == [
        "/dev/full: the trace ends here, the cards go on: the disk is full"
    ]


def test_a_card_in_a_slot_serves_its_reader_on_when_the_disk_is_full(caplog: pytest.LogCaptureFixture) -> None:
    image, driver = new_card().chip.image, Driver()
    with TraceFile(FULL) as trace, closing(Slot(Chip(image, observer=trace.slot(0, image)), driver.port)) as slot:
        slot.insert()
        with driver.accept(), driver.listener:
            for _ in range(2):  # the power goes and comes, and the trace ended long ago
                driver.tell(Control.ON)
                assert driver.ask(bytes((Control.ATR,))) == image.atr
                assert driver.ask(bytes.fromhex(SSSE))[:1] == b"\x61"
                assert driver.ask(bytes.fromhex(VERIFY)) == b"\x90\x00"
                driver.tell(Control.OFF)
    assert [one.getMessage() for one in caplog.records] == [
        "/dev/full: the trace ends here, the cards go on: the disk is full"
    ]


@pytest.mark.parametrize("way", ["chip", "faulty", "relay"])
def test_an_observer_that_fails_is_told_no_more(caplog: pytest.LogCaptureFixture, way: str) -> None:
    image, broken = new_card().chip.image, Broken()
    chip = FaultyChip(image, Plan(()), observer=broken) if way == "faulty" else Chip(image)
    if way == "chip":
        chip.observer = broken
    connection = InProcess(chip)
    card = Relay(connection, broken) if way == "relay" else connection
    if isinstance(card, Relay):
        card.power_on()
    (card.send if isinstance(card, InProcess) else card.transmit)(bytes.fromhex(SSSE))
    changes_pin(card)
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.getMessage() == "Broken failed and is told no more; the card goes on: ValueError"
    assert broken.seen == 1


def test_a_fault_of_ours_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Exchange] = []
    words = "card number A" + "00000011"

    class Ear:
        def exchanged(self, exchange: Exchange) -> None:
            seen.append(exchange)

        def powered(self, event: str, atr: bytes) -> None:
            del event, atr

    chip = Chip(new_card().chip.image, observer=Ear())
    card = InProcess(chip)

    def fails(*_: object) -> None:
        raise ZeroDivisionError(words)

    monkeypatch.setattr("emulator.apdu.instructions.select.Select.parse", fails)
    assert card.send(bytes.fromhex(SSSE)) == b"\x6f\x00"
    assert seen[-1].failure.endswith("ZeroDivisionError")
    assert "fails" in seen[-1].failure
    assert "A00000011" not in seen[-1].failure


# --- files that are there -------------------------------------------------------------------------------------------


def test_a_trace_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("a day's work\n")
    with pytest.raises(FileExistsError, match="--force"):
        TraceFile(path)
    with TraceFile(path, force=True):
        pass  # a start that failed: nothing came
    assert path.read_text() == "a day's work\n"
    with TraceFile(path, force=True) as trace:
        trace.slot(0).powered("off", b"")
    assert path.read_text().count("\n") == 1
    assert "day" not in path.read_text()


def test_a_start_that_failed_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with pytest.raises(RuntimeError), TraceFile(path):
        raise RuntimeError("no reader")
    assert not path.exists()
    path.touch()
    assert not check_new(path, force=False), "an empty file loses nothing"


def test_no_command_overwrites_a_file_without_force(tmp_path: Path) -> None:
    there, trace = tmp_path / "there", tmp_path / "t.jsonl"
    there.write_text("a day's work")
    with TraceFile(trace) as written:
        written.slot(0).powered("off", b"")
    commands = (
        ["trace", "export", str(trace), "-o", str(there)],
        ["record", "--reader", "no such reader", "-o", str(there)],
        ["run", "--private", "--trace", str(there)],
    )
    for command in commands:
        assert "--force" in run(*command, expect=1).stderr
        assert there.read_text() == "a day's work", command
    run(*commands[1], "--force", expect=3)
    assert there.read_text() == "a day's work", "a start that failed"
    trace.write_text("torn\n")
    run(*commands[0], "--force", expect=1)
    assert there.read_text() == "a day's work", "nothing to export"
