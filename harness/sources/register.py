"""The register of sources, docs/sources.toml: who says so, by id; and whether a fact's sources bear its grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred
from emulator.messages.system_errors import strerror
from emulator.sources import JOINING, MARK, SOURCED, Citation, marks
from emulator.textfiles import as_toml
from emulator.textfiles.text import FormatError

FILE = "sources.toml"
KINDS = ("text", "program", "standard", "regulation", "card", "reference")
"""A text of the standard's family, a public program, an ISO or PBOC standard, an official rule, a card that was read,
our own reference.
"""
PLACES = {
    "table": deferred("table {which}"),
    "tables": deferred("tables {which}"),
    "article": deferred("article {which}"),
}
"""How a citation's place begins that is no clause."""
_TEXTS = ("kind", "label", "title", "title_zh", "origin", "language", "note")
_NEEDED = ("kind", "label", "title", "title_zh", "origin")


class SourceError(SscardError, ValueError):
    """A register that cannot be used, or a source that it does not know: file, key and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Source:
    """One source. Sources of one ``origin`` (author, firm, code base, body) are not independent of each other.

    ``label``: how texts name it. ``year`` 0 and ``language`` empty where not known. ``second_hand``: it reports what
    other sources say, so a fact may rest on it alone, but is counted apart.
    """

    id: str
    kind: str
    label: str
    title: str
    title_zh: str
    origin: str
    language: str = ""
    year: int = 0
    second_hand: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """The sources by id."""

    file: str
    sources: dict[str, Source]

    def __getitem__(self, name: str) -> Source:
        """The source of this id; SourceError."""
        if name not in self.sources:
            raise SourceError(_("{file}: {name}: no such source").format(file=self.file, name=name))
        return self.sources[name]

    def words(self, citation: Citation) -> str:
        """A citation as people read it: ``part 5 §6.14``, ``V2.0 table 9``; as it is where the register lacks it."""
        if citation.source not in self.sources:
            return str(citation)
        label, locator = self.sources[citation.source].label, citation.locator
        return f"{label} §{locator}" if locator[:1].isdigit() else f"{label} {locator}".rstrip()

    def told(self, citation: Citation) -> str:
        """A citation in the user's language."""
        if citation.source not in self.sources:
            return str(citation)
        label, place = _(self.sources[citation.source].label), citation.locator
        if place[:1].isdigit():
            return f"{label} §{place}"
        kind, __, which = place.partition(" ")
        return f"{label} {_(PLACES[kind]).format(which=which) if kind in PLACES else place}".rstrip()

    def readable(self, text: str) -> str:
        """A text with its marks written out: ``PIN asked for (part 5 §6.14) [T]``; as it is where one is not ours."""
        return self._written_out(text, self.words, str)

    def readable_to_people(self, text: str) -> str:
        """The same in the user's language."""
        return self._written_out(text, self.told, _)

    def _written_out(self, text: str, cited: Callable[[Citation], str], said: Callable[[str], str]) -> str:
        try:
            found = list(marks(text))
        except ValueError:
            return text
        result, last = "", 0
        for one in found:
            before = text[last : one.start].rstrip()
            named = ", ".join(map(cited, one.citations))
            note = before.strip(JOINING)
            before = before.replace(note, said(note)) if note else before
            result += before + (" " if before else "")
            result += (f"({named}) " if note else f"{named} ") * bool(named) + f"[{one.grade}]"
            last = one.end
        return result + text[last:]

    def named(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """The sources that these texts cite, each with its titles and how many of the texts cite it, for reports."""
        counts: Counter[str] = Counter()
        for text in texts:
            with suppress(ValueError):
                counts.update({one.source for mark in marks(text) for one in mark.citations})
        return [
            {"id": one.id, "label": one.label, "title": one.title, "title_zh": one.title_zh,
             "second_hand": one.second_hand, "results": counts[one.id]}
            for one in self.sources.values() if one.id in counts
        ]  # fmt: skip

    def problem(self, grade: str, citations: Iterable[Citation]) -> str:
        """Why these sources do not bear this grade; empty where they do."""
        cited = tuple(citations)
        unknown = [one.source for one in cited if one.source not in self.sources]
        if unknown:
            return _("{names}: not in {file}").format(names=", ".join(unknown), file=FILE)
        if (
            grade not in SOURCED
            or self._borne(grade, cited)
            or any(self.sources[one.source].second_hand for one in cited)
        ):
            return ""
        return {
            "S": _("S needs two sources of different origin, an official rule, or our reference's word"),
            "T": _("T needs a text of the standard's family with its clause, or our reference's word"),
            "1": _("1 needs a source"),
        }[grade]

    def second_hand(self, grade: str, citations: Iterable[Citation]) -> bool:
        """True if only our own reference bears the grade."""
        cited = [one for one in citations if one.source in self.sources]
        return grade in SOURCED and not self._borne(grade, cited) and not self.problem(grade, cited)

    def _borne(self, grade: str, citations: Iterable[Citation]) -> bool:
        """Whether first-hand sources alone bear the grade."""
        own = [(self.sources[one.source], one.locator) for one in citations if not self.sources[one.source].second_hand]
        if grade == "S":
            rule = any(source.kind == "regulation" and locator for source, locator in own)
            return rule or len({source.origin for source, __ in own}) > 1
        if grade == "T":
            return any(source.kind == "text" and locator for source, locator in own)
        return bool(own)


def load(path: Path) -> Register:
    """The register in a TOML file; SourceError says file, key and what was expected."""
    try:
        table = as_toml.load(path)
    except FileNotFoundError:
        raise SourceError(_("{path}: no such file").format(path=path)) from None
    except FormatError as error:
        raise SourceError(str(error)) from None
    except OSError as error:
        raise SourceError(_("{path}: cannot be read: {strerror}").format(path=path, strerror=strerror(error))) from None
    return Register(path.name, {name: _source(path.name, name, one) for name, one in table.items()})


def _source(file: str, name: str, table: object) -> Source:
    if not isinstance(table, dict):
        raise SourceError(
            _("{file}: {name}: expected a table, found {table!r}").format(file=file, name=name, table=table)
        )
    known: dict[str, Any] = dict(table)
    for key, value in known.items():
        expected: tuple[type, str] | None = (
            (str, _("a text"))
            if key in _TEXTS
            else {"year": (int, _("a year")), "second_hand": (bool, _("true or false"))}.get(key)
        )
        if expected is None:
            raise SourceError(_("{file}: {name}.{key}: not a key of a source").format(file=file, name=name, key=key))
        if not isinstance(value, expected[0]) or value == "":
            raise SourceError(
                _("{file}: {name}.{key}: expected {expected}, found {value!r}").format(
                    file=file, name=name, key=key, expected=expected[1], value=value
                )
            )
    for key in _NEEDED:
        if key not in known:
            raise SourceError(_("{file}: {name}.{key}: missing, expected a text").format(file=file, name=name, key=key))
    if known["kind"] not in KINDS:
        raise SourceError(
            _("{file}: {name}.kind: expected one of {kinds}, found {known!r}").format(
                file=file, name=name, kinds=", ".join(KINDS), known=known["kind"]
            )
        )
    if known.get("second_hand", False) != (known["kind"] == "reference"):
        raise SourceError(
            _("{file}: {name}.second_hand: expected true for a reference, and for nothing else").format(
                file=file, name=name
            )
        )
    if MARK.search(known["label"]):
        raise SourceError(
            _("{file}: {name}.label: expected a text without a grade, found {known!r}").format(
                file=file, name=name, known=known["label"]
            )
        )
    return Source(id=name, **known)


@cache
def register() -> Register:
    """The project's own register: inside the package where it is installed, in docs/ in a checkout."""
    inside = Path(str(resources.files(__package__))) / FILE
    return load(inside if inside.is_file() else Path(__file__).parents[2] / "docs" / FILE)
