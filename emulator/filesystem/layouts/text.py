"""Text as a card holds it: bytes of GBK and GB 18030, and the string that stands for them while a program has them.

Every string of bytes has a text of its own, and gets back from it exactly: ``encode(decode(data)) == data``. So a value
that is read and written back is never changed, whatever it is: a name cut in the middle of a character, a character
that the region made for itself, or bytes that mean nothing.

Two bytes are read as GB 18030-2022 has them, which is GBK and where GBK has gaps real characters (䶮 is FE9F). Bytes
that are no character become code points of plane 16's private use, one for each byte; so does the mark that tells the
four-byte form of the few characters that have a two-byte form as well. ``shown`` is for people's eyes: one replacement
character for each that cannot be shown, its neighbours untouched. [D; the codes: P]
"""

from __future__ import annotations

import re
from functools import lru_cache

REPLACEMENT = "\ufffd"
_FIRST, _REST = 0x10FE00, 0x10FD00
"""The first byte of what is not a character, and the bytes that belong to it: each added to one of these."""
_FOUR = chr(_REST)
"""After a character: it stands in its four-byte form, though it has one of two bytes."""

_TWO_BYTES = {
    0xA6D9: 0xFE10, 0xA6DA: 0xFE12, 0xA6DB: 0xFE11, 0xA6DC: 0xFE13, 0xA6DD: 0xFE14, 0xA6DE: 0xFE15, 0xA6DF: 0xFE16,
    0xA6EC: 0xFE17, 0xA6ED: 0xFE18, 0xA6F3: 0xFE19, 0xA8BC: 0x1E3F, 0xFE51: 0x20087, 0xFE52: 0x20089, 0xFE53: 0x200CC,
    0xFE59: 0x9FB4, 0xFE61: 0x9FB5, 0xFE66: 0x9FB6, 0xFE67: 0x9FB7, 0xFE6C: 0x215D7, 0xFE6D: 0x9FB8, 0xFE76: 0x2298F,
    0xFE7E: 0x9FB9, 0xFE90: 0x9FBA, 0xFE91: 0x241FE, 0xFEA0: 0x9FBB,
}  # fmt: skip
"""Where later editions (2005, 2022, Unicode's own 9FB4-9FBB and plane 2) have a character, the edition that Python's
codec follows has private use."""

_TO_TEXT = {code.to_bytes(2, "big"): chr(point) for code, point in _TWO_BYTES.items()}
_TO_BYTES = {character: code for code, character in _TO_TEXT.items()}
_PRIVATE = {code.decode("gb18030"): code for code in _TO_TEXT}
"""Python's private-use code points for them: written as the same two bytes."""
_APART = re.compile(f"[{''.join((*_TO_BYTES, *_PRIVATE))}{chr(_REST)}-{chr(_FIRST + 0xFF)}]")
"""What the codec alone gets wrong."""
_UNSHOWN = re.compile(f"[{chr(_REST)}-{chr(_FIRST - 1)}]")
_BAD = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + 0xFF)}]")
_UNIT = re.compile(
    rb"[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]"  # four bytes
    rb"|[\x81-\xfe][\x30-\x39](?:[\x81-\xfe]\Z|\Z)"  # the same, cut
    rb"|[\x81-\xfe][\x40-\x7e\x80-\xfe]"
    rb"|[\x00-\xff]",
    re.DOTALL,
)


@lru_cache(maxsize=4096)
def decode(data: bytes) -> str:
    """The text that stands for these bytes; never fails."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        pass
    else:
        if not _APART.search(text):
            return text
    return "".join(_character(unit) for unit in _UNIT.findall(data))


def _character(unit: bytes) -> str:
    if unit in _TO_TEXT:
        return _TO_TEXT[unit]
    try:
        character = unit.decode("gb18030")
    except UnicodeDecodeError:
        character = ""
    if character in _TO_BYTES:
        return character + _FOUR
    if not character or _APART.match(character):
        return chr(_FIRST + unit[0]) + "".join(chr(_REST + byte) for byte in unit[1:])
    return character


def encode(text: str, errors: str = "strict") -> bytes:
    """The bytes of a text; UnicodeEncodeError for half a surrogate pair, the one thing that has none, unless ``errors``
    says otherwise, as of ``str.encode``.
    """
    if not _APART.search(text):
        return text.encode("gb18030", errors)
    result, at = bytearray(), 0
    while at < len(text):
        character, after = text[at], text[at + 1 : at + 2]
        point = ord(character)
        if character in _TO_BYTES and after == _FOUR:
            result += character.encode("gb18030")
            at += 1
        elif _REST <= point <= _FIRST + 0xFF:
            result.append(point & 0xFF)
        else:
            code = _TO_BYTES.get(character) or _PRIVATE.get(character)
            result += code or character.encode("gb18030", errors)
        at += 1
    return bytes(result)


def join(*parts: str) -> str:
    """Texts one behind the other as their bytes are: a character cut between two of them is whole again."""
    return decode(b"".join(map(encode, parts)))


def pieces(text: str, *sizes: int) -> list[str]:
    """A text cut into pieces of at most so many bytes, the last what is left; a character may be cut."""
    data, result = encode(text), []
    for size in sizes:
        result.append(decode(data[:size]))
        data = data[size:]
    return [*result, decode(data)]


def shown(text: str) -> str:
    """A text for people, in one line: one replacement character for each invalid one, the ends of lines as
    ``\\x0a``, so that a card cannot tell a line of its own; the others as they are.
    """
    whole = _BAD.sub(REPLACEMENT, _UNSHOWN.sub("", text)) if _APART.search(text) else text
    return whole.replace("\n", "\\x0a").replace("\r", "\\x0d")


def whole(text: str) -> bool:
    """True if every character is one, none of them cut or without meaning."""
    return not _BAD.search(text)


def start_nothing(data: bytes) -> bool:
    """True if a byte among them begins no character of any edition (80, FF), so that it cannot be a cut one either."""
    return any(chr(_FIRST + byte) in decode(data) for byte in (0x80, 0xFF))
