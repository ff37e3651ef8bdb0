"""A card as a trace shows it: what was asked of it, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from emulator.apdu.command import CommandAPDU, is_secured
from emulator.apdu.instructions.authentication import ExternalAuthentication
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.pin import Verify
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.instructions.touched import FileNamed
from emulator.apdu.status import SW, CardError, tries_told
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind, Structure
from emulator.messages import _
from emulator.security import PIN
from harness.learning import shapes
from harness.learning.card_view import (
    FREE,
    REFUSED,
    ApplicationView,
    CardView,
    FileView,
    RecordView,
    atr_parts,
    record_view,
)
from harness.learning.known import ISSUER, VERSION_TAG
from harness.trace import read
from harness.trace.context import Context, Place
from harness.trace.read import Event, TraceError

ANNOUNCED, WRONG_LE = 0x61, 0x6C
VERSION = bytes((VERSION_TAG, 4))
"""How the record of the specification's version begins."""
UNNUMBERED = 1000
"""From where records are counted of which a trace does not show the number."""


def of_trace(path: Path, slot: int | None = None) -> CardView:
    """The user card of a slot, of the only one that has any if none is named. TraceError."""
    layout = read.layout_of(path)
    events = list(read.events(path))
    slots = _user_slots(events, layout)
    if slot is None and len(slots) != 1:
        raise TraceError(
            _("{path}: expected one user card, found those of slots {slots}: name one, like {path}#{first}").format(
                path=path, slots=", ".join(map(str, slots)) or "-", first=slots[0] if slots else 0
            )
        )
    wanted = slots[0] if slot is None else slot
    if wanted not in slots:
        read.check_slot(path, wanted)
        raise TraceError(_("{path}: the card in slot {slot} is a terminal's own").format(path=path, slot=wanted))
    return _Follower(layout).view(event for event in events if event.slot == wanted)


def _user_slots(events: Iterable[Event], layout: Layout) -> list[int]:
    return sorted(
        {one.slot for one in events if one.kind == "reset" and read.slot_layout(one, layout).card is CardKind.USER}
    )


@dataclass(slots=True)
class _Asked:
    """A command with all that came for it, over 61xx."""

    command: bytes
    place: Place
    data: bytes
    sw: int
    masked: bool


@dataclass(slots=True)
class _Follower:
    """Takes a session in."""

    layout: Layout
    rights: bool = False
    """Something was proved since the reset."""
    atr: bytes = b""
    algorithm: str = ""
    version: str = ""
    applications: dict[str, ApplicationView] = field(default_factory=dict)
    files: dict[str, FileView] = field(default_factory=dict)
    records: dict[str, dict[int, RecordView]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def view(self, events: Iterable[Event]) -> CardView:
        """The card."""
        for asked in self._asked(events):
            kind = Context(self.layout).instruction(asked.command)
            if kind is None or is_secured(asked.command):
                continue
            if issubclass(kind, Select):
                self._selected(asked)
            elif kind in (ReadRecord, ReadBinary):
                self._read(kind, asked)
            elif kind is Verify and len(asked.command) <= 5:
                left = tries_told(asked.sw)
                if left is not None:
                    self.states[PIN] = str(left)
            if kind in (Verify, ExternalAuthentication) and asked.sw == SW.OK:
                self.rights = True
        atr, region, serial = atr_parts(self.atr)
        files = {
            path: replace(one, records=tuple(self.records[path].values()) if path in self.records else None)
            for path, one in self.files.items()
        }
        return CardView(
            atr=atr,
            region=region,
            serial=serial if any(serial) else b"",  # zeros in a masked trace
            layout=self.layout,
            version=self.version,
            algorithm=self.algorithm,
            applications=self.applications,
            files=files,
            keys=None,
            key_values={},
            habits=None,
            states=self.states,
            whole=False,
        )

    def _asked(self, events: Iterable[Event]) -> Iterator[_Asked]:
        """Commands in order, each with its whole answer, what 61xx announced with it."""
        context = Context(self.layout)
        waiting: _Asked | None = None
        for event in events:
            if event.kind == "reset":
                context.reset(bytes.fromhex(event.told("atr")))
                self.rights = False
                self.atr = self.atr or bytes.fromhex(event.told("atr"))
                self.algorithm = self.algorithm or event.told("algorithm")
                if event.told("layout") == self.layout.name:
                    self.version = self.layout.version
            if event.kind != "apdu" or len(event.answer) < 2:
                waiting = None
                continue
            data, sw = event.answer[:-2], event.sw
            if GetResponse.has_ins(event.command):
                if waiting is not None and sw >> 8 != WRONG_LE:
                    waiting.data += data
                    waiting.sw, waiting.masked = sw, waiting.masked or event.masked
                    if sw >> 8 != ANNOUNCED:
                        yield waiting
                        waiting = None
                continue
            asked = _Asked(event.plain, context.place(event.plain), data, sw, event.masked)
            context.follow(event.plain, sw)
            waiting = asked if sw >> 8 == ANNOUNCED else None
            if waiting is None:
                yield asked

    def _selected(self, asked: _Asked) -> None:
        place, done = asked.place, asked.sw == SW.OK
        if place.file is not None:
            if done:
                self._file(place)
            return
        if not done and asked.sw == SW.FILE_NOT_FOUND:
            return
        spec = place.directory.spec
        self.applications[spec.id] = ApplicationView(
            dfname=spec.dfname.hex().upper(),
            fid=f"{spec.fid:04X}",
            fci=shapes.fci(asked.data) if done and asked.data else None,
            sw=f"{asked.sw:04X}",
        )

    def _file(self, place: Place) -> FileView:
        spec = place.file
        assert spec is not None
        known = self.files.get(spec.path)
        if known is None:
            known = self.files[spec.path] = FileView(spec, f"{spec.fid:04X}", str(spec.structure), whole=False)
        return known

    def _read(self, kind: object, asked: _Asked) -> None:
        place = asked.place
        if place.file is None or asked.sw not in (SW.OK, SW.SECURITY_NOT_SATISFIED):
            return
        known = self._file(place)
        if not self.rights:
            read_as = FREE if asked.sw == SW.OK else REFUSED
            known = self.files[place.file.path] = replace(known, read=read_as)
        if asked.sw == SW.OK and kind is ReadRecord:
            self._record(place, asked)

    def _record(self, place: Place, asked: _Asked) -> None:
        """One record; of several in an answer nobody can say here which they are."""
        spec = place.file
        assert spec is not None
        try:
            named = ReadRecord.touches(CommandAPDU.parse(asked.command))
        except CardError:
            return
        if not isinstance(named, FileNamed) or not asked.data:
            return
        if asked.data[:2] == VERSION and spec.path == ISSUER and not asked.masked:
            self.version = asked.data[2:].rstrip(b"\0").decode("ascii", "replace")
        view = record_view(asked.data, spec.structure, value=not asked.masked)
        if spec.structure is Structure.RECORDS and not view.tag:
            return
        known = self.records.setdefault(spec.path, {})
        number = named.number or next((at for at, one in known.items() if one.tag == view.tag), UNNUMBERED + len(known))
        known[number] = view
