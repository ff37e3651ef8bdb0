"""What the items of one person must say together: that a child has no job, that a birthday is the one in the number.

The values are in 2.00's terms. Each rule yields the item that is to be mended, as ``FILE/TAG``, and what was expected.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.paths import ItemPath
from emulator.messages import _
from emulator.personas import numbers, validity

Told: TypeAlias = "Iterator[tuple[str, str]]"

WORKING_AGE, SCHOOL_AGE, OLD_AGE = 16, 7, 60
"""Years: from the first a person may be employed; below the second is a preschool card, from the third an old person's.
[V2.0 table 11 for the classes; D for the years]"""
IN_WORK, RETIRED, NEVER_EMPLOYED = "1", ("2", "3", "4"), "7"
NAME_BYTES = 30
"""What item 09 takes of a name."""
OF_WORK = (
    "DF01/EF09/2E", "DF01/EF09/30", "DF02/EF05/41", "DF02/EF05/42", "DF02/EF05/43", "DF02/EF05/44", "DF02/EF06/4B",
    "DF02/EF06/4C", "DF02/EF06/4D", "DF02/EF06/4F", "DF02/EF06/60", "DF02/EF06/50", "DF02/EF06/3A", "DF02/EF09/55",
    "DF02/EF09/56", "DF02/EF09/96", "DF02/EF15/99", "DF02/EF15/0F", "DF03/EF05/61", "DF03/EF05/98", "DF03/EF05/63",
    "DF03/EF06/45", "DF03/EF06/46", "DF03/EF07/70", "DF03/EF07/71", "DF03/EF07/6C", "DF03/EF07/6E", "DF03/EF07/6F",
    "DF03/EF15/7A", "DF03/EF15/7B", "DF03/EF16/51", "DF03/EF17/3B", "DF04/EF05/80",
)  # fmt: skip
"""Items that a person below working age leaves empty."""
RECORDS_OF_WORK = ("DF02/EF07", "DF02/EF16")
ORDERED = (
    ("SSSE/EF06/0D", "SSSE/EF05/05"), ("SSSE/EF05/05", "SSSE/EF05/06"), ("DF03/EF05/98", "DF03/EF05/62"),
    ("DF03/EF07/6C", "DF03/EF07/6F"), ("DF03/EF07/6E", "DF03/EF07/73"), ("DF06/EF06/CA", "DF06/EF06/CB"),
    ("DF06/EF06/CF", "DF06/EF06/D0"), ("DF06/EF06/D4", "DF06/EF06/D5"), ("DF06/EF06/D9", "DF06/EF06/DA"),
)  # fmt: skip
"""Dates of which the second does not come before the first."""
KINDS_OF_TREATMENT = (("C9", "01"), ("CE", "02"), ("D3", "03"), ("D8", "04"))
"""Each of the four places of DF06/EF06 is for one kind, as the amounts beside it have names. [V2.0 appendix B]"""
CERTIFICATES = (("pension", "1"), ("medical", "3"), ("unemployment", "2"))
"""In which order DF03/EF19 keeps them, and how their codes begin. [V2.0 table 41]"""


BANK_LOG, BANK_FIELDS = "BANK/EF0B", 9
"""The bank's log, of which each record ends with the number of its transaction."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person's values by file and tag, and what the card does not have."""

    values: Mapping[str, Mapping[str, Any]]
    removed: frozenset[str] = frozenset()
    purse: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    """Objects of GET DATA by application and tag, in hex."""

    def raw(self, path: str) -> Any:
        """What stands in an item; None if nothing does."""
        file, label = ItemPath.parse(path)
        held = self.values.get(file)
        return held.get(label) if isinstance(held, Mapping) and path not in self.removed else None

    def text(self, path: str) -> str:
        """The text of an item, empty if it has none."""
        value = self.raw(path)
        return value if isinstance(value, str) else ""

    def holds(self, path: str) -> bool:
        """True if an item says anything."""
        value = self.raw(path)
        return any(value) if isinstance(value, list) else bool(value)

    def parts(self, path: str) -> list[Mapping[str, str]]:
        """The records of a constructed item."""
        value = self.raw(path)
        listed = value if isinstance(value, list) else [value]
        return [one for one in listed if isinstance(one, Mapping)]

    def records(self, file: str) -> list[Sequence[str]]:
        """The records of a cyclic file, newest first."""
        value = self.raw(f"{file}/records")
        return [one for one in value if isinstance(one, list)] if isinstance(value, list) else []

    @property
    def number(self) -> str:
        """Returns the social security number, empty where the card has none."""
        return self.text("SSSE/EF06/08")

    @property
    def age(self) -> int | None:
        """Full years on the day of issue; None where a date is missing or wrong."""
        try:
            born, issued = (date.fromisoformat(self.text(path)) for path in ("SSSE/EF06/0D", "SSSE/EF05/05"))
        except ValueError:
            return None
        return issued.year - born.year - ((issued.month, issued.day) < (born.month, born.day))


def disagreements(holder: Holder) -> Told:
    """What a person's items say against each other."""
    for rule in RULES:
        yield from rule(holder)


