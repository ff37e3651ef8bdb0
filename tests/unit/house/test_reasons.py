"""Why a card refused: English in what programs read, in the user's language where people are told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import messages
from emulator.apdu.command import ResponseAPDU
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.apdu.status import describe
from emulator.chip import Exchange
from emulator.messages.reasons import HOLE, why
from harness.cli import main
from harness.trace import read
from harness.trace.record import TraceFile
from harness.trace.show import Reader
from scripts import messages as catalogue
from tests.kit.cards import HOME, WRONG_PIN, Card, new_card
from tests.unit.house.test_translations import sentences

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TEMPLATES = sorted({text for text, _place in catalogue.reasons()})


@pytest.fixture
def chinese() -> Iterator[None]:
    with messages.in_language(messages.CHINESE):
        yield


def filled(template: str) -> str:
    """A reason of a template: its values are names and numbers."""
    return HOLE.sub(lambda hole: f"{len(hole[1]):02X}", template)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_reason_is_told_by_its_own_template(template: str) -> None:
    told = why(filled(template))
    assert told == HOLE.sub(lambda hole: f"{len(hole[1]):02X}", messages._(template))
    assert CHINESE.search(told) or "MAC" in told
    assert sentences(told) == []


@pytest.mark.parametrize("language", [messages.ENGLISH, messages.BOTH])
def test_in_english_a_reason_stands_as_it_is(language: str) -> None:
    with messages.in_language(language):
        assert [why(filled(one)) for one in TEMPLATES] == [filled(one) for one in TEMPLATES]


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", ""),
        ("what no card of ours says", "what no card of ours says"),
        (
            "updating SSSE/EF05 needs UKSSSE or PIN; rights won: none",
            "更新SSSE/EF05需要UKSSSE 或 PIN；已获权限：无",
        ),
        ("3 bytes of data came, INTERNAL AUTHENTICATION takes 8 to 248 by 8", None),
        ("P1 P2 is 0107, expected SFI 0 to 30 and mode 0 to 4 in P2", "P1 P2为0107，应为P2为SFI 0至30和方式0至4"),
        ("the enciphered data are not right under LK: padding is not 80 00…", None),
    ],
)
def test_the_parts_of_a_reason_are_told_too(reason: str, told: str | None) -> None:
    found = why(reason)
    assert told is None or found == told
    assert told == reason or not re.search("[a-z]{2,}", found)


@pytest.mark.usefixtures("chinese")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("reason", ["a b needs " * 99, "a b needs " * 2000, "the MAC is not right under " * 2000 + "X"])
def test_a_reason_made_to_be_taken_apart_for_ever_is_told_at_once(reason: str) -> None:
    assert why(reason).count("needs") <= reason.count("needs")


class _Notes:
    """Keeps what a chip tells of its commands."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def exchanged(self, exchange: Exchange) -> None:
        """Keeps one."""
        self.exchanges.append(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        """A reset says nothing of a reason."""
        del event, atr


def refusals(one: Card) -> dict[str, int]:
    """The reasons of a card's answers to every command in many forms, and the status word of each."""
    notes = _Notes()
    one.chip.observer = notes
    tails = ("", "00", "02", "023F01", "0861626364656667FF", "0C03610101")
    for home in (HOME["MF"], HOME["SSSE"], HOME["DF03"]):
        for kind, p1p2, tail in product(INSTRUCTIONS, ("0000", "0001", "0104", "0C2C", "8540", "FFFF"), tails):
            one.send(home)
            for cla in (kind.cla, *kind.secured):
                one.send(f"{cla:02X}{kind.ins:02X}{p1p2}{tail}")
    one.send("FF00000000")
    one.send(WRONG_PIN)
    return {told.reason: ResponseAPDU.parse(told.answer).sw for told in notes.exchanges}


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("persona", "layout"),
    [("adult-chengdu", "3.00"), ("blank", "3.00"), ("application-blocked", "2.00"), ("psam", "psam")],
)
def test_what_a_card_gives_as_reasons_is_told_in_chinese(persona: str, layout: str) -> None:
    found = refusals(new_card(layout, persona=persona))
    english = {reason: why(reason) for reason, sw in found.items() if reason != describe(sw)[0]}
    assert len(english) > 20
    assert {one: told for one, told in english.items() if not CHINESE.search(told) or sentences(told)} == {}


@pytest.mark.usefixtures("chinese")
def test_a_trace_keeps_reasons_in_english_and_is_shown_in_chinese(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with TraceFile(path) as trace:
        one = new_card()
        one.chip.observer = trace.slot(0, one.chip.image)
        one.send("00FF000000")
    (event,) = [each for each in read.events(path) if each.kind is read.EventKind.APDU]
    assert event.reason == "CLA 00 has no INS FF"
    words = Reader(read.layout_of(path))
    assert any("CLA 00下没有INS FF" in line for each in read.events(path) for line in words.lines(each))


@pytest.mark.parametrize(
    ("language", "meaning", "reason"),
    [("zh", "INS不支持", "CLA 00下没有INS FF"), ("en", "unknown instruction", "CLA 00 has no INS FF")],
)
def test_a_command_is_told_in_the_language_that_is_asked_for(language: str, meaning: str, reason: str) -> None:
    lines = CliRunner().invoke(main, ["--lang", language, "apdu", "00FF000000", "--json"]).stdout.splitlines()
    row = json.loads(lines[-1])
    assert (row["sw"], row["meaning"], row["reason"]) == ("6D00", meaning, reason)
