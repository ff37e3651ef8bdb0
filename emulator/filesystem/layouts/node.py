"""One table of a layout being read: takes its keys one by one, each checked, and complains of what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from emulator import ber
from emulator.filesystem.layouts.specs import LayoutError
from emulator.messages import _
from emulator.security import PIN, Condition, names_in, parse_condition
from emulator.sources import GRADES, citation

T = TypeVar("T")
Term = TypeVar("Term", bound=StrEnum)


class Node:
    """One table of the layout: takes its keys one by one, and complains of what is left."""

    def __init__(self, source: str, key: str, table: object) -> None:
        if not isinstance(table, Mapping):
            raise LayoutError(source, key, _("expected a table, found {table!r}").format(table=table))
        self.source, self.key, self.rest = source, key, dict(table)

    def error(self, key: str, problem: str) -> LayoutError:
        """A LayoutError about one key of this table."""
        return LayoutError(self.source, f"{self.key}.{key}" if self.key else key, problem)

    def take(self, key: str, kind: type[T], expected: str, default: T | None = None) -> T:
        """Takes a key of this type; missing without a default is an error."""
        value = self.rest.pop(key, default)
        if value is None:
            raise self.error(key, _("missing, expected {expected}").format(expected=expected))
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, _("expected {expected}, found {value!r}").format(expected=expected, value=value))
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Takes a key's text. LayoutError where there is another type, or nothing and no default."""
        return self.take(key, str, "a text", default)

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Takes a number within these bounds."""
        value = self.take(key, int, _("a number from {low} to {high}").format(low=low, high=high), default)
        if not low <= value <= high:
            raise self.error(
                key, _("expected a number from {low} to {high}, found {value}").format(low=low, high=high, value=value)
            )
        return value

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        """Takes a key's text, one of ``options``. LayoutError naming them."""
        options = tuple(options)
        value = self.text(key, default)
        if value not in options:
            raise self.error(
                key, _("expected one of {words}, found {value!r}").format(words=", ".join(options), value=value)
            )
        return value

    def member(self, key: str, terms: type[Term], default: Term | None = None) -> Term:
        """Takes one of the words of an enum."""
        return terms(self.choice(key, [term.value for term in terms], default))

    def hexadecimal(self, key: str, sizes: range, default: str | None = None) -> bytes:
        """Takes bytes written in hex, of one of these sizes."""
        size = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        expected = _("{size} bytes in hex").format(size=size)
        value = self.take(key, str, expected, default)
        try:
            result = bytes.fromhex(value)
        except ValueError:
            raise self.error(
                key, _("expected {expected}, found {value!r}").format(expected=expected, value=value)
            ) from None
        if len(result) not in sizes:
            raise self.error(key, _("expected {expected}, found {count}").format(expected=expected, count=len(result)))
        return result

    def objects(self, key: str, sizes: range) -> bytes:
        """Takes data objects in BER-TLV, written in hex, or none."""
        value = self.hexadecimal(key, sizes, "")
        try:
            ber.objects(value)
        except ValueError as error:
            raise self.error(key, _("expected data objects in BER-TLV: {error}").format(error=error)) from None
        return value

    def parsed(self, key: str, parse: Callable[[str], T], default: str | None = None) -> T:
        """Takes a text and parses it; ValueError becomes an error here."""
        try:
            return parse(self.text(key, default))
        except ValueError as error:
            raise self.error(key, str(error)) from None

    def nodes(self, key: str) -> list[Node]:
        """Takes a key's array of tables, a node each. LayoutError."""
        rows = self.take(key, list, _("an array of tables"))
        return [Node(self.source, f"{self.key}.{key}[{n}]".lstrip("."), row) for n, row in enumerate(rows)]

    def done(self) -> None:
        """Raises LayoutError for the first key that nobody took."""
        for key in self.rest:
            raise self.error(key, _("not a key of this table"))

    def gbk(self, key: str, size: int) -> str:
        """Takes a text of at most so many bytes in GBK, or none."""
        value = self.text(key, "")
        try:
            length = len(value.encode("gbk"))
        except UnicodeEncodeError as error:
            raise self.error(
                key, _("expected text of GBK, {value!r} has no place in it").format(value=value[error.start])
            ) from None
        if length > size:
            raise self.error(
                key, _("expected at most {size} bytes of GBK, found {length}").format(size=size, length=length)
            )
        return value

    def truth(self, key: str, default: bool) -> bool:
        """Takes a key's true or false. LayoutError."""
        return self.take(key, bool, _("true or false"), default)

    def grade(self, default: str = "D", key: str = "grade") -> str:
        """Takes a key's grade, one of ``GRADES``. LayoutError."""
        return self.choice(key, GRADES, default)

    def sources(self, default: tuple[str, ...] = (), key: str = "sources") -> tuple[str, ...]:
        """Takes the ids of the sources that bear this table's grade."""
        found = self.take(key, list, _("a list of source ids"), list(default))
        for one in found:
            if not isinstance(one, str):
                raise self.error(key, _("expected ids of the register of sources, found {one!r}").format(one=one))
            try:
                citation(one)
            except ValueError as error:
                raise self.error(key, str(error)) from None
        return tuple(found)

    def condition(self, key: str, keys: Iterable[str], default: str | None = None) -> Condition:
        """An access condition that names only the PIN and declared keys."""
        condition = self.parsed(key, parse_condition, default)
        for name in names_in(condition):
            if name != PIN and name not in keys:
                raise self.error(key, _("key {name!r} is not declared under key.").format(name=name))
        return condition
