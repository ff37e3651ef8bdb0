"""Messages of a dialect: what one asks for, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.guess import guess
from emulator.messages import _
from harness.driver.codes import Code, DriverError, words
from harness.driver.dialects.dialect import KNOWN, LIST, PAD, Dialect
from harness.driver.interface import Function, Kind, number

Table = dict[str, Any]
NAME_MOST = 64
"""Letters of a function's name that come back in its answer, whatever was sent. [D]"""
MISSING: Any = object()


@dataclass(slots=True)
class Asked:
    """One message. ``name``: as it was sent; ``given``: the arguments, by the dialect's names or in C order; ``pad``:
    what is entered at the PIN pad from now on; ``repeated``: what the answer brings back.
    """

    name: str = ""
    given: Table | list[Any] = field(default_factory=dict)
    pad: Any = MISSING
    repeated: Table = field(default_factory=dict)
    meant: str = ""
    """The library's name, once it is known."""


def read(dialect: Dialect, message: object, asked: Asked) -> None:
    """Takes a message apart, into ``asked`` as far as it goes; -14, -23."""
    if not isinstance(message, dict):
        raise DriverError(Code.BAD_INPUT, _("{words}: a JSON object is expected").format(words=words(Code.BAD_INPUT)))
    rest: Table = message
    form = dialect.request
    for name in dialect.answer.repeated:
        if (value := _take(rest, name)) is not MISSING:
            asked.repeated[name] = value
    name = _take(rest, form.function)
    asked.name = "" if name is MISSING else str(name)[:NAME_MOST]
    for ignored in form.ignored:
        _take(rest, ignored)
    if asked.name != PAD:
        asked.pad = rest.pop(PAD, MISSING)
    if not form.arguments:
        asked.given = rest
        return
    given = _take(rest, form.arguments)
    if given is not MISSING:
        if not isinstance(given, dict | list):
            raise _bad(_("{arguments} is an object or an array").format(arguments=form.arguments))
        asked.given = given
    if asked.pad is MISSING and asked.name != PAD and isinstance(asked.given, dict):
        asked.pad = asked.given.pop(PAD, MISSING)
    if rest:
        unknown = next(iter(rest))
        raise _bad(f"{unknown[:32]!r}{guess(unknown, (form.function, form.arguments, PAD))}")


def arguments(dialect: Dialect, function: Function, asked: Asked) -> list[int | str]:
    """The arguments of a function in C order; -14 for missing, wrong, unknown ones and those that stand twice."""
    given = asked.given
    if isinstance(given, list):
        if len(given) > len(function.given):
            raise _bad(_("{name} takes {count}").format(name=function.name, count=len(function.given)))
        named: Table = {one.name: value for one, value in zip(function.given, given, strict=False)}
    else:
        named = {}
        for theirs, value in given.items():
            ours = dialect.arguments.get(theirs, theirs)
            if ours in named:
                raise _bad(_("{ours} stands twice").format(ours=ours))
            named[ours] = value
    named = {**dialect.defaults.get(function.name, {}), **named}
    if dialect.request.numbers_as_text:
        for one in function.given:
            if one.kind is Kind.INT and isinstance(named.get(one.name), str):
                named[one.name] = number(named[one.name])
    return function.ordered(named)


def told(dialect: Dialect, asked: Asked, code: int, text: str) -> Table:
    """The answer."""
    form = dialect.answer
    found: Table = {}
    if form.function:
        _put(found, form.function, (form.function_named == KNOWN and asked.meant) or asked.name)
    done = code == Code.DONE
    value: int | str = form.done if done else int(code) if isinstance(form.done, int) else str(int(code))
    _put(found, form.code, value)
    out = "" if form.message and not done else text
    _put(found, form.out, ([out] if out else []) if form.out_as == LIST else out)
    if form.message:
        _put(found, form.message, "" if done else text)
    for name, value in {**form.always, **asked.repeated}.items():
        _put(found, name, value)
    return found


def _bad(what: str) -> DriverError:
    return DriverError(Code.BAD_PARAMETER, _("参数错误 bad parameter: {what}").format(what=what))


def _take(table: Table, path: str) -> Any:
    """Takes a value out, and what that leaves empty; MISSING."""
    *heads, last = path.split(".")
    tables = [table]
    for head in heads:
        inner = tables[-1].get(head)
        if not isinstance(inner, dict):
            return MISSING
        tables.append(inner)
    value = tables[-1].pop(last, MISSING)
    for head, outer, inner in zip(reversed(heads), reversed(tables[:-1]), reversed(tables[1:]), strict=True):
        if not inner:
            del outer[head]
    return value


def _put(table: Table, path: str, value: object) -> None:
    *heads, last = path.split(".")
    for head in heads:
        table = table.setdefault(head, {})
    table[last] = value


# --- for the OpenAPI page --------------------------------------------------------------------------------------------


def example(dialect: Dialect, name: str, values: Table) -> Table:
    """A message, with arguments by their names."""
    found: Table = {}
    _put(found, dialect.request.function, name)
    if dialect.request.arguments:
        _put(found, dialect.request.arguments, dict(values))
    else:
        found |= values
    return found


def request_schema(dialect: Dialect, name: str, function: Function) -> Table:
    """A call of a function by one of its names, as JSON schema has it: arguments by their names."""
    theirs = {ours: own for own, ours in dialect.arguments.items()}
    kinds = {
        theirs.get(one.name, one.name): {"type": "integer" if one.kind is Kind.INT else "string"}
        for one in function.given
    }
    pad = {"type": "array", "items": {"type": "string"}, "description": "what is entered at the PIN pad"}
    optional = dialect.defaults.get(function.name, {})
    needed = [theirs.get(one.name, one.name) for one in function.given if one.name not in optional]
    form = dialect.request
    schema = _object({}, [])
    _put_schema(schema, form.function, {"const": name})
    if form.arguments:
        _put_schema(schema, form.arguments, {**_object(kinds, needed), "additionalProperties": False})
    else:
        for argument, kind in kinds.items():
            _put_schema(schema, argument, kind, needed=argument in needed)
    schema["properties"][PAD] = pad
    return {"title": name, **schema, "additionalProperties": bool(form.ignored or dialect.answer.repeated)}


def answer_schema(dialect: Dialect) -> Table:
    """An answer, as JSON schema has it."""
    form = dialect.answer
    schema = _object({}, [])
    if form.function:
        _put_schema(schema, form.function, {"type": "string"})
    kind = "integer" if isinstance(form.done, int) else "string"
    _put_schema(schema, form.code, {"type": kind, "description": f"{form.done}, or the code"})
    out: Table = {"type": "string", "description": "what the function gives, or the error's text"}
    _put_schema(schema, form.out, {"type": "array", "items": out} if form.out_as == LIST else out)
    if form.message:
        _put_schema(schema, form.message, {"type": "string", "description": "the error's text"})
    return {"title": f"Answer in {dialect.name}", **schema}


def _object(properties: Mapping[str, Table], required: list[str]) -> Table:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def _put_schema(schema: Table, path: str, value: Table, *, needed: bool = True) -> None:
    *heads, last = path.split(".")
    for head in heads:
        if needed and head not in schema["required"]:
            schema["required"].append(head)
        schema = schema["properties"].setdefault(head, _object({}, []))
    if needed:
        schema["required"].append(last)
    schema["properties"][last] = value
