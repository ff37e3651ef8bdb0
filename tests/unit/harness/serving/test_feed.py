"""The stream of a run's cards: what subscribers hear, what it costs the cards, and what of it may be shown."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import harness.trace
from emulator.chip import Chip, Exchange
from emulator.filesystem.memory.image import Image
from harness.faults import plan
from harness.faults.chip import Injector
from harness.faults.plan import Plan
from harness.readers.connection import InProcess
from harness.serving import control, feed, local_sockets, standing, subscription
from harness.serving.feed import Feed, SlotFeed
from harness.serving.masked import MaskedFeed
from harness.serving.observers import Observers
from harness.serving.subscription import Subscription, subscribe
from harness.trace.record import Trace
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN, new_card

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
SESSION = (SSSE, "00C000001E", VERIFY, WRONG_PIN, "00B2070C00", DF["DF04"], "0084000008", "0020000003", "00FF000000")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return control.own_folder()


class Run:
    """One card and its stream, without any reader."""

    def __init__(self, image: Image) -> None:
        self.told: list[Exchange] = []
        self.observers = Observers(self)
        self.chip = Chip(image, observer=self.observers)
        self.feed = Feed(lambda: [{"slot": 0, "card": standing.of_chip(self.chip)}], self.cards, self.listens)
        self.slot = SlotFeed(self.feed, 0)
        self.card = InProcess(self.chip)
        self.running = control.Running(control.new_id(), 0, {})
        self.heard = False

    def cards(self) -> list[dict[str, Any]]:
        seen = standing.SessionSeen.of(self.chip.session).as_table()
        image = self.chip.image
        return [{"slot": 0, "layout": image.layout.name, "algorithm": image.algorithm, **seen}]

    def listens(self, heard: bool) -> None:
        self.heard = heard
        (self.observers.add if heard else self.observers.remove)(self.slot)

    def exchanged(self, exchange: Exchange) -> None:
        self.told.append(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        del event, atr

    def play(self, *commands: str) -> None:
        for one in commands:
            self.card.send(bytes.fromhex(one))

    @contextlib.contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        with subscribe(self.running) as heard:
            yield heard


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    del folder
    one = Run(new_card().chip.image)
    with one.feed.serve(control.events(one.running.id)):
        yield one


def until(heard: Iterator[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The lines up to the event of this number, those about the slots left out."""
    lines = []
    for one in heard:
        if one["event"] not in ("slots", "card"):
            lines.append(one)
            if one["n"] >= number:
                return lines
    raise AssertionError(f"it ended before number {number}")


def test_a_subscriber_hears_how_the_slots_are_and_then_every_exchange_as_the_chip_told_it(run: Run) -> None:
    run.play(SSSE)
    with run.subscribed() as heard:
        first, card = next(heard), next(heard)
        assert (first["event"], card["event"]) == ("slots", "card")
        assert first["slots"][0]["card"]["directory"] == card["directory"] == "SSSE"
        before = len(run.told)
        run.chip.interposer = Injector(Plan((plan.from_text("status,sw=6F00,nth=2"),)), run.chip.image.layout)
        run.play(*SESSION)
        lines = until(heard, first["n"] + len(SESSION) + 1)
    assert [one["n"] for one in lines] == list(range(first["n"] + 1, first["n"] + len(SESSION) + 2))
    assert (
        [subscription.exchange(one) for one in lines if one["event"] == "apdu"]
        == [
            replace(one, seconds=int(one.seconds * 1e6) / 1e6)  # told in whole microseconds
            for one in run.told[before:]
        ]
    )
    (fault,) = [one for one in lines if one["event"] == "fault"]
    assert (fault["kind"], fault["command"]) == ("status", SESSION[1])


