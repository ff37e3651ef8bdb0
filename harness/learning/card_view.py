"""A card as it is compared with another: what is known of it, wherever that is from. None stands for what is not known.

Images and personas are known whole; a card that was learned as far as it shows itself; a trace tells what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator import interface
from emulator.crypto import suite
from emulator.filesystem.layouts.changes import habits_of
from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory import files as trees
from emulator.filesystem.memory.cells import PIN_CELL, CellKind, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.interface import AnswerToReset
from emulator.messages import _, chinese_first
from emulator.security import PIN
from harness.images.compare import states
from harness.learning import shapes
from harness.learning.learn import Learned
from harness.learning.observation import Learning, SeenApplication, SeenFile
from harness.learning.rights import NO_PIN, NO_PIN_SET

FREE, REFUSED = "free", "refused"


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record: its tag in hex (empty where it has none), bytes of its value (of a record without a tag: of all), and
    the value itself.
    """

    tag: str
    length: int
    value: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """A DF. ``fci`` with its values masked, as shapes have it. ``sw``: of its SELECT, empty where it is not known."""

    dfname: str = ""
    fid: str = ""
    fci: str | None = None
    sw: str = ""


@dataclass(frozen=True, slots=True)
class FileView:
    """An EF. ``read`` and ``update``: access conditions in words; ``refused``: closed to who asked. ``content`` of a
    transparent file. ``whole``: all its records are here.
    """

    spec: FileSpec | None
    fid: str = ""
    structure: str = ""
    read: str | None = None
    update: str | None = None
    size: int | None = None
    records: tuple[RecordView, ...] | None = None
    content: bytes | None = field(default=None, repr=False)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class CardView:
    """A card. ``whole``: what is not here the card has not. ``atr`` is header and maker; ``region`` and ``serial`` are
    the bytes that follow, empty where they are not known. ``keys``: ids and loaded versions by name; ``key_values`` by
    name and version. ``habits`` by dotted key. ``states``: counters and life cycles in words.
    """

    atr: str
    region: bytes = field(repr=False)
    serial: bytes = field(repr=False)
    layout: Layout | None
    version: str
    algorithm: str
    applications: Mapping[str, ApplicationView]
    files: Mapping[str, FileView]
    keys: Mapping[str, str] | None
    key_values: Mapping[str, bytes] = field(repr=False)
    habits: Mapping[str, Any] | None
    states: Mapping[str, str]
    pin: str | None = field(default=None, repr=False)
    whole: bool = True

    def name_of(self, application: str) -> str:
        """What the layout calls an application; empty where it does not."""
        spec = self.layout.applications.get(application) if self.layout else None
        return chinese_first(spec.name_en, spec.name) if spec else ""


def atr_parts(atr: bytes) -> tuple[str, bytes, bytes]:
    """What an ATR says of the kind of card, of its region, and the chip's number."""
    parts = AnswerToReset.parse(atr)
    region, serial = interface.region(atr), interface.serial(atr)
    if parts is None or not region:
        return atr.hex().upper(), b"", b""
    told = parts.historical[: -len(region + serial)]
    return (parts.header + told).hex().upper(), region, serial


def record_view(record: bytes, structure: str, *, value: bool = True) -> RecordView:
    """A record, with its value or without."""
    if structure == Structure.RECORDS and shapes.is_tlv(record):
        return RecordView(f"{record[0]:02X}", len(record) - 2, record[2:] if value else None)
    return RecordView("", len(record), record if value else None)


def _habits(table: Mapping[str, Any], layout: Layout | None) -> dict[str, Any]:
    follows = {"get_response_class": "any"} if layout is not None and layout.follows_class else {}
    return habits_of(dict(table)) | follows


# --- from an image -----------------------------------------------------------------------------------------------


