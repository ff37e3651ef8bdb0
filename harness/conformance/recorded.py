"""A recorded session as a vector: what was sent as steps, what came back as what they expect.

What a recording masks, or has masked anew here, is any byte (``..``): nothing of a person's stands in the vector. What
no two sessions share is made anew by steps that do the same: proofs of keys, challenges, the PIN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from emulator.apdu.command import HEADER, CommandAPDU
from emulator.apdu.instructions import Instruction
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.certificate import VerifyCertificatePin
from emulator.apdu.instructions.pin import ChangePin, Verify
from emulator.apdu.instructions.records import UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW, tries_told
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.conformance.generate import Dumper
from harness.trace.context import Context
from harness.trace.mask import PersonalData, Seen
from harness.trace.read import Event, TraceError

Step = dict[str, Any]
TAKEN = (0x90, 0x62)
CHALLENGED = (ExternalAuthentication, VerifyCertificatePin)
"""They use the challenge that was asked for right before; their steps ask for their own."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A command with its whole answer: what followed 61xx and 6Cxx is in it. ``line``: of the trace."""

    line: int
    command: bytes
    answer: bytes
    masked: bool
    unknown: bool
    """Bytes of the command are asterisks in the trace."""

    @property
    def sw(self) -> int:
        """Returns the status word."""
        return int.from_bytes(self.answer[-2:], "big")


@dataclass(slots=True)
class Recorded:
    """``steps`` as a vector's document has them; ``left_out``: what no step can say, with the lines of the trace.
    ``costs_tries``, ``destructive``: as a vector says it of itself.
    """

    steps: list[Step] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    costs_tries: bool = False
    destructive: bool = False


def steps_of(events: Iterable[Event], layout: Layout, *, personal_data: bool = False) -> Recorded:
    """The steps of one slot's events, in order, as for a card of this layout."""
    found = _Recorder(layout, personal_data=personal_data)
    for one in sessions(events):
        found.session(one)
    return found.told


def sessions(events: Iterable[Event]) -> Iterator[list[Exchanged]]:
    """The commands of one slot, from reset to reset; empty sessions are left out."""
    here: list[Exchanged] = []
    for event in events:
        if event.kind in ("reset", "off"):
            if here:
                yield here
            here = []
        elif event.kind == "apdu" and len(event.answer) > 1:
            told = _continued(here[-1], event) if here else None
            if told is not None:
                here[-1] = told
            else:
                unknown = "*" in event.told("command")
                here.append(Exchanged(event.line, event.command, event.answer, event.masked, unknown))
    if here:
        yield here


def _continued(last: Exchanged, event: Event) -> Exchanged | None:
    """The last exchange together with this one, where this one only follows its 61xx or 6Cxx; else None."""
    announced = last.answer[-2:-1]
    follows_61 = announced == b"\x61" and GetResponse.has_ins(event.command)
    follows_6c = (
        announced == b"\x6c" and event.command[:4] == last.command[:4] and event.command[-1:] == last.answer[-1:]
    )
    if not (follows_61 or follows_6c):
        return None
    answer = (last.answer[:-2] if follows_61 else b"") + event.answer
    return Exchanged(last.line, last.command, answer, last.masked or event.masked, last.unknown)


def _changes(kind: type[Instruction]) -> bool:
    """Whether a command changes more of a card than tries."""
    return kind.writes and not kind.tries_pin and not kind.proves


