"""A run judged: how the program ended, what it printed, the monitor's rules, and what became of the card."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator, Sequence

from emulator.messages import _, ngettext
from harness.proving import card_state
from harness.proving.card_state import CardChange, CardState
from harness.proving.program import Ended
from harness.proving.runs import Check, Expectation
from harness.verdicts.verdict import Result, Verdict

GRAVEST = (
    Verdict.FAILED, Verdict.UNDEFINED, Verdict.MISSING, Verdict.WARNING, Verdict.PASSED, Verdict.NOT_APPLICABLE,
)  # fmt: skip
"""Of several verdicts the first of these is the run's."""
KILLED = 9
"""SIGKILL."""
AT_ONCE = 1.0
"""Seconds: a program that ends so soon without a command to the card was not at its work."""
NAMED = 6
"""Changes of a card that a reason names; the rest is counted."""


def gravest(checks: Sequence[Check]) -> Verdict:
    """The verdict of all; ``MISSING`` where there is none, as nothing was judged."""
    found = {one.verdict for one in checks}
    return next((one for one in GRAVEST if one in found), Verdict.MISSING)


def of_program(ended: Ended, sent: int, judged: int, expected: Expectation, last: str) -> Iterator[Check]:
    """How it ended, how long it took, and whether it used the card at all. ``sent``: commands to the card, and
    ``judged``: those that rules were held against; ``last``: of what it printed, a line that may be shown.
    """
    if ended.hung:
        yield _failed(
            "deadline",
            _("it did not end within {seconds:.1f} s, and was ended").format(seconds=ended.seconds)
            if ended.signal != KILLED
            else _("it did not end within its deadline, nor at SIGTERM, and was killed after {seconds:.1f} s").format(
                seconds=ended.seconds
            ),
        )
    elif ended.signal is not None:
        yield _failed("exit", _("it was killed by {signal}").format(signal=_signal_name(ended.signal)))
    elif expected.exit:
        good = ended.exit_code in expected.exit
        yield (
            Check("exit", Verdict.PASSED)
            if good
            else _failed(
                "exit",
                _("it ended with exit code {code}, expected {expected}").format(
                    code=ended.exit_code, expected=" or ".join(map(str, expected.exit))
                )
                + _said(last),
            )
        )
    if not judged:
        early = ended.seconds < AT_ONCE and not ended.hung
        text = (
            _("it sent the card nothing but what programs of any field send, {count} commands (exit code {code})")
            if sent
            else _("it ended after {seconds:.2f} s (exit code {code}) without one command to the card")
            if early
            else _("in {seconds:.1f} s it never sent the card a command")
        )
        yield _failed("card-used", text.format(seconds=ended.seconds, code=ended.exit_code, count=sent) + _said(last))
    if expected.seconds is not None and not ended.hung:
        slow = ended.seconds > expected.seconds
        yield (
            _failed(
                "seconds",
                _("it took {seconds:.2f} s, at most {most:g} s are allowed").format(
                    seconds=ended.seconds, most=expected.seconds
                ),
            )
            if slow
            else Check("seconds", Verdict.PASSED)
        )
    if ended.left:
        yield Check(
            "processes",
            Verdict.WARNING,
            ngettext(
                "it left {number} process running, which was ended",
                "it left {number} processes running, which were ended",
                ended.left,
            ),
        )


def _said(last: str) -> str:
    return _("; its last line: {line}").format(line=last) if last else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def of_output(told: str, printed: int, expected: Expectation, *, cut: bool) -> Iterator[Check]:
    """What the program printed, against what it must and must not."""
    for pattern in expected.prints:
        if re.search(pattern, told, re.MULTILINE):
            yield Check(f"prints:{pattern}", Verdict.PASSED)
        elif cut:
            yield _missing(f"prints:{pattern}", _cut(printed))
        else:
            yield _failed(f"prints:{pattern}", _("it did not print what matches {pattern!r}").format(pattern=pattern))
    for pattern in expected.prints_not:
        if re.search(pattern, told, re.MULTILINE):
            yield _failed(
                f"prints-not:{pattern}",
                _("it printed what matches {pattern!r}, which it must not").format(pattern=pattern),
            )
        elif cut:
            yield _missing(f"prints-not:{pattern}", _cut(printed))
        else:
            yield Check(f"prints-not:{pattern}", Verdict.PASSED)
    if cut and not expected.prints and not expected.prints_not:
        yield Check("output", Verdict.WARNING, _cut(printed))


def _cut(printed: int) -> str:
    return _("it printed {count} bytes, more than is kept: the middle was not judged").format(count=printed)


def of_rules(rules: Sequence[Result], expected: Expectation, forgiven: frozenset[str]) -> Iterator[Check]:
    """The monitor's verdicts, and whether what had to come up did."""
    for one in rules:
        if one.verdict in (Verdict.FAILED, Verdict.WARNING):
            verdict = Verdict.WARNING if one.subject.id in forgiven else one.verdict
            yield Check(one.subject.id, verdict, f"{one.subject.id}: {one.reason}")
        elif one.verdict is Verdict.PASSED:
            yield Check(one.subject.id, Verdict.PASSED)
    for name in unmet(expected.require, rules):
        yield _missing(
            f"require:{name}",
            _("it did nothing that {rule} could be judged by, which is required").format(rule=name),
        )


def unmet(required: Iterable[str], rules: Iterable[Result]) -> list[str]:
    """Of the names that are required, those of whose rules none was judged, well or badly."""
    judged = {one.subject.id for one in rules if one.verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.WARNING)}
    return [name for name in required if not any(names(name, one) for one in judged)]


def names(name: str, rule: str) -> bool:
    """True if that is what a plan calls this rule: its id, or the words that the id begins with."""
    return rule == name or rule.startswith(f"{name}-")


def of_card(before: CardState, after: CardState, expected: Expectation) -> Iterator[Check]:
    """What became of the card: what may not change, halves of what belongs together."""
    if broken := sorted(set(after.malformed) - set(before.malformed)):
        yield _failed("card-whole", _("the card holds what cannot be read: {items}").format(items=", ".join(broken)))
    if part := card_state.region_in_part(before, after):
        yield Check(
            "region-whole",
            Verdict.WARNING,
            _("the insurance region was changed in {moved} of {total} insurances").format(moved=part[0], total=part[1]),
        )
    if expected.changes is None:
        return
    strange = card_state.apart(card_state.changes(before, after), expected.changes)
    if strange:
        yield _failed("card", _("the card is otherwise than it may be: {changes}").format(changes=_listed(strange)))
    else:
        yield Check("card", Verdict.PASSED)


def _listed(found: Sequence[CardChange]) -> str:
    more = _(" and {count} more").format(count=len(found) - NAMED) if len(found) > NAMED else ""
    return ", ".join(map(str, found[:NAMED])) + more


def _failed(what: str, reason: str) -> Check:
    return Check(what, Verdict.FAILED, reason)


def _missing(what: str, reason: str) -> Check:
    return Check(what, Verdict.MISSING, reason)
