"""Learning a card: explored, held against the nearest national layout, and its twin asked the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.errors import CardFailure, ErrorKind
from emulator.filesystem.layouts.specs import Layout, Table
from emulator.interface import interface_of
from emulator.messages import _
from harness.keys.root_keys import RootKeys
from harness.keys.spent import SpentKeys
from harness.learning import draw, summary
from harness.learning.draw import SEEN, Drawing
from harness.learning.explore import Explorer, Found
from harness.learning.habits import Explained, Search
from harness.learning.harmless import Proof
from harness.learning.manners import Manners
from harness.learning.observation import Asked, Learning, Reading
from harness.learning.prober import DEEP_COMMANDS, MOST_COMMANDS, Prober
from harness.learning.rights import Rights
from harness.learning.twin import Twin, apdu_shape, replay
from harness.readers.connection import Connection
from harness.serving.timing import USUAL, Timing


class OtherCard(CardFailure, RuntimeError):
    """The card in the reader is another than the user meant."""

    kind = ErrorKind.REFUSED


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user gave and asks for. ``keys``: roots; ``protocol``: of the reader, where it says; ``card``: the ATR
    or the identification code of the card that is meant, empty for any.
    """

    keys: RootKeys | None = None
    pin: str | None = None
    deep: bool = False
    spent: SpentKeys | None = None
    protocol: str = ""
    card: str = ""

    @property
    def proofs(self) -> frozenset[Proof]:
        """What may be proved to the card."""
        return frozenset(one for one, given in ((Proof.PIN, self.pin), (Proof.KEY, self.keys)) if given is not None)


@dataclass(slots=True)
class Learned:
    """A learning and what belongs to it. ``reading`` is in memory alone. ``drawing``: None where the card was not
    learned to the end. ``refused``: keys and the PIN, in sentences. ``broken``: what ended it early.
    """

    learning: Learning
    reading: Reading
    drawing: Drawing | None = None
    found: Found = field(default_factory=Found)
    refused: tuple[str, ...] = ()
    broken: BaseException | None = None
    ours: tuple[Asked, ...] = ()
    """What our own chip of the nearest layout answers to the same questions, where it stores what the card does."""
    timing: Timing = USUAL
    """How long the card takes."""

    @property
    def layout(self) -> Layout | None:
        """Returns the twin's layout, None where none was drawn."""
        return self.drawing.layout if self.drawing else None


def learn(
    connection: Connection,
    wanted: Wanted,
    *,
    tell: Callable[[int, str], None] = lambda count, what: None,  # noqa: ARG005
) -> Learned:
    """Learns a card.

    NoSocialSecurityCard and OtherCard for one that is not meant, SpentError where the note of refused keys cannot be
    read. A card that leaves, or a user who stops, ends it early: what was learned till then is in the result, and why
    in ``broken``.
    """
    most = DEEP_COMMANDS if wanted.deep else MOST_COMMANDS
    prober = Prober(connection, proofs=wanted.proofs, most=most, tell=tell)
    explorer = Explorer(prober, deep=wanted.deep)
    rights = Rights(explorer, wanted.keys, wanted.pin, wanted.spent, wanted.deep)
    atr = prober.reading.atr
    broken: BaseException | None = None
    try:
        explorer.environment()
        if not _is_meant(wanted.card, atr, explorer.identification):
            raise OtherCard(
                _("the card in the reader is not the one that --card names: `sscard readers --serials` tells its ATR")
            )
        found = explorer.structure()
        rights.ask_tries()
        Manners(explorer).all()
        rights.ask(draw.nearest(found, atr).base)
    except KeyboardInterrupt as stopped:
        broken = stopped
    except CardFailure as failure:
        if failure.kind is ErrorKind.REFUSED:  # another card than is meant: nothing of it is told
            raise
        broken = failure
    found = explorer.found
    if broken is not None:
        learning = summary.learning(prober, found, wanted.protocol, None, None, str(broken) or _("stopped by the user"))
        return Learned(learning, prober.reading, None, found, tuple(rights.refused), broken)
    twin = Twin(found, found.algorithm, apdu_shape(prober.reading), interface_of(atr))
    drawing, explained = _held_against(prober, found, atr, twin)
    learning = summary.learning(prober, found, wanted.protocol, drawing, explained)
    ours = tuple(replay(twin.chip(drawing.base), prober.scripts))
    timing = Timing.fitted(prober.timed, prober.resets)
    return Learned(learning, prober.reading, drawing, found, tuple(rights.refused), None, ours, timing)


def _is_meant(named: str, atr: bytes, identification: bytes) -> bool:
    digits = "".join(named.split()).upper()
    return not digits or digits in (atr.hex().upper(), identification.hex().upper() or "-")


def _held_against(prober: Prober, found: Found, atr: bytes, twin: Twin) -> tuple[Drawing, Explained]:
    """The drawing with habits, and what no habit explains."""
    drawing = draw.nearest(found, atr)
    explained = Search(twin, drawing.layout, prober.asked, prober.scripts).explain()
    more: Table = {}
    if explained.table:
        more["habits"] = explained.table | SEEN
    if explained.follows_class:
        more["get_response_class"] = "any"
    return (draw.draw(found, atr, drawing.base, more) if more else drawing), explained
