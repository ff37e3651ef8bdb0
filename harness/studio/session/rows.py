"""The rows of a session: each event of a trace in words of both languages, with what the monitor finds on it.

What many rows have in common is one object (``Said``, ``Stood``), so that 200,000 rows stay small, a search looks at
each text once, and a page that holds a whole session does not repeat itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar
from weakref import ReferenceType, WeakKeyDictionary, ref

from emulator.apdu.status import describe
from emulator.changes import ChangeKind
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import CHINESE, ENGLISH, in_language
from emulator.messages.reasons import why
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import Situation
from harness.sources.register import register
from harness.trace import calls
from harness.trace.context import Context
from harness.trace.decode import instruction_told
from harness.trace.read import Event, EventKind
from harness.trace.words import Follower, ItemValue, Words


class Lane(StrEnum):
    """Who speaks with the terminal: the user's card, the terminal's own PSAM; or the terminal's library itself."""

    CARD = "card"
    PSAM = "psam"
    TERMINAL = "terminal"


class Level(StrEnum):
    """How an answer is to be taken: carried out; a warning, or a try that failed; refused; none came. ``PLAIN``: there
    is nothing to be answered.
    """

    GOOD = "good"
    WARNING = "warning"
    REFUSED = "refused"
    SILENT = "silent"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of the card, as the trace tells it."""

    kind: str
    name: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding of the monitor on a row. ``source``: what the rule rests on, written out."""

    rule: str
    severity: str
    title: str
    title_zh: str
    text: str
    source: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Said:
    """What is said of a row, beside its number, its time and its bytes."""

    kind: EventKind
    slot: int
    lane: Lane
    level: Level
    sw: str = ""
    instruction: str = ""
    instruction_zh: str = ""
    parameters: str = ""
    parameters_zh: str = ""
    meaning: str = ""
    meaning_zh: str = ""
    reason: str = ""
    reason_zh: str = ""
    label: str = ""
    """Path of the item, file or directory that the command is about, or a key's name."""
    about: str = ""
    about_zh: str = ""
    words: str = ""
    """A call, a fault, a fault of the emulator's own: as the trace tells it."""
    layout: str = ""
    algorithm: str = ""
    interface: str = ""
    writes: int = 0
    masked: bool = False
    hidden: bool = False
    """Items came or went, and the trace has none of them."""
    values: tuple[ItemValue, ...] = ()
    changes: tuple[Changed, ...] = ()

    def texts(self) -> tuple[str, ...]:
        """All that a search looks at."""
        own = (
            self.sw, self.instruction, self.instruction_zh, self.parameters, self.parameters_zh, self.meaning,
            self.meaning_zh, self.reason, self.reason_zh, self.label, self.about, self.about_zh, self.words,
            self.layout, self.algorithm, self.interface,
        )  # fmt: skip
        values = (text for one in self.values for text in (one.label, one.zh, one.en, one.value))
        changes = (text for one in self.changes for text in (one.name, one.before, one.after))
        return (*own, *values, *changes)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Stood:
    """What a trace tells of the card in a row's slot, as it was after that row. ``complete``: a virtual card's trace,
    which tells every change; of another it is only known what was selected.
    """

    powered: bool = False
    complete: bool = False
    layout: str = ""
    directory: str = ""
    file: str = ""
    rights: tuple[str, ...] = ()
    counters: tuple[tuple[str, str], ...] = ()
    """Tries, by the name of what is tried, as last told; untold ones are as they were before the trace."""
    state: tuple[tuple[str, str], ...] = ()
    """Life cycles and blocks, as last told."""
    written: tuple[str, ...] = ()
    """Files, keys, PINs, objects and purses that were written since the trace began."""


Shared = TypeVar("Shared", Said, Stood)


