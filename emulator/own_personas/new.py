"""A new persona to edit: complete, valid, and nobody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from emulator import catalogue
from emulator.errors import Misuse
from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec
from emulator.filesystem.layouts.terms import Structure
from emulator.messages import _
from emulator.personas import DEFAULT, agreement, document, numbers, validity, write
from emulator.personas.countries import ALPHA_3

CHILD, OLD = "child-guardian", "centenarian"
VALID_YEARS = 10
DISTRICT = "T"
ADULT_BIRTH = "19900307"
NOTHING: Mapping[str, Mapping[str, Any]] = {}
EVENTS = (
    "DF02/EF06", "DF02/EF09", "DF02/EF15", "DF03/EF05", "DF03/EF06", "DF03/EF17", "DF06/EF05", "DF06/EF06",
    "DF07/EF05", "DF07/EF06",
)  # fmt: skip
"""Files about something that happened: left empty, but for the insurance's region, where it would happen yet."""
NAME_ROOM, MORE_ROOM = agreement.NAME_BYTES, 20
HEADING = """{title}
每个数据项均列出；空文本表示该项不填。 Every item stands here; an empty text leaves it empty.
检查 check it: sscard persona check FILE    使用 use it: sscard show --persona FILE
号码为虚构，不属于任何人：身份证号码以519900开头，电话号码以000开头。
Made up: no citizen id begins with 519900, and no telephone number with 000. Keep it so.
SSSE/EF05的01、03、04由芯片和布局计算得出。 Items 01, 03 and 04 of SSSE/EF05 are computed from chip and layout."""


class RefusedError(Misuse):
    """What was asked for cannot be made, and why. ``about``: ``name``, ``number`` or ``region``, whichever is wrong."""

    def __init__(self, text: str, about: str) -> None:
        super().__init__(text)
        self.about = about


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new persona shall be; ``number`` empty: one is made up. ``key`` is its name in the file."""

    key: str
    name: str
    number: str
    region: str
    today: date

    @property
    def foreign(self) -> bool:
        """True for a permanent residence number."""
        return self.number.startswith(numbers.FICTITIOUS_RESIDENT)

    @property
    def birth(self) -> date:
        """The date of birth in the number."""
        return date.fromisoformat(self.number[6:14])

    @property
    def age(self) -> int:
        """Returns the person's age today, in full years."""
        return (
            self.today.year
            - self.birth.year
            - ((self.today.month, self.today.day) < (self.birth.month, self.birth.day))
        )


def wanted(key: str, name: str, number: str, region: str, today: date) -> Wanted:
    """What was asked for, judged. RefusedError, which says why."""
    for problem in problems(name, number, region, today):
        raise problem
    made = number or numbers.citizen_id(ADULT_BIRTH, 100 + _chance(key, name) % 900)
    return Wanted(key, name, made, region, today)


def problems(name: str, number: str, region: str, today: date) -> Iterator[RefusedError]:
    """What is wrong with what was asked for, one of each at most."""
    if number and (expected := _number(number, today)):
        yield RefusedError(expected, "number")
    if expected := validity.region(region):
        yield RefusedError(_("the region: expected {expected}").format(expected=expected), "region")
    if expected := _name(name):
        yield RefusedError(expected, "name")


def _number(number: str, today: date) -> str:
    """What is wrong with a social security number, empty where nothing is."""
    if not numbers.is_fictitious(number):
        return _(
            "expected a number that nobody has: it begins {fictitious}. A persona is never a real "
            "person: its data go into files, images and traces"
        ).format(fictitious=numbers.fictitious())
    if len(number) != numbers.LENGTH:
        return _("the number: expected {length} characters, found {count}").format(
            length=numbers.LENGTH, count=len(number)
        )
    if expected := validity.citizen(number):
        return _("the number: expected {expected}").format(expected=expected)
    birth = date.fromisoformat(number[6:14])
    if birth > today:
        return _("the number: expected a date of birth not after today, found {birth:%Y%m%d}").format(birth=birth)
    return ""


