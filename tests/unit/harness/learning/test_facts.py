"""What a card shows of the facts that we state: each by its own place; several cards added up; shown beside grades."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from emulator import catalogue
from emulator.filesystem.layouts import load
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.security import Always
from harness.cli import main
from harness.facts.layouts import of_layout
from harness.learning import fact_file, marks, outputs
from harness.learning.evidence import Evidence, of_card
from harness.learning.fact_file import CardRead, FactFile, FactRow, OnCard, Verdict, merged
from harness.learning.observation import (
    Asked,
    Atr,
    Learning,
    ReaderSeen,
    SeenApplication,
    SeenElement,
    SeenFile,
    SeenRecord,
)
from tests.kit.sampled import sampled
from tests.unit.harness.learning.cards import EVERYTHING, chip, learned

ROOT = Path(__file__).parents[4]
STRUCTURES: dict[Structure, Any] = {
    Structure.RECORDS: "records", Structure.CYCLIC: "cyclic", Structure.TRANSPARENT: "transparent",
}  # fmt: skip


def record(number: int, item: ItemSpec) -> SeenRecord:
    parts = tuple(SeenElement(tag=one.label, length=one.length) for one in item.elements)
    return SeenRecord(number=number, tag=item.label, length=item.length, elements=parts)


def true_to(name: str, **more: Any) -> Learning:
    """What would be learned of a card that is in everything as a layout has it and lets everything be read."""
    layout = catalogue.layout(name)
    files = []
    for spec in layout.files.values():
        if spec.secret:
            continue
        records: tuple[SeenRecord, ...] | None = None
        if spec.structure is Structure.RECORDS:
            records = tuple(record(at, item) for at, item in enumerate(spec.items, 1))
        elif spec.structure is Structure.CYCLIC:
            records = tuple(SeenRecord(number=at + 1, tag="", length=spec.record_length) for at in range(spec.records))
        files.append(
            SeenFile(
                path=spec.path, sfi=spec.sfi, fid=f"{spec.fid:04X}", structure=STRUCTURES[spec.structure],
                size=spec.size if spec.structure is Structure.TRANSPARENT else None, records=records,
                read="free" if isinstance(spec.read, Always) else str(spec.read),
            )
        )  # fmt: skip
    applications = tuple(
        SeenApplication(name=one.id, parent=one.parent, fid=f"{one.fid:04X}", dfname=one.dfname.hex().upper())
        for one in layout.applications.values()
    )
    usual: dict[str, Any] = {
        "sscard": "1.0", "date": "2026-11-26", "version": name, "nearest": name,
        "atr": Atr(header=layout.atr_header.hex().upper(), historical="0081544C908684510100000000"),
        "reader": ReaderSeen(shape="t0"), "counters": {"PIN": str(layout.pin.tries)},
        "applications": applications, "files": tuple(files),
    }  # fmt: skip
    return Learning(**{**usual, **more})


def evidence(learning: Learning, ours: Sequence[Asked] = ()) -> dict[str, Evidence]:
    return {one.fact.where: one for one in of_card(learning, catalogue.layout(learning.nearest), ours)}


def changed(learning: Learning, path: str, **more: Any) -> Learning:
    files = tuple(replace(one, **more) if one.path == path else one for one in learning.files)
    return replace(learning, files=files)


def contradicted(learning: Learning) -> dict[str, str]:
    return {where: one.seen for where, one in evidence(learning).items() if one.verdict is Verdict.CONTRADICTED}


@pytest.mark.parametrize("name", ["1.00", "1.00-whole", "2.00", "3.00", "generator", "regional"])
def test_a_card_that_is_as_a_layout_has_it_contradicts_nothing_and_confirms_what_can_be_seen(name: str) -> None:
    found = evidence(true_to(name))
    assert not contradicted(true_to(name))
    layout = catalogue.layout(name)
    confirmed = {where for where, one in found.items() if one.verdict is Verdict.CONFIRMED}
    assert {f"application.{one}" for one in layout.applications} <= confirmed
    for spec in layout.files.values():
        if not spec.secret:
            assert f"file.{spec.path}" in confirmed
        if spec.structure is Structure.RECORDS:
            assert {f"item.{spec.path}/{item.label}" for item in spec.items} <= confirmed, spec.path
    assert {"atr", "pin"} <= confirmed


def test_every_fact_of_a_place_that_a_card_shows_has_a_verdict_and_no_other_has() -> None:
    """No list by hand: a fact stands in the verdicts because of where it stands."""
    facts = {one.where for one in of_layout(catalogue.layout("3.00"))}
    judged = set(evidence(true_to("3.00")))
    shown = ("atr", "application.", "file.", "access.", "item.", "key.", "pin", "contactless")
    assert judged == {where for where in facts if where.startswith(shown)}
    assert facts - judged == {one for one in facts if one.startswith(("messaging", "blocking", "activation", "pers",
                                                                      "purse", "certificate"))}  # fmt: skip


SSSE_RECORDS = tuple(record(at, item) for at, item in enumerate(catalogue.layout("3.00").files["SSSE/EF06"].items, 1))


@pytest.mark.parametrize(
    ("path", "more", "where", "seen"),
    [
        ("SSSE/EF06", {"fid": "0006"}, "file.SSSE/EF06", "id 0006"),
        ("SSSE/EF08", {"size": 8192}, "file.SSSE/EF08", "size 8192 bytes"),
        ("SSSE/EF07", {"structure": "records", "size": None}, "file.SSSE/EF07", "structure records"),
        ("SSSE/EF05", {"read": "PIN"}, "file.SSSE/EF05", "read after PIN"),
        ("SSSE/EF05", {"read": "refused", "refusal": "6982"}, "file.SSSE/EF05", "read refused without rights (6982)"),
        ("SSSE/EF06", {"read": "free"}, "access.SSSE/EF06", "read free"),
        (
            "SSSE/EF06",
            {"records": tuple(replace(one, length=48) if one.tag == "09" else one for one in SSSE_RECORDS)},
            "item.SSSE/EF06/09",
            "length 48 bytes",
        ),
    ],
)
def test_one_thing_that_is_otherwise_contradicts_the_one_fact_that_states_it(
    path: str, more: dict[str, Any], where: str, seen: str
) -> None:
    found = contradicted(changed(true_to("3.00"), path, **more))
    assert found == {where: seen}


def test_what_is_not_there_or_was_not_read_is_told_apart() -> None:
    learning = true_to("3.00")
    without = tuple(one for one in learning.files if one.path != "DF01/EF1A")
    assert contradicted(replace(learning, files=without)) == {"file.DF01/EF1A": "this card has no such file"}

    no_record = tuple(one for one in SSSE_RECORDS if one.tag != "4E")
    found = evidence(changed(learning, "SSSE/EF06", records=no_record))["item.SSSE/EF06/4E"]
    assert (found.verdict, found.seen) == (Verdict.NOT_SEEN, "this card has no record of it")

    refused = changed(learning, "DF01/EF05", structure="", records=None, read="refused", refusal="6982")
    found = evidence(refused)["item.DF01/EF05/21"]
    assert (found.verdict, found.seen) == (Verdict.NOT_SEEN, "reading was refused (6982)")
    assert evidence(refused)["file.DF01/EF05"].verdict is Verdict.CONFIRMED, "its id is seen, and that it is not free"

    gone = tuple(one for one in learning.applications if one.name != "DF05")
    left = tuple(one for one in learning.files if not one.path.startswith("DF05"))
    found_all = evidence(replace(learning, applications=gone, files=left))
    assert found_all["application.DF05"].verdict is Verdict.CONTRADICTED
    assert found_all["item.DF05/EF05/A0"].verdict is Verdict.NOT_SEEN


def test_tries_that_may_have_been_used_show_nothing() -> None:
    for told, verdict in (("3", Verdict.CONFIRMED), ("2", Verdict.NOT_SEEN), ("6", Verdict.CONTRADICTED)):
        assert evidence(true_to("3.00", counters={"PIN": told}))["pin"].verdict is verdict
    assert evidence(true_to("3.00", counters={}))["pin"].verdict is Verdict.NOT_SEEN


def test_a_key_is_shown_by_what_it_opens() -> None:
    learning = true_to("3.00")
    opened = changed(learning, "SSSE/EF06", read="RKSSSE")
    assert evidence(opened)["key.RKSSSE"].verdict is Verdict.CONFIRMED
    assert evidence(opened)["key.UKSSSE"].verdict is Verdict.NOT_SEEN


def asked(probe: str, command: str, sw: str) -> Asked:
    return Asked(probe=probe, command=command, sw=sw)


def test_a_status_word_that_a_sentence_names_is_shown_where_our_chip_answers_with_it() -> None:
    ours = true_to("3.00", asked=(
        asked("le/read-record/zero", "00B2010400", "6C12"), asked("challenge/5", "0084000005", "6700"),
        asked("read/beyond", "00B2FF2C00", "6A83"),
    ))  # fmt: skip
    same = evidence(ours, ours.asked)
    of_le = [one for one in same.values() if "Le 00 is answered by 6Cxx" in one.fact.statement]
    of_challenge = [one for one in same.values() if "Le 4, 8 or 16; 6700" in one.fact.statement]
    assert [one.verdict for one in (*of_le, *of_challenge)] == [Verdict.CONFIRMED] * 2

    other = replace(ours, asked=(asked("le/read-record/zero", "00B2010400", "9000"), ours.asked[1], ours.asked[2]))
    found = {one.fact.statement: one for one in evidence(other, ours.asked).values()}
    wrong = {text: one.seen for text, one in found.items() if one.verdict is Verdict.CONTRADICTED}
    assert list(wrong.values()) == ["9000 where ours says 6C12 (le/read-record/zero)"]
    assert all("6Cxx" in text for text in wrong)

    less = replace(ours, asked=(asked("le/read-record/zero", "00B2010400", "6A83"), *ours.asked[1:]))
    assert not [one for one in evidence(less, ours.asked).values() if one.verdict is Verdict.CONTRADICTED], (
        "no such record"
    )


# ---- on chips, through the whole of a learning ----------------------------------------------------------------------


def own(**more: Any) -> Layout:
    head = {"extends": "3.00", "schema": 1, "name": "own", "version": "3.00", "title": "t", "title_zh": "t"}
    return load.extending({**head, **more}, "own")


ALTERED: list[tuple[dict[str, Any], str, str]] = [
    ({"file": {"SSSE/EF06": {"item": {"09": {"length": 40}}}}}, "item.SSSE/EF06/09", "length 40 bytes"),
    ({"file": {"SSSE/EF08": {"size": 2048}}}, "file.SSSE/EF08", "size 2048 bytes"),
    ({"file": {"DF01/EF06": {"read": "free"}}}, "file.DF01/EF06", "read free"),
    ({"remove": {"file": ["DF01/EF1A"]}}, "file.DF01/EF1A", "this card has no such file"),
    ({"pin": {"tries": 6}}, "pin", "tries 6"),
    ({"application": {"DF01": {"dfname": "D1 56 00 00 05 77"}}}, "application.DF01", "name D15600000577"),
]


@pytest.mark.parametrize(
    ("change", "where", "seen"), sampled(ALTERED, 4), ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_card_that_is_otherwise_in_one_thing_contradicts_the_fact_that_states_it(
    change: dict[str, Any], where: str, seen: str
) -> None:
    found = outputs.of(learned(chip(own(**change)), EVERYTHING), mark="0" * 16).evidence
    wrong = {one.fact.where: one.seen for one in found if one.verdict is Verdict.CONTRADICTED}
    assert wrong == {where: seen}


def test_a_habit_contradicts_the_sentence_that_names_its_status_word() -> None:
    habits = {"grade": "D", "le": {"B2": {"zero": "whole"}}}
    found = outputs.of(learned(chip(own(habits=habits))), mark="0" * 16).evidence
    wrong = {one.fact.statement: one.seen for one in found if one.verdict is Verdict.CONTRADICTED}
    assert len(wrong) == 1
    assert "Le 00 is answered by 6Cxx" in next(iter(wrong))
    assert next(iter(wrong.values())).startswith("9000 where ours says 6C")


def test_a_card_of_ours_contradicts_nothing() -> None:
    for layout, algorithm in (("1.00", "3des"), ("3.00", "sm4")):
        for wanted in (EVERYTHING, None):
            found = outputs.of(learned(chip(layout, algorithm), wanted), mark="0" * 16).evidence
            assert not [one for one in found if one.verdict is Verdict.CONTRADICTED]
            assert sum(one.verdict is Verdict.CONFIRMED for one in found) > 40


# ---- several cards --------------------------------------------------------------------------------------------------


def file_of(mark: str, maker: str = "0081544C908684", date: str = "2026-11-26", **verdicts: str) -> FactFile:
    card = CardRead(mark=mark * 16, maker=maker, nearest="3.00", date=date, sscard="1.0")
    found = evidence(true_to("3.00"))
    rows = tuple(
        FactRow(
            where=where, layout="3.00", statement=found[where].fact.statement, grade=found[where].fact.grade,
            cards=(OnCard(mark=mark * 16, verdict=Verdict(verdict), seen="length 40 bytes"),),
        )
        for where, verdict in ((place.replace("__", "/").replace("_", "."), one) for place, one in verdicts.items())
    )  # fmt: skip
    return FactFile(cards=(card,), rows=rows)


NAME = "item_SSSE__EF06__09"


def written(folder: Path, name: str, file: FactFile) -> Path:
    path = folder / name
    path.write_text(file.text(), encoding="utf-8")
    return path


def run(*arguments: str | Path, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == expect, result.output
    return result


def test_several_cards_are_added_up_and_told_beside_the_grade(tmp_path: Path) -> None:
    files = [
        written(tmp_path, f"{mark}.json", file_of(mark, maker, **{NAME: verdict}))
        for mark, maker, verdict in (
            ("a", "00112233445566", "confirmed"), ("b", "00112233445566", "confirmed"),
            ("c", "AABBCCDDEEFF00", "confirmed"), ("d", "AABBCCDDEEFF00", "contradicted"),
            ("e", "AABBCCDDEEFF00", "not seen"),
        )
    ]  # fmt: skip
    out = tmp_path / "all.json"
    assert "5 cards of 2 makers" in run("facts", "merge", *files, "-o", out).stdout
    told = run("facts", "--learned", out, "SSSE/EF06/09").stdout
    assert "seen on 3 cards of 2 makers; contradicted on 1: length 40 bytes" in told
    assert "Grades stay as they are" in told
    table = json.loads(run("facts", "--learned", out, "SSSE/EF06/09", "--json").stdout)
    learned = [one["learned"] for one in table["facts"] if "3.00" in one["where"]]
    assert learned == [{"confirmed": 3, "makers": 2, "contradicted": 1, "not_seen": 1, "seen": ["length 40 bytes"]}]
    assert any(one["learned"] is None for one in table["facts"]), "vectors' facts are shown by no card"
    assert run("facts", "merge", *reversed(files)).stdout == out.read_text(encoding="utf-8"), "in whatever order"
    assert run("facts", "merge", out, files[0]).stdout == out.read_text(encoding="utf-8"), "and by parts"


def test_a_card_that_is_given_twice_counts_once_as_it_was_read_last(tmp_path: Path) -> None:
    before = file_of("a", date="2026-01-01", **{NAME: "contradicted"})
    after = file_of("a", date="2026-11-26", **{NAME: "confirmed"})
    both = merged([after, before])
    assert [one.mark for one in both.cards] == ["a" * 16]
    assert [one.verdict for row in both.rows for one in row.cards] == [Verdict.CONFIRMED]
    less = merged([before, file_of("a", date="2026-11-26", pin="confirmed")])
    assert [row.where for row in less.rows] == ["pin"], "what was not judged again is not judged"
    assert run("facts", "merge", *[written(tmp_path, f"{at}.json", after) for at in range(2)]).stdout == after.text()


def test_a_fact_that_says_another_thing_since_is_not_confirmed_by_an_old_reading(tmp_path: Path) -> None:
    file = file_of("a", **{NAME: "confirmed"})
    old = replace(file, rows=(replace(file.rows[0], statement="another length"),))
    told = run("facts", "--learned", written(tmp_path, "old.json", old), "SSSE/EF06/09").stdout
    assert "seen on" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "expected what `sscard learn` or `sscard facts merge` wrote"),
        ('{"facts": 2}', "schema 1, found 2"),
        ('{"facts": 1, "cards": []}', "'rows' is a required property"),
        ('{"facts": 1, "cards": [{"mark": "x"}], "rows": []}', "cards.0"),
        ("[", "not JSON"),
    ],
)
def test_a_file_that_is_none_is_refused_and_says_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")
    for arguments in (("facts", "merge", path), ("facts", "--learned", tmp_path)):
        result = CliRunner().invoke(main, list(map(str, arguments)))
        assert result.exit_code in (1, 2)
        assert said in result.output


def test_nothing_is_overwritten_unless_it_is_said_and_options_stand_where_they_belong(tmp_path: Path) -> None:
    path = written(tmp_path, "facts.json", file_of("a", **{NAME: "confirmed"}))
    out = written(tmp_path, "out.json", file_of("b", **{NAME: "confirmed"}))
    run("facts", "merge", path, "-o", out, expect=1)
    run("facts", "merge", path, "-o", out, "--force")
    assert out.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    run("facts", "merge", expect=2)


def test_the_published_schema_is_that_of_the_model() -> None:
    path = ROOT / "harness" / "learning" / "facts-schema-1.json"
    told = "write harness.learning.fact_file.schema_text() there"
    assert path.read_text(encoding="utf-8") == fact_file.schema_text(), told


# ---- marks ----------------------------------------------------------------------------------------------------------


def test_a_card_has_one_mark_on_a_machine_another_on_another_and_two_cards_have_two(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    one = marks.mark(b"card 1", here)
    assert marks.mark(b"card 1", here) == one
    assert marks.mark(b"card 2", here) != one
    assert marks.mark(b"card 1", there) != one
    assert marks.mark(b"", here) != marks.mark(b"", here), "a card that tells nothing is a new one each time"
    assert [one.name for one in here.iterdir()] == [marks.FILE]
    assert (here / marks.FILE).stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    assert len(marks.mark(b"card 1", tmp_path / "file")) == 16, "where nothing can be kept"
