"""The promise that nothing personal is in what a learning leaves behind: each file is searched before it is written.

Searched for is every value that was read from the card, as bytes, hex, text, decimal and Base64, and the chip's serial
number, but for what thousands of cards share (codes, regions, what the nearest layout itself says), what the terminal
said itself and names that SELECT told (a card that answers nonsense may repeat them), what is too even to be told from
a filler, and words of fewer than six Latin letters, which stand anywhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.interface import serial
from emulator.messages import _
from emulator.own_personas.personal import SHARED, Contents, held

SHORTEST, SHORTEST_WORD = 4, 6
"""Bytes, and Latin letters."""
FEWEST = 4
"""Different hex digits that a value has at least: one of less is like fillers, and like others by chance."""
LONG_NUMBER = 8
"""Decimal digits: a shorter number is found anywhere."""
SEPARATORS = re.compile(rb"[\s\"':,_-]+")
"""What digits may be written apart by."""


class PersonalDataFound(SscardError, RuntimeError):
    """A file that was to be written holds a value of the card's: which file, and of which item. A fault of ours."""

    kind = ErrorKind.BROKEN
    exit_code = 5


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that may stand nowhere. ``where``: whose it is; ``forms``: what it looks like, in bytes."""

    where: str
    forms: frozenset[bytes]


def check(files: Mapping[str, bytes], secrets: Iterable[Secret]) -> None:
    """PersonalDataFound where a file holds one."""
    known = list(secrets)
    for name, content in files.items():
        told = (content, SEPARATORS.sub(b"", content))
        for one in known:
            if any(form in written for form in one.forms for written in told):
                raise PersonalDataFound(
                    _(
                        "{name} would hold what the card says in {where}: nothing is written. This is a fault of "
                        "sscard's: please report it, without the card's data"
                    ).format(name=name, where=one.where)
                )


def secrets(
    layout: Layout, contents: Contents, atr: bytes, shared: Layout, said: Iterable[str] = ()
) -> Iterator[Secret]:
    """What may stand nowhere. ``layout``: the card's; ``shared``: one that comes with us: what it says, all know;
    ``said``: in hex, commands that were sent and what SELECT may be seen to answer.
    """
    known = json.dumps(shared.table, ensure_ascii=False).upper().replace(" ", "")
    known += "".join(f" {one.replace(' ', '')}" for one in said)
    found: dict[bytes, str] = {}
    if number := serial(atr):
        found[number] = _("the answer to reset")
    for path, records in contents.items():
        spec = layout.files.get(path)
        if spec is not None and spec.directory:
            continue
        for record in records:
            if spec is None or spec.structure is Structure.TRANSPARENT:
                found.setdefault(record.rstrip(b"\0").rstrip(b"\xff"), path)
                continue
            for item, value in held(spec, record):
                for part, content in _leaves(item, value):
                    found.setdefault(content, f"{path}/{item.label or part.name_en}")
    for content, where in found.items():
        if _telling(content) and content.hex().upper() not in known and text.decode(content).upper() not in known:
            yield Secret(where, frozenset(forms(content)))


def _leaves(item: ItemSpec, value: Value) -> Iterator[tuple[ItemSpec, bytes]]:
    """Each part of a value as the card holds it, without fillers; of what is shared by many nothing."""
    if isinstance(value, Mapping):
        parts = {part.label: part for part in item.elements}
        for tag, inner in value.items():
            yield from _leaves(parts.get(tag, item), inner)
        return
    if item.kind in SHARED or not value:
        return
    if item.format == "an":
        yield item, text.encode(value, "replace")
    elif item.format == "dec":
        yield item, int(value).to_bytes(max(1, item.length), "big")
    else:
        digits = value if len(value) % 2 == 0 else f"{value}F"
        content = bytes.fromhex(digits) if re.fullmatch("[0-9A-Fa-f]*", digits) else value.encode()
        yield item, content.rstrip(b"\0").rstrip(b"\xff") if item.format in ("b", "hex") else content
    if item.kind == "citizen id" and len(value) > 14:
        yield item, bytes.fromhex(value[6:14]) if value[6:14].isdigit() else b""


def _telling(content: bytes) -> bool:
    if len(content) < SHORTEST_WORD and content.isalpha() and content.isascii():
        return False
    return len(content.strip(b"\0")) >= SHORTEST and len(set(content.hex())) >= FEWEST


def forms(content: bytes) -> Iterator[bytes]:
    """What bytes of a card may look like in a file: as they are, hex, as text, as a number, in Base64 at any offset."""
    yield content
    yield content.hex().encode()
    yield content.hex().upper().encode()
    told = text.decode(content)
    if text.whole(told) and told.isprintable():
        yield told.encode()
        yield json.dumps(told).strip('"').encode()
    if len(number := str(int.from_bytes(content, "big"))) >= LONG_NUMBER:
        yield number.encode()
    for offset in range(3):
        coded = base64.b64encode(bytes(offset) + content)
        start, stop = -(-offset * 8 // 6), (offset + len(content)) * 8 // 6
        yield coded[start:stop]
