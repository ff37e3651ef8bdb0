"""What an item's value means: the vocabulary of ``kind`` in layouts, once. Meanings and validity follow from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. ``codes``: the table that a value is taken from where the item names none; ``form`` in words."""

    name: str
    form: str
    codes: str = ""


_ALL = (
    Kind("text", "text"),
    Kind("code", "a code of the item's table"),
    Kind("region", "six digits of GB/T 2260", "GB2260"),
    Kind("country", "three capital letters of ISO 3166-1", "ISO3166"),
    Kind("date", "YYYYMMDD"),
    Kind("month", "YYYYMM"),
    Kind("year", "YYYY"),
    Kind("time", "YYYYMMDDhhmmss"),
    Kind("fen", "an amount in fen"),
    Kind("months", "a number of months"),
    Kind("count", "how often"),
    Kind("number", "a serial number, binary"),
    Kind("telephone", "a telephone number"),
    Kind("citizen id", "18 characters with their check character, GB 11643", "GB11643"),
    Kind("organisation code", "nine characters with their check character, GB 11714", "GB11714"),
    Kind("card number", "nine characters with their check character, V2.0 appendix A", "APP-A"),
    Kind("identification code", "region 3, RID 5, serial number 4, check 4: nibbles A to F are valid in it alone"),
    Kind("initialising organisation", "issuer 5, its region 3, the organisation's region 3, sequence 1"),
    Kind("terminal number", "region 3, number 3"),
    Kind("short date", "YYMMDD, of the bank's applications"),
    Kind("time of day", "hhmmss"),
    Kind("holder's document", "a citizen id, or the number of another document, of the bank's applications"),
    Kind("bank card number", "12 to 19 digits with their check digit, ISO/IEC 7812-1"),
    Kind("track 2", "bank card number, D, YYMM, service code, and what the bank likes"),
    Kind("data object list", "tags, each with the length that is wanted"),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""Every kind by its name. [T: v2:8]"""
