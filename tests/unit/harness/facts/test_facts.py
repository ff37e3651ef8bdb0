"""What is known of real cards: every fact has a grade, and sources that bear it; `sscard facts` lists them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.filesystem.layouts.changes import CARD_READING
from emulator.filesystem.layouts.specs import LayoutError
from emulator.sources import Citation, citation, mark, marks, weakest
from harness.cli import main
from harness.conformance.vector import home
from harness.facts import code
from harness.facts.fact import Fact
from harness.facts.gather import chosen, counted, every
from harness.sources.register import SourceError, load, register

ROOT = Path(__file__).parents[4]


@cache
def known() -> list[Fact]:
    return every(home())


def cited(*texts: str) -> tuple[Citation, ...]:
    return tuple(map(citation, texts))


def test_no_fact_bears_a_grade_that_its_sources_do_not() -> None:
    """S, T and 1 name their sources; D and P need none."""
    wrong = [
        f"{one.where}: [{one.grade}] {one.statement}: {problem}"
        for one in known()
        if (problem := register().problem(one.grade, one.citations))
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_source_that_the_register_leaves_out_and_none_is_second_hand_but_our_reference() -> None:
    cited = {one.source for fact in known() for one in fact.citations}
    assert cited <= set(register().sources)
    assert set(register().sources) - cited == {CARD_READING}, "and none is idle but the one of layouts that are learned"
    assert {one.id for one in register().sources.values() if one.second_hand} == {"reference"}


@pytest.mark.parametrize(
    ("grade", "sources", "problem"),
    [
        ("S", ("v2:table 3", "prog-z390"), ""),
        ("S", ("prog-z390", "prog-gyh"), ""),
        ("S", ("reference:card §5",), ""),
        ("S", ("measures:article 13.1",), ""),
        ("S", ("v2:table 3",), "two sources of different origin"),
        ("S", ("v2:table 3", "part6:table 4"), "two sources of different origin"),
        ("S", ("prog-hd100-dll", "prog-hd100-ocx"), "two sources of different origin"),
        ("S", (), "two sources of different origin"),
        ("T", ("part5:6.14",), ""),
        ("T", ("reference:card §6",), ""),
        ("T", ("part5",), "with its clause"),
        ("T", ("prog-z390",), "with its clause"),
        ("1", ("prog-z390",), ""),
        ("1", (), "1 needs a source"),
        ("D", (), ""),
        ("P", (), ""),
        ("D", ("prog-nobody",), "prog-nobody: not in sources.toml"),
    ],
)
def test_sources_bear_a_grade_or_it_is_said_why_not(grade: str, sources: tuple[str, ...], problem: str) -> None:
    found = register().problem(grade, cited(*sources))
    assert problem in found
    assert bool(problem) == bool(found)


def test_a_fact_is_second_hand_where_our_reference_alone_bears_its_grade() -> None:
    assert register().second_hand("S", cited("v2:table 9", "reference:items.json"))
    assert register().second_hand("T", cited("reference:card §6"))
    assert not register().second_hand("S", cited("v2:table 9", "prog-cardissue", "reference:items.json"))
    assert not register().second_hand("1", cited("prog-z390", "reference:field"))
    assert not register().second_hand("D", cited("reference:card §9"))
    assert not register().second_hand("S", cited("v2:table 9"))


def test_a_mark_is_read_as_it_is_written() -> None:
    text = f"files {mark('S', ['v2:table 3', 'prog-z390'])}; the rest [D]"
    assert text == "files [S: v2:table 3, prog-z390]; the rest [D]"
    first, second = marks(text)
    assert (first.grade, first.citations) == ("S", cited("v2:table 3", "prog-z390"))
    assert (second.grade, second.citations) == ("D", ())
    assert weakest(text) == "D"


@pytest.mark.parametrize("wrong", ["V2", "part5:", "a b", ":6.1", "part5 §6.1", ""])
def test_what_is_no_citation_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected a source like"):
        citation(wrong)


def test_a_text_without_a_grade_is_told() -> None:
    with pytest.raises(ValueError, match="expected a grade in brackets"):
        weakest("the standard says so")


def test_texts_for_people_write_the_sources_out() -> None:
    read = register().readable
    assert read("[T: part5:6.14]") == "part 5 §6.14 [T]"
    assert read("6983 once locked [T: part5:6.14, part7:5.8]; that it ends [D]") == (
        "6983 once locked (part 5 §6.14, part 7 §5.8) [T]; that it ends [D]"
    )
    assert read("as V2.0 has it [S: v2:table 3, prog-z390].") == (
        "as V2.0 has it (V2.0 table 3, a card printer's software) [S]."
    )


GOOD = '[v2]\nkind = "text"\nlabel = "V2.0"\ntitle = "t"\ntitle_zh = "t"\norigin = "ministry"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace('"text"', '"book"'), "v2.kind: expected one of text, program"),
        (GOOD.replace('origin = "ministry"\n', ""), "v2.origin: missing, expected a text"),
        (GOOD + "year = '2012'\n", "v2.year: expected a year, found '2012'"),
        (GOOD + "pages = 3\n", "v2.pages: not a key of a source"),
        (GOOD + "second_hand = true\n", "v2.second_hand: expected true for a reference, and for nothing else"),
        ("v2 = 3\n", "v2: expected a table, found 3"),
        ("[v2\n", "line 1: not TOML"),
    ],
)
def test_a_register_that_is_wrong_says_where_and_what_was_expected(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=re.escape(problem)) as found:
        load(path)
    assert "sources.toml" in str(found.value)
    path.write_text(GOOD, encoding="utf-8")
    good = load(path)
    assert good["v2"].origin == "ministry"
    with pytest.raises(SourceError, match=r"sources\.toml: v3: no such source"):
        good["v3"]


def test_the_page_of_sources_is_the_register() -> None:
    result = CliRunner().invoke(main, ["facts", "--sources"])
    assert result.exit_code == 0, result.output
    assert (ROOT / "docs/reference/sources.md").read_text(encoding="utf-8") == result.output
    assert all(f"| `{name}` |" in result.output for name in register().sources)
    assert CliRunner().invoke(main, ["facts", "v2", "--sources"]).exit_code == 2


def test_a_text_with_sources_of_a_vendors_own_is_shown_as_it_is() -> None:
    read = register().readable
    assert read("by our own card [S: vendor-notes:page 3, v2:table 3]") == (
        "by our own card (vendor-notes:page 3, V2.0 table 3) [S]"
    )
    assert read("as told [S: Mr. Li]") == "as told [S: Mr. Li]"


def test_a_report_names_the_sources_that_its_vectors_cite() -> None:
    texts = ["one [S: v2:table 3, prog-z390]", "two [T: part5:6.9]; [T: part5:6.10]", "three [D]", "[S: Mr. Li]"]
    named = {one["id"]: (one["results"], one["second_hand"]) for one in register().named([*texts, "[1: reference]"])}
    assert named == {"v2": (1, False), "part5": (1, False), "prog-z390": (1, False), "reference": (1, True)}


OWN = """
extends = "2.00"
schema = 1
name = "own"
version = "2.00"
[file."SSSE/EF05"]
access_grade = "1"
access_sources = ["vendor-notes:page 3"]
"""


def test_access_conditions_may_be_less_sure_than_their_file(tmp_path: Path) -> None:
    """A vendor's own layout may cite sources that the register does not have."""
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    spec = catalogue.layout(path).files["SSSE/EF05"]
    assert (spec.access.grade, spec.access.sources) == ("1", ("vendor-notes:page 3",))
    assert (spec.grade, spec.items[0].grade) == ("S", "S")
    whole = catalogue.layout("2.00").files["SSSE/EF05"]
    assert whole.access.sources == whole.sources
    result = CliRunner().invoke(main, ["facts", "access.SSSE/EF05", "--layout", str(path), "--json"])
    assert result.exit_code == 0, result.output
    (fact,) = json.loads(result.output)["facts"]
    assert fact["statement"].endswith("read free, update UKSSSE")
    assert (fact["grade"], fact["sources"], fact["second_hand"]) == ("1", ["vendor-notes:page 3"], False)