class _Recorder:
    def __init__(self, layout: Layout, *, personal_data: bool) -> None:
        self.told = Recorded()
        self._layout, self._whole = layout, personal_data
        self._context = Context(layout)
        self._people = PersonalData(layout)

    def session(self, exchanges: list[Exchanged]) -> None:
        """Adds the steps of one session; one that is not the first begins with a reset."""
        if self.told.steps:
            self.told.steps.append({"reset": "warm"})
        self._context.reset()
        self._people.reset()
        for one, following in zip(exchanges, [*exchanges[1:], None], strict=True):
            kind = self._context.instruction(one.command)
            step = self._step(one, kind, following)
            seen = self._people.seen(one.command, one.answer)
            self._context.follow(one.command, one.sw)
            if isinstance(step, str):
                name = kind.name if kind is not None else one.command[:4].hex().upper()
                self.told.left_out.append(_("line {line}: {name}: {why}").format(line=one.line, name=name, why=step))
            elif step is not None:
                self.told.steps.append(step | self._expected(step, one, kind, seen[1]))
                self.told.destructive |= kind is not None and _changes(kind) and "update" not in step

    def _step(self, one: Exchanged, kind: type[Instruction] | None, following: Exchanged | None) -> Step | str | None:
        """What a command is as a step; None for one that another step does by itself; why it cannot be one."""
        if kind is None:
            return _("masked in the trace") if one.unknown or one.masked else self._raw(one)
        if issubclass(kind, GetChallenge):
            then = self._context.instruction(following.command) if following is not None else None
            if then is not None and issubclass(then, CHALLENGED):
                return None
        if issubclass(kind, Select):
            return self._select(one)
        if issubclass(kind, CHALLENGED):
            return self._proof(one)
        if issubclass(kind, ChangePin):
            return _("the new PIN is not in the trace")
        if issubclass(kind, Verify):
            return self._verify(one)
        if one.command[0] in kind.secured or kind.protected:
            return _("its MAC holds for that session alone")
        if issubclass(kind, UpdateRecord):
            return self._update(one)
        data = len(one.command) > HEADER + 1
        if data and (one.unknown or (not self._people.command(one.command).whole and (one.masked or not self._whole))):
            return _("what was sent is masked")
        if data and kind.fresh_data:
            return _("what was sent holds for that session alone")
        return self._raw(one)

    @staticmethod
    def _raw(one: Exchanged) -> Step:
        """The command as it was sent; where its 6Cxx was the end of it, without anybody who follows that."""
        return {"tpdu" if one.answer[-2:-1] == b"\x6c" else "apdu": one.command.hex().upper()}

    def _select(self, one: Exchanged) -> Step:
        command = CommandAPDU.parse(one.command)
        for spec in self._layout.applications.values():
            named = Select.application(spec)
            if spec.dfname and (named.header, named.data) == (command.header, command.data):
                return {"select": spec.id}
        return self._raw(one)

    def _proof(self, one: Exchanged) -> Step | str:
        key = self._context.place(one.command).key
        if key is None:
            return _("the layout has no key of this id here")
        wrong = one.sw >> 8 not in TAKEN
        self.told.costs_tries |= wrong
        return {"authenticate": {"key": key.name, "cryptogram": "wrong"} if wrong else key.name}

    def _verify(self, one: Exchanged) -> Step:
        if len(one.command) <= HEADER:
            return {"ask_pin": True}
        wrong = one.sw >> 8 not in TAKEN
        self.told.costs_tries |= wrong
        return {"verify_pin": "wrong" if wrong else "right"}

    def _update(self, one: Exchanged) -> Step | str:
        place = self._context.place(one.command)
        known = self._whole and not one.masked and not one.unknown
        if known:
            return self._raw(one)
        if place.item is None or place.file is None or place.item.label == "":
            return _("what was sent is masked")
        return {"update": {"item": place.path, "same": True}}

    def _expected(self, step: Step, one: Exchanged, kind: type[Instruction] | None, answer: Seen) -> Step:
        """What a step expects; nothing for 9000 without data, which every step expects."""
        left = tries_told(one.sw)
        if "ask_pin" in step and left is not None and one.sw != SW.BLOCKED:
            return {"expect": {"tries_left": left}}
        expect: Step = {}
        if one.answer[-2:-1] == b"\x61":  # nobody fetched it there; here it is, and nobody says what it must be
            return {}
        if one.sw != SW.OK:
            expect["sw"] = f"{one.sw:04X}"
        data = one.answer[:-2]
        if data and kind is not None and (kind.fresh_answer or issubclass(kind, GetChallenge)):
            expect["length"] = len(data)
        elif data and "read" not in step:
            expect["data"] = self._pattern(one, answer)
        return {"expect": expect} if expect else {}

    def _pattern(self, one: Exchanged, answer: Seen) -> str:
        """The data of an answer, any byte for what may not stand here; zeros of a masked answer may be such."""

        def shown(at: int, byte: int) -> bool:
            if not self._whole and at not in answer.shown:
                return False
            return not (one.masked and byte == 0 and at not in answer.shown)

        return "".join(f"{byte:02X}" if shown(at, byte) else ".." for at, byte in enumerate(one.answer[:-2]))


def document(
    told: Recorded, identifier: str, title: str, layout: Layout | None = None, algorithm: str = ""
) -> dict[str, Any]:
    """A vector's document of recorded steps. It rests on that recording alone, so that its grade is our own.
    ``layout``: of the cards that it is for, None: of any.

    TraceError where nothing is left of the session.
    """
    if not told.steps:
        raise TraceError(_("nothing in the trace can be a step of a vector"))
    return {
        "schema": 1,
        "id": identifier,
        "title": title,
        "title_zh": title,
        "grade": "own",
        "source": "[D]",
        **({"versions": [layout.version]} if layout is not None else {}),
        **({"algorithms": [algorithm]} if algorithm in ("3des", "sm4") else {}),
        **({"costs_tries": True} if told.costs_tries else {}),
        **({"destructive": True} if told.destructive else {}),
        "steps": told.steps,
    }


def text(document: dict[str, Any], head: str) -> str:
    """A document as YAML, under a comment."""
    lines = "".join(f"# {line}\n" for line in head.splitlines())
    return lines + yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=120)
