"""What a card has refused is noted on this machine, so that no try is spent on it again."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.keys.spent import FILE, Refusal, SpentError, SpentKey, SpentKeys, state_folder

CARD = bytes.fromhex("5199D1560000050102030405A1B2C3D4")
OTHER = bytes.fromhex("5199D1560000050102030405A1B2C3D5")


def test_nothing_was_refused_where_there_is_no_note(tmp_path: Path) -> None:
    assert SpentKeys(tmp_path).refused(CARD) == {}
    assert list(tmp_path.iterdir()) == []


def test_what_a_card_refused_is_known_in_the_next_run_and_of_no_other_card(tmp_path: Path) -> None:
    SpentKeys(tmp_path).note(CARD, "RKSSSE", 2)
    again = SpentKeys(tmp_path)
    assert list(again.refused(CARD)) == ["RKSSSE"]
    assert again.refused(CARD)["RKSSSE"].left == 2
    assert again.refused(OTHER) == {}
    with pytest.raises(SpentKey, match="RKSSSE") as told:
        again.check(CARD, "RKSSSE")
    assert str(again.path) in str(told.value)
    again.check(CARD, "UKSSSE")
    again.check(OTHER, "RKSSSE")


def test_a_refusal_that_is_taken_out_lets_its_neighbours_stay(tmp_path: Path) -> None:
    spent = SpentKeys(tmp_path)
    spent.note(CARD, "RKSSSE", 2)
    spent.note(CARD, "PIN", None)
    spent.forget(CARD, "RKSSSE")
    assert [(name, one.left) for name, one in spent.refused(CARD).items()] == [("PIN", None)]
    spent.forget(CARD, "PIN")
    assert json.loads(spent.path.read_text())["cards"] == {}


def test_a_mended_key_may_be_tried_and_the_refused_one_never_again(tmp_path: Path) -> None:
    spent, wrong, right = SpentKeys(tmp_path), b"\x11" * 16, b"\x22" * 16
    spent.note(CARD, "RKSSSE", 2, wrong)
    with pytest.raises(SpentKey):
        spent.check(CARD, "RKSSSE", wrong)
    spent.check(CARD, "RKSSSE", right)
    with pytest.raises(SpentKey):
        spent.check(CARD, "RKSSSE")  # whoever says no value tries nothing
    spent.note(CARD, "RKSSSE", 1, b"\x33" * 16)
    with pytest.raises(SpentKey, match="1 tries"):
        spent.check(CARD, "RKSSSE", right)  # a failure would leave no try
    spent.accepted(CARD, "RKSSSE")
    spent.check(CARD, "RKSSSE", right)
    for refused in (wrong, b"\x33" * 16):
        with pytest.raises(SpentKey):
            spent.check(CARD, "RKSSSE", refused)


def test_of_a_pin_too_little_is_kept_to_find_it(tmp_path: Path) -> None:
    spent = SpentKeys(tmp_path)
    spent.note(CARD, "PIN", 2, b"\x12\x34\x56")
    text = spent.path.read_text()
    (kept,) = spent.refused(CARD)["PIN"].values
    assert len(bytes.fromhex(kept)) == 1
    assert "123456" not in text
    with pytest.raises(SpentKey):
        spent.check(CARD, "PIN", b"\x12\x34\x56")


def test_the_note_holds_nothing_of_the_card_and_is_this_users_alone(tmp_path: Path) -> None:
    spent = SpentKeys(tmp_path / "state")
    spent.note(CARD, "RKSSSE", 2)
    text = spent.path.read_text().lower()
    for start in range(0, len(CARD) - 3):
        assert CARD[start : start + 4].hex() not in text
    if sys.platform != "win32":
        assert spent.path.stat().st_mode & 0o077 == 0
    other = SpentKeys(tmp_path / "elsewhere")
    other.note(CARD, "RKSSSE", 2)
    assert list(json.loads(other.path.read_text())["cards"]) != list(json.loads(spent.path.read_text())["cards"])


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"schema": 2, "salt": "00", "cards": {}}', '{"schema": 1, "salt": "00", "cards": {}}',
        '{"schema": 1, "salt": "00000000000000000000000000000000", "cards": {"a": {"b": 1}}}',
        '{"schema": 1, "salt": "00000000000000000000000000000000", "cards": {"a": 1}}',
    ],
)  # fmt: skip
def test_a_note_that_cannot_be_understood_stops_all_tries(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    spent = SpentKeys(tmp_path)
    acts: tuple[Callable[[], None], ...] = (
        lambda: spent.check(CARD, "RKSSSE"),
        lambda: spent.note(CARD, "RKSSSE", 2),
        lambda: spent.forget(CARD, "RKSSSE"),
    )
    for act in acts:
        with pytest.raises(SpentError, match=FILE):
            act()
    assert (tmp_path / FILE).read_text() == text


def test_a_note_that_cannot_be_written_says_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpentError, match="SSCARD_STATE"):
        SpentKeys(tmp_path / "file").note(CARD, "RKSSSE", 2)


def test_notes_of_runs_at_one_time_are_all_kept(tmp_path: Path) -> None:
    names = [f"UK{number}DF01" for number in range(12)]
    threads = [threading.Thread(target=SpentKeys(tmp_path).note, args=(CARD, name, 2)) for name in names]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(SpentKeys(tmp_path).refused(CARD)) == sorted(names)


def test_the_folder_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path))
    assert state_folder() == tmp_path
    assert SpentKeys().path.parent == tmp_path
    monkeypatch.delenv("SSCARD_STATE")
    assert state_folder().name == "sscard"


def test_a_refusal_says_when_it_was() -> None:
    assert "2026-11-26" in str(SpentKey("PIN", Refusal(2, "2026-11-26"), Path("note")))