def test_a_layouts_source_that_is_not_written_as_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("vendor-notes:page 3", "page 3 of Notes"), encoding="utf-8")
    with pytest.raises(LayoutError, match=r"EF05.\.access_sources: expected a source like .*, found 'page 3 of Notes'"):
        catalogue.layout(path)


def test_what_the_field_does_not_settle_is_no_fact() -> None:
    """Cards of 3.00 give SSSE/EF06 with or without a key: which, is our choice."""
    spec = catalogue.layout("3.00").files["SSSE/EF06"]
    assert (spec.access.grade, spec.access.sources) == ("D", ())
    assert spec.grade == "S"


def test_the_register_is_shipped_with_the_package() -> None:
    layout = (ROOT / "scripts" / "wheel.py").read_text(encoding="utf-8")
    assert 'root / "docs" / "sources.toml", to / "sscard" / "harness" / "sources" / "sources.toml"' in layout


def test_marks_are_found_in_docstrings_strings_and_comments_but_not_in_code(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        '"""A file. [T: part5:6.9]"""\n'
        "def f(raw):\n"
        '    """Its head, [S] as ``[S: v2]`` says, and\n    its tail [1: prog-z390,\n    v2:table 3]."""\n'
        "    # a comment that goes on\n"
        "    # for two lines [D]\n"
        '    return raw[1] + f"{raw[1]} is [P]"\n',
        encoding="utf-8",
    )
    found = [(one.where, one.statement, one.grade, one.citations) for one in code.of_file(path, "one.py")]
    assert found == [
        ("one.py:1", "A file", "T", cited("part5:6.9")),
        ("one.py:3", "f: Its head", "S", ()),
        ("one.py:3", "f: as ``[S: v2]`` says, and its tail", "1", cited("prog-z390", "v2:table 3")),
        ("one.py:6", "a comment that goes on for two lines", "D", ()),
        ("one.py:8", "f: … is", "P", ()),
    ]


