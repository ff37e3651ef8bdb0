"""Columns of a terminal: Chinese is as wide as two letters."""

from __future__ import annotations

import pytest

from harness.messages.columns import columns, padded


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
