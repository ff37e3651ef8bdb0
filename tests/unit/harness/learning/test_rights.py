"""What a try could cost: the PIN's tries are asked first, a key is tried once, and what was refused is remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emulator.filesystem.memory.cells import tries_cell
from emulator.security import PIN
from harness.keys.root_keys import RootKeys
from harness.keys.roots import UnknownKey
from harness.keys.spent import SpentError, SpentKeys
from harness.learning import harmless
from harness.learning.harmless import Proof
from harness.learning.learn import Learned, Wanted
from tests.unit.harness.learning.cards import EVERYTHING, chip, learned
from tests.unit.harness.learning.cards import PIN as RIGHT

WRONG = "999999"


def wrong_root(name: str, version: int) -> bytes:
    """A root that no card was made of, for one key alone."""
    if (name, version) != ("RKSSSE", 1):
        raise UnknownKey(name)
    return bytes(16)


def proofs(found: Learned, proof: Proof) -> list[bytes]:
    sent = (command for command, __ in found.reading.exchanges)
    return [one for one in sent if (kind := harmless.kind_of(one)) is not None and kind.proof is proof]


@pytest.mark.parametrize("left", [0, 1, 2])
def test_the_pin_is_not_tried_where_fewer_than_three_tries_are_left(left: int) -> None:
    one = chip("2.00")
    one.image.memory.put(tries_cell(PIN), left)
    one.image.memory.commit()
    found = learned(one, Wanted(pin=RIGHT))
    assert proofs(found, Proof.PIN) == []
    assert found.learning.counters["PIN"] == str(left)
    assert any(str(left) in missing.why for missing in found.learning.not_seen if "PIN" in missing.what)
    assert one.image.memory.counter(tries_cell(PIN)) == left


def test_a_wrong_pin_costs_one_try_and_is_told(tmp_path: Path) -> None:
    one = chip("2.00")
    found = learned(one, Wanted(pin=WRONG, spent=SpentKeys(tmp_path)))
    assert len(proofs(found, Proof.PIN)) == 1
    assert one.image.memory.counter(tries_cell(PIN)) == 2
    (told,) = found.refused
    assert "PIN" in told
    assert "2" in told
    assert WRONG not in found.learning.text()
    assert found.learning.complete


def test_a_wrong_key_costs_one_try_and_none_in_the_next_run(tmp_path: Path) -> None:
    one = chip("3.00")
    wanted = Wanted(keys=RootKeys(wrong_root), spent=SpentKeys(tmp_path))
    found = learned(one, wanted)
    tries = one.image.memory.counter(tries_cell("RKSSSE"))
    assert tries == one.image.layout.keys["RKSSSE"].tries - 1
    assert len(proofs(found, Proof.KEY)) == 1
    assert "RKSSSE" in found.refused[0]
    again = learned(one, wanted)
    assert proofs(again, Proof.KEY) == []
    assert one.image.memory.counter(tries_cell("RKSSSE")) == tries
    assert "RKSSSE" in again.refused[0]


def test_each_right_key_is_proved_once_and_costs_nothing(tmp_path: Path) -> None:
    one = chip("3.00")
    found = learned(one, replace(EVERYTHING, spent=SpentKeys(tmp_path), deep=True))
    ids = [(command[3], command) for command in proofs(found, Proof.KEY)]
    assert found.refused == ()
    layout = one.image.layout
    assert len(ids) <= len(layout.keys)
    assert all(one.image.memory.counter(tries_cell(key.name)) == key.tries for key in layout.keys.values())
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_cannot_be_read_stops_all_proofs(tmp_path: Path) -> None:
    spent = SpentKeys(tmp_path)
    spent.path.write_text("{")
    one = chip("3.00")
    with pytest.raises(SpentError):
        learned(one, replace(EVERYTHING, spent=spent))
    assert all(one.image.memory.counter(tries_cell(key.name)) == key.tries for key in one.image.layout.keys.values())


def test_what_opens_a_file_is_told_as_far_as_it_was_tried() -> None:
    with_all = {one.path: one.read for one in learned(chip("3.00"), EVERYTHING).learning.files}
    assert with_all["SSSE/EF05"] == "free"
    assert with_all["SSSE/EF06"] == "RKSSSE"
    assert with_all["DF01/EF05"] == "PIN or RK1DF01"
    assert with_all["DF04/EF06"] == "PIN and RK1DF04"
    assert with_all["CERT/EF13"] == "refused"
    with_pin = {one.path: one.read for one in learned(chip("3.00"), Wanted(pin=RIGHT)).learning.files}
    assert with_pin["DF01/EF05"] == "PIN"
    assert with_pin["SSSE/EF06"] == "refused"