def test_marks_are_found_in_a_layouts_comments_but_not_in_its_texts(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text('# names [S],\n# ids [D]\nname = "a # [T]"   # a reader\'s [1: prog-z390]\n', encoding="utf-8")
    found = [(one.statement, one.grade) for one in code.of_file(path, "one.toml")]
    assert found == [("names", "S"), ("ids", "D"), ("name: a reader's", "1")]


def test_a_mark_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text('"""Two. [S: part 5 and more]"""\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"one\.py:1: expected a source like .*, found 'part 5 and more'"):
        list(code.of_file(path, "one.py"))


def test_facts_are_chosen_by_grade_source_place_kind_and_text() -> None:
    facts = [
        Fact("layout", "layout 2.00: file.DF03/EF05", "unemployment", "S", cited("v2:table 6", "part6:6.1.5")),
        Fact("code", "emulator/session.py:33", "the PIN stays", "T", cited("part6:6.14")),
        Fact("rule", "harness/monitor/rules/pin.py:1", "guess", "D", ()),
    ]

    def places(words: str) -> list[int]:
        return [facts.index(one) for one in chosen(facts, words, register())]

    assert places("S") == places("s") == [0]
    assert places("part6") == [0, 1]
    assert places("part6:6.1") == [0]
    assert places("v2:table 6") == [0]
    assert places("rule") == [2]
    assert places("df03/ef05") == [0]
    assert places("PIN") == [1, 2]
    with pytest.raises(SourceError, match=r"did you mean .*prog-z390"):
        chosen(facts, "prog-z39", register())
    with pytest.raises(SourceError, match="no fact matches 'second-hand'"):
        chosen(facts, "second-hand", register())


def test_facts_are_counted_by_grade_with_the_second_hand_apart() -> None:
    facts = [
        Fact("code", "a", "", "S", cited("reference:card §5")),
        Fact("code", "b", "", "S", cited("v2:table 3", "prog-z390")),
        Fact("code", "c", "", "D", ()),
    ]
    counts = {one.grade: (one.facts, one.second_hand) for one in counted(facts, register())}
    assert counts == {"S": (2, 1), "T": (0, 0), "P": (0, 0), "1": (0, 0), "D": (1, 0)}


def test_the_command_lists_what_is_asked_for_and_counts_it() -> None:
    result = CliRunner().invoke(main, ["facts", "SSSE/EF05/07", "--layout", "2.00", "--json"])
    assert result.exit_code == 0, result.output
    table = json.loads(result.output)
    (item,) = (one for one in table["facts"] if one["kind"] == "layout")
    assert item["where"] == "layout 2.00: item.SSSE/EF05/07"
    assert item["statement"] == "卡号 card number: an of 9 bytes"
    assert item["grade"] == "S"
    assert set(table["counts"]) == {"S", "T", "P", "1", "D"}
    assert sum(one["facts"] for one in table["counts"].values()) == len(table["facts"])
    plain = CliRunner().invoke(main, ["facts", "SSSE/EF05/07"])
    assert plain.exit_code == 0
    assert "item.SSSE/EF05/07" in plain.output
    assert re.search(r"^S +\d+ facts", plain.output, re.MULTILINE)


def test_a_filter_that_matches_nothing_is_an_error_that_suggests() -> None:
    result = CliRunner().invoke(main, ["facts", "prog-z39"])
    assert result.exit_code == 1
    assert "no fact matches 'prog-z39'" in result.output
    assert "did you mean prog-z390" in result.output
