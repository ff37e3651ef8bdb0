"""Catalogues as translators write them (``.po``), and as programs read them (``.mo``), by the rules of GNU gettext."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

Message = tuple[str, str]
"""A message, and its form for many, empty where it has none."""
ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b"}


@dataclass(frozen=True)
class Entry:
    """A message with its translations, one for each form that a number has; empty where there is none."""

    message: Message
    told: tuple[str, ...]
    places: tuple[str, ...] = ()
    flags: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_translated(self) -> bool:
        """Whether a program may tell it."""
        return bool(self.told) and all(self.told) and "fuzzy" not in self.flags


def entries(po: str) -> Iterator[Entry]:
    """Every entry of a .po; its head, whose message is empty, first."""
    for block in re.split(r"\n\s*\n", po):
        parts: dict[str, str] = {}
        places: list[str] = []
        flags: set[str] = set()
        last = ""
        for line in block.splitlines():
            if line.startswith("#:"):
                places += line[2:].split()
            elif line.startswith("#,"):
                flags |= {one.strip() for one in line[2:].split(",")}
            elif (keyword := re.match(r"(msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+(\".*\")$", line)) is not None:
                last = keyword[1]
                parts[last] = ast.literal_eval(keyword[2])
            elif line.startswith('"') and last:
                parts[last] += ast.literal_eval(line)
        if "msgid" in parts:
            told = tuple(value for name, value in sorted(parts.items()) if name.startswith("msgstr"))
            yield Entry((parts["msgid"], parts.get("msgid_plural", "")), told, tuple(places), frozenset(flags))


def compiled(po: str) -> bytes:
    """An .mo of a .po: its messages that are translated and not fuzzy, sorted, as GNU gettext reads them."""
    table = {}
    for entry in entries(po):
        if entry.is_translated:
            one, many = entry.message
            table[one + (f"\0{many}" if many else "")] = "\0".join(entry.told)
    names = sorted(table, key=str.encode)
    originals, translations = [one.encode() for one in names], [table[one].encode() for one in names]
    begin = 7 * 4
    content = begin + 16 * len(names)
    index, data = bytearray(), bytearray()
    for block in (originals, translations):
        for text in block:
            index += struct.pack("<II", len(text), content + len(data))
            data += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(names), begin, begin + 8 * len(names), 0, 0)
    return bytes(head + index + data)


def quoted(text: str) -> str:
    """As a .po has a text."""
    return '"' + "".join(ESCAPED.get(one, one) for one in text) + '"'


def written(entry: Entry) -> str:
    """An entry as a .po has it."""
    one, many = entry.message
    lines = [f"#: {name}" for name in entry.places]
    lines += [f"#, {', '.join(sorted(entry.flags))}"] if entry.flags else []
    lines += [f"msgid {quoted(one)}"]
    lines += [f"msgid_plural {quoted(many)}"] if many else []
    if many:
        lines += [f"msgstr[{at}] {quoted(text)}" for at, text in enumerate(entry.told)]
    elif one:
        lines += [f"msgstr {quoted(entry.told[0])}"]
    else:  # the head, a line each
        lines += ['msgstr ""', *map(quoted, entry.told[0].splitlines(keepends=True))]
    return "\n".join(lines) + "\n"