def _number(holder: Holder) -> Told:
    number, born, sex = holder.number, holder.text("SSSE/EF06/0D"), holder.text("SSSE/EF06/0A")
    if validity.citizen(number):
        return
    if len(number) == numbers.LENGTH:
        if not numbers.is_fictitious(number):
            yield (
                "SSSE/EF06/08",
                _("expected a number that nobody has: it begins {fictitious}").format(fictitious=numbers.fictitious()),
            )
        if born and number[6:14] != born:
            yield (
                "SSSE/EF06/0D",
                _('expected the date of birth in the number, {number}, found "{born}"').format(
                    number=number[6:14], born=born
                ),
            )
        of_number = "1" if int(number[16]) % 2 else "2"
        if sex in ("1", "2") and sex != of_number:
            yield (
                "SSSE/EF06/0A",
                _('expected the sex in the number, {of_number} by its 17th digit, found "{sex}"').format(
                    of_number=of_number, sex=sex
                ),
            )


def _foreigner(holder: Holder) -> Told:
    if not holder.number:
        return
    foreign = not holder.number[0].isdigit() or holder.number[0] == "9"
    if foreign and not holder.holds("DF01/EF0A/37"):
        yield "DF01/EF0A/37", _("expected the nationality of a foreigner")
    if not foreign and holder.holds("DF01/EF0A/37"):
        yield "DF01/EF0A/37", _("expected an empty text: the nationality is of foreigners only")
    if holder.holds("DF01/EF05/20") and foreign != holder.text("DF01/EF05/20").startswith("4"):
        yield (
            "DF01/EF05/20",
            _("expected 40 to 42, for foreigners")
            if foreign
            else _("expected another than 40 to 42, which are for foreigners"),
        )


def _dates(holder: Holder) -> Told:
    for first, second in ORDERED:
        yield from _order(second, holder.text(first), holder.text(second))
    for part in holder.parts("DF03/EF19/79"):
        yield from _order("DF03/EF19/79", part.get("1A", ""), part.get("1B", ""), part.get("1E", ""))
    for tag in ("C3", "C4", "C5"):
        for part in holder.parts(f"DF06/EF05/{tag}"):
            yield from _order(f"DF06/EF05/{tag}", part.get("E4", ""), part.get("E5", ""))
    for record in holder.records("DF02/EF07"):
        yield from _order("DF02/EF07/records", *record[1:3])
    for record in holder.records("DF02/EF16"):
        yield from _order("DF02/EF16/records", *record[1:4])
    newest_first = [record[1] for record in holder.records("DF02/EF07") if len(record) > 1]
    if newest_first != sorted(newest_first, reverse=True):
        yield "DF02/EF07/records", _("expected the newest employment first")


def _order(where: str, *dates: str) -> Told:
    given = [one for one in dates if one]
    for earlier, later in itertools.pairwise(given):
        if later < earlier:
            yield where, _('expected a date not before {earlier}, found "{later}"').format(earlier=earlier, later=later)


