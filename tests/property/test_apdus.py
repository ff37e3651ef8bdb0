"""Tens of thousands of random and mutated commands: none raises, answers too little, or costs what it should not."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import catalogue
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.apdu.transport import follow
from emulator.chip import Chip, Exchange
from harness.campaign import effects
from harness.campaign.chance import SEEDS, mutated
from harness.campaign.effects import Cells
from tests.kit.cards import SSSE, VERIFY, Card, new_card
from tests.kit.sampled import DEEP

MUTATED = 1_000_000 if DEEP else 15_000
EXAMPLES = 20_000 if DEEP else 600


class Faults:
    """Keeps what should never be."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []

    def exchanged(self, exchange: Exchange) -> None:
        if exchange.failure:
            self.seen.append(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        pass


def check(card: Card, command: bytes, before: Cells) -> Cells:
    """Sends one command and holds the card's memory against what it was; gives what it is."""
    answer = card.chip.transmit(command)
    after = card.chip.image.memory.snapshot()
    assert effects.wrong(command, answer, before, after) == "", command.hex()
    return after


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("layout", "algorithm"), [("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]
)
def test_mutated_commands(layout: str, algorithm: str) -> None:
    rng = random.Random(f"{layout} {algorithm}")
    original = new_card(layout, algorithm).chip.image
    faults = Faults()
    card = new_card(layout, algorithm)
    for number in range(MUTATED):
        if number % 500 == 0:
            # A fresh card, or all its keys would soon be locked; half of them with rights to lose.
            card = Card(type(card.chip)(original.fork(), observer=faults))
            card.chip.power_on()
            card.ok(SSSE)
            if number % 1000:
                card.ok(VERIFY)
                card.authenticate("UKSSSE")
                card.authenticate("PUK")
        check(card, mutated(rng, rng.choice(SEEDS), SEEDS), card.chip.image.memory.snapshot())
    assert faults.seen == []


PSAM_SEEDS = [bytes.fromhex(one) for one in (
    SSSE, "00A4040006D15600000590", "BFEC000001" + "51", "BFDE481218" + "11" * 24, "BFDE670820" + "22" * 32,
    "BFDE284110" + "33" * 16, "80FA000008" + "44" * 8, "80FA050010" + "55" * 16, "80FA070010" + "66" * 16,
    "80FA010008" + "77" * 8, "80FA030008" + "88" * 8, "8070010024" + "00" * 26 + "0101" + "99" * 8,
    "8072000004AABBCCDD", "00B0960006", "00D6960006" + "11" * 6, "0084000008", "0082000110" + "00" * 16, "00C0000008",
)]  # fmt: skip


@pytest.mark.timeout(3600)
def test_mutated_commands_to_a_psam() -> None:
    rng = random.Random("psam")
    faults = Faults()
    card = Card(Chip(catalogue.card("psam", "psam", "3des"), observer=faults))
    card.chip.power_on()
    for _ in range(MUTATED):
        check(card, mutated(rng, rng.choice(PSAM_SEEDS), SEEDS), card.chip.image.memory.snapshot())
    assert faults.seen == []


headers = st.sampled_from([(cla, kind.ins) for kind in INSTRUCTIONS for cla in (kind.cla, *kind.secured)])


@st.composite
def commands(draw: st.DrawFn) -> bytes:
    """Anything from noise to nearly right."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=300))
    cla, ins = draw(headers)
    data = draw(st.binary(max_size=40))
    raw = bytes((cla, ins, draw(st.integers(0, 255)), draw(st.integers(0, 255)))) + (
        bytes((len(data),)) + data if data else b""
    )
    return raw + (bytes((draw(st.integers(0, 255)),)) if draw(st.booleans()) else b"")


@pytest.mark.timeout(3600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(commands(), min_size=1, max_size=12), st.booleans())
def test_any_sequence(sequence: list[bytes], enter: bool) -> None:
    card = new_card()
    faults = card.chip.observer = Faults()
    if enter:
        card.ok(SSSE)
    before: Cells = card.chip.image.memory.snapshot()
    for command in sequence:
        before = check(card, command, before)
        follow(card.chip.transmit, command)
        before = card.chip.image.memory.snapshot()
    assert faults.seen == []
    card.chip.reset()
    assert card.send(SSSE) == "611E", "it lives on"
