"""What a schema says is wrong with a value, in words for people: no regular expression, no library's own prefix."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.messages import _, deferred, ngettext

KNOWN = {
    r"^[0-9][0-9-]{6,14}$": deferred("a telephone number of 7 to 15 digits and hyphens"),
    r"^([0-9A-Z]{1,7}|none)$": deferred("1 to 7 digits and capitals, or none"),
    r"^[A-Z][0-9A-Z]{7}[0-9X]$": deferred("a card number: a capital, 7 digits or capitals, a digit or X"),
    r"^([^|]*\|){9}$": deferred("9 fields, each ended by |"),
    "^842400(00|01)[0-9A-Fa-f]{2}$": deferred("a header that begins 84240000 or 84240001, ten hex digits in all"),
    r"^([0-9A-Fa-f ]|\$\{[a-z0-9_]+(:lv|:[0-9]*:[0-9]*)?\})*$": deferred(
        "hex digits, in which ${name} stands for a value"
    ),
    r"^([0-9A-Fa-f]{2}|\.\.| |\$\{[a-z0-9_]+(:lv|:[0-9]*:[0-9]*)?\})*$": deferred(
        "hex digits in pairs, in which .. stands for any byte and ${name} for a value"
    ),
    "^[0-9A-Fx]{4}$": deferred("a status word of 4 hex digits in capitals, x for any"),
    "^[A-Z0-9_]+(-[A-Z0-9_]+)*$": deferred("capitals, digits and _ in words with - between"),
    "^([0-9]{4,12})?$": deferred("4 to 12 digits, or nothing"),
}
"""Forms that are told better than by their parts."""
LETTERS: dict[str, Callable[[int], str]] = {
    "0-9": lambda many: ngettext("digit", "digits", many),
    "0-9A-F": lambda many: ngettext("hex digit in capitals", "hex digits in capitals", many),
    "0-9A-Fa-f": lambda many: ngettext("hex digit", "hex digits", many),
    "0-9a-f": lambda many: ngettext("hex digit in small letters", "hex digits in small letters", many),
    "A-Z": lambda many: ngettext("capital", "capitals", many),
    "a-z": lambda many: ngettext("small letter", "small letters", many),
    "0-9A-Z": lambda many: ngettext("digit or capital", "digits or capitals", many),
    "0-9A-Z-": lambda many: ngettext("digit, capital or hyphen", "digits, capitals or hyphens", many),
}
"""So many of these letters, by the regular expression's range; without the number."""
MANY = 2
CHOICE = re.compile(r"\^\(([\w|-]+)\)\$")
SINGLE = re.compile(r"\^\[([\w])([\w]+)\]\$")
RUN = re.compile(r"\^\[([^\]]+)\](\{(\d+)(?:,(\d+))?\}|\+|\*)\$")


def form(pattern: str) -> str:
    """What a regular expression of a schema asks for; "another form" where it has no short words."""
    if pattern in KNOWN:
        return _(KNOWN[pattern])
    if (found := CHOICE.fullmatch(pattern)) is not None:
        return _("one of {words}").format(words=", ".join(found[1].split("|")))
    if (found := SINGLE.fullmatch(pattern)) is not None:
        return _("one of {words}").format(words=", ".join(found[1] + found[2]))
    found = RUN.fullmatch(pattern)
    if found is None or found[1] not in LETTERS:
        return _("another form")
    letters, least, most = LETTERS[found[1]], found[3], found[4]
    if least is None:
        return _("one or more {letters}").format(letters=letters(MANY)) if found[2] == "+" else letters(MANY)
    if most is None:
        return _("{least} {letters}").format(least=least, letters=letters(int(least)))
    return _("{least} to {most} {letters}").format(least=least, most=most, letters=letters(MANY))


EXPECTED = {
    "missing": deferred("it is missing"),
    "extra_forbidden": deferred("no field is called so"),
    "json_invalid": deferred("expected JSON, in UTF-8, with no name twice"),
    "string_type": deferred("expected text"),
    "string_too_short": deferred("expected a length of {min_length} or more"),
    "string_too_long": deferred("expected a length of {max_length} or less"),
    "too_short": deferred("expected {min_length} or more entries"),
    "too_long": deferred("expected a list of {max_length} at most"),
    "int_type": deferred("expected a whole number"),
    "int_parsing": deferred("expected a whole number"),
    "int_from_float": deferred("expected a whole number"),
    "bool_type": deferred("expected true or false"),
    "bool_parsing": deferred("expected true or false"),
    "greater_than": deferred("expected more than {gt}"),
    "greater_than_equal": deferred("expected {ge} or more"),
    "less_than": deferred("expected less than {lt}"),
    "less_than_equal": deferred("expected {le} or less"),
    "literal_error": deferred("expected one of {expected}"),
    "enum": deferred("expected one of {expected}"),
    "list_type": deferred("expected a list"),
    "dict_type": deferred("expected a table of names"),
    "model_type": deferred("expected a table of names"),
    "model_attributes_type": deferred("expected a table of names"),
    "date_type": deferred("expected a date, as 2025-03-03"),
    "date_parsing": deferred("expected a date, as 2025-03-03"),
    "date_from_datetime_parsing": deferred("expected a date, as 2025-03-03"),
    "date_from_datetime_inexact": deferred("expected a date, as 2025-03-03"),
}
"""What pydantic finds wrong, by its type of error: what was expected, and nothing of what came."""


def expected(one: Mapping[str, Any]) -> str:
    """What pydantic expected in one place, in words that quote nothing of what came; empty where there are none."""
    context = one.get("ctx") or {}
    if one["type"] == "string_pattern_mismatch":
        return _("expected {form}").format(form=form(str(context.get("pattern", ""))))
    if one["type"] not in EXPECTED:
        return ""
    listed = str(context.get("expected", "")).replace(" or ", ", ")  # pydantic has 'a', 'b' or 'c'
    return _(EXPECTED[one["type"]]).format_map({**context, "expected": listed})


def said(one: Mapping[str, Any]) -> str:
    """What pydantic found wrong in one place: the words of the check that found it, else what was expected, else
    pydantic's own words, which may quote what came.
    """
    context = one.get("ctx") or {}
    if one["type"] in ("value_error", "assertion_error") and context.get("error") is not None:
        return str(context["error"])
    return expected(one) or str(one["msg"])
