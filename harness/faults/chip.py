"""A chip whose answers go wrong by a plan. What it did itself and what the terminal saw of it are told apart."""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.lengths import WHOLE
from emulator.chip import Chip, Exchange, Observer, told
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from emulator.reader.slot import CardGone
from harness.faults.plan import WITHIN, Fault, Plan
from harness.faults.spoil import DONE, applies, early, spoilt
from harness.trace.context import Context

KEPT = 10_000
HELD_BACK = "held back behind 61xx by a fault"
BY_FAULT = "not the card's answer: a fault"


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


class _Ear:
    """Keeps what the chip itself tells while a command is under way, and hands on all else."""

    def __init__(self, inner: Observer | None) -> None:
        self.inner = inner
        self.listening = False
        self.exchange: Exchange | None = None

    def exchanged(self, exchange: Exchange) -> None:
        """Kept: the terminal's view of it is told instead."""
        if self.listening:
            self.exchange = exchange
        else:
            self.inner = told(self.inner, lambda one: one.exchanged(exchange))

    def powered(self, event: str, atr: bytes) -> None:
        """Handed on, but for what the terminal cannot see: a reset by a fault."""
        if not self.listening:
            self.inner = told(self.inner, lambda one: one.powered(event, atr))

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """Handed on, to whom it may concern."""
        if isinstance(self.inner, FaultObserver):
            told(self.inner, lambda one: one.injected(fault, kind, exchange))


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


