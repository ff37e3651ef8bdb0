"""``sscard compare`` with cards in readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.readers.connection import Pcsc
from tests.kit.served import serving, sscard

pytestmark = pytest.mark.pcsc
OWN = """
extends = "3.00"
schema = 1
name = "own"
[habits.status]
"B2:6A83" = "6A82"
[file."SSSE/EF05".item.07]
length = 12
"""


def test_cards_in_readers_are_held_against_each_other_and_against_others(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, encoding="utf-8")
    with serving("--persona", "adult-chengdu", "--persona", "adult-chengdu", cards=2) as served:
        first, second = served.readers
        assert "0 differences" in sscard("compare", first, second)
        assert "0 differences" in sscard("compare", f"reader:{second}", "adult-chengdu")
        found = json.loads(sscard("compare", first, "adult-chengdu", "--layout", str(own), "--json", expect=1))
        assert [(one["kind"], one["where"], one["before"], one["after"]) for one in found["differences"]] == [
            ("item", "SSSE/EF05/07", "9", "12"),
            ("habit", 'habits.status."B2:6A83"', "as usual", "6A82"),
        ]
        with Pcsc(first) as connection:
            assert connection.send(bytes.fromhex("0084000008"))[-2:] == b"\x90\x00", "nothing holds the card any more"
        sscard("compare", "reader:nowhere", "adult-chengdu", expect=3)


def test_what_names_no_card_is_told_before_any_card_is_asked() -> None:
    with serving("--persona", "adult-chengdu") as served:
        sscard("compare", served.readers[0], "nobody", expect=2)
