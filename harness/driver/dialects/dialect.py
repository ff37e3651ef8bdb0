"""A dialect: what a local service's requests and answers look like. It is data, checked whole when it is loaded.

``own``, ``vendor-12342`` and ``params-38088`` come with the package; any other is a file in the same form, which
docs/driver-library.md tells key by key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.guess import guess
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_toml
from emulator.textfiles.text import FormatError
from harness.driver.interface import FUNCTIONS, VENDORS, Function, Kind

OWN = "own"
ASKED, KNOWN = "asked", "known"
"""Which name of a function stands in its answer: the one that was asked for, or the library's own."""
TEXT, LIST = "text", "list"
"""What ``out`` is in an answer."""
RESERVED = ("/call", "/docs", "/openapi.json", "/test", "/test/ws")
PAD = "pad"
"""Ours: the function, and the field of any message, that says what is entered at the PIN pad."""
PORTS = range(1, 65536)
CALLABLE = {**FUNCTIONS, **VENDORS}
ARGUMENTS = tuple(dict.fromkeys(one.name for function in CALLABLE.values() for one in function.given))


class DialectError(SscardError, ValueError):
    """A dialect that cannot be used: which key of which file, and what was expected."""

    kind = ErrorKind.INPUT

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Request:
    """Where a message has its parts; names are paths, ``head.func`` the ``func`` in ``head``.

    ``arguments``: empty where they stand beside the function; else an object by names, or an array in C order.
    ``ignored``: fields of a message that mean nothing here.
    """

    function: str
    arguments: str = ""
    numbers_as_text: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Where an answer has its parts. ``code`` is ``done`` where a call succeeded, else the library's code: a number or
    a text as ``done`` is. ``message``: where an error's text goes; empty: where pOutInfo goes. ``always``: fields with
    the same value each time; ``repeated``: fields of the request that come back.
    """

    code: str
    done: int | str
    out: str
    function: str = ""
    function_named: str = ASKED
    out_as: str = TEXT
    message: str = ""
    always: Mapping[str, int | str | bool] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One service's form. ``functions`` and ``arguments``: its names and the library's; where a name stands for several
    functions the one that the client's last step waits for is meant. ``defaults``: arguments that pages leave out, by
    the library's function.
    """

    name: str
    title: str
    title_zh: str
    port: int
    paths: tuple[str, ...]
    request: Request
    answer: Answer
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, int | str]] = field(default_factory=dict)

    def means(self, name: str, pending: str = "") -> Function | None:
        """Returns the function that a name of this dialect means, None for an unknown name. ``pending``: the operation
        whose next step the client owes.
        """
        known = self.functions.get(name) or ((name,) if name in FUNCTIONS else ())
        waiting = [one for one in known if one.partition("_HSM_Step")[0] == pending]
        return next((CALLABLE[one] for one in (*waiting, *known)), None)


def names() -> list[str]:
    """Those that come with the package, our own first."""
    found = (entry.name for entry in resources.files(__package__).iterdir())
    return sorted(
        (name.removesuffix(".toml") for name in found if name.endswith(".toml")), key=lambda one: (one != OWN, one)
    )


def load(name: str) -> Dialect:
    """Returns one of the package's dialects. DialectError naming the nearest."""
    if name not in names():
        raise DialectError(
            _("no dialect {name!r}{guess}; --dialect-file takes a file").format(name=name, guess=guess(name, names()))
        )
    text = (resources.files(__package__) / f"{name}.toml").read_text(encoding="utf-8")
    return _dialect(name, as_toml.loads(text, f"{name}.toml"), f"{name}.toml")


def from_file(path: Path) -> Dialect:
    """Returns the dialect in a TOML file. DialectError naming file and key."""
    try:
        return _dialect(path.stem, as_toml.load(path), str(path))
    except OSError as error:
        raise DialectError(f"{path}: {strerror(error)}") from None
    except FormatError as error:
        raise DialectError(str(error)) from None


# --- checked -------------------------------------------------------------------------------------------------------


