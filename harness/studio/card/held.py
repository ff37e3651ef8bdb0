"""A card of which everything is known: its memory, and what its session has come to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator import catalogue
from emulator.apdu import lifecycle
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.state import CardState
from emulator.apdu.status import CardError
from emulator.crypto import suite
from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory import files
from emulator.filesystem.memory.files import Directory
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages.reasons import why
from emulator.security import Condition
from emulator.session import Session

PERMITTED = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A session at one moment: current DF and EF by name, the rights that were won, the current record's number,
    whether a challenge waits for its use and a transaction was begun. Fresh from a reset without them.
    """

    directory: str = ""
    file: str = ""
    rights: frozenset[str] = frozenset()
    record: int = 0
    challenge: bool = False
    transaction: bool = False

    @classmethod
    def told(cls, session: Any) -> Standing:
        """From what a run says of a slot's session; what it does not say is as after a reset."""
        told = session if isinstance(session, dict) else {}
        rights, record = told.get("rights"), told.get("record")
        return cls(
            str(told.get("directory") or ""),
            str(told.get("file") or ""),
            frozenset(map(str, rights)) if isinstance(rights, list) else frozenset(),
            record if isinstance(record, int) else 0,
            told.get("challenge") is True,
            told.get("transaction") is True,
        )


@dataclass(frozen=True)
class HeldCard:
    """``made_up``: its person is one of a persona, so that what the card says is nobody's. ``number``: of the last
    thing that happened to it, where a run counts them.
    """

    image: Image
    standing: Standing = Standing()
    interface: Interface = Interface.CONTACT
    made_up: bool = False
    number: int | None = None

    @cached_property
    def layout(self) -> Layout:
        """As a terminal finds the card over its interface."""
        return catalogue.found_over(self.image.layout, self.interface)

    @cached_property
    def directories(self) -> dict[str, Directory]:
        """The DFs by name, as SELECT finds them."""
        root = files.tree(self.layout, suite(self.image.algorithm).code)
        return {one.spec.id: one for one in root.walk()}

    @property
    def current(self) -> str:
        """The current DF by name: after a reset the MF."""
        return self.standing.directory if self.standing.directory in self.directories else next(iter(self.directories))

    def refusal(self, spec: FileSpec, *, update: bool) -> str:
        """Why the session may not read or update a file at this moment: the status word and the card's reason; empty
        where it may. Asked of the card's own rules, in the DF of the file, entering which costs what SELECT costs.
        """
        card = self._in(spec.application)
        binary = spec.structure is Structure.TRANSPARENT
        kind: type[Instruction] = (
            (UpdateBinary if binary else UpdateRecord) if update else (ReadBinary if binary else ReadRecord)
        )
        try:
            lifecycle.check_card(card)
            lifecycle.check(card, kind)
            (card.right_to_update if update else card.right_to_read)(spec)
        except CardError as error:
            return f"{error.sw:04X} {why(error.reason)}"
        return PERMITTED

    def lacking(self, condition: Condition, application: str, kind: type[Instruction]) -> str:
        """As ``refusal``, of a command that asks for a condition in a DF."""
        card = self._in(application)
        try:
            lifecycle.check_card(card)
            lifecycle.check(card, kind)
            card.need(condition, kind.name)
        except CardError as error:
            return f"{error.sw:04X} {why(error.reason)}"
        return PERMITTED

    def _in(self, application: str) -> CardState:
        here = self.directories[self.current]
        session = Session(here, rights=set(self.standing.rights))
        home = self.directories[application]
        if home is not here:
            session.enter(home)
        root = next(iter(self.directories.values()))
        return CardState(self.layout, root, self.image.memory, suite(self.image.algorithm), session, os.urandom)
