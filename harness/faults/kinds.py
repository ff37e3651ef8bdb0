"""The kinds of fault: what each takes, when it comes, and what it does before, instead of, or after an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from enum import Enum, auto
from random import Random
from typing import Any, ClassVar, Protocol

from emulator.apdu.instructions.authentication import GetChallenge
from emulator.messages import _
from emulator.reader.slot import CardGone
from emulator.reader.wire import LARGEST
from harness.faults.text import WRITE, Moment

DONE = b"\x90\x00"
TRIGGERS = ("nth", "every", "one_in", "at")
FILTERS = ("instruction", "application", "file", "item")
ALWAYS_TOLD = {"told": True}
"""Of a field that is told even where it has its default."""


class Phase(Enum):
    """Where in a command's course a fault comes."""

    BEFORE = auto()
    INSTEAD = auto()
    """In place of the card's answer: the card is not asked."""
    DURING = auto()
    """While the card works."""
    AFTER = auto()


class Course(Protocol):
    """One command on its way through a faulty card, as a fault may act upon it."""

    command: bytes
    last: bytes
    """The answer before this one, empty after a reset."""
    cut_after: int | None
    """Non-volatile writes after which power goes; None: it stays."""

    def wait(self, seconds: float) -> None:
        """Lets so many seconds pass."""

    def reset(self) -> None:
        """Resets the card by itself, unasked."""

    def hold(self, data: bytes, part: int) -> bytes:
        """Keeps data back for GET RESPONSE, in parts of so many bytes; gives the status word that announces it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. Where no trigger is given it comes always, where no filter is given at every command.

    Triggers count the commands that pass the filters and that the fault can spoil: ``nth`` that one alone, ``every``
    each n-th, ``one_in`` by chance, one of so many, the same ones under the same seed. ``at`` counts all commands that
    the card gets, whatever they are, from the first of the run: at that one, if it passes and can be spoilt.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]

    nth: int = 0
    every: int = 0
    one_in: int = 0
    at: int = 0
    instruction: str = ""
    application: str = ""
    file: str = ""
    item: str = ""

    @classmethod
    def takes(cls) -> tuple[str, ...]:
        """The names of this kind's own fields, as plans write them."""
        return tuple(map(name_of, _own(cls)))

    @property
    def phase(self) -> Phase:
        """Returns when it comes, seen from the command: after it, unless a kind says otherwise."""
        return Phase.AFTER

    def before(self, course: Course) -> None:
        """What it does before the card is asked, or while it works. CardGone."""

    def instead(self, course: Course) -> bytes:  # noqa: ARG002
        """The answer in place of the card's; empty where it has none to give, and then it does not come."""
        return b""

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """True where there is something for it to spoil after an answer. ``own``: the card was asked."""
        return True

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """What the terminal gets for the card's answer. CardGone."""
        return answer

    def __str__(self) -> str:
        told = [self.kind]
        for one in (*_own(type(self)), *fields(Fault)):
            value = getattr(self, one.name)
            if value != one.default or one.metadata.get("told"):
                name = name_of(one)
                told.append(f"{name}={WRITE.get(name, str)(value)}")
        return ",".join(told)


def _own(kind: type[Fault]) -> Iterator[Field[Any]]:
    """The fields that a kind adds to what all have."""
    common = {one.name for one in fields(Fault)}
    return (one for one in fields(kind) if one.name not in common)


