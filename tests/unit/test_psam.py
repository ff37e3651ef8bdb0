"""The PSAM: environment, delivery, cipher data, its side of a purchase; and a terminal's flow with both cards."""

from __future__ import annotations

import pytest

from emulator import personas
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem import layout as layouts
from emulator.personas.issue import issue
from tests.support import DF, SSSE, VERIFY, Card, new_card

ADF = "00A4040006D15600000590"
CHIP = bytes.fromhex("8684510151010001")
CITY, PROVINCE = b"510100sx", b"510000sh"


def psam(persona: str = "psam", algorithm: str = "3des") -> Card:
    chip = Chip(issue(personas.load(persona), layouts.load("psam"), algorithm))
    chip.power_on()
    return Card(chip)


def fetch(card: Card, command: str) -> bytes:
    told = card.send(command)
    assert told[:2] == "61", told
    return bytes.fromhex(card.ok(f"00C00000{told[2:]}"))


def deliver(usage: int, identifier: int, levels: int, process: bytes) -> str:
    data = CHIP + (CITY + PROVINCE)[: 8 * (levels - 1)] + process
    return f"BFDE{usage:02X}{identifier:02X}{len(data):02X}{data.hex()}"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
@pytest.mark.parametrize(("usage", "identifier", "name", "levels", "home"), [
    (0x48, 0x12, "UKSSSE", 2, ""), (0x67, 0x08, "IRK", 3, ""), (0x47, 0x0A, "RKSSSE", 2, ""),
    (0x48, 0x49, "UK1DF04", 2, ADF), (0x67, 0x2D, "RK1DF04", 3, ADF), (0x28, 0x41, "LKDF04", 1, ADF),
])  # fmt: skip
def test_delivery_gives_the_cards_process_key(
    algorithm: str, usage: int, identifier: int, name: str, levels: int, home: str
) -> None:
    """What the PSAM enciphers is what the card's own key would make of it, with one, two and three levels."""
    card, algorithms = psam(), suite(algorithm)
    if home:
        card.ok(home)
    challenge = bytes(range(8))
    process = challenge if algorithm == "3des" else challenge.ljust(16, b"\0")
    block = bytes(range(16, 16 + algorithms.block))
    card.ok(deliver(usage, identifier, levels, process))
    key = new_card("3.00", algorithm).key(name)
    expected = algorithms.crypt(algorithms.process_key(key, challenge), block)
    assert fetch(card, f"80FA0000{len(block):02X}{block.hex()}") == expected
    assert card.send(f"80FA0000{len(block):02X}{block.hex()}") == "6901", "served once"


def test_mac_modes_agree() -> None:
    for algorithm in ("3des", "sm4"):
        algorithms = suite(algorithm)
        card, size = psam(), algorithms.block
        process = bytes(8).ljust(8 if algorithm == "3des" else 16, b"\0")
        key = algorithms.process_key(card_key(algorithms, test_root("STK"), "510100", CHIP, 2), bytes(8))
        message = bytes(range(2 * size))
        expected = algorithms.mac(key, message[:-1])
        padded = (message[:-1] + b"\x80").hex()
        start = bytes(size).hex()
        card.ok(deliver(0x48, 0x09, 2, process))
        assert fetch(card, f"80FA0500{3 * size:02X}{start}{padded}") == expected, "only one block of commands"
        card.ok(deliver(0x48, 0x09, 2, process))
        assert card.send(f"80FA0700{2 * size:02X}{start}{padded[: 2 * size]}") == "9000"
        assert fetch(card, f"80FA0100{size:02X}{padded[2 * size :]}") == expected, "first and last"
        card.ok(deliver(0x48, 0x09, 2, process))
        assert card.send(f"80FA0700{2 * size:02X}{start}{padded[: 2 * size]}") == "9000"
        assert card.send(f"80FA0300{size:02X}{padded[2 * size :]}") == "9000"
        more = bytes(size - 1) + b"\x80"
        assert len(fetch(card, f"80FA0100{size:02X}{more.hex()}")) == 4
        card.ok(deliver(0x48, 0x09, 2, process))
        enciphered = fetch(card, f"80FA0200{size:02X}{message[:size].hex()}")
        assert enciphered == algorithms.crypt(key, message[:size])
        assert fetch(card, f"80FA0500{3 * size:02X}{start}{padded}") == expected, "more came after mode 02"


def test_order_and_use() -> None:
    card = psam()
    assert card.send("80FA000008" + "00" * 8) == "6901", "nothing delivered"
    card.ok(deliver(0x67, 0x08, 3, bytes(8)))
    assert card.send("80FA050010" + "00" * 16) == "6985", "an encryption key makes no MAC"
    card.ok(deliver(0x48, 0x09, 2, bytes(8)))
    assert card.send("80FA010008" + "00" * 8) == "6901", "no MAC was begun"
    card.ok(deliver(0x48, 0x09, 2, bytes(16)))
    assert card.send("80FA000008" + "00" * 8) == "6A80", "SM4 has blocks of 16"
    card.ok(deliver(0x48, 0x09, 2, bytes(8)))
    assert card.send("80FA050008" + "00" * 8) == "6A80", "a start value alone"
    card.ok(deliver(0x48, 0x09, 2, bytes(8)))
    card.chip.reset()
    assert card.send("80FA000008" + "00" * 8) == "6901", "a reset loses delivered keys"


