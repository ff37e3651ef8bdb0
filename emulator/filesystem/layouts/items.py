"""Item codecs: between the bytes of an item and the value a person reads.

Formats [S: v2:7, prog-cardissue]: ``an`` text (``text``), left-aligned, filled with 00; ``cn`` BCD digits,
left-aligned, filled with F; ``b`` and ``hex`` bytes, shown in hex; ``dec`` a number, big-endian; ``B-TLV`` an item of
items; ``BER-TLV`` the same with BER's tags. [P] Nibbles A to F are digits in the identification code alone.
[S: v2:table 10, reference:items.json]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import construct as c

from emulator.errors import CardFailure, ErrorKind
from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.messages import _

Value: TypeAlias = "str | dict[str, Value]"
"""What an item holds, in words: text, digits or hex; for B-TLV a mapping from element tags to values."""


class ItemError(CardFailure, ValueError):
    """A value that does not fit its item. ``where``: which item, empty for a whole record; ``what`` was expected."""

    kind = ErrorKind.INPUT

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where, self.what = where, what


class _Text(c.Adapter):  # type: ignore[misc]
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:  # noqa: ARG002
        return text.decode(obj.rstrip(b"\0"))

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:  # noqa: ARG002
        return text.encode(obj)


class _Digits(c.Adapter):  # type: ignore[misc]
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:  # noqa: ARG002
        return obj.hex().upper().rstrip("F")

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:  # noqa: ARG002
        return bytes.fromhex(obj + "F" * (len(obj) % 2))


class _Identification(_Digits):
    """Every nibble counts, F too, unless nobody filled any."""

    def _decode(self, obj: bytes, context: Any, path: Any) -> str:  # noqa: ARG002
        return "" if obj.strip(b"\xff") == b"" else obj.hex().upper()


class _Hex(c.Adapter):  # type: ignore[misc]
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:  # noqa: ARG002
        return obj.hex().upper()

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:  # noqa: ARG002
        return bytes.fromhex(obj)


class _Number(c.Adapter):  # type: ignore[misc]
    def _decode(self, obj: int, context: Any, path: Any) -> str:  # noqa: ARG002
        return str(obj)

    def _encode(self, obj: str, context: Any, path: Any) -> int:  # noqa: ARG002
        return int(obj)


TLV = c.Struct("tag" / c.Int8ub, "value" / c.Prefixed(c.Int8ub, c.GreedyBytes))
"""One record of a data file: tag, plain length byte, value. [S: prog-cardissue, prog-z390, prog-decard]"""

TLVS = c.GreedyRange(TLV)

BER_TLVS = c.GreedyRange(
    c.Struct(
        "first" / c.Int8ub,
        "second" / c.If(c.this.first & 0x1F == 0x1F, c.Int8ub),
        "value" / c.Prefixed(c.Int8ub, c.GreedyBytes),
    )
)
"""Elements of a BER-TLV item: tags of one or two bytes, lengths below 128. [P]"""


IDENTIFICATION = "identification code"
FILLER = 0xEE
"""What ends a value that was rewritten to its tag's later meaning. [T: v2:appendix C]"""


@lru_cache(maxsize=512)
def _codec(kind: ItemFormat, length: int, meaning: str) -> Any:
    """Between bytes and text; ``length`` 0: nothing is filled up."""
    if kind is ItemFormat.DEC:
        return _Number(c.BytesInteger(length))
    filler = b"\xff" if kind is ItemFormat.CN else b"\0"
    content = c.Padded(length, c.GreedyBytes, pattern=filler) if length else c.GreedyBytes
    if kind is ItemFormat.AN:
        return _Text(content)
    if kind is ItemFormat.CN:
        return _Identification(content) if meaning == IDENTIFICATION else _Digits(content)
    return _Hex(content)


_DIGITS = {False: frozenset("0123456789"), True: frozenset("0123456789ABCDEFabcdef")}


def _check(item: ItemSpec, value: str) -> None:
    where = _("item {name} ({format}, {length} bytes)").format(
        name=item.label or item.name, format=item.format, length=item.length
    )
    if item.format is ItemFormat.AN:
        try:
            size = len(text.encode(value))
        except UnicodeEncodeError as error:
            raise ItemError(where, _("{value!r} is no character").format(value=value[error.start])) from None
        if size > item.length:
            raise ItemError(
                where,
                _("expected at most {length} bytes of GB 18030, found {size}").format(length=item.length, size=size),
            )
    elif item.format is ItemFormat.CN:
        if not _DIGITS[item.kind == IDENTIFICATION].issuperset(value):
            raise ItemError(where, _("expected digits, found {value!r}").format(value=value))
        if len(value) > 2 * item.length:
            raise ItemError(
                where,
                _("expected at most {value} digits, found {count}").format(value=2 * item.length, count=len(value)),
            )
    elif item.format is ItemFormat.DEC:
        if not (value.isascii() and value.isdigit()) or int(value) >= 256**item.length:
            raise ItemError(
                where,
                _("expected a number below {value}, found {value_2!r}").format(value=256**item.length, value_2=value),
            )
    else:
        try:
            size = len(bytes.fromhex(value))
        except ValueError:
            raise ItemError(where, _("expected hex, found {value!r}").format(value=value)) from None
        if size > item.length:
            raise ItemError(
                where, _("expected at most {length} bytes, found {size}").format(length=item.length, size=size)
            )


