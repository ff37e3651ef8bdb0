"""What every instruction declares, once, for the chip, the terminal, the decoder and the monitor alike."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.touched import Content, Touched
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.terms import Addressing, CardKind, Selection
from emulator.messages import _

if TYPE_CHECKING:
    from emulator.apdu.state import CardState
    from emulator.filesystem.layouts.specs import ApplicationSpec, KeySpec, Layout
    from emulator.filesystem.memory.tries import TryCounter
from emulator.security import Condition

Spans = tuple[tuple[int, int], ...]
"""Parts of data, each from a byte to before another."""
WHOLE: Spans = ((0, 256),)


class Instruction:
    """One command of the card. A class declares it; an instance is one such command, parsed and ready to act.

    Order of checks: the command's structure (6700), CLA (6E00), INS (6D00), P1 P2 (6A86), length (6700), and only
    then the card's state.
    """

    name: ClassVar[str]
    name_zh: ClassVar[str]
    cla: ClassVar[int]
    ins: ClassVar[int]
    secured: ClassVar[tuple[int, ...]] = ()
    """Further classes under which it comes with secure messaging."""
    by_p1: ClassVar[bool] = False
    """Another instruction has the same CLA and INS: P1 tells them apart."""
    cards: ClassVar[tuple[CardKind, ...]] = (CardKind.USER,)
    """The kinds of card that have it: ``user``, ``psam``."""
    versions: ClassVar[str] = "all"
    """The specification versions that have it, in words."""
    source: ClassVar[str]
    """Its grade and sources, as ``emulator.sources`` writes them: ``[T: part5:6.14]``."""
    p1p2: ClassVar[Mapping[int, str]] = {}
    """Every P1 P2 (16 bits) allowed and its meaning; empty where ``parameters`` decides."""
    lengths: ClassVar[frozenset[int]] = frozenset({0})
    """Lengths of data (Lc) that may come."""
    answers: ClassVar[str] = ""
    """What comes back, in words; empty for nothing but the status word."""
    case4: ClassVar[bool] = False
    """Data come and data go: under T=0 the answer waits behind 61xx."""
    status: ClassVar[tuple[int, ...]] = ()
    """Status words it may answer besides 9000, 61xx, 6D00, 6E00. [T: part5:table 5]"""
    secret: ClassVar[bool] = False
    """Its data hold a PIN or a key: traces mask them."""
    secret_answer: ClassVar[bool] = False
    """Its answer does too."""
    harmless_data: ClassVar[Spans] = ()
    """What of its data says nothing of a person, an amount or a time and is no PIN or key, so that a trace may hold it.
    Random numbers, cryptograms and MACs are harmless; what is not known to be is left out. [D]"""
    harmless_answer: ClassVar[Spans] = ()
    """The same of its answer's data."""
    data_hold: ClassVar[Content] = Content.BYTES
    """What its data are; of records, tags and lengths are harmless."""
    answer_holds: ClassVar[Content] = Content.BYTES
    """What its answer is; of an FCI, names are harmless too."""
    fresh_data: ClassVar[bool] = False
    """Its data hold what no two sessions share: MACs, sequence numbers, times. See ``lasting``."""
    fresh_answer: ClassVar[bool] = False
    """So does its answer: challenges, cryptograms, new keys."""
    tries_pin: ClassVar[bool] = False
    """Where it has data they hold the cardholder's PIN, and a wrong one costs a try."""
    proves: ClassVar[bool] = False
    """It proves a key, or a PIN as one, and uses the card's challenge up."""
    writes: ClassVar[bool] = False
    """It may write non-volatile memory."""
    protected: ClassVar[bool] = False
    """It always comes under secure messaging: ``authorise`` names the key, ``enciphered`` says what is covered."""
    anywhere: ClassVar[bool] = False
    """It is carried out whatever the life cycle, but in an application blocked for ever."""
    when_blocked: ClassVar[bool] = False
    """It is carried out in an application blocked for ever too."""
    unblocks: ClassVar[bool] = False
    """It is carried out in one blocked for a time: what APPLICATION UNBLOCK needs, and itself."""
    continues: ClassVar[bool] = False
    """It may stand between INITIALIZE and what INITIALIZE began, as long as it does not fail."""
    before_activation: ClassVar[bool] = False
    """It is carried out in the environment before the social security function was activated."""

    __slots__ = ()

    @classmethod
    def has_ins(cls, raw: bytes) -> bool:
        """True for a command with its INS, whatever the class and however malformed the rest."""
        return raw[1:2] == bytes((cls.ins,))

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """P1 P2 and Lc as declared; 6A86, 6700."""
        check_declared(cls, command)

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """True if a card of this layout has it."""
        return layout.card in cls.cards

    @classmethod
    def code(cls, layout: Layout) -> tuple[int, int]:  # noqa: ARG003
        """CLA and INS under which a layout offers it."""
        return cls.cla, cls.ins

    @classmethod
    def touches(cls, command: CommandAPDU) -> Touched | None:  # noqa: ARG003
        """The file, key or selection that a command names, as it came or plain; None if it is about none."""
        return None

    @classmethod
    def way(cls, card: CardState, command: CommandAPDU) -> Addressing | Selection | None:  # noqa: ARG003
        """In which of several ways a command names what it reads or selects; None where there is but one."""
        return None

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """The right that it asks for in a DF, as the layout says; None where it asks for none of its own. Who may read
        or write a file the file says.
        """
        return None

    @classmethod
    def permit(cls, card: CardState) -> None:
        """6982 unless the session's rights satisfy that condition in the current DF."""
        condition = cls.condition(card.layout, card.session.directory.spec)
        if condition is not None:
            card.need(condition, cls.name)

    @classmethod
    def pins(cls, data: bytes) -> tuple[bytes, ...]:  # noqa: ARG003
        """The PINs, in BCD, that its plain data hold, in their order."""
        return ()

    @classmethod
    def lasting(cls, p1: int, data: bytes) -> bytes:  # noqa: ARG003
        """What of its data another session with the same purpose would send too."""
        return b"" if cls.fresh_data or cls.secret else data

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:  # noqa: ARG003
        """The key of MAC and cipher; 6982 where a right is missing, before the MAC is even looked at."""
        return card.messaging_key()

    @classmethod
    def counted(cls, card: CardState, command: CommandAPDU) -> TryCounter | None:  # noqa: ARG003
        """What a wrong MAC is counted against, None for nothing: as a rule it locks no key.
        [T: part7:13.1, part7:13.2]
        """
        return None

    @classmethod
    def done_already(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True if the command would change nothing, so that it is answered 9000 unseen."""
        return False

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True if the data are enciphered as well as MACed."""
        return False

    @classmethod
    def apdu(cls, data: bytes = b"", p1p2: int | None = None, le: int | None = None) -> CommandAPDU:
        """The command for a card, under the header that the class declares; each class's ``command`` says it in its own
        words. ``p1p2`` (16 bits) where it declares not just one.
        """
        if p1p2 is None:
            (p1p2,) = cls.p1p2
        return CommandAPDU(cls.cla, cls.ins, p1p2 >> 8, p1p2 & 0xFF, data, le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> Instruction:
        """The instruction of a command that passed ``check`` and messaging."""
        raise NotImplementedError

    def execute(self, card: CardState) -> bytes:
        """Acts, and gives the answer's data; CardError where the card refuses."""
        raise NotImplementedError

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """P1 P2 in words, for decoders."""
        return _(cls.p1p2.get(command.p1 << 8 | command.p2, ""))


def check_declared(kind: type[Instruction], command: CommandAPDU) -> None:
    """Holds P1 P2 and Lc against what the class declares; 6A86, 6700."""
    if kind.p1p2 and command.p1 << 8 | command.p2 not in kind.p1p2:
        known = ", ".join(f"{value:04X}" for value in kind.p1p2)
        raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", known)
    size = len(command.data)
    if size not in kind.lengths:
        raise CardError(SW.WRONG_LENGTH, f"{size} bytes of data came, {kind.name} takes {spans(kind.lengths)}")


def wrong_p1p2(found: str, expected: str) -> CardError:
    """6A86 with what would have been right."""
    return CardError(SW.WRONG_P1P2, f"P1 P2 is {found}, expected {expected}")


def spans(numbers: frozenset[int]) -> str:
    """Numbers in words: ``2 to 8``, ``16 or 17``, ``8 to 248 by 8``."""
    ordered = sorted(numbers)
    steps = {after - before for before, after in pairwise(ordered)}
    if len(ordered) > 2 and len(steps) == 1:
        step = steps.pop()
        return f"{ordered[0]} to {ordered[-1]}" + (f" by {step}" if step > 1 else "")
    return ", ".join(map(str, ordered[:-1])) + " or " * (len(ordered) > 1) + str(ordered[-1])
