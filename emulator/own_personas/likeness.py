"""A made-up person of the same shape as a card's values: each item as long and of the same kind, none of it the card's.

What stands in an item follows one of our own personas, whichever the card's filled and empty items fit best, so that
codes and dates agree with one another: dates are moved by as many days each, texts and numbers are made anew. Of
health, working capacity and assistance not even what is filled is taken from the card. [D]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, TypeAlias

from emulator import catalogue, interface
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import ItemFormat, Structure
from emulator.own_personas import check, personal
from emulator.own_personas.made import Chance, Maker
from emulator.own_personas.personal import Contents, Personal
from emulator.personas import DEFAULT, Persona, agreement, document, numbers, validity, write
from emulator.personas.agreement import Holder
from emulator.personas.finding import Finding
from emulator.personas.issue import COMPUTED

BASES = (DEFAULT, "centenarian", "child-guardian", "foreign-resident")
"""Whose lives a made-up person may have."""
INTIMATE = ("DF05", "DF06", "DF03/EF06", "DF03/EF15", "DF03/EF17")
"""Applications and files that tell of health, injuries and assistance: being filled there says as much as a value."""
NUMBER, NAME, BIRTH = "SSSE/EF06/08", "SSSE/EF06/09", "SSSE/EF06/0D"
ISSUED = "SSSE/EF05/05"
EARLIEST, LATEST = 1000, 1
"""Days that a base's dates are moved back: all lie in the past but the card's validity, which goes on."""
APART = 40
"""Days between records that a cyclic file has beyond those of its base."""
ROUNDS = 300
FULLEST = "regional"
"""The layout that has every file there is in 2.00's terms."""

Files: TypeAlias = "dict[str, dict[str, Any]]"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a card. ``partly``: files of which records may be missing in ``contents`` though the card has
    them. ``serial``: the chip's, four bytes, empty where it is not known.
    """

    layout: Layout
    contents: Contents
    region: str
    partly: frozenset[str] = frozenset()
    serial: bytes = b""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A persona's file. ``emptied``: items that the card fills and the persona cannot, as what a card holds there would
    not agree with the rest; ``unread``: files that were made up from nothing; ``findings``: what ``persona check``
    would still say for the card's layout, none as a rule.
    """

    text: str
    table: dict[str, Any]
    emptied: tuple[str, ...]
    unread: tuple[str, ...]
    findings: tuple[str, ...]


def region_of(identification: bytes, atr: bytes) -> str:
    """The city of a card, six digits of GB/T 2260: by its identification code, else by its ATR; of our default persona
    where neither names one.
    """
    for digits in (identification[:2].hex(), interface.region(atr).hex()):
        if len(digits) == 4 and not validity.region(f"{digits}00"):
            return f"{digits}00"
    return catalogue.persona(DEFAULT).region


def like(seen: Seen, *, seed: str = "1", name: str = "twin") -> Likeness:
    """A person of the same shape; always the same of the same card and seed."""
    avoided = _ours().copy()
    personal.of_card(seen.layout, seen.contents, avoided)
    drafts = [_Draft(seen, catalogue.persona(base), avoided, seed, name) for base in BASES]
    best = min(drafts, key=lambda one: one.misfit)
    return best.settled()


@cache
def _ours() -> Personal:
    """The values of our own personas, which a new one has none of, so that each can be told from all others."""
    found = Personal()
    layouts = [catalogue.layout(one) for one in catalogue.layouts()]
    for one in catalogue.personas():
        person = catalogue.persona(one)
        for values in (person.values, *person.versions.values()):
            personal.of_values(layouts, values, found)
    return found


