from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from emulator.chip import Chip
from emulator.reader.slot import Slot
from emulator.security import PIN
from harness.serving.reader_profiles import SYSTEMS, Shaped
from harness.serving.timing import USUAL, Timing
from harness.trace.record import Trace
from tests.kit.cards import SSSE, VERIFY, new_card
from tests.unit.emulator.reader.test_reader import Driver, driver  # noqa: F401


@dataclass
class Later:
    """What is to happen at a time of the test's own clock."""

    at: float
    act: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Under:
    """A card under a system, with a clock of its own and a trace."""

    def __init__(self, system: str, *, timing: Timing | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.waiting: Later | None = None
        self.seen: list[str] = []
        image = new_card().chip.image
        trace = Trace(lambda event: self.seen.append(event.get("command") or event["event"]))
        self.chip = Chip(image, observer=trace.slot(0, image))
        self.card = Shaped(
            self.chip,
            SYSTEMS[system],
            timing=timing,
            clock=lambda: self.now,
            sleep=self.slept.append,
            later=self.later,
        )

    def later(self, seconds: float, act: Callable[[], None]) -> Later:
        self.waiting = Later(self.now + seconds, act)
        return self.waiting

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.waiting and not self.waiting.cancelled and self.now >= self.waiting.at:
            self.waiting.act()

    def send(self, *commands: str) -> str:
        answer = ""
        for command in commands:
            answer = self.card.transmit(bytes.fromhex(command)).hex().upper()
        return answer

    @property
    def verified(self) -> bool:
        return PIN in self.chip.session.rights


def left_alone(system: str, seconds: float) -> Under:
    """A program verifies the PIN and goes; so many seconds later another one connects."""
    under = Under(system)
    under.card.power_on()
    under.send(SSSE, VERIFY)
    assert under.verified
    under.card.power_off()
    under.pass_time(seconds)
    under.card.power_on()
    return under


@pytest.mark.parametrize(
    ("system", "seconds", "kept"),
    [("linux", 0.0, False), ("windows", 86400.0, True), ("macos", 4.9, True), ("macos", 5.0, False)],
)
def test_what_the_next_program_finds(system: str, seconds: float, kept: bool) -> None:
    under = left_alone(system, seconds)
    assert under.verified is kept
    assert under.send("00B207280B")[-4:] == ("9000" if kept else "6A82")


def test_macos_takes_the_power_when_its_time_has_come_and_not_at_the_next_use() -> None:
    under = Under("macos")
    under.card.power_on()
    under.send(SSSE)
    under.pass_time(3)
    under.card.power_off()
    under.pass_time(1.9)
    assert under.seen[-1] != "off"
    under.pass_time(0.1)
    assert under.seen[-1] == "off", "5 s after the last use"
    under.card.power_on()
    under.card.power_off()
    under.card.power_on()
    under.pass_time(60)
    assert under.seen[-1] == "reset", "in use again"


def test_macos_by_the_real_clock() -> None:
    image = new_card().chip.image
    gone = threading.Event()
    trace = Trace(lambda event: gone.set() if event["event"] == "off" else None)
    card = Shaped(Chip(image, observer=trace.slot(0, image)), replace(SYSTEMS["macos"], off_after=0.05))
    card.power_on()
    card.power_off()
    assert gone.wait(10)


def test_a_reset_is_a_reset_everywhere() -> None:
    for system in SYSTEMS:
        under = left_alone(system, 0.1)
        under.card.reset()
        assert not under.verified


def test_windows_looks_at_a_card_that_is_put_in_and_only_then() -> None:
    under = Under("windows")
    under.card.power_on()
    under.card.power_off()
    under.card.power_on()
    under.card.reset()
    probes = ["00A4040009A0000003080000100000", "00A4040009A0000003974254465900"]
    assert under.seen == ["reset", *probes, "reset"]
    under.card.taken_out()
    under.card.power_on()
    assert under.seen[4:] == ["off", "reset", *probes]


def test_probes_do_the_card_no_harm() -> None:
    under = Under("windows")
    under.card.power_on()
    assert under.send(SSSE) == "611E"


def test_slow_is_as_slow_as_the_wire_and_the_memory() -> None:
    under = Under("linux", timing=USUAL)
    under.card.power_on()
    under.send(SSSE, VERIFY, "00B207280B", "0020000003999999")
    reset, select, _, read, wrong = under.slept
    assert reset == pytest.approx(0.05 + 17 * 12 / 9600)
    assert select == pytest.approx(0.004 + (20 + 1 + 2) * 12 / 9600)
    assert read == pytest.approx(0.004 + (5 + 1 + 13) * 12 / 9600)
    assert wrong == pytest.approx(0.004 + 0.003 + (8 + 1 + 2) * 12 / 9600), "a wrong PIN costs one write"


def test_quick_by_default() -> None:
    under = Under("linux")
    under.card.power_on()
    under.send(SSSE)
    assert under.slept == []


def test_through_a_slot(driver: Driver) -> None:  # noqa: F811
    """pcscd takes the power, Windows would not: the rights are still there."""
    for system, kept in (("windows", True), ("linux", False)):
        under = Under(system)
        slot = Slot(under.card, driver.port)
        try:
            slot.insert()
            driver.accept()
            assert driver.ask(b"\4") == under.card.atr
            driver.tell(1)
            for command in (SSSE, VERIFY):
                driver.ask(bytes.fromhex(command))
            driver.tell(0, 1)
            assert driver.ask(b"\4") == under.card.atr, "what was told before is done"
            assert under.verified is kept
        finally:
            slot.close()
        assert under.seen[-1] == "off"
