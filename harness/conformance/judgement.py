"""How a run ends: what failed, what was not judged although it must have been, and the exit code for both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from emulator.errors import Misuse
from emulator.guess import guess
from emulator.messages import _
from harness.conformance.vector import Vector
from harness.verdicts import conclusion
from harness.verdicts.conclusion import OPEN, SAYING, Asked
from harness.verdicts.verdict import Result, Verdict


class Required:
    """What a run must have judged: vectors by id or with ``*`` for anything, or items of the standard.

    Misuse for a name that no vector and no item has. ``known``: all vectors that there are, asked for or not.
    """

    def __init__(self, patterns: Sequence[str], known: Iterable[Vector]) -> None:
        vectors = list(known)
        self._meant: dict[str, frozenset[str]] = {}
        for pattern in patterns:
            meant = frozenset(one.id for one in vectors if _means(pattern, one))
            if not meant:
                names = [*(one.id for one in vectors), *{item for one in vectors for item in _items(one)}]
                raise Misuse(
                    _("--require: no vector and no item is {pattern!r}{guess}").format(
                        pattern=pattern, guess=guess(pattern, names)
                    )
                )
            self._meant[pattern] = meant

    def lacking(self, results: Iterable[Result]) -> list[str]:
        """The ids of vectors that were not judged where they had to be, and the names for which none was, in order."""
        by_id: dict[str, list[Verdict]] = {}
        for one in results:
            by_id.setdefault(one.subject.id, []).append(one.verdict)
        found: dict[str, None] = {}
        for pattern, meant in self._meant.items():
            open_ones = [name for name in sorted(meant) if any(verdict in OPEN for verdict in by_id.get(name, ()))]
            judged = any(verdict in SAYING for name in meant for verdict in by_id.get(name, ()))
            found |= dict.fromkeys(open_ones if open_ones or judged else [pattern])
        return list(found)


def of_items(vectors: Sequence[Vector], items: Sequence[str]) -> list[Vector]:
    """Those that stand for one of these items of the standard, all where none is named. Misuse for an item that none of
    them is for.
    """
    there = {item for one in vectors for item in _items(one)}
    for item in items:
        if item not in there:
            raise Misuse(
                _("--item: no vector is for the item {item!r}{guess}").format(item=item, guess=guess(item, there))
            )
    return [one for one in vectors if not items or not set(items).isdisjoint(_items(one))]


def _items(vector: Vector) -> tuple[str, ...]:
    return (vector.standard, *vector.covers)


def _means(pattern: str, vector: Vector) -> bool:
    return fnmatchcase(vector.id, pattern) or pattern in _items(vector)


def failed(results: Iterable[Result], known: Collection[str]) -> list[Result]:
    """What failed and is in no baseline."""
    return [one for one in results if one.verdict is Verdict.FAILED and one.subject.id not in known]


def asked(results: Sequence[Result], required: Required | None = None, *, cut_short: bool = False) -> Asked:
    """What a run had to judge. ``required``: what was named; everything that is for the card where nothing was."""
    if required is None:
        return Asked(cut_short=cut_short)
    return Asked(every=False, lacking=tuple(required.lacking(results)), cut_short=cut_short)


def exit_code(results: Sequence[Result], known: Collection[str] = (), required: Required | None = None) -> int:
    """What a run ends with. ``known``: ids whose failure does not count; ``required``: what must have been judged,
    everything that is for the card where nothing is named.
    """
    return conclusion.of_results(results, known, asked(results, required)).exit_code
