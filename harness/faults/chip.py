"""A chip whose answers go wrong by a plan. What it did itself and what the terminal saw of it are told apart."""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from emulator import catalogue
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.lengths import WHOLE
from emulator.chip import Chip, Exchange, Inside, Observer, told
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _, deferred
from emulator.reader.slot import CardGone
from harness.faults.kinds import DONE, Fault, Phase
from harness.faults.plan import Plan
from harness.trace.context import Context

KEPT = 10_000
HELD_BACK = deferred("held back behind 61xx by a fault")
BY_FAULT = deferred("not the card's answer: a fault")


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that came: its number in the plan, from 1, and the command it came at.

    ``exchange`` is what the card itself did; None if the command never reached it.
    """

    number: int
    fault: Fault
    command: bytes
    exchange: Exchange | None = None

    def __str__(self) -> str:
        return f"{self.number} {self.fault}"


@runtime_checkable
class FaultObserver(Observer, Protocol):
    """An observer that is told of faults as well, before the exchange that they came at."""

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """A fault came, and what the card itself did; no answer if the command never reached it."""


class _Rule:
    """One fault of the plan, with its own count and its own chance."""

    def __init__(self, number: int, fault: Fault, seed: int) -> None:
        self.number, self.fault = number, fault
        self.chance = random.Random(f"{seed}/{number}")
        self._count = 0

    def comes(self) -> bool:
        """Counts a command that passes the filters, and says if the fault comes at it."""
        self._count += 1
        fault = self.fault
        if fault.nth:
            return self._count == fault.nth
        if fault.every:
            return self._count % fault.every == 0
        return not fault.one_in or self.chance.randrange(fault.one_in) == 0


class _Held:
    """Data that a fault holds back for GET RESPONSE."""

    def __init__(self) -> None:
        self._data, self._part = b"", WHOLE

    def keep(self, data: bytes, part: int) -> bytes:
        """Holds data back in parts of so many bytes; gives the status word that announces the first."""
        self._data, self._part = data, part
        return self._announced()

    def drop(self) -> None:
        """Forgets the data that were held back."""
        self._data = b""

    def fetches(self, command: bytes) -> bool:
        """True if a command is answered from here."""
        return bool(self._data) and GetResponse.has_ins(command)

    def fetch(self, command: bytes) -> bytes:
        """The next part, and what announces the one after it."""
        asked = (command[4] or WHOLE) if len(command) > 4 else WHOLE
        part, self._data = self._data[:asked], self._data[asked:]
        return part + self._announced()

    def _announced(self) -> bytes:
        return bytes((0x61, min(self._part, len(self._data)))) if self._data else DONE


class _Course:
    """One command on its way through a faulty card: a ``kinds.Course``, and what is told of it afterwards."""

    def __init__(
        self, command: bytes, last: bytes, card: Inside, held: _Held, wait: Callable[[float], object]
    ) -> None:  # fmt: skip
        self.command, self.last = command, last
        self.cut_after: int | None = None
        self.came: list[_Rule] = []
        self.own: Exchange | None = None
        self._card, self._held, self._wait = card, held, wait
        self._began = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Waits so many seconds, or lets a test's clock run."""
        self._wait(seconds)

    def reset(self) -> None:
        """The card resets by itself, unseen."""
        self._card.reset()

    def hold(self, data: bytes, part: int) -> bytes:
        """Keeps data back for GET RESPONSE, in parts of so many bytes; gives the status word that announces it."""
        return self._held.keep(data, part)

    def seen(self, answer: bytes, why: str = "") -> Exchange:
        """The exchange as the terminal saw it."""
        took = time.monotonic() - self._began
        if self.own is None:
            return Exchange(self.command, answer, why or (BY_FAULT if self.came else HELD_BACK), seconds=took)
        reason = why or (self.own.reason if self.own.answer == answer else BY_FAULT)
        return replace(self.own, answer=answer, reason=reason, seconds=took)