def _class(holder: Holder) -> Told:
    age, found = holder.age, holder.text("SSSE/EF05/02")
    if age is None:
        return
    for code, fits, who in (
        ("1", age < SCHOOL_AGE, _("below {school_age}").format(school_age=SCHOOL_AGE)),
        ("2", age >= SCHOOL_AGE - 1, _("from {school_age}").format(school_age=SCHOOL_AGE - 1)),
        ("4", age >= OLD_AGE, _("from {old_age}").format(old_age=OLD_AGE)),
    ):
        if found == code and not fits:
            yield (
                "SSSE/EF05/02",
                _("expected another class of card: {code} is for people {who}, this one was {age} at issue").format(
                    code=code, who=who, age=age
                ),
            )


def _name(holder: Holder) -> Told:
    first, more = holder.text("SSSE/EF06/09"), holder.text("SSSE/EF06/4E")
    if more and len(text.encode(first + more[0])) <= NAME_BYTES:
        yield (
            "SSSE/EF06/4E",
            _("expected a name that goes on here only where the {name_bytes} bytes of 09 are full").format(
                name_bytes=NAME_BYTES
            ),
        )


def _minor(holder: Holder) -> Told:
    age = holder.age
    if age is None or age >= WORKING_AGE:
        return
    for path in OF_WORK:
        if holder.holds(path):
            yield path, _("expected nothing of a person of {age} years, who has no job and no pension").format(age=age)
    for file in RECORDS_OF_WORK:
        if holder.records(file):
            yield f"{file}/records", _("expected no records of a person of {age} years").format(age=age)
    for path, allowed in (
        ("DF01/EF07/29", (NEVER_EMPLOYED,)),
        ("DF01/EF08/2B", ("1",)),
        ("DF01/EF09/32", ("31", "90")),
    ):
        if holder.holds(path) and holder.text(path) not in allowed:
            yield (
                path,
                _('expected {codes} of a person of {age} years, found "{text}"').format(
                    codes=_(" or ").join(allowed), age=age, text=holder.text(path)
                ),
            )
    if not holder.holds("DF01/EF06/2C"):
        yield "DF01/EF06/2C", _("expected the guardian of a minor")


def _working(holder: Holder) -> Told:
    status, kind, insured = (holder.text(path) for path in ("DF01/EF07/29", "DF01/EF09/32", "DF04/EF05/8C"))
    retired = status in RETIRED
    if status == IN_WORK:
        for path in ("DF03/EF07/6C", "DF03/EF07/6F"):
            if holder.holds(path):
                yield path, _("expected nothing of a person in work (29 is 1), who has not retired")
        if kind in ("31", "70", "80"):
            yield "DF01/EF09/32", _('expected a kind of person in work (29 is 1), found "{kind}"').format(kind=kind)
        if insured in ("21", "22", "31"):
            yield (
                "DF04/EF05/8C",
                _('expected a kind of person in work (29 is 1), found "{insured}"').format(insured=insured),
            )
    elif status and holder.holds("DF02/EF06/3A"):
        yield (
            "DF02/EF06/3A",
            _("expected no present occupation of a person who is not in work (29 is {status})").format(status=status),
        )
    if retired:
        if not holder.holds("DF03/EF07/6C"):
            yield "DF03/EF07/6C", _("expected the date of retirement (29 is {status})").format(status=status)
        if kind not in ("", "80"):
            yield (
                "DF01/EF09/32",
                _('expected 80 of a retired person (29 is {status}), found "{kind}"').format(status=status, kind=kind),
            )
        if insured == "11":
            yield (
                "DF04/EF05/8C",
                _("expected a kind of retired person (29 is {status}), found 11").format(status=status),
            )


