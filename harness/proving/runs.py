"""What a run is asked for, and what came of it: frozen, and fit to be sent to other processes and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.faults.plan import Plan
from harness.proving.card_state import CardChange, CardState
from harness.proving.situation import Situation
from harness.verdicts.log import Heard
from harness.verdicts.verdict import Result, Verdict

DEADLINE = 60.0
"""Seconds that a program has, where nobody says otherwise. [D]"""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is demanded of a run besides the monitor's rules. Empty or None: nothing of the kind.

    ``exit``: the exit codes that are good. ``prints`` and ``prints_not``: regular expressions, searched for in what the
    program printed, in any line. ``changes``: names of parts of the card that may be otherwise afterwards, in which
    ``*`` stands for anything; an empty tuple: nothing may; None: not judged. ``seconds``: the longest that it may take.
    ``require``: rules, by id or the beginning of it, that the program must have given cause to judge.
    """

    exit: tuple[int, ...] = ()
    prints: tuple[str, ...] = ()
    prints_not: tuple[str, ...] = ()
    changes: tuple[str, ...] | None = None
    seconds: float | None = None
    require: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of one program in one situation.

    ``environment`` is added to this process's. ``driver_only``: the program calls SSCardDriver and nothing else, so
    that there is no pcscd. ``image``: a card as ``Image.to_text`` has it, instead of the situation's fresh one.
    ``seed`` makes the card's random numbers the same each time; None: they are random. ``key``: of this proving, for
    digests of cards; runs whose cards are compared have the same. ``forgiven``: rules whose breach does not count.
    ``personal_data``: keep the card's values in output and trace.
    """

    argv: tuple[str, ...]
    situation: Situation
    cwd: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    faults: Plan | None = None
    deadline: float = DEADLINE
    expectation: Expectation = Expectation()
    seed: int | None = None
    driver_only: bool = False
    image: str = field(default="", repr=False)
    key: bytes = field(default=b"", repr=False)
    forgiven: frozenset[str] = frozenset()
    personal_data: bool = False


class Ending(StrEnum):
    """How a program's run ended."""

    EXITED = "exited"
    KILLED = "killed"
    """By a signal that nobody here sent."""
    HUNG = "hung"
    """Its deadline came."""
    NOT_STARTED = "not started"
    """There is no such program, or it cannot be executed."""
    NOT_RUN = "not run"
    """There was no reader for it, or this machine failed: nothing is known of the program."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a run was held against, and what that came to; ``reason``: why, but for passed ones."""

    what: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One command that the user's card got, as far as it is harmless: its number from 1, which a fault's ``nth`` counts
    likewise; the instruction's name, empty where none is known; the status word, 0 where none came; how often it wrote
    in non-volatile memory.
    """

    number: int
    instruction: str
    sw: int
    writes: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run.

    ``seconds``: the program's own; ``overhead``: all else that the run took. ``output``: what it printed, values of the
    card hidden, its middle left out where ``cut``; ``printed``: bytes in all. ``left``: processes that it left, ended
    by now. ``sent``: the user's card's commands; ``trace``: of all cards, as ``sscard run --trace`` writes it, masked.
    ``heard``: what names its session, over the trace as it is when masked. ``rules``: the monitor's verdicts, of those
    rules that came up or are blind. ``injected``: the faults that came. ``image``: the card as it was left, not to be
    shown to anybody. ``checks``: all that it was held against, of which ``verdict`` is the gravest.
    """

    situation: str
    ending: Ending
    verdict: Verdict
    checks: tuple[Check, ...]
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    overhead: float = 0.0
    output: str = ""
    printed: int = 0
    cut: bool = False
    left: int = 0
    sent: tuple[Sent, ...] = ()
    trace: str = field(default="", repr=False)
    heard: Heard | None = None
    rules: tuple[Result, ...] = field(default=(), repr=False)
    before: CardState | None = field(default=None, repr=False)
    after: CardState | None = field(default=None, repr=False)
    changes: tuple[CardChange, ...] = ()
    injected: tuple[str, ...] = ()
    image: str = field(default="", repr=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is what it is: of the checks that have it."""
        return tuple(one.reason for one in self.checks if one.verdict is self.verdict and one.reason)

    @property
    def status_words(self) -> dict[int, int]:
        """How often the user's card answered each status word; 0: no answer came."""
        counted: dict[int, int] = {}
        for one in self.sent:
            counted[one.sw] = counted.get(one.sw, 0) + 1
        return counted
