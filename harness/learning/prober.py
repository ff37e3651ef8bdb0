"""Asking a card: every command held against the list, timed, kept, and told to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator.apdu.command import CommandAPDU
from emulator.apdu.status import SW
from emulator.apdu.transport import follow
from emulator.errors import CardFailure, ErrorKind
from emulator.messages import _
from harness.learning import harmless, shapes
from harness.learning.harmless import Proof
from harness.learning.observation import Asked, Reading
from harness.readers.connection import Connection
from harness.serving import timing
from harness.serving.timing import Timed

MOST_COMMANDS = 12_000
"""What no right card needs: one that goes on inventing files is left. [D]"""
DEEP_COMMANDS = 200_000
ENDLESS = 8
"""Answers without a status word in a row after which a card is given up. [D]"""


class Endless(CardFailure, RuntimeError):
    """A card that is not to be learned: it goes on answering something new, or nothing with a status word."""

    kind = ErrorKind.BROKEN


Shape = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """Data and status word; ``sw`` 0 where what came was none."""

    data: bytes
    sw: int

    @property
    def ok(self) -> bool:
        """True if the status word is 9000."""
        return self.sw == SW.OK

    @property
    def gave(self) -> bool:
        """True for data that came with 9000 or a warning."""
        return bool(self.data) and (self.ok or self.sw >> 8 == 0x62)

    @property
    def word(self) -> str:
        """The status word in hex; empty for none."""
        return f"{self.sw:04X}" if self.sw else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done: a command, or (empty) a reset. ``probe``: what was asked by it, empty for a command that
    only led there. ``followed``: 61xx and 6Cxx were. ``proof``: it proved a PIN or a key, of this name.
    """

    command: bytes
    probe: str = ""
    followed: bool = True
    proof: str = ""
    shape: Shape = field(default=lambda data: shapes.hidden(len(data)), compare=False)


class Prober(Connection):
    """A connection to the card that is learned.

    ``proofs``: what the user gave. ``tell`` is told the count of commands and what is being asked.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        proofs: frozenset[Proof] = frozenset(),
        most: int = MOST_COMMANDS,
        tell: Callable[[int, str], None] = lambda count, what: None,  # noqa: ARG005
    ) -> None:
        self._connection = connection
        self._proofs = proofs
        self._most = most
        self._tell = tell
        self._silent = 0
        self._naming = ""
        self._proved: bytes | None = None
        """What the card answered to the proof that is being made; None where it was not sent yet."""
        self.unanswered = False
        """A proof was sent, and no answer came."""
        self.count = 0
        self.reading = Reading(atr=connection.atr)
        self.asked: list[Asked] = []
        self.scripts: list[list[Step]] = []
        self.timed: list[Timed] = []
        self.resets: list[tuple[int, float]] = []
        """Bytes of the ATR, and seconds from the reset to its last."""

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""
        return self._connection.atr

    def reset(self) -> bytes:
        """Resets the card and begins a script: what follows depends on nothing before."""
        self.scripts.append([Step(b"")])
        began = time.monotonic()
        atr = self._connection.reset()
        self.resets.append((len(atr), time.monotonic() - began))
        return atr

    def close(self) -> None:
        """Lets the card go."""
        self._connection.close()

    def send(self, command: bytes) -> bytes:
        """The card's answer as it is. Harmful before anything is sent; PcscError; Endless.

        What proves a PIN or a key goes once, whatever is answered: 6Cxx does not have it sent again.
        """
        kind = harmless.check(command, self._proofs)
        if kind.proof is None:
            return self._sent(command)
        if self._proved is None:
            self.unanswered = True
            self._proved = self._sent(command)
            self.unanswered = False
        return self._proved

    def _sent(self, command: bytes) -> bytes:
        self.count += 1
        if self.count > self._most:
            raise Endless(
                _("after {most} commands the card still has more to tell: it answers whatever it is asked").format(
                    most=self._most
                )
            )
        self._tell(self.count, self._naming)
        began = time.monotonic()
        answer = self._connection.send(command)
        if len(answer) > 1:
            took = time.monotonic() - began
            self.timed.append(Timed(command[1], timing.on_the_wire(command, answer), took))
        self.reading.exchanges.append((command, answer))
        self._silent = 0 if len(answer) > 1 else self._silent + 1
        if self._silent > ENDLESS:
            raise Endless(_("the card gives no status word any more: what comes has less than two bytes"))
        return answer

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(
        self, probe: str, command: CommandAPDU | bytes, shape: Shape | None = None, *, followed: bool = True
    ) -> Answer:
        """One question, kept under ``probe``. ``followed``: 61xx and 6Cxx are, as terminals do it."""
        return self._do(Step(bytes(command), probe, followed, shape=shape or _bytes))

    def go(self, command: CommandAPDU | bytes) -> Answer:
        """A command that leads to the next question and is none itself."""
        return self._do(Step(bytes(command)))

    def _do(self, step: Step) -> Answer:
        self._naming = step.probe or self._naming
        self.scripts[-1].append(step)
        began = time.monotonic()
        answer = answered(self.send, step)
        if step.probe:
            self.asked.append(seen(step, answer, time.monotonic() - began))
        return answer

    @contextmanager
    def proving(self, probe: str, name: str) -> Iterator[None]:
        """What is sent within proves a PIN or key: it is kept as one question, without what proves."""
        self.scripts[-1].append(Step(b"", proof=name, probe=probe))
        self._proved = None
        count, began = len(self.reading.exchanges), time.monotonic()
        try:
            yield
        finally:
            sent = self.reading.exchanges[count:]
            if sent:
                command, answer = sent[-1]
                sw = answer[-2:].hex().upper() if len(answer) > 1 else ""
                told = command[:5].hex().upper() + "*" * (2 * len(command[5:]))
                self.asked.append(Asked(probe=probe, command=told, sw=sw, seconds=round(time.monotonic() - began, 6)))


def _bytes(data: bytes) -> str:
    return shapes.hidden(len(data))


def answered(send: Callable[[bytes], bytes], step: Step) -> Answer:
    """What comes for a step, taken apart."""
    raw = follow(send, step.command) if step.followed else send(step.command)
    return Answer(raw[:-2], int.from_bytes(raw[-2:], "big")) if len(raw) > 1 else Answer(b"", 0)


def seen(step: Step, answer: Answer, seconds: float = 0.0) -> Asked:
    """A question and its answer as they are kept."""
    return Asked(
        probe=step.probe,
        command=step.command.hex().upper(),
        sw=answer.word,
        length=len(answer.data),
        shape=step.shape(answer.data),
        seconds=round(seconds, 6),
    )