@dataclass(slots=True)
class Row:
    """One row. ``number`` counts from 1, ``line`` is its line in the trace, ``t`` seconds since the first event.

    ``moment``: the number of the command in the run, by which its card can be seen as it was; None in a recording.
    """

    number: int
    line: int
    t: float
    time: str
    command: str
    plain: str
    answer: str
    latency: float | None
    said: Said
    stood: Stood
    moment: int | None = None
    findings: tuple[Noted, ...] = ()

    def own(self) -> dict[str, Any]:
        """What no other row has, for JSON; what is empty is left out."""
        told: dict[str, Any] = {"n": self.number, "line": self.line, "t": round(self.t, 6)}
        for name in ("time", "command", "plain", "answer", "latency", "moment"):
            if (value := getattr(self, name)) not in ("", None):
                told[name] = value
        if self.findings:
            told["findings"] = [asdict(one) for one in self.findings]
        return told

    def table(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return self.own() | shared(self.said) | {"stood": shared(self.stood)}


def shared(value: Said | Stood) -> dict[str, Any]:
    """For JSON; what is empty is left out."""
    return {name: one for name, one in asdict(value).items() if one not in ("", (), 0, False)} | (
        {"slot": value.slot} if isinstance(value, Said) else {}
    )


class Rows:
    """Makes the rows of one session, in order. ``layout``: of cards whose reset names none.

    ``day``: the session's, by which rules judge dates. ``psam``: slots of terminals' own cards, where the trace does
    not tell.
    """

    def __init__(self, layout: Layout, day: date, *, psam: tuple[int, ...] = ()) -> None:
        self._follower = Follower(layout)
        self._judge = Monitor(layout, Situation(day), psam=psam)
        self._psam = frozenset(psam)
        self._said: WeakKeyDictionary[Said, ReferenceType[Said]] = WeakKeyDictionary()
        self._states: WeakKeyDictionary[Stood, ReferenceType[Stood]] = WeakKeyDictionary()
        self._slots: dict[int, tuple[str, Stood]] = {}
        self._began: float | None = None
        self._count = 0

    def hear(self, event: Event, moment: int | None = None) -> tuple[Row, list[tuple[int, Noted]]]:
        """The next row, and findings by the line that each belongs to: its own, or an earlier one's."""
        if self._began is None:
            self._began = event.t
        self._count += 1
        words = self._follower.hear(event)
        is_fault = event.kind is EventKind.FAULT
        row = Row(
            number=self._count,
            line=event.line,
            t=event.t - self._began,
            time=event.told("time"),
            command=event.told("command"),
            plain=event.told("plain"),
            answer=event.told("card_answered" if is_fault else "atr" if event.kind is EventKind.RESET else "answer"),
            latency=event.latency,
            said=_one(self._said, self._said_of(event, words)),
            stood=_one(self._states, self._stood_after(event, words.context)),
            moment=moment,
        )
        return row, self._told(self._judge.hear(event))

    def end(self) -> list[tuple[int, Noted]]:
        """No more events come: what the monitor has to say of that, by line."""
        return self._told(self._judge.end())

    @property
    def judged(self) -> int:
        """Commands that the monitor's rules were held against."""
        return self._judge.judged

    @property
    def unbegun(self) -> dict[int, int]:
        """By slot, commands before its first reset, which are not judged."""
        return self._judge.unbegun

    def _told(self, found: list[Finding]) -> list[tuple[int, Noted]]:
        self._judge.findings.clear()  # they are kept on their rows
        return [(one.line, _noted(one)) for one in found]

    def _said_of(self, event: Event, words: Words) -> Said:
        is_psam = words.context.card.card is CardKind.PSAM or event.slot in self._psam
        lane = Lane.TERMINAL if event.kind is EventKind.CALL else Lane.PSAM if is_psam else Lane.CARD
        told: dict[str, Any] = {"reason": event.reason, "masked": event.masked}
        if event.reason:
            with in_language(CHINESE):
                told["reason_zh"] = why(event.reason)
        if event.kind is EventKind.CALL:
            told |= {"instruction": event.told("function"), "words": calls.words(event.table)}
        elif event.kind is EventKind.RESET:
            told |= {name: event.told(name) for name in ("layout", "algorithm")}
            told["interface"] = words.context.interface.value
        elif event.kind is not EventKind.OFF:
            told |= _of_command(event, words)
        return Said(event.kind, event.slot, lane, _level(event), **told)

    def _stood_after(self, event: Event, context: Context) -> Stood:
        card, stood = self._slots.get(event.slot, ("", Stood()))
        if event.kind is EventKind.RESET:
            named = event.told("card") or event.told("atr")
            before = stood if named == card else Stood()
            complete = bool(event.told("algorithm"))  # which only a virtual card tells
            stood = replace(before, powered=True, complete=complete, layout=context.card.name, rights=())
            card = named
        elif event.kind is EventKind.OFF:
            stood = replace(stood, powered=False, directory="", file="", rights=())
        elif event.kind is EventKind.APDU and "changes" in event.table:
            stood = _after(stood, _changes(event))
        if event.kind in (EventKind.RESET, EventKind.APDU):
            file = context.file.path if context.file is not None else ""
            here = True, context.card.name, context.directory.spec.id, file
            if here != (stood.powered, stood.layout, stood.directory, stood.file):
                powered, layout, directory, __ = here
                stood = replace(stood, powered=powered, layout=layout, directory=directory, file=file)
        self._slots[event.slot] = card, stood
        return stood


def _of_command(event: Event, words: Words) -> dict[str, Any]:
    """What is said of a command, or of a fault that came with one."""
    told: dict[str, Any] = {}
    with in_language(ENGLISH):
        instruction = instruction_told(event.command)
    if instruction is not None:
        told["instruction"], told["instruction_zh"], told["parameters"] = instruction
        if instruction[2]:
            with in_language(CHINESE):
                told["parameters_zh"] = (instruction_told(event.command) or instruction)[2]
    if event.kind is EventKind.FAULT:
        return told | {"words": event.told("fault")}
    if event.sw:
        told["sw"] = f"{event.sw:04X}"
        told["meaning"], told["meaning_zh"] = describe(event.sw)
        if event.reason and told["meaning"].startswith(event.reason):
            told["reason"] = told["reason_zh"] = ""  # which says no more
    if words.about is not None:
        told["label"], told["about"], told["about_zh"] = words.about.label, words.about.en, words.about.zh
    if failure := event.told("failure"):
        told["words"] = failure.splitlines()[-1]
    if words.values or words.hidden:
        told |= {"values": words.values, "hidden": words.hidden}
    return told | {"changes": tuple(_changes(event)), "writes": int(event.table.get("writes", 0))}


def _one(kept: WeakKeyDictionary[Shared, ReferenceType[Shared]], value: Shared) -> Shared:
    """The object that is equal to this one, where some row has one already."""
    found = kept.get(value)
    one = found() if found is not None else None
    if one is None:
        kept[value] = ref(value)
        return value
    return one


def _changes(event: Event) -> list[Changed]:
    return [
        Changed(str(one.get("kind", "")), str(one.get("name", "")), str(one.get("from", "")), str(one.get("to", "")))
        for one in event.table.get("changes", ())
    ]


def _after(stood: Stood, changes: list[Changed]) -> Stood:
    rights, counters, state, written = set(stood.rights), dict(stood.counters), dict(stood.state), list(stood.written)
    for one in changes:
        if one.kind == ChangeKind.RIGHT:
            (rights.add if one.after else rights.discard)(one.name)
        elif one.kind == ChangeKind.TRIES:
            counters[one.name] = one.after
        elif one.kind == ChangeKind.STATE:
            state[one.name] = one.after
        elif one.kind not in (ChangeKind.DIRECTORY, ChangeKind.FILE, ChangeKind.CHALLENGE):
            what = one.name or one.kind
            written = [*(other for other in written if other != what), what]
    return replace(
        stood,
        rights=tuple(sorted(rights)),
        counters=tuple(counters.items()),
        state=tuple(state.items()),
        written=tuple(written),
    )


CARRIED_OUT, WARNED = (0x90, 0x61), (0x62, 0x63, 0x6C)
"""First bytes of status words; 6Cxx only asks for another Le."""


def _level(event: Event) -> Level:
    if event.kind is EventKind.CALL:
        return Level.GOOD if event.table.get("code") == 0 else Level.REFUSED
    if event.kind is EventKind.FAULT:
        return Level.WARNING
    if event.kind in (EventKind.RESET, EventKind.OFF):
        return Level.PLAIN
    first = event.sw >> 8
    if first in CARRIED_OUT:
        return Level.GOOD
    if first in WARNED:
        return Level.WARNING
    return Level.REFUSED if first else Level.SILENT


def _noted(found: Finding) -> Noted:
    rule = found.rule
    return Noted(rule.id, rule.severity, rule.title, rule.title_zh, found.text, _source(rule.source))


@cache
def _source(text: str) -> str:
    return register().readable(text)
