"""Generated pages of the documentation: a page in both languages at once, and one in the language that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from emulator.messages import BOTH, asked, told


def columns(english: str, chinese: str) -> Sequence[str]:
    """What a table has in both languages, a cell each, English first; the one cell of a language that is asked for."""
    return (english, chinese) if asked() == BOTH else told(english, chinese)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, each line with its end."""
    return "".join(_lines(head, rows))


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n"
    yield "|" + " --- |" * len(head) + "\n"
    for one in rows:
        yield f"| {' | '.join(one)} |\n"
