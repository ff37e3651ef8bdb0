"""Personas of one's own: written, checked and used by the real command line; and files that are none."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sscard
from emulator import catalogue
from emulator.filesystem.layouts.terms import Structure
from emulator.own_personas import check, new
from emulator.personas import document, numbers
from emulator.personas.finding import PersonaError
from emulator.personas.lines import Path as KeyPath
from emulator.personas.lines import lines
from harness.cli import main
from harness.conformance import runner, vector
from harness.conformance.targets.virtual import Virtual
from tests.kit.sampled import DEEP

TODAY = date(2026, 11, 26)
CHILD, ADULT, OLD = (numbers.citizen_id(birth, 123) for birth in ("20190301", "19911224", "19500606"))
RESIDENT = "99984019930930002"
FOREIGNER = RESIDENT + numbers.citizen_check(RESIDENT)


def run(*arguments: str | Path, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == expect, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def value(file: Path, path: str, layout: str = "2.00") -> str:
    shown = json.loads(run("show", "--persona", file, "--layout", layout, "--json").stdout)
    path, _, tag = path.rpartition("/")
    found: str = next(one["value"] for one in shown["files"][path]["items"] if one["tag"] == tag)
    return found


# ---- persona new --------------------------------------------------------------


@pytest.mark.parametrize("number", [CHILD, ADULT, OLD, FOREIGNER], ids=["child", "adult", "old", "foreigner"])
def test_a_new_persona_is_good_at_once_and_goes_where_a_name_goes(tmp_path: Path, number: str) -> None:
    file = tmp_path / "mine.toml"
    run("persona", "new", "-o", file, "--name", "测试新人", "--id", number, "--region", "110100")
    assert "good" in run("persona", "check", file).stdout
    assert value(file, "SSSE/EF06/08") == number
    assert value(file, "SSSE/EF06/09") == "测试新人"
    assert value(file, "SSSE/EF06/0D") == number[6:14]
    assert value(file, "DF04/EF05/84", "3.00") == "110100"
    assert value(file, "SSSE/EF06/08", "1.00") == number


def test_every_item_of_every_layout_stands_in_a_new_file_named_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    run("persona", "new", "-o", file)
    text = file.read_text(encoding="utf-8")
    table = tomllib.loads(text)
    for name in ("2.00", "3.00", "regional"):
        for path, spec in catalogue.layout(name).files.items():
            if spec.directory:
                continue
            held = table["values"][path]
            labels = {item.label for item in spec.items} if spec.structure is Structure.RECORDS else set()
            assert labels - {"01", "03", "04"} <= set(held) if path == "SSSE/EF05" else labels <= set(held), path
            assert spec.structure is Structure.RECORDS or held.keys() <= {"hex", "records"}
    assert '07 = "T' in text
    assert "# 卡号 card number [an 9, card number]" in text
    assert table["values"]["SSSE/EF06"]["08"].startswith("519900")


def test_a_new_number_has_its_check_digit_and_a_new_chip_its_own_serial(tmp_path: Path) -> None:
    taken = {catalogue.persona(name).serial for name in document.names()}
    for name in ("one", "two"):
        file = tmp_path / f"{name}.toml"
        run("persona", "new", "-o", file)
        persona = catalogue.persona(file)
        number = persona.values["SSSE/EF06"]["08"]
        assert numbers.citizen_check(number[:17]) == number[17]
        assert persona.name == name
        assert persona.serial not in taken
        taken.add(persona.serial)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--id", "110101199003074418"], "nobody has"),
        (["--id", "110101199003074418"], "never a real person"),
        (["--id", "519900199003070012"], "the check character 1"),
        (["--id", "5199001990030700"], "18 characters"),
        (["--id", "519900199013010011"], "date of birth"),
        (["--id", numbers.citizen_id("21000101", 1)], "not after today"),
        (["--region", "990000"], "GB/T 2260"),
        (["--name", ""], "1 to 50 bytes"),
        (["--name", "字" * 26], "1 to 50 bytes"),
        (["--extends", "nobody"], "nobody"),
        (["--extends", "adult-chengdu", "--id", CHILD], "does not fit"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(tmp_path: Path, arguments: list[str], told: str) -> None:
    file = tmp_path / "mine.toml"
    result = run("persona", "new", "-o", file, *arguments, expect=1 if "nobody" in arguments else 2)
    assert told in result.stderr
    assert not file.exists()


def test_no_file_is_overwritten_and_none_without_its_ending(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("precious")
    assert "there already" in run("persona", "new", "-o", file, expect=2).stderr
    assert file.read_text() == "precious"
    assert ".toml" in run("persona", "new", "-o", tmp_path / "mine", expect=2).stderr


def test_a_new_persona_can_extend_another_by_name_or_by_its_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    run("persona", "new", "-o", first, "--extends", "adult-mianyang", "--region", "510700", "--id", ADULT)
    run("persona", "new", "-o", second, "--extends", first, "--name", "测试次", "--id", ADULT)
    assert 'extends = "first.toml"' in second.read_text(encoding="utf-8")
    assert len(second.read_text(encoding="utf-8").splitlines()) < 40
    run("persona", "check", first)
    run("persona", "check", second)
    assert value(second, "DF01/EF09/2E") == "绵阳虚构中学"
    assert value(second, "SSSE/EF06/09") == "测试次"


@settings(max_examples=12 if DEEP else 8, deadline=None)
@given(st.dates(date(1926, 1, 1), TODAY), st.integers(0, 999), st.sampled_from(["510100", "110000", "650100"]))
@example(date(2024, 2, 29), 7, "510100")
@example(date(2010, 11, 26), 8, "510100")
@example(date(1966, 11, 26), 9, "110000")
def test_whoever_is_asked_for_is_valid(birth: date, order: int, region: str) -> None:
    number = numbers.citizen_id(f"{birth:%Y%m%d}", order)
    text = new.complete(new.wanted("anyone", "测试", number, region, TODAY))
    report = check.judge("anyone.toml", [document.parsed("anyone.toml", text.encode())])
    assert not report.findings, report.findings


# ---- persona check ------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    run("persona", "new", "-o", file, "--id", ADULT)
    return file


def spoil(file: Path, old: str, instead: str) -> int:
    """Replaces a text that stands once; gives its line."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, instead), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_check_says_line_item_and_the_right_check_digit(mine: Path) -> None:
    wrong = ADULT[:17] + ("0" if ADULT[17] != "0" else "1")
    line = spoil(mine, f'08 = "{ADULT}"', f'08 = "{wrong}"')
    text = run("persona", "check", mine, expect=1).stdout
    assert f"mine.toml:{line}: SSSE/EF06/08 社会保障号码 social security number: expected the check character" in text
    assert f"character {ADULT[17]}" in text
    assert "1 wrong" in text


