"""What stands in a scenario for something that is only known when it runs: ``$made.card``, ``$a.document.number``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.errors import NotFound
from emulator.messages import _
from emulator.personas import numbers

STAND_INS: dict[str, Any] = {
    "card": numbers.card_number("A", 1),
    "text": "-",
    "credential": "-",
}
"""What a request's form is checked with before anything has run; what is not named here is a number."""


def resolve(value: Any, names: Mapping[str, Any]) -> Any:
    """A value with everything that it refers to in its place. LookupError, in a sentence."""
    return _filled(value, lambda path: _found(path, names))


def stand_in(value: Any, people: Mapping[str, Any]) -> Any:
    """The same before anything has run: people as they are, for what steps will tell something of its form."""

    def found(path: list[str]) -> Any:
        return _found(path, people) if path[0] in people else STAND_INS.get(path[-1], 1)

    return _filled(value, found)


def references(value: Any) -> Iterator[str]:
    """The names that a value refers to."""
    if isinstance(value, str) and value.startswith("$"):
        yield value[1:].partition(".")[0]
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def _filled(value: Any, found: Callable[[list[str]], Any]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return found(value[1:].split("."))
    if isinstance(value, Mapping):
        return {name: _filled(one, found) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, found) for one in value]
    return value


def _found(path: list[str], names: Mapping[str, Any]) -> Any:
    value: Any = names
    for at, step in enumerate(path):
        try:
            value = value[int(step)] if isinstance(value, list | tuple) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise NotFound(
                _("${path}: there is no {path_2}").format(path=".".join(path), path_2=".".join(path[: at + 1]))
            ) from None
    return value


def matches(expected: Any, found: Any) -> bool:
    """Whether all that is expected was found: of a table at least what is named, of a list each of its places."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and matches(value, found[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list | tuple)
            and len(expected) == len(found)
            and all(matches(one, other) for one, other in zip(expected, found, strict=True))
        )
    return bool(expected == found)
