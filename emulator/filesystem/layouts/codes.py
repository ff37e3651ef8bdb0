"""Code tables: what the codes in items stand for. TOML in ``code_tables``, each table under its id, loaded once.

Ids: ``T14`` is V2.0's table 14, ``B9`` its table B9, ``C-4B`` what item 4B is composed of; standards by number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from emulator.errors import NotFound
from emulator.messages import _, chinese_first
from emulator.textfiles import shipped


@dataclass(frozen=True, slots=True)
class Words:
    """What a code stands for, in Chinese as printed and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return chinese_first(self.en, self.zh)


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of a composed value: how many, of which table, and what stands where none of it applies."""

    length: int
    codes: str
    none: str = ""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A table. ``partial``: not all its codes are known here (of some standards none), so a missing one may be good.

    ``pieces``: of a composed value, which has no codes of its own.
    """

    id: str
    name: str
    name_en: str
    standard: str
    grade: str
    sources: tuple[str, ...]
    partial: bool = False
    codes: Mapping[str, Words] = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()

    def words(self, code: str) -> Words | None:
        """What a code stands for, None where it is not in the table; of a composed one, all its pieces together."""
        if not self.pieces:
            return self.codes.get(code)
        found, at = [], 0
        for piece in self.pieces:
            part = code[at : at + piece.length]
            at += piece.length
            known = table(piece.codes).words(part)
            if known is None and (not piece.none or part != piece.none):
                return None
            found += [known] if known else []
        if at != len(code):
            return None
        return Words("，".join(one.zh for one in found), ", ".join(one.en for one in found))

    def has(self, code: str) -> bool:
        """True if the code may stand there; always, where only some codes are known."""
        return self.partial or self.words(code) is not None


@cache
def ids() -> tuple[str, ...]:
    """Every table's id, without reading what is in it."""
    return tuple(name for file in _files() for name in _HEADING.findall(shipped.text(PACKAGE, file)))


def table(name: str) -> CodeTable:
    """A table by its id; LookupError, naming it, for an unknown one."""
    try:
        return _tables()[name]
    except KeyError:
        raise NotFound(
            _("no code table {name!r}: they are called like T14, B9, C-4B or GB2260").format(name=name)
        ) from None


PACKAGE, FOLDER = str(__package__), "code_tables"
_HEADING = re.compile(r"^\[([A-Za-z0-9-]+)\]$", re.MULTILINE)


def _files() -> list[str]:
    return [f"{FOLDER}/{name}.toml" for name in shipped.names(PACKAGE, FOLDER)]


@cache
def _tables() -> dict[str, CodeTable]:
    return {name: _table(name, row) for file in _files() for name, row in shipped.table(PACKAGE, file).items()}


def _table(name: str, row: dict[str, Any]) -> CodeTable:
    return CodeTable(
        id=name,
        name=row["name"],
        name_en=row["name_en"],
        standard=row.get("standard", ""),
        grade=row["grade"],
        sources=tuple(row["sources"]),
        partial=row.get("partial", False),
        codes={code: Words(*words) for code, words in row.get("codes", {}).items()},
        pieces=tuple(Piece(**piece) for piece in row.get("parts", ())),
    )
