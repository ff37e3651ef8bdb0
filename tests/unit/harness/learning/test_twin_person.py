"""The made-up person that a learning writes: valid, and with the layout the twin that is learned as the card was."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.own_personas import check
from harness.learning import outputs
from harness.learning.learn import Wanted
from tests.unit.harness.learning.cards import EVERYTHING, chip, learned
from tests.unit.harness.learning.test_privacy import altered


def twin_of(one: Chip, tmp_path: Path, wanted: Wanted, shape: str = "t0") -> None:
    """Learns a card, makes its twin of what was written, and learns that: the same, but for times."""
    found = learned(one, wanted)
    person = outputs.persona(found)
    assert person is not None
    assert found.layout is not None
    assert person.findings == ()
    file = tmp_path / "persona.toml"
    file.write_text(person.text, encoding="utf-8")
    assert not check.check(str(file), [found.layout]).findings
    twin = Chip(catalogue.card(file, found.layout, found.learning.algorithm), apdu_shape=shape == "apdu")
    again = learned(twin, wanted)
    assert again.learning.likeness() == found.learning.likeness()
    written = outputs.of(again, mark="one").files  # of the same seed, and nobody's values but the twin's to be avoided
    outputs.searched({name: text.encode() for name, text in written.items()}, again)


@pytest.mark.parametrize(
    ("holder", "layout", "algorithm", "shape"),
    [
        ("adult-chengdu", "3.00", "sm4", "apdu"),
        ("adult-mianyang", "2.00", "3des", "t0"),
        ("centenarian", "1.00", "3des", "t0"),
        ("child-guardian", "regional", "3des", "t0"),
        ("long-name", "1.00-whole", "3des", "apdu"),
    ],
)
def test_the_twin_of_layout_and_person_is_learned_as_the_card_was(
    tmp_path: Path, holder: str, layout: str, algorithm: str, shape: str
) -> None:
    twin_of(chip(layout, algorithm, shape, holder), tmp_path, EVERYTHING, shape)


@pytest.mark.parametrize("wanted", [EVERYTHING, Wanted()], ids=["with keys", "without"])
def test_so_is_the_twin_of_a_card_with_files_and_items_of_its_own(tmp_path: Path, wanted: Wanted) -> None:
    twin_of(altered(), tmp_path, wanted)


def test_the_person_has_the_city_and_nothing_else_of_the_chip() -> None:
    found = learned(chip("3.00", persona="adult-mianyang"))
    person = outputs.persona(found)
    assert person is not None
    assert person.table["chip"]["region"] == "510700"
    assert person.table["chip"]["serial"] != catalogue.persona("adult-mianyang").serial.hex().upper()
