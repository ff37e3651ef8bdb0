"""What stands between a terminal and a chip besides PC/SC: an operating system's habits, and a real card's slowness."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from emulator.apdu.instructions.select import Select
from emulator.filesystem.memory.image import Image
from emulator.reader.slot import Card
from harness.serving.timing import Timing


@dataclass(frozen=True, slots=True)
class System:
    """How a system's smart card service treats a card that nobody is connected to.

    ``probes``: commands that it sends at insertion, after its reset. ``off_after``: seconds without use after which it
    takes the power; None: never. A card that keeps its power keeps rights and selection for the next program, too.
    """

    name: str
    probes: tuple[bytes, ...] = ()
    off_after: float | None = 0.0


PIV, GIDS = bytes.fromhex("A00000030800001000"), bytes.fromhex("A00000039742544659")
"""Names of other kinds of card. [P]"""
PROBES = tuple(bytes(Select.command(name)) for name in (PIV, GIDS))
"""How they begin; some systems add Le."""
SYSTEMS = {
    "linux": System("linux"),
    "windows": System("windows", tuple(probe + b"\0" for probe in PROBES), None),
    "macos": System("macos", (), 5.0),
}
"""pcscd takes the power 0.4 to 0.8 s after the last use, measured; here at once, when it says so. Windows resets, looks
for two kinds of card by name, and never takes the power; macOS resets and takes it some 5 s after the last use.
[D]
"""


class Behind(Card, Protocol):
    """What stands behind a system: a chip, or one side of a card that is in two readers."""

    @property
    def image(self) -> Image:
        """Returns what survives power."""


Through = TypeVar("Through", bound=Behind)


class Waiting(Protocol):
    """Something that is to happen later."""

    def cancel(self) -> None:
        """It is not to happen any more."""


def _timer(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer


class Shaped(Generic[Through]):
    """A chip as a slot takes it, under a system's habits and, with ``timing``, no faster than that says.

    ``clock``, ``sleep`` and ``later`` may be given by tests.
    """

    def __init__(
        self,
        chip: Through,
        system: System = SYSTEMS["linux"],
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        later: Callable[[float, Callable[[], None]], Waiting] = _timer,
    ) -> None:
        self.chip = chip
        self.atr = chip.atr
        self._system = system
        self._timing = timing
        self._clock = clock
        self._sleep = sleep
        self._later = later
        self._lock = threading.RLock()
        self._waiting: Waiting | None = None
        self._powered = False
        self._used = 0.0

    def power_on(self) -> bytes:
        """Power, if the system has taken it; else the card is as it was left. At insertion the system looks at it."""
        with self._lock:
            self._use()
            if self._powered:
                return self.atr
            inserted = self._reset(self.chip.power_on)
            for probe in self._system.probes:
                self.transmit(probe)
            return inserted

    def reset(self) -> bytes:
        """A reset is a reset on every system."""
        with self._lock:
            self._use()
            return self._reset(self.chip.reset) if self._powered else self.power_on()

    def _reset(self, reset: Callable[[], bytes]) -> bytes:
        atr = reset()
        self._powered, self._used = True, self._clock()
        if self._timing is not None:
            self._sleep(self._timing.of_reset(atr))
        return atr

    def power_off(self) -> None:
        """Takes the power, unless the system leaves it for a while or for good."""
        after = self._system.off_after
        with self._lock:
            if after == 0:
                self.taken_out()
            elif after is not None and self._powered:
                self._use()
                self._waiting = self._later(max(0.0, self._used + after - self._clock()), self._idle)

    def _idle(self) -> None:
        """Nobody has used it for as long as the system waits."""
        with self._lock:
            if self._waiting is not None:
                self.taken_out()

    def _use(self) -> None:
        """Somebody uses it, or it is gone: the system does not wait any more."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None

    def taken_out(self) -> None:
        """Out of the reader no system keeps it powered."""
        with self._lock:
            self._use()
            self._powered = False
            self.chip.taken_out()

    def transmit(self, command: bytes) -> bytes:
        """One command, as slow as it is to be."""
        nvm = self.chip.image.memory.nvm
        before = nvm.writes
        with self._lock:
            self._use()
            answer = self.chip.transmit(command)
            self._used = self._clock()
        if self._timing is not None:
            self._sleep(self._timing.of_command(command, answer, nvm.writes - before))
        return answer
