"""The report of a learning: for people, in both languages; differences in words; no card writes into it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from emulator import catalogue, messages
from emulator.filesystem.layouts import load
from emulator.filesystem.layouts.changes import differences
from harness.learning import outputs, report
from harness.learning.observation import Atr, Differs, Learning, NotSeen, ReaderSeen, Unexpressed
from harness.learning.words import in_words
from tests.unit.harness.learning.cards import chip, learned

CHINESE = re.compile("[\u4e00-\u9fff]")


def own(base: str, **more: Any) -> Any:
    head = {"extends": base, "schema": 1, "name": "own", "title": "t", "title_zh": "t"}
    return load.extending({**head, "version": catalogue.layout(base).version, **more}, "own")


HABITS = {
    "grade": "D",
    "challenge": [8],
    "challenge_unasked": 4,
    "status": {"B2:6A83": "6A82", "*:6E00": "6D00", "00A404xx:6A82": "6A88", "SSSE/EF06 B2:6982": "6985"},
    "before": {"le": "security", "B2 record": "security"},
    "le": {"B2": {"zero": "whole", "long": "6282"}},
    "waiting": {"A4": "at once", "B2": "61xx"},
    "addressing": {"tag-sfi": "6A86", "SSSE/EF06 previous": "6A81"},
    "selection": {"part-of-name": "6A82"},
    "commands": {"0088": "absent", "00B0": "80B0"},
    "classes": {"01": "00"},
    "fci": {"SSSE": "6F 03 84 01 00"},
}
CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"file": {"SSSE/EF06": {"item": {"09": {"length": 48}}}}},
     ["file SSSE/EF06 (cardholder's basic data), item 09 (name): length in bytes: 48, not 30"]),
    ({"file": {"SSSE/EF06": {"read": "PIN"}}}, ["who may read: PIN, not RKSSSE"]),
    ({"file": {"SSSE/EF08": {"size": 8192}}}, ["(digital photograph): size in bytes: 8192, not 4096"]),
    ({"remove": {"file": ["DF01/EF1A"]}}, ["file DF01/EF1A (reserved file 5): this card has none"]),
    ({"application": {"DF01": {"fid": "DF31"}}}, ["application DF01 (public application): file id: DF31, not DF01"]),
    ({"pin": {"tries": 6}}, ["PIN: tries: 6, not 3"]),
    ({"algorithms": ["sm4"]}, ["algorithms: sm4, not 3des, sm4"]),
    ({"habits": HABITS}, [
        "READ RECORD is answered 6A82, not 6A83", "any command is answered 6D00, not 6E00",
        "READ RECORD in SSSE/EF06 is answered 6985, not 6982",
        "Le is looked at before the right", "READ RECORD: whether the record is there is looked at before the right",
        "READ RECORD with Le 00: all data come", "READ RECORD with too large an Le: 6282",
        "the data of SELECT: they come at once", "the data of READ RECORD: 61xx announces them",
        "reading by SFI and tag is not taken: 6A86",
        "reading the previous one of a tag in SSSE/EF06 is not taken: 6A81",
        "SELECT by the beginning of a name is not taken: 6A82", "there is no INTERNAL AUTHENTICATION (0088)",
        "READ BINARY is 80B0, not 00B0", "class 01 is taken as 00", "lengths of challenges that are given: 8",
        "a challenge of no stated length has 4 bytes", "SELECT of SSSE answers 6F 03 84 01 00",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=[next(iter(one)) for one, _ in CHANGES])
def test_a_difference_is_told_in_words_of_both_languages(change: dict[str, Any], said: list[str]) -> None:
    base = catalogue.layout("3.00")
    found = [in_words(*one, base) for one in differences(base.table, own("3.00", **change).table)]
    told = [one.en for one in found]
    for sentence in said:
        assert any(sentence in one for one in told), (sentence, told)
    assert all(CHINESE.search(one.zh) for one in found)
    assert not any(CHINESE.search(one.en) for one in found)


def test_every_key_that_layouts_differ_by_has_words_for_people() -> None:
    """Between the layouts that come with us: no sentence is a dotted key."""
    names = ("1.00", "1.00-whole", "2.00", "3.00", "regional", "generator")
    told = [
        in_words(*one, catalogue.layout(before))
        for before in names for after in names if before != after
        for one in differences(catalogue.layout(before).table, catalogue.layout(after).table)
        if one[0].partition(".")[0] in ("application", "file", "key", "atr", "pin", "algorithms", "version")
    ]  # fmt: skip
    assert len(told) > 500
    assert not [one.en for one in told if re.search(r"\w\.\w+\.", one.en.replace("1.00", "").replace("2.00", ""))]


def learning(**more: Any) -> Learning:
    usual: dict[str, Any] = {
        "sscard": "1.0", "date": "2026-11-26", "version": "3.00", "nearest": "3.00", "algorithm": "3des",
        "atr": Atr(header="3B6D0000", historical="0081544C908684" + "00" * 6, protocols=("T=0",)),
        "reader": ReaderSeen(shape="t0", protocol="T=0"), "counters": {"PIN": "3"},
    }  # fmt: skip
    return Learning(**{**usual, **more})


def test_the_report_says_what_differs_what_was_not_seen_how_long_it_took_what_to_send_and_the_promise() -> None:
    found = learned(chip("generator"))
    text = outputs.of(found, mark="0" * 16).files
    for page in (text["report.md"], text["report.html"]):
        for said in (
            "Nothing personal is in this report", "不含该卡的任何个人数据", "Where it differs from the national layout",
            "the FCI tells the algorithm", "What could not be seen, and why", "Time of commands", "READ RECORD",
            "What to send back", "facts.json", "confirmed", "SSSE/EF06", "sscard run --layout layout.toml",
        ):  # fmt: skip
            assert said in page, said
    assert "<script" not in text["report.html"]
    assert "http" not in text["report.html"], "nothing is fetched"


@pytest.mark.parametrize(("language", "gone"), [("zh", "What was learned"), ("en", "读卡报告")])
def test_a_report_is_in_one_language_where_one_is_asked_for(language: str, gone: str) -> None:
    with messages.in_language(language):
        told = report.text(learning(), ()) + report.html(learning(), ())
    heads = [line for line in told.splitlines() if line.startswith("#")]
    assert gone not in told
    assert all((re.search("[\u4e00-\u9fff]", line) is not None) == (language == "zh") for line in heads)
    assert len(heads) > 5


def test_what_no_layout_can_say_and_what_could_not_be_asked_is_told() -> None:
    page = report.text(
        learning(
            complete=False,
            differences=(Differs(where="pin.tries", before=3, after=6),),
            unexpressed=(Unexpressed(probe="order/x", seen="6F00", twin="9000"),),
            not_seen=(NotSeen(what="DF05", why="it answers 6283"),),
        ),
        (),
    )
    for said in ("PIN: tries: 6, not 3", "1 more answers", "order/x", "6F00", "DF05", "it answers 6283", "ended early"):
        assert said in page
    none = report.text(learning(nearest="", version="", algorithm=""), ())
    assert "no layout was found" in none


def test_a_card_cannot_write_into_the_page() -> None:
    evil = "<img src=x>|\n# heading\x1b[2J `x`"
    one = learning(not_seen=(NotSeen(what=evil, why=evil),), version="<b>")
    page = report.html(one, ())
    assert "<img" not in page
    assert "<b>" not in page
    text = report.text(one, ())
    assert "\n# heading" not in text
    assert "\x1b" not in text + page
    row = next(line for line in text.splitlines() if "img" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 3, "two cells, and not one more"
