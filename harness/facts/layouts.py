"""The facts of layouts, one for each application, file, item, key and feature, and those of code tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from emulator import catalogue
from emulator.filesystem.layouts import codes
from emulator.filesystem.layouts.changes import habits_of
from emulator.filesystem.layouts.specs import Basis, FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import CardKind, Structure
from emulator.messages import _
from emulator.sources import citation
from harness.facts.fact import Fact
from harness.sources.register import SourceError


class _Graded(Protocol):
    @property
    def grade(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...


def of_layouts(names: Iterable[str] = ()) -> Iterator[Fact]:
    """The facts of these layouts, or of all that come with the package; one that several share stands once."""
    found: dict[Fact, list[str]] = {}
    for name in names or catalogue.layouts():
        layout = catalogue.layout(name)
        for fact in of_layout(layout):
            found.setdefault(fact, []).append(layout.name)
    for fact, sharing in found.items():
        yield Fact(fact.kind, f"layout {', '.join(sharing)}: {fact.where}", fact.statement, fact.grade, fact.citations)


def of_code_tables() -> Iterator[Fact]:
    """The facts of the code tables."""
    for name in codes.ids():
        table = codes.table(name)
        yield _fact(f"code table {name}", f"{table.name} {table.name_en}: {len(table.codes)} codes", table)


def of_layout(layout: Layout) -> Iterator[Fact]:
    """The facts of one layout; SourceError where a source is not written as one."""
    header = f"answer to reset {layout.atr_header.hex(' ').upper()} and 13 historical bytes"
    yield _fact("atr", header, layout.atr)
    for app in layout.applications.values():
        name = f", name {app.dfname.hex().upper()}" if app.dfname else ""
        yield _fact(f"application.{app.id}", f"{app.name} {app.name_en}: id {app.fid:04X}{name}", app)
    for spec in layout.files.values():
        yield _fact(f"file.{spec.path}", _file(spec), spec)
        if spec.access != Basis(spec.grade, spec.sources):
            yield _fact(f"access.{spec.path}", f"{spec.name} {spec.name_en}: {_access(spec)}", spec.access)
        for item in spec.items:
            yield from _items(f"item.{spec.path}", item)
    for key in layout.keys.values():
        where = f", PSAM {key.psam}" if layout.card is CardKind.PSAM and key.psam else ""
        statement = f"{key.title_en}: id {key.id:02X} in {key.application}, {key.levels} levels{where}"
        yield _fact(f"key.{key.name}", statement, key)
    if layout.pin.application:
        digits = f"{layout.pin.min_digits} to {layout.pin.max_digits} digits, {layout.pin.tries} tries"
        yield _fact("pin", f"PIN in {layout.pin.application}: {digits}", layout.pin)
    for scheme in layout.messaging.values():
        yield _fact(
            f"messaging.{scheme.name}", f"MAC and cipher under the {scheme.key} key, start {scheme.start}", scheme
        )
    features = {
        "blocking": ("the right before CARD BLOCK, and whether blocks may be temporary", layout.blocking),
        "activation": ("the command that turns the social security function on", layout.activation),
        "personalisation": ("the transport key of a blank card", layout.personalisation),
        "purse": ("the medical account: its files, keys and rights", layout.purse),
        "certificate": ("the certificate application: its files and rights", layout.certificate),
        "contactless": ("a contactless side, and where it differs", layout.contactless),
    }
    for where, (statement, feature) in features.items():
        if feature is not None:
            yield _fact(where, statement, feature)
    if layout.contactless is not None:
        for path, own in layout.contactless.access.items():
            rights = f"read {own.read}, update {own.update}"
            yield _fact(f"contactless.access.{path}", f"in a field {path}: {rights}", own.basis)
    if layout.habits is not None:
        for where, value in habits_of(layout.table).items():
            yield _fact(where, f"it answers otherwise than others: {value}", layout.habits)


def _file(spec: FileSpec) -> str:
    kinds = {
        Structure.TRANSPARENT: f"{spec.size} bytes",
        Structure.CYCLIC: f"{spec.records} cyclic records",
        Structure.RECORDS: "records",
    }
    apart = spec.access != Basis(spec.grade, spec.sources)
    held = f"id {spec.fid:04X}, {kinds[spec.structure]}" + ("" if apart else f", {_access(spec)}")
    return f"{spec.name} {spec.name_en}: {held}"


def _access(spec: FileSpec) -> str:
    return f"read {spec.read}, update {spec.update}"


def _items(within: str, item: ItemSpec) -> Iterator[Fact]:
    """An item and its elements, or a field of a cyclic record."""
    where = f"{within}/{item.label}" if item.label else f"{within}/{item.name_en or item.name or item.format}"
    named = f"{item.name} {item.name_en}".strip()
    yield _fact(where, f"{named + ': ' if named else ''}{item.format} of {item.length} bytes", item)
    for part in item.elements:
        yield from _items(where, part)


def _fact(where: str, statement: str, table: _Graded) -> Fact:
    try:
        cited = tuple(map(citation, table.sources))
    except ValueError as error:
        raise SourceError(_("{where}.sources: {error}").format(where=where, error=error)) from None
    return Fact("layout", where, statement, table.grade, cited)
