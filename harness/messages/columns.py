"""How much room a text takes on a terminal, where a Chinese character is as wide as two letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

WIDE = frozenset("WF")
"""What Unicode's annex 11 gives two columns: wide and full-width."""
OPENING, CLOSING = "“‘（《〈【「", "”’）》〉】」，。、：；？！…"
"""Punctuation that no line ends with, and that none begins with."""
PIECE = re.compile(
    rf"\s+|[{OPENING}]*(?:[\[(]*[\u2e80-\uffef][\])]*|[^\s\u2e80-\uffef{OPENING}{CLOSING}]+|\S)[{CLOSING}]*"
)
"""Space, or what stays together in a line: a word, or a Chinese character, with its punctuation."""


def columns(text: str) -> int:
    """Returns how many columns a text of one line takes: two a wide character, none a mark that goes on another."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in WIDE else 1 for one in text
    )


def padded(text: str, width: int) -> str:
    """Returns a text, filled up with spaces to ``width`` columns; a longer one is left as it is."""
    return text + " " * max(0, width - columns(text))


def wrapped(text: str, width: int) -> list[str]:
    """Returns a paragraph in lines of at most ``width`` columns: a line may end at a space, before or after a Chinese
    character, never between it and its punctuation. A word that is longer than a line is broken.
    """
    lines = [""]
    for piece in _pieces(" ".join(text.split()), width):
        if columns(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        if lines[-1] or not piece.isspace():
            lines[-1] += piece
    return [line for line in lines if line]


def _pieces(text: str, width: int) -> Iterator[str]:
    for found in PIECE.finditer(text):
        piece = found[0]
        while columns(piece) > width:
            cut = next(at for at in range(len(piece), 0, -1) if columns(piece[:at]) <= width or at == 1)
            yield piece[:cut]
            piece = piece[cut:]
        yield piece
