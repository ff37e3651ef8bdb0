"""What a terminal may know of the card in one slot: selection, rights won, challenge. The card is never asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from emulator.apdu.command import CommandAPDU, is_secured
from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.pin import Verify
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import BY_NAME, Select
from emulator.apdu.instructions.touched import Content
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.security import PIN, Condition
from harness.trace.context import SELECTED_ALL_THE_SAME, Context, Place
from harness.trace.read import Event

NO_CHALLENGE, GIVEN, USED = "none", "given", "used"


@dataclass(frozen=True, slots=True)
class Step:
    """One command as rules see it: ``rights``, ``challenge``, ``selected`` and ``refused`` are as they were before it,
    ``view`` is as it is afterwards.

    ``command`` is plain, None if malformed; ``kind`` None if no card has such a command.
    """

    view: CardView
    event: Event
    kind: type[Instruction] | None
    command: CommandAPDU | None
    place: Place
    rights: frozenset[str]
    challenge: str
    selected: bool
    refused: dict[str, int]

    @property
    def name(self) -> str:
        """The instruction's name, or the first bytes of an unknown one."""
        return self.kind.name if self.kind else self.event.told("command")[:10]

    @property
    def sw(self) -> int:
        """The status word, 0 for none."""
        return self.event.sw

    @property
    def ok(self) -> bool:
        """True for 9000 and for 61xx, data to fetch."""
        return self.sw >> 8 in (0x90, 0x61)

    @property
    def unanswered(self) -> bool:
        """No status word came: whether the card carried it out nobody knows."""
        return len(self.event.answer) < 2

    @property
    def done(self) -> bool:
        """It was carried out, or may have been: a write without an answer is a write."""
        return self.ok or self.unanswered

    @property
    def secured(self) -> bool:
        """True if the command came under secure messaging."""
        return is_secured(self.event.command)

    @property
    def data(self) -> bytes:
        """The command's plain data; empty where there are none."""
        return self.command.data if self.command else b""

    @property
    def answer(self) -> bytes:
        """Returns the answer's data, without its status word."""
        return self.event.answer[:-2]

    @property
    def pins(self) -> list[str]:
        """The marks of the PINs that it carries."""
        return list(self.event.table.get("pins", ()))

    @property
    def tries_pin(self) -> bool:
        """It spends a try if its PIN is wrong."""
        return self.kind is not None and self.kind.tries_pin and bool(self.data)

    @property
    def asks_pin(self) -> bool:
        """VERIFY without data, which only asks."""
        return self.kind is Verify and not self.data

    @property
    def enters(self) -> bool:
        """True for a SELECT of a DF, by name or by id."""
        return (
            self.kind is not None
            and issubclass(self.kind, Select)
            and ((self.command is not None and self.kind.parse(self.command).by == BY_NAME) or self.place.file is None)
        )

    @property
    def path(self) -> str:
        """The item, file or DF that it is about."""
        return self.place.path

    def records(self) -> Iterator[bytes]:
        """The TLV records of an answer or an update; nothing more after one that is cut off."""
        reads = self.kind is not None and self.kind.answer_holds is Content.RECORDS
        writes = self.kind is not None and self.kind.data_hold is Content.RECORDS
        data = self.answer if reads else self.data if writes else b""
        at = 0
        while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
            yield data[at : at + 2 + data[at + 1]]
            at += 2 + data[at + 1]

    def items(self) -> dict[str, bytes]:
        """The items that an answer gave or an update holds, whole, by path: by what they themselves say they are."""
        file = self.place.file
        if file is None or file.structure is not Structure.RECORDS or not self.done:
            return {}
        return {f"{file.path}/{record[0]:02X}": record for record in self.records()}

    @property
    def acts(self) -> bool:
        """It does business with the card: writes, spends, signs or changes; no mere reading, asking or proving."""
        return self.kind is not None and self.kind.writes and self.kind is not Verify and not self.proves

    @property
    def proves(self) -> bool:
        """It proves a key, or a PIN as one, by a challenge."""
        return self.kind is not None and self.kind.proves


@dataclass(slots=True)
class CardView:
    """One slot. ``take`` brings the next command and gives its step; a record that came in parts behind 61xx makes
    another step, as if it had come whole.
    """

    layout: Layout
    context: Context = field(init=False)
    rights: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    """Rights whose proof was refused, with the status word, until it is proved."""
    challenge: str = NO_CHALLENGE
    selected: bool = False
    named: bool = True
    """The card itself told its layout; False where it was guessed, as for a card in a reader."""
    _parted: Step | None = None
    """A reading whose data are being fetched, with what has come of them."""

    def __post_init__(self) -> None:
        self.context = Context(self.layout)

    def reset(self, atr: bytes = b"") -> None:
        """Forgets selection, rights and challenge, as the card does. ``atr``: its answer, where one came."""
        self.context.reset(atr)
        self.rights.clear()
        self.refused.clear()
        self.challenge, self.selected, self._parted = NO_CHALLENGE, False, None

    def may(self, condition: Condition, rights: frozenset[str]) -> bool:
        """True if these rights are enough, or if the card is being personalised."""
        plan = self.layout.personalisation
        return condition.satisfied(rights) or (plan is not None and plan.key in rights)

    def take(self, event: Event) -> Iterator[Step]:
        """The next command: its step, and what it makes of the session."""
        step = self._step(event)
        yield step
        if whole := self._joined(step):
            yield whole

    def _joined(self, step: Step) -> Step | None:
        """The reading that this step's data bring to its end."""
        before, self._parted = self._parted, None
        first = step if step.kind is ReadRecord and not step.secured else before if step.kind is GetResponse else None
        if first is None or not step.ok or (first is step and step.sw == SW.OK):
            return None
        data = b"" if first is step else first.event.answer[:-2]
        event = first.event
        table = {**event.table, "answer": (data + step.event.answer).hex()}
        table |= {"masked": True} if step.event.masked else {}
        joined = replace(first, event=Event(event.line, event.kind, event.t, event.slot, table))
        if step.sw == SW.OK:
            return joined
        self._parted = joined
        return None

    def _step(self, event: Event) -> Step:
        raw = event.plain
        kind = self.context.instruction(raw)
        try:
            command = CommandAPDU.parse(raw)
        except CardError:
            command = None
        step = Step(
            self,
            event,
            kind,
            command,
            self.context.place(raw),
            frozenset(self.rights),
            self.challenge,
            self.selected,
            dict(self.refused),
        )
        before = self.context.directory
        self.context.follow(raw, event.sw)
        if step.enters and (step.ok or step.sw in SELECTED_ALL_THE_SAME):
            self.selected = True
            if self.context.directory is not before:
                self.rights &= {PIN}
                self.challenge = NO_CHALLENGE
        elif kind is GetChallenge and step.ok:
            self.challenge = GIVEN
        elif step.tries_pin:
            self._proof(PIN, step, won=kind is Verify)
        elif step.proves:
            self.challenge = USED if self.challenge == GIVEN else self.challenge
            if step.place.key is not None:
                self._proof(step.place.key.name, step, won=True)
        elif step.secured:
            self.challenge = USED if self.challenge == GIVEN else self.challenge
            if step.sw == SW.MESSAGING_OBJECT_WRONG:
                self.rights &= {PIN}
        return step

    def _proof(self, right: str, step: Step, *, won: bool) -> None:
        if step.ok:
            self.refused.pop(right, None)
            if won:
                self.rights.add(right)
            return
        self.rights.discard(right)
        if not step.unanswered:
            self.refused[right] = step.sw
