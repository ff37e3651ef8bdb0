"""Whether a card may hold a value: by its item's format, length, kind and code table.

An item that is left empty is valid: the tables have no code for "none". What several items say together is judged
where it is known whose items they are (``emulator.personas.agreement``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from emulator import ber
from emulator.filesystem.layouts import codes, items
from emulator.filesystem.layouts.items import ItemError, Value
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.messages import _, chinese_first, deferred
from emulator.personas import numbers
from emulator.personas.countries import ALPHA_3, COUNTRIES


class Problem(NamedTuple):
    """What is wrong with a value: the tags of the elements on the way to it, and what was expected."""

    within: tuple[str, ...]
    text: str


Judge: TypeAlias = "Callable[[str, ItemSpec], str]"
"""What was expected of a text that is not empty; an empty sentence where it is valid."""

_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82"
PROVINCES = frozenset(_PROVINCES.split())
"""The first two digits that GB/T 2260 gives to provinces."""
RID = "D156000005"
ISSUERS = "9156000002"
FIRST_YEAR, LAST_YEAR = 1900, 2199


def problems(item: ItemSpec, value: Value, within: tuple[str, ...] = ()) -> Iterator[Problem]:
    """What is wrong with one value of an item, or of an element; nothing where a card may hold it."""
    if item.elements:
        yield from _elements(item, value, within)
        return
    if not isinstance(value, str):
        yield Problem(
            within,
            _("expected a text, found elements") if isinstance(value, Mapping) else _("expected a text, found a list"),
        )
        return
    try:
        items.encode(item, value)
    except ItemError as error:
        yield Problem(within, error.what)
        return
    expected = "" if value == items.blank(item) else expected_of(item, value)
    if expected:
        yield Problem(within, _('expected {expected}, found "{value}"').format(expected=expected, value=value))


def expected_of(item: ItemSpec, value: str) -> str:
    """What was expected by the item's kind and code table, empty where the value is valid or nothing is known of it."""
    if item.codes and item.kind in ("", "code"):
        return _code(value, item)
    judge = KINDS.get(item.kind)
    return judge(value, item) if judge else ""


