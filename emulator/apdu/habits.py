"""A card's habits, as its layout's ``[habits]`` tells them: what it does otherwise than this project's chip, around it.

Nothing of a chip without habits comes here. ``Habits.plan`` says before a command what is carried out in its stead, or
that it is refused; ``Habits.answer`` makes the card's answer of ours.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TypeAlias

from emulator.apdu import lifecycle
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions import Instruction
from emulator.apdu.instructions.authentication import CHALLENGE_SIZES, GetChallenge
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.instructions.touched import FileNamed
from emulator.apdu.lengths import WHOLE
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.apdu.table import InstructionTable
from emulator.apdu.transport import short_only
from emulator.filesystem.layouts.habit_specs import HabitsSpec
from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import Asked, Check, Messaging, Structure, Waiting
from emulator.filesystem.memory.files import Directory
from emulator.interface import Interface
from emulator.session import Session

Faults: TypeAlias = dict[Check, CardError]
CHECKS: dict[int, Check] = {
    SW.WRONG_P1P2: Check.PARAMETERS,
    SW.FUNCTION_NOT_SUPPORTED: Check.PARAMETERS,
    SW.WRONG_LENGTH: Check.LENGTH,
    SW.FILE_NOT_FOUND: Check.FILE,
    SW.NO_CURRENT_EF: Check.FILE,
    SW.COMMAND_INCOMPATIBLE: Check.KIND,
    SW.SECURITY_NOT_SATISFIED: Check.SECURITY,
    SW.MESSAGING_OBJECT_MISSING: Check.SECURITY,
    SW.RECORD_NOT_FOUND: Check.RECORD,
    SW.WRONG_OFFSET: Check.RECORD,
}
"""Which check a status word tells of."""
WRONG_LE = 0x6C00
TELLS_RIGHT, GIVES_WHOLE, GIVES_PART, ANNOUNCES = "6Cxx", "whole", "part", "61xx"
REFUSES = f"{SW.WRONG_LENGTH:04X}"
OURS: dict[type[Instruction], dict[Asked, str]] = {
    ReadRecord: dict.fromkeys(Asked, TELLS_RIGHT),
    ReadBinary: {
        Asked.ABSENT: GIVES_WHOLE,
        Asked.ZERO: GIVES_WHOLE,
        Asked.SHORT: GIVES_PART,
        Asked.LONG: TELLS_RIGHT,
    },
    GetResponse: {
        Asked.ABSENT: TELLS_RIGHT,
        Asked.ZERO: TELLS_RIGHT,
        Asked.SHORT: GIVES_PART,
        Asked.LONG: TELLS_RIGHT,
    },
    GetChallenge: dict.fromkeys(Asked, REFUSES),
}
"""What our chip answers to each Le."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with a command. ``performed``: carried out in its stead; ``refusal``: nothing is, but this answered.

    ``word`` of a Le that is answered in a way of the card's own, empty for ours; ``size``: bytes that it asks for, of a
    challenge those to be given. ``before``: the session as it was.
    """

    command: bytes
    performed: bytes
    kind: type[Instruction] | None
    places: tuple[str, ...]
    before: Session
    refusal: CardError | None = None
    word: str = ""
    size: int = 0


class _Unguarded(CardState):
    """The same card to one who may read everything: to learn what a command would meet behind its access condition."""

    __slots__ = ()

    def may_read(self, spec: FileSpec, messaging: Messaging) -> None:
        """Always."""


class Habits:
    """The habits of one card."""

    def __init__(
        self, spec: HabitsSpec, card: CardState, table: InstructionTable, interface: Interface = Interface.CONTACT
    ) -> None:
        self._interface = interface
        self._spec = spec
        self._card = card
        self._table = table

    def plan(self, command: bytes) -> Plan:
        """What this card does with a command."""
        session = self._card.session
        before = replace(session, rights=set(session.rights))
        performed = command
        if command and command[0] in self._spec.classes:
            performed = bytes((self._spec.classes[command[0]],)) + command[1:]
        kind = self._kind(performed)
        plan = Plan(command, performed, kind, self._places(kind, performed), before)
        if not self._alive(kind) or (kind is not None and (kind.protected or performed[0] in kind.secured)):
            return plan
        faults, word, size = self._faults(kind, performed, plan.places)
        order = self._spec.order(command[1]) if len(command) > 1 else tuple(Check)
        first = next((faults[check] for check in order if check in faults), None)
        if first is not None:
            return replace(plan, refusal=first)
        if not word:
            return plan
        if kind is GetChallenge:
            asked = size if size in CHALLENGE_SIZES else CHALLENGE_SIZES[-1]
            return replace(plan, performed=bytes(GetChallenge.command(asked)), word=word, size=size)
        whole = performed[:4] + bytes((size & 0xFF,))
        return replace(plan, performed=whole, word=word, size=performed[4] if len(performed) > 4 else 0)

    def answer(self, plan: Plan, ours: bytes) -> bytes:
        """The answer to a planned command, of the one that our chip made of it; puts the session so that it fits."""
        data, sw = ours[:-2], int.from_bytes(ours[-2:], "big")
        session = self._card.session
        if plan.refusal is None and sw >> 8 in (0x90, 0x61):
            data, sw = self._data(plan, data, sw)
        told = self._spec.status_word(plan.command, sw, plan.places)
        if told != sw:
            if told >> 8 != 0x61:
                session.pending = b""
            if told >> 8 not in (0x90, 0x61, 0x62):
                data = b""
                if sw >> 8 in (0x90, 0x61):
                    # What was refused after all has done nothing.
                    self._card.session = plan.before
                    self._card.session.pending = b""
        return data + told.to_bytes(2, "big")

    def _data(self, plan: Plan, data: bytes, sw: int) -> tuple[bytes, int]:
        """Data and status word of an answer that succeeded: how much of it, and where it waits."""
        session = self._card.session
        if plan.kind is GetChallenge and plan.size and plan.size != len(data):
            data = session.challenge = self._card.random(plan.size)
        if plan.kind is not None and issubclass(plan.kind, Select):
            fci = next((self._spec.fci[place] for place in plan.places if place in self._spec.fci), None)
            if fci is not None:
                session.pending = fci
                sw = _announcing(fci) if fci else SW.OK
        if plan.word == GIVES_PART:
            data = data[: plan.size]
        elif plan.word == ANNOUNCES:
            session.pending, sw, data = data, _announcing(data), b""
        elif plan.word[:2] == "62":
            data, sw = data[: plan.size or None], int(plan.word, 16)
        return self._waiting(plan, data, sw)

    def _waiting(self, plan: Plan, data: bytes, sw: int) -> tuple[bytes, int]:
        session = self._card.session
        how = self._spec.waiting.get(plan.performed[1]) if plan.kind not in (None, GetResponse) else None
        if how is Waiting.ANNOUNCED and data and sw == SW.OK:
            session.pending = data
            return b"", _announcing(data)
        with_le = len(plan.performed) == 6 + plan.performed[4] if len(plan.performed) > 5 else False
        if session.pending and not data and (how is Waiting.AT_ONCE or (how is Waiting.WITH_LE and with_le)):
            data, session.pending = session.pending, b""
            return data, SW.OK
        return data, sw

    def _alive(self, kind: type[Instruction] | None) -> bool:
        """False where the life cycle refuses before anything else is looked at."""
        if self._card.memory.normal:
            return True
        try:
            lifecycle.check_card(self._card)
            if kind is not None:
                lifecycle.check(self._card, kind)
        except CardError:
            return False
        return True

    def _kind(self, command: bytes) -> type[Instruction] | None:
        """The instruction, in a class that has none of it too."""
        found = self._table.get(command)
        if found is None and len(command) > 1 and command[0] not in self._table.classes:
            found = next((kind for code, kind in self._table.by_code.items() if code & 0xFF == command[1]), None)
        return found

    def _places(self, kind: type[Instruction] | None, command: bytes) -> tuple[str, ...]:
        """What a command is about: the file that it reads and the DF that is current, or what it selects."""
        session = self._card.session
        here = session.directory
        parsed = _parsed(command)
        if kind in (ReadRecord, ReadBinary) and parsed is not None:
            sfi = _sfi(kind, parsed)
            spec = here.files.get(sfi) if sfi else session.file
            return (spec.path, here.spec.id) if spec else (here.spec.id,)
        if kind is not None and issubclass(kind, Select) and parsed is not None:
            found = kind.parse(parsed).meant(self._card.directories, here)
            if found is not None:
                return (found.spec.id,) if isinstance(found, Directory) else (found.path,)
        return (here.spec.id,)

    def _faults(
        self, kind: type[Instruction] | None, command: bytes, places: tuple[str, ...]
    ) -> tuple[Faults, str, int]:
        """All that is wrong with a command, by the check that finds it; what is answered to its Le where that is not
        as ours (empty: as ours), and how many bytes there are.
        """
        faults: Faults = {}
        try:
            parsed = CommandAPDU.parse(command)
            if parsed.extended:
                raise short_only(self._interface)
        except CardError as error:
            faults[Check.STRUCTURE] = error
            if len(command) < 4:
                return faults, "", 0
            parsed = CommandAPDU.under(command[:4])
        try:
            self._table.find(*parsed.header[:3])
        except CardError as error:
            faults[Check.CLASS if error.sw == SW.CLA_NOT_SUPPORTED else Check.INSTRUCTION] = error
            if kind is None:
                faults.setdefault(Check.INSTRUCTION, CardError(SW.INS_NOT_SUPPORTED, "no class has such an INS"))
        if kind is None:
            return faults, "", 0
        faults |= _of_header(kind, parsed)
        way = kind.way(self._card, parsed)
        refused = self._spec.refuses(way, places) if way is not None else None
        if refused is not None:
            faults.setdefault(_check_of(refused), CardError(refused, f"this card does not take the way {way}"))
        word, size = "", 0
        if kind in (ReadRecord, ReadBinary):
            size = self._reading(kind, parsed, faults)
        elif kind is GetResponse:
            size = min(len(self._card.session.pending), WHOLE)
        elif kind is GetChallenge:
            size = self._spec.unasked
        if size and kind in OURS and len(command) <= 5:
            word, size = self._le(kind, command, size, faults)
        return faults, word, size

    def _reading(self, kind: type[Instruction], command: CommandAPDU, faults: Faults) -> int:
        """Adds what is wrong with reading what a command names, behind its access condition too; gives the bytes that
        there are, 0 for none.
        """
        card = self._card
        try:
            spec = card.file(_sfi(kind, command))
        except CardError as error:
            faults.setdefault(Check.FILE, error)
            return 0
        try:
            card.may_read(spec, Messaging.NONE)
        except CardError as error:
            faults.setdefault(Check.SECURITY, error)
        if Check.PARAMETERS in faults:
            if (spec.structure is Structure.TRANSPARENT) is (kind is ReadRecord):
                faults.setdefault(Check.KIND, CardError(SW.COMMAND_INCOMPATIBLE, f"{spec.path} is of another kind"))
            return 0
        seen = _Unguarded(card.layout, card.root, card.memory, card.suite, copy(card.session), card.random)
        try:
            return len(kind.parse(replace(command, data=b"", le=0)).execute(seen))
        except CardError as error:
            if error.sw & 0xFF00 == WRONG_LE:
                return error.sw & 0xFF
            faults.setdefault(_check_of(error.sw), error)
        return 0

    def _le(self, kind: type[Instruction], command: bytes, size: int, faults: Faults) -> tuple[str, int]:
        """What is answered to a command's Le where that is not as ours, and the bytes that there are; adds a refusal to
        the faults.
        """
        le = command[4] if len(command) > 4 else 0
        if kind is GetChallenge and le in self._spec.challenge:
            return GIVES_WHOLE, le
        if le == size and kind is not GetChallenge:
            return "", size
        asked = Asked.ABSENT if len(command) < 5 else Asked.ZERO if not le else Asked.SHORT if le < size else Asked.LONG
        if asked in (Asked.ABSENT, Asked.ZERO) and size == WHOLE and kind is not ReadBinary:
            return "", size  # 00 is what asks for so much
        word = self._spec.le.get(command[1], {}).get(asked, OURS[kind][asked])
        if word == TELLS_RIGHT:
            faults[Check.LE] = CardError(WRONG_LE | size & 0xFF, f"Le {le:02X} came, the answer has {size} bytes")
        elif word not in (GIVES_WHOLE, GIVES_PART, ANNOUNCES) and word[:2] != "62":
            check = Check.LENGTH if kind is GetChallenge else Check.LE
            faults[check] = CardError(int(word, 16), f"Le {le:02X} is not taken")
        return ("" if word == OURS[kind][asked] else word), size


def _check_of(sw: int) -> Check:
    return CHECKS.get(sw, Check.PARAMETERS)


def _announcing(data: bytes) -> int:
    return 0x6100 | len(data) & 0xFF


def _sfi(kind: type[Instruction], command: CommandAPDU) -> int:
    """Of the file that a command reads, 0 for the current one."""
    touched = kind.touches(command)
    return touched.sfi if isinstance(touched, FileNamed) else 0


def _parsed(command: bytes) -> CommandAPDU | None:
    try:
        return CommandAPDU.parse(command)
    except CardError:
        return None


def _of_header(kind: type[Instruction], command: CommandAPDU) -> Faults:
    """What is wrong with P1 P2, and with the length as if they were right. The length of a challenge is another's
    business.
    """
    faults: Faults = {}
    if kind is GetChallenge:
        command = replace(command, le=CHALLENGE_SIZES[0])
    try:
        kind.check(command)
    except CardError as error:
        faults[_check_of(error.sw)] = error
        if Check.PARAMETERS in faults:
            right = next(iter(kind.p1p2), 0)
            faults = {**_of_header(kind, replace(command, p1=right >> 8, p2=right & 0xFF)), **faults}
    return faults