def meant(item: ItemSpec, data: bytes) -> ItemSpec:
    """The item as its bytes say: its later meaning where they end in EE, else itself."""
    new = item.rewritten
    if new is None or new.after is not None or len(data) != item.length or data[-1] != FILLER:
        return item
    return new


def encode(item: ItemSpec, value: Value, *, rewritten: bool = False) -> bytes:
    """The value part of an item, ``item.length`` bytes; ItemError if the value does not fit.

    ``rewritten``: as the tag's later meaning has it, filled up with E, where it has one.
    """
    if rewritten and item.rewritten is not None:
        return encode(item.rewritten, value).ljust(item.length, bytes((FILLER,)))
    if item.elements:
        if not isinstance(value, Mapping):
            raise ItemError(
                _("item {name} ({format})").format(name=item.label, format=item.format),
                _("expected elements by tag, found {value!r}").format(value=value),
            )
        unknown = set(value) - {part.label for part in item.elements}
        if unknown:
            raise ItemError(
                _("item {name}").format(name=item.label),
                _("no element {unknown}").format(unknown=", ".join(sorted(unknown))),
            )
        # In B-TLV what nobody filled stands there blank; in BER-TLV it is left out. [P]
        parts = [part for part in item.elements if not part.variable or part.label in value]
        return b"".join(tlv(part, value.get(part.label, blank(part))) for part in parts)
    if not isinstance(value, str):
        raise ItemError(
            _("item {name}").format(name=item.label or item.name),
            _("expected a text, found {value!r}").format(value=value),
        )
    _check(item, value)
    length = 0 if item.variable and item.format is not ItemFormat.DEC else item.length
    encoded: bytes = _codec(item.format, length, item.kind).build(value)
    return encoded


def decode(item: ItemSpec, data: bytes) -> Value:
    """What the value part of an item says, in its later meaning if it was rewritten. Damaged bytes are shown as they
    are, never refused.
    """
    new = meant(item, data)
    if new is not item:
        return decode(new, data[: new.length])
    if item.elements:
        parts = {part.tag: part for part in item.elements}
        decoded: dict[str, Value] = {}
        for tag, content in elements(item.format, data):
            spec = parts.get(tag)
            label = f"{tag:0{4 if tag > 0xFF else 2}X}"
            decoded[label] = decode(spec, content) if spec else content.hex().upper()
        return decoded
    if item.length and not item.variable and len(data) != item.length:
        return data.hex().upper()
    value: str = _codec(item.format, len(data), item.kind).parse(data)
    return value


def with_element(item: ItemSpec, data: bytes, element: ItemSpec, value: Value) -> bytes:
    """The value part of a constructed item with one element changed, and every other byte of it as it was; where it has
    no such element yet, the whole item with this one filled. ItemError where the value does not fit.
    """
    at = 0
    for tag, content in elements(item.format, data):
        head = 3 if tag > 0xFF else 2
        if tag == element.tag:
            return data[:at] + tlv(element, value) + data[at + head + len(content) :]
        at += head + len(content)
    known = {part.label for part in item.elements}
    held = decode(item, data)
    kept = {tag: one for tag, one in held.items() if tag in known} if isinstance(held, dict) else {}
    return encode(item, {**kept, element.label: value})


def elements(kind: ItemFormat, data: bytes) -> list[tuple[int, bytes]]:
    """Tags and values of a constructed item's elements, in their order."""
    if kind is ItemFormat.B_TLV:
        return [(entry.tag, entry.value) for entry in TLVS.parse(data)]
    entries = BER_TLVS.parse(data)
    return [(one.first if one.second is None else one.first << 8 | one.second, one.value) for one in entries]


def blank(item: ItemSpec) -> Value:
    """The value of an item that nobody filled."""
    return {} if item.elements else "0" if item.format is ItemFormat.DEC else ""


def tlv(item: ItemSpec, value: Value, *, rewritten: bool = False) -> bytes:
    """A whole record, or an element of a constructed one: tag, length, value."""
    content = encode(item, value, rewritten=rewritten)
    return bytes.fromhex(item.label) + bytes((len(content),)) + content


def encode_fields(fields: Sequence[ItemSpec], values: Sequence[str]) -> bytes:
    """One record of a cyclic file from the values of its fields, in order."""
    if len(values) != len(fields):
        raise ItemError(
            "",
            _("a record has {count} fields, {count_2} values were given").format(
                count=len(fields), count_2=len(values)
            ),
        )
    return b"".join(encode(item, value) for item, value in zip(fields, values, strict=True))


def decode_fields(fields: Sequence[ItemSpec], record: bytes) -> list[Value]:
    """The values of a cyclic record's fields, in order."""
    values, start = [], 0
    for item in fields:
        values.append(decode(item, record[start : start + item.length]))
        start += item.length
    return values