@dataclass(slots=True)
class _Draft:
    """One try, by one base."""

    seen: Seen
    base: Persona
    avoided: Personal
    seed: str
    name: str
    maker: Maker = field(init=False)
    table: dict[str, Any] = field(init=False)
    missing: list[str] = field(init=False, default_factory=list)
    odd: int = field(init=False, default=0)
    """How many items the base fills and the card does not, or the other way round."""
    emptied: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        chance = Chance(self.seed)
        moved = self._days(chance)
        issued = date.fromisoformat(self.base.values["SSSE/EF05"]["05"])
        self.maker = Maker(chance, self.avoided, self.seen.region, moved, issued)
        self.maker = replace(self.maker, issued=date.fromordinal(issued.toordinal() + moved))
        version = self.seen.layout.version
        older = set(catalogue.persona(DEFAULT).versions.get(version, {}))
        values: Files = {}
        versions: Files = {}
        for path, spec in self.seen.layout.files.items():
            if spec.directory or spec.secret:
                continue
            old = (path in older or any(item.rewritten for item in spec.items)) and not self._rewritten(spec)
            base = (self.base.versions.get(version, {}) if old else self.base.values).get(path, {})
            (versions if old else values)[path] = self._file(spec, base, self.seen.contents, old=old)
        for path, spec in catalogue.layout(FULLEST).files.items():  # so that the person goes with every layout
            if path not in self.seen.layout.files and not spec.directory and not spec.secret:
                values[path] = self._file(spec, self.base.values.get(path, {}), {}, old=False)
        self._key_pair(values)
        self._who(values)
        self.table = {
            "name": self.name,
            "title": "A made-up person of the same shape as a card",
            "title_zh": "与某张卡形状相同的虚构人物",
            "remove": sorted(self.missing),
            "chip": {"region": self.seen.region, "serial": self._serial(chance)},
            "pin": {"digits": "123456"},
            "purse": self._purse(values),
            "values": values,
            "versions": {**({version: versions} if versions else {}), **self._other_versions()},
        }

    def _other_versions(self) -> dict[str, Files]:
        """Files of other versions in which tags mean other things, so that the person goes with every layout."""
        return {
            version: {
                path: self._file(catalogue.layout(version).files[path], self.base.versions[version].get(path, {}), {},
                                 old=True)
                for path in files
            }
            for version, files in catalogue.persona(DEFAULT).versions.items() if version != self.seen.layout.version
        }  # fmt: skip

    @property
    def misfit(self) -> tuple[int, int]:
        """The less, the better."""
        return len(list(agreement.disagreements(self._holder()))), self.odd

    def settled(self) -> Likeness:
        """The persona, without items that do not agree with the rest."""
        for __ in range(ROUNDS):
            against = list(agreement.disagreements(self._holder()))
            if not against or not self._mend(against):
                break
        for __ in range(ROUNDS):
            findings = self._findings()
            paths = [one.key for one in findings if self._empty(one.key)]
            if not paths:
                break
        unread = tuple(
            path for path, spec in self.seen.layout.files.items()
            if path not in self.seen.contents and not spec.directory and not spec.secret
        )  # fmt: skip
        return Likeness(self._text(), self.table, tuple(self.emptied), unread, tuple(map(str, self._findings())))

    # ---- what the card has --------------------------------------------------------

    @staticmethod
    def _old(spec: FileSpec, read: Sequence[bytes]) -> dict[str, list[Value]]:
        """What a record file's items say on the card, by tag in their order."""
        found: dict[str, list[Value]] = {}
        for record in read:
            if record and (item := spec.item(record[0])) is not None:
                value = items.decode(item, record[2:])
                blank = not record[2:].strip(b"\0").strip(b"\xff")
                found.setdefault(item.label, []).append(items.blank(item) if blank else value)
        return found

    def _rewritten(self, spec: FileSpec) -> bool:
        """True where the card was brought up to date, so that the file speaks in its later terms."""
        for record in self.seen.contents.get(spec.path, ()):
            item = spec.item(record[0]) if record else None
            if item is not None and items.meant(item, record[2:]) is not item:
                return True
        return False

    # ---- files ----------------------------------------------------------------------

    def _file(self, spec: FileSpec, base: Mapping[str, Any], contents: Contents, *, old: bool) -> dict[str, Any]:
        read = contents.get(spec.path)
        if spec.structure is Structure.TRANSPARENT:
            return self._transparent(spec, base, read)
        if spec.structure is Structure.CYCLIC:
            return {"records": self._records(spec, base.get("records", ()), read)}
        held = None if read is None else self._old(spec, read)
        result: dict[str, Any] = {}
        for item in spec.items:
            path = f"{spec.path}/{item.label}"
            if held is not None and item.label not in held and spec.path not in self.seen.partly:
                self.missing.append(path)
            if path in COMPUTED:
                continue
            meant = item if old or item.rewritten is None else item.rewritten
            given = base.get(item.label)
            likes = held.get(item.label) if held is not None else None
            if self._intimate(path) or (path in check.REQUIRED and not any(map(bool, likes or ()))):
                likes = None if path not in self.missing else likes
            elif likes is not None:
                self.odd += any(map(bool, likes)) != bool(given)
            result[item.label] = self._item(meant, likes, given, path)
        return result

    def _item(self, item: ItemSpec, likes: Sequence[Value] | None, given: Any, path: str) -> Any:
        listed = list(given) if isinstance(given, list | tuple) else [given]
        wanted: Sequence[Value | None] = likes if likes is not None else listed
        made = [
            self._value(item, one if likes is not None else None, listed[at] if at < len(listed) else None,
                        f"{path} {at}")
            for at, one in enumerate(wanted[: item.count])
        ]  # fmt: skip
        if not item.elements:
            return made[0] if item.count == 1 and made else made or ""
        while made and not made[-1]:
            made.pop()
        return made if item.count > 1 else made[0] if made else {}

    def _value(self, item: ItemSpec, old: Value | None, given: Any, place: str) -> Value:
        """One value. ``old``: the card's, None where it was not read; ``given``: the base's."""
        if not item.elements:
            base = given if isinstance(given, str) else ""
            known = old if isinstance(old, str) else None if old is None else ""
            return self.maker.value(item, base if known is None else known, base, place)
        bases = given if isinstance(given, Mapping) else {}
        olds = old if isinstance(old, Mapping) else None
        result: dict[str, Value] = {}
        for part in item.elements:
            if f"{place.partition(' ')[0]}/{part.label}" in COMPUTED_PARTS:
                continue
            if part.variable and part.label not in (bases if olds is None else olds):
                continue
            made = self._value(
                part, None if olds is None else olds.get(part.label, items.blank(part)), bases.get(part.label),
                f"{place}/{part.label}",
            )  # fmt: skip
            result[part.label] = made
        return result if any(map(bool, result.values())) else {}

    def _records(self, spec: FileSpec, base: Sequence[Sequence[str]], read: Sequence[bytes] | None) -> list[list[str]]:
        """Newest first, as many as the card has."""
        olds: list[list[Value] | None] = [None] * len(base)
        if read is not None and not self._intimate(spec.path):
            olds = [items.decode_fields(spec.items, one) for one in read if one.strip(b"\0").strip(b"\xff")]
            self.odd += bool(olds) != bool(base)
            base = base or catalogue.persona(DEFAULT).values.get(spec.path, {}).get("records", ())
        return [self._record(spec, old, base, at, len(olds)) for at, old in enumerate(olds[: spec.records])]

    def _record(
        self, spec: FileSpec, old: Sequence[Value] | None, base: Sequence[Sequence[str]], at: int, count: int
    ) -> list[str]:
        given = base[min(at, len(base) - 1)] if base else [""] * len(spec.items)
        beyond = max(0, at - len(base) + 1) if base else at
        made = []
        for number, (item, its) in enumerate(zip(spec.items, given, strict=True)):
            like = old[number] if old is not None else its
            place = f"{spec.path}/records {at} {number}"
            if item.kind == "number" and its:
                made.append(f"{count - at:0{2 * item.length}X}")
            elif item.kind in ("date", "time", "short date") and its and like:
                made.append(self.maker.moved(item, its, -APART * beyond))
            else:
                made.append(self.maker.value(item, like if isinstance(like, str) else "", its, place))
        return made

    def _transparent(self, spec: FileSpec, base: Mapping[str, Any], read: Sequence[bytes] | None) -> dict[str, Any]:
        size = len(base.get("hex", "")) // 2
        if read is not None:
            size = len(b"".join(read).rstrip(b"\0").rstrip(b"\xff"))
        return {"hex": self.maker.content(spec.path, size).hex().upper()} if size else {}

    def _key_pair(self, values: Files) -> None:
        """Public keys of certificates are left out: the card makes the pair that goes with a private one."""
        for layout in (self.seen.layout, catalogue.layout(FULLEST)):
            if layout.certificate is not None:
                values.pop(layout.certificate.public, None)
                values.pop(layout.certificate.encryption_public, None)

    # ---- who it is ---------------------------------------------------------------------

    def _who(self, values: Files) -> None:
        """Number, sex and birth, which say the same; and a name, were the card's empty."""
        born = self.maker.moved(BIRTH_ITEM, self.base.values["SSSE/EF06"]["0D"])
        number = self.base.values["SSSE/EF06"]["08"]
        male = int(number[16]) % 2
        order = 2 * self.maker.chance.below(500, "order") + male
        holder = values.setdefault("SSSE/EF06", {})
        if number.startswith(numbers.FICTITIOUS_RESIDENT):
            body = f"{number[:6]}{born}{order:03}"
            holder["08"] = body + numbers.citizen_check(body)
        else:
            holder["08"] = numbers.citizen_id(born, order)
        holder["0D"], holder["0A"] = born, "1" if male else "2"
        if not holder.get("09"):
            holder["09"] = "甲子"
        # A foreigner may have been born in no region that there is a code for.
        if self.base.values["SSSE/EF06"]["0C"] == "" and "0C" in holder:
            holder["0C"] = ""

    def _serial(self, chance: Chance) -> str:
        taken = {catalogue.persona(one).serial for one in document.names()} | {self.seen.serial}
        tries = (chance.content(4, "serial", n) for n in range(1000))
        good = (one for one in tries if one not in taken and not self.avoided.has_bytes(one.hex().upper()))
        return next(good).hex().upper()

    def _purse(self, values: Files) -> dict[str, Any]:
        count = len(values.get("DF04/EF08", {}).get("records", ()))
        year = self.maker.moved(YEAR_ITEM, "2026")
        return {"balance": 0, "own": 0, "pooled": 0, "year": year, "load_sequence": count + 1,
                "purchase_sequence": count + 1}  # fmt: skip

    def _days(self, chance: Chance) -> int:
        """How far the base's dates are moved: as seldom as can be to one that is avoided."""
        dates = {one for one in _texts(self.base.values) if len(one) == 8 and one.isdigit()}
        first = chance.below(EARLIEST - LATEST, "days")

        def hits(days: int) -> int:
            moved = Maker(chance, self.avoided, self.seen.region, days, date.min)
            return sum(moved.moved(BIRTH_ITEM, one) in self.avoided.whole for one in dates)

        best, least = 0, len(dates) + 1
        for at in range(EARLIEST - LATEST):
            days = -LATEST - (first + at) % (EARLIEST - LATEST)
            found = hits(days)
            if found < least:
                best, least = days, found
            if not found:
                break
        return best

    # ---- what agrees ---------------------------------------------------------------------

    def _holder(self) -> Holder:
        return Holder(self.table["values"], frozenset(self.missing), self.table["purse"])

    def _mend(self, against: list[tuple[str, str]]) -> bool:
        """Empties an item so that less disagrees; False where none does it."""
        before = len(against)
        for path in self._candidates(against[0][0]):
            kept = self._get(path)
            self._set(path, [] if isinstance(kept, list) else {} if isinstance(kept, Mapping) else "")
            if len(list(agreement.disagreements(self._holder()))) < before:
                self.emptied.append(path)
                return True
            self._set(path, kept)
        return False

    def _candidates(self, named: str) -> Iterator[str]:
        """Filled items that may be emptied: the one that is named, others of its file, all others."""
        filled = [
            f"{file}/{tag}" for file, held in self.table["values"].items() for tag, value in held.items()
            if value and tag != "hex" and f"{file}/{tag}" not in check.REQUIRED
        ]  # fmt: skip
        file = named.rpartition("/")[0]
        yield from sorted(filled, key=lambda path: (path != named, path.rpartition("/")[0] != file))

    def _get(self, path: str) -> Any:
        file, __, tag = path.rpartition("/")
        return self.table["values"].get(file, {}).get(tag)

    def _set(self, path: str, value: Any) -> None:
        file, __, tag = path.rpartition("/")
        self.table["values"][file][tag] = value

    def _empty(self, key: str) -> bool:
        """Empties what a finding is about; False where there is nothing to empty."""
        parts = key.split("/")
        files = self.table["values"]
        if parts[0] == "versions":
            files, parts = self.table["versions"][parts[1]], parts[2:]
        file, tag = "/".join(parts[:2]), parts[2] if len(parts) > 2 else ""
        held = files.get(file, {}).get(tag)
        if not held or f"{file}/{tag}" in check.REQUIRED:
            return False
        files[file][tag] = [] if isinstance(held, list) else {} if isinstance(held, Mapping) else ""
        self.emptied.append(f"{file}/{tag}")
        return True

    def _findings(self) -> list[Finding]:
        own = document.parsed("persona.toml", self._text().encode())
        return check.judge("persona.toml", [own], [self.seen.layout]).findings

    def _text(self) -> str:
        heading = HEADING.format(empty=", ".join(self.emptied) or "–")
        older = [catalogue.layout(one) for one in self.table["versions"] if one != self.seen.layout.version]
        return write.text(self.table, [self.seen.layout, *older, catalogue.layout(FULLEST)], heading=heading)

    @staticmethod
    def _intimate(path: str) -> bool:
        return path.startswith(INTIMATE)


HEADING = """与某张卡形状相同的虚构人物 A made-up person of the same shape as a card
没有一个值来自该卡：文字和号码重新生成，日期移动过，照片和证书替换。
Not one value is the card's: texts and numbers are made anew, dates are moved, photograph and certificates replaced.
检查 check it: sscard persona check persona.toml --layout layout.toml
使用 use it: sscard run --layout layout.toml --persona persona.toml
该卡填写而此处留空 filled on the card, left empty here: {empty}"""
BIRTH_ITEM = ItemSpec(None, ItemFormat.CN, 4, "", "", "D", kind="date")
YEAR_ITEM = ItemSpec(None, ItemFormat.CN, 2, "", "", "D", kind="year")
COMPUTED_PARTS = frozenset(
    {"BANK/EF02/70/5A", "BANK/EF01/70/57", "BANK/EF01/70/9F61", "BANK/EF01/70/9F62", "PSE/EF01/70/61"}
)
"""Elements that follow from the chip's serial number and the holder's."""


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for held in values.values():
            yield from _texts(held)
    elif isinstance(values, list | tuple):
        for held in values:
            yield from _texts(held)
