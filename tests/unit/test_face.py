"""The public face: what `import sscard` promises, held against cards made the long way."""

from __future__ import annotations

from pathlib import Path

import pytest

import sscard
from emulator.apdu.transport import follow
from tests.support import DF, SSSE, VERIFY, new_card


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
