"""What stands between a terminal and a chip besides PC/SC: an operating system's habits, and a real card's slowness."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from emulator.chip import Chip


@dataclass(frozen=True, slots=True)
class System:
    """How a system's smart card service treats a card that nobody is connected to.

    ``probes``: commands that it sends at insertion, after its reset. ``off_after``: seconds without use after which it
    takes the power; None: never. A card that keeps its power keeps rights and selection for the next program, too.
    """

    name: str
    probes: tuple[bytes, ...] = ()
    off_after: float | None = 0.0


PIV = bytes.fromhex("00A4040009A00000030800001000")
GIDS = bytes.fromhex("00A4040009A00000039742544659")
PROBES = (PIV, GIDS)
"""How they begin; some systems add Le."""
SYSTEMS = {
    "linux": System("linux"),
    "windows": System("windows", tuple(probe + b"\0" for probe in PROBES), None),
    "macos": System("macos", (), 5.0),
}
"""pcscd takes the power 0.4 to 0.8 s after the last use, measured; here at once, when it says so. Windows resets, looks
for two kinds of card by name, and never takes the power; macOS resets and takes it some 5 s after the last use. [1]
"""
BAUD = 9600
ETU_PER_BYTE = 12
"""Start bit, 8 data bits, parity, and two of guard time. [P]"""
PROCEDURE_BYTES = 1
COMMAND_TIME = 0.004
WRITE_TIME = 0.003
RESET_TIME = 0.05
"""Seconds of a card's own work per command, per non-volatile write, and until its ATR begins. [D]"""


class Shaped:
    """A chip as a slot takes it, under a system's habits and, with ``slow``, as fast as a contact card at 9600 bit/s.

    ``clock`` and ``sleep`` may be given by tests.
    """

    def __init__(
        self,
        chip: Chip,
        system: System = SYSTEMS["linux"],
        *,
        slow: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.chip = chip
        self.atr = chip.atr
        self._system = system
        self._slow = slow
        self._clock = clock
        self._sleep = sleep
        self._powered = False
        self._used = 0.0

    def power_on(self) -> bytes:
        """Power, if the system has taken it; else the card is as it was left. At insertion the system looks at it."""
        idle = self._clock() - self._used
        if self._powered and self._system.off_after is not None and idle >= self._system.off_after:
            self.taken_out()
        if self._powered:
            return self.atr
        inserted = self._reset(self.chip.power_on)
        for probe in self._system.probes:
            self.transmit(probe)
        return inserted

    def reset(self) -> bytes:
        """A reset is a reset on every system."""
        if not self._powered:
            return self.power_on()
        return self._reset(self.chip.reset)

    def _reset(self, reset: Callable[[], bytes]) -> bytes:
        atr = reset()
        self._powered, self._used = True, self._clock()
        self._take(RESET_TIME + _wire(len(atr)))
        return atr

    def power_off(self) -> None:
        """Takes the power, unless the system leaves it for a while or for good."""
        if self._system.off_after == 0:
            self.taken_out()

    def taken_out(self) -> None:
        """Out of the reader no system keeps it powered."""
        self._powered = False
        self.chip.taken_out()

    def transmit(self, command: bytes) -> bytes:
        """One command, as slow as it is to be."""
        nvm = self.chip.image.memory.nvm
        before = nvm.writes
        answer = self.chip.transmit(command)
        self._used = self._clock()
        written = nvm.writes - before
        self._take(COMMAND_TIME + WRITE_TIME * written + _wire(len(command) + PROCEDURE_BYTES + len(answer)))
        return answer

    def _take(self, seconds: float) -> None:
        if self._slow:
            self._sleep(seconds)


def _wire(size: int) -> float:
    return size * ETU_PER_BYTE / BAUD
