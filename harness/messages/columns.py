"""How much room a text takes on a terminal, where a Chinese character is as wide as two letters."""

from __future__ import annotations

import unicodedata

WIDE = frozenset("WF")
"""What Unicode's annex 11 gives two columns: wide and full-width."""


def columns(text: str) -> int:
    """Returns how many columns a text of one line takes: two a wide character, none a mark that goes on another."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in WIDE else 1 for one in text
    )


def padded(text: str, width: int) -> str:
    """Returns a text, filled up with spaces to ``width`` columns; a longer one is left as it is."""
    return text + " " * max(0, width - columns(text))
