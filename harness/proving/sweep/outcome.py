"""What became of a program and its card under one fault: seven outcomes, and the rules that tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from emulator.messages import _, both
from harness.proving.card_state import TRIES, CardState


class Outcome(StrEnum):
    """How a cell of a sweep ended."""

    UNHARMED = "unharmed"
    """The program did its work all the same."""
    NOTICED = "noticed"
    """It did not, and said so; the card is as it was, or as the work leaves it."""
    RECOVERED = "recovered"
    """The card was left in between, and a second run without a fault mends it."""
    HARMED = "harmed"
    """The card, its holder or the clerk is worse off, and the program does not mend it."""
    CRASHED = "crashed"
    """A signal ended the program, or an error that it did not foresee."""
    HUNG = "hung"
    """Its deadline came."""
    NOT_REACHED = "not reached"
    """The program took another way: the fault never came."""
    UNDEFINED = "undefined"
    """It could not be played: the machine or this program failed."""


BAD = frozenset({Outcome.HARMED, Outcome.CRASHED, Outcome.HUNG})
GOOD = frozenset({Outcome.UNHARMED, Outcome.NOTICED, Outcome.RECOVERED})
CHINESE = {
    Outcome.UNHARMED: "未受影响",
    Outcome.NOTICED: "已察觉",
    Outcome.RECOVERED: "已恢复",
    Outcome.HARMED: "造成损害",
    Outcome.CRASHED: "崩溃",
    Outcome.HUNG: "挂起",
    Outcome.NOT_REACHED: "未触及",
    Outcome.UNDEFINED: "无法判定",
}


def in_words(outcome: Outcome) -> str:
    """An outcome for people: ``noticed 已察觉``, or in one language where one is asked for."""
    return both(outcome, CHINESE[outcome])


def differing(one: CardState, other: CardState) -> frozenset[str]:
    """The names of all that two states of a card hold otherwise, tries apart."""
    names = one.parts.keys() | other.parts.keys()
    return frozenset(
        name for name in names if one.parts.get(name) != other.parts.get(name) and not name.startswith(f"{TRIES}/")
    )


def fewer_tries(one: CardState, other: CardState) -> frozenset[str]:
    """The PIN and the keys of which one state of a card has fewer tries left than another."""
    counted = {name: left for name, left in one.counts.items() if name.startswith(f"{TRIES}/")}
    return frozenset(
        name.removeprefix(f"{TRIES}/") for name, left in counted.items() if left < other.counts.get(name, left)
    )


def named(names: Iterable[str], most: int = 4) -> str:
    """Names in a sentence: some of them, and how many more."""
    every = sorted(names)
    more = f" +{len(every) - most}" if len(every) > most else ""
    return ", ".join(every[:most]) + more


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the program. ``succeeded``: it ended as the sound run does; ``crashed``: how, empty if not; ``wrong``:
    what it printed that it must not, or did not print though it must; ``printed``: it printed anything; ``unread``: so
    much that not all of it was looked at; ``card``: what the card held afterwards.
    """

    card: CardState
    succeeded: bool = True
    crashed: str = ""
    hung: bool = False
    wrong: tuple[str, ...] = ()
    printed: bool = True
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Sound:
    """The program without a fault: what the card held before, after a first run, and after a second one on the same
    card; whether the second one succeeds; ``varying``: cells that two first runs leave otherwise, as times and sequence
    numbers; ``broken``: rules that are broken even so; ``output``: it is said what a run that works prints.
    """

    before: CardState
    after: CardState
    again: CardState
    again_succeeds: bool = True
    varying: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    output: bool = False

    @property
    def written(self) -> frozenset[str]:
        """The cells that the work writes."""
        return differing(self.after, self.before)

    def unlike(self, card: CardState, state: CardState) -> frozenset[str]:
        """Cells of a card that are not as in a state of the sound run; of varying ones it counts that they changed."""
        found = differing(card, state)
        changed, due = differing(card, self.before), differing(state, self.before)
        return (found - self.varying) | (self.varying & (changed ^ due))

    @property
    def twice_shows(self) -> bool:
        """True where a card says whether the work was done once or twice."""
        return bool(self.unlike(self.again, self.after))


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a cell, why, and whether what the program showed was judged."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    output_judged: bool = True


