"""A JSON schema from dataclasses, and dataclasses from what such a schema let through.

The models are the one place where a document's form stands: the published schema is generated from them, documents are
held against it, and what passes is built. Dataclasses, not pydantic: `sscard vectors run` must not load it, and the
schema is a published document whose every word is ours.

A field's annotation is its schema; a default makes it optional, ``None`` where it may be absent without another,
``UNSAID`` where ``None`` is told too. A name
that Python keeps for itself has an underscore behind it. A ``StrEnum`` stands in documents as its values, and what is
``read_by`` a parser as text. A model's own keywords stand in its ``SCHEMA``; one that is
``DEFINED`` is referred to by that name; ``OPEN``: it may say more than its fields, which ``raw`` then keeps;
``SHORT``: a bare value stands for its first field; ``BARE``: it always does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from emulator.messages import _

T = TypeVar("T")
Schema = dict[str, Any]
RAW = "raw"
SIZES = ("minProperties", "maxProperties")
PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Any: {},
}


class Unsaid(Enum):
    """The default of a field that may be absent, and whose ``null`` is a value of its own."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclass(frozen=True, eq=False)
class Says:
    """Keywords that an annotation adds to its schema; ``instead``: they are all of it."""

    keywords: Mapping[str, Any]
    instead: bool = False


@dataclass(frozen=True, eq=False)
class ReadBy:
    """Who makes the value that a text in a document stands for."""

    parse: Callable[[str], Any]


def read_by(parse: Callable[[str], Any]) -> ReadBy:
    """A value that stands in documents as text: the schema has let through what the parser is given."""
    return ReadBy(parse)


def says(**keywords: Any) -> Says:
    """More keywords of JSON schema, such as ``pattern`` and ``description``."""
    return Says(keywords)


def exactly(**keywords: Any) -> Says:
    """A schema of these keywords alone, whatever the type says."""
    return Says(keywords, instead=True)


def refers(name: str, **keywords: Any) -> Says:
    """A reference to a definition, and keywords beside it."""
    return Says({"$ref": f"#/$defs/{name}", **keywords}, instead=True)


def _is_model(kind: Any) -> bool:
    return is_dataclass(kind)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _reader(kind: Any) -> Callable[[str], Any] | None:
    """Who reads an annotation's text; None where the text is the value."""
    return next((one.parse for one in get_args(kind)[1:] if isinstance(one, ReadBy)), None)


