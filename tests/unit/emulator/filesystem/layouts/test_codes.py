from __future__ import annotations

import pytest

from emulator import catalogue
from emulator.filesystem.layouts import codes, items, meanings, text
from emulator.filesystem.layouts.kinds import KINDS
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat

LAYOUTS = [name for name in catalogue.layouts() if catalogue.layout(name).card == "user"]


def item(path: str, version: str = "2.00") -> ItemSpec:
    name, _, tag = path.rpartition("/")
    found = catalogue.layout(version).files[name].item(int(tag, 16))
    assert found is not None
    return found


def spec(kind: str, format: str = "cn", table: str = "") -> ItemSpec:
    return ItemSpec(0x42, ItemFormat(format), 4, "", "", "D", kind=kind, codes=table)


def test_the_tables_are_all_of_v2_0_and_say_each_code_in_both_languages() -> None:
    tables = [codes.table(name) for name in codes.ids()]
    assert set(codes.ids()) == {one.id for one in tables}, "the headings are the tables"
    printed = [one for one in tables if not one.partial and not one.pieces]
    assert (len(printed), len([one for one in tables if one.pieces])) == (66, 3)
    assert sum(len(one.codes) for one in printed) == 522
    for one in tables:
        assert one.name, one.id
        assert one.name_en, one.id
        assert one.sources, one.id
        assert all(words.zh and words.en for words in one.codes.values()), one.id
        assert all(codes.table(piece.codes) for piece in one.pieces), one.id
    assert len(codes.table("T14").codes) == 57, "56 ethnic groups, and others"


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_item_has_names_in_both_languages_and_a_kind(name: str) -> None:
    for file in catalogue.layout(name).files.values():
        assert file.name, file.path
        assert file.name_en, file.path
        if file.application in ("PSE", "BANK", "CERT", "PKI") or file.directory:
            continue
        for one in (part for each in file.items for part in (each, each.rewritten, *each.elements) if part):
            where = f"{file.path}/{one.label} {one.name}"
            assert one.name, where
            assert one.name_en, where
            assert bool(one.kind) != bool(one.elements), where
            assert one.kind in KINDS or one.elements, where


def test_codes_without_a_table_are_those_that_only_1_00_has() -> None:
    lost = {
        f"{name} {file.path}/{one.label}"
        for name in LAYOUTS
        for file in catalogue.layout(name).files.values()
        for each in file.items
        for one in (each, *each.elements)
        if one.kind == "code" and not one.codes
    }
    assert {one.split()[1] for one in lost} == {"DF01/EF05/20", "DF01/EF09/31", "DF01/EF09/32"}
    assert {one.split()[0] for one in lost} == {"1.00", "1.00-whole"}


def test_classes_are_as_v2_0_prints_them() -> None:
    files = catalogue.layout("2.00").files
    assert files["SSSE/EF05"].usage == files["SSSE/EF05"].items[0].usage == "in use"
    assert files["SSSE/EF08"].usage == files["DF02/EF05"].usage == "defined"
    assert files["DF01/EF16"].usage == "reserve"
    assert files["DF05/EF05"].usage == ""
    assert catalogue.layout("1.00").files["DF02/EF05"].usage == "optional"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("SSSE/EF06/0B", "01", "汉族 Han"),
        ("SSSE/EF06/0A", "2", "女性 female"),
        ("SSSE/EF06/0C", "510100", "成都市 Chengdu"),
        ("SSSE/EF06/0C", "440300", ""),
        ("SSSE/EF06/0D", "19900307", "1990-03-07"),
        ("SSSE/EF06/0D", "19900231", ""),
        ("SSSE/EF06/0B", "57", ""),
        ("SSSE/EF06/09", "测试甲", ""),
        ("DF03/EF18/76", "2", "子女 child"),
        ("DF03/EF18/76", "02", "子女 child"),
        ("DF02/EF06/4B", "10020", "用人单位招用"),
        ("DF05/EF05/A2", "AB型", "AB型 AB"),
        ("DF04/EF06/92", "00001205", "12.05元 yuan"),
        ("DF03/EF05/63", "024", "24个月 24 months"),
        ("DF03/EF05/63", "", ""),
    ],
)
def test_what_values_mean(path: str, value: str, words: str) -> None:
    told = meanings.meaning(item(path), value)
    assert isinstance(told, str)
    if path.endswith("4B"):
        pieces = [codes.table("T24").codes["10"], codes.table("T25").codes["020"]]
        words = f"{pieces[0].zh}，{pieces[1].zh} {pieces[0].en}, {pieces[1].en}"
    if path.endswith("A2"):
        words = str(codes.table("B-ABO").codes["AB型"])
    assert told == words


@pytest.mark.parametrize(
    ("kind", "format", "value", "words"),
    [
        ("month", "cn", "202613", ""),
        ("month", "cn", "202612", "2026-12"),
        ("time", "cn", "20261012093000", "2026-10-12 09:30:00"),
        ("fen", "b", "000005DC", "15.00元 yuan"),
        ("number", "b", "0010", "16"),
        ("months", "an", "1", "1个月 1 month"),
    ],
)
def test_what_values_of_a_kind_mean(kind: str, format: str, value: str, words: str) -> None:
    assert meanings.meaning(spec(kind, format), value) == words


@pytest.mark.parametrize(
    ("kind", "format", "value", "zh", "en"),
    [
        ("fen", "b", "000005DC", "15.00元", "15.00 yuan"),
        ("months", "an", "12", "12个月", "12 months"),
        ("month", "cn", "202612", "2026-12", "2026-12"),
    ],
)
def test_each_language_is_told_by_itself(kind: str, format: str, value: str, zh: str, en: str) -> None:
    told = meanings.told(spec(kind, format), value)
    assert told is not None
    assert told.apart == codes.Words(zh, en)


def test_a_composed_value_with_a_piece_that_does_not_apply() -> None:
    table = codes.table("C-4F")
    assert table.words("200010") == codes.Words(
        f"{codes.table('T26').codes['20'].zh}，{codes.table('T28').codes['10'].zh}",
        f"{codes.table('T26').codes['20'].en}, {codes.table('T28').codes['10'].en}",
    )
    assert table.words("2000109") is None
    assert table.words("209910") is None
    assert not table.has("0000")


def test_elements_are_said_one_by_one_and_what_is_no_character_once() -> None:
    education = item("DF01/EF15/40")
    value: items.Value = {"57": "2", "58": "", "59": text.decode(bytes.fromhex("B2E2CA")), "7A": "01"}
    assert meanings.meaning(education, value) == {"57": "博士 doctor"}
    assert meanings.in_words(education, value) == "57 2 博士 doctor; 58; 59 测�; 7A 01"


def test_an_unknown_table_is_told() -> None:
    with pytest.raises(LookupError, match="no code table 'T99'"):
        codes.table("T99")


def test_a_standard_of_which_few_codes_are_known_takes_any() -> None:
    assert codes.table("GB2260").has("440300")
    assert not codes.table("T13").has("3")
