"""Judges a persona: every value, by its item, its line and what was expected there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator import catalogue
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.items import ItemError
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import CardKind, IssuedState, ItemFormat, Structure
from emulator.guess import guess
from emulator.messages import _
from emulator.personas import agreement, document, from_table, shape, validity
from emulator.personas.agreement import Holder
from emulator.personas.document import Document, Origin
from emulator.personas.finding import Finding
from emulator.personas.issue import COMPUTED, issue
from emulator.personas.lines import Path as KeyPath

REQUIRED = ("SSSE/EF05/02", "SSSE/EF05/05", "SSSE/EF05/06", "SSSE/EF05/07",
            "SSSE/EF06/08", "SSSE/EF06/09", "SSSE/EF06/0A", "SSSE/EF06/0B", "SSSE/EF06/0D")  # fmt: skip
"""What no card that is in use can be without, unless its persona removes it by name. [D]"""
AMOUNT = 6
"""Bytes of a data object that is an amount, in digits. [P: pboc]"""
PICTURES = (b"\xff\xd8\xff", b"BM")
"""How JPEG and BMP begin."""


@dataclass(slots=True)
class Report:
    """What was judged: how many values, in which layouts, and what is wrong, by file and line."""

    name: str
    values: int = 0
    layouts: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check(name_or_path: str, chosen: Sequence[Layout] = ()) -> Report:
    """Judges a persona, ours or a file, against layouts; against all of ours for its kind of card if none is given.

    PersonaError where there is nothing to judge: no such file, no text, no TOML.
    """
    return judge(name_or_path, document.read(name_or_path), chosen)


def judge(name: str, documents: Sequence[Document], chosen: Sequence[Layout] = ()) -> Report:
    """Judges documents that were read: a persona's own first, then those it extends."""
    shapes = [finding for one in documents for finding in shape.problems(one)]
    table = document.merged(documents)
    shapes += shape.missing(table, documents[0].source)
    report = Report(name, findings=shapes)
    kind = table.get("card", CardKind.USER)
    report_on = list(chosen) or [one for one in map(catalogue.layout, catalogue.layouts()) if one.card == kind]
    report.layouts = [layout.name for layout in report_on]
    if isinstance(table.get("values", {}), dict) and isinstance(table.get("versions", {}), dict):
        _Judge(table, Origin(documents), report, report_on).all()
    places = {one.source: at for at, one in enumerate(documents)}
    # The same of several layouts is told once, by the newest one's name of the item.
    unique = {(one.source, one.line, one.key, one.problem): one for one in report.findings}
    report.findings = sorted(unique.values(), key=lambda one: (places.get(one.source, 0), one.line))
    return report


