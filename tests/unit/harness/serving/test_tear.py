"""Power that goes at the k-th write from now: the memory is left as its own hardware leaves it, in any command."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest

from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from emulator.reader.slot import CardGone
from harness.faults import plan
from harness.faults.chip import Injector
from harness.faults.plan import Plan
from harness.serving.tear import Tear
from tests.kit.cards import SSSE, VERIFY, WRONG_PIN, new_card

SESSION = tuple(map(bytes.fromhex, (SSSE, WRONG_PIN, VERIFY, "0084000008", "805E010007123456FF876543", WRONG_PIN)))


def played(chip: Chip, commands: Sequence[bytes]) -> int:
    """Plays until power goes; how many commands were answered."""
    for at, one in enumerate(commands):
        try:
            chip.transmit(one)
        except (CardGone, PowerCut):
            return at
    return len(commands)


@pytest.fixture
def image() -> Image:
    return new_card().chip.image


@pytest.mark.parametrize("faulty", [False, True])
def test_the_memory_is_left_as_its_hardware_leaves_it_at_every_write(image: Image, faulty: bool) -> None:
    whole = Chip(image.fork())
    whole.power_on()
    before = whole.image.memory.nvm.writes
    assert played(whole, SESSION) == len(SESSION)
    writes = whole.image.memory.nvm.writes - before
    assert writes > 10
    for count in range(1, writes + 1):
        torn, hard = Chip(image.fork()), Chip(image.fork())
        for one in (torn, hard):
            one.power_on()
        if faulty:
            torn.interposer = Injector(Plan((plan.from_text("delay,seconds=0"),)), image.layout)
        stood = torn.interposer
        Tear.on(torn, count)
        hard.image.memory.nvm.cut_after = count
        answered = played(torn, SESSION)
        assert answered < len(SESSION), count
        played(hard, SESSION[: answered + 1])
        assert not torn.powered
        assert torn.interposer is stood, "once"
        for one in (torn, hard):
            one.power_off()
            one.power_on()
        assert torn.image.memory.snapshot() == hard.image.memory.snapshot(), count
        assert played(torn, SESSION[:1]) == 1, "it lives on"


def test_it_may_be_taken_back_and_faults_change_beside_it(image: Image) -> None:
    chip = Chip(image)
    chip.power_on()
    Tear.on(chip, 2)
    faults = Injector(Plan((plan.from_text("status,sw=6F00,instruction=GET_CHALLENGE"),)), image.layout)
    Tear.within(chip, faults)
    assert chip.transmit(SESSION[3]) == b"\x6f\x00"
    Tear.within(chip, None)
    assert chip.transmit(SESSION[3])[-2:] == b"\x90\x00"
    tear = Tear.of(chip)
    assert tear is not None
    assert tear.left == 2
    Tear.off(chip)
    assert Tear.of(chip) is None
    assert played(chip, SESSION) == len(SESSION)
    with contextlib.suppress(CardGone):
        Tear.on(chip, 1)
        chip.transmit(SESSION[0])
        chip.transmit(SESSION[1])
    assert not chip.powered
