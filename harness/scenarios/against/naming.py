"""Templates of an adapter, and the values that are put into them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.messages import _
from harness.scenarios.against.lacking import Lacking

PLACE = re.compile(r"\{([a-z_][\w.-]*)(?:\|([^\W\d_][\w-]*))?(\?)?\}")
LIKE_ONE = re.compile(r"\{\s*[\w.|?-]+\s*\}")
"""What was meant as a place; a body of another form may have braces of its own."""
EACH, AS, ONE = "each", "as", "one"
"""``{each: request.shown, as: {kind: "{one.type}"}}``: a list of what ``as`` says of each."""
DIGITS = "digits"
"""A table that every adapter has: the digits of a text alone, as 20250303 of a day."""
Words = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a template: the name of what is put there, the table that it is translated by, empty for none."""

    name: str
    words: str


class _LeftOut:
    """What an optional place has where there is no value."""


LEFT_OUT = _LeftOut()


def places(template: Any, one: str = "") -> Iterator[Place]:
    """Every place of a template. ``one``: what ``{one}`` stands for, within ``each``."""
    if isinstance(template, str):
        for found in PLACE.finditer(template):
            name = found[1]
            if one and name.partition(".")[0] == ONE:
                name = one + name.removeprefix(ONE)
            yield Place(name, found[2] or "")
    elif isinstance(template, Mapping):
        if set(template) == {EACH, AS}:
            yield Place(template[EACH], "")
            yield from places(template[AS], template[EACH])
            return
        for value in template.values():
            yield from places(value, one)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from places(value, one)


def not_places(template: Any) -> Iterator[str]:
    """Texts of a template that look like a place and are none: they would be sent as they are."""
    if isinstance(template, str):
        yield from (found for found in LIKE_ONE.findall(template) if PLACE.fullmatch(found) is None)
    elif isinstance(template, Mapping | list | tuple):
        for value in template.values() if isinstance(template, Mapping) else template:
            yield from not_places(value)


def filled(template: Any, names: Mapping[str, Any], words: Words, escape: Callable[[str], str] = str) -> Any:
    """A template with its values. A place that is a whole text keeps its value's kind; what is left out takes the
    member or the element that it is with it. Lacking for a value that is not there.
    """
    if isinstance(template, str):
        whole = PLACE.fullmatch(template)
        if whole is not None and escape is str:
            return _value(whole, names, words)
        return PLACE.sub(lambda found: escape(_text(_value(found, names, words))), template)
    if isinstance(template, Mapping):
        if set(template) == {EACH, AS}:
            listed = _looked_up(template[EACH], names)
            return [filled(template[AS], {**names, ONE: one}, words) for one in listed or ()]
        made = {name: filled(value, names, words) for name, value in template.items()}
        return {name: value for name, value in made.items() if value is not LEFT_OUT}
    if isinstance(template, list | tuple):
        return [value for value in (filled(one, names, words) for one in template) if value is not LEFT_OUT]
    return template


def _value(place: re.Match[str], names: Mapping[str, Any], words: Words) -> Any:
    value = _looked_up(place[1], names)
    if value is None:
        if place[3]:
            return LEFT_OUT
        raise Lacking(f"value.{place[1]}", _("{{{name}}}: this step has no such value").format(name=place[1]))
    return translated(value, place[2], words) if place[2] else value


def translated(value: Any, table: str, words: Words) -> Any:
    """A value by a table of the adapter's words. Lacking for one that does not stand there."""
    if table == DIGITS:
        return "".join(one for one in f"{value}" if one.isdigit())
    key = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if key not in words[table]:
        raise Lacking(f"words.{table}", _("words.{table} has no {value!r}").format(table=table, value=key))
    return words[table][key]


def _looked_up(name: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    for step in name.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _text(value: Any) -> str:
    if value is LEFT_OUT:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
