"""Reset, the T=0 shape, selection. Facts: the card's notes on reset and selecting, grades in the layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.apdu.transport import follow
from emulator.chip import Chip, Exchange
from emulator.sources import marks
from tests.kit.cards import DF, SSSE, VERIFY, Card, new_card

FCI = {"3des": "01", "sm4": "03"}


def test_answer_to_reset(card: Card) -> None:
    atr = card.chip.reset()
    assert atr.hex().upper() == "3B6D0000" + "0081544C908684" + "5101" + "51010001"


def test_selecting_the_environment(card: Card) -> None:
    assert card.send(SSSE) == "611E"
    code = FCI[card.chip.image.algorithm]
    expected = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C038601" + code + "9000"
    assert card.send("00C000001E") == expected
    assert card.send("00C000001E") == "6F00", "the answer was fetched"


@pytest.mark.parametrize("name", DF)
def test_selecting_applications(card: Card, name: str) -> None:
    assert card.send(DF[name]) == "610A"
    assert card.send("00C000000A") == "6F088406" + DF[name][10:] + "9000"
    assert card.send("00A40000023F00") == "9000"
    assert card.send("00A4000002DDF1") == "611E"
    assert card.send(f"00A4000002{name}") == "610A"


def test_selecting_files(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00A4020002EF05") == "9000"
    assert card.send("00A4020202EF06") == "9000"
    assert card.send("00A4000002EF07") == "9000"
    assert card.send("00A4020002EF0F") == "6A82"
    assert card.send("00A40200020005") == "6A82", "a short id is no file id"
    assert card.send("00A4020002EF05") == "9000"
    assert card.ok("00B2070C0B".replace("0C", "04")).startswith("0709")


def test_a_child_df_is_selected_by_p1_01_and_nothing_else_is(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00A4010002DF03") == "610A"
    assert card.send("00A4010002DF01") == "6A82", "a sibling is no child"
    card.ok(SSSE)
    assert card.send("00A4010002EF05") == "6A82", "nor is an EF"
    assert card.send("00A4010002DF04") == "610A", "the refused ones changed nothing"


@pytest.mark.parametrize(
    ("label", "aid"), [("C9FAC3FCD3EBBDA1BFB5D0C5CFA2C7F8", "0505"), ("BEC8D6FAD3EBD3C5B8A7D0C5CFA2C7F8", "0506")]
)
def test_applications_without_an_aid_in_the_notice_are_selected_by_their_label(
    card: Card, label: str, aid: str
) -> None:
    assert card.ok(SSSE, f"00A4040010{label}", "00C000000A").endswith(aid)
    assert card.send("00A404000E" + "B9ABB9B2D3A6D3C3D0C5CFA2C7F8") == "6A82", (
        "DF01 has an AID, so its label is no name"
    )


def test_the_directory_that_the_fci_names_lists_environment_and_applications(card: Card) -> None:
    by_id = card.ok("00A40000023F00", "00A4020002EF1E", "00B2010427")
    by_sfi = card.ok(SSSE, "00B201F427")
    assert (
        by_id
        == by_sfi
        == "7025" + "6123" + "4F0F" + SSSE[10:] + "5010" + "社会保障系统环境".encode("gbk").hex().upper()
    )
    assert card.ok("00B202F41C") == "701A61184F06D15600000500500E" + "公共应用信息区".encode("gbk").hex().upper()
    count = next(n for n in range(1, 20) if card.send(f"00B2{n:02X}F400") == "6A83") - 1
    assert count == 8, "SSSE and DF01 to DF07; reading goes on until 6A83"
    assert card.send("00DC01F403700100") == "6982", "nobody writes it"


def test_a_card_of_100_names_sfi_0b_and_tells_no_algorithm() -> None:
    card = new_card("1.00")
    assert card.ok(SSSE, "00C0000018") == "6F16840F" + SSSE[10:] + "A50388010B"
    assert card.ok("00B2015C27")[:8] == "70256123"


def test_by_name_first_next_and_in_part(card: Card) -> None:
    assert card.ok("00A4040005D156000005", "00C000000A").endswith("0500"), "first: DF01"
    assert card.ok("00A4040205D156000005", "00C000000A").endswith("0501")
    assert card.ok("00A4040205D156000005", "00C000000A").endswith("0502")
    assert card.ok("00A4040006D15600000504", "00C000000A").endswith("0504"), "the whole name"
    assert card.send("00A4040205D156000005") == "6A82", "no next after the last"
    assert card.send("00A4040005AABBCCDDEE") == "6A82"
    assert card.send("00A4040004D1560000") == "6700"


def test_empty_selection_is_the_mf(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00A4000000") == "9000"
    assert card.send("00B2012C00") == "6A82", "the MF has no EF05"


def test_get_response(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00C0000000") == "6C1E"
    assert card.send("00C00000FF") == "6C1E"
    assert card.send("00C0000001") == "6F" + "611D"
    assert card.send("00C0000003") == "1C840F" + "611A"
    assert card.send("00C000001A")[-4:] == "9000"
    card.ok(SSSE, "0084000008")
    assert card.send("00C000001E") == "6F00", "another command came between"


def test_the_apdu_shape_fetches_by_itself() -> None:
    chip = Chip(new_card().chip.image, apdu_shape=True)
    chip.power_on()
    card = Card(chip)
    assert card.send(SSSE).endswith("9F0C038601019000")
    assert card.send("00B2072C00") == card.send("00B2072C0B")
    assert card.send("00C0000000") == "6F00"


@pytest.mark.parametrize("answer", ["61FF", "6100", "00" * 200 + "61FF", "00" * 65537 + "6101"])
def test_a_card_that_announces_for_ever_is_not_followed_for_ever(answer: str) -> None:
    asked: list[bytes] = []

    def transmit(command: bytes) -> bytes:
        asked.append(command)
        assert len(asked) < 300
        return bytes.fromhex(answer)

    assert follow(transmit, bytes.fromhex(SSSE)).hex().upper() == answer[-4:], "told as it is, and not as done"


def test_an_answer_a_byte_at_a_time_is_fetched_whole() -> None:
    waiting = bytes(range(200))
    answers = iter([b"\x61\x01", *(bytes((one,)) + b"\x61\x01" for one in waiting[:-1]), waiting[-1:] + b"\x90\x00"])
    assert follow(lambda _: next(answers), bytes.fromhex(SSSE)) == waiting + b"\x90\x00"


def test_following_repeats_and_fetches(card: Card) -> None:
    sent = []

    def transmit(command: bytes) -> bytes:
        sent.append(command.hex().upper())
        return card.chip.transmit(command)

    assert follow(transmit, bytes.fromhex(SSSE))[-2:] == b"\x90\x00"
    assert follow(transmit, bytes.fromhex("00B2072C00"))[-2:] == b"\x90\x00"
    assert sent == [SSSE, "00C000001E", "00B2072C00", "00B2072C0B"]


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("", "6700"),
        ("00", "6700"),
        ("00A4", "6700"),
        ("00A404", "6700"),
        ("00A4040006D156", "6700"),
        ("00A404000000021122", "6700"),
        ("00B000000000FF", "6700"),
        ("01A4040006D15600000500", "6E00"),
        ("03B2012C00", "6E00"),
        ("40A4040006D15600000500", "6E00"),
        ("7F84000008", "6E00"),
        ("81240000000411223344"[:18], "6700"),
        ("825E010003123456", "6E00"),
        ("10A4040006D15600000500", "6E00"),
        ("13A4040006D15600000500", "6E00"),
        ("905E010003123456", "6E00"),
        ("9424000004" + "00" * 4, "6E00"),
        ("08B2012C00", "6E00"),
        ("0CDC012C0401021122", "6E00"),
        ("20A4040006D15600000500", "6E00"),
        ("B1260001" + "04", "6E00"),
        ("BFDE480900", "6E00"),
        ("8544000000", "6E00"),
        ("FFA4040006D15600000500", "6E00"),
        ("00FF000000", "6D00"),
        ("8020000003123456", "6D00"),
        ("00A4050006D15600000500", "6A86"),
        ("00A4040106D15600000500", "6A86"),
        ("0084010008", "6A86"),
        ("0084000007", "6700"),
        ("0084000000", "6700"),
        ("0020000103123456", "6A86"),
        ("002000000112", "6700"),
        ("0020000003", "6700"),
        ("00200000091234567890123456FF", "6700"),
        ("00B2072F00", "6A86"),
        ("00B207FC00", "6A86"),
        ("00B2FF2C00", "6A86"),
        ("00B0E00000", "6A86"),
        ("0082010410" + "00" * 16, "6A86"),
        ("008200040F" + "00" * 15, "6700"),
        ("805E0100021234", "6700"),
        ("8424000204" + "00" * 4, "6A86"),
        ("8424000004" + "00" * 3, "6700"),
        ("8424000104" + "00" * 4, "6700"),
        ("00C0010004", "6A86"),
    ],
)
def test_malformed_commands(card: Card, command: str, sw: str) -> None:
    card.ok(SSSE)
    before = card.chip.image.memory.snapshot()
    assert card.send(command) == sw
    assert card.chip.image.memory.snapshot() == before


def test_four_bytes_are_as_five_with_p3_00(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00B2072C") == "6C0B"
    assert card.send("00200000") == "63C3"


def test_a_reset_forgets_everything(card: Card) -> None:
    def power_cycle() -> bytes:
        card.chip.power_off()
        return card.chip.power_on()

    for forget in (card.chip.reset, power_cycle):
        card.ok(SSSE, VERIFY)
        assert card.authenticate("UKSSSE") == "9000"
        card.ok("0084000008", "00A4020002EF05", DF["DF01"])
        forget()
        assert card.send("00C000000A") == "6F00"
        assert card.send("00B2072C0B") == "6A82", "back in the MF"
        assert card.send(DF["DF01"]) == "610A"
        assert card.send("00B2012C04") == "6982", "the PIN's right is gone"
        card.ok(SSSE)
        assert card.send("0082000410" + "00" * 16) == "6984", "the challenge is gone"


def test_an_unpowered_chip_says_so(card: Card) -> None:
    card.chip.power_off()
    with pytest.raises(RuntimeError, match="no power"):
        card.send(SSSE)


def test_a_fault_of_our_own_is_6f00_and_the_card_lives_on(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Exchange] = []

    class Watch:
        def exchanged(self, exchange: Exchange) -> None:
            seen.append(exchange)

        def powered(self, event: str, atr: bytes) -> None:
            pass

    card.chip.observer = Watch()

    quoted = "123456"

    def quoting(*_: object) -> None:
        raise ValueError(quoted)

    card.ok(SSSE)
    monkeypatch.setattr("emulator.apdu.instructions.pin.compare", quoting)
    assert card.send(VERIFY) == "6F00"
    assert "quoting" in seen[-1].failure
    assert "123456" not in seen[-1].failure, "its text may quote what must not be shown"
    monkeypatch.undo()
    monkeypatch.setattr("emulator.session.Session.enter", lambda *_: 1 / 0)
    assert card.send(SSSE) == "6F00"
    assert "ZeroDivisionError" in seen[-1].failure
    monkeypatch.undo()
    assert card.send(SSSE) == "611E"


def test_a_layout_gives_the_mf_an_fci(tmp_path: Path) -> None:
    file = tmp_path / "mf.toml"
    file.write_text(
        'extends = "2.00"\nschema = 1\nname = "mf"\n[application.MF]\ndfname = "A0 00 01 02 03"\nfci = "adf"\n',
        encoding="utf-8",
    )
    chip = Chip(catalogue.card(personas.DEFAULT, file, "3des"))
    chip.power_on()
    card = Card(chip)
    for command in ("00A40000023F00", "00A4000000", "00A4040005A000010203"):
        assert card.send(command) == "6109"
        assert card.ok("00C0000009") == "6F078405A000010203"


def test_instructions_are_declared_whole() -> None:
    assert len(set(INSTRUCTIONS)) == len(INSTRUCTIONS)
    for kind in INSTRUCTIONS:
        assert kind.name.isupper()
        assert any(ord(letter) > 0x4E00 for letter in kind.name_zh)
        assert [one.end for one in marks(kind.source)][-1] == len(kind.source), "a grade is last"
        assert kind.status
        assert kind.__doc__
