"""BER-TLV as ISO/IEC 7816-4 and PBOC use it: data objects one after another, and lists of what a terminal is to send.

Strict, unlike what shows a card's records to a person: what does not come out even is refused.
"""

from __future__ import annotations

from emulator.messages import because

LONG_TAG = 0x1F
"""Low bits of a tag's first byte that say that more bytes follow; bit 8 of each of those says the same."""
MORE = 0x80
SHORT_LENGTH = 0x7F


def objects(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and values of data objects in a row; ValueError where the bytes do not come out even."""
    found, at = [], 0
    while at < len(data):
        tag, at = _tag(data, at)
        size, at = _length(data, at)
        if at + size > len(data):
            raise ValueError(because(f"object {tag:02X} announces {size} bytes, {len(data) - at} follow"))
        found.append((tag, data[at : at + size]))
        at += size
    return found


def wanted(data: bytes) -> list[tuple[int, int]]:
    """Tags and lengths in a data object list (PDOL, CDOL, log format); ValueError where one lacks its length. [P]"""
    found, at = [], 0
    while at < len(data):
        tag, at = _tag(data, at)
        if at == len(data):
            raise ValueError(because(f"the list ends before the length of {tag:02X}"))
        found.append((tag, data[at]))
        at += 1
    return found


def build(tag: int, value: bytes) -> bytes:
    """One data object, its length in the shortest form; for values of up to 65,535 bytes."""
    size = len(value).to_bytes(1 if len(value) <= 0xFF else 2, "big")
    if len(value) > SHORT_LENGTH:
        size = bytes((MORE | len(size),)) + size
    return bytes.fromhex(f"{tag:0{2 * max(1, (tag.bit_length() + 7) // 8)}X}") + size + value


def sized(data: bytes) -> int:
    """How many bytes the data object has that begins here, tag and length counted, whether they are there or not;
    ValueError where no tag and length begin.
    """
    __, at = _tag(data, 0)
    size, at = _length(data, at)
    return at + size


def _tag(data: bytes, at: int) -> tuple[int, int]:
    """The tag that begins here, and where it ends."""
    end = at + 1
    if data[at] & LONG_TAG == LONG_TAG:
        while end < len(data) and data[end] & MORE:
            end += 1
        end += 1
        if end > len(data):
            raise ValueError(because(f"the bytes end within tag {data[at:].hex().upper()}"))
    return int.from_bytes(data[at:end], "big"), end


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The length that begins here, and where it ends: one byte, or 81 or 82 and one or two."""
    if at == len(data):
        raise ValueError(because("the bytes end before a length"))
    if data[at] <= SHORT_LENGTH:
        return data[at], at + 1
    size = data[at] & SHORT_LENGTH
    if size not in (1, 2) or at + 1 + size > len(data):
        raise ValueError(because(f"{data[at]:02X} begins no length of one or two bytes"))
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
