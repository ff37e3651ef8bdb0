"""What a schema says is wrong with a value, in words for people: no regular expression, no library's own prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KNOWN = {
    r"^[0-9][0-9-]{6,14}$": "a telephone number of 7 to 15 digits and hyphens",
    r"^([0-9A-Z]{1,7}|none)$": "1 to 7 digits and capitals, or none",
    r"^[A-Z][0-9A-Z]{7}[0-9X]$": "a card number: a capital, 7 digits or capitals, a digit or X",
    r"^([^|]*\|){9}$": "9 fields, each ended by |",
    "^842400(00|01)[0-9A-Fa-f]{2}$": "a header that begins 84240000 or 84240001, ten hex digits in all",
    "^([0-9]{4,12})?$": "4 to 12 digits, or nothing",
}
"""Forms that are told better than by their parts."""
LETTERS = {
    "0-9": "digit", "0-9A-F": "hex digit in capitals", "0-9A-Fa-f": "hex digit", "0-9a-f": "hex digit in small letters",
    "A-Z": "capital", "a-z": "small letter", "0-9A-Z": "digit or capital", "0-9A-Z-": "digit, capital or hyphen",
}  # fmt: skip
CHOICE = re.compile(r"\^\(([\w|-]+)\)\$")
SINGLE = re.compile(r"\^\[([\w])([\w]+)\]\$")
RUN = re.compile(r"\^\[([^\]]+)\](\{(\d+)(?:,(\d+))?\}|\+|\*)\$")


def form(pattern: str) -> str:
    """What a regular expression of a schema asks for; "another form" where it has no short words."""
    if pattern in KNOWN:
        return KNOWN[pattern]
    if (found := CHOICE.fullmatch(pattern)) is not None:
        return f"one of {', '.join(found[1].split('|'))}"
    if (found := SINGLE.fullmatch(pattern)) is not None:
        return f"one of {', '.join(found[1] + found[2])}"
    found = RUN.fullmatch(pattern)
    if found is None or found[1] not in LETTERS:
        return "another form"
    one = LETTERS[found[1]]
    many = re.sub(r"\b(digit|capital|letter|hyphen)\b", r"\1s", one)
    least, most = found[3], found[4]
    if least is None:
        return f"one or more {many}" if found[2] == "+" else many
    return f"{least} to {most} {many}" if most is not None else f"{least} {one if least == '1' else many}"


def said(one: Mapping[str, Any]) -> str:
    """What pydantic found wrong in one place: the words of the check that found it, else pydantic's, which quote no
    value but with the types that ``harness.web.app`` leaves out.
    """
    context = one.get("ctx") or {}
    if one["type"] in ("value_error", "assertion_error") and context.get("error") is not None:
        return str(context["error"])
    if one["type"] == "string_pattern_mismatch":
        return f"expected {form(str(context.get('pattern', '')))}"
    return str(one["msg"])