def judge(sound: Sound, first: Ran, second: Ran, *, reached: bool, broken: frozenset[str] = frozenset()) -> Judged:
    """The outcome of a run with one fault and of a second one without, on the same card. ``reached``: the fault came;
    ``broken``: rules that both runs together break.
    """
    output_judged = not (first.unread or second.unread) and (sound.output or not (first.printed or second.printed))
    if not reached:
        return Judged(Outcome.NOT_REACHED, (_("the program took another way, and the fault never came"),), False)
    harms = [*_claims(sound, first), *_shows(first, second), *_leaves(sound, first, second)]
    harms += [_("{rule} is broken").format(rule=one) for one in sorted(broken - sound.broken)]
    ends = [*_ends(first, ""), *_ends(second, _("second run: "))]
    if harms:
        return Judged(Outcome.HARMED, (*harms, *(reason for __, reason in ends)), output_judged)
    for worst in (Outcome.CRASHED, Outcome.HUNG):
        if reasons := tuple(reason for outcome, reason in ends if outcome is worst):
            return Judged(worst, reasons, output_judged)
    lost = fewer_tries(first.card, sound.after)
    unlike = sound.unlike(first.card, sound.after)
    if first.succeeded and not lost and not unlike:
        return Judged(Outcome.UNHARMED, (), output_judged)
    if not lost and (not unlike or not sound.unlike(first.card, sound.before)):
        return Judged(Outcome.NOTICED, (), output_judged)
    left = []
    if lost:
        left.append(_("a try of {names} was spent, and given back by the second run").format(names=named(lost)))
    if unlike:
        left.append(_("{names} was left undone, and mended by the second run").format(names=named(unlike)))
    return Judged(Outcome.RECOVERED, tuple(left), output_judged)


def _claims(sound: Sound, first: Ran) -> Iterator[str]:
    """Success that the card does not bear out."""
    if not first.succeeded or not (unlike := sound.unlike(first.card, sound.after)):
        return
    if sound.twice_shows and not sound.unlike(first.card, sound.again):
        yield _("it did the work twice: {names}").format(names=named(unlike))
    else:
        yield _("it claims success, but {names} is not on the card as the sound run leaves it").format(
            names=named(unlike)
        )


def _shows(first: Ran, second: Ran) -> Iterator[str]:
    """Output that is wrong; what a crash leaves on the screen nobody takes for right."""
    if not first.crashed:
        yield from (_("shown as right: {what}").format(what=one) for one in first.wrong)
    if not second.crashed:
        yield from (_("shown as right by the second run: {what}").format(what=one) for one in second.wrong)


def _leaves(sound: Sound, first: Ran, second: Ran) -> Iterator[str]:
    """What is wrong with the card, or with going on, after the second run."""
    allowed = sound.written | differing(sound.again, sound.before) | sound.varying
    if stray := differing(second.card, sound.before) - allowed:
        yield _("it wrote {names}, which the sound run leaves alone").format(names=named(stray))
    if broken := set(second.card.malformed) - set(sound.before.malformed):
        yield _("{names} cannot be read any more").format(names=named(broken))
    if lost := fewer_tries(second.card, sound.after):
        yield _("a try of {names} was lost, and the second run does not give it back").format(names=named(lost))
    unlike = sound.unlike(second.card, sound.after) - stray
    if unlike and sound.unlike(second.card, sound.again) - stray:
        if not sound.unlike(second.card, sound.before) - stray:
            yield _("the work is not done, and a second run does not do it either")
        else:
            yield _("the card is left half-written: {names} is not as the work leaves it, and a second run does not "
                    "mend it").format(names=named(unlike))  # fmt: skip
    elif unlike and not first.succeeded and not sound.unlike(first.card, sound.after):
        yield _("it said that it failed though the card had all of it, and the second run did it once more: {names}"
                ).format(names=named(unlike))  # fmt: skip
    elif not second.succeeded and sound.again_succeeds and not (second.hung or second.crashed):
        yield _("a second run fails, though the card is as the work leaves it")


def _ends(run: Ran, which: str) -> Iterator[tuple[Outcome, str]]:
    if run.crashed:
        yield Outcome.CRASHED, which + run.crashed
    if run.hung:
        yield Outcome.HUNG, which + _("it did not end before its deadline")
