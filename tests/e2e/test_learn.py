"""A card in a reader learned through pcscd, and the twin that is run from what was written learned again."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from harness.learning import observation
from tests.kit.sampled import sampled
from tests.kit.served import ended, serving

pytestmark = pytest.mark.pcsc

KINDS = sampled([("3.00", "sm4"), ("1.00", "3des"), ("2.00", "3des")], 3)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize(("layout", "algorithm"), KINDS)
def test_a_card_and_its_twin_are_learned_alike(layout: str, algorithm: str, tmp_path: Path) -> None:
    card, twin = tmp_path / "card", tmp_path / "twin"
    of_twin = (str(card / "persona.toml"), str(card / "layout.toml"))
    learned = [
        learning(of_one, algorithm, folder) for of_one, folder in ((("adult-chengdu", layout), card), (of_twin, twin))
    ]
    assert learned[0].nearest == layout
    assert {one.where for one in learned[0].differences} == ({"algorithms"} if algorithm == "sm4" else set())
    assert learned[0].unexpressed == ()
    assert learned[1].likeness() == learned[0].likeness()


def learning(holder: tuple[str, str], algorithm: str, folder: Path) -> observation.Learning:
    """What is learned of a card that is run for it alone."""
    persona, layout = holder
    atr = catalogue.card(persona, layout, algorithm).atr.hex().upper()
    with serving("--persona", persona, "--layout", layout, "--algorithm", algorithm) as served:
        proofs = ("--keys", "test", "--pin", "123456")
        ended("learn", "--reader", served.readers[0], "--card", atr, "-o", str(folder), *proofs)
    return observation.load(folder)
