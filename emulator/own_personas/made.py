"""Made-up values of any kind of item: as long as another value, of the same characters, and none of those avoided."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from emulator.filesystem.layouts import codes, text
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.own_personas.personal import Personal, chinese
from emulator.personas import numbers, validity

TRIES = 200
"""How often another value is drawn before the item is left empty."""
CYCLE = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
"""What made-up texts are written in: the signs of the sixty-year cycle, which make no sense one after another."""
FIRST_LEVEL = tuple(
    bytes((high, low)).decode("gbk") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF if high < 0xD6 else 0xFA)
)
"""The commonest characters (GB 2312, level 1), where those are not enough."""
FOUR_BYTES = tuple(one for one in map(chr, range(0x3D00, 0x3D80)) if len(text.encode(one)) == 4)
"""Rare characters that take four bytes."""
DATED = ("date", "month", "year", "time", "short date")
FORMATS = {"date": "%Y%m%d", "month": "%Y%m", "year": "%Y", "short date": "%y%m%d"}


class Chance:
    """Numbers that look like chance, and are always the same for the same seed and words."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def below(self, most: int, *words: object) -> int:
        """One of 0 to ``most`` - 1."""
        told = " ".join(map(str, (self._seed, *words)))
        return int.from_bytes(sha256(told.encode()).digest()[:12], "big") % most

    def content(self, size: int, *words: object) -> bytes:
        """So many bytes, none of them 00 or FF, which would be filler at an end."""
        return bytes(1 + self.below(254, *words, at) for at in range(size))


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one person's values. ``days`` that every date of the base is moved by; ``issued``: the day of issue, near
    which dates lie that the base has none of; ``region``: GB/T 2260, of everything that has one.
    """

    chance: Chance
    avoided: Personal
    region: str
    days: int
    issued: date

    def value(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        """A value as long as ``like`` and of the same characters, ``base`` where thousands share it; empty where there
        is none that a card may hold and that is not avoided.
        """
        if not like or set(like) == {"0"}:
            return like
        make = self._maker(item)
        for attempt in range(TRIES):
            made = make(item, like, base, f"{place} {attempt}")
            if not self.avoided.has(item, made) and not next(validity.problems(item, made), None):
                return made
            if item.kind in DATED and base:
                break
        return ""

    def content(self, path: str, size: int) -> bytes:
        """The bytes of a transparent file: a picture, a certificate or a terminal's number where a check asks for one,
        else any.
        """
        if path == "MF/EF16" and size >= 6:
            return bytes.fromhex(self.region + f"{self.chance.below(10**6, path):06}").ljust(size, b"\0")
        filler = self._filler(path, size)
        if path.startswith("SSSE/EF08") and size > len(PICTURE) + 6:
            return _picture(size, filler)
        if path in ("CERT/EF18", "CERT/EF19") and size > 0x8C:
            return (
                b"\x30\x82" + (size - 4).to_bytes(2, "big") + b"\x04\x82" + (size - 8).to_bytes(2, "big") + filler[8:]
            )
        return filler

    def _filler(self, path: str, size: int) -> bytes:
        """So many bytes, other ones where the card has the first: it may have been filled by the same numbers."""
        made = (self.chance.content(size, path, *([attempt] if attempt else [])) for attempt in range(TRIES))
        return next(one for one in made if not self.avoided.has_bytes(one.hex().upper()))

    def moved(self, item: ItemSpec, value: str, days: int = 0) -> str:
        """A date of the base as this person's, of whatever precision; empty for what is no date."""
        try:
            if item.kind == "time":
                return f"{self._day(value[:8], days):%Y%m%d}{value[8:]}"
            whole = {"month": f"{value}15", "year": f"{value}0701", "short date": f"20{value}"}.get(item.kind, value)
            return self._day(whole, days).strftime(FORMATS[item.kind])
        except ValueError:
            return ""

    def _day(self, value: str, days: int) -> date:
        return date.fromisoformat(value) + timedelta(days=self.days + days)

    def _maker(self, item: ItemSpec) -> Callable[[ItemSpec, str, str, str], str]:
        if item.kind in DATED:
            return self._date
        if item.kind in ("", "text") and not item.codes:
            return {"an": self._text, "cn": self._digits, "dec": self._digits}.get(item.format, self._bytes)
        known = {
            "region": self._region, "country": self._country, "fen": self._amount, "telephone": self._telephone,
            "citizen id": self._stranger, "organisation code": self._organisation, "card number": self._card_number,
            "terminal number": self._terminal, "bank card number": self._bank_card, "number": self._bytes,
            "time of day": self._time_of_day, "holder's document": self._text,
        }  # fmt: skip
        if item.kind in known:
            return known[item.kind]
        return self._code if item.codes or item.kind == "code" else self._shared

    # ---- one kind each ---------------------------------------------------------

    def _date(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del like
        if base:
            return self.moved(item, base)
        day = self.issued - timedelta(days=self.chance.below(300, place))
        seconds = f"{self.chance.below(24, place, 'h'):02}{self.chance.below(60, place, 'm'):02}00"
        return f"{day:%Y%m%d}{seconds}" if item.kind == "time" else day.strftime(FORMATS[item.kind])

    def _time_of_day(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, like, base
        return f"{self.chance.below(24, place, 'h'):02}{self.chance.below(60, place, 'm'):02}00"

    def _text(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, base
        return "".join(self._characters(like, place))

    def _characters(self, like: str, place: str) -> Iterator[str]:
        before = ""
        for at, one in enumerate(like):
            edge = at in (0, len(like) - 1)
            before = self._character(one, before, f"{place} {at}", edge=edge)
            yield before

    def _character(self, one: str, before: str, place: str, *, edge: bool) -> str:
        """One of the same class and length in bytes."""
        if one.isascii():
            if one.isdigit():
                return str(self.chance.below(10, place))
            if one.isalpha():
                letter = chr(65 + self.chance.below(26, place))
                return letter if one.isupper() else letter.lower()
            return one if one.isprintable() and not (edge and one == " ") else "X"
        size = len(text.encode(one))
        if not text.whole(one) or size == 1:
            return "X" * size
        if size == 4:
            return FOUR_BYTES[self.chance.below(len(FOUR_BYTES), place)]
        if unicodedata.category(one)[0] == "P":
            return one
        return self._sign(before, place)

    def _sign(self, before: str, place: str) -> str:
        for few in (CYCLE, FIRST_LEVEL):
            good = [one for one in few if not chinese(before) or before + one not in self.avoided.pairs]
            if good:
                return good[self.chance.below(len(good), place)]
        return CYCLE[self.chance.below(len(CYCLE), place)]

    def _digits(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del base
        if item.format == "dec":
            return str(self.chance.below(min(256**item.length, 10 ** len(like)), place))
        return "".join(str(self.chance.below(10, place, at)) for at in range(len(like)))

    def _bytes(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, base
        return self.chance.content(len(like) // 2, place).hex().upper()

    def _region(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, like, base, place
        return self.region

    def _country(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del like, place
        return base or ("DEU" if item.format == "an" else "0156")

    def _amount(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del base
        most = self.chance.below(90000, place) + 10000
        size = len(like)
        return str(most) if item.format == "dec" else f"{most:0{size}X}" if item.format == "b" else f"{most:0{size}}"

    def _telephone(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        """Begins with 000, which no one is given."""
        del item, base
        made, digits = "", 0
        for at, one in enumerate(like):
            made += one if one == "-" and 0 < at < len(like) - 1 else "0" if digits < 3 else str(
                self.chance.below(10, place, at)
            )  # fmt: skip
            digits = sum(map(str.isdigit, made))
        return made

    def _stranger(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        """Somebody else's number: of a made-up adult."""
        del item, like, base
        born = date(1960, 1, 1) + timedelta(days=self.chance.below(10000, place))
        return numbers.citizen_id(f"{born:%Y%m%d}", self.chance.below(1000, place, "order"))

    def _organisation(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, like, base
        body = f"YB{self.chance.below(10**6, place):06}"
        return body + numbers.organisation_check(body)

    def _card_number(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, like, base
        return numbers.card_number("T", self.chance.below(10**7, place))

    def _terminal(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        del item, like, base
        return self.region + f"{self.chance.below(10**6, place):06}"

    def _bank_card(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        """Begins with 9999, as no bank's does."""
        del item, base
        size = len(like) - 5
        body = f"9999{self.chance.below(10**size, place):0{size}}" if size > 0 else "9999"
        return body + numbers.luhn_check(body)

    def _shared(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        """Of which thousands have the same: the base's, or digits as many."""
        return base or self._digits(item, like, base, place)

    def _code(self, item: ItemSpec, like: str, base: str, place: str) -> str:
        if base and not next(validity.problems(item, base), None):
            return base
        return self._of_table(codes.table(item.codes), place) if item.codes else self._digits(item, like, base, place)

    def _of_table(self, table: codes.CodeTable, place: str) -> str:
        if table.pieces:
            return "".join(self._piece(piece, f"{place} {at}") for at, piece in enumerate(table.pieces))
        if table.codes:
            known = sorted(table.codes)
            return known[self.chance.below(len(known), place)]
        size = validity.FORMS.get(table.id, (0, ""))[0]
        return "".join(str(self.chance.below(10, place, at)) for at in range(size))

    def _piece(self, piece: codes.Piece, place: str) -> str:
        return self._of_table(codes.table(piece.codes), place)


PICTURE = bytes.fromhex(
    "FFD8FFE000104A46494600010100000100010000"
    "FFDB004300" + "01" * 64 + "FFC0000B080001000101011100"
    "FFC40014000100000000000000000000000000000009"
    "FFC40014100100000000000000000000000000000000"
    "FFDA0008010100003F0054"
)
"""A photograph of one grey dot, in JPEG, but for its end."""
END = b"\xff\xd9"
COMMENT = b"\xff\xfe"


def _picture(size: int, filler: bytes) -> bytes:
    """A picture of so many bytes: the dot, and a comment that fills it up."""
    rest = size - len(PICTURE) - len(END)
    comments = b""
    while rest - len(comments) >= 4:
        length = min(rest - len(comments) - 2, 0xFFFF)
        comments += COMMENT + length.to_bytes(2, "big") + filler[: length - 2]
    return PICTURE[:2] + comments + PICTURE[2:] + END
