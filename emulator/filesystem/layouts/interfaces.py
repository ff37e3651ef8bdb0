"""What a card is over one of its interfaces: its layout as a terminal finds it there, and its number in a field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from emulator.filesystem.layouts.specs import ContactlessSpec, Layout
from emulator.filesystem.layouts.terms import UidForm
from emulator.frozen import frozen
from emulator.interface import Interface
from emulator.kept import keep
from emulator.messages import _

KEPT = 64
_over_the_air: dict[str, Layout] = {}
"""By the fingerprint of what they are made of; at most ``KEPT``."""
RANDOM_UID = b"\x08"
"""What a number begins with that is drawn anew each time. [P: iso14443-3]"""
MAKER_UID = b"\x7e"
"""Whose seven-byte numbers these are: no maker of chips has this. [D]"""


def over(layout: Layout, interface: Interface) -> Layout:
    """The layout as a terminal finds it over this interface: by contacts itself, without what is found in a field
    alone; else with what it says of the contactless side. Its files, keys and applications are the card's all the same.
    ValueError for an interface that it does not have; the catalogue says which do.
    """
    if interface is Interface.CONTACT:
        return layout
    spec = layout.contactless
    if spec is None:
        raise ValueError(_("layout {name} has no contactless interface").format(name=layout.name))
    if not spec.access and not spec.unreachable and not layout.hidden and spec.pin:
        return layout
    fingerprint = f"{layout.fingerprint} {interface}"
    known = _over_the_air.get(fingerprint)
    if known is None:
        known = _made(layout, spec, fingerprint)
        keep(_over_the_air, fingerprint, known, KEPT)
    return known


def _made(layout: Layout, spec: ContactlessSpec, fingerprint: str) -> Layout:
    changed = {
        path: replace(layout.files[path], read=own.read, update=own.update, access=own.basis)
        for path, own in spec.access.items()
    }
    hidden = set(spec.unreachable)
    for app in layout.applications.values():  # in which a parent stands before what lies in it
        if app.parent in hidden:
            hidden.add(app.id)
    pin = layout.pin if spec.pin else replace(layout.pin, application="")
    return replace(
        layout,
        files=frozen({**layout.files, **changed}),
        pin=pin,
        hidden=frozenset(hidden),
        fingerprint=fingerprint,
    )


def uid(spec: ContactlessSpec, chip_factor: bytes, random: Callable[[int], bytes]) -> bytes:
    """The card's number in a field, 4 or 7 bytes: drawn, or the same for one chip always and none of the numbers that
    its historical bytes hold. [P: iso14443-3] How a fixed one is made of the chip's factor [D].
    """
    if spec.uid is UidForm.RANDOM:
        return RANDOM_UID + random(3)
    own = sha256(b"uid" + chip_factor).digest()
    if spec.uid is UidForm.SEVEN:
        return MAKER_UID + own[:6]
    return bytes((own[0] & 0xF7,)) + own[1:4]  # x0 to x7: a fixed number of its own
