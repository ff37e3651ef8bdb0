"""Functions of makers' libraries that are not there are named, and none that is there is said not to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.driver.absent import ABSENT, unsupported
from harness.driver.codes import Code
from harness.driver.interface import EXPORTED, FUNCTIONS

DOCS = Path(__file__).parents[4] / "docs"


def test_what_is_absent_is_not_there_and_what_there_is_instead_is() -> None:
    assert not set(ABSENT) & (set(FUNCTIONS) | set(EXPORTED))
    assert {one.instead for one in ABSENT.values() if one.instead} <= set(EXPORTED)
    assert {"iGetCardType", "iReadCardNo"} <= set(ABSENT)


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_whoever_calls_one_is_told_why_and_what_there_is(name: str) -> None:
    error = unsupported(name)
    assert error.code == Code.UNSUPPORTED
    assert f"{name} is not there" in error.text
    assert ABSENT[name].instead in error.text


def test_another_name_is_told_as_ever() -> None:
    assert "is not there" not in unsupported("iMakeCoffee").text


@pytest.mark.parametrize("page", ["absent.md", "absent.zh-CN.md"])
def test_each_stands_in_the_documentation(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [name for name in ABSENT if f"`{name}`" not in text] == []
