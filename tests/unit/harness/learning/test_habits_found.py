"""Cards with one habit each: learning finds that habit again, and says nothing else of the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.layouts.changes import habits_of
from emulator.filesystem.memory.cells import tries_cell
from emulator.security import PIN
from harness.learning.learn import Learned, Wanted, learn
from harness.readers.connection import InProcess

OWN = 'extends = "3.00"\nschema = 1\nname = "own"\n'
HABITS = {
    "a record that is not there": '[habits.status]\n"B2:6A83" = "6A82"\n',
    "an instruction that is there": '[habits.status]\n"00CA9Fxx:6D00" = "6A88"\n',
    "one file": '[habits.status]\n"SSSE/EF06 B2:6982" = "6985"\n',
    "the tries are not told": '[habits.status]\n"20:63Cx" = "6700"\n',
    "parameters last, of challenges": '[habits.before]\n"84 length" = "parameters"\n',
    "whole records for 00": '[habits.le.B2]\nzero = "whole"\n',
    "challenges of eight": "[habits]\nchallenge = [8]\n",
    "SELECT answers at once": '[habits.waiting]\nA4 = "at once"\n',
    "no siblings": '[habits.selection]\nsibling = "6A82"\n',
}


def learned(tmp_path: Path, text: str, wanted: Wanted | None = None) -> tuple[Learned, Chip]:
    path = tmp_path / "own.toml"
    path.write_text(OWN + text, encoding="utf-8")
    chip = Chip(catalogue.card("adult-chengdu", path))
    return learn(InProcess(chip), wanted or Wanted()), chip


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_is_found_as_the_one_difference(tmp_path: Path, name: str) -> None:
    found, chip = learned(tmp_path, HABITS[name])
    ((key, value),) = habits_of(chip.image.layout.table).items()
    assert [(one.where, one.before, one.after) for one in found.learning.differences] == [(key, None, value)]
    assert not found.learning.unexpressed


def test_a_card_that_does_not_tell_its_tries_is_never_given_the_pin(tmp_path: Path) -> None:
    found, chip = learned(tmp_path, HABITS["the tries are not told"], Wanted(pin="123456"))
    proved = [one for one, __ in found.reading.exchanges if one[1] == 0x20 and len(one) > 5]
    assert proved == []
    assert any("the PIN is tried only while" in one.why for one in found.learning.not_seen)
    assert chip.image.memory.counter(tries_cell(PIN)) == 3