class Injector:
    """Puts a plan's faults between a terminal and its card: an ``emulator.chip.Interposer``.

    ``injections`` are the last ones that came, in order. ``sleep`` waits for what comes late. ``stands``: what is
    selected in a card that somebody has worked with already, a DF by its id and an EF by its path or none.
    """

    def __init__(
        self,
        plan: Plan,
        layout: Layout,
        sleep: Callable[[float], object] = time.sleep,
        *,
        stands: tuple[str, str] | None = None,
    ) -> None:
        self.plan = plan
        self.injections: deque[Injection] = deque(maxlen=KEPT)
        self._rules = [_Rule(number, fault, plan.seed) for number, fault in enumerate(plan.faults, 1)]
        self._context = Context(layout)
        if stands is not None:
            self._context.stands(*stands)
        self._sleep = sleep
        self._held = _Held()
        self._last = b""
        self._count = 0

    def was_reset(self) -> None:
        """Forgets what it held back, and what was answered before."""
        self._context.reset()
        self._held.drop()
        self._last = b""

    def answer(self, command: bytes, card: Inside) -> bytes:
        """One command: what comes before it, the card's own answer or another, what is made of that. CardGone."""
        self._count += 1
        course = _Course(command, self._last, card, self._held, self._sleep)
        meant = [rule for rule in self._rules if self._meant(rule.fault, command)]
        try:
            answer = self._before(meant, course) or self._own(course, card)
            answer = self._after(meant, course, answer)
        except CardGone as gone:
            self._tell(course, card, course.seen(gone.answer, str(gone)))
            card.power_off()
            raise
        self._tell(course, card, course.seen(answer))
        self._last = answer
        return answer

    def _meant(self, fault: Fault, command: bytes) -> bool:
        """True if a command passes a fault's filters."""
        if fault.at and fault.at != self._count:
            return False
        kind = self._context.instruction(command)
        if fault.instruction and (kind is None or kind.name != fault.instruction):
            return False
        if not (fault.application or fault.file or fault.item):
            return True
        place = self._context.place(command)
        return (
            (not fault.application or place.directory.spec.id == fault.application)
            and (not fault.file or (place.file is not None and place.file.path == fault.file))
            and (not fault.item or f"{place.tag:02X}" == fault.item)
        )

    def _before(self, meant: list[_Rule], course: _Course) -> bytes:
        """What comes before the card is asked. Gives the answer in place of the card's, empty where it is asked."""
        instead = b""
        for rule in meant:
            fault = rule.fault
            undecided = not instead and course.cut_after is None
            if fault.phase is Phase.INSTEAD:
                # The last answer is read now: a reset of before leaves none.
                course.last = self._last
                other = fault.instead(course) if undecided else b""
                instead = other if other and self._comes(rule, course) else instead
            elif fault.phase is Phase.BEFORE:
                if self._comes(rule, course):
                    fault.before(course)
            elif (
                fault.phase is Phase.DURING
                and undecided
                and not self._held.fetches(course.command)
                and self._comes(rule, course)
            ):
                fault.before(course)
        if not instead and self._held.fetches(course.command):
            instead = self._held.fetch(course.command)
        return instead

    @staticmethod
    def _comes(rule: _Rule, course: _Course) -> bool:
        if rule.comes():
            course.came.append(rule)
            return True
        return False

    def _own(self, course: _Course, card: Inside) -> bytes:
        """The card's own answer. CardGone if its power is cut, at a write or after the last one."""
        self._held.drop()
        course.own = card.execute(course.command, course.cut_after)
        answer = course.own.answer
        if not answer:
            raise CardGone(_("power was cut after {count} writes").format(count=course.cut_after))
        self._context.follow(course.command, int.from_bytes(answer[-2:], "big"))
        if course.cut_after is not None:
            raise CardGone(_("power was cut after the last write"))
        return answer

    def _after(self, meant: list[_Rule], course: _Course, answer: bytes) -> bytes:
        """What is made of an answer, and what comes after it."""
        for rule in meant:
            fault = rule.fault
            if (
                fault.phase is Phase.AFTER
                and fault.spoils(course.command, answer, own=course.own is not None)
                and self._comes(rule, course)
            ):
                answer = fault.after(course, answer, rule.chance)
        return answer

    def _tell(self, course: _Course, card: Inside, seen: Exchange) -> None:
        """First the faults, then the exchange as the terminal saw it."""
        for rule in course.came:
            injection = Injection(rule.number, rule.fault, course.command, course.own)
            self.injections.append(injection)
            _tell_of(injection, card.observer())
        card.tell(seen)


def _tell_of(injection: Injection, observer: Observer | None) -> None:
    """Tells an observer of a fault, where it cares."""
    did = injection.exchange or Exchange(injection.command, b"", "")
    if isinstance(observer, FaultObserver):
        told(observer, lambda one: one.injected(str(injection), injection.fault.kind, did))


class FaultyChip(Chip):
    """A chip with a plan of faults, to be used like any. ``sleep`` waits for what comes late; tests that do not wish to
    wait give another.
    """

    def __init__(
        self,
        image: Image,
        plan: Plan,
        *,
        interface: Interface = Interface.CONTACT,
        apdu_shape: bool = False,
        random: Callable[[int], bytes] = os.urandom,
        observer: Observer | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._injector = Injector(plan, catalogue.over(image.layout, interface), sleep)
        super().__init__(
            image, interface=interface, apdu_shape=apdu_shape, random=random, observer=observer,
            interposer=self._injector,
        )  # fmt: skip

    @property
    def injections(self) -> deque[Injection]:
        """The faults that came, the last ones, in order."""
        return self._injector.injections