class _Judge:
    """One judging. What has the wrong shape has been reported, and is passed over."""

    def __init__(self, table: Mapping[str, Any], origin: Origin, report: Report, chosen: Sequence[Layout]) -> None:
        self.table = table
        self.origin = origin
        self.report = report
        self.layouts = chosen
        self.judged: set[KeyPath] = set()

    def all(self) -> None:
        """Judges all that the table holds; what is wrong goes into the report."""
        blank = _dig(self.table, "state", "card") == IssuedState.BLANK
        for layout in self.layouts:
            for path, values, spec in self._files(layout):
                self._file(path, values, spec)
        self.report.values = len(self.judged)
        self._unknown()
        self._references()
        if self.table.get("card", CardKind.USER) == CardKind.USER and not blank:
            self._person()
        if not self.report.findings:
            self._cards()

    def _find(self, path: Sequence[str | int], problem: str, item: ItemSpec | None = None) -> None:
        source, line = self.origin.find(*path)
        key = "/".join(map(str, path[1:] if path[0] == "values" else path))
        name, english = (item.name, item.name_en) if item else ("", "")
        self.report.findings.append(Finding(source, line, key, problem, name, english))

    def _files(self, layout: Layout) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], FileSpec]]:
        """The files of a layout for which the persona has values: where these stand, and what they are."""
        own = _tables(_dig(self.table, "versions", layout.version))
        values = _tables(self.table.get("values"))
        for spec in layout.files.values():
            if spec.path in own:
                yield ("versions", layout.version, spec.path), own[spec.path], spec
            elif spec.path in values:
                yield ("values", spec.path), values[spec.path], spec

    def _file(self, path: tuple[str, ...], values: Mapping[str, Any], spec: FileSpec) -> None:
        if spec.structure is Structure.TRANSPARENT:
            if "hex" in values:
                self._transparent(path, values["hex"], spec)
            return
        if spec.structure is Structure.CYCLIC:
            if isinstance(values.get("records"), list):
                self._records(path, values["records"], spec)
            return
        for item in spec.items:
            if item.label not in values:
                continue
            value = values[item.label]
            if f"{spec.path}/{item.label}" in COMPUTED:
                self._find((*path, item.label), _("is computed from the chip and the layout: leave it out"), item)
                continue
            # A persona speaks in 2.00's terms but for the files that it gives as an older version has them.
            meant = item.rewritten if item.rewritten and path[0] == "values" else item
            listed = value if isinstance(value, list) else [value]
            if len(listed) > item.count:
                self._find(
                    (*path, item.label),
                    _("expected at most {count} of them, found {found}").format(count=item.count, found=len(listed)),
                    item,
                )
            for at, one in enumerate(listed[: item.count]):
                place: KeyPath = (*path, item.label, at) if isinstance(value, list) else (*path, item.label)
                self._value(place, one, meant)

    def _value(self, place: tuple[str | int, ...], value: Any, item: ItemSpec) -> None:
        self.judged.add(place)
        if not _is_value(value):
            return  # its shape is reported
        for within, text in validity.problems(item, value):
            part = item
            for tag in within:
                part = next((one for one in part.elements if one.label == tag), part)
            self._find((*place, *within), text, part)

    def _records(self, path: tuple[str, ...], records: Sequence[Any], spec: FileSpec) -> None:
        if len(records) > spec.records:
            self._find(
                (*path, "records"),
                _("expected at most {records} records, found {count}").format(records=spec.records, count=len(records)),
            )
        for number, record in enumerate(records):
            if not isinstance(record, list):
                continue
            if len(record) != len(spec.items):
                fields = ", ".join(item.name_en or item.name for item in spec.items)
                self._find(
                    (*path, "records", number),
                    _("expected {count} texts ({fields}), found {found}").format(
                        count=len(spec.items), fields=fields, found=len(record)
                    ),
                )
                continue
            for at, (item, value) in enumerate(zip(spec.items, record, strict=True)):
                self.judged.add((*path, "records", number, at))
                if isinstance(value, str):
                    for __, text in validity.problems(item, value):
                        self._find((*path, "records", number, at), text, item)

    def _transparent(self, path: tuple[str, ...], value: Any, spec: FileSpec) -> None:
        self.judged.add((*path, "hex"))
        try:
            content = bytes.fromhex(value)
        except (TypeError, ValueError):
            return  # its shape is reported
        if len(content) > spec.size:
            self._find(
                (*path, "hex"),
                _("expected at most {size} bytes, found {count}").format(size=spec.size, count=len(content)),
            )
        elif content and (expected := _content(spec.path, content)):
            self._find((*path, "hex"), _("expected {expected}").format(expected=expected))

    def _unknown(self) -> None:
        """Files and tags that no layout has, of those that are asked for and of ours: a persona goes with many."""
        kind = self.table.get("card", CardKind.USER)
        ours = [one for one in map(catalogue.layout, catalogue.layouts()) if one.card == kind]
        known = [*self.layouts, *ours]
        versions = {layout.version for layout in known}
        self._strangers(("values",), _tables(self.table.get("values")), known)
        for version, files in _tables(self.table.get("versions")).items():
            if version not in versions:
                self._find(
                    ("versions", version),
                    _("no such version of the specification{guess}").format(guess=guess(version, versions)),
                )
                continue
            of_version = [layout for layout in known if layout.version == version]
            self._strangers(("versions", version), _tables(files), of_version)

    def _strangers(self, path: tuple[str, ...], files: Mapping[str, Any], known: Sequence[Layout]) -> None:
        for file, values in files.items():
            specs = [layout.files[file] for layout in known if file in layout.files]
            if not specs:
                paths = sorted({one for layout in known for one in layout.files})
                self._find((*path, file), _("no such file{guess}").format(guess=guess(file, paths)))
                continue
            keys = {key for spec in specs for key in _keys(spec)}
            for key in values:
                if key not in keys:
                    self._find((*path, file, key), _("no such item{guess}").format(guess=guess(key, sorted(keys))))

    def _references(self) -> None:
        """Keys, applications and items that are named elsewhere than under the files."""
        for key, known in (
            ("missing_keys", {name for layout in self.layouts for name in layout.keys}),
            ("remove", {f"{path}/{label}" for layout in self.layouts for path, spec in layout.files.items()
                        for label in _keys(spec)}),
        ):  # fmt: skip
            for at, name in enumerate(_texts(self.table.get(key))):
                if name not in known:
                    self._find(
                        (key, at),
                        _('no such thing as "{name}"{guess}').format(name=name, guess=guess(name, sorted(known))),
                    )
        keys = {name for layout in self.layouts for name in layout.keys}
        for name in _table(self.table.get("tries_left")):
            if name not in keys:
                told = guess(name, sorted(keys))
                self._find(("tries_left", name), _('no key "{name}"{guess}').format(name=name, guess=told))
        applications = {name for layout in self.layouts for name in layout.applications}
        for key in ("blocked", "suspended"):
            for at, name in enumerate(_texts(_dig(self.table, "state", key))):
                if name not in applications:
                    self._find(
                        ("state", key, at),
                        _('no application "{name}"{guess}').format(name=name, guess=guess(name, sorted(applications))),
                    )
        self._objects()
        region = _dig(self.table, "chip", "region")
        if isinstance(region, str) and (expected := validity.region(region)):
            self._find(
                ("chip", "region"), _('expected {expected}, found "{region}"').format(expected=expected, region=region)
            )
        pin = _dig(self.table, "pin", "tries_left")
        most = max((layout.pin.tries for layout in self.layouts), default=0)
        if isinstance(pin, int) and pin > most:
            self._find(("pin", "tries_left"), _("expected at most {most}, found {pin}").format(most=most, pin=pin))
        for key, what in (("year", "0101"), ("day", "")):
            held = _dig(self.table, "purse", key)
            if isinstance(held, str) and held != "0000":
                date = f"{held}{what}" if what else f"2024{held}"
                if validity.expected_of(DATE, date):
                    self._find(
                        ("purse", key),
                        _('expected a {key} that exists, or 0000, found "{held}"').format(key=key, held=held),
                    )

    def _objects(self) -> None:
        """Data objects that some layout's application has, as long as there, and amounts in digits."""
        ours = [*self.layouts, *map(catalogue.layout, catalogue.layouts())]
        for name, objects in _tables(self.table.get("data")).items():
            known = {tag: value for layout in reversed(ours) if name in layout.applications
                     for tag, value in layout.applications[name].data.items()}  # fmt: skip
            for tag, held in objects.items():
                if not shape.DATA_TAG.fullmatch(tag) or not isinstance(held, str):
                    continue  # its shape is reported
                value = known.get(int(tag, 16))
                if value is None:
                    tags = sorted(f"{one:04X}" for one in known)
                    self._find(("data", name, tag), _("no such data object{guess}").format(guess=guess(tag, tags)))
                elif held and len(held) != 2 * len(value):
                    self._find(("data", name, tag), _("expected {size} bytes in hex").format(size=len(value)))
                elif held and len(value) == AMOUNT and not held.isdigit():
                    self._find(("data", name, tag), _("expected an amount in digits"))

    def _person(self) -> None:
        values = _tables(self.table.get("values"))
        holder = Holder(
            values,
            frozenset(_texts(self.table.get("remove"))),
            _table(self.table.get("purse")),
            _table(self.table.get("data")),
        )
        for path in REQUIRED:
            if not holder.holds(path) and path not in holder.removed:
                self._find(_place(path), _("expected a value: no card is without it"), self._item(path))
        for path, problem in agreement.disagreements(holder):
            self._find(_place(path), problem, self._item(path))
        born = holder.text("SSSE/EF06/0D")
        if born and not validity.expected_of(DATE, born):
            for layout in self.layouts:
                self._not_before(born, layout)

    def _not_before(self, born: str, layout: Layout) -> None:
        """No date of a person lies before the birth."""
        for path, values, spec in self._files(layout):
            for place, item, value in _flat(path, values, spec):
                dated = item.kind in ("date", "month", "year", "time")
                if dated and value and value[: len(born)] < born[: len(value)]:
                    self._find(
                        place,
                        _('expected a date not before the birth on {born}, found "{value}"').format(
                            born=born, value=value
                        ),
                        item,
                    )

    def _item(self, path: str) -> ItemSpec | None:
        found = (layout.item(ItemPath.parse(path)) for layout in reversed(self.layouts))
        return next((one[1] for one in found if one), None)

    def _cards(self) -> None:
        """The cards that are issued of it: that they can be, and that what was computed is valid too."""
        persona = from_table(dict(self.table))
        for layout in self.layouts:
            try:
                image = issue(persona, layout, layout.algorithms[0])
            except (ItemError, ValueError) as error:
                self._find(
                    ("name",), _("no card of layout {name} can be made: {error}").format(name=layout.name, error=error)
                )
                continue
            for spec in layout.files.values():
                if spec.structure is not Structure.TRANSPARENT and not spec.directory:
                    for record in image.memory.records(spec.path):
                        self._record(record, spec)

    def _record(self, record: bytes, spec: FileSpec) -> None:
        for place, item, text in card_problems(record, spec):
            self._find(("values", spec.path, *place), _("on the card: {text}").format(text=text), item)