def test_what_is_shown_of_it_is_what_a_trace_holds(run: Run) -> None:
    """Masked line by line as the same session's trace is; valid by the schema of traces."""
    written: list[dict[str, Any]] = []
    trace = Trace(written.append)
    run.observers.add(trace.slot(0, run.chip.image))
    shown: list[dict[str, Any]] = []
    masked = MaskedFeed(shown.append)
    with run.subscribed() as heard:
        masked.take(next(heard))
        run.card.reset()
        run.play(*SESSION)
        for one in heard:
            masked.take(one)
            if one["n"] == len(SESSION) + 1 and one["event"] == "apdu":
                break
    events = [one for one in shown if one["event"] not in ("slots", "card")]
    schema = json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text())
    for one in events:
        jsonschema.validate(one, schema)
    mine, theirs = ([less(one) for one in each] for each in (events, written))
    assert mine == theirs
    assert len(mine) == len(SESSION) + 1
    assert "123456" not in "".join(one.get("command", "") for one in events)
    assert all(
        one["card"]["atr"].endswith("00000000") for line in shown if line["event"] == "slots" for one in line["slots"]
    )


def less(event: dict[str, Any]) -> dict[str, Any]:
    """An event without what the moment, and the hearer's own marks, put into it."""
    return {name: value for name, value in event.items() if name not in ("t", "time", "latency", "n", "pins", "card")}


def test_who_joins_in_the_middle_shows_no_more_than_who_was_there_from_the_beginning(folder: Path) -> None:
    """A PSAM has an answer with a delivered key waiting, and a file that holds keys is selected."""
    del folder
    run = Run(new_card("psam", "3des", "psam").chip.image)
    run.play(DF["DF01"])
    with run.feed.serve(control.events(run.running.id)):
        secret = b"\x5a" * 8
        run.chip.session.pending = secret
        shown: list[dict[str, Any]] = []
        masked = MaskedFeed(shown.append, personal_data=True)
        with run.subscribed() as heard:
            masked.take(next(heard))
            masked.take(next(heard))
            run.play("00C0000008")
            masked.take(until(heard, 1)[-1])
    assert shown[-1]["answer"] == "*" * 16 + "9000"
    assert run.told[-1].answer[:8] == secret


def test_who_does_not_keep_up_is_cut_off_and_told_and_the_card_and_the_others_go_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_PENDING", 20_000)
    path = control.events(run.running.id)
    with local_sockets.connect(path, 5) as slow, run.subscribed() as quick:
        lines = slow.makefile("rb")
        first = json.loads(lines.readline())
        next(quick)
        sent = 3000
        for _ in range(sent // 100):
            run.play(*["0084000008"] * 100)
            heard = until(quick, run.feed.number)
            assert heard[-1]["n"] == run.feed.number
        told = [json.loads(one) for one in lines]
    assert told[-1]["event"] == "cut"
    numbers = [one["n"] for one in told if one["event"] == "apdu"]
    assert numbers == list(range(first["n"] + 1, told[-1]["lost"])), "whole up to what it says that it lost"
    assert len(numbers) < sent
    assert len(run.told) == sent


def test_cards_are_watched_only_while_somebody_hears(run: Run) -> None:
    assert not run.heard
    with run.subscribed() as one, run.subscribed() as other:
        assert next(one)["event"] == next(other)["event"] == "slots"
        assert run.heard
    with run.subscribed() as again:
        next(again)
        assert run.heard
        run.play(SSSE)
        assert until(again, 1)[-1]["command"] == SSSE


def test_a_subscriber_is_told_that_the_run_has_ended(folder: Path) -> None:
    del folder
    run = Run(new_card().chip.image)
    with run.feed.serve(control.events(run.running.id)):
        heard = subscribe(run.running)
        assert [next(heard)["event"], next(heard)["event"]] == ["slots", "card"]
    with heard:
        assert list(heard) == [{"event": "gone"}]
    with pytest.raises(control.ControlError, match="has ended"):
        subscribe(run.running)


def test_one_observer_that_fails_leaves_the_others(caplog: pytest.LogCaptureFixture, run: Run) -> None:
    class Broken:
        def exchanged(self, exchange: Exchange) -> None:
            raise ValueError(secrets.token_hex(4) + exchange.command.hex())

        def powered(self, event: str, atr: bytes) -> None:
            raise KeyError(event, atr)

    run.observers.add(Broken())
    with run.subscribed() as heard:
        next(heard)
        run.play(*SESSION)
        assert len(until(heard, len(SESSION))) == len(SESSION)
    assert len(run.told) == len(SESSION)
    (record,) = caplog.records
    assert record.getMessage() == "Broken failed and is told no more; the card goes on: ValueError"
