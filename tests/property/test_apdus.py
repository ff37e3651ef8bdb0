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
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN, Card, new_card
from tests.kit.sampled import DEEP

MUTATED = 1_000_000 if DEEP else 15_000
EXAMPLES = 20_000 if DEEP else 1_000

SEEDS = [bytes.fromhex(one) for one in (
    SSSE, *DF.values(), VERIFY, WRONG_PIN, "0020000000", "0084000008", "00B2012C12", "00B2072C00", "00B207280B",
    "00B0870000", "00D6870003AABBCC", "00DC05280605042026" + "0101", "00DC003B55" + "00" * 85,
    "0082000410" + "11" * 16, "0088000010" + "22" * 16, "805E010007123456FF654321", "8424000004" + "33" * 4,
    "842400010C" + "44" * 12, "8424000114" + "55" * 20, "00C0000010", "00A4020002EF05", "00A40000023F00",
    "04B2012C04" + "66" * 4, "04DC05280A" + "060420260101" + "77" * 4, "841E000104" + "88" * 4, "8416000004" + "99" * 4,
    "8044000000", "B02800010B" + "01000003E8" + "510100000001", "B02A00000B" + "20261124120000AABBCCDD",
    "B028010113" + "01" + "00" * 12 + "510100000001", "B02C01000F" + "00000001" + "20261124120000" + "AABBCCDD",
    "B026000104", "B02E0002020001", "B0560000020101", "B056010002", "80A80000028300",
)]  # fmt: skip
COUNTING = {0x20, 0x5E, 0x82, 0x24}
"""INS of commands that may touch a counter; others do only under secure messaging."""


class Faults:
    """Keeps what should never be."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []

    def exchanged(self, exchange: Exchange) -> None:
        if exchange.failure:
            self.seen.append(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        pass


def counters(cells: dict[CellKey, Cell]) -> dict[CellKey, Cell]:
    return {name: cell for name, cell in cells.items() if name.kind is CellKind.TRIES}


def check(card: Card, command: bytes, before: dict[CellKey, Cell]) -> dict[CellKey, Cell]:
    """Sends one command and holds the card's memory against what it was; gives what it is."""
    answer = card.chip.transmit(command)
    assert len(answer) >= 2, command.hex()
    after = card.chip.image.memory.snapshot()
    if after == before:
        return after  # nothing changed: whatever was answered, nothing below could be wrong
    ins = command[1] if len(command) > 1 else -1
    sw = answer[-2:].hex().upper()
    secured = len(command) > 5 and command[0] & 0x04
    if ins not in COUNTING and not secured:
        assert counters(after) == counters(before), command.hex()
    if sw != "9000" and sw[:2] != "61":
        same = {name: cell for name, cell in after.items() if name.kind is not CellKind.TRIES}
        assert same == {name: cell for name, cell in before.items() if name.kind is not CellKind.TRIES}, command.hex()
    if sw[:2] in ("67", "6A", "6B", "6D", "6E", "6C") and sw != "6A80":
        assert after == before, command.hex()
    changed = [name for name in after if after[name] != before[name] and name.kind is CellKind.TRIES]
    assert len(changed) <= 1, f"{command.hex()} touched {changed}"
    return after


def mutate(rng: random.Random, command: bytes) -> bytes:
    """One to three small harms."""
    raw = bytearray(command)
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(6)
        if kind == 0 and raw:
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        elif kind == 1 and raw:
            raw[rng.randrange(min(5, len(raw)))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del raw[rng.randrange(len(raw) + 1) :]
        elif kind == 3:
            raw += rng.randbytes(rng.randint(1, 4))
        elif kind == 4 and len(raw) > 4:
            raw[4] = rng.choice((0, 1, 0xFF, len(raw) - 5 & 0xFF))
        else:
            raw[:] = rng.choice(SEEDS)
    return bytes(raw)


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
        check(card, mutate(rng, rng.choice(SEEDS)), card.chip.image.memory.snapshot())
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
        check(card, mutate(rng, rng.choice(PSAM_SEEDS)), card.chip.image.memory.snapshot())
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
    before = card.chip.image.memory.snapshot()
    for command in sequence:
        before = check(card, command, before)
        follow(card.chip.transmit, command)
        before = card.chip.image.memory.snapshot()
    assert faults.seen == []
    card.chip.reset()
    assert card.send(SSSE) == "611E", "it lives on"
