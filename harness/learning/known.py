"""What our national layouts know by name: which applications there are, how each is selected, which files it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from emulator import catalogue
from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec, Layout

NATIONAL = ("3.00", "2.00", "1.00", "1.00-whole")
"""Of these the nearest is what a learned layout extends; the first that has an application or file describes it."""
HOME = "SSSE"
ROOT = "MF"
ISSUER, VERSION_TAG, IDENTIFICATION_TAG = "SSSE/EF05", 0x03, 0x01
SHORTEST_NAME = 5
"""Bytes of a DF name. [P: iso7816-4]"""


@dataclass(frozen=True, slots=True)
class KnownApplication:
    """An application by the name that layouts give it. ``names`` that SELECT may find it by; ``fids`` of its files by
    SFI.
    """

    spec: ApplicationSpec
    label: bytes

    @property
    def name(self) -> str:
        """Returns the application's name, as layouts have it."""
        return self.spec.id


def layouts() -> tuple[Layout, ...]:
    """Returns the national layouts."""
    return tuple(map(catalogue.layout, NATIONAL))


@cache
def applications() -> dict[str, KnownApplication]:
    """All of them by name, parents before children."""
    found: dict[str, KnownApplication] = {}
    for layout in layouts():
        for spec in layout.applications.values():
            found.setdefault(spec.id, KnownApplication(spec, text.encode(spec.label) if spec.label else b""))
    return found


@cache
def files() -> dict[str, FileSpec]:
    """All files by path, as the first national layout that has one describes it."""
    found: dict[str, FileSpec] = {}
    for layout in layouts():
        found = {**layout.files, **found}
    return found


@cache
def nested(path: str) -> frozenset[int]:
    """Tags of a file's items whose value is a row of elements, in any national layout."""
    return frozenset(
        item.tag
        for layout in layouts()
        if path in layout.files
        for item in layout.files[path].items
        if item.elements and item.format == "B-TLV" and item.tag is not None
    )


def usual_fids(path: str) -> tuple[int, ...]:
    """File ids that a file may have, the likeliest first: as national layouts have it, else EF or 00 and the SFI."""
    application, __, name = path.partition("/")
    sfi = int(name[2:], 16)
    national = application in (ROOT, HOME) or application.startswith("DF")
    forms = (0xEF00 | sfi, sfi) if national else (sfi, 0xEF00 | sfi)
    known = files().get(path)
    return tuple(dict.fromkeys((known.fid, *forms) if known else forms))


def is_cyclic(path: str) -> bool:
    """True where the national layouts say that a file's records have no tags."""
    known = files().get(path)
    return known is not None and known.structure == "cyclic"