def card_problems(record: bytes, spec: FileSpec) -> Iterator[tuple[tuple[str | int, ...], ItemSpec, str]]:
    """What is wrong with one record as a card holds it: the item and its elements, and what was expected."""
    if spec.structure is Structure.CYCLIC:
        for at, (item, value) in enumerate(zip(spec.items, items.decode_fields(spec.items, record), strict=True)):
            for __, text in validity.problems(item, value):
                yield ("records", at), item, text
        return
    item = next(one for one in spec.items if one.tag == record[0])
    meant = items.meant(item, record[2:])
    for within, text in validity.problems(meant, _said(meant, items.decode(item, record[2:]))):
        yield (item.label, *within), meant, text


def _said(item: ItemSpec, value: Any) -> Any:
    """A decoded value without the elements that nobody filled, whose form no kind knows."""
    return value if not isinstance(value, Mapping) else {
        tag: _said(item, held) for tag, held in value.items() if held not in ("", {})
    }  # fmt: skip


DATE = ItemSpec(0, ItemFormat.CN, 4, "", "", "D", kind="date")


def _content(path: str, content: bytes) -> str:
    """What was expected of a transparent file's bytes, where anything is known of them."""
    if path == "SSSE/EF08" and not content.startswith(PICTURES):
        return _("a photograph: JPEG or BMP")
    if path in ("CERT/EF18", "CERT/EF19"):
        size = int.from_bytes(content[2:4], "big") + 4
        if content[:2] != b"\x30\x82" or len(content) != size:
            return _("a certificate: DER, a sequence as long as it says")
    if path == "MF/EF16":
        return validity.expected_of(
            ItemSpec(None, ItemFormat.CN, 6, "", "", "D", kind="terminal number"), content.hex()
        )
    return ""


