"""What a sweep plays: the commands of the sound run, the faults, and the cells where one can come at the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from emulator.apdu.status import SW, is_retry
from emulator.apdu.table import EVERYTHING
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.faults.kinds import DONE, Cut, Fault, Phase, Repeat, Status
from harness.faults.plan import Plan, from_text
from harness.trace.read import Event, EventKind

FAULTS = (
    "status,sw=6F00",
    "status,sw=6F00,executed=yes",
    "status,sw=9000",
    "status,sw=63C2",
    "status,sw=6581,executed=yes",
    "sw61,part=8",
    "sw6c,by=1",
    "truncated,by=1",
    "truncated,by=1,status_too=yes",
    "oversized,by=1",
    "garbled,by=1",
    "delay,seconds=0.5",
    "mute,seconds=0.5",
    "mute,executed=yes,seconds=0.5",
    "removal,moment=before",
    "removal",
    "removal,moment=after",
    "removal,back=never",
    "reset,moment=before",
    "reset,moment=after",
    "repeat",
    "challenge",
)
"""Every kind of fault in the forms that a command meets it in; power cuts come with the writes that each has."""


class CellError(SscardError, ValueError):
    """A cell that cannot be played: what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Recorded:
    """A command of the sound run. ``number``: from 1, as the card counts them, GET RESPONSE among them; ``first``: of
    its session, so that no answer came before it; ``writes``: non-volatile ones that the card did for it.
    """

    number: int
    command: bytes
    answer: bytes
    instruction: str
    first: bool
    writes: int

    @property
    def gives_nothing(self) -> bool:
        """True where its answer is 9000 and no data."""
        return self.answer == DONE

    @property
    def may_cost_a_try(self) -> bool:
        """True for those that a card refuses with 63Cx."""
        kind = EVERYTHING.get(self.command)
        return kind is not None and any(map(is_retry, kind.status))


def recorded(events: Iterable[Event], slot: int) -> Iterator[Recorded]:
    """The commands of a trace that went to the card in this slot, in order."""
    number, first = 0, True
    for event in events:
        if event.slot != slot:
            continue
        if event.kind in (EventKind.RESET, EventKind.OFF):
            first = True
        elif event.kind is EventKind.APDU:
            number += 1
            writes = int(event.table.get("writes", 0))
            yield Recorded(number, event.command, event.answer, event.told("instruction"), first, writes)
            first = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a command, by the text of the fault without its place."""

    number: int
    fault: str

    @classmethod
    def parse(cls, text: str) -> Cell:
        """``17:power-cut,after=3``. CellError, FaultError."""
        number, colon, fault = text.partition(":")
        if not colon or not number.isascii() or not number.isdigit() or int(number) < 1:
            raise CellError(
                _("cell {text!r}: expected the number of a command and a fault, like 17:power-cut,after=3").format(
                    text=text
                )
            )
        cell = cls(int(number), fault)
        return cls(cell.number, without_place(cell.model))

    def __str__(self) -> str:
        return f"{self.number}:{self.fault}"

    @property
    def model(self) -> Fault:
        """The fault at its command. FaultError."""
        return from_text(f"{self.fault},at={self.number}")

    def plan(self, seed: int) -> Plan:
        """The plan of one run: this fault alone, once."""
        return Plan((self.model,), seed)


def without_place(fault: Fault) -> str:
    """A fault's text as columns have it: what it is, not where."""
    return str(replace(fault, at=0))


def can_come(fault: Fault, at: Recorded) -> bool:
    """True where a fault has something to spoil at a command of the sound run."""
    if isinstance(fault, Cut):
        return at.writes > 0 and fault.writes <= at.writes
    if isinstance(fault, Repeat):
        return not at.first
    if isinstance(fault, Status) and is_retry(fault.sw):
        return at.may_cost_a_try
    if isinstance(fault, Status) and fault.sw == SW.MEMORY_FAILURE:
        return at.writes > 0
    if isinstance(fault, Status) and fault.sw == SW.OK:
        return at.gives_nothing  # where data are due, no data are no success
    return fault.phase is not Phase.AFTER or fault.spoils(at.command, at.answer, own=True)


def columns(commands: Sequence[Recorded]) -> list[str]:
    """The faults of a sweep, as columns of its map: the kinds, and a power cut after each number of writes."""
    most = max((one.writes for one in commands), default=0)
    cuts = [f"power-cut,after={writes}" for writes in range(most + 1)] if most else []
    return [without_place(from_text(one)) for one in (*FAULTS, *cuts)]


def cells(commands: Sequence[Recorded]) -> list[Cell]:
    """Every cell of a sweep, command by command."""
    faults = [(text, from_text(text)) for text in columns(commands)]
    return [Cell(one.number, text) for one in commands for text, fault in faults if can_come(fault, one)]


def sampled(every: Sequence[Cell], limit: int, seed: int) -> list[Cell]:
    """So many cells, as the seed draws them: of each fault one after another, so that none is left out for another.
    All where the limit is 0 or more than there are; in the order in which they are played.
    """
    draw = Random(f"sweep/{seed}")
    piles: dict[str, list[Cell]] = {}
    for cell in draw.sample(every, len(every)):
        piles.setdefault(cell.fault, []).append(cell)
    order: list[Cell] = []
    while piles:
        for fault in list(piles):
            order.append(piles[fault].pop())
            if not piles[fault]:
                del piles[fault]
    return order[: limit or None]