def test_wrong_levels_and_missing_keys() -> None:
    card = psam()
    assert card.send(deliver(0x28, 0x12, 1, bytes(8))) == "6A80", "usage says one level, the root has two"
    assert card.send(deliver(0x48, 0x12, 1, bytes(8))) == "6A80", "too short"
    assert card.send(deliver(0x48, 0x13, 2, bytes(8))) == "6A88"
    assert card.send(deliver(0x48, 0x42, 2, bytes(8))) == "6A88", "the ADF's keys are not in the DDF's reach"
    card.ok(ADF, deliver(0x48, 0x42, 2, bytes(8)), deliver(0x48, 0x12, 2, bytes(8)))
    assert psam("psam-no-rksssse").send(deliver(0x47, 0x0A, 2, bytes(8))) == "6A88"
    no_sm4 = psam("psam-no-sm4")
    assert no_sm4.send(deliver(0x48, 0x12, 2, bytes(16))) == "6A81"
    no_sm4.ok(deliver(0x48, 0x12, 2, bytes(8)))
    city = psam("psam-city")
    assert city.send(deliver(0x48, 0x12, 2, bytes(8))) == "6A80", "two levels, but only the card's is left"
    city.ok(deliver(0x28, 0x12, 1, bytes(8)))
    block = bytes(range(8))
    key = suite("3des").process_key(card_key(suite("3des"), test_root("UKSSSE"), "510100", CHIP, 2), bytes(8))
    assert fetch(city, f"80FA000008{block.hex()}") == suite("3des").crypt(key, block)


def test_files_and_environment() -> None:
    card = psam()
    assert card.send("BFEC000001" + "51") == "9000"
    assert card.send("BFEC000001" + "11") == "6A81", "SSF33 is not public"
    card.ok("00A4000002" + "3F00", "00A4020002" + "0016")
    assert card.send("00B0000006") == "5101000000019000"
    card.ok("00A4000002" + "0015")
    assert card.send("00B000000F")[-4:] == "9000"
    assert card.send("00A4020002" + "0019") == "6A82", "that one is in the ADF"
    card.ok(ADF, "00A4000002" + "0019")
    assert card.send("00B0000004") == "000000019000"
    for fid in ("001A", "001B", "001C"):
        card.ok("00A4020002" + fid, "00B0000020")
    assert card.send("00B2012C00") == card.send("0020000000") == "6D00", "user cards' commands are not its own"
    assert card.send(SSSE)[:2] == "61", "its DDF has the environment's name"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_a_whole_purchase_between_the_two_cards(algorithm: str) -> None:
    user, sam = new_card("3.00", algorithm), psam()
    user.ok(DF["DF04"], VERIFY)
    sam.ok(ADF)
    amounts = f"{0:08X}{700:08X}{1500:08X}"
    for turn in (1, 2, 3):
        told = fetch(user, f"B0280101130{turn}{amounts}510100000001")
        begun = told[18:22].hex() + told[14:16].hex() + amounts + "02" + "20261124120000" + told[16:18].hex()
        data = begun + CHIP.hex()
        answer = fetch(sam, f"80700100{len(data) // 2:02X}{data}")
        assert answer[:4] == turn.to_bytes(4, "big"), "the terminal's own sequence"
        result = fetch(user, f"B02C01000F{answer[:4].hex()}20261124120000{answer[4:].hex()}")
        if turn == 3:
            assert sam.send("8072000004" + "00" * 4) == "9302"
            assert sam.send("8072000004" + result[4:].hex()) == "6901", "one chance"
        else:
            assert sam.send("8072000004" + result[4:].hex()) == "9000"
    sam.chip.power_off()
    sam.chip.power_on()
    sam.ok(ADF, "00A4020002" + "0019")
    assert sam.send("00B0000004") == "000000049000", "it survives power"


def test_the_purchase_side_refuses() -> None:
    sam = psam("psam-no-sm4")
    sam.ok(ADF)
    head, tail = "00" * 6 + "00" * 12 + "02" + "20261124120000", CHIP.hex()
    assert sam.send("8072000004" + "00" * 4) == "6901"
    assert sam.send(f"80700100{36:02X}{head}0403{tail}") == "6A88", "no such version"
    assert sam.send(f"80700100{36:02X}{head}0103{tail}") == "6A81", "no SM4"
    assert sam.send(f"80700100{36:02X}{head}0107{tail}") == "6A81", "no such algorithm"
    assert sam.send(f"80700100{44:02X}{head}0101{tail}{CITY.hex()}") == "6A80", "a level too many"
    assert fetch(sam, f"80700100{36:02X}{head}0101{tail}")[:4].hex() == "00000001"


def test_its_own_maintenance_key_writes_its_files() -> None:
    sam = psam()
    sam.ok(SSSE)
    algorithms = suite("3des")
    key = card_key(algorithms, test_root("PMK"), "510100", sam.chip.image.chip_factor, 1)
    assert sam.send("00D6960006" + "510100000002") == "6982"
    challenge = bytes.fromhex(sam.ok("0084000008"))
    data = bytes(range(8))
    cryptogram = algorithms.cryptogram(algorithms.process_key(key, challenge), data)
    sam.ok(f"0082000110{cryptogram.hex()}{data.hex()}", "00D6960006" + "510100000002")
    assert sam.send("00B0960006") == "5101000000029000"
