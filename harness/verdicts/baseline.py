"""Known failures in a file, one id a line: which of them fail no more, and the file that a run would have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.messages.visible import visible_line
from harness.verdicts.verdict import Result, Verdict

COMMENT = "#"
HEAD = "# sscard --baseline"
GOOD = frozenset({Verdict.PASSED, Verdict.WARNING})
NOT_GOOD = frozenset({Verdict.FAILED, Verdict.UNDEFINED, Verdict.MISSING})


class NoBaseline(SscardError, ValueError):
    """A file that holds something else than ids, or a run that none can be made of."""

    kind = ErrorKind.INPUT


def ids(text: str) -> frozenset[str]:
    """The ids in a baseline's text."""
    return frozenset(name for line in text.splitlines() if (name := _id(line)))


def _id(line: str) -> str:
    return line.partition(COMMENT)[0].strip()


def stale(known: Collection[str], verdicts: Iterable[tuple[str, str]]) -> list[str]:
    """Which of these ids fail no more, in order: they were judged, and nothing of them failed or stayed open.

    ``verdicts``: each result's id and verdict. Of an id that was not run nothing is said.
    """
    found: dict[str, set[str]] = {}
    for name, verdict in verdicts:
        found.setdefault(name, set()).add(verdict)
    return [one for one in sorted(known) if found.get(one, set()) & GOOD and not found[one] & NOT_GOOD]


def check(text: str, place: object) -> None:
    """NoBaseline for a text that is none: it is not to be written over."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(_id(line).split()) > 1:
            raise NoBaseline(
                _("{place}:{line}: expected one id a line: this is no baseline, and is not written over").format(
                    place=place, line=number
                )
            )


def updated(text: str, results: Iterable[Result]) -> str:
    """A baseline's text after a run: lines of what still fails or was not judged stay as they are, those of what fails
    no more go, and what fails anew is added with its title. NoBaseline where nothing was judged.
    """
    results = list(results)
    if not any(one.verdict in (*GOOD, Verdict.FAILED) for one in results):
        raise NoBaseline(_("nothing was judged: there is no baseline to be made of that"))
    verdicts = [(one.subject.id, str(one.verdict)) for one in results]
    gone = set(stale(ids(text), verdicts))
    lines = [line for line in text.splitlines() if _id(line) not in gone] or [HEAD]
    return "".join(f"{line}\n" for line in (*lines, *_new(ids(text), results)))


def _new(known: Collection[str], results: Iterable[Result]) -> Iterator[str]:
    failed = {
        one.subject.id: one.subject.title
        for one in results
        if one.verdict is Verdict.FAILED and one.subject.id not in known
    }
    for name, title in sorted(failed.items()):
        yield f"{name}  {COMMENT} {visible_line(title)}"
