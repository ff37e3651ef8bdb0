"""What stays out of traces and reports, whatever the terminal does and whatever goes wrong."""

from __future__ import annotations

import json

import pytest

from emulator.chip import Exchange
from harness.trace.mask import PersonalData
from harness.verdicts.log import Line
from harness.verdicts.report import trace_lines
from tests.kit.cards import SSSE
from tests.kit.watched import BALANCE, NEW_PIN, OWN, PAID, POOLED, TIME, Watched, personal


def test_a_day_at_the_counter_tells_nothing_of_the_holder() -> None:
    counter = Watched()
    counter.day()
    people = personal(counter.image)
    assert {"SSSE/EF06/09", "SSSE/EF05/07", "DF01/EF05/21", "DF02/EF07:1", "DF04/EF08:1"} <= set(people)
    for at, value in people.items():
        assert value not in counter.text, at
    for amount in (BALANCE, OWN, POOLED, *PAID, BALANCE - PAID[0], OWN + PAID[1], POOLED + PAID[2]):
        assert f"{amount:08X}" not in counter.text
        assert str(amount) not in counter.text
    assert NEW_PIN not in counter.text, "a PIN goes through the PSAM in clear"
    assert counter.image.atr[-4:].hex().upper() not in counter.text
    assert TIME.hex().upper() not in counter.text


def test_the_same_day_with_personal_data_hides_secrets_only() -> None:
    counter = Watched(personal_data=True)
    counter.day()
    assert f"{BALANCE:08X}" in counter.text
    assert personal(counter.image)["DF01/EF05/21"] in counter.text
    assert NEW_PIN not in counter.text
    assert "123456F" not in counter.text


@pytest.mark.parametrize("fault", ["repeat,instruction=GET_CHALLENGE", "repeat,instruction=SELECT"])
@pytest.mark.parametrize(
    "more", ["", "delay,seconds=0,instruction=GET_CHALLENGE", "oversized,instruction=GET_CHALLENGE"]
)
def test_an_answer_that_comes_once_more_is_masked_once_more(fault: str, more: str) -> None:
    counter = Watched(*filter(None, (more, f"{fault},nth=2")))
    number = counter.send("00B207280B")
    counter.send("0084000008", SSSE, "00B207280B", "0084000008", "00B207280B", SSSE)
    assert any(table.get("kind") == "repeat" for table in counter.tables)
    assert number[2:-2].hex().upper() not in counter.text


def in_environment() -> PersonalData:
    """Of a card whose social security environment was selected; SFI 8 of DF04 has records without tags."""
    people = PersonalData()
    people.seen(bytes.fromhex(SSSE), b"\x90\x00")
    return people


def test_a_garbled_tag_opens_nothing() -> None:
    """07 is one bit from 06 and from 03, which may be seen."""
    people = in_environment()
    for tag in ("06", "03", "02"):
        answer = bytes.fromhex(f"{tag}09413030303030303131" + "9000")
        told, masked = people.masked(Exchange(bytes.fromhex("00B207280B"), answer, ""))
        assert (told.answer.hex(), masked) == (f"{tag}09" + "00" * (len(answer) - 4) + "9000", True)


@pytest.mark.parametrize(
    ("command", "answer", "told"),
    [
        ("00B2062806", "060420300914", "060420300914"),
        ("00B2061C06", "060420300914", "060400000000"),  # EF03's, whatever that is
        ("00B2012D00", "02013303043330303006042030091407024131", "02010003040000000006040000000007020000"),
        ("00B2014400", "0203202611250841", "00" * 8),
        ("00B2012C00", "6228480012345678", "00" * 8),  # no record at all
        ("00B2012C00", "0709" + "41" * 8, "0709" + "00" * 8),  # cut off
        ("00B0870004", "51010020", "00000000"),
    ],
    ids=["validity", "another file's 06", "several records", "a cyclic record", "no record", "half a record", "binary"],
)
def test_what_may_be_seen_of_records(command: str, answer: str, told: str) -> None:
    seen, _ = in_environment().masked(Exchange(bytes.fromhex(command), bytes.fromhex(answer + "9000"), ""))
    assert seen.answer.hex().upper() == told + "9000"


def test_reports_hide_as_much() -> None:
    number = bytes.fromhex("0709413030303030303131" + "9000")
    balance = bytes.fromhex("0ABCDEF09000")
    trace = [
        Line(b"", bytes.fromhex("3B6D00000081544C908684510151010001")),
        Line(bytes.fromhex("00B207280B"), number),
        Line(bytes.fromhex("0084000008"), number, "not the card's answer: a fault"),
        Line(bytes.fromhex("B026000104"), balance),
        Line(bytes.fromhex("80FA020008" + "0486420975800000"), bytes.fromhex("6108")),
        Line(bytes.fromhex("0084000008"), bytes.fromhex("0011223344556677" + "9000")),
    ]
    text = json.dumps(trace_lines(trace, show_secrets=False))
    for hidden in (number[2:-2].hex().upper(), "0ABC", "86420975", "51010001"):
        assert hidden not in text
    assert "0011223344556677" in text
    assert "0ABCDEF09000" in json.dumps(trace_lines(trace, show_secrets=True))