def name_of(one: Field[Any]) -> str:
    """A field's name in plans, where Python's is another."""
    return str(one.metadata.get("name", one.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Fault):
    """``sw``: the status word told; ``executed``: the card does what it was asked all the same."""

    kind = "status"
    title = "another status word"
    title_zh = "错误状态字"

    sw: int = field(default=0x6F00, metadata=ALWAYS_TOLD)
    executed: bool = False

    @property
    def phase(self) -> Phase:
        """Instead, unless the card does it."""
        return Phase.AFTER if self.executed else Phase.INSTEAD

    def instead(self, course: Course) -> bytes:  # noqa: ARG002
        """Returns the planned status word."""
        return self.sw.to_bytes(2, "big")

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """What the card has carried out."""
        return own

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Returns the planned status word without the answer's data."""
        return self.sw.to_bytes(2, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack(Fault):
    """``part``: bytes in each part."""

    kind = "sw61"
    title = "data held back behind 61xx, in parts"
    title_zh = "数据分段，以61xx取回"

    part: int = 8

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """Data that the card itself gave with 9000: what was held back is not held back again."""
        return own and len(answer) > 2 and answer[-2:] == DONE

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Keeps the data back; returns 61xx."""
        return course.hold(answer[:-2], min(self.part, 0xFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongLe(Fault):
    """``by``: what is added to the length that was asked for."""

    kind = "sw6c"
    title = "6Cxx, and nothing done"
    title_zh = "返回6Cxx，不执行"

    by: int = 1

    @property
    def phase(self) -> Phase:
        """Returns ``INSTEAD``: the card does not see the command."""
        return Phase.INSTEAD

    def instead(self, course: Course) -> bytes:
        """Returns 6Cxx with a length other than the one that was asked for."""
        length = course.command[4] if len(course.command) == 5 else 0
        return bytes((0x6C, (length + self.by) & 0xFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(Fault):
    """``by``: bytes that are missing; ``status_too``: the status word is missing too."""

    kind = "truncated"
    title = "an answer that lacks its last bytes of data"
    title_zh = "应答缺尾"

    by: int = 1
    status_too: bool = False

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """True for an answer that has something to cut off."""
        return self.status_too or len(answer) > 2

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """What is left; one byte at least."""
        if self.status_too:
            return answer[: max(1, len(answer) - self.by)]
        return answer[:-2][: max(0, len(answer) - 2 - self.by)] + answer[-2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized(Fault):
    """``by``: bytes that are added."""

    kind = "oversized"
    title = "an answer with more data than it has"
    title_zh = "应答过长"

    by: int = 1

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """With bytes of chance behind its data, as far as a reader carries them."""
        return answer[:-2] + chance.randbytes(min(self.by, LARGEST - len(answer))) + answer[-2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled(Fault):
    """``by``: bytes that are changed, a bit each."""

    kind = "garbled"
    title = "an answer with changed bits in its data"
    title_zh = "应答数据有误"

    by: int = 1

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """True for an answer with data."""
        return len(answer) > 2

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """With bits of its data changed."""
        spoilt = bytearray(answer[:-2])
        for at in chance.sample(range(len(spoilt)), min(self.by, len(spoilt))):
            spoilt[at] ^= 1 << chance.randrange(8)
        return bytes(spoilt) + answer[-2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Fault):
    """``seconds`` of waiting."""

    kind = "delay"
    title = "an answer that comes late"
    title_zh = "延时应答"

    seconds: float = 2.0

    @property
    def phase(self) -> Phase:
        """Returns ``BEFORE``: the card gets the command late."""
        return Phase.BEFORE

    def before(self, course: Course) -> None:
        """Waits before the card gets the command."""
        course.wait(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Fault):
    """``seconds`` of waiting; ``executed``: the card does what it was asked all the same."""

    kind = "mute"
    title = "no answer until the reader gives up"
    title_zh = "无应答"

    executed: bool = False
    seconds: float = 2.0

    @property
    def phase(self) -> Phase:
        """Before, unless the card does it."""
        return Phase.AFTER if self.executed else Phase.BEFORE

    def before(self, course: Course) -> None:  # noqa: ARG002
        """Raises CardGone: the card does not even begin."""
        raise CardGone(_("the card is mute"), seconds=self.seconds)

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """What the card has carried out."""
        return own

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Raises CardGone: the card did it and does not say so."""
        raise CardGone(_("the card did it and is mute"), seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal(Fault):
    """``moment`` at which the card is taken out; ``back``: it is put in again."""

    kind = "removal"
    title = "the card is taken out"
    title_zh = "拔卡"

    moment: Moment = Moment.WITHIN
    back: bool = True

    @property
    def phase(self) -> Phase:
        """Returns ``BEFORE`` or ``AFTER``, as its moment says."""
        return Phase.BEFORE if self.moment is Moment.BEFORE else Phase.AFTER

    def before(self, course: Course) -> None:  # noqa: ARG002
        """Raises CardGone: the card is out before it got the command."""
        raise CardGone(_("the card was taken out before the command"), back=self.back)

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Gone, with its answer or without."""
        if self.moment is Moment.WITHIN:
            raise CardGone(_("the card was taken out in the middle of the command"), back=self.back)
        raise CardGone(_("the card was taken out after its answer"), answer=answer, back=self.back)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Fault):
    """``after``: writes that are still done."""

    kind = "power-cut"
    title = "power goes after so many non-volatile writes"
    title_zh = "写入中断电"

    writes: int = field(default=1, metadata={"name": "after"})

    @property
    def phase(self) -> Phase:
        """Returns ``DURING``: the card is in the middle of its work."""
        return Phase.DURING

    def before(self, course: Course) -> None:
        """Says after how many non-volatile writes power goes."""
        course.cut_after = self.writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Fault):
    """``moment``: before the command, or after it."""

    kind = "reset"
    title = "the card resets by itself"
    title_zh = "卡自行复位"

    moment: Moment = field(default=Moment.BEFORE, metadata=ALWAYS_TOLD)

    def __post_init__(self) -> None:
        if self.moment is Moment.WITHIN:
            raise ValueError(
                _("moment: a card resets {before} a command or {after} it").format(
                    before=Moment.BEFORE, after=Moment.AFTER
                )
            )

    @property
    def phase(self) -> Phase:
        """Returns ``BEFORE`` or ``AFTER``, as its moment says."""
        return Phase.BEFORE if self.moment is Moment.BEFORE else Phase.AFTER

    def before(self, course: Course) -> None:
        """Resets the card before it gets the command."""
        course.reset()

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Resets the card once it has answered; returns the answer as it is."""
        course.reset()
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Fault):
    """Takes nothing."""

    kind = "repeat"
    title = "the last answer once more, and nothing done"
    title_zh = "重复上次应答"

    @property
    def phase(self) -> Phase:
        """Returns ``INSTEAD``: the card does not see the command."""
        return Phase.INSTEAD

    def instead(self, course: Course) -> bytes:
        """The last answer, where there is one."""
        return course.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge(Fault):
    """Takes nothing."""

    kind = "challenge"
    title = "a challenge that is not the card's"
    title_zh = "随机数被改"

    def spoils(self, command: bytes, answer: bytes, *, own: bool) -> bool:  # noqa: ARG002
        """True for the answer of GET CHALLENGE."""
        return GetChallenge.has_ins(command) and len(answer) > 2

    def after(self, course: Course, answer: bytes, chance: Random) -> bytes:  # noqa: ARG002
        """Returns another challenge than the card's own, of the same length."""
        return chance.randbytes(len(answer) - 2) + answer[-2:]


KINDS: dict[str, type[Fault]] = {
    one.kind: one
    for one in (
        Status, HeldBack, WrongLe, Truncated, Oversized, Garbled, Delay, Mute, Removal, Cut, Reset, Repeat, Challenge,
    )
}  # fmt: skip
"""Every kind by its tag."""