def test_check_tells_other_programs_the_same(mine: Path) -> None:
    good = json.loads(run("persona", "check", mine, "--json").stdout)
    assert good["good"] is True
    assert good["findings"] == []
    assert good["values"] > 200
    line = spoil(mine, '0A = "1"', '0A = "5"')
    bad = json.loads(run("persona", "check", mine, "--json", expect=1).stdout)
    assert bad["good"] is False
    assert [(row["line"], row["item"], row["name_en"]) for row in bad["findings"]] == [(line, "SSSE/EF06/0A", "sex")]
    gone = json.loads(run("persona", "check", mine.parent / "gone.toml", "--json", expect=2).stdout)
    assert gone["findings"][0]["problem"] == "no such file"


@pytest.mark.parametrize("name", ["adult-chengdu", "blank", "psam"])
def test_check_takes_the_names_of_ours(name: str) -> None:
    assert f"{name}: good" in run("persona", "check", name).stdout


def test_a_finding_in_what_is_extended_names_that_file(tmp_path: Path, mine: Path) -> None:
    line = spoil(mine, '0A = "1"', '0A = "5"')
    child = tmp_path / "child.toml"
    child.write_text('name = "child"\nextends = "mine.toml"\n', encoding="utf-8")
    assert f"mine.toml:{line}: SSSE/EF06/0A" in run("persona", "check", child, expect=1).stdout


