"""Why a card refused, in the user's language.

The chip makes its reasons in English with their values in them, as traces keep them and programs read them: most are
told to nobody, so none is translated as it is made. ``locale/reasons.txt`` has the templates of those with values;
``scripts/messages.py extract`` writes it from what stands in ``CardError`` and ``because``. Whoever tells a reason
finds its template by its words, be it of this process, of a trace or of a program that runs elsewhere.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache
from typing import NamedTuple

from emulator.messages import CHINESE, FOLDER, _, asked, deferred

TEMPLATES = os.path.join(FOLDER, "reasons.txt")  # noqa: PTH118 — pathlib is slow
HOLE = re.compile(r"\{(\w+)\}")
JOINTS = {
    "or": deferred(" or "),
    "and": deferred(" and "),
    "to": deferred(" to "),
    "by": deferred(" by "),
}
"""Between names and numbers: ``RKSSSE or PIN``, ``8 to 248 by 8``."""
JOINED = re.compile(rf"[^a-z]+(?: (?:{'|'.join(JOINTS)}) [^a-z]+)+")
JOINT = re.compile(rf" ({'|'.join(JOINTS)}) ")
LOWER = re.compile("[a-z]")
FEW = 4
"""Characters between a template's values that alone would fit many a sentence: such values are names and numbers."""
LONGEST = 1000
"""Letters of a reason of the chip's, rights of many keys among them; a trace may hold longer ones, made to be
taken apart for ever. [D]"""


def why(reason: str) -> str:
    """A reason in the user's language; as it is in English, and where it is none of the chip's."""
    if asked() != CHINESE or len(reason) > LONGEST:
        return reason
    whole = _(reason)
    found = _known(reason) if whole == reason else None
    if found is None:
        return whole
    template, values = found
    return _(template).format_map({name: _value(value) for name, value in values})


def _value(text: str) -> str:
    """What stands in a reason: a part with words of its own, names and numbers joined by a word, or anything."""
    if JOINED.fullmatch(text):
        return JOINT.sub(lambda joint: _(JOINTS[joint[1]]), text)
    return why(text)


class _Template(NamedTuple):
    """A template, the longest text between its holes, all those texts, and its holes' names; ``plain``: its values may
    be anything.
    """

    text: str
    fixed: str
    between: tuple[str, ...]
    names: tuple[str, ...]
    plain: bool

    def values(self, reason: str) -> tuple[str, ...] | None:
        """The shortest values that make it this reason, None where none do. Each text is taken where it first stands:
        if any other place fits, then so does that, and a long reason takes no longer than its letters.
        """
        first, *inner, last = self.between
        at, end = len(first), len(reason) - len(last)
        if not (reason.startswith(first) and reason.endswith(last)):
            return None
        found = []
        for text in inner:
            place = reason.find(text, at + 1, end)
            if place < 0:
                return None
            found.append(reason[at:place])
            at = place + len(text)
        if at >= end:
            return None
        found.append(reason[at:end])
        return tuple(found) if self.plain or not any(map(LOWER.search, found)) else None


@cache
def _templates() -> list[_Template]:
    """Those that say more of themselves first."""
    found = []
    with open(TEMPLATES, encoding="utf-8") as file:  # noqa: PTH123
        lines = file.read().splitlines()
    for line in lines:
        parts = HOLE.split(line)
        between, names = tuple(parts[::2]), tuple(parts[1::2])
        plain = len(HOLE.sub("", line).strip()) > FEW
        found.append(_Template(line, max(between, key=len), between, names, plain))
    return sorted(found, key=lambda one: -len(HOLE.sub("", one.text)))


@lru_cache(maxsize=1024)
def _known(reason: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """The template of a reason, and its values by their names."""
    for one in _templates():
        if one.fixed in reason and (found := one.values(reason)) is not None:
            return one.text, tuple(zip(one.names, found, strict=True))
    return None
