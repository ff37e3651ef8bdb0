"""Which rows of a session are meant: by slot, lane, kind, instruction, status word, change, finding, and by a text.

``static/views/session/filters.js`` says the same of a session that is all in the browser; a test holds them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.messages import _
from harness.messages.spoken import SpokenError
from harness.studio.session.rows import Row, Said

STATUS = re.compile(r"[0-9A-F][0-9A-Fx]{0,3}")
LONGEST = 200
"""Letters of a text that is looked for. [D]"""
HEX = re.compile(r"[0-9A-F*]{2,}")


@dataclass(frozen=True, slots=True)
class Filter:
    """What rows must be; what is empty asks for nothing. ``sw``: the beginning of a status word, x for any digit.

    ``findings``: rows with one. ``change``: a kind of change. ``text`` is looked for in words of both languages, in
    values, in findings and, if it is hex, in the bytes.
    """

    slots: frozenset[int] = frozenset()
    lanes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    instruction: str = ""
    sw: str = ""
    change: str = ""
    text: str = ""
    findings: bool = False

    def __post_init__(self) -> None:
        """SpokenError for a status word or a text of another form."""
        if self.sw and not STATUS.fullmatch(self.sw):
            raise SpokenError(_("expected the beginning of a status word in capitals, x for any digit, as 63Cx"))
        if len(self.text) > LONGEST:
            raise SpokenError(_("expected a text of up to {most} letters").format(most=LONGEST))

    @property
    def everything(self) -> bool:
        """True if no row is left out."""
        return self == Filter()


class Matcher:
    """Says of rows whether a filter means them. What many rows share is looked at once."""

    def __init__(self, asked: Filter) -> None:
        self._asked = asked
        self._text = Text(asked.text) if asked.text else None
        self._sw = re.compile(asked.sw.replace("x", "[0-9A-F]")) if asked.sw else None
        self._known: dict[int, tuple[Said, bool]] = {}

    def __call__(self, row: Row) -> bool:
        """True for a row that is meant."""
        if self._asked.findings and not row.findings:
            return False
        known = self._known.get(id(row.said))
        if known is None:
            known = self._known[id(row.said)] = row.said, self._means(row.said)  # held, so that its id stays its own
        return known[1] and (self._text is None or self._text(row))

    def forget(self) -> None:
        """Lets go of what is known of rows, as many of them are gone."""
        self._known.clear()
        if self._text is not None:
            self._text = Text(self._asked.text)

    def _means(self, said: Said) -> bool:
        asked = self._asked
        return (
            (not asked.slots or said.slot in asked.slots)
            and (not asked.lanes or said.lane in asked.lanes)
            and (not asked.kinds or said.kind in asked.kinds)
            and (not asked.levels or said.level in asked.levels)
            and (not asked.instruction or said.instruction == asked.instruction)
            and (self._sw is None or self._sw.match(said.sw) is not None)
            and (not asked.change or any(one.kind == asked.change for one in said.changes))
        )


class Text:
    """Says of rows whether a text is in them, whatever its case."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        digits = "".join(text.split()).upper()
        self._hex = digits if HEX.fullmatch(digits) else ""
        self._known: dict[int, tuple[Said, bool]] = {}

    def __call__(self, row: Row) -> bool:
        """True if it is in this row."""
        known = self._known.get(id(row.said))
        if known is None:
            found = any(self._text in one.casefold() for one in row.said.texts())
            known = self._known[id(row.said)] = row.said, found
        return (
            known[1]
            or bool(self._hex and (self._hex in row.command or self._hex in row.answer or self._hex in row.plain))
            or any(
                self._text in one.casefold()
                for noted in row.findings
                for one in (noted.rule, noted.title, noted.title_zh, noted.text)
            )
        )