class FaultyChip(Chip):
    """A chip with a plan of faults, to be used like any. ``injections`` are the last ones that came, in order.

    ``sleep`` waits for what comes late; tests that do not wish to wait give another.
    """

    def __init__(
        self,
        image: Image,
        plan: Plan,
        *,
        apdu_shape: bool = False,
        random: Callable[[int], bytes] = os.urandom,
        observer: Observer | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._ear = _Ear(observer)
        super().__init__(image, apdu_shape=apdu_shape, random=random, observer=self._ear)
        self.injections: deque[Injection] = deque(maxlen=KEPT)
        self._rules = [_Rule(number, fault, plan.seed) for number, fault in enumerate(plan.faults, 1)]
        self._context = Context(image.layout)
        self._sleep = sleep
        self._last = b""
        self._held = b""
        self._part = WHOLE
        self._came: list[_Rule] = []
        self._began = 0.0

    def _reset(self) -> bytes:
        self._context.reset()
        self._held = self._last = b""
        return super()._reset()

    def _answer(self, raw: bytes) -> bytes:
        """One command: what comes before it, the card's own answer, what is made of that."""
        meant = [rule for rule in self._rules if self._meant(rule.fault, raw)]
        self._came = []
        self._began = time.monotonic()
        self._ear.listening, self._ear.exchange = True, None
        try:
            answer = self._after(meant, raw, *self._before(meant, raw))
        except CardGone as gone:
            self._tell(raw, gone.answer, str(gone))
            self._off()
            raise
        finally:
            self._ear.listening = False
        self._tell(raw, answer, "")
        self._last = answer
        return answer

    def _off(self) -> None:
        self._forget()
        self._powered = False
        self._ear.inner = told(self._ear.inner, lambda one: one.powered("off", b""))

    def _meant(self, fault: Fault, raw: bytes) -> bool:
        kind = self._context.instruction(raw)
        if fault.instruction and (kind is None or kind.name != fault.instruction):
            return False
        if not (fault.application or fault.file or fault.item):
            return True
        place = self._context.place(raw)
        return (
            (not fault.application or place.directory.spec.id == fault.application)
            and (not fault.file or (place.file is not None and place.file.path == fault.file))
            and (not fault.item or f"{place.tag:02X}" == fault.item)
        )

    def _comes(self, rule: _Rule) -> bool:
        if rule.comes():
            self._came.append(rule)
            return True
        return False

    def _before(self, meant: list[_Rule], raw: bytes) -> tuple[bytes, bool]:
        """What comes before the command, then an answer: the card's own (true), or one without the card."""
        instead, cut_after = None, None
        for rule in meant:
            fault = rule.fault
            undecided = instead is None and cut_after is None
            if not early(fault) or not self._matters(fault, raw, undecided=undecided) or not self._comes(rule):
                continue
            if fault.kind == "delay":
                self._sleep(fault.seconds)
            elif fault.kind == "removal":
                raise CardGone("the card was taken out before the command", back=fault.back)
            elif fault.kind == "mute":
                raise CardGone("the card is mute", seconds=fault.seconds)
            elif fault.kind == "reset":
                self._reset()
            elif fault.kind == "power-cut":
                cut_after = fault.after
            else:
                instead = self._instead(fault, raw)
        if instead is None and self._fetches(raw):
            asked = min((raw[4] or WHOLE) if len(raw) > 4 else WHOLE, len(self._held))
            data, self._held = self._held[:asked], self._held[asked:]
            instead = data + self._announced()
        elif instead is None:
            self._held = b""
            return self._own(raw, cut_after), True
        return instead, False

    def _fetches(self, raw: bytes) -> bool:
        """It is answered from what a fault holds back."""
        return bool(self._held) and GetResponse.has_ins(raw)

    def _matters(self, fault: Fault, raw: bytes, *, undecided: bool) -> bool:
        """False where a fault would change nothing. ``undecided``: no other one says what the card is asked."""
        if fault.kind == "power-cut":
            return undecided and not self._fetches(raw)
        if fault.kind == "repeat" and not self._last:
            return False
        return undecided or fault.kind not in ("status", "sw6c", "repeat")

    def _instead(self, fault: Fault, raw: bytes) -> bytes:
        if fault.kind == "status":
            return fault.sw.to_bytes(2, "big")
        if fault.kind == "sw6c":
            length = raw[4] if len(raw) == 5 else 0
            return bytes((0x6C, (length + fault.by) & 0xFF))
        return self._last

    def _announced(self) -> bytes:
        return bytes((0x61, min(self._part, len(self._held)))) if self._held else DONE

    def _own(self, raw: bytes, cut_after: int | None) -> bytes:
        """The card's own answer. CardGone if its power is to be cut, at a write or after the last one."""
        nvm = self.image.memory.nvm
        try:
            nvm.cut_after = cut_after
            answer = super()._answer(raw)
        except PowerCut:
            raise CardGone(f"power was cut after {cut_after} writes") from None
        finally:
            nvm.cut_after = None
        self._context.follow(raw, int.from_bytes(answer[-2:], "big"))
        if cut_after is not None:
            raise CardGone("power was cut after the last write")
        return answer

    def _after(self, meant: list[_Rule], raw: bytes, answer: bytes, own: bool) -> bytes:
        """What is made of an answer, and what comes after it."""
        for rule in meant:
            fault = rule.fault
            if early(fault) or not applies(fault, raw, answer, own) or not self._comes(rule):
                continue
            if fault.kind == "removal" and fault.moment == WITHIN:
                raise CardGone("the card was taken out in the middle of the command", back=fault.back)
            if fault.kind == "removal":
                raise CardGone("the card was taken out after its answer", answer=answer, back=fault.back)
            if fault.kind == "mute":
                raise CardGone("the card did it and is mute", seconds=fault.seconds)
            if fault.kind == "reset":
                self._reset()
            elif fault.kind == "sw61":
                self._held, self._part = answer[:-2], min(fault.part, 0xFF)
                answer = self._announced()
            else:
                answer = spoilt(fault, rule.chance, answer)
        return answer

    def _tell(self, raw: bytes, answer: bytes, why: str) -> None:
        """First the faults, then the exchange as the terminal saw it."""
        own, took = self._ear.exchange, time.monotonic() - self._began
        for rule in self._came:
            injection = Injection(rule.number, rule.fault, raw, own)
            self.injections.append(injection)
            self._ear.injected(str(injection), rule.fault.kind, own or Exchange(raw, b"", ""))
        if own is None:
            seen = Exchange(raw, answer, why or (BY_FAULT if self._came else HELD_BACK), seconds=took)
        else:
            reason = why or (own.reason if own.answer == answer else BY_FAULT)
            seen = replace(own, answer=answer, reason=reason, seconds=took)
        self._ear.inner = told(self._ear.inner, lambda one: one.exchanged(seen))
