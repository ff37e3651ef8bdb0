"""A driver's PIN pad that waits for what is typed elsewhere: the caller hears what the cardholder did there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from harness.driver import pad_desk
from harness.driver.clients import Clients
from harness.driver.codes import Code
from harness.driver.pad_desk import EntryError, NoSuchPad, PadDesk
from harness.driver.readers import Given
from harness.driver.traced import CallTrace
from harness.readers.connection import InProcess
from harness.trace.record import TraceFile
from harness.web import driver as front
from tests.kit.cards import new_card

PATIENCE = 20.0
GOOD = 1
"""What our dialect says where the library says 0."""
VERIFY = {"function": "iVerifyPIN", "iType": 3}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


class Counter:
    """Counter software that asks for a PIN, and the pad of its service."""

    def __init__(self, desk: PadDesk, trace: Path, *script: str) -> None:
        self.file = TraceFile(trace)
        self.file.__enter__()
        given = Given(lambda _: InProcess(new_card(persona="pin-changed").chip), lambda: None)
        clients = Clients(given, script, calls=CallTrace(self.file), more=desk.take)
        self.client = TestClient(front.create(clients), base_url="http://127.0.0.1")

    def call(self, **more: Any) -> int:
        return int(self.client.post("/call", json={**VERIFY, **more}).json()["success"])

    def called(self, entry: str) -> int:
        """The code of a call during which this is typed, once the pad says that somebody waits."""
        codes: list[int] = []
        caller = threading.Thread(target=lambda: codes.append(self.call()))
        caller.start()
        until = time.monotonic() + PATIENCE
        while not (waits := [one["pad"] for one in pad_desk.pads() if one["waiting"]]):
            assert time.monotonic() < until, "nobody waits at the pad"
        pad_desk.enter(waits[0], entry)
        caller.join()
        return codes[0]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with pad_desk.served(PATIENCE) as desk:
        one = Counter(desk, tmp_path / "trace.jsonl")
        yield one
        one.file.__exit__(None, None, None)


def test_who_calls_waits_for_what_the_cardholder_does(counter: Counter, tmp_path: Path) -> None:
    assert counter.called("142857") == GOOD
    assert counter.called("142858") == Code.PIN_WRONG
    assert counter.called("cancel") == Code.PIN_CANCELLED
    assert counter.called("timeout") == Code.PIN_TIMED_OUT
    assert [one["waiting"] + one["queued"] for one in pad_desk.pads()] == [0]
    trace = (tmp_path / "trace.jsonl").read_text(encoding="utf-8")
    assert "iVerifyPIN" in trace
    assert not any(digits in trace for digits in ("142857", "142858"))


def test_what_is_entered_ahead_is_kept_for_the_next_one(counter: Counter) -> None:
    (pad,) = pad_desk.pads()
    pad_desk.enter(pad["pad"], "142857")
    assert pad_desk.pads()[0]["queued"] == 1
    assert counter.call() == GOOD
    pad_desk.enter(pad["pad"], "142858")
    assert counter.call(pad=["142857"]) == GOOD, "a script of the caller's own goes first"
    assert pad_desk.pads()[0]["queued"] == 1


@pytest.mark.parametrize("entry", ["", "123", "1234567890123", "１２３４", "12 34", "Cancel"])
def test_what_no_pad_has_keys_for_is_refused_and_not_quoted(counter: Counter, entry: str) -> None:
    (pad,) = pad_desk.pads()
    with pytest.raises(EntryError) as refused:
        pad_desk.enter(pad["pad"], entry)
    assert not entry or entry not in str(refused.value)
    assert pad_desk.pads()[0]["queued"] == 0
    del counter


def test_a_pad_keeps_no_more_entries_than_it_can(counter: Counter) -> None:
    (pad,) = pad_desk.pads()
    for _ in range(pad_desk.MOST):
        pad_desk.enter(pad["pad"], "1234")
    with pytest.raises(EntryError, match=str(pad_desk.MOST)):
        pad_desk.enter(pad["pad"], "1234")
    del counter


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    with pad_desk.served(0.05) as desk:
        late = Counter(desk, tmp_path / "t")
        assert late.call() == Code.PIN_TIMED_OUT
        late.file.__exit__(None, None, None)
    codes: list[str] = []
    with pad_desk.served(PATIENCE) as desk:
        (pad,) = pad_desk.pads()
        waiting = threading.Thread(target=lambda: codes.append(desk.take()))
        waiting.start()
    waiting.join(PATIENCE)
    assert codes == ["timeout"], "the service ends"
    with pytest.raises(NoSuchPad):
        pad_desk.enter(pad["pad"], "1234")