def _elements(item: ItemSpec, value: Value, within: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(within, _("expected elements by tag, as {example}").format(example='{ 57 = "…" }'))
        return
    parts = {part.label: part for part in item.elements}
    for tag, held in value.items():
        if tag in parts:
            yield from problems(parts[tag], held, (*within, tag))
        else:
            yield Problem((*within, tag), _("no such element: it has {tags}").format(tags=", ".join(parts)))


# ---- kinds ------------------------------------------------------------------


def _text(value: str, item: ItemSpec) -> str:
    del item
    if value != value.strip():
        return _("a text without space before or after it")
    return (
        _("a text that can be printed") if re.search(r"[\x00-\x1f\x7f-\x9f\ufffd\U0010fd00-\U0010feff]", value) else ""
    )


def _date(value: str, item: ItemSpec) -> str:
    del item
    try:
        good = len(value) == 8 and FIRST_YEAR <= date.fromisoformat(value).year <= LAST_YEAR
    except ValueError:
        good = False
    return "" if good else _("a date that exists, YYYYMMDD")


def _short_date(value: str, item: ItemSpec) -> str:
    return _("a date that exists, YYMMDD") if len(value) != 6 or _date(f"20{value}", item) else ""


def _time_of_day(value: str, item: ItemSpec) -> str:
    del item
    try:
        good = len(value) == 6 and bool(datetime.strptime(value, "%H%M%S"))
    except ValueError:
        good = False
    return "" if good else _("a time that exists, hhmmss")


def _document(value: str, item: ItemSpec) -> str:
    """An identity card's number passes its check digit; others may look like anything."""
    return citizen(value) if len(value) == numbers.LENGTH else _text(value, item)


def _month(value: str, item: ItemSpec) -> str:
    return _("a month that exists, YYYYMM") if len(value) != 6 or _date(f"{value}01", item) else ""


def _year(value: str, item: ItemSpec) -> str:
    return _("a year, YYYY") if len(value) != 4 or _date(f"{value}0101", item) else ""


def _time(value: str, item: ItemSpec) -> str:
    try:
        good = len(value) == 14 and not _date(value[:8], item) and bool(datetime.strptime(value, "%Y%m%d%H%M%S"))
    except ValueError:
        good = False
    return "" if good else _("a time that exists, YYYYMMDDhhmmss")


def _counted(value: str, item: ItemSpec) -> str:
    """Digits in a text, as many as it has room for."""
    good = value.isascii() and value.isdigit() and len(value) == item.length
    return "" if good else _("{length} digits, with zeros before them").format(length=item.length)


def _amount(value: str, item: ItemSpec) -> str:
    """The whole room, so that nobody asks on which side it is filled up."""
    if item.format is ItemFormat.DEC:
        return ""
    size = 2 * item.length if item.format in (ItemFormat.CN, ItemFormat.B, ItemFormat.HEX) else item.length
    what = _("hex digits") if item.format in (ItemFormat.B, ItemFormat.HEX) else _("digits")
    return "" if len(value) == size else _("{size} {what}, with zeros before them").format(size=size, what=what)


def _whole(value: str, item: ItemSpec) -> str:
    return "" if len(value) == 2 * item.length else _("{number} hex digits").format(number=2 * item.length)


def region(value: str) -> str:
    """What was expected of a region: six digits of a province that there is; a county lies in a city. (GB/T 2260)"""
    good = len(value) == 6 and value.isdigit() and value[:2] in PROVINCES and not (value[2:4] == "00" != value[4:])
    return "" if good else _("six digits of GB/T 2260: province, city, county")


def _region(value: str, item: ItemSpec) -> str:
    del item
    return region(value)


def _country(value: str, item: ItemSpec) -> str:
    if item.format is ItemFormat.AN:
        return "" if value in COUNTRIES else _("three capital letters of ISO 3166-1, like DEU")
    return "" if value[:1] == "0" and value[1:] in ALPHA_3 else _("four digits of ISO 3166-1, like 0156")


def _telephone(value: str, item: ItemSpec) -> str:
    del item
    return "" if re.fullmatch(r"\+?\d[\d-]{4,13}\d", value) else _("a telephone number of digits and hyphens")


def citizen(value: str) -> str:
    """What was expected of a social security number: a citizen id (GB 11643), a residence permit or a permanent
    residence card of the same build, or a permanent residence card of before: three letters of a country, 12 digits.
    """
    if re.fullmatch(r"[A-Z]{3}\d{12}", value):
        return "" if value[:3] in COUNTRIES else _("three letters of a country before the 12 digits")
    if not re.fullmatch(r"\d{17}[\dX]", value, re.ASCII):
        return _("17 digits and a check character, 0 to 9 or X")
    if value[0] != "9" and value[:2] not in PROVINCES and value[:6] != numbers.FICTITIOUS_CITIZEN:
        return _("the first two digits of a province, or 9 for a permanent residence card")
    if _date(value[6:14], NOTHING):
        return _("a date of birth that exists in its digits 7 to 14")
    check = numbers.citizen_check(value[:17])
    return "" if check == value[17] else _("the check character {check}").format(check=check)


def _citizen(value: str, item: ItemSpec) -> str:
    del item
    return citizen(value)


def _ends_with(value: str, check: str) -> str:
    return "" if value[-1] == check else _("the check character {check}").format(check=check)


def _card_number(value: str, item: ItemSpec) -> str:
    del item
    if not re.fullmatch(r"[A-Z][0-9A-Z]{7}[0-9X]", value):
        return _("a capital, 7 characters and a check character, 0 to 9 or X")
    return _ends_with(value, numbers.card_check(value[:8]))


def _organisation(value: str, item: ItemSpec) -> str:
    del item
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", value):
        return _("8 digits and capitals and a check character, 0 to 9 or X")
    return _ends_with(value, numbers.organisation_check(value[:8]))


def _identification(value: str, item: ItemSpec) -> str:
    del item
    if not re.fullmatch(r"[0-9A-F]{32}", value):
        return _("32 hex digits")
    if expected := region(value[:6]):
        return _("to begin with {expected}").format(expected=expected)
    return "" if value[6:16] == RID else _("{rid} after the region").format(rid=RID)


def _initialiser(value: str, item: ItemSpec) -> str:
    del item
    if len(value) != 24 or not value.startswith(ISSUERS):
        return _("24 digits that begin with {issuers}").format(issuers=ISSUERS)
    wrong = region(value[10:16]) or region(value[16:22])
    return _("two regions after {issuers}: {wrong}").format(issuers=ISSUERS, wrong=wrong) if wrong else ""


def _terminal(value: str, item: ItemSpec) -> str:
    del item
    if len(value) != 12 or not value.isdigit():
        return _("12 digits: a region and six more")
    return _("to begin with {expected}").format(expected=expected) if (expected := region(value[:6])) else ""


def _bank_card(value: str, item: ItemSpec) -> str:
    del item
    if not 12 <= len(value) <= 19 or not value.isdigit():
        return "12 to 19 digits"
    check = numbers.luhn_check(value[:-1])
    return "" if check == value[-1] else _("the check digit {check}").format(check=check)


def _track_2(value: str, item: ItemSpec) -> str:
    number, mark, rest = value.rstrip("F").partition("D")
    if not mark or not rest.isdigit() or len(rest) < 7:
        return _("a card number, D, YYMM, a service code")
    return _bank_card(number, item) or _short_date(f"{rest[:4]}01", item)


def _objects(value: str, item: ItemSpec) -> str:
    del item
    try:
        ber.wanted(bytes.fromhex(value))
    except ValueError as error:
        return _("a data object list: {error}").format(error=error)
    return ""


def _code(value: str, item: ItemSpec) -> str:
    return code(item.codes, value) if item.codes else ""


def code(name: str, value: str) -> str:
    """What was expected of a code of a table; of tables whose codes are not all public, their form alone."""
    table = codes.table(name)
    if table.pieces:
        return _composed(table, value)
    if table.partial:
        size, what = FORMS.get(name, (0, ""))
        good = not size or (len(value) == size and value.isascii() and value.isdigit())
        return "" if good else _("{size} digits, {what}").format(size=size, what=_(what))
    if value in table.codes:
        return ""
    few = f": {', '.join(table.codes)}" if len(table.codes) <= FEW else ""
    return _("a code of {name}{few}").format(name=chinese_first(table.name_en, table.name), few=few)


def _composed(table: codes.CodeTable, value: str) -> str:
    size = sum(piece.length for piece in table.pieces)
    if len(value) != size:
        return _("{size} characters, composed of {count} codes").format(size=size, count=len(table.pieces))
    parts, at = [], 0
    for piece in table.pieces:
        part = value[at : at + piece.length]
        expected = "" if piece.none and part == piece.none else code(piece.codes, part)
        if expected:
            return _("in characters {first} to {last} {expected}").format(
                first=at + 1, last=at + piece.length, expected=expected
            )
        parts.append(part)
        at += piece.length
    if table.id == UNEMPLOYMENT:
        reason, end = parts[1] != NONE, parts[2] != NONE
        if (reason, end) != (parts[0] == REGISTERED, parts[0] != REGISTERED):
            return _("a reason of the registration after 10, of its end after 20, and 00 in the other place")
    return ""


FEW = 12
"""Codes that a sentence names one by one."""
FORMS = {
    "GB6864": (3, deferred("a degree of GB/T 6864")),
    "GB16835": (6, deferred("a specialty of GB/T 16835")),
    "GB8561": (3, deferred("a post of GB/T 8561")),
    "GB14946A13": (1, deferred("a grade of GB/T 14946")),
    "OCC": (7, deferred("an occupation of the dictionary, without its hyphens")),
    "CHP": (4, deferred("a medicine of the pharmacopoeia")),
    "GB14396": (3, deferred("an illness of GB/T 14396")),
}
"""How long codes are of which no table is public, and what they are. [V2.0 table 9 for the lengths]"""
UNEMPLOYMENT, REGISTERED, NONE = "C-4F", "10", "00"
"""Item 4F: registered for a reason, or ended for a reason, of which the other is 00. [V2.0 8.3.2.5]"""


KINDS: Mapping[str, Judge] = {
    "text": _text,
    "code": _code,
    "region": _region,
    "country": _country,
    "date": _date,
    "short date": _short_date,
    "month": _month,
    "year": _year,
    "time": _time,
    "fen": _amount,
    "months": _counted,
    "count": _counted,
    "number": _whole,
    "telephone": _telephone,
    "citizen id": _citizen,
    "organisation code": _organisation,
    "card number": _card_number,
    "identification code": _identification,
    "initialising organisation": _initialiser,
    "terminal number": _terminal,
    "bank card number": _bank_card,
    "time of day": _time_of_day,
    "holder's document": _document,
    "track 2": _track_2,
    "data object list": _objects,
}
"""What each kind of value must be; the kinds of ``emulator.filesystem.layouts.kinds``."""
NOTHING = ItemSpec(None, ItemFormat.AN, 0, "", "", "D")
