"""The keys that a persona's file may have, and what stands under each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from emulator.filesystem.layouts.terms import CardKind, IssuedState
from emulator.guess import guess
from emulator.messages import _
from emulator.personas.document import Document, Table
from emulator.personas.finding import Finding

Rule: TypeAlias = "Callable[[Any], str]"
"""What was expected, empty where a value is as it should be."""

FILE_PATH = re.compile(r"[A-Z][A-Z0-9]*/EF[0-9A-F]{2}")
ITEM_PATH = re.compile(r"[A-Z][A-Z0-9]*/EF[0-9A-F]{2}/[0-9A-F]{2}(?:[0-9A-F]{2})?")
APPLICATION = re.compile(r"[A-Z][A-Z0-9]*")
DATA_TAG = re.compile(r"[0-9A-F]{4}")
TAG = re.compile(r"[0-9A-F]{2}(?:[0-9A-F]{2})?")
REQUIRED = (("name",), ("title",), ("title_zh",), ("chip", "region"), ("chip", "serial"), ("values",))
DEEPEST = 4
"""Templates within templates: the bank's directory has two."""


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else _("a text that is not empty")


def _truth(value: Any) -> str:
    return "" if isinstance(value, bool) else _("true or false")


def _digits(fewest: int, most: int) -> Rule:
    size = str(fewest) if fewest == most else f"{fewest} to {most}"

    def rule(value: Any) -> str:
        good = isinstance(value, str) and value.isascii() and value.isdigit() and fewest <= len(value) <= most
        return "" if good else _("a text of {size} digits").format(size=size)

    return rule


def _hex(size: int) -> Rule:
    def rule(value: Any) -> str:
        good = isinstance(value, str) and re.fullmatch(f"[0-9A-Fa-f]{{{2 * size}}}", value)
        return "" if good else _("a text of {number} hex digits").format(number=2 * size)

    return rule


def _number(least: int, most: int) -> Rule:
    def rule(value: Any) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return "" if good else _("a number from {least} to {most}").format(least=least, most=most)

    return rule


def _choice(*known: str) -> Rule:
    return lambda value: (
        "" if isinstance(value, str) and value in known else _("one of {words}").format(words=", ".join(known))
    )


def _list(pattern: re.Pattern[str], example: str) -> Rule:
    def rule(value: Any) -> str:
        good = isinstance(value, list) and all(isinstance(one, str) and pattern.fullmatch(one) for one in value)
        return "" if good else _('a list of texts like "{example}"').format(example=example)

    return rule


CLEARED = re.compile(f"{FILE_PATH.pattern}|{ITEM_PATH.pattern}|purse")
KEYS: dict[str, Rule | dict[str, Rule]] = {
    "name": _text,
    "title": _text,
    "title_zh": _text,
    "extends": _text,
    "card": _choice(*CardKind),
    "clear": _list(CLEARED, "DF03/EF07"),
    "remove": _list(ITEM_PATH, "DF03/EF07/71"),
    "missing_keys": _list(re.compile("[A-Z0-9]+"), "RKSSSE"),
    "levels": _number(1, 3),
    "algorithms": _list(re.compile("3des|sm4"), "3des"),
    "chip": {"region": _digits(6, 6), "serial": _hex(4)},
    "pin": {"digits": _digits(4, 16), "tries_left": _number(0, 15)},
    "state": {
        "card": _choice(*IssuedState),
        "activated": _truth,
        "blocked": _list(APPLICATION, "DF04"),
        "suspended": _list(APPLICATION, "BANK"),
    },
    "purse": {
        "balance": _number(0, 2**32 - 1),
        "own": _number(0, 2**32 - 1),
        "pooled": _number(0, 2**32 - 1),
        "year": _digits(4, 4),
        "day": _digits(4, 4),
        "load_sequence": _number(0, 2**16 - 1),
        "purchase_sequence": _number(0, 2**16 - 1),
    },
}
FILES = ("values", "versions")
DATA = "data"
TRIES = "tries_left"
KEY_NAME = re.compile("[A-Z0-9]+")


def problems(document: Document) -> Iterator[Finding]:
    """What a document has that a persona's file has not, or not so."""

    def finding(problem: str, *path: str | int) -> Finding:
        return Finding(document.source, document.lines.get(path, 0), ".".join(map(str, path)), problem)

    for key, value in document.table.items():
        rule = KEYS.get(key)
        if key in FILES:
            if not isinstance(value, dict):
                yield finding(_("expected a table, found {shown}").format(shown=_shown(value)), key)
            elif key == "values":
                yield from _files(finding, value, key)
            else:
                for version, files in value.items():
                    if isinstance(files, dict):
                        yield from _files(finding, files, key, version)
                    else:
                        yield finding(
                            _("expected a table of files, found {shown}").format(shown=_shown(files)), key, version
                        )
        elif key == DATA:
            yield from _objects(finding, value)
        elif key == TRIES:
            yield from _tries(finding, value)
        elif rule is None:
            yield finding(_("no such key{guess}").format(guess=guess(key, (*KEYS, *FILES, DATA, TRIES))), key)
        elif not isinstance(rule, dict):
            if expected := rule(value):
                yield finding(
                    _("expected {expected}, found {shown}").format(expected=expected, shown=_shown(value)), key
                )
        elif not isinstance(value, dict):
            yield finding(_("expected a table, found {shown}").format(shown=_shown(value)), key)
        else:
            for inner, held in value.items():
                if inner not in rule:
                    yield finding(_("no such key{guess}").format(guess=guess(inner, rule)), key, inner)
                elif expected := rule[inner](held):
                    secret = (key, inner) == ("pin", "digits")
                    yield finding(
                        _("expected {expected}{found}").format(
                            expected=expected, found="" if secret else _(", found {shown}").format(shown=_shown(held))
                        ),
                        key,
                        inner,
                    )


