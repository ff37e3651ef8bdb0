"""One run of one program in one situation: its cards, its readers, the program, and what all of it came to."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from typing import Any

from emulator import catalogue
from emulator.chip import Chip, Exchange
from emulator.errors import SscardError
from emulator.filesystem.layouts import text
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.reader.shape import ReaderShape
from harness.clock import Clock
from harness.faults import plan as fault_plans
from harness.faults.chip import FaultyChip
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation as Circumstances
from harness.monitor.rules.state import IDENTIFICATION, ISSUER, NUMBER
from harness.proving import card_state, judging, output, program, stage
from harness.proving.program import Ended
from harness.proving.runs import Check, Ending, RunRequest, RunResult, Sent
from harness.proving.situation import Situation
from harness.proving.stage import Stage
from harness.trace.copy import masked_copy
from harness.trace.decode import instruction_name
from harness.trace.read import Event
from harness.trace.record import SlotTrace, Trace
from harness.verdicts.report import heard_in
from harness.verdicts.verdict import Verdict

USER, OWN = 0, 1
"""Slots of the trace."""
LONGEST_LINE = 200
"""Letters of what a program printed, in a reason."""
MOST_EVENTS = 100_000
"""Events of a trace that are kept; a terminal that goes on asking is judged to its end all the same."""


class _Watched:
    """Hears the user's card: for the trace, and what of each command is harmless."""

    def __init__(self, trace: SlotTrace, image: Image) -> None:
        self._trace, self._nvm = trace, image.memory.nvm
        self._writes = self._nvm.writes
        self.sent: list[Sent] = []
        self.came: list[str] = []

    def exchanged(self, exchange: Exchange) -> None:
        """One command was answered."""
        writes, self._writes = self._nvm.writes - self._writes, self._nvm.writes
        sw = int.from_bytes(exchange.answer[-2:], "big") if len(exchange.answer) > 1 else 0
        self.sent.append(Sent(len(self.sent) + 1, instruction_name(exchange.command), sw, writes))
        self._trace.exchanged(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        """A reset, or power lost."""
        self._trace.powered(event, atr)

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """A fault came."""
        self.came.append(fault)
        self._trace.injected(fault, kind, exchange)

    def reader_answered(self, exchange: Exchange) -> None:
        """The reader answered by itself; the card got nothing."""
        self._trace.reader_answered(exchange)


class _Run:
    """The cards of one run, and all that is heard of them."""

    def __init__(self, request: RunRequest) -> None:
        situation = request.situation
        self._request = request
        self._key = request.key or os.urandom(16)
        self.image = Image.from_text(request.image, situation.name) if request.image else situation.card()
        self._own_image = situation.own_card()
        self.before = card_state.state(self.image, self._key)
        self._events: list[dict[str, Any]] = []
        self._monitor = monitor_of(self.image, situation)
        self._number = 0
        self._trace = Trace(self._hear, personal_data=True)  # masked before anybody sees it
        self._watched = _Watched(self._trace.slot(USER, self.image), self.image)
        self._chip = self._made()
        own = self._own_image
        self._own = Chip(own, observer=self._trace.slot(OWN, own), random=self._random(OWN)) if own else None

    def _made(self) -> Chip:
        request, image = self._request, self.image
        apdu, over = request.situation.shape is ReaderShape.APDU, request.situation.interface
        if request.faults is None:
            return Chip(
                image, interface=over, apdu_shape=apdu, observer=self._watched, random=self._random(USER)
            )  # fmt: skip
        fault_plans.check(request.faults, [image.layout])
        return FaultyChip(
            image, request.faults, interface=over, apdu_shape=apdu, observer=self._watched, random=self._random(USER)
        )  # fmt: skip

    def _random(self, slot: int) -> Callable[[int], bytes]:
        seed = self._request.seed
        return os.urandom if seed is None else random.Random(f"{seed}/{slot}").randbytes

    def _hear(self, table: dict[str, Any]) -> None:
        self._number += 1
        self._monitor.hear(Event.of(self._number, table))
        if self._number <= MOST_EVENTS:
            self._events.append(table)

    def stage(self) -> AbstractContextManager[Stage]:
        """Where the program meets the cards."""
        card = stage.shaped(self._chip, self._request.situation)
        if self._request.driver_only:
            return stage.driver_only(self._chip, card, self._own, self._trace)
        return stage.in_readers([card, *([self._own] if self._own else [])], self._request.situation.interface)

    def result(self, ended: Ended) -> RunResult:
        """What it came to; the cards are out, and nothing more is heard."""
        request, expected = self._request, self._request.expectation
        self._monitor.end()
        rules = tuple(one for one in self._monitor.results() if one.verdict is not Verdict.NOT_APPLICABLE)
        after = card_state.state(self.image, self._key)
        events = [*map(Event.of, count(1), self._events)]
        masked = "".join(masked_copy(events, self.image.layout))
        told = output.text(ended.output)
        shown = told if request.personal_data else output.hidden(told, *self._cards())
        last = next((line for line in reversed(shown.splitlines()) if line.strip()), "")
        if ended.failure:
            checks = [Check("run", Verdict.MISSING, program.not_started(request.argv, ended.failure))]
        else:
            checks = [
                *judging.of_program(
                    ended, len(self._watched.sent), self._monitor.judged, expected, last[:LONGEST_LINE]
                ),
                *judging.of_output(told, ended.printed, expected, cut=ended.cut),
                *judging.of_rules(rules, expected, request.forgiven),
                *judging.of_card(self.before, after, expected),
            ]
        return RunResult(
            situation=request.situation.name,
            ending=_ending(ended),
            verdict=judging.gravest(checks),
            checks=tuple(checks),
            exit_code=ended.exit_code,
            signal=ended.signal,
            seconds=ended.seconds,
            output=shown,
            printed=ended.printed,
            cut=ended.cut,
            left=ended.left,
            sent=tuple(self._watched.sent),
            trace=self._told(masked),
            heard=heard_in(masked.encode(), events),
            rules=rules,
            before=self.before,
            after=after,
            changes=card_state.changes(self.before, after),
            injected=tuple(self._watched.came),
            image=self.image.to_text(),
        )

    def _cards(self) -> Iterator[Image]:
        yield self.image
        if self._own_image is not None:
            yield self._own_image

    def _told(self, masked: str) -> str:
        """The trace as it may be kept."""
        if self._request.personal_data:
            return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in self._events)
        return masked


