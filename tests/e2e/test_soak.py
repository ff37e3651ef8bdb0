"""An hour of counter sessions, compressed: several slots at once, faults of every kind, through the real pcscd.

Nothing may wedge or leak, and every fault is accounted for: the trace and what the clients saw are the same, byte by
byte, and a session only fails where a fault came.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.apdu.status import SW
from emulator.crypto.keys import test_root as root_of
from harness.faults.kinds import KINDS
from harness.keys.access import TerminalError
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.readers.pcsc import PcscError
from harness.serving import control
from harness.terminal import region
from harness.terminal.terminal import PinRefused, Refused, Terminal
from harness.trace import read
from tests.kit import effects
from tests.kit.sampled import DEEP
from tests.kit.served import Served, serving

pytestmark = pytest.mark.pcsc
SLOTS = 4 if DEEP else 2
SESSIONS = 240 if DEEP else 6
"""For each slot: at a counter a session takes 15 s and more, so 240 are an hour. Without ``make deep`` a sample."""
RATE = 1000 if DEEP else 120
"""One command in so many, for each kind of fault."""
WAITS = {"mute": ",seconds=0.2", "delay": ",seconds=0.05"}
PORT = 35963
PIN = "123456"
CODES = ("510100", "510700")
MOST_GROWTH = 2048
"""KiB that the card's process may grow by after it has warmed up."""


@dataclass
class Heard:
    """What one command came to, as the client saw it: no answer where the card was gone."""

    session: int
    command: bytes
    answer: bytes


class Listening:
    """A PC/SC connection that keeps what its client saw."""

    def __init__(self, reader: str, heard: list[Heard]) -> None:
        self.session = 0
        self.heard = heard
        self._inner = Pcsc(reader)

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    def reset(self) -> bytes:
        return self._inner.reset()

    def send(self, command: bytes) -> bytes:
        """As a plain client: an answer of one byte is one byte, a call without an answer has none."""
        result, answer = self._inner.transmit(command)
        if result == pcsc.scard().SCARD_S_SUCCESS:
            self.heard.append(Heard(self.session, command, answer))
        if result != pcsc.scard().SCARD_S_SUCCESS or len(answer) < 2:
            raise PcscError(f"no answer: {result:#x}, {len(answer)} bytes")
        return answer

    def close(self) -> None:
        self._inner.close()


@dataclass
class Counterwork:
    """One slot's clerk. ``failed``: sessions that did not work."""

    slot: int
    reader: str
    chance: random.Random
    heard: list[Heard] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    swaps: int = 0
    died: str = ""

    def work(self, sessions: int, first: int) -> None:
        connection: Listening | None = None
        try:
            for number in range(first, first + sessions):
                connection = connection or self.connected()
                connection.session = number
                try:
                    self._session(connection)
                except (PcscError, TerminalError, LookupError, ValueError) as error:
                    self.failed[number] = f"{type(error).__name__}: {error}"
                    blocked = isinstance(error, Refused) and error.sw == SW.BLOCKED
                    connection.close()
                    connection = None
                    if blocked:
                        self._swap()
        except Exception as error:
            self.died = repr(error)
        finally:
            if connection is not None:
                connection.close()

    def connected(self) -> Listening:
        """Reconnects until the card is there again and stays: PC/SC may not have noticed yet that it left."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if not pcsc.wait_card(self.reader):
                continue
            try:
                connection = Listening(self.reader, self.heard)
            except PcscError:
                pcsc.wait_card(self.reader, present=False, timeout=1)
                continue
            try:
                connection.reset()
            except PcscError:
                connection.close()
                pcsc.wait_card(self.reader, present=False, timeout=1)
                continue
            return connection
        raise TimeoutError(f"{self.reader}: no card for 30 s")

    def _swap(self) -> None:
        self.swaps += 1
        control.ask(control.chosen(PORT), {"op": "swap", "slot": self.slot, "persona": "adult-chengdu"}, timeout=60)

    def _session(self, connection: Listening) -> None:
        terminal = Terminal(connection, catalogue.layout("3.00"), root_of)
        terminal.begin()
        self._mend(terminal)
        deeds: tuple[Callable[[Terminal], object], ...] = (self._look, self._pin, self._move, self._write)
        self.chance.choice(deeds)(terminal)

    def _mend(self, terminal: Terminal) -> None:
        """What an interrupted session left: the PIN unknown or locked, the region half moved."""
        if terminal.pin_state() != 3:
            terminal.reload_pin(PIN)
        try:
            terminal.verify_pin(PIN)
        except PinRefused:
            terminal.reload_pin(PIN)
            terminal.verify_pin(PIN)
        held = region.read(terminal)
        if len({one.code for one in held}) > 1 or held[0].code not in CODES:
            for one in held:
                terminal.update(one.binding.item, CODES[0])

    @staticmethod
    def _look(terminal: Terminal) -> None:
        for path in ("SSSE/EF05", "SSSE/EF06", "DF01/EF05"):
            terminal.read_file(path)

    @staticmethod
    def _pin(terminal: Terminal) -> None:
        terminal.change_pin(PIN, "654321")
        terminal.change_pin("654321", PIN)
        terminal.reload_pin(PIN)

    @staticmethod
    def _move(terminal: Terminal) -> None:
        here = region.read(terminal)[0].code
        region.move(terminal, CODES[1] if here == CODES[0] else CODES[0], here)

    @staticmethod
    def _write(terminal: Terminal) -> None:
        terminal.update("SSSE/EF06/0A", "1")
        if terminal.read("SSSE/EF06/0A") != "1":
            raise TerminalError("the card does not read back what was written")


def _held(process: int) -> tuple[int, int]:
    """Resident KiB and open descriptors of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]), len(list(Path(f"/proc/{process}/fd").iterdir()))