def of(kind: Any) -> Schema:
    """The schema of an annotation. TypeError for one that has none."""
    if kind in PLAIN:
        return dict(PLAIN[kind])
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        told = [one for one in parts[1:] if isinstance(one, Says)]
        schema: Schema = {} if any(one.instead for one in told) else of(parts[0])
        for one in told:
            schema = {**({} if one.instead else schema), **one.keywords}
        return schema
    if origin is Literal:
        return {"const": parts[0]} if len(parts) == 1 else {"enum": list(parts)}
    if origin in (Union, UnionType):
        return {"oneOf": [of(part) for part in parts]}
    if origin is tuple:
        return {"type": "array", "items": of(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": of(parts[1])}
    if _is_enum(kind):
        return {"enum": [str(one) for one in kind]}
    if _is_model(kind):
        name = getattr(kind, "DEFINED", "")
        return {"$ref": f"#/$defs/{name}"} if name else written_out(kind)
    raise TypeError(_("no JSON schema for {kind!r}").format(kind=kind))


def written_out(kind: Any) -> Schema:
    """The schema of a model itself, even where it is referred to elsewhere."""
    named = described(kind)
    if getattr(kind, "BARE", False):
        return of(next(iter(named.values())))
    more: Schema = getattr(kind, "SCHEMA", {})
    # In this order: of several faults a validator tells the first.
    schema: Schema = {"type": "object", **{name: more[name] for name in SIZES if name in more}}
    schema["additionalProperties"] = False
    required = [name_of(one) for one in _told(kind) if one.default is MISSING and one.default_factory is MISSING]
    if required:
        schema["required"] = required
    schema |= more
    schema["properties"] = {name: of(hint) for name, hint in named.items()}
    if getattr(kind, "OPEN", False):
        del schema["additionalProperties"]
    return {"oneOf": [of(next(iter(named.values()))), schema]} if getattr(kind, "SHORT", False) else schema


def document(kind: Any) -> Schema:
    """The schema of a whole document: what is missing is told before what is unknown."""
    schema = written_out(kind)
    return {"type": schema.pop("type"), "required": schema.pop("required"), **schema}


def published(kind: Any, title: str = "") -> Schema:
    """The schema of a whole document as it is published."""
    told = {"title": title} if title else {}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **told, **document(kind)}


def as_text(schema: Schema) -> str:
    """The content of the file that a published schema stands in."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def faults(table: Any, schema: Schema) -> Iterator[tuple[str, str]]:
    """Where a document differs from its schema, empty for the whole of it, and what is wrong there."""
    import jsonschema  # with an extra, and needed for files from elsewhere alone

    for fault in jsonschema.Draft202012Validator(schema).iter_errors(table):
        yield ".".join(map(str, fault.absolute_path)), fault.message[:200]


def name_of(one: Field[Any]) -> str:
    """Returns a field's name as documents have it."""
    return one.name.rstrip("_")


def _told(kind: Any) -> list[Field[Any]]:
    """Returns the fields that documents have."""
    return [one for one in fields(kind) if one.name != RAW]


@cache
def described(kind: Any) -> dict[str, Any]:
    """A model's fields by their names in documents, with what they are; what stands for absence is not told."""
    hints = get_type_hints(kind, include_extras=True)
    return {name_of(one): _present(hints[one.name], one) for one in _told(kind)}


def _present(hint: Any, one: Field[Any]) -> Any:
    """An annotation without the ``None`` or ``UNSAID`` that stands for absence."""
    parts = get_args(hint)
    absent = NoneType if one.default is None else Unsaid
    if _may_be_absent(one) and get_origin(hint) in (Union, UnionType) and absent in parts:
        return Union[tuple(part for part in parts if part is not absent)]  # noqa: UP007
    return hint


def said(model: Any) -> dict[str, Any]:
    """What a model says: its fields by their names in documents, without those that are absent."""
    values = ((one, getattr(model, one.name)) for one in _told(model))
    return {name_of(one): value for one, value in values if not (_may_be_absent(one) and value is one.default)}


def _may_be_absent(one: Field[Any]) -> bool:
    return one.default is None or one.default is UNSAID


def build_any(kind: Any, value: Any) -> Any:
    """As ``build``, of any annotation: a union of models, for one."""
    return _built(kind, value)


def build(kind: type[T], value: Any) -> T:
    """A model from what its schema let through. A field ``raw`` gets the value as it stood."""
    built: T = _built(kind, value)
    return built


def _built(kind: Any, value: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        parse = _reader(kind)
        return parse(value) if parse and isinstance(value, str) else _built(parts[0], value)
    if origin in (Union, UnionType):
        if isinstance(value, str):
            text = next((part for part in _members(kind) if _reader(part) or _is_enum(part)), None)
            return _built(text, value) if text else value
        models = [part for part in _members(kind) if _is_model(part) or get_origin(part) in (tuple, dict)]
        return _built(_fitting(models, value), value) if isinstance(value, dict | list) and models else value
    if origin is tuple:
        return tuple(_built(parts[0], one) for one in value)
    if origin is dict:
        return {name: _built(parts[1], one) for name, one in value.items()}
    if _is_enum(kind):
        return kind(value)
    if not _is_model(kind):
        return value
    names = {name_of(one): one.name for one in _told(kind)}
    if getattr(kind, "BARE", False) or (getattr(kind, "SHORT", False) and not isinstance(value, dict)):
        first, hint = next(iter(described(kind).items()))
        return kind(**{names[first]: _built(hint, value)})
    hints = described(kind)
    told = {names[name]: _built(hints[name], one) for name, one in value.items() if name in hints}
    if any(one.name == RAW for one in fields(kind)):
        told[RAW] = value
    return kind(**told)


def _members(kind: Any) -> list[Any]:
    """What a union is one of, without what is said of it."""
    if get_origin(kind) is Annotated:
        return [kind] if _reader(kind) else _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [member for part in get_args(kind) for member in _members(part)]
    return [kind]


def _fitting(models: list[Any], value: Any) -> Any:
    """The member of a union that a list or an object is of."""
    if isinstance(value, list):
        return next(one for one in models if get_origin(one) is tuple)
    objects = [one for one in models if get_origin(one) is not tuple]
    return next((one for one in objects if _is_model(one) and set(value) <= set(described(one))), objects[0])
