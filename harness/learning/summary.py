"""What was found, as the observation model says it: masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from emulator.filesystem.layouts.changes import Difference
from emulator.interface import AnswerToReset, interface_of, region, serial
from emulator.messages import _, deferred
from emulator.version import VERSION
from harness.learning import known, shapes
from harness.learning.draw import Drawing
from harness.learning.explore import Application, File, Found
from harness.learning.habits import Explained
from harness.learning.observation import (
    Asked,
    Atr,
    Differs,
    Learning,
    NotSeen,
    ReaderSeen,
    SeenApplication,
    SeenElement,
    SeenFile,
    SeenRecord,
    Unexpressed,
)
from harness.learning.prober import Prober
from harness.learning.twin import apdu_shape

GLOBAL = 15
"""What a TD names in place of a protocol where the bytes that follow are of none. [P: iso7816-3]"""
MOST_UNEXPRESSED = 400


def learning(
    prober: Prober,
    found: Found,
    protocol: str,
    drawing: Drawing | None,
    explained: Explained | None,
    stopped: str = "",
) -> Learning:
    """The document. ``stopped``: why not all was asked."""
    not_seen = [*found.not_seen, *(drawing.not_seen if drawing else ())]
    if stopped:
        not_seen.append((_("the rest"), stopped))
    return Learning(
        sscard=VERSION,
        date=datetime.now(UTC).date().isoformat(),
        complete=not stopped,
        version=found.version,
        algorithm=_algorithm(found),
        nearest=drawing.base.name if drawing else "",
        atr=_atr(prober.reading.atr),
        reader=ReaderSeen(
            shape="apdu" if apdu_shape(prober.reading) else "t0",
            protocol=protocol,
            interface=interface_of(prober.reading.atr).value,
        ),
        counters=dict(found.counters),
        applications=tuple(_application(one, drawing) for one in found.applications.values()),
        files=tuple(_file(one) for one in found.files.values()),
        habits=dict(explained.table) if explained else {},
        differences=tuple(Differs(where=one, before=two, after=three) for one, two, three in _differences(drawing)),
        unexpressed=tuple(map(_unexpressed, explained.left[:MOST_UNEXPRESSED])) if explained else (),
        not_seen=tuple(NotSeen(what=what, why=why) for what, why in dict.fromkeys(not_seen)),
        asked=tuple(prober.asked),
    )


def _algorithm(found: Found) -> Literal["3des", "sm4", ""]:
    told = {"3des": "3des", "sm4": "sm4"}.get(found.algorithm) if known.HOME in found.applications else None
    return "3des" if told == "3des" else "sm4" if told == "sm4" else ""


def _differences(drawing: Drawing | None) -> Sequence[Difference]:
    return drawing.differences if drawing else []


def _unexpressed(pair: tuple[Asked, Asked]) -> Unexpressed:
    card, twin = (" ".join(filter(None, (one.sw or "-", one.shape))) for one in pair)
    return Unexpressed(probe=pair[0].probe, seen=card, twin=twin)


def _atr(atr: bytes) -> Atr:
    convention = {0x3B: deferred("direct convention"), 0x3F: deferred("inverse convention")}.get(
        atr[0] if atr else 0, ""
    )
    meaning = (_(convention),) if convention else ()
    told = AnswerToReset.parse(atr)
    if told is None:
        return Atr(header=atr[:2].hex().upper(), historical="", protocols=("T=0",), meaning=meaning)
    hidden = len(region(atr) + serial(atr))
    shown = told.historical[: len(told.historical) - hidden] + bytes(hidden)
    protocols = tuple(f"T={number}" for number in told.protocols if number != GLOBAL)
    return Atr(
        header=told.header.hex().upper(),
        historical=shown.hex().upper(),
        protocols=protocols or ("T=0",),
        meaning=meaning,
    )


def _application(one: Application, drawing: Drawing | None) -> SeenApplication:
    return SeenApplication(
        name=one.name,
        parent=one.parent,
        fid="" if one.fid is None else f"{one.fid:04X}",
        dfname=one.dfname.hex().upper(),
        fci=shapes.fci(one.fci),
        selected=tuple(one.ways),
        sw=f"{one.sw:04X}",
        known=one.name in drawing.base.applications if drawing else one.known,
    )


def _file(one: File) -> SeenFile:
    transparent = one.structure == "transparent"
    return SeenFile(
        path=one.path,
        sfi=one.sfi,
        fid="" if one.fid is None else f"{one.fid:04X}",
        structure=one.structure,
        size=None if one.content is None or not one.whole else len(one.content),
        records=None
        if one.records is None
        else tuple(_record(one, at, data) for at, data in enumerate(one.records, 1)),
        read=_access(one),
        refusal="" if one.opened.get(frozenset()) else f"{one.binary_word if transparent else one.record_word:04X}",
        addressings=dict(one.addressings),
        how=tuple(one.how),
    )


def _record(file: File, number: int, data: bytes) -> SeenRecord:
    if file.structure == "cyclic" or not shapes.is_tlv(data):
        return SeenRecord(number=number, tag="", length=len(data))
    inner = shapes.elements(data[2:]) if data[0] in known.nested(file.path) else None
    elements = tuple(SeenElement(tag=f"{tag:02X}", length=size) for tag, size in inner or ())
    return SeenRecord(number=number, tag=f"{data[0]:02X}", length=len(data) - 2, elements=elements)


def _access(file: File) -> str:
    """Who may read, by what was tried."""
    opening = sorted(
        (rights for rights, granted in file.opened.items() if granted), key=lambda one: (len(one), sorted(one))
    )
    if not opening:
        return "refused"
    if not opening[0]:
        return "free"
    single = [name for rights in opening if len(rights) == 1 for name in sorted(rights)]
    return " or ".join(single) if single else " and ".join(sorted(opening[0]))
