"""Every value of every persona is valid and means what it should, in every file of every layout; and a checker that is
not blind: what is wrong is found, where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import CardKind, Structure
from emulator.own_personas import check
from emulator.personas import document, numbers
from emulator.personas.finding import PersonaError
from emulator.personas.issue import COMPUTED

EVERYBODY = [*catalogue.personas(), *catalogue.personas(CardKind.PSAM)]
USER_LAYOUTS = [name for name in catalogue.layouts() if catalogue.layout(name).card == "user"]


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_value_of_every_persona_is_valid_and_means_what_it_should(name: str) -> None:
    report = check.check(name)
    assert not report.findings, "\n".join(map(str, report.findings))
    assert report.values > 3 or name == "blank"
    assert set(report.layouts) == set(USER_LAYOUTS if name in catalogue.personas() else ["psam"])


def records(name: str, layout: str) -> Iterator[tuple[FileSpec, bytes]]:
    image = catalogue.card(name, layout)
    for spec in image.layout.files.values():
        if spec.structure is not Structure.TRANSPARENT and not spec.directory:
            for record in image.memory.records(spec.path):
                yield spec, record


@pytest.mark.parametrize("layout", USER_LAYOUTS)
@pytest.mark.parametrize("name", ["adult-chengdu", "child-guardian", "centenarian", "foreign-resident"])
def test_every_record_of_an_issued_card_is_valid(name: str, layout: str) -> None:
    found = list(records(name, layout))
    wrong = [str((spec.path, problem)) for spec, record in found for problem in check.card_problems(record, spec)]
    assert not wrong
    assert len(found) > 70


def test_the_default_persona_fills_the_items_that_hold_for_somebody_in_work() -> None:
    values = catalogue.persona(personas.DEFAULT).values
    empty = {
        f"{path}/{item.label}"
        for path, spec in catalogue.layout("2.00").files.items()
        if spec.structure is Structure.RECORDS and path in values
        for item in spec.items
        if not values[path].get(item.label) and f"{path}/{item.label}" not in COMPUTED
    }
    assert empty == {
        "SSSE/EF06/4E", "DF01/EF0A/37", "DF01/EF0A/39", "DF03/EF06/49", "DF03/EF07/6C", "DF03/EF07/6F", "DF03/EF15/7B",
        "DF03/EF18/74", "DF03/EF18/75", "DF03/EF18/76", "DF03/EF18/77", "DF03/EF18/78", "DF05/EF05/A1", "DF05/EF05/B9",
        "DF05/EF05/B8", "DF06/EF05/C5", "DF07/EF07/F8", "DF07/EF07/F9",
    } | ({"DF05/EF05/A4"} if "DF05/EF05/A4" in empty else set())  # fmt: skip


# ---- what is wrong is found ---------------------------------------------------

WRONG = {
    'values."SSSE/EF05".07 = "A00000012"': ("SSSE/EF05/07", "the check character 1"),
    'values."SSSE/EF05".02 = "7"': ("SSSE/EF05/02", "1, 2, 3, 4"),
    'values."SSSE/EF05".02 = "1"': ("SSSE/EF05/02", "another class of card"),
    'values."SSSE/EF05".06 = "20200914"': ("SSSE/EF05/06", "not before 20200915"),
    'values."SSSE/EF05".06 = ""': ("SSSE/EF05/06", "no card is without it"),
    'values."SSSE/EF05".03 = "2.00"': ("SSSE/EF05/03", "computed"),
    'values."SSSE/EF06".08 = "519900199003070012"': ("SSSE/EF06/08", "the check character 1"),
    'values."SSSE/EF06".08 = "110101199003074418"': ("SSSE/EF06/08", "nobody has"),
    'values."SSSE/EF06".0D = "19900308"': ("SSSE/EF06/0D", "19900307"),
    'values."SSSE/EF06".0A = "2"': ("SSSE/EF06/0A", "1 by its 17th digit"),
    'values."SSSE/EF06".4E = "乙"': ("SSSE/EF06/4E", "30 bytes of 09 are full"),
    'values."SSSE/EF06".4F = "x"': ("SSSE/EF06/4F", "no such item"),
    'values."DF01/EF0A".37 = "DEU"': ("DF01/EF0A/37", "foreigners only"),
    'values."DF01/EF0A".39 = "20150701"': ("DF01/EF0A/39", "no party"),
    'values."DF01/EF05".20 = "41"': ("DF01/EF05/20", "foreigners"),
    'values."DF01/EF09".32 = "80"': ("DF01/EF09/32", "in work"),
    'values."DF01/EF07".29 = "3"': ("DF03/EF07/6C", "the date of retirement"),
    'values."DF03/EF07".6C = "20500101"': ("DF03/EF07/6C", "not retired"),
    'values."DF03/EF05".66 = "099"': ("DF03/EF05/66", "at most the 014 months"),
    'values."DF03/EF06".49 = "0"': ("DF03/EF06/49", "90 was asked for"),
    'values."DF05/EF05".A1 = "1"': ("DF05/EF05/A1", "A0"),
    'values."DF05/EF05".AB = "19890101"': ("DF05/EF05/AB", "not before the birth"),
    'values."DF07/EF07".F8 = "20150801"': ("DF07/EF07/F9", "beside the date"),
    'values."DF06/EF06".CE = "01"': ("DF06/EF06/CE", "as this place has it"),
    'values."DF01/EF15".40 = [{ 57 = "408" }, { 58 = "5101" }]': ("DF01/EF15/40/1/58", "6 digits"),
    'values."DF01/EF15".40 = [{}, {}, {}, {}]': ("DF01/EF15/40", "at most 3"),
    'values."DF03/EF19".79 = [{ 18 = "210" }]': ("DF03/EF19/79", "pension insurance in this place"),
    'values."DF02/EF07".records = [["2021302", "20180630"]]': ("DF02/EF07/records/0", "4 texts"),
    'values."DF02/EF07".records = [["2021302", "20180630", "20180629", "x"]]': ("DF02/EF07/records", "not before"),
    'values."DF02/EF07".records = [["2021302", "20261301", "", "x"]]': ("DF02/EF07/records/0/1", "YYYYMMDD"),
    'values."DF04/EF05".8F = "1"': ("DF04/EF08/records", "account is not used"),
    'values."BANK/EF02".70 = { 5F24 = "301331" }': ("BANK/EF02/70/5F24", "YYMMDD"),
    'values."SSSE/EF08".hex = "00112233"': ("SSSE/EF08/hex", "JPEG or BMP"),
    'values."SSSE/EF99".01 = "x"': ("SSSE/EF99", "no such file"),
    'versions."1.00"."DF03/EF07".70 = "12"': ("versions/1.00/DF03/EF07/70", "3 digits"),
    'versions."9.00"."DF03/EF07".70 = "012"': ("versions/9.00", "no such version"),
    'chip.region = "990000"': ("chip/region", "GB/T 2260"),
    "pin.tries_left = 9": ("pin/tries_left", "at most 3"),
    'state.blocked = ["DF44"]': ("state/blocked/0", 'did you mean "DF04"'),
    'remove = ["DF03/EF05/99"]': ("remove/0", "did you mean"),
    'missing_keys = ["RKSSS"]': ("missing_keys/0", 'did you mean "RKSSSE"'),
    "purse.purchase_sequence = 2": ("purse/purchase_sequence", "above 3"),
    'purse.day = "1332"': ("purse/day", "a day that exists"),
    'values."SSSE/EF06".09 = 5': ("values.SSSE/EF06.09", "a text in quotes"),
    'titel = "x"': ("titel", 'did you mean "title"'),
    'chip.serail = "51010001"': ("chip.serail", 'did you mean "serial"'),
    'values."SSSE/EF06".4e = "x"': ("values.SSSE/EF06.4e", 'did you mean "4E"'),
}

SEEN_IN_PARENT = (
    'values."DF01/EF07".29 = "3"', 'values."DF07/EF07".F8 = "20150801"', 'values."DF04/EF05".8F = "1"',
)  # fmt: skip
"""What contradicts an item that stands in the persona extended is told there."""


def own(tmp_path: Path, *lines: str, extends: str = personas.DEFAULT) -> Path:
    file = tmp_path / "own.toml"
    heading = ['name = "own"', f'extends = "{extends}"']
    file.write_text("\n".join([*heading, *lines]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_found_at_its_line(tmp_path: Path, line: str) -> None:
    key, problem = WRONG[line]
    findings = check.check(str(own(tmp_path, "# a comment", line))).findings
    match = [finding for finding in findings if finding.key == key and problem in finding.problem]
    assert match, findings
    place = "adult-chengdu.toml" if line in SEEN_IN_PARENT else "own.toml"
    assert match[0].source.endswith(place)
    assert match[0].line == 4 or line in SEEN_IN_PARENT


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = [line for line in WRONG if line.startswith(('values."DF03', 'values."DF01/EF0A'))]
    findings = check.check(str(own(tmp_path, *lines[:4]))).findings
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)
    assert len({finding.line for finding in findings}) == 4


def test_a_finding_names_the_item_in_both_languages(tmp_path: Path) -> None:
    (finding,) = check.check(str(own(tmp_path, 'values."SSSE/EF05".07 = "A00000012"'))).findings
    assert (finding.name, finding.name_en) == ("卡号", "card number")
    assert re.search(r"own\.toml:3: SSSE/EF05/07 卡号 card number: expected the check character 1", str(finding))


def test_an_empty_file_is_not_good(tmp_path: Path) -> None:
    file = tmp_path / "empty.toml"
    file.write_text("")
    with pytest.raises(PersonaError, match=r"empty\.toml: is empty"):
        check.check(str(file))
    file.write_text("# nothing yet\n")
    keys = {finding.key for finding in check.check(str(file)).findings}
    assert {"name", "title", "title_zh", "chip.region", "chip.serial", "values"} <= keys


def test_a_layout_of_ones_own_is_judged_for(tmp_path: Path) -> None:
    layout = tmp_path / "layout.toml"
    layout.write_text(
        'extends = "3.00"\nschema = 1\nname = "mine"\nversion = "3.00"\n'
        '[file."SSSE/EF0C"]\nfid = "EF0C"\nname = "x"\nname_en = "x"\nstructure = "records"\nread = "free"\n'
        'update = "UKSSSE"\ngrade = "D"\n'
        'items = [{ tag = "E1", format = "cn", length = 4, name = "x", name_en = "x", kind = "date" }]\n',
        encoding="utf-8",
    )
    persona = own(tmp_path, 'values."SSSE/EF0C".E1 = "20261332"')
    mine = catalogue.layout(layout)
    findings = check.check(str(persona), [mine, catalogue.layout("1.00"), catalogue.layout("regional")]).findings
    assert [finding.key for finding in findings] == ["SSSE/EF0C/E1"]


def test_a_child_that_takes_over_an_adults_data_is_told_all_that_does_not_fit(tmp_path: Path) -> None:
    number = numbers.citizen_id("20180101", 1)
    lines = ['[values."SSSE/EF06"]', f'08 = "{number}"', '0D = "20180101"']
    text = "\n".join(str(finding) for finding in check.check(str(own(tmp_path, *lines))).findings)
    for part in ("DF03/EF07/71", "DF01/EF09/2E", "DF02/EF07/records", "DF01/EF07/29", "not before the birth"):
        assert part in text


def test_clear_takes_a_parents_values_away_in_every_version(tmp_path: Path) -> None:
    persona = catalogue.persona(own(tmp_path, 'clear = ["DF03/EF07", "DF01/EF09/2E", "purse"]'))
    assert "DF03/EF07" not in persona.values
    assert "DF03/EF07" not in persona.versions["1.00"]
    assert "2E" not in persona.values["DF01/EF09"]
    assert persona.values["DF01/EF09"]["30"]
    assert persona.purse == {}


@pytest.mark.parametrize("name", ["nobody", "adult-chengd"])
def test_unknown_names_are_told_with_those_there_are(name: str) -> None:
    with pytest.raises(LookupError, match=r"choose one of adult-chengdu.*\.toml") as error:
        document.read(name)
    assert isinstance(error.value, PersonaError)
    assert ("did you mean adult-chengdu" in str(error.value)) == (name == "adult-chengd")


@pytest.mark.parametrize("layout", ["1.00", "2.00", "3.00"])
def test_what_a_persona_says_for_other_layouts_than_the_one_asked_for_is_no_fault(layout: str) -> None:
    """Ours has files of 3.00 and tables for 1.00."""
    assert not check.check("adult-chengdu", [catalogue.layout(layout)]).findings


def test_an_item_that_a_persona_removes_by_name_may_be_missing() -> None:
    own = document.parsed("own.toml", b'extends = "adult-chengdu"\nremove = ["SSSE/EF05/06"]\n')
    assert not check.judge("own.toml", [own, *document.read("adult-chengdu")]).findings
