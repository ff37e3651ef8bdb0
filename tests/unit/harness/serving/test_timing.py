"""Timing profiles: fitted from what was timed, written, read, and played back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.textfiles.text import FormatError
from harness.cli import main
from harness.serving.timing import USUAL, Timed, Timing, TimingError
from tests.kit.cards import SSSE
from tests.unit.harness.serving.test_shapes import Under

SELECT, READ = 0xA4, 0xB2
OWN = {SELECT: 0.020, READ: 0.006}


def timings(byte: float, *, noise: float = 0.0) -> list[Timed]:
    chance = random.Random(7)
    return [
        Timed(ins, size, own + byte * size + chance.uniform(0, noise))
        for ins, own in OWN.items()
        for size in range(8, 60, 3)
    ]


def test_a_card_that_was_timed_is_found_again() -> None:
    found = Timing.fitted(timings(0.002), [(17, 0.1 + 17 * 0.002)])
    assert found.byte == pytest.approx(0.002)
    assert found.reset == pytest.approx(0.1)
    assert found.commands == pytest.approx(OWN)
    assert found.command == pytest.approx(0.013)
    assert found.write == USUAL.write, "learning writes nothing, so nobody timed it"


def test_commands_that_the_system_held_up_count_little() -> None:
    held_up = [Timed(READ, 20, 3.0), Timed(SELECT, 30, 2.0), Timed(READ, 50, 1.0)]
    found = Timing.fitted(timings(0.001, noise=0.0005) + held_up)
    assert found.byte == pytest.approx(0.001, abs=0.0001)
    assert found.commands == pytest.approx(OWN, abs=0.001)


def test_answers_of_one_length_tell_nothing_of_bytes() -> None:
    found = Timing.fitted([Timed(READ, 10, 0.05)] * 3)
    assert found.byte == USUAL.byte
    assert found.commands == pytest.approx({READ: 0.05 - 10 * USUAL.byte})


def test_nothing_timed_is_the_usual_card() -> None:
    assert Timing.fitted([]) == USUAL


def test_no_time_is_less_than_none() -> None:
    found = Timing.fitted([Timed(READ, 200, 0.001), Timed(READ, 10, 0.002)], [(17, 0.0)])
    assert min(found.byte, found.reset, *found.commands.values()) == 0


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    profile = Timing.fitted(timings(0.002), [(17, 0.2)])
    (tmp_path / "timing.json").write_text(profile.text(), encoding="utf-8")
    for path in (tmp_path, tmp_path / "timing.json"):
        again = Timing.load(path)
        assert again.commands == pytest.approx(profile.commands)
        assert (again.reset, again.byte, again.write) == pytest.approx((profile.reset, profile.byte, profile.write))


def test_a_profile_is_played_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"timing": 1, "reset": 1, "byte": 0.5, "write": 100, "command": 7, "commands": {"A4": 3}}')
    with pytest.raises(TimingError, match="write: expected seconds from 0 to 60, found 100"):
        Timing.load(path)
    path.write_text('{"timing": 1, "reset": 1, "byte": 0.5, "command": 7, "commands": {"A4": 3}}')
    under = Under("linux", timing=Timing.load(path))
    under.card.power_on()
    under.send(SSSE, "0084000008")
    assert under.slept == pytest.approx([1 + 17 * 0.5, 3 + (20 + 1 + 2) * 0.5, 7 + (5 + 1 + 10) * 0.5])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "expected a timing profile"),
        ("[]", "expected a timing profile"),
        ('{"timing": 2}', "expected a timing profile"),
        ('{"timing": 1, "haste": 3}', "haste: expected only reset, byte, write, command"),
        ('{"timing": 1, "commands": 3}', "commands: expected only"),
        ('{"timing": 1, "commands": {"READ": 3}}', "commands.READ: expected an instruction"),
        ('{"timing": 1, "commands": {"B2": true}}', "commands.B2: expected seconds"),
        ('{"timing": 1, "byte": -1}', "byte: expected seconds from 0 to 60, found -1"),
        ('{"timing": 1, "byte": "1"}', "byte: expected seconds"),
    ],
)
def test_what_is_no_profile_is_said_to_be_so(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "timing.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TimingError) as caught:
        Timing.load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_profile_that_is_cut_off_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    path.write_text(USUAL.text()[:20], encoding="utf-8")
    with pytest.raises(FormatError, match="cut off"):
        Timing.load(path)


def test_the_usual_profile_as_a_file_is_the_usual_card(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    path.write_text(USUAL.text(), encoding="utf-8")
    found = Timing.load(path)
    assert json.loads(found.text()) == json.loads(USUAL.text())


@pytest.mark.parametrize("content", ["{}", None])
def test_run_says_what_is_wrong_with_a_profile_before_it_serves(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "timing.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    ended = CliRunner().invoke(main, ["run", f"--slow={path}", "--once"])
    assert ended.exit_code not in (0, 5), ended.output
    assert str(path) in ended.stderr
    assert ended.stdout == ""
