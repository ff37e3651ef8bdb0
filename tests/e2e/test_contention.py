"""A card that another program looks at is waited for, wherever PC/SC is used; not for ever."""

from __future__ import annotations

import contextlib
import select
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from harness.driver.library import SSCardDriver
from harness.driver.readers import PcscReaders
from harness.readers import pcsc, waiting
from harness.readers.connection import Pcsc
from tests.kit.cards import SSSE
from tests.kit.forks import Say, forked
from tests.kit.served import DEADLINE, SSCARD, Served, serving, sscard

pytestmark = pytest.mark.pcsc
HELD, FREE = 0.1, 0.2
CALLS = 49
ROUNDS = 60
"""Resets, of which each may come at the one moment."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--psam", cards=2) as one:
        yield one


@contextlib.contextmanager
def looked_at(reader: str, held: float, free: float) -> Iterator[None]:
    """Another program that has the card for ``held`` seconds and leaves it for ``free``, again and again."""
    scard = pcsc.scard()
    ending, holds = threading.Event(), threading.Event()

    def look() -> None:
        with pcsc.context() as handle:
            while not ending.is_set():
                result, card, _ = scard.SCardConnect(handle, reader, scard.SCARD_SHARE_SHARED, 3)
                if result == scard.SCARD_S_SUCCESS:
                    holds.set()
                    ending.wait(held)
                    scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
                time.sleep(free)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        assert holds.wait(DEADLINE)
        yield
    finally:
        ending.set()
        thread.join()


def test_the_driver_waits_for_a_program_that_looks_at_the_card(served: Served) -> None:
    driver = SSCardDriver(PcscReaders(served.readers[:1], served.readers[1]))
    with looked_at(served.readers[0], HELD, FREE):
        codes = [driver.iReadCardBas(3)[0] for _ in range(CALLS)]
    assert codes == [0] * CALLS


def test_commands_wait_too(served: Served) -> None:
    with looked_at(served.readers[0], HELD, FREE):
        for _ in range(3):
            assert "611E" in sscard("apdu", SSSE, "--reader", served.readers[0])


def test_a_reset_ends_though_others_come_and_go(served: Served) -> None:
    """pcscd takes two that come at one moment for two that share, and pcsc-lite's client would wait for the other to go
    for ever, where nothing of Python's interrupts it: so this is a process of its own.
    """
    reader = served.readers[0]

    def work(say: Say) -> None:
        for _ in range(ROUNDS):
            with Pcsc(reader, reset_at_end=True) as card:
                card.reset()
        say("done")

    program = forked(work)
    with looked_at(reader, 0, 0), looked_at(reader, 0, 0), looked_at(reader, 0, 0):
        ready, _, _ = select.select([program.lines], [], [], DEADLINE)
        program.kill()
    said = program.lines.read()
    program.ended()
    assert ready, "it waits for ever"
    assert said == "done\n"


def test_who_keeps_the_card_is_not_waited_for_beyond_the_time_said(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(waiting.WAIT_VARIABLE, "0.5")
    driver = SSCardDriver(PcscReaders(served.readers[:1], served.readers[1]))
    with looked_at(served.readers[0], DEADLINE, FREE):
        began = time.monotonic()
        code, text = driver.iReadCardBas(3)
        assert code == -11, text
        assert 0.4 < time.monotonic() - began < 2
        monkeypatch.delenv(waiting.WAIT_VARIABLE)
        for more, least in ((), 3.0), (("--reader-wait", "6"), 6.0):
            began = time.monotonic()
            command = [SSCARD, *more, "apdu", SSSE, "--reader", served.readers[0]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 3
            assert "haring violation" in done.stderr
            assert time.monotonic() - began > least


def test_a_wait_that_is_nonsense_is_said_to_be(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("soon", "-1", "inf", "nan"):
        monkeypatch.setenv(waiting.WAIT_VARIABLE, text)
        with pytest.raises(pcsc.PcscError, match=waiting.WAIT_VARIABLE):
            pcsc.reader_wait()
    assert served.readers