def _ending(ended: Ended) -> Ending:
    if ended.failure:
        return Ending.NOT_STARTED
    if ended.hung:
        return Ending.HUNG
    return Ending.EXITED if ended.signal is None else Ending.KILLED


def monitor_of(image: Image, situation: Situation) -> Monitor:
    """Who judges a session with this card in this situation."""
    lost = frozenset(_numbers(image)) if situation.lost else frozenset()
    return Monitor(catalogue.over(image.layout, situation.interface), Circumstances(Clock().today(), lost))


def _numbers(image: Image) -> Iterator[str]:
    """By which a card is reported lost: its number, and its identification code."""
    for record in image.memory.records(ISSUER):
        if record[:1] == bytes((NUMBER,)):
            yield text.decode(record[2:])
        elif record[:1] == bytes((IDENTIFICATION,)):
            yield record[2:].hex().upper()


def play(request: RunRequest, then: Situation | None = None) -> RunResult:
    """Runs a program once, to its end or its deadline, and judges it; whatever went wrong is in the result.

    ``then``: what this process will probably be asked for next, so that its readers are made ready meanwhile; None: the
    same again. Nothing of the run is left when this returns, or raises KeyboardInterrupt.
    """
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            run = _Run(request)
            place = stack.enter_context(run.stage())
            if not request.driver_only:
                stage.prepare(then or request.situation)
            ended = program.run(
                request.argv,
                env={**os.environ, **request.environment, **place.environment},
                cwd=request.cwd,
                deadline=request.deadline,
                folder=place.folder,
                spared=place.spared,
            )
        result = run.result(ended)
    except (SscardError, OSError) as error:
        return not_run(
            request, _("this machine failed: {error}").format(error=error) if isinstance(error, OSError) else str(error)
        )
    return replace(result, overhead=time.monotonic() - began - ended.seconds)


def not_run(request: RunRequest, reason: str) -> RunResult:
    """What stands for a run of which nothing is known, and why."""
    check = Check("run", Verdict.UNDEFINED, reason)
    return RunResult(request.situation.name, Ending.NOT_RUN, Verdict.UNDEFINED, (check,))
