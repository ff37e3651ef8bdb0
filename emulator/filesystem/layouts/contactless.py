"""``[contactless]``: whether a card has a contactless side, and where it differs from the one with contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.specs import (
    AccessSpec,
    ApplicationSpec,
    Basis,
    ContactlessSpec,
    FileSpec,
    LayoutError,
)
from emulator.filesystem.layouts.terms import CardKind, UidForm
from emulator.messages import _
from emulator.security import Condition

ReadsCondition = Callable[[Node, str, str, str | None], Condition]
"""Takes an access condition from a node: its key, the application of its file, and what holds where none is given."""
MOST_SIZED, MOST_WAITED = 8, 14
"""FSCI 8 is 256 bytes, the most that every edition of the standard has; FWI 15 is reserved. [P: iso14443-4]"""
USUAL_PARAMETERS = "78 80 A0 02"
"""[1: reference:card §1]"""
STATUS = (0x6F00, 0x6D00, 0x6985, 0x6A88)
"""What GET RESPONSE may answer where nothing waits."""


def contactless(
    root: Node,
    card: CardKind,
    applications: Mapping[str, ApplicationSpec],
    files: Mapping[str, FileSpec],
    condition: ReadsCondition,
) -> ContactlessSpec | None:
    """``[contactless]``; without it the card has contacts only. LayoutError."""
    if "contactless" not in root.rest:
        return None
    node = Node(root.source, "contactless", root.rest.pop("contactless"))
    if card is not CardKind.USER:
        raise LayoutError(root.source, node.key, _("only a user card has a contactless side"))
    grade, sources = node.grade(), node.sources()
    unreachable = tuple(node.take("unreachable", list, _("a list of applications"), []))
    for name in unreachable:
        if name not in applications or not applications[name].parent:
            raise node.error(
                "unreachable",
                _("expected applications of this layout other than the MF, found {name!r}").format(name=name),
            )
    spec = ContactlessSpec(
        parameters=_parameters(node),
        uid=node.member("uid", UidForm, UidForm.RANDOM),
        pin=node.truth("pin", True),
        unreachable=unreachable,
        access=_access(node, files, condition),
        get_response=int(node.choice("get_response", [f"{one:04X}" for one in STATUS], f"{STATUS[0]:04X}"), 16),
        grade=grade,
        sources=sources,
    )
    node.done()
    return spec


def _parameters(node: Node) -> bytes:
    """The ATS's T0 and interface bytes, held against ISO/IEC 14443-4."""
    value = node.hexadecimal("ats", range(1, 5), USUAL_PARAMETERS)
    shown = value.hex(" ").upper()
    expected = 1 + (value[0] >> 4 & 7).bit_count()
    if len(value) != expected or value[0] & 0x80:
        raise node.error(
            "ats",
            _("T0 {first:02X} announces {count} interface bytes, found {shown}").format(
                first=value[0], count=expected - 1, shown=shown
            ),
        )
    if value[0] & 0x0F > MOST_SIZED:
        raise node.error("ats", _("T0 {first:02X}: FSCI is 8 at most").format(first=value[0]))
    at = 1 + (value[0] >> 4 & 1)
    if value[0] & 0x20 and value[at] >> 4 > MOST_WAITED:
        raise node.error("ats", _("TB {byte:02X}: FWI 15 is reserved").format(byte=value[at]))
    return value


def _access(node: Node, files: Mapping[str, FileSpec], condition: ReadsCondition) -> dict[str, AccessSpec]:
    result: dict[str, AccessSpec] = {}
    for path, table in node.take("access", dict, _("a table of files"), {}).items():
        if path not in files:
            raise node.error("access", _("expected a file of this layout, found {path!r}").format(path=path))
        if files[path].secret:
            raise node.error("access", _("nobody ever reads {path}, which holds a key").format(path=path))
        own, spec = Node(node.source, f'contactless.access."{path}"', table), files[path]
        result[path] = AccessSpec(
            condition(own, "read", spec.application, str(spec.read)),
            condition(own, "update", spec.application, str(spec.update)),
            Basis(own.grade(), own.sources()),
        )
        own.done()
    return result
