"""The reference terminal and the move of the insurance region, in-process, in both reader shapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.apdu.status import SW
from emulator.chip import Chip
from harness.keys.access import TerminalError
from harness.readers.connection import InProcess
from harness.terminal import region
from harness.terminal.terminal import PinRefused, Refused, Terminal
from tests.kit.cards import Card, new_card
from tests.kit.judged import in_field, keeping

ALL = ["DF03/EF05/61", "DF03/EF07/71", "DF03/EF15/7A", "DF03/EF16/51", "DF04/EF05/84"]


@pytest.fixture(params=["t0", "apdu"])
def terminal(card: Card, request: pytest.FixtureRequest) -> Terminal:
    chip = Chip(card.chip.image, apdu_shape=request.param == "apdu")
    terminal = Terminal(InProcess(chip))
    terminal.begin()
    return terminal


def begun(persona: str) -> Terminal:
    terminal = Terminal(InProcess(new_card(persona=persona).chip))
    terminal.begin()
    return terminal


def test_reading_items(terminal: Terminal) -> None:
    assert terminal.read("SSSE/EF05/07") == "A00000011"
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    assert terminal.read("DF01/EF05/0E") == "510100"
    assert terminal.read("DF02/EF05/43") == {
        "5A": "3010205", "5B": "3", "5C": "虚构职业技能鉴定中心", "5D": "20150610", "5E": "0000000000000001",
    }  # fmt: skip
    with pytest.raises(LookupError, match="SSSE/EF06/FF"):
        terminal.read("SSSE/EF06/FF")
    with pytest.raises(TerminalError, match="needs the PIN"):
        terminal.read("DF04/EF06/90")
    terminal.verify_pin("123456")
    assert terminal.read("DF04/EF06/90") == "0"
    assert len(list(terminal.read_file("DF04/EF08"))) == 3 * 7


def test_writing_items(terminal: Terminal) -> None:
    terminal.update("DF01/EF06/28", "00000000009")
    terminal.begin()
    assert terminal.read("DF01/EF06/28") == "00000000009"


def test_the_pin(terminal: Terminal) -> None:
    assert terminal.pin_state() == 3
    with pytest.raises(PinRefused) as refused:
        terminal.verify_pin("000000")
    assert refused.value.tries_left == 2
    terminal.change_pin("123456", "246810")
    terminal.verify_pin("246810")
    for _ in range(3):
        with pytest.raises(PinRefused):
            terminal.verify_pin("1111")
    assert terminal.pin_state() == 0
    terminal.unblock_pin()
    terminal.verify_pin("246810")
    terminal.reload_pin("1357")
    terminal.verify_pin("1357")
    for wrong in ("12a4", "1" * 17):
        with pytest.raises(TerminalError, match="4 to 16 digits") as error:
            terminal.verify_pin(wrong)
        assert wrong not in str(error.value)


def test_moving_the_region(terminal: Terminal) -> None:
    assert [one.binding.item for one in region.read(terminal)] == ALL
    region.move(terminal, "510700", "510100")
    terminal.begin()
    assert [one.code for one in region.read(terminal)] == ["510700"] * 5


def test_a_child_moves_what_it_has() -> None:
    terminal = begun("child-guardian")
    assert [one.binding.item for one in region.move(terminal, "511902", "510100")] == ["DF04/EF05/84"]


@pytest.mark.parametrize(
    ("code", "origin", "expected"),
    [
        ("51070", "510100", "six digits"),
        ("51O700", "510100", "six digits"),
        ("519901", "510100", "no prefecture 519900"),
        ("500100", "510100", "within its province"),
        ("510700", "510300", "expected 510300 everywhere"),
        ("510100", "510300", "at 510100 already"),
    ],
)
def test_moves_that_may_not_be_write_nothing(terminal: Terminal, code: str, origin: str, expected: str) -> None:
    with pytest.raises(TerminalError, match=expected):
        region.move(terminal, code, origin)
    terminal.begin()
    assert {one.code for one in region.read(terminal)} == {"510100"}


class Faulty:
    """A connection whose n-th UPDATE RECORD, counted from 1, does not reach the card; ``times`` of them."""

    def __init__(self, connection: InProcess, nth: int, times: int = 1) -> None:
        self.connection, self.nth, self.times, self.count = connection, nth, times, 0

    @property
    def atr(self) -> bytes:
        return self.connection.atr

    def reset(self) -> bytes:
        return self.connection.reset()

    def send(self, command: bytes) -> bytes:
        if command[1] == 0xDC:
            self.count += 1
            if self.nth <= self.count < self.nth + self.times:
                return b"\x65\x81"
        return self.connection.send(command)

    def close(self) -> None:
        self.connection.close()


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_move_that_fails_is_put_back(nth: int) -> None:
    card = new_card()
    terminal = Terminal(Faulty(InProcess(card.chip), nth))
    terminal.begin()
    with pytest.raises(Refused) as refused:
        region.move(terminal, "510700", "510100")
    assert refused.value.sw == SW.MEMORY_FAILURE
    assert {one.code for one in region.read(terminal)} == {"510100"}


def test_a_move_that_cannot_be_put_back_says_so_and_can_be_resumed() -> None:
    card = new_card()
    terminal = Terminal(Faulty(InProcess(card.chip), 3, times=100))
    terminal.begin()
    with pytest.raises(TerminalError, match="putting back failed too"):
        region.move(terminal, "510700", "510100")
    terminal = Terminal(InProcess(card.chip))
    terminal.begin()
    assert {one.code for one in region.read(terminal)} == {"510100", "510700"}
    assert {one.code for one in region.move(terminal, "510700", "510100")} == {"510700"}


DEMANDING = """
extends = "3.00"
schema = 1
name = "demanding"
[file."SSSE/EF05"]
update_messaging = "mac"
[file."DF03/EF05"]
read_messaging = "cipher"
update_messaging = "cipher"
[application.DF03]
messaging = "pboc"
"""


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_files_that_demand_secure_messaging(algorithm: str, tmp_path: Path) -> None:
    """The terminal reads in the layout that a file wants a MAC, or a cipher too, and by which scheme."""
    path = tmp_path / "demanding.toml"
    path.write_text(DEMANDING, encoding="utf-8")
    image = catalogue.card(personas.DEFAULT, path, algorithm)
    terminal = Terminal(InProcess(Chip(image)), image.layout)
    terminal.begin()
    terminal.update("SSSE/EF05/06", "20401231")
    assert terminal.read("SSSE/EF05/06") == "20401231"
    terminal.verify_pin("123456")
    assert terminal.read("DF03/EF05/61") == "510100"
    assert len(list(terminal.read_file("DF03/EF05"))) == 7
    region.move(terminal, "510700", "510100")
    assert {one.code for one in region.read(terminal)} == {"510700"}


def test_life_cycle(terminal: Terminal) -> None:
    with pytest.raises(Refused) as refused:
        terminal.activate()
    assert refused.value.sw == SW.CONDITIONS_NOT_SATISFIED
    terminal.block_application("DF04")
    terminal.begin()
    with pytest.raises(Refused) as refused:
        terminal.enter("DF04")
    assert refused.value.sw == SW.APPLICATION_BLOCKED
    with pytest.raises(TerminalError, match="no application"):
        terminal.block_application("DF0A")
    terminal.block_card()
    with pytest.raises(Refused) as refused:
        terminal.begin()
    assert refused.value.sw == SW.FUNCTION_NOT_SUPPORTED


def test_a_card_in_a_field_is_known_as_it_is_there() -> None:
    """By its ATR: that a terminal was told of the layout says nothing of the side that its reader sees."""
    known = catalogue.layout(keeping())
    card = in_field(keeping())
    terminal = Terminal(card.connection, known)
    terminal.begin()
    path = next(iter(known.contactless.access)) if known.contactless else ""
    assert terminal.layout.files[path].read != known.files[path].read
