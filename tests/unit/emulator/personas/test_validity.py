"""What a card may hold: by format, length, kind and code table, one value at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.kinds import KINDS
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.personas import numbers, validity
from emulator.personas.countries import ALPHA_3, COUNTRIES


def item(kind: str, form: str = "an", length: int = 30, codes: str = "") -> ItemSpec:
    return ItemSpec(0x10, ItemFormat(form), length, "", "", "D", kind=kind, codes=codes)


def said(spec: ItemSpec, value: str) -> str:
    return "; ".join(problem.text for problem in validity.problems(spec, value))


def _parts(one: ItemSpec) -> Iterator[ItemSpec]:
    for part in one.elements:
        yield from _parts(part)
    if not one.elements:
        yield one


GOOD = [
    (item("date", "cn", 4), "20240229"),
    (item("month", "cn", 3), "202612"),
    (item("year", "cn", 2), "2026"),
    (item("time", "cn", 7), "20261012093000"),
    (item("region", "cn", 3), "510100"),
    (item("region", "cn", 3), "110000"),
    (item("region", "cn", 3), "519900"),
    (item("country", "an", 3), "DEU"),
    (item("country", "b", 2), "0156"),
    (item("telephone", "an", 15), "00000000001"),
    (item("telephone", "an", 15), "028-0000000"),
    (item("months", "an", 3), "072"),
    (item("fen", "cn", 4), "00001200"),
    (item("fen", "b", 4), "000005DC"),
    (item("number", "b", 2), "0003"),
    (item("count", "an", 2), "00"),
    (item("citizen id", "an", 18), "519900199003070011"),
    (item("citizen id", "an", 18), "810000199408230021"),
    (item("citizen id", "an", 18), "DEU510012345678"),
    (item("card number", "an", 9), "D2143569X"),
    (item("organisation code", "an", 9), "SSCARD00X"),
    (item("identification code", "cn", 16), "510100D15600000551010001FFFFFFFF"),
    (item("initialising organisation", "cn", 12), "915600000251010051010001"),
    (item("terminal number", "cn", 6), "510100000001"),
    (item("bank card number", "cn", 10), "9999000001359020031"),
    (item("short date", "cn", 3), "300930"),
    (item("data object list", "b", 32), "9F02069F03069F1A02"),
    (item("code", "an", 1, "T13"), "9"),
    (item("code", "an", 5, "C-4B"), "10010"),
    (item("code", "an", 6, "C-4F"), "200060"),
    (item("code", "an", 6, "C-4F"), "102000"),
    (item("code", "an", 8, "C-81"), "31001000"),
    (item("code", "an", 7, "OCC"), "2021302"),
    (item("code", "an", 4, "B-ABO"), "AB型"),
    (item("text"), "买买提·测试"),
    (item("date", "cn", 4), ""),
    (item("code", "an", 1, "T33"), ""),
]
BAD = [
    (item("date", "cn", 4), "20230229", "date that exists"),
    (item("date", "cn", 4), "00000000", "date that exists"),
    (item("date", "cn", 4), "2026", "YYYYMMDD"),
    (item("date", "cn", 4), "20261A01", "digits"),
    (item("month", "cn", 3), "202613", "YYYYMM"),
    (item("month", "cn", 3), "510100", "YYYYMM"),
    (item("year", "cn", 2), "0000", "YYYY"),
    (item("time", "cn", 7), "20261012240000", "hhmmss"),
    (item("time", "cn", 7), "20261012", "hhmmss"),
    (item("region", "cn", 3), "990000", "GB/T 2260"),
    (item("region", "cn", 3), "5101", "GB/T 2260"),
    (item("region", "cn", 3), "510001", "GB/T 2260"),
    (item("country", "an", 3), "156", "three capital letters"),
    (item("country", "an", 3), "XXX", "three capital letters"),
    (item("country", "b", 2), "0999", "0156"),
    (item("telephone", "an", 15), "call me", "telephone"),
    (item("months", "an", 3), "72", "3 digits"),
    (item("fen", "cn", 4), "1200", "8 digits"),
    (item("fen", "b", 4), "05DC", "8 hex digits"),
    (item("number", "b", 2), "03", "4 hex digits"),
    (item("citizen id", "an", 18), "519900199003070012", "the check character 1"),
    (item("citizen id", "an", 18), "51990019900307001x", "17 digits and a check character"),
    (item("citizen id", "an", 18), "519900199013070011", "date of birth"),
    (item("citizen id", "an", 18), "990100", "17 digits"),
    (item("citizen id", "an", 18), "QQQ510012345678", "country"),
    (item("card number", "an", 9), "D21435691", "the check character X"),
    (item("card number", "an", 9), "021435691", "a capital"),
    (item("organisation code", "an", 9), "YB0000001", "the check character 8"),
    (item("organisation code", "an", 9), "YB", "check character"),
    (item("identification code", "cn", 16), "510100D15600000451010001FFFFFFFF", "D156000005"),
    (item("identification code", "cn", 16), "510100D156", "32 hex digits"),
    (item("initialising organisation", "cn", 12), "915600000299010051010001", "two regions"),
    (item("terminal number", "cn", 6), "990100000001", "GB/T 2260"),
    (item("bank card number", "cn", 10), "9999000001359020030", "the check digit 1"),
    (item("short date", "cn", 3), "301330", "YYMMDD"),
    (item("data object list", "b", 32), "9F02069F", "data object list"),
    (item("code", "an", 1, "T13"), "3", "1, 2, 9"),
    (item("code", "cn", 1, "T14"), "57", "民族"),
    (item("code", "an", 5, "C-4B"), "10", "5 characters"),
    (item("code", "an", 5, "C-4B"), "10011", "characters 3 to 5"),
    (item("code", "an", 6, "C-4F"), "202060", "00 in the other place"),
    (item("code", "an", 6, "C-4F"), "100060", "00 in the other place"),
    (item("code", "an", 7, "OCC"), "13", "7 digits"),
    (item("text"), " 测试", "space"),
    (item("text"), "测\n试", "printed"),
    (item("text", length=4), "测试甲", "at most 4 bytes"),
]


@pytest.mark.parametrize(("spec", "value"), GOOD, ids=lambda one: one.kind if isinstance(one, ItemSpec) else one)
def test_what_a_card_may_hold_is_valid(spec: ItemSpec, value: str) -> None:
    assert not said(spec, value)


@pytest.mark.parametrize(
    ("spec", "value", "expected"), BAD, ids=lambda one: one.kind if isinstance(one, ItemSpec) else ascii(one)
)
def test_what_it_may_not_hold_is_told_with_what_was_expected(spec: ItemSpec, value: str, expected: str) -> None:
    assert expected in said(spec, value)


def test_every_kind_of_the_layouts_is_judged() -> None:
    assert set(KINDS) == set(validity.KINDS)


def test_every_item_of_the_social_security_applications_has_a_kind() -> None:
    for name in catalogue.layouts():
        for spec in catalogue.layout(name).files.values():
            if spec.application.startswith(("SSSE", "DF")):
                assert all(part.kind for one in spec.items for part in _parts(one)), spec.path


def test_elements_are_judged_one_by_one_with_the_way_to_them() -> None:
    spec = next(one for one in catalogue.layout("2.00").files["DF01/EF15"].items if one.label == "40")
    found = list(validity.problems(spec, {"57": "4", "58": "080605", "59": "虚构理工大学", "60": "x"}))
    assert [problem.within for problem in found] == [("57",), ("60",)]
    assert "no such element" in found[1].text
    assert "elements by tag" in said(spec, "408")


def test_the_countries_are_those_of_the_standard() -> None:
    assert len(COUNTRIES) == len(ALPHA_3) == 249
    assert (ALPHA_3["156"], ALPHA_3["276"], ALPHA_3["840"]) == ("CHN", "DEU", "USA")


def test_check_characters_against_printed_examples() -> None:
    assert numbers.card_check("D2143569") == "X"
    assert numbers.luhn_check("7992739871") == "3"
    with pytest.raises(ValueError, match="8 digits and capitals"):
        numbers.organisation_check("yb00000")