def _together(holder: Holder) -> Told:
    party = holder.text("DF01/EF0A/38")
    if holder.holds("DF01/EF0A/39") and not "01" <= party <= "11":
        yield "DF01/EF0A/39", _("expected no date of joining beside no party (38)")
    disabled = holder.text("DF05/EF05/A0") == "4"
    for path in ("DF05/EF05/A1", "DF05/EF05/B9"):
        if holder.holds(path) != disabled:
            yield path, _("expected a disability where the state of health (A0) is 4, and nowhere else")
    asked = holder.text("DF03/EF06/46")
    for path, by in (("DF03/EF06/47", "10"), ("DF03/EF06/48", "10"), ("DF03/EF06/49", "90")):
        if holder.holds(path) and asked != by:
            yield path, _("expected a conclusion only where {by} was asked for (46)").format(by=by)
    if holder.holds("DF07/EF07/F8") != holder.holds("DF07/EF07/F9"):
        yield "DF07/EF07/F9", _("expected how the officer was placed beside the date (F8), and not without it")
    for first, second in (("DF03/EF05/64", "DF03/EF05/63"), ("DF03/EF05/66", "DF03/EF05/65")):
        most = holder.text(second)
        if most and holder.text(first) > most:
            yield (
                first,
                _('expected at most the {most} months of {second}, found "{text}"').format(
                    most=most, second=second[-2:], text=holder.text(first)
                ),
            )
    if holder.text("SSSE/EF06/0A") == "2" and holder.text("DF03/EF16/5F") not in ("", "0"):
        yield "DF03/EF16/5F", _("expected 0: this mark is of male employees")
    for tag, code in KINDS_OF_TREATMENT:
        if holder.holds(f"DF06/EF06/{tag}") and holder.text(f"DF06/EF06/{tag}") != code:
            yield (
                f"DF06/EF06/{tag}",
                _('expected {code}, as this place has it, found "{text}"').format(
                    code=code, text=holder.text(f"DF06/EF06/{tag}")
                ),
            )
    for part, (insurance, begin) in zip(holder.parts("DF03/EF19/79"), CERTIFICATES, strict=False):
        if part.get("18") and not part["18"].startswith(begin):
            yield (
                "DF03/EF19/79",
                _('expected the {insurance} insurance in this place, found "{held}"').format(
                    insurance=insurance, held=part["18"]
                ),
            )


def _account(holder: Holder) -> Told:
    log = holder.records("DF04/EF08")
    if holder.holds("DF04/EF05/8F") and holder.text("DF04/EF05/8F") != "2":
        if log:
            yield "DF04/EF08/records", _("expected no transactions where the chip's account is not used (8F)")
        if any(holder.purse.get(name) for name in ("balance", "own", "pooled")):
            yield "purse", _("expected no amounts where the chip's account is not used (8F)")
        return
    for code, name in (("1", "load_sequence"), ("2", "purchase_sequence")):
        used = [record[0] for record in log if len(record) > 1 and record[1] == code]
        if used != sorted(used, reverse=True) or len(set(used)) != len(used):
            yield "DF04/EF08/records", _("expected the newest transaction first, each kind with a number of its own")
        following = holder.purse.get(name, 0)
        if used and following <= int(used[0], 16):
            yield (
                f"purse.{name}",
                _("expected the number of the next one, above {used}, found {following}").format(
                    used=int(used[0], 16), following=following
                ),
            )
    times = [record[3] for record in log if len(record) > 3]
    if times != sorted(times, reverse=True):
        yield "DF04/EF08/records", _("expected the newest transaction first, by its time")


def _bank(holder: Holder) -> Told:
    """The bank's side: the log's order, its counters, and what the e-cash may hold."""
    log = [record for record in holder.records(BANK_LOG) if len(record) == BANK_FIELDS]
    when = [f"{record[0]}{record[1]}" for record in log]
    counters = [record[-1] for record in log]
    if when != sorted(when, reverse=True) or counters != sorted(set(counters), reverse=True):
        yield f"{BANK_LOG}/records", _("expected the newest transaction first, each with a number of its own")
    given = holder.data.get("BANK")
    objects = given if isinstance(given, Mapping) else {}
    count, online = objects.get("9F36", ""), objects.get("9F13", "")
    if count and counters and count < counters[0]:
        yield (
            "data.BANK.9F36",
            _("expected at least the newest transaction's number, {newest}, found {count}").format(
                newest=counters[0], count=count
            ),
        )
    if online and online > (count or (counters[0] if counters else "0000")):
        yield "data.BANK.9F13", _("expected no number of a transaction that has not been")
    balance, most = objects.get("9F79", ""), objects.get("9F77", "")
    if balance and most and balance > most:
        yield "data.BANK.9F79", _("expected at most the limit of the balance, 9F77")


RULES: tuple[Callable[[Holder], Told], ...] = (
    _number, _foreigner, _dates, _class, _name, _minor, _working, _together, _account, _bank,
)  # fmt: skip