def _name(name: str) -> str:
    """What is wrong with a name for which items 09 and 4E are to have room, empty where nothing is."""
    try:
        first, more = split(name)
    except UnicodeEncodeError:
        return _("the name: expected characters")
    room = _("1 to {all} bytes of GB 18030, {first} of them in 09 and {more} in 4E").format(
        all=NAME_ROOM + MORE_ROOM, first=NAME_ROOM, more=MORE_ROOM
    )
    if not name.strip() or len(text.encode(more)) > MORE_ROOM:
        return _("the name: expected {room}, found {count}").format(room=room, count=len(text.encode(first + more)))
    return ""


def complete(person: Wanted, own: Mapping[str, Mapping[str, Any]] = NOTHING) -> str:
    """A file with every item there is. ``own``: tables ``pin`` and ``state`` that are to be otherwise."""
    base = catalogue.persona(
        CHILD if person.age < agreement.WORKING_AGE else OLD if person.age >= agreement.OLD_AGE else DEFAULT
    )
    known = [catalogue.layout(name) for name in ("2.00", "3.00", "regional", "1.00")]
    table: dict[str, Any] = {
        "name": person.key,
        "title": "A persona of one's own",
        "title_zh": "自建人物",
        "chip": {"region": person.region, "serial": _serial(person)},
        "pin": {"digits": "123456"},
        "purse": {
            "balance": 0,
            "own": 0,
            "pooled": 0,
            "year": f"{person.today:%Y}",
            "load_sequence": 0,
            "purchase_sequence": 0,
        },
        "values": {},
        "versions": {"1.00": {}},
    }
    years = person.birth.year - int(base.values["SSSE/EF06"]["0D"][:4])
    moved = _Moved(person, base.region, years)
    for layout in known[:-1]:
        for path, spec in layout.files.items():
            table["values"][path] = moved.file(spec, base.values.get(path, {}))
    for path in catalogue.persona(DEFAULT).versions["1.00"]:
        table["versions"]["1.00"][path] = moved.file(known[-1].files[path], base.versions["1.00"].get(path, {}))
    values = table["values"]
    values["SSSE/EF05"] |= _issue(person)
    values["SSSE/EF06"] |= _holder(person)
    values["DF04/EF08"] = values["DF04/EF15"] = {"records": []}
    if person.age < agreement.WORKING_AGE:
        values["DF03/EF18"] = {}
    if values["SSSE/EF06"]["0A"] == "2":
        values["DF03/EF16"]["5F"] = ""
    values["DF01/EF0A"]["37"] = ALPHA_3.get(person.number[3:6], "DEU") if person.foreign else ""
    values["DF01/EF05"]["20"] = "42" if person.foreign else "51"
    table |= own
    heading = HEADING.format(title=f"{table['title_zh']} {table['title']}")
    return write.text(table, known, heading=heading)


def extending(person: Wanted, parent: str, own: Mapping[str, Mapping[str, Any]] = NOTHING) -> str:
    """A file with what differs from another persona. ``own``: as ``complete`` has it."""
    layout = catalogue.layout("2.00")
    values = {"SSSE/EF05": _issue(person), "SSSE/EF06": _holder(person)}
    return write.extending(
        {
            "name": person.key,
            "title": "A persona of one's own",
            "title_zh": "自建人物",
            "extends": parent,
            "chip": {"region": person.region, "serial": _serial(person)},
            **own,
        },
        values,
        layout,
    )


def split(name: str) -> tuple[str, str]:
    """What of a name stands in item 09, and what goes on in 4E."""
    first = name
    while len(text.encode(first)) > NAME_ROOM:
        first = first[:-1]
    return first, name[len(first) :]


