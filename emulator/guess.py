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
    close = difflib.get_close_matches(word, choices, 1, 0.5)
    same = [one for one in choices if one.casefold() == word.casefold()]
    if same or close:
        return _('; did you mean "{name}"?').format(name=(same or close)[0])
    return _("; there are {names}").format(names=", ".join(choices)) if 0 < len(choices) <= FEW else ""
