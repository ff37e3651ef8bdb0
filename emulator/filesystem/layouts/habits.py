"""``[habits]`` of a layout, read and checked: see ``HabitsSpec``."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

from emulator.filesystem.layouts.habit_specs import (
    ANY,
    CHALLENGES,
    HEADER_DIGITS,
    USUAL_CHALLENGE,
    HabitsSpec,
    Moved,
    Refusal,
    StatusHabit,
)
from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.terms import Addressing, Asked, Check, Selection, Waiting
from emulator.frozen import frozen
from emulator.messages import _

STATUS = re.compile(
    r"(?:(?P<place>[\w/]+) )?(?P<header>\*|[0-9A-F]{2}|[0-9A-Fx]{8}|[0-9A-Fx]{10}):(?P<found>[0-9A-Fx]{4})"
)
MOVED = re.compile(r"(?:(?P<ins>[0-9A-F]{2}) )?(?P<check>[a-z]+)")
WAY = re.compile(r"(?:(?P<place>[\w/]+) )?(?P<way>[a-z0-9-]+)")
STATUS_WORD = "[69][0-9A-F]{3}"
LE_WORDS = ("6Cxx", "whole", "part", "61xx")
NO_COMMAND = "absent"

Word = TypeVar("Word", bound=StrEnum)


def habits(root: Node, places: Container[str]) -> HabitsSpec | None:
    """``[habits]``, None where the layout has none. ``places``: its applications and files. LayoutError."""
    if "habits" not in root.rest:
        return None
    node = Node(root.source, "habits", root.rest.pop("habits"))
    spec = HabitsSpec(
        status=tuple(sorted(_status(node, places), key=lambda one: one.weight, reverse=True)),
        moved=tuple(_moved(_table(node, "before"))),
        le=frozen({int(ins, 16): dict(_le(table)) for ins, table in _instructions(_table(node, "le"))}),
        challenge=_challenge(node),
        unasked=node.number("challenge_unasked", 1, 255, USUAL_CHALLENGE),
        waiting=frozen(dict(_waiting(_table(node, "waiting")))),
        commands=frozen(dict(_commands(_table(node, "commands")))),
        classes=frozen(dict(_classes(_table(node, "classes")))),
        addressing=tuple(_refusals(_table(node, "addressing"), Addressing, places)),
        selection=tuple(_refusals(_table(node, "selection"), Selection, places)),
        fci=frozen(dict(_fci(_table(node, "fci"), places))),
        grade=node.grade(),
        sources=node.sources(),
    )
    node.done()
    return spec


def _table(node: Node, name: str) -> Node:
    return Node(node.source, f"{node.key}.{name}", node.rest.pop(name, {}))


def _names(node: Node) -> tuple[str, ...]:
    """A copy, as taking a key changes the table."""
    return tuple(node.rest)


def _word(node: Node, key: str, pattern: str, expected: str) -> str:
    value = node.text(key)
    if not re.fullmatch(pattern, value):
        raise node.error(key, _("expected {expected}, found {value!r}").format(expected=expected, value=value))
    return value


def _place(node: Node, key: str, found: str | None, places: Container[str]) -> str:
    if found and found not in places:
        raise node.error(key, _("this layout has no application or file {found!r}").format(found=found))
    return found or ""


def _status(node: Node, places: Container[str]) -> Iterator[StatusHabit]:
    table = _table(node, "status")
    for key in _names(table):
        parts = STATUS.fullmatch(key)
        if parts is None:
            raise table.error(
                key,
                _(
                    "expected what it is the answer to and our status word, like B2:6A83, *:6E00, 00A404xx:6A82 "
                    "(x: any digit) or SSSE/EF06 B2:6982"
                ),
            )
        header = parts["header"]
        if header == "*":
            header = ""
        elif len(header) == 2:
            header = ANY * 2 + header
        value = _word(table, key, "[69x][0-9A-Fx]{3}", _("a status word, x where it has our digit"))
        yield StatusHabit(
            _place(table, key, parts["place"], places), header.ljust(HEADER_DIGITS, ANY), parts["found"], value
        )


def _moved(table: Node) -> Iterator[Moved]:
    ours = list(Check)
    for key in _names(table):
        parts = MOVED.fullmatch(key)
        if parts is None or parts["check"] not in ours:
            raise table.error(
                key,
                _("expected a check, or an INS and a check like 'B2 record': {known}").format(known=", ".join(ours)),
            )
        check, ahead_of = Check(parts["check"]), table.member(key, Check)
        if ours.index(ahead_of) >= ours.index(check):
            raise table.error(
                key, _("expected a check that comes before {check}, found {found}").format(check=check, found=ahead_of)
            )
        yield Moved(int(parts["ins"], 16) if parts["ins"] else None, check, ahead_of)


def _instructions(table: Node) -> Iterator[tuple[str, Node]]:
    for key in _names(table):
        _hex(table, key, 2, _("INS in two hex digits"))
        yield key, _table(table, key)


def _hex(table: Node, key: str, digits: int, expected: str) -> int:
    """A key written in hex."""
    if not re.fullmatch(f"[0-9A-F]{{{digits}}}", key):
        raise table.error(key, _("expected {expected}, in capitals").format(expected=expected))
    return int(key, 16)


def _le(table: Node) -> Iterator[tuple[Asked, str]]:
    for asked in Asked:
        if asked in table.rest:
            expected = _("one of {words}, or a status word").format(words=", ".join(LE_WORDS))
            value = _word(table, asked, "|".join((*LE_WORDS, STATUS_WORD)), expected)
            if value == "part" and asked is not Asked.SHORT:
                raise table.error(asked, _("part of an answer is for a Le that is short"))
            yield asked, value
    table.done()


def _challenge(node: Node) -> tuple[int, ...]:
    sizes = node.take("challenge", list, _("a list of lengths"), list(CHALLENGES))
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 255:
            raise node.error("challenge", _("expected lengths from 1 to 255, found {size!r}").format(size=size))
    return tuple(sizes)


def _waiting(table: Node) -> Iterator[tuple[int, Waiting]]:
    for key in _names(table):
        yield _hex(table, key, 2, _("INS in two hex digits")), table.member(key, Waiting)


def _commands(table: Node) -> Iterator[tuple[int, int | None]]:
    for key in _names(table):
        code = _hex(table, key, 4, _("our CLA and INS in four hex digits"))
        value = _word(
            table, key, f"{NO_COMMAND}|[0-9A-F]{{4}}", _("CLA and INS on this card, or {word}").format(word=NO_COMMAND)
        )
        yield code, None if value == NO_COMMAND else int(value, 16)


def _classes(table: Node) -> Iterator[tuple[int, int]]:
    for key in _names(table):
        yield _hex(table, key, 2, _("CLA in two hex digits")), table.hexadecimal(key, range(1, 2))[0]


def _refusals(table: Node, ways: Iterable[Addressing | Selection], places: Container[str]) -> Iterator[Refusal]:
    known = {str(way): way for way in ways}
    for key in _names(table):
        parts = WAY.fullmatch(key)
        if parts is None or parts["way"] not in known:
            raise table.error(
                key,
                _("expected a way, or a place and a way like 'SSSE/EF06 {first}': {known}").format(
                    first=next(iter(known)), known=", ".join(known)
                ),
            )
        place = _place(table, key, parts["place"], places)
        yield Refusal(place, known[parts["way"]], int(_word(table, key, STATUS_WORD, _("the status word to it")), 16))


def _fci(table: Node, places: Container[str]) -> Iterator[tuple[str, bytes]]:
    for key in _names(table):
        _place(table, key, key, places)
        yield key, table.hexadecimal(key, range(257))