def of_image(image: Image) -> CardView:
    """All of it."""
    layout = image.layout
    cells = image.memory.snapshot()
    atr, region, serial = atr_parts(image.atr)
    root = trees.tree(layout, suite(image.algorithm).code)
    told = layout.habits.fci if layout.habits else {}
    applications = {
        one.spec.id: ApplicationView(
            dfname=one.spec.dfname.hex().upper(),
            fid=f"{one.spec.fid:04X}",
            fci=shapes.fci(told.get(one.spec.id, one.fci)),
        )
        for one in root.walk()
    }
    loaded = [name for name in cells if name.kind is CellKind.KEY]
    versions = {key: sorted(name.version for name in loaded if name.name == key) for key in layout.keys}
    keys = {
        name: _("{id:02X} in {application}, versions {versions}").format(
            id=spec.id, application=spec.application, versions=" ".join(map(str, versions[name])) or "-"
        )
        for name, spec in layout.keys.items()
    }
    return CardView(
        atr=atr,
        region=region,
        serial=serial,
        layout=layout,
        version=layout.version,
        algorithm=image.algorithm,
        applications=applications,
        files={path: _stored(image, spec) for path, spec in layout.files.items()},
        keys=keys,
        key_values={f"{name.name}/{name.version}": value for name in loaded if isinstance(value := cells[name], bytes)},
        habits=_habits(layout.table, layout),
        states=_states(image),
        pin=image.memory.text(PIN_CELL) if layout.pin.application else None,
    )


def _stored(image: Image, spec: FileSpec) -> FileView:
    records = image.memory.records(spec.path)
    transparent = spec.structure is Structure.TRANSPARENT
    return FileView(
        spec=spec,
        fid=f"{spec.fid:04X}",
        structure=str(spec.structure),
        read=str(spec.read),
        update=str(spec.update),
        size=spec.size if transparent else None,
        records=None if transparent else tuple(record_view(one, spec.structure) for one in records),
        content=records[0] if transparent else None,
    )


def _states(image: Image) -> dict[str, str]:
    """Counters that are not full, and life cycles other than in use."""
    layout, memory = image.layout, image.memory
    said = {}
    if layout.pin.application:
        said[PIN] = str(memory.counter(tries_cell(PIN))) if memory.text(PIN_CELL) else NO_PIN_SET
    for name, key in layout.keys.items():
        left = memory.counter(tries_cell(name))
        if left != key.tries:
            said[name] = str(left)
    for sentence in states(layout, memory.snapshot()):
        where, __, what = sentence.partition(": ")
        said[where] = what
    return said


# --- from a card that was learned --------------------------------------------------------------------------------


def of_learned(learned: Learned) -> CardView:
    """What a card in a reader showed, its values among it."""
    reading = learned.reading
    return _of_learning(learned.learning, learned.layout, reading.records, reading.contents, reading.atr)


def of_learning(learning: Learning, layout: Layout | None = None) -> CardView:
    """What ``learning.json`` has of a card: no value."""
    return _of_learning(learning, layout, {}, {}, b"")


def _of_learning(
    learning: Learning,
    layout: Layout | None,
    records: Mapping[str, list[bytes]],
    contents: Mapping[str, bytes],
    atr: bytes,
) -> CardView:
    tries = learning.counters.get(PIN)
    kind, region, serial = atr_parts(atr or bytes.fromhex(learning.atr.header + learning.atr.historical))
    return CardView(
        atr=kind,
        region=region if atr else b"",
        serial=serial if atr else b"",
        layout=layout,
        version=learning.version,
        algorithm=learning.algorithm,
        applications={one.name: _application(one) for one in learning.applications},
        files={one.path: _seen(one, layout, records.get(one.path), contents.get(one.path)) for one in learning.files},
        keys=None,
        key_values={},
        habits=_habits({"habits": learning.habits}, layout),
        states={PIN: tries} if tries not in (None, NO_PIN) else {},
        whole=learning.complete,
    )


def _application(one: SeenApplication) -> ApplicationView:
    return ApplicationView(one.dfname, one.fid, one.fci, one.sw)


def _seen(one: SeenFile, layout: Layout | None, records: list[bytes] | None, content: bytes | None) -> FileView:
    spec = layout.files.get(one.path) if layout else None
    shown: tuple[RecordView, ...] | None = None
    if records is not None:
        shown = tuple(record_view(record, one.structure) for record in records)
    elif one.records is not None:
        shown = tuple(RecordView(record.tag, record.length) for record in one.records)
    return FileView(
        spec=spec,
        fid=one.fid,
        structure=one.structure,
        read=one.read,
        size=one.size,
        records=shown,
        content=content,
    )
