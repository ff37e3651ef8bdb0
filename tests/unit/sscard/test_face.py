"""The public face: what `import sscard` promises, held against cards made the long way."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sscard
from emulator.apdu.transport import follow
from harness.readers import pcsc
from harness.terminal.refused import Refused
from tests.kit.cards import DF, SSSE, VERIFY, new_card


def send(card: sscard.Card, command: str) -> str:
    return card.transmit(bytes.fromhex(command)).hex().upper()


@pytest.mark.parametrize(
    ("layout", "algorithm"), [("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]
)
def test_a_card_answers_as_the_chip_behind_a_reader_does(layout: str, algorithm: str) -> None:
    card, chip = sscard.card("adult-chengdu", layout=layout, algorithm=algorithm), new_card(layout, algorithm)
    assert card.power_on() == chip.chip.power_on()
    for command in (SSSE, "00A4020002EF05", "00B2072C0B", VERIFY, DF["DF01"], "00B2200400"):
        assert send(card, command) == chip.send(command)


def test_the_apdu_shape_follows_by_itself() -> None:
    plain, whole = sscard.card(), sscard.card(shape="apdu")
    plain.power_on()
    whole.power_on()
    assert send(plain, SSSE) == "611E"
    assert whole.transmit(bytes.fromhex(SSSE)) == follow(plain.transmit, bytes.fromhex(SSSE))


def test_a_card_in_a_field_answers_whole_and_its_fork_is_in_one_too() -> None:
    for card in (sscard.card(interface="contactless"), sscard.card(interface="contactless").fork()):
        assert card.power_on()[:4] == bytes.fromhex("3B8D8001")
        assert send(card, SSSE)[:4] == "6F1C"


@pytest.mark.parametrize(
    ("layout", "interface", "told"),
    [("2.00", "contactless", r"layout 2\.00 has no contactless interface.*3\.00"), ("3.00", "nfc", "expected one of")],
)
def test_an_interface_that_is_not_there_is_told(layout: str, interface: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        sscard.card(layout=layout, interface=interface)


def test_a_fork_goes_its_own_way_and_is_unpowered() -> None:
    card = sscard.card()
    card.power_on()
    send(card, SSSE)
    assert send(card, "0020000003999999") == "63C2"
    twin = card.fork()
    with pytest.raises(RuntimeError, match="power_on"):
        twin.transmit(b"")
    twin.power_on()
    send(twin, SSSE)
    assert send(twin, VERIFY) == "9000", "tries go back"
    assert send(card, "0020000000") == "63C2", "the other card's do not"
    assert send(card, "0020000003999999") == "63C1"
    fresh = sscard.card()
    fresh.power_on()
    send(fresh, SSSE)
    assert send(fresh, "0020000000") == "63C3", "nor do those of a card made anew"


def test_the_terminals_own_card() -> None:
    psam = sscard.psam()
    assert psam.power_on()[-4:].hex() == "51010090"
    assert send(psam, "00A4020002" + "0016") == "9000"
    assert send(psam, "00B0000006") == "5101000000019000"


def test_a_layout_of_ones_own_by_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "2.00"\nschema = 1\nname = "own"\n[pin]\ntries = 6\n', encoding="utf-8")
    for layout in (path, str(path)):
        card = sscard.card(layout=layout)
        card.power_on()
        send(card, SSSE)
        assert send(card, "0020000000") == "63C6"
    path.write_text(path.read_text(encoding="utf-8").replace("6", "5"), encoding="utf-8")
    card = sscard.card(layout=path)
    card.power_on()
    send(card, SSSE)
    assert send(card, "0020000000") == "63C5", "a file that was changed is read anew"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"persona": "nobody"}, LookupError, "adult-chengdu"),
        ({"layout": "4.00"}, ValueError, "3.00"),
        ({"layout": "2.00", "algorithm": "sm4"}, ValueError, "3des"),
        ({"algorithm": "ssf33"}, ValueError, "SSF33"),
        ({"shape": "t1"}, ValueError, "t0, apdu"),
        ({"persona": "psam"}, ValueError, "psam"),
    ],
)
def test_what_cannot_be_is_said(arguments: dict[str, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        sscard.card(**arguments)


def test_only_bytes_are_commands() -> None:
    card = sscard.card()
    card.power_on()
    for wrong in ("00A4", 5):
        with pytest.raises(TypeError):
            card.transmit(wrong)  # type: ignore[arg-type]
    assert card.transmit(bytearray.fromhex(SSSE)) == card.transmit(memoryview(bytes.fromhex(SSSE))) == b"\x61\x1e"


@pytest.mark.parametrize(("key", "identifier"), [("RK1DF06", "83"), ("UK1DF06", "84"), ("UK2DF06", "85")])
def test_the_generators_card_has_its_keys_of_df06(key: str, identifier: str) -> None:
    card = new_card("generator")
    assert card.ok(SSSE, "00C0000018").endswith("A50388011E"), "an FCI without 9F0C"
    card.ok("00A4000002DF06", "00A4020002EF05")
    proof = card.proof(key)
    assert proof.startswith(f"008200{identifier}10")
    assert card.sw(proof) == "9000"


def test_a_terminal_has_begun_and_reads() -> None:
    card = sscard.card(layout="3.00", algorithm="sm4")
    terminal = sscard.terminal(card)
    assert (terminal.version, terminal.suite.name, terminal.region) == ("3.00", "sm4", "510100")
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    terminal.verify_pin("123456")
    assert send(card, "00B2080006") != "6982", "it is this very card that was used"


def test_a_terminal_speaks_with_cards_of_ones_own_layout_in_either_shape(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "2.00"\nschema = 1\nname = "own"\n[pin]\ntries = 6\n', encoding="utf-8")
    for shape in ("t0", "apdu"):
        assert sscard.terminal(sscard.card(layout=path, shape=shape)).pin_state() == 6


def test_a_blocked_card_refuses_a_terminal() -> None:
    with pytest.raises(Refused, match="selecting SSSE"):
        sscard.terminal(sscard.card("card-blocked"))


def test_the_driver_reads_with_a_psam_and_says_where_it_has_none() -> None:
    card = sscard.card("adult-chengdu", layout="3.00", algorithm="sm4")
    code, out = sscard.driver(card, sscard.psam()).iReadCardBas(1)
    assert (code, out.split("|")[4]) == (0, "测试甲")
    assert sscard.driver(card).iReadCardBas(1)[0] == -2201


def test_the_drivers_pin_pad_gets_the_pins_one_after_another() -> None:
    driver = sscard.driver(sscard.card(), sscard.psam(), pins=["999999", "123456", "246802", "246802", "cancel"])
    codes = [driver.iVerifyPIN(1)[0], driver.iChangePIN(1)[0], driver.iVerifyPIN(1)[0], driver.iVerifyPIN(1)[0]]
    assert codes == [-51, 0, -31, -32]


@pytest.mark.parametrize("wrong", [None, "adult-chengdu", b"\x00"])
def test_what_is_no_card_is_a_type_error(wrong: object) -> None:
    faces: tuple[Callable[[Any], object], ...] = (sscard.terminal, sscard.driver, sscard.reader)
    for face in faces:
        with pytest.raises(TypeError, match=r"expected a card of sscard\.card\(\)"):
            face(wrong)


def test_a_card_of_the_other_kind_is_a_value_error() -> None:
    card, psam = sscard.card(), sscard.psam()
    for what, words in (
        (lambda: sscard.terminal(psam), "expected a user card, found a psam card"),
        (lambda: sscard.driver(psam, psam), "expected a user card"),
        (lambda: sscard.driver(card, card), "expected a PSAM, found a user card"),
    ):
        with pytest.raises(ValueError, match=words):
            what()


@pytest.mark.pcsc
def test_a_card_is_in_a_reader_while_the_block_lasts_and_a_psam_beside_it() -> None:
    from harness.readers.connection import Pcsc

    card, psam = sscard.card(), sscard.psam()
    with sscard.reader(card) as name, sscard.reader(psam) as own:
        assert name != own
        with Pcsc(name) as connection:
            assert connection.atr == card.power_on()
            connection.reset()
            assert connection.send(bytes.fromhex(SSSE)) == b"\x61\x1e"
            assert connection.send(bytes.fromhex("0020000003999999")) == b"\x63\xc2"
        with Pcsc(own) as connection:
            assert connection.atr == psam.power_on()
    card.power_on()
    send(card, SSSE)
    assert send(card, "0020000000") == "63C2", "what was done through PC/SC was done to this card"
    with pytest.raises(pcsc.PcscError):
        Pcsc(name)


@pytest.mark.pcsc
def test_a_contactless_card_is_in_a_reader_whose_name_says_so_and_a_psam_in_one_with_contacts() -> None:
    from harness.readers.connection import Pcsc

    card = sscard.card(interface="contactless")
    with sscard.reader(card) as name, sscard.reader(sscard.psam()) as own:
        assert (name, own) == ("Virtual PCD Contactless 00 00", "Virtual PCD 00 00")
        with Pcsc(name) as connection:
            assert connection.atr == card.power_on()
            assert send(card, SSSE)[-4:] == "9000"
            uid = connection.send(bytes.fromhex("FFCA000000"))
            assert (uid[:1], uid[-2:], len(uid)) == (b"\x08", b"\x90\x00", 6)


def test_where_a_part_of_pcsc_is_missing_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.readers.pcsc.driver_path", lambda: None)
    with pytest.raises(pcsc.PcscError, match="vsmartcard-vpcd"), sscard.reader(sscard.card()):
        pytest.fail("there is no reader to be had")


def test_all_that_is_exported_is_there_documented_and_typed() -> None:
    assert set(dir(sscard)) == set(sscard.__all__)
    for name in set(sscard.__all__) - {"__version__"}:
        one = getattr(sscard, name)
        assert one.__doc__, name
        if inspect.isfunction(one):
            assert "return" in one.__annotations__, name
    assert not hasattr(sscard, "anything_else")
    exec("from sscard import *\nassert card and psam and reader and terminal and driver and Card", {})


def imported(statements: str) -> set[str]:
    """The modules that are there after these statements, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    return set(done.stdout.split())


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    bare = imported("import sscard; sscard.__version__") - {
        "emulator",
        "emulator.version",
    }  # which hold no more than that
    assert not {one for one in bare if one.partition(".")[0] in ("emulator", "harness", "cryptography", "click")}
    cards = imported("import sscard; sscard.card(); sscard.psam()")
    assert "emulator.chip" in cards
    assert not {one for one in cards if one.partition(".")[0] == "harness"}
    drivers = imported("import sscard; sscard.driver(sscard.card(), sscard.psam())")
    assert "harness.driver.library" in drivers
    assert not {one for one in drivers if one.startswith(("harness.office", "harness.web", "harness.cli"))}
