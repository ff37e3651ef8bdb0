"""Words of a line: which step they mean on a card, and what is said of those that mean none."""

from __future__ import annotations

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.paths import ItemPath
from harness.conformance.models import (
    Action,
    AskPin,
    Authenticate,
    By,
    Challenge,
    Given,
    Read,
    Reset,
    Select,
    Tpdu,
    Update,
    VerifyPin,
)
from harness.console import words
from harness.console.words import WordError

LAYOUT = catalogue.layout("3.00")
NAME = ItemPath("SSSE/EF06", "09")


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("select SSSE", Select("SSSE")),
        ("SELECT df03", Select("DF03")),
        ("auth RKSSSE", Authenticate("RKSSSE")),
        ("authenticate rksssE 1", Authenticate("RKSSSE", 1)),
        ("read SSSE/EF06/09", Read(NAME)),
        ("read ef06/09 number", Read(NAME, By.NUMBER)),
        ("update EF06/09 测试 甲", Update(item=NAME, value="测试 甲")),
        ("update EF06/09", Update(item=NAME)),
        ("verify", VerifyPin(Given.RIGHT)),
        ("verify wrong", VerifyPin(Given.WRONG)),
        ("tries", AskPin(True)),
        ("challenge", Challenge(8)),
        ("challenge 16", Challenge(16)),
        ("reset", Reset(True)),
        ("00A4 0000 023F00", Tpdu("00A40000023F00")),
        ("00:a4:00:00:02:3f:00", Tpdu("00A40000023F00")),
    ],
)
def test_a_line_is_a_step(line: str, action: Action) -> None:
    assert words.parsed(line, LAYOUT) == action


def test_an_items_path_begins_in_the_current_application() -> None:
    assert words.parsed("read EF05/61", LAYOUT, "DF03") == Read(ItemPath("DF03/EF05", "61"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("selct SSSE", 'did you mean "select"?'),
        ("select SSE", 'did you mean "SSSE"?'),
        ("select", "expected an application"),
        ("select SSSE DF03", "nothing was expected after it, found 'DF03'"),
        ("auth RKSSE", 'did you mean "RKSSSE"?'),
        ("auth RKSSSE 9", "expected a number from 1 to 3"),
        ("read EF06/0A9", "has no item"),
        ("read SSSE/EF66/09", 'did you mean "SSSE/EF06/09"?'),
        ("read", "expected an item"),
        ("challenge 7", "expected 4, 8 or 16 bytes"),
        ("reset now", "nothing was expected after it"),
        ("00A4", "unknown word"),
    ],
)
def test_a_line_that_is_none_says_what_was_expected(line: str, said: str) -> None:
    with pytest.raises(WordError, match=said.replace("?", r"\?")):
        words.parsed(line, LAYOUT)


def test_what_may_be_a_pin_is_not_quoted() -> None:
    with pytest.raises(WordError) as refused:
        words.parsed("verify 246813", LAYOUT)
    assert "246813" not in str(refused.value)


def test_tab_completes_words_applications_keys_and_items() -> None:
    assert words.completions([], "se", LAYOUT) == ["select"]
    assert words.completions(["select"], "ss", LAYOUT) == ["SSSE"]
    assert "RKSSSE" in words.completions(["auth"], "RK", LAYOUT)
    assert words.completions(["read"], "SSSE/EF06/09", LAYOUT) == ["SSSE/EF06/09"]
    assert "EF06/09" in words.completions(["read"], "EF06/0", LAYOUT)
    assert words.completions(["reset"], "", LAYOUT) == []


@pytest.mark.parametrize("line", ["select SSSE", "auth RKSSSE", "read EF06/09", "verify", "reset"])
def test_a_history_keeps_what_says_nothing_of_a_person(line: str) -> None:
    assert words.quiet(line)


@pytest.mark.parametrize("line", ["update EF06/09 测试甲", "0020000003123456", "00DC092020", "123456", ""])
def test_and_nothing_that_may(line: str) -> None:
    assert not words.quiet(line)