# ---- wherever a name is taken -------------------------------------------------


def test_a_file_goes_wherever_a_personas_name_is_taken(mine: Path, tmp_path: Path) -> None:
    region = ["--persona", str(mine)]
    assert ADULT in run("show", *region).stdout
    assert "KTK" in run("keys", *region).stdout
    assert (
        "9000" in run("apdu", "00A404000F7378312E73682EC9E7BBE1B1A3D5CF", *region, "--layout", "2.00").stdout + "9000"
    )
    assert "3" in run("pin", "state", *region).stdout
    assert "510100" in run("region", "show", *region).stdout
    assert ADULT in run("terminal", "basic", *region).stdout
    assert run("tear", *region, "00A404000F7378312E73682EC9E7BBE1B1A3D5CF").stdout
    run("personalise", mine, "--persona", "blank", "--image", tmp_path / "card.json")
    assert ADULT in run("show", "--image", tmp_path / "card.json").stdout
    assert sscard.card(mine).power_on()[-4:] == catalogue.persona(mine).serial
    assert catalogue.persona(str(mine)) == catalogue.persona(mine)


def test_a_psam_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\nextends = "psam-city"\n[chip]\nserial = "51010099"\n', encoding="utf-8")
    run("persona", "check", file)
    assert catalogue.persona(file).card == "psam"
    assert "adult" not in run("terminal", "basic", "--psam", file, "--persona", "adult-chengdu").stderr
    assert "no PSAM" in run("terminal", "basic", "--psam", "adult-chengdu", expect=2).stderr


def test_a_vector_names_a_file_beside_it(mine: Path) -> None:
    file = mine.parent / "own.yaml"
    file.write_text(VECTOR.format(persona="mine.toml", region="650100"), encoding="utf-8")
    spoil(mine, 'region = "510100"', 'region = "650100"')
    (case,) = vector.load(file)
    assert runner.run_one(case, Virtual("2.00", "3des")).verdict == "passed"
    file.write_text(VECTOR.format(persona="gone.toml", region="650100"), encoding="utf-8")
    assert re.search(r"OWN-1: persona: .*gone\.toml: no such file", run("vectors", "list", file, expect=1).stderr)


VECTOR = """
schema: 1
id: OWN-1
title: the region of one's own persona, in the identification code
title_zh: 自建人物的发卡地区
grade: own
source: none
versions: ["2.00"]
persona: {persona}
steps:
  - select: SSSE
  - apdu: 00B2012C12
    expect: {{ sw: "9000", data: "0110{region}D156000005................" }}
"""


# ---- files that are none ------------------------------------------------------

