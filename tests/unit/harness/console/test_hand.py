"""A card in a reader, worked on by hand: what it costs, and what it does not cost twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.memory.cells import tries_cell
from emulator.security import PIN
from harness.conformance.play import Missing
from harness.console.hand import ByHand, NoRoot
from harness.keys import roots
from harness.keys.spent import SpentKeys
from harness.readers.connection import InProcess

RIGHT, WRONG = "123456", "111111"


class Desk:
    """A card as a reader has it, and a note of what it refused."""

    def __init__(self, folder: Path, layout: str = "3.00") -> None:
        self.image = catalogue.card("adult-chengdu", catalogue.layout(layout), "3des").fork()
        self.note = SpentKeys(folder)
        self.sent: list[bytes] = []

    def card(self, pin: str = RIGHT, keys: str | None = roots.TEST) -> ByHand:
        """The card taken up anew, as another program would."""
        sent = self.sent

        class Counting(InProcess):
            def send(self, command: bytes) -> bytes:
                sent.append(command)
                return super().send(command)

        return ByHand(Counting(Chip(self.image)), roots.load(keys), lambda _kind: pin, note=self.note)

    def tries(self, name: str) -> int:
        return self.image.memory.counter(tries_cell(name))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_reading_what_a_key_opens(desk: Desk) -> None:
    card = desk.card()
    assert card.do("read EF06/09").response.sw == 0x6982
    assert card.do("auth RKSSSE").done
    assert card.do("read EF06/09").value == "测试甲"


def test_a_key_whose_root_nobody_gave_is_told_with_what_to_do(desk: Desk) -> None:
    card = desk.card(keys=None)
    with pytest.raises(NoRoot, match=r"key RKSSSE .*--keys FILE"):
        card.do("auth RKSSSE")
    assert desk.tries("RKSSSE") == 3


def test_an_item_elsewhere_is_gone_to(desk: Desk) -> None:
    card = desk.card()
    told = card.do("read DF03/EF05/61")
    assert card.terminal.application == "DF03"
    assert told.exchanges[0].command[:2] == b"\x00\xa4"


def test_a_wrong_pin_costs_one_try_and_no_second_in_this_session_or_the_next(desk: Desk) -> None:
    card = desk.card(WRONG)
    assert card.do("verify").response.sw == 0x63C2
    with pytest.raises(Missing):
        card.do("verify")
    with pytest.raises(Missing):
        desk.card(WRONG).do("verify")
    assert desk.tries(PIN) == 2


def test_the_pins_last_try_is_never_taken(desk: Desk) -> None:
    desk.image.memory.put(tries_cell(PIN), 1)
    desk.image.memory.commit()
    with pytest.raises(Missing, match="1"):
        desk.card(RIGHT).do("verify")
    assert desk.tries(PIN) == 1


def test_a_wrong_key_costs_one_try_and_no_second(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'[roots]\nUKSSSE = "{"0" * 32}"\n')
    before = desk.tries("UKSSSE")
    assert not desk.card(keys=str(file)).do("auth UKSSSE").done
    for card in (desk.card(keys=str(file)), desk.card(keys=str(file))):
        with pytest.raises(Missing):
            card.do("auth UKSSSE")
    assert desk.tries("UKSSSE") == before - 1


def test_so_does_one_that_is_typed_in_hex(desk: Desk) -> None:
    card = desk.card()
    assert card.do("0020000003 111111").response.sw == 0x63C2
    with pytest.raises(Missing):
        card.do("0020000003 111111")
    assert desk.tries(PIN) == 2


def test_after_a_reset_the_card_stands_in_its_environment_and_rights_are_gone(desk: Desk) -> None:
    card = desk.card()
    card.do("auth RKSSSE")
    card.do("reset")
    assert card.do("read EF05/07").done
    assert card.do("read EF06/09").response.sw == 0x6982


def test_changing_the_pin_asks_for_both(desk: Desk) -> None:
    asked = []

    def pin(kind: str) -> str:
        asked.append(kind)
        return {"pin": RIGHT, "new": "246810"}[kind]

    card = ByHand(InProcess(Chip(desk.image)), roots.load(None), pin, note=desk.note)
    assert card.do("change_pin").done
    assert asked == ["pin", "new"]
    assert desk.card("246810").do("verify").done
