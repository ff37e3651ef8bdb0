"""References put in place, and what is expected held against what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from emulator.errors import NotFound
from emulator.messages import _
from emulator.personas import numbers
from harness.scenarios.references import Reference, is_reference
from harness.verdicts import models

T = TypeVar("T")

STAND_INS: dict[str, Any] = {
    "card": numbers.card_number("A", 1),
    "text": "-",
    "credential": "-",
}
"""What a request's form is checked with before anything has run; what is not named here is a number."""


def resolve(value: T, names: Mapping[str, Any]) -> T:
    """A value, or a model, with everything that its texts refer to in its place. LookupError, in a sentence."""
    filled: T = _filled(value, lambda reference: _found(reference, names))
    return filled


def referred(reference: Reference, names: Mapping[str, Any]) -> Any:
    """What a reference refers to. LookupError, in a sentence."""
    return _found(reference, names)


def stand_in(value: Any, people: Mapping[str, Any]) -> Any:
    """The same before anything has run: people as they are, for what steps will tell something of its form."""

    def found(reference: Reference) -> Any:
        return _found(reference, people) if reference.name in people else STAND_INS.get(reference.path[-1], 1)

    return _filled(value, found)


def references(value: Any) -> Iterator[str]:
    """The names that a value, or a model, refers to."""
    if isinstance(value, Reference):
        yield value.name
    elif is_reference(value):
        yield Reference.parse(value).name
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from references(one)
    elif is_dataclass(value):
        for of in fields(value):
            yield from references(getattr(value, of.name))


def _filled(value: Any, found: Callable[[Reference], Any]) -> Any:
    if is_reference(value):
        return found(Reference.parse(value))
    if isinstance(value, Mapping):
        return {name: _filled(one, found) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_filled(one, found) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{of.name: _filled(getattr(value, of.name), found) for of in fields(value)})
    return value


def _found(reference: Reference, names: Mapping[str, Any]) -> Any:
    path = reference.path
    value: Any = names
    for at, step in enumerate(path):
        try:
            value = value[int(step)] if isinstance(value, list | tuple) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise NotFound(
                _("${path}: there is no {path_2}").format(path=".".join(path), path_2=".".join(path[: at + 1]))
            ) from None
    return value


def plain(value: Any) -> Any:
    """A value as documents have it: models as tables of what they say, words as text."""
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if is_dataclass(value):
        return {name: plain(one) for name, one in models.said(value).items()}
    return value


def matches(expected: Any, found: Any) -> bool:
    """Whether all that is expected was found: of a table at least what is named, of a list each of its places."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and matches(value, found[name]) for name, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(expected) == len(found)
            and all(matches(one, other) for one, other in zip(expected, found, strict=True))
        )
    return bool(expected == found)
