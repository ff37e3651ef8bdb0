"""Functions of makers' libraries that are not there are named, and none that is there is said not to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.messages import _, spoken
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
    assert error.text.endswith(ABSENT[name].why), "and nothing is cut off"
    with spoken("zh"):
        assert unsupported(name).text.endswith(_(ABSENT[name].why))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("iReadCardBas_HSM_Step1To2", "iReadCardBas_HSM_Step2 is: it asks a maker's host"),
        ("iReloadPIN_HSM_Step2_to_3", "iReloadPIN_HSM_Step3 is: it asks a maker's host"),
        ("iDoDebit_HSM_Step1toStep2", "iDoDebit_HSM_Step2 is: it asks a maker's host"),
        ("iUnblockPIN_HSM_Step2tostep3", "iUnblockPIN_HSM_Step3 is: it asks a maker's host"),
        ("ICC_Reader_Application", "over PC/SC"),
        ("ICC_verify", "over PC/SC"),
        ("iSendCpuApdu", "over PC/SC"),
        ("iCommDoDebit", "iDoDebit is: it asks a maker's host"),
    ],
)
def test_kinds_of_names_are_told_too(name: str, told: str) -> None:
    assert told in unsupported(name).text


def test_another_name_is_told_as_ever() -> None:
    assert "is not there" not in unsupported("iMakeCoffee").text
    assert "is not there" not in unsupported("iMakeCoffee_HSM_Step1To2").text


@pytest.mark.parametrize("page", ["absent.md", "absent.zh-CN.md"])
def test_each_stands_in_the_documentation(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [name for name in ABSENT if f"`{name}`" not in text] == []