BROKEN: dict[str, tuple[bytes, str]] = {
    "latin": (b'name = "\xe9"\n', "expected UTF-8 text, byte 8 is not"),
    "utf16": ('name = "x"\n'.encode("utf-16"), "UTF-8"),
    "no toml": (b"name = \n", "not TOML"),
    "nested": (b"a = " + b"[" * 100000, "nested too deeply"),
    "long": (b"#" * (1 << 21), "at most 1048576 bytes"),
    "blank": (b"# nothing\n", "expected this key"),
    "unknown key": (b'extends = "adult-chengdu"\nname = "x"\nserail = "1"\n', "no such key"),
    "wrong type": (b'extends = "adult-chengdu"\nname = 5\n', "a text that is not empty, found 5"),
    "chip": (b'extends = "adult-chengdu"\nname = "x"\nchip = "x"\n', "expected a table"),
    "serial": (b'extends = "adult-chengdu"\nname = "x"\n[chip]\nserial = "5101"\n', "8 hex digits"),
    "hex": (b'extends = "adult-chengdu"\nname = "x"\nvalues."SSSE/EF07".hex = "0"\n', "two to a byte"),
    "tag": (b'extends = "adult-chengdu"\nname = "x"\nvalues."SSSE/EF06".4g = "0"\n', "a tag of two hex digits"),
    "values": (b'extends = "adult-chengdu"\nname = "x"\nvalues = []\n', "expected a table, found a list"),
    "file": (b'extends = "adult-chengdu"\nname = "x"\nvalues.EF06.09 = "x"\n', 'a file like "SSSE/EF06"'),
    "records": (b'extends = "adult-chengdu"\nname = "x"\nvalues."DF02/EF07".records = "x"\n', "a list of records"),
    "record": (b'extends = "adult-chengdu"\nname = "x"\nvalues."DF02/EF07".records = [[1]]\n', "a text in quotes"),
    "circle": (b'extends = "it.toml"\nname = "x"\n', "goes round in a circle"),
    "parent": (b'extends = "adult"\nname = "x"\n', "no persona 'adult'"),
    "no parent": (b'extends = "gone.toml"\nname = "x"\n', "gone.toml: no such file"),
    "parent's type": (b'extends = 5\nname = "x"\n', "expected the name or path of a persona"),
    "pin": (b'extends = "adult-chengdu"\nname = "x"\npin.digits = "98765x"\n', "4 to 16 digits"),
    "date": (b'extends = "adult-chengdu"\nname = "x"\nvalues."SSSE/EF06".0D = 1990-03-07\n', "a text in quotes"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_persona_gives_one_sentence_and_no_traceback(tmp_path: Path, what: str) -> None:
    content, told = BROKEN[what]
    file = tmp_path / "it.toml"
    file.write_bytes(content)
    result = run("show", "--persona", file, expect=1)
    assert told in result.stderr
    assert result.stderr.startswith("sscard: ")
    assert len(result.stderr.splitlines()) == 1
    assert "98765" not in result.stderr
    unreadable = what in (
        "latin",
        "utf16",
        "no toml",
        "nested",
        "long",
        "circle",
        "parent",
        "no parent",
        "parent's type",
    )
    checked = run("persona", "check", file, expect=2 if unreadable else 1)
    assert told in checked.stdout + checked.stderr


def test_folders_and_what_is_not_there_are_no_personas(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    assert "expected a file" in run("show", "--persona", tmp_path / "folder.toml", expect=1).stderr
    assert "no such file" in run("show", "--persona", tmp_path / "gone.toml", expect=1).stderr
    assert "choose one of" in run("show", "--persona", "gone", expect=2).stderr
    with pytest.raises(PersonaError):
        catalogue.persona("a\0b.toml")


# ---- lines --------------------------------------------------------------------


def paths(value: object, path: KeyPath = ()) -> set[KeyPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths(one, (*path, key)) for key, one in inner))


@pytest.mark.parametrize("name", document.names())
def test_every_value_of_our_personas_has_its_line(name: str) -> None:
    own = document.read(name)[0]
    assert paths(own.table) <= set(own.lines)


def test_lines_of_all_that_toml_can_write() -> None:
    text = (
        '# comment with [brackets] and = signs\nplain = 1\n"quo.ted" . dotted = "a # b"\nlist = [ # c\n  "]",\n'
        '  {x = 1, y.z = [2]},\n]\nlong = """\n[not.a.header]\nkey = "\\""" \n""""\n'
        "raw = '''\n'' x = 1\n'''\n[a.\"b/c\"]\n"
        "when = 1979-05-27 07:32:00\nf = -1.5e3\n[[t]]\nk = 1\n[[t]]\nk = 2\n[t.sub]\nm = 3\r\nlast = true"
    )
    found = lines(text)
    assert paths(tomllib.loads(text)) <= set(found)
    for path, line in {
        ("plain",): 2, ("quo.ted", "dotted"): 3, ("list", 0): 5, ("list", 1, "y", "z", 0): 6, ("long",): 8,
        ("raw",): 12, ("a", "b/c", "when"): 16, ("t", 0, "k"): 19, ("t", 1, "k"): 21, ("t", 1, "sub", "m"): 23,
        ("t", 1, "sub", "last"): 24,
    }.items():  # fmt: skip
        assert found[path] == line, path
