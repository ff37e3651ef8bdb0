"""The chip: power, reset, and one command after another. One lock, one chip."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from emulator import catalogue
from emulator.apdu import lifecycle, messaging
from emulator.apdu.command import CommandAPDU
from emulator.apdu.habits import Habits
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError, describe
from emulator.apdu.table import InstructionTable
from emulator.apdu.transport import follow, short_only, whole
from emulator.changes import Change, Witness
from emulator.crypto import suite
from emulator.filesystem.layouts import interfaces
from emulator.filesystem.memory import files
from emulator.filesystem.memory.nvm import PowerCut
from emulator.interface import Interface, ats, historical
from emulator.messages import _, because
from emulator.session import Session

if TYPE_CHECKING:
    from emulator.filesystem.layouts.specs import ContactlessSpec
    from emulator.filesystem.memory.image import Image

OK = b"\x90\x00"
WRONG_LE = 0x6C
GET_RESPONSE = bytes((GetResponse.ins,))
NO_RIGHTS: frozenset[str] = frozenset()
NOTHING_WAITS = SW.UNKNOWN.to_bytes(2, "big")
_log = logging.getLogger(__name__)


@dataclass(slots=True, unsafe_hash=True)
class Exchange:
    """What an observer is told of one command: bytes both ways, and why it went so. Several are told of the same one:
    it is not to be changed (a frozen one takes three times as long to make).

    An empty ``answer``: there was none, as power was cut. ``failure`` is the traceback of a fault of this program's
    own, which the terminal sees as 6F00; without the exception's words, which may quote a PIN or what a card holds.
    ``plain`` is the command that secure messaging covered, empty where there was none or it could not be opened.
    ``seconds``: from the command to its answer, as the card took them; what a reader adds is not in them. ``writes``:
    non-volatile writes that were done, after each of which power may go.
    """

    command: bytes
    answer: bytes
    reason: str
    failure: str = ""
    plain: bytes = b""
    changes: tuple[Change, ...] = ()
    seconds: float = 0.0
    writes: int = 0


Telling: TypeAlias = Callable[[Exchange], object]


@lru_cache(maxsize=1024)
def _described(sw: bytes) -> str:
    """The meaning of a status word."""
    return describe(int.from_bytes(sw, "big"))[0]


class Observer(Protocol):
    """Sees what happens to a chip, in order, under its lock."""

    def exchanged(self, exchange: Exchange) -> None:
        """One command was answered."""

    def powered(self, event: str, atr: bytes) -> None:
        """``reset`` (with the ATR) or ``off``."""


def _plain(opened: messaging.Opened | None) -> bytes:
    """The command that secure messaging covered, as observers are told it."""
    return bytes(opened) if opened is not None else b""


@dataclass(slots=True)
class Account:
    """What the answer to a command does not say: why it went so, of a fault where it was, and what secure messaging
    covered.
    """

    reason: str = ""
    failure: str = ""
    opened: messaging.Opened | None = None


def _where(error: BaseException | None) -> str:
    """A traceback without the exception's own words."""
    return "" if error is None else "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__


Seeing = TypeVar("Seeing")


def told(observer: Seeing | None, act: Callable[[Seeing], object]) -> Seeing | None:
    """Tells an observer, apart from the card: one that fails says so in one line of the log, and is told no more.

    Gives the observer to tell the next time, None for one that failed.
    """
    if observer is None:
        return None
    try:
        act(observer)
    except Exception as error:  # whatever it is: the card has done what it was asked, and answers
        failed(observer, error)
        return None
    return observer


def failed(observer: object, error: Exception) -> None:
    """Says in one line of the log that an observer failed and is told no more."""
    # Not the error's own words: they may quote what was sent.
    what = f"{type(error).__name__} {error.strerror}" if isinstance(error, OSError) else type(error).__name__
    told = _("{observer} failed and is told no more; the card goes on: {what}")
    _log.error("%s", told.format(observer=type(observer).__name__, what=what))


def _joined(command: bytes, answer: bytes, parts: list[Exchange]) -> Exchange:
    """One exchange of those that make it up: the first brought the command, the last says why it ended so."""
    last = parts[-1]
    changes = tuple(change for part in parts for change in part.changes)
    took = sum(part.seconds for part in parts)
    reason = last.reason if answer[-2:] == last.answer[-2:] else describe(int.from_bytes(answer[-2:], "big"))[0]
    opened = next((part.plain for part in parts if part.plain), b"")
    failure = next((part.failure for part in parts if part.failure), "")
    return Exchange(command, answer, reason, failure, opened, changes, took)


