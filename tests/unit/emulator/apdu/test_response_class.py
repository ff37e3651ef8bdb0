"""GET RESPONSE in the class of the command before it: refused as the text has it, taken where a layout says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.apdu.table import InstructionTable
from emulator.chip import Chip
from emulator.filesystem.layouts.specs import LayoutError
from harness.trace.read import events
from harness.trace.record import TraceFile
from tests.kit.cards import SSSE

FORGIVING = 'schema = 1\nname = "java"\nextends = "3.00"\nget_response_class = "any"\n'
BANK, OPTIONS = "00A4040008A000000333010101", "80A800000B8309000000000000000156"


@pytest.fixture
def forgiving(tmp_path: Path) -> str:
    file = tmp_path / "java.toml"
    file.write_text(FORGIVING, encoding="utf-8")
    return str(file)


class Java:
    """javax.smartcardio's way with T=0: 61xx is followed in the class of the command, 6Cxx by the command again."""

    def __init__(self, layout: str, trace: TraceFile | None = None) -> None:
        image = catalogue.card("adult-chengdu", layout, "3des")
        self.chip = Chip(image, observer=trace.slot(0, image) if trace else None)
        self.chip.power_on()

    def send(self, command: str, cla: str = "") -> str:
        answer = self.chip.transmit(bytes.fromhex(command)).hex().upper()
        if answer[-4:-2] == "61":
            return self.chip.transmit(bytes.fromhex(f"{cla or command[:2]}C00000{answer[-2:]}")).hex().upper()
        return answer


@pytest.mark.parametrize("layout", ["3.00", "2.00"])
def test_a_card_refuses_it_in_another_class_than_00(layout: str) -> None:
    java = Java(layout)
    assert java.send(BANK)[-4:] == "9000", "SELECT is of class 00, and so is what follows it"
    assert java.send(OPTIONS) == "6D00"
    assert java.send(OPTIONS, "00")[-4:] == "9000"


def test_a_layout_that_forgives_takes_it_in_every_class_that_the_card_has_and_in_no_other(forgiving: str) -> None:
    java = Java(forgiving)
    java.send(BANK)
    whole = java.send(OPTIONS, "00")
    assert java.send(OPTIONS) == whole
    for cla in ("80", "84", "04", "B0"):
        assert java.send(OPTIONS, cla) == whole, cla
    assert java.send(OPTIONS, "FF") == "6E00"
    assert java.send("8000000000") == "6D00"
    assert java.send("80C0000000") == "6F00", "with nothing waiting it is refused as in class 00"
    assert java.send(OPTIONS, "00") == whole


def test_a_layout_of_ours_is_strict() -> None:
    for name in catalogue.layouts():
        assert not catalogue.layout(name).follows_class
        table = InstructionTable.of(catalogue.layout(name))
        assert [code >> 8 for code in table.by_code if code & 0xFF == 0xC0] == [0x00]


def test_a_class_that_is_no_choice_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(FORGIVING.replace('"any"', '"80"'), encoding="utf-8")
    with pytest.raises(LayoutError, match="get_response_class"):
        catalogue.layout(str(file))


def test_what_comes_in_another_class_is_masked_and_named_as_in_class_00(tmp_path: Path, forgiving: str) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        java = Java(forgiving, trace)
        java.send(BANK)
        told = java.send(OPTIONS)
        java.send(SSSE)
        java.send("00B2070C00")
    shown = [event for event in events(path) if event.kind == "apdu" and event.told("command").startswith("80C0")]
    assert [one.told("instruction") for one in shown] == ["GET RESPONSE"]
    with TraceFile(tmp_path / "00.jsonl") as trace:
        strict = Java("3.00", trace)
        strict.send(BANK)
        strict.send(OPTIONS, "00")
    plain = [event for event in events(tmp_path / "00.jsonl") if event.told("command").startswith("00C0")][-1]
    assert len(told) == len(plain.told("answer"))
    assert (shown[0].told("answer"), shown[0].masked) == (plain.told("answer"), plain.masked)
