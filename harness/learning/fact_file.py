"""``facts.json``: what cards showed of the facts that we state, of one card or of many added up.

Of a card it says who made it, which layout is nearest, when it was read, and a mark by which the same card is known
again on the machine that read it. The mark is made with a secret that never leaves that machine: nothing can be
computed back from it, and two machines that read one card count it twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import as_json
from harness.facts.fact import Fact
from harness.learning.observation import Hex, as_table
from harness.verdicts import models
from harness.verdicts.models import Schema, says

VERSION: Literal[1] = 1
FILE = "facts.json"
LINE = re.compile(r":\d+$")
OF_LAYOUTS = re.compile(r"layout ([^:]+): (.+)", re.DOTALL)


class FactFileError(SscardError, ValueError):
    """A file that is no facts.json: where, and what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


class Verdict(StrEnum):
    """What a card showed of a fact."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A card that was read."""

    mark: Annotated[
        str,
        says(
            pattern="^[0-9a-f]{16}$", description="the same for the same card on one machine; nothing follows from it"
        ),
    ]
    maker: Annotated[Hex, says(description="the ATR's first seven historical bytes: chip, system and card maker")]
    nearest: str
    date: Annotated[str, says(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    sscard: Annotated[str, says(description="the release that asked")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCard:
    """What one card showed. ``seen``: what was seen, or why nothing was."""

    mark: str
    verdict: Verdict
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """A fact of ours, as it was stated when cards were read, and what they showed of it."""

    where: Annotated[str, says(description="its place: item.SSSE/EF06/09, or a file of the code")]
    layout: Annotated[str, says(description="whose fact it is; empty of one in the code")] = ""
    statement: str
    grade: Annotated[str, says(description="ours, then: no card changes it")]
    cards: tuple[OnCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFile:
    """All of it."""

    SCHEMA: ClassVar[Schema] = {"title": "what cards showed of the facts that sscard states"}

    facts: Annotated[Literal[1], says(description="of this document's form")] = VERSION
    cards: tuple[CardRead, ...]
    rows: tuple[FactRow, ...]

    def text(self) -> str:
        """The content of the file."""
        table = {"facts": self.facts, "cards": as_table(self.cards), "rows": as_table(self.rows)}
        return json.dumps(table, ensure_ascii=False, indent=1) + "\n"


# ---- several cards --------------------------------------------------------------------------------------------------


def merged(files: Iterable[FactFile]) -> FactFile:
    """What several files say together. A card that stands in more than one counts once, as it was read last."""
    cards: dict[str, CardRead] = {}
    rows: dict[tuple[str, str, str], FactRow] = {}
    shown: dict[tuple[str, str, str], dict[str, OnCard]] = {}
    for file in sorted(files, key=_newest):
        again = {one.mark for one in file.cards}
        for of_fact in shown.values():
            for mark in again:
                of_fact.pop(mark, None)
        cards |= {one.mark: one for one in file.cards}
        for row in file.rows:
            rows[_key(row)] = row
            shown.setdefault(_key(row), {}).update({one.mark: one for one in row.cards})
    told = (
        FactRow(where=row.where, layout=row.layout, statement=row.statement, grade=row.grade,
                cards=tuple(sorted(shown[key].values(), key=lambda one: one.mark)))
        for key, row in sorted(rows.items()) if shown[key]
    )  # fmt: skip
    return FactFile(cards=tuple(sorted(cards.values(), key=lambda one: one.mark)), rows=tuple(told))


def _newest(file: FactFile) -> tuple[str, str]:
    return max((one.date for one in file.cards), default=""), file.text()


def _key(row: FactRow) -> tuple[str, str, str]:
    return row.layout, LINE.sub("", row.where), row.statement


# ---- what is known of one fact --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learned:
    """What cards showed of one fact: how many, of how many makers; what was seen where it was another thing."""

    confirmed: int = 0
    makers: int = 0
    contradicted: int = 0
    not_seen: int = 0
    seen: tuple[str, ...] = ()

    def words(self) -> str:
        """For people."""
        told = []
        if self.confirmed:
            told.append(_("seen on {count} cards of {makers} makers").format(count=self.confirmed, makers=self.makers))
        if self.contradicted:
            told.append(
                _("contradicted on {count}: {seen}").format(count=self.contradicted, seen=" | ".join(self.seen))
            )
        return "; ".join(told) or _("not seen")

    def table(self) -> dict[str, Any]:
        """For programs."""
        return {
            "confirmed": self.confirmed,
            "makers": self.makers,
            "contradicted": self.contradicted,
            "not_seen": self.not_seen,
            "seen": list(self.seen),
        }


@dataclass(slots=True)
class Lookup:
    """Finds what cards showed of a fact as ``sscard facts`` lists it, whatever the line that it stands in now."""

    file: FactFile
    _rows: dict[tuple[str, str], list[FactRow]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.file.rows:
            self._rows.setdefault((LINE.sub("", row.where), row.statement), []).append(row)

    def of(self, fact: Fact) -> Learned | None:
        """What is known of a fact; None where no card that was read could show it, or it says another thing since."""
        layouts, place = _place(fact)
        rows = [one for one in self._rows.get((place, fact.statement), []) if not layouts or one.layout in layouts]
        if not rows:
            return None
        makers = {one.mark: one.maker for one in self.file.cards}
        found = {one.mark: one for row in rows for one in row.cards}.values()
        good = [one for one in found if one.verdict is Verdict.CONFIRMED]
        wrong = [one for one in found if one.verdict is Verdict.CONTRADICTED]
        return Learned(
            confirmed=len(good),
            makers=len({makers.get(one.mark, one.mark) for one in good}),
            contradicted=len(wrong),
            not_seen=len(found) - len(good) - len(wrong),
            seen=tuple(dict.fromkeys(one.seen for one in wrong)),
        )


def _place(fact: Fact) -> tuple[tuple[str, ...], str]:
    """The layouts that share a fact, and its place."""
    found = OF_LAYOUTS.fullmatch(fact.where)
    if found is None:
        return (), LINE.sub("", fact.where)
    return tuple(found[1].split(", ")), found[2]


# ---- reading --------------------------------------------------------------------------------------------------------


def schema() -> Schema:
    """The published schema of ``facts.json``."""
    return models.published(FactFile)


def schema_text() -> str:
    """The content of ``facts-schema-1.json``."""
    return models.as_text(schema())


def load(path: Path) -> FactFile:
    """A file, or the one in the folder that `sscard learn` wrote. FactFileError, FormatError, OSError."""
    path = path / FILE if path.is_dir() else path
    table = as_json.load(path)
    if not isinstance(table, dict) or "facts" not in table:
        raise FactFileError(
            _("{path}: expected what `sscard learn` or `sscard facts merge` wrote (facts.json)").format(path=path)
        )
    if table["facts"] != VERSION:
        raise FactFileError(
            _("{path}: this program reads facts.json of schema {version}, found {found!r}").format(
                path=path, version=VERSION, found=table["facts"]
            )
        )
    for where, wrong in models.faults(table, schema()):
        raise FactFileError(_("{path}: {where}: {wrong}").format(path=path, where=where or FILE, wrong=wrong))
    return models.build(FactFile, table)