def _flat(
    path: tuple[str | int, ...], values: Mapping[str, Any], spec: FileSpec
) -> Iterator[tuple[tuple[str | int, ...], ItemSpec, str]]:
    """Every text of a file with its place and its item."""
    if spec.structure is Structure.CYCLIC:
        for number, record in enumerate(_list(values.get("records"))):
            for at, (item, value) in enumerate(zip(spec.items, _list(record), strict=False)):
                if isinstance(value, str):
                    yield (*path, "records", number, at), item, value
        return
    for item in spec.items:
        meant = item.rewritten if item.rewritten and path[0] == "values" else item
        value = values.get(item.label)
        if isinstance(value, str):
            yield (*path, item.label), meant, value
        for at, one in enumerate(value if isinstance(value, list) else [value]):
            place = (*path, item.label, at) if isinstance(value, list) else (*path, item.label)
            if isinstance(one, Mapping):
                for part in item.elements:
                    if isinstance(one.get(part.label), str):
                        yield (*place, part.label), part, one[part.label]


def _keys(spec: FileSpec) -> Iterable[str]:
    if spec.structure is Structure.TRANSPARENT:
        return ("hex",)
    return ("records",) if spec.structure is Structure.CYCLIC else tuple(item.label for item in spec.items)


def _place(path: str) -> tuple[str, ...]:
    """``SSSE/EF06/08`` as keys of the file; other keys are dotted."""
    if "/" not in path:
        return tuple(path.split("."))
    return ("values", *ItemPath.parse(path))


def _is_value(value: Any) -> bool:
    """True for texts, and for elements of them."""
    return isinstance(value, str) or (isinstance(value, Mapping) and all(map(_is_value, value.values())))


def _dig(table: Mapping[str, Any], *keys: str) -> Any:
    here: Any = table
    for key in keys:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tables(value: Any) -> Mapping[str, Mapping[str, Any]]:
    return {key: held for key, held in _table(value).items() if isinstance(held, Mapping)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]
