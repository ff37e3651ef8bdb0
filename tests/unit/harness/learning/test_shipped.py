"""A card of a layout that comes with us is learned as that layout, and its twin answers as it did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from harness.learning import harmless
from harness.learning.learn import Learned
from tests.kit.sampled import sampled
from tests.unit.harness.learning.cards import EVERYTHING, KINDS, PIN, Kind, chip, differences, learned

BESIDE = {
    "generator": {"application.SSSE.tells_algorithm"},
    "regional": {'file."SSSE/EF0C"', 'file."SSSE/EF0D"'},
}
"""Where layouts that are not national ones differ from the one that they extend, as far as a card shows it."""
NEAREST = {"generator": "2.00", "regional": "3.00"}


def expected(kind: Kind) -> set[str]:
    return BESIDE.get(kind.layout, set()) | ({"algorithms"} if kind.algorithm == "sm4" else set())


@pytest.mark.parametrize("kind", sampled(KINDS, 5), ids=str)
def test_a_shipped_layout_is_found_with_nothing_beside_it(kind: Kind) -> None:
    found = learned(chip(kind.layout, kind.algorithm, kind.shape), EVERYTHING)
    learning = found.learning
    assert learning.nearest == NEAREST.get(kind.layout, kind.layout)
    assert set(differences(found)) == expected(kind)
    assert learning.unexpressed == ()
    assert learning.habits == {}
    assert (learning.version, learning.algorithm) == (catalogue.layout(kind.layout).version, kind.algorithm)
    assert learning.reader.shape == kind.shape
    assert learning.counters == {"PIN": "3"}


@pytest.mark.parametrize("kind", sampled(KINDS, 5), ids=str)
def test_learning_the_twin_gives_the_same_learning(kind: Kind) -> None:
    found = learned(chip(kind.layout, kind.algorithm, kind.shape), EVERYTHING)
    assert found.layout is not None
    twin = Chip(catalogue.card(personas.DEFAULT, found.layout, kind.algorithm), apdu_shape=kind.shape == "apdu")
    again = learned(twin, EVERYTHING)
    assert again.learning.likeness() == found.learning.likeness()


def kinds_sent(found: Learned) -> set[harmless.Allowed | None]:
    return {harmless.kind_of(command) for command, __ in found.reading.exchanges}


def test_every_command_of_a_deep_learning_is_on_the_list() -> None:
    kinds = kinds_sent(learned(chip("3.00"), replace(EVERYTHING, deep=True)))
    assert None not in kinds
    assert kinds == set(harmless.ALLOWED), "nothing stands on the list that is not needed"


def test_nothing_is_proved_that_was_not_given() -> None:
    kinds = kinds_sent(learned(chip("3.00")))
    assert None not in kinds
    assert [one.name for one in kinds if one and one.proof] == []


def test_a_learning_changes_nothing_in_the_card() -> None:
    one = chip("3.00")
    before = one.image.to_text()
    learned(one, EVERYTHING)
    assert one.image.to_text() == before


def test_no_value_of_the_card_is_in_what_is_learned() -> None:
    found = learned(chip("3.00"), EVERYTHING)
    text = found.learning.text()
    for records in found.reading.records.values():
        for record in records:
            value = record[2:].hex().upper()
            if len(value) > 8 and len(set(value)) > 3:
                assert value not in text
    assert PIN not in text
    assert found.reading.atr[-4:].hex().upper() not in text
