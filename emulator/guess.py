"""What a word that is not known may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from emulator.messages import _

FEW = 30
"""So many words are listed where none is alike."""


def guess(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for a word that is like one of those known, else those known, if they are few."""
    choices = list(known)
    folded = {one.casefold(): one for one in choices}
    for close in difflib.get_close_matches(word.casefold(), folded, 1, 0.5):
        return _('; did you mean "{name}"?').format(name=folded[close])
    return _("; there are {names}").format(names=", ".join(choices)) if 0 < len(choices) <= FEW else ""