class Interposer(Protocol):
    """Stands between terminal and chip, under the chip's lock: the one way to make a chip's answers go wrong."""

    def was_reset(self) -> None:
        """The chip was reset, by the terminal or by ``Inside.reset``."""

    def answer(self, command: bytes, card: Inside) -> bytes:
        """What the terminal gets for a command: data and status word. May raise what ends an answer: CardGone."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What an interposer may do with its chip. An observer is told nothing but what ``tell`` and ``power_off`` say.

    ``execute(command, cut_after)``: what the card itself makes of a command, without an answer where power was cut in
    the middle of it; ``cut_after``: power goes once so many more non-volatile writes are done, None: it stays.
    ``reset()``: the card resets by itself. ``power_off()`` takes the power. ``tell(exchange)``: what the terminal saw.
    ``observer()``: who watches, if anybody does.
    """

    execute: Callable[[bytes, int | None], Exchange]
    reset: Callable[[], None]
    power_off: Callable[[], None]
    tell: Callable[[Exchange], None]
    observer: Callable[[], Observer | None]


class Chip:
    """One social security card. ``image`` holds what survives power; all else is gone at every reset.

    ``interface``: over which it is spoken to; NoSuchInterface where cards of its layout have no such. ``apdu_shape``
    makes it answer as through a reader that follows 61xx and 6Cxx by itself; a contactless card has nothing of these to
    follow. ``random`` may be given by tests. ``interposer``: what stands between it and the terminal, None in a sound
    card.
    """

    def __init__(
        self,
        image: Image,
        *,
        interface: Interface = Interface.CONTACT,
        apdu_shape: bool = False,
        random: Callable[[int], bytes] = os.urandom,
        observer: Observer | None = None,
        interposer: Interposer | None = None,
    ) -> None:
        self.image = image
        self.interface = interface
        self.interposer = interposer
        self.observer = observer
        self.apdu_shape = apdu_shape
        self.atr = image.atr_over(interface)
        self.uid = b""
        """Its number in the field, 4 or 7 bytes, since it came into one; empty by contacts."""
        algorithms = suite(image.algorithm)
        layout = catalogue.over(image.layout, interface)
        self._contactless = layout.contactless if interface is Interface.CONTACTLESS else None
        root = files.tree(layout, algorithms.code)
        self._state = CardState(layout, root, image.memory, algorithms, Session(root), random)
        self._table = InstructionTable.of(layout)
        spec = layout.habits
        self._habits = Habits(spec, self._state, self._table, interface) if spec is not None else None
        self._plain = self._habits is None and self._contactless is None
        """An answer is what the instruction gives."""
        self._powered = False
        self._witness: Witness | None = None
        self._account = Account()
        self._lock = threading.Lock()
        self._inside = Inside(self._execute, self._restart, self._lose_power, self._tell, lambda: self.observer)

    @property
    def session(self) -> Session:
        """What the next reset forgets; to be put back by tests that go back in time."""
        return self._state.session

    @session.setter
    def session(self, session: Session) -> None:
        self._state.session = session

    @property
    def powered(self) -> bool:
        """True while it has power."""
        return self._powered

    @contextlib.contextmanager
    def between_commands(self, timeout: float = 0.0) -> Iterator[bool]:
        """Within it no command is under way, and none begins: for a look at session and memory that fit each other, or
        a change of the interposer. False where one is still under way after so many seconds; then nothing is held.
        """
        held = self._lock.acquire(timeout=timeout) if timeout else self._lock.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                self._lock.release()

    @property
    def ats(self) -> bytes:
        """Its answer to select in a field, TL first; empty by contacts."""
        return ats(self._contactless.parameters, historical(self.atr)) if self._contactless is not None else b""

    def power_on(self) -> bytes:
        """Gives the chip power and resets it; returns the ATR."""
        return self.reset()

    def reset(self) -> bytes:
        """Forgets rights, current file, challenge and waiting answer; gives the ATR. An unpowered chip gets power, and
        finishes or forgets what a power cut interrupted.
        """
        with self._lock:
            return self._reset()

    def _reset(self) -> bytes:
        self._restart()
        self._told(lambda one: one.powered("reset", self.atr))
        return self.atr

    def _restart(self) -> None:
        """What a reset does to the chip itself."""
        self._forget()
        if self._contactless is not None and not self._powered:
            self.uid = interfaces.uid(self._contactless, self.image.chip_factor, self._state.random)
        if self._state.memory.torn:
            self._state.memory.recover()
        self._powered = True
        if self.interposer is not None:
            self.interposer.was_reset()

    def power_off(self) -> None:
        """Takes the power; the image stays."""
        with self._lock:
            self._forget()
            if self._powered:
                self._told(lambda one: one.powered("off", b""))
            self._powered = False

    def taken_out(self) -> None:
        """Out of the reader there is no power; the image stays."""
        self.power_off()

    def _forget(self) -> None:
        self._state.memory.rollback()
        self._state.session = Session(self._state.root)

    def transmit(self, command: bytes) -> bytes:
        """Answers one command: data and status word, two bytes at least, whatever came. Needs power (RuntimeError).

        PowerCut if a test has the memory's power cut in mid-command: no answer, and no power afterwards.
        """
        # Not ``with``: between two commands of a reader other programs run, and what it does besides is cold by then.
        self._lock.acquire()
        try:
            if not self._powered:
                raise RuntimeError(_("the chip has no power: power_on() first"))
            if self.apdu_shape and self._contactless is None:
                return follow(self._answer, command)
            if self._plain and self.interposer is None:  # layers less where nobody is to be asked
                return self._perform(command) if self.observer is None else self._watched(command, None)
            return self._answer(command)
        finally:
            self._lock.release()

    def _answer(self, raw: bytes) -> bytes:
        """One command, under the lock: the card's own answer, in the T=0 shape by contacts, or what an interposer makes
        of it.
        """
        if self.interposer is not None:
            return self.interposer.answer(raw, self._inside)
        try:
            return self._answered(raw, self._tell if self.observer is not None else None)
        except PowerCut:
            self._told(lambda one: one.powered("off", b""))
            raise

    def _execute(self, raw: bytes, cut_after: int | None) -> Exchange:
        """Carries one command out, as ``Inside.execute`` says."""
        seen: list[Exchange] = []
        nvm = self.image.memory.nvm
        if cut_after is not None:
            nvm.cut_after = cut_after
        try:
            self._answered(raw, seen.append)
        except PowerCut:
            pass  # the exchange has no answer
        finally:
            if cut_after is not None:
                nvm.cut_after = None
        return seen[0]

    def _lose_power(self) -> None:
        self._forget()
        self._powered = False
        self._told(lambda one: one.powered("off", b""))

    def _tell(self, exchange: Exchange) -> None:
        self._told(lambda one: one.exchanged(exchange))

    def _failed(self, observer: Observer | None, error: Exception) -> None:
        failed(observer, error)
        if self.observer is observer:
            self.observer = None

    def _told(self, act: Callable[[Observer], object]) -> None:
        """Tells who watches, if anybody does. It is written back only where it failed: another thread may put an
        observer in at any time.
        """
        one = self.observer
        if one is not None and told(one, act) is None and self.observer is one:
            self.observer = None

    def _answered(self, raw: bytes, tell: Telling | None) -> bytes:
        """Carries a command out as this card does, with its habits where it has any, and answers as its interface has
        it. ``tell`` is told of it, without an answer where power is cut. PowerCut.
        """
        if self._contactless is not None:
            return self._whole(self._contactless, raw, tell)
        return self._shaped(raw, tell)

    def _whole(self, spec: ContactlessSpec, raw: bytes, tell: Telling | None) -> bytes:
        """As ``_answered``, over T=CL: one exchange, whatever the layers below ask one another."""
        seen: list[Exchange] = []
        told_of = seen.append if tell is not None else None
        try:
            answer = whole(lambda command: self._shaped(command, told_of), raw)
        except PowerCut:
            if tell is not None:
                tell(_joined(raw, b"", seen))
            raise
        if answer[-2:] == NOTHING_WAITS and self._table.get(raw) is GetResponse:
            answer = spec.get_response.to_bytes(2, "big")
        if tell is not None:
            tell(_joined(raw, answer, seen))
        return answer

    def _shaped(self, raw: bytes, tell: Telling | None) -> bytes:
        """A command in the T=0 shape, with this card's habits where it has any."""
        if self._habits is not None:
            return self._as_habits_have_it(self._habits, raw, tell)
        return self._perform(raw) if tell is None else self._watched(raw, tell)

    def _as_habits_have_it(self, habits: Habits, raw: bytes, tell: Telling | None) -> bytes:
        """As ``_answered``, for a card of these habits."""
        plan = habits.plan(raw)
        seen: list[Exchange] = []
        try:
            if plan.refusal is None:
                ours = self._perform(plan.performed) if tell is None else self._watched(plan.performed, seen.append)
            else:
                ours = self._refuse(plan.refusal, raw)
                seen.append(Exchange(raw, ours, plan.refusal.reason))
        except PowerCut:
            if tell is not None:
                tell(replace(seen[0], command=raw))
            raise
        answer = habits.answer(plan, ours)
        if tell is not None:
            reason = seen[0].reason if answer[-2:] == ours[-2:] else describe(int.from_bytes(answer[-2:], "big"))[0]
            tell(replace(seen[0], command=raw, answer=answer, reason=reason))
        return answer

    def _refuse(self, refusal: CardError, raw: bytes) -> bytes:
        """The answer to a command that is not carried out, and what that does to the session."""
        session = self._state.session
        if raw[1:2] != GET_RESPONSE:
            session.pending = b""
        if refusal.sw >> 8 != WRONG_LE:
            session.transaction = None
        return refusal.sw.to_bytes(2, "big")

    def _watched(self, raw: bytes, tell: Telling | None) -> bytes:
        """As ``_perform``, and ``tell`` is told of it; for None, who watches. PowerCut, which a watcher is told as the
        loss of power too.
        """
        # All in one piece: between two commands of a reader other programs run, and each call of a function that the
        # processor has forgotten meanwhile costs as much as a hundred that it has not.
        memory, session = self._state.memory, self._state.session
        self._witness = witness = self._witness or Witness(memory)
        if memory.written != witness.written:
            witness.catch_up()
        directory, file, challenge = session.directory, session.file, session.challenge
        rights = frozenset(session.rights) if session.rights else NO_RIGHTS
        account = self._account
        account.reason, account.failure, account.opened = "", "", None
        nvm = memory.nvm
        written, began = nvm.writes, monotonic()
        try:
            answer = self._perform(raw)
        except PowerCut:
            words, took = because("power was cut in the middle of it"), monotonic() - began
            written = nvm.writes - written
            cut = Exchange(raw, b"", words, plain=_plain(account.opened), seconds=took, writes=written)
            if tell is not None:
                tell(cut)
            else:
                self._tell(cut)
                self._told(lambda one: one.powered("off", b""))
            raise
        took = monotonic() - began
        words = account.reason or _described(answer[-2:])
        plain = b"" if account.opened is None else bytes(account.opened)
        same = session.directory is directory and session.file is file and session.challenge is challenge
        if same and memory.written == witness.written and session.rights == rights:
            changes: tuple[Change, ...] = ()
        else:
            changes = witness.changes((directory, file, challenge, rights), session)
        exchange = Exchange(raw, answer, words, account.failure, plain, changes, took, nvm.writes - written)
        if tell is not None:
            tell(exchange)
            return answer
        observer = self.observer
        try:
            if observer is not None:
                observer.exchanged(exchange)
        except Exception as error:  # as ``told`` has it
            self._failed(observer, error)
        return answer

    def _perform(self, raw: bytes) -> bytes:
        """Carries a command out, in one transaction of the memory, and leaves in the account what its answer does not
        say. PowerCut.
        """
        state = self._state
        session, memory = state.session, state.memory
        if session.pending and raw[1:2] != GET_RESPONSE:
            session.pending = b""
        try:
            understood = self._table.understood.get(raw)
            if understood is not None and memory.normal and session.transaction is None:
                data, waits = understood.execute(state), False
            else:
                data, waits = self._carry_out(raw)
            if memory.uncommitted:
                memory.commit()
            if data and waits:
                session.pending = data
                return bytes((0x61, len(data) & 0xFF))
            if session.pending:
                return data + bytes((0x61, len(session.pending) & 0xFF))
            return data + OK
        except CardError as refusal:
            memory.rollback()
            if refusal.sw >> 8 != WRONG_LE:
                # A command that fails takes the account back to idle [T: part5:table 49]; 6Cxx carries nothing out and
                # is repeated. [D]
                session.transaction = None
            self._account.reason = refusal.reason
            return refusal.sw.to_bytes(2, "big")
        except PowerCut:
            self._forget()
            self._powered, memory.torn = False, True
            raise
        except OSError as error:
            memory.rollback()
            self._account.reason = because(f"the image could not be written: {error.strerror}")
            return SW.MEMORY_FAILURE.to_bytes(2, "big")
        except Exception:  # the card must live on, whatever our own fault was
            memory.rollback()
            self._account.reason = because("a fault of the emulator's own, not of the command")
            self._account.failure = _where(sys.exception())
            return SW.UNKNOWN.to_bytes(2, "big")

    def _carry_out(self, raw: bytes) -> tuple[bytes, bool]:
        """From a command's bytes to the data of its answer, and whether these are to be fetched by GET RESPONSE."""
        state = self._state
        if not state.memory.normal:
            lifecycle.check_card(state)
        command = CommandAPDU.parse(raw)
        if command.extended:
            raise short_only(self.interface)
        kind = self._table.find(command.cla, command.ins, command.p1)
        if state.session.transaction is not None and not kind.continues:
            state.session.transaction = None
        if not state.memory.normal:
            lifecycle.check(state, kind)
        secured = command.cla in kind.secured
        if not (secured or kind.protected):
            kind.check(command)
            instruction = kind.parse(command)
            self._table.remember(raw, instruction)
            return instruction.execute(state), kind.case4
        if kind.when_blocked and kind.done_already(state, command):
            kind.check(command)
            return b"", False
        self._account.opened = opened = messaging.opened(state, kind, command)
        return opened.seal.close(kind.parse(opened).execute(state)), secured or kind.case4