def missing(table: Table, source: str) -> Iterator[Finding]:
    """The keys that a whole persona must have, with what it extends."""
    for path in REQUIRED:
        here: Any = table
        for key in path:
            here = here.get(key) if isinstance(here, dict) else None
        if here is None:
            yield Finding(source, 1, ".".join(path), _("expected this key, or extends with a persona that has it"))


Make: TypeAlias = "Callable[..., Finding]"


def _objects(finding: Make, value: Any) -> Iterator[Finding]:
    """Of the objects that GET DATA gives: applications, tags, hex."""
    for application, objects in value.items() if isinstance(value, dict) else ((DATA, None),):
        where = (DATA,) if application == DATA else (DATA, application)
        if not isinstance(objects, dict) or not APPLICATION.fullmatch(application):
            yield finding(
                _("expected a table of objects by application and tag, like {example}").format(
                    example="[data.BANK] 9F79"
                ),
                *where,
            )
            continue
        for tag, held in objects.items():
            if not DATA_TAG.fullmatch(tag):
                yield finding(_("expected a tag of four hex digits, as GET DATA names it in P1 and P2"), *where, tag)
            elif held != "" and not _is_hex(held):
                yield finding(_("expected a text of hex digits, two to a byte"), *where, tag)


def _tries(finding: Make, value: Any) -> Iterator[Finding]:
    """What keys have left of their tries: by the key's name, a number."""
    rule = _number(0, 15)
    for name, left in value.items() if isinstance(value, dict) else ((TRIES, None),):
        where = (TRIES,) if name == TRIES else (TRIES, name)
        if not isinstance(value, dict) or not KEY_NAME.fullmatch(name):
            yield finding(
                _("expected numbers by the names of keys, like {example}").format(example="PINCERT = 0"), *where
            )
        elif expected := rule(left):
            yield finding(_("expected {expected}, found {shown}").format(expected=expected, shown=_shown(left)), *where)


def _files(finding: Make, files: Table, *path: str | int) -> Iterator[Finding]:
    for file, values in files.items():
        if not FILE_PATH.fullmatch(file):
            yield finding(_('expected a file like "SSSE/EF06"'), *path, file)
        elif not isinstance(values, dict):
            yield finding(
                _("expected a table of values by tag, found {shown}").format(shown=_shown(values)), *path, file
            )
        else:
            for key, value in values.items():
                yield from _entry(finding, key, value, *path, file, key)


def _entry(finding: Make, key: str, value: Any, *path: str | int) -> Iterator[Finding]:
    if key == "hex":
        if not _is_hex(value):
            yield finding(_("expected a text of hex digits, two to a byte"), *path)
    elif key == "records":
        if not isinstance(value, list) or not all(isinstance(record, list) for record in value):
            yield finding(_("expected a list of records, newest first, each a list of texts"), *path)
            return
        for number, record in enumerate(value):
            for at, one in enumerate(record):
                if not isinstance(one, str):
                    yield finding(
                        _("expected a text in quotes, found {shown}").format(shown=_shown(one)), *path, number, at
                    )
    elif not TAG.fullmatch(key):
        upper = _('; did you mean "{key}"?').format(key=key.upper()) if TAG.fullmatch(key.upper()) else ""
        yield finding(
            _('expected a tag of two hex digits like "4E", "hex" or "records"{upper}').format(upper=upper), *path
        )
    else:
        yield from _value(finding, value, 0, *path)


def _value(finding: Make, value: Any, depth: int, *path: str | int) -> Iterator[Finding]:
    """A text, elements by tag, or for an item that the card has several times a list of these."""
    if isinstance(value, str):
        return
    if isinstance(value, list) and depth == 0:
        for at, one in enumerate(value):
            yield from _value(finding, one, 1, *path, at)
    elif isinstance(value, dict) and depth < DEEPEST:
        for tag, inner in value.items():
            if not TAG.fullmatch(tag):
                yield finding(_('expected the tag of an element, like "5A"'), *path, tag)
            else:
                yield from _value(finding, inner, depth + 1, *path, tag)
    else:
        yield finding(_("expected a text in quotes, found {shown}").format(shown=_shown(value)), *path)


def _is_hex(value: Any) -> bool:
    try:
        return isinstance(value, str) and bytes.fromhex(value) is not None
    except ValueError:
        return False


def _shown(value: Any) -> str:
    """What was found, short: tables and lists by their kind."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:40]}…"'
    return str(value).lower() if isinstance(value, bool) else _("{value} without quotes").format(value=value)