class _Table:
    """A table whose every key is taken and checked; what is left over is an error."""

    def __init__(self, source: str, path: str, table: object) -> None:
        self.source, self.path = source, path
        if not isinstance(table, dict):
            raise DialectError(_("{source}: {path}: expected a table").format(source=source, path=path))
        self._table: dict[str, Any] = table

    def wrong(self, key: str, expected: str) -> DialectError:
        """Returns the error about one key of this table."""
        return DialectError(
            _("{source}: {key}: expected {expected}").format(
                source=self.source, key=self._named(key), expected=expected
            )
        )

    def _named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def known(self, *keys: str) -> None:
        """Raises DialectError for the first key that is not one of these."""
        for key in self._table:
            if key not in keys:
                raise DialectError(
                    _("{source}: unknown key {named!r}{guess}").format(
                        source=self.source, named=self._named(key), guess=guess(key, keys)
                    )
                )

    def __iter__(self) -> Any:
        return iter(self._table.items())

    def text(self, key: str, otherwise: str | None = None, among: Sequence[str] = ()) -> str:
        """A text that is not empty, of those named if any are; without ``otherwise`` it must be there."""
        if key not in self._table and otherwise is not None:
            return otherwise
        value = self._table.get(key)
        if not isinstance(value, str) or not value or (among and value not in among):
            hint = guess(value, among) if isinstance(value, str) and among else ""
            raise self.wrong(
                key, _("one of {among}{hint}").format(among=", ".join(among), hint=hint) if among else _("a text")
            )
        return value

    def truth(self, key: str) -> bool:
        """True or false; false where it is not there."""
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, _("true or false"))
        return value

    def texts(self, key: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Returns a key's list of texts. DialectError."""
        value = self._table.get(key, list(otherwise))
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.wrong(key, _("a list of texts"))
        return tuple(value)

    def number(self, key: str, among: range) -> int:
        """Returns a key's number within a range. DialectError."""
        value = self._table.get(key)
        if type(value) is not int or value not in among:
            raise self.wrong(key, _("a number from {first} to {last}").format(first=among.start, last=among.stop - 1))
        return value

    def number_or_text(self, key: str) -> int | str:
        """Returns what ``success`` is compared with, a number or a text. DialectError."""
        value = self._table.get(key)
        if type(value) is int or (isinstance(value, str) and value):
            return value
        raise self.wrong(key, _("a number or a text"))

    def table(self, key: str, *, needed: bool = False) -> _Table:
        """Returns a table in this one. DialectError where it is needed and absent."""
        if needed and key not in self._table:
            raise self.wrong(key, _("a table"))
        return _Table(self.source, self._named(key), self._table.get(key, {}))


def _dialect(name: str, raw: dict[str, Any], source: str) -> Dialect:
    top = _Table(source, "", raw)
    top.known(
        "title", "title_zh", "sources", "port", "paths", "request", "answer", "functions", "arguments", "defaults"
    )
    top.texts("sources")
    paths = top.texts("paths", ("/", "/ws"))
    for path in paths:
        if not path.startswith("/") or set(path) & set("{}?#") or path in RESERVED:
            raise top.wrong(
                "paths",
                _("paths as /ws, none of {reserved}, found {path!r}").format(reserved=", ".join(RESERVED), path=path),
            )
    return Dialect(
        name,
        top.text("title", name),
        top.text("title_zh", name),
        top.number("port", PORTS),
        paths,
        _request(top.table("request", needed=True)),
        _answer(top.table("answer", needed=True)),
        dict(_functions(top.table("functions"))),
        dict(_arguments(top.table("arguments"))),
        dict(_defaults(top.table("defaults"))),
    )


def _request(table: _Table) -> Request:
    table.known("function", "arguments", "numbers_as_text", "ignored")
    return Request(
        table.text("function"), table.text("arguments", ""), table.truth("numbers_as_text"), table.texts("ignored")
    )


def _answer(table: _Table) -> Answer:
    table.known("code", "done", "out", "function", "function_named", "out_as", "message", "always", "repeated")
    always = dict(table.table("always"))
    if not all(isinstance(one, int | str) for one in always.values()):
        raise table.wrong("always", _("texts, numbers, true or false"))
    told = Answer(
        table.text("code"),
        table.number_or_text("done"),
        table.text("out"),
        table.text("function", ""),
        table.text("function_named", ASKED, (ASKED, KNOWN)),
        table.text("out_as", TEXT, (TEXT, LIST)),
        table.text("message", ""),
        always,
        table.texts("repeated"),
    )
    _apart(table, [one for one in (told.code, told.out, told.function, told.message, *always, *told.repeated) if one])
    return told


def _apart(table: _Table, places: Sequence[str]) -> None:
    """No two parts of an answer in one place, or one within another."""
    for at, one in enumerate(places):
        for other in places[at + 1 :]:
            first, second = one.split("."), other.split(".")
            shorter = min(len(first), len(second))
            if first[:shorter] == second[:shorter]:
                raise DialectError(
                    _("{source}: {path}: {one!r} and {other!r} are in one place").format(
                        source=table.source, path=table.path, one=one, other=other
                    )
                )


def _functions(table: _Table) -> Any:
    for theirs, ours in table:
        meant = [ours] if isinstance(ours, str) else ours
        if not isinstance(meant, list) or not meant:
            raise table.wrong(theirs, _("a function's name, or a list of them"))
        for one in meant:
            if one not in CALLABLE:
                raise table.wrong(
                    theirs,
                    _("functions of the library, found {one!r}{guess}").format(
                        one=one, guess=guess(str(one), CALLABLE)
                    ),
                )
        yield theirs, tuple(meant)


def _arguments(table: _Table) -> Any:
    for theirs, ours in table:
        if ours not in ARGUMENTS:
            raise table.wrong(
                theirs,
                _("an argument of the library, found {ours!r}{guess}").format(
                    ours=ours, guess=guess(str(ours), ARGUMENTS)
                ),
            )
        yield theirs, ours


def _defaults(table: _Table) -> Any:
    for name, __ in table:
        if name not in CALLABLE:
            raise table.wrong(name, _("a function of the library{guess}").format(guess=guess(name, CALLABLE)))
        given = {one.name: one for one in CALLABLE[name].given}
        values = table.table(name)
        for key, value in values:
            if key not in given:
                raise values.wrong(key, _("an argument of {name}{guess}").format(name=name, guess=guess(key, given)))
            if type(value) is not (int if given[key].kind is Kind.INT else str):
                raise values.wrong(key, _("a number") if given[key].kind is Kind.INT else _("a text"))
        yield name, dict(values)