def _round(clerks: list[Counterwork], sessions: int, first: int) -> None:
    threads = [threading.Thread(target=clerk.work, args=(sessions, first)) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(clerk.died for clerk in clerks), [clerk.died for clerk in clerks]


@pytest.mark.timeout(3000 if DEEP else 120)
def test_nothing_leaks_or_wedges_and_every_fault_is_accounted_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "soak.jsonl"
    rates = dict.fromkeys(KINDS, RATE) | {"challenge": RATE // 20}
    arguments = [f"--fault={kind},one_in={rate}{WAITS.get(kind, '')}" for kind, rate in rates.items()]
    personas = ["--persona=adult-chengdu"] * SLOTS
    began = time.monotonic()
    with serving(
        *personas, *arguments, "--seed=11", "--personal-data", "--show-secrets", f"--trace={trace}", cards=SLOTS
    ) as served:
        clerks = [Counterwork(n, served.readers[n], random.Random(n)) for n in range(SLOTS)]
        warm = max(2, SESSIONS // 5)
        _round(clerks, warm, 0)
        before = _held(served.process.pid)
        _round(clerks, SESSIONS - warm, warm)
        after = _held(served.process.pid)
        alive(served, clerks)
    faults, alone = accounted(trace, clerks)
    assert alone > 0.8 * sum(faults.values())
    assert not DEEP or set(faults) == set(KINDS)
    assert after[0] - before[0] <= MOST_GROWTH, f"resident: {before[0]} KiB, then {after[0]}"
    assert after[1] <= before[1] + 1, f"descriptors: {before[1]}, then {after[1]}"
    failed = sum(len(clerk.failed) for clerk in clerks)
    with capsys.disabled():
        if DEEP:
            print(
                f"\nsoak: {SLOTS * SESSIONS} sessions, {sum(len(one.heard) for one in clerks)} commands, "
                f"{sum(faults.values())} faults {dict(faults)}, {alone} of them alone at a command, "
                f"{failed} sessions failed, {sum(one.swaps for one in clerks)} cards swapped, "
                f"resident {before[0]} → {after[0]} KiB, descriptors {before[1]} → {after[1]}, "
                f"{time.monotonic() - began:.0f} s"
            )


def alive(served: Served, clerks: list[Counterwork]) -> None:
    """Every slot still serves, and the program still runs."""
    assert served.process.poll() is None
    for clerk in clerks:
        connection = clerk.connected()
        connection.session = -1
        connection.close()


def accounted(trace: Path, clerks: list[Counterwork]) -> tuple[Counter[str], int]:
    """Holds the trace against what the clients saw; the faults by kind, and how many came alone at a command and did
    what their kind says.
    """
    faults: Counter[str] = Counter()
    alone = 0
    for clerk in clerks:
        events = [event for event in read.events(trace) if event.slot == clerk.slot]
        told = [event for event in events if event.kind == "apdu"]
        seen = [(one.command, one.answer) for one in clerk.heard]
        assert [(event.command, event.answer) for event in told] == seen, f"slot {clerk.slot}"
        faulty: set[int] = set()
        number = -1
        for event in events:
            if event.kind == "apdu":
                number += 1
            elif event.kind == "fault":
                faults[event.told("kind")] += 1
                faulty.add(clerk.heard[number + 1].session)
        # A command that changes things and whose answer was spoilt can leave its mark on the next session.
        for session, why in clerk.failed.items():
            assert {session, session - 1} & faulty, f"slot {clerk.slot}, session {session}, without a fault: {why}"
        for one in effects.of(events):
            assert one.right, f"slot {clerk.slot}, line {one.fault.line}: {one.fault.table}, {one.told.table}"
            alone += 1
    return faults, alone