def _issue(person: Wanted) -> dict[str, str]:
    last = person.today.replace(year=person.today.year + VALID_YEARS, day=min(person.today.day, 28))
    age = person.age
    kind = "1" if age < agreement.SCHOOL_AGE else "2" if age < agreement.WORKING_AGE else "4" if age >= 70 else "3"
    number = numbers.card_number(DISTRICT, _chance(person.key, person.number) % 10**7)
    return {"02": kind, "05": f"{person.today:%Y%m%d}", "06": f"{last:%Y%m%d}", "07": number}


def _holder(person: Wanted) -> dict[str, str]:
    first, more = split(person.name)
    return {
        "08": person.number,
        "09": first,
        "4E": more,
        "0A": "1" if int(person.number[16]) % 2 else "2",
        "0B": "99" if person.foreign else "01",
        "0C": "" if person.foreign else person.region,
        "0D": person.number[6:14],
    }


def _serial(person: Wanted) -> str:
    """Four bytes that none of ours has, always the same for the same person."""
    taken = {catalogue.persona(name).serial for name in document.names()}
    tries = (sha256(f"{person.key} {person.number} {n}".encode()).digest()[:4] for n in range(1000))
    return next(one for one in tries if one not in taken).hex().upper()


def _chance(*words: str) -> int:
    """A number that looks like chance, and is always the same for the same words."""
    return int.from_bytes(sha256(" ".join(words).encode()).digest()[:6], "big")


@dataclass(frozen=True, slots=True)
class _Moved:
    """One persona's values as another's: the same age at everything, in another region."""

    person: Wanted
    origin: str
    years: int

    def file(self, spec: FileSpec, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a file's values, as the made-up person has them."""
        if spec.structure is Structure.TRANSPARENT:
            return dict(values)
        if spec.structure is Structure.CYCLIC:
            records = [self._record(spec.items, record) for record in values.get("records", [])]
            return {"records": [record for record in records if record is not None]}
        result = {item.label: self._value(item, values.get(item.label)) for item in spec.items}
        if spec.path in EVENTS and any(
            values.get(item.label) and not result[item.label] for item in spec.items if item.kind == "date"
        ):
            insurance = {"DF03/EF05": ("61",)}.get(spec.path, ())
            return {tag: value if tag in insurance else "" for tag, value in result.items() if isinstance(value, str)}
        return result

    def _value(self, item: ItemSpec, value: Any) -> Any:
        if value is None:
            return [] if item.elements and item.count > 1 else {} if item.elements else ""
        if isinstance(value, list):
            return [one for one in (self._value(item, one) for one in value) if one]
        if isinstance(value, Mapping):
            parts = {part.label: part for part in item.elements}
            moved = {tag: self._value(parts[tag], held) for tag, held in value.items()}
            lost = any(value[tag] and not moved[tag] and parts[tag].kind in DATED for tag in moved)
            return {} if lost else moved
        return self._text(item, value)

    def _record(self, items: tuple[ItemSpec, ...], record: list[str]) -> list[str] | None:
        moved = [self._text(item, value) for item, value in zip(items, record, strict=True)]
        lost = any(old and not new and item.kind in DATED for item, old, new in zip(items, record, moved, strict=True))
        return None if lost else moved

    def _text(self, item: ItemSpec, value: str) -> str:
        if item.kind in DATED and value:
            return self._date(value)
        if item.kind == "region":
            return self.person.region if value == self.origin else value
        if self.person.region == self.origin:
            return value
        if item.name == "通讯地址邮政编码":
            return ""
        for place, other in PLACES:
            value = value.replace(place, other)
        return value

    def _date(self, value: str) -> str:
        """A date, month, year or time as many years on; empty where that is yet to come."""
        year = int(value[:4]) + self.years
        moved = f"{year:04}{'0228' if value[4:8] == '0229' else value[4:8]}{value[8:]}"
        return moved if moved <= f"{self.person.today:%Y%m%d}235959"[: len(moved)] else ""


DATED = ("date", "month", "year", "time")
PLACES = (("四川省成都市", "虚构省虚构市"), ("成都市", "虚构市"), ("成都", ""))
"""Names of places of the personas that new ones are made from, and what stands there in another region."""
