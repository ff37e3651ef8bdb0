"""Columns of a terminal: Chinese is as wide as two letters."""

from __future__ import annotations

import pytest

from harness.messages.columns import columns, padded, wrapped


@pytest.mark.parametrize(
    ("text", "taken"),
    [("", 0), ("card", 4), ("社保卡", 6), ("卡 card", 7), ("（挂失）", 8), ("e\u0301", 1), ("ｆｕｌｌ", 8), ("½·…", 3)],
)
def test_a_text_takes_as_many_columns_as_a_terminal_gives_it(text: str, taken: int) -> None:
    assert columns(text) == taken


@pytest.mark.parametrize("text", ["card", "社保卡", "卡 card"])
def test_what_follows_a_padded_text_stands_in_one_column(text: str) -> None:
    assert columns(padded(text, 10)) == 10
    assert padded(text, 10).rstrip() == text


def test_a_text_that_is_too_long_is_left_whole() -> None:
    assert padded("社会保障卡", 6) == "社会保障卡"


def test_a_line_ends_after_any_chinese_character_and_never_before_its_punctuation() -> None:
    assert wrapped("读取卡片，然后写入。", 8) == ["读取卡", "片，然后", "写入。"]


def test_an_opening_bracket_stands_with_what_it_opens() -> None:
    assert wrapped("已经挂失（临时）", 10) == ["已经挂失", "（临时）"]


def test_a_square_bracket_stands_with_the_chinese_that_it_holds() -> None:
    assert wrapped("用卡[卡槽]", 9) == ["用卡[卡", "槽]"]
    assert wrapped("用卡[卡槽]", 5) == ["用卡", "[卡", "槽]"]


def test_a_word_among_chinese_stays_whole() -> None:
    assert wrapped("加--reader：读卡器", 12) == ["加--reader：", "读卡器"]


def test_a_text_of_words_alone_is_wrapped_at_its_spaces() -> None:
    assert wrapped("a card  in\na reader", 9) == ["a card in", "a reader"]


def test_a_word_that_is_longer_than_a_line_is_broken() -> None:
    assert wrapped("卡 3B6D00000081 好", 6) == ["卡", "3B6D00", "000081", "好"]


@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_no_character_of_a_text_is_lost_however_narrow_the_lines_are(width: int) -> None:
    text = "退出码：0成功；1失败，或被卡拒绝（“63C2”）；130按Ctrl-C提前结束……完"
    assert "".join(wrapped(text, width)) == "".join(text.split())
    assert all(columns(line) <= max(width, 2) for line in wrapped(text, width))
