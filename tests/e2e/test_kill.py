"""kill -9 at any moment: no acknowledged write is lost, none is half there, and the image always loads."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.memory import image as images
from tests.kit.cards import DF, Card
from tests.kit.forks import Say, forked
from tests.kit.sampled import DEEP

KILLS = 3000 if DEEP else 25


def writer(path: Path, first: int) -> Callable[[Say], None]:
    """Writes one number after another into a record, and says which it tries and which was acknowledged."""

    def work(say: Say) -> None:
        with images.held(path) as image:
            card = Card(Chip(image))
            card.chip.power_on()
            card.ok(DF["DF01"])
            assert card.authenticate("UK1DF01") == "9000"
            for number in range(first, 10**8):
                # 80 bytes: a record that spans pages.
                digits = f"{number:080d}".encode().hex()
                say(f"try {number}")
                assert card.send("00DC21285221" + "50" + digits) == "9000"
                say(f"ack {number}")

    return work


@pytest.mark.timeout(3600)
def test_no_acknowledged_write_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with images.held(path, catalogue.card("adult-chengdu", "3.00", "3des")) as image:
        with_zero = "00DC21285221" + "50" + b"0".hex() * 80
        card = Card(Chip(image))
        card.chip.power_on()
        card.ok(DF["DF01"])
        card.authenticate("UK1DF01")
        card.ok(with_zero)
    rng = random.Random(6001)
    number = 1
    for _ in range(KILLS):
        program = forked(writer(path, number))
        lines = [program.lines.readline() for _ in range(rng.randint(1, 12))]
        # Somewhere within the next write, wherever it may be by then.
        for _ in range(rng.randint(0, 20_000)):
            pass
        program.kill()
        lines += program.lines.readlines()
        assert program.ended() == -signal.SIGKILL
        tried = [int(line.split()[1]) for line in lines if line.startswith("try") and line.endswith("\n")]
        acknowledged = [int(line.split()[1]) for line in lines if line.startswith("ack") and line.endswith("\n")]
        image = images.load(path)
        stored = int(image.memory.records("DF01/EF05")[1][2:])
        low = acknowledged[-1] if acknowledged else number - 1
        high = tried[-1] if tried else number - 1
        assert low <= stored <= high, f"{stored} is stored: {lines[-4:]}"
        number = stored + 1
    leftovers = {one.name for one in tmp_path.iterdir()}
    assert leftovers <= {"card.json", "card.json.lock", "card.json.new"}
    with images.held(path):
        assert True, "what a killed process left behind hinders nobody"
