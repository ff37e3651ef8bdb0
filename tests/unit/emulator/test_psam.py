"""The PSAM: environment, delivery, cipher data, its side of a purchase; and a terminal's flow with both cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem.memory.cells import VERSIONS, key_cell
from tests.kit.cards import DF, SSSE, VERIFY, Card, new_card

ADF = "00A4040006D15600000590"
CHIP = bytes.fromhex("8684510151010001")
CITY, PROVINCE = b"510100sx", b"510000sh"


def psam(persona: str = "psam", algorithm: str = "3des") -> Card:
    chip = Chip(catalogue.card(persona, "psam", algorithm))
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
    assert card.send("80FA000008" + "00" * 8) == "6700", "SM4 has blocks of 16"
    card.ok(deliver(0x48, 0x09, 2, bytes(8)))
    assert card.send("80FA050008" + "00" * 8) == "6700", "a start value alone"
    card.ok(deliver(0x48, 0x09, 2, bytes(8)))
    card.chip.reset()
    assert card.send("80FA000008" + "00" * 8) == "6901", "a reset loses delivered keys"


def test_wrong_levels_and_missing_keys() -> None:
    card = psam()
    assert card.send(deliver(0x28, 0x12, 1, bytes(8))) == "6A80", "usage says one level, the root has two"
    assert card.send(deliver(0x48, 0x12, 1, bytes(8))) == "6A80", "too short"
    assert card.send("BFDE081208" + "00" * 8) == "6A80", "usage says no level"
    assert card.send("BFDE481207" + "00" * 7) == card.send("BFDE481230" + "00" * 48) == "6700"
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
    assert card.send("BFEC000001" + "11") == "6A80", "SSF33 is not public"
    card.ok("00A4000002" + "3F00", "00A4020002" + "0016")
    assert card.send("00B0000006") == "5101000000019000"
    card.ok("00A4000002" + "0015")
    assert card.send("00B000000F")[-4:] == "9000"
    assert card.send("00A4020002" + "0019") == "6A82", "that one is in the ADF"
    card.ok(ADF, "00A4000002" + "0019")
    assert card.send("00B0000004") == "000000019000"
    for fid in ("001A", "001B", "001C"):
        card.ok("00A4020002" + fid)
        assert card.send("00B0000000")[2:] == "0120200101203912319000", "ten bytes"
    assert card.send("0020000000") == card.send("0088000010" + "00" * 16) == "6D00", "user cards' are not its own"
    for p1p2 in ("0100", "0202", "0402", "0300"):
        assert card.send(f"00A4{p1p2}02DF01") == "6A86", "by id or name, and no next one"
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


def proof(sam: Card, name: str) -> str:
    """EXTERNAL AUTHENTICATION with one of the PSAM's own keys, as a command."""
    key = sam.chip.image.layout.keys[name]
    algorithms = sam.suite
    own = card_key(algorithms, test_root(name), "510100", sam.chip.image.chip_factor, 1)
    challenge = bytes.fromhex(sam.ok("0084000008"))
    data = bytes(range(8))
    cryptogram = algorithms.cryptogram(algorithms.process_key(own, challenge), data)
    return f"008200{key.id:02X}10{cryptogram.hex()}{data.hex()}"


def written(sam: Card, header: str, information: str, *, size: int = 4, wrong: int = 0) -> str:
    """CREATE or CHANGE KEY as a command: under ADF-MK, with the challenge as the MAC's start value."""
    algorithms = sam.suite
    challenge = bytes.fromhex(sam.ok(f"00840000{size:02X}"))
    own = card_key(algorithms, test_root("ADFMK"), "510100", sam.chip.image.chip_factor, 1)
    key = algorithms.process_key(own, challenge)
    body = algorithms.encipher(key, bytes.fromhex(information))
    head = bytes.fromhex(header) + bytes((len(body) + 4,))
    mac = algorithms.mac(key, head + body, start=challenge)
    return (head + body + mac[:3] + bytes((mac[3] ^ wrong,))).hex()


NEW = "00112233445566778899AABBCCDDEEFF"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_a_key_is_created_and_then_serves(algorithm: str) -> None:
    sam = psam(algorithm=algorithm)
    memory, layout = sam.chip.image.memory, sam.chip.image.layout
    lost = {key_cell("UK1DF04", version) for version in VERSIONS}
    memory.restore({cell: value for cell, value in memory.snapshot().items() if cell not in lost})
    sam.ok(ADF)
    process = bytes(8 if algorithm == "3des" else 16)
    assert sam.send(deliver(0x48, 0x49, 2, process)) == "6A88"
    code = {"3des": "00", "sm4": "03"}[algorithm]
    information = f"484900{code}00000000{NEW}"
    sam.ok("0084000004")
    assert sam.send("84D4001224" + "00" * 36) == "6982", "KID-02 first"
    assert sam.sw(proof(sam, "KID1")) == "9000"
    assert sam.send(written(sam, "84D40012", information)) == "6982", "KID-01 writes the national keys"
    assert sam.sw(proof(sam, "KID2")) == "9000"
    assert sam.send(written(sam, "84D40012", information, wrong=1)) == "6988"
    assert sam.sw(proof(sam, "KID2")) == "9000"
    assert sam.send(written(sam, "84D40112", f"484900{NEW}")) == "6A83", "there is none to be changed"
    command = written(sam, "84D40012", information)
    assert len(bytes.fromhex(command)) == 5 + 0x24
    assert sam.send(command) == "9000"
    assert sam.send(written(sam, "84D40012", information)) == "6985", "it is there"
    sam.ok(deliver(0x48, 0x49, 2, process))
    algorithms = suite(algorithm)
    card = algorithms.derive(algorithms.derive(bytes.fromhex(NEW), CITY), CHIP)
    expected = algorithms.crypt(algorithms.process_key(card, process[:8]), bytes(algorithms.block))
    block = "00" * algorithms.block
    assert fetch(sam, f"80FA0000{len(block) // 2:02X}{block}") == expected
    assert sam.send(written(sam, "84D40112", f"484900{NEW[::-1]}")) == "9000"
    assert memory.get(key_cell("UK1DF04", algorithms.code)) == bytes.fromhex(NEW[::-1])
    sam.chip.power_off()
    sam.chip.power_on()
    assert memory.get(key_cell("UK1DF04", algorithms.code)) == bytes.fromhex(NEW[::-1])
    assert layout.key_files


@pytest.mark.parametrize(
    ("header", "information", "sw"),
    [
        ("84D40012", f"4849000000000000{NEW}00", "6A80"),
        ("84D40012", f"4849000100000000{NEW}", "6A81"),
        ("84D40012", f"4849000200000000{NEW}", "6A81"),
        ("84D40012", f"4849000000000000{NEW[:16]}", "6A81"),
        ("84D40012", f"4849010000000000{NEW}", "6A80"),
        ("84D40012", f"4849000000000001{NEW}", "6A80"),
        ("84D40012", f"4824000000000000{NEW}", "6A80"),
        ("84D40012", f"487F000000000000{NEW}", "6A84"),
        ("84D40112", f"487F00{NEW}", "6A83"),
        ("84D40112", f"484901{NEW}", "6A80"),
        ("84D40112", f"484900{NEW[:16]}", "6A81"),
        ("84D40112", f"480900{NEW}", "6A80"),
        ("84D40014", f"4849000000000000{NEW}", "6A86"),
        ("84D40212", f"4849000000000000{NEW}", "6A86"),
    ],
)
def test_keys_that_cannot_be_written(header: str, information: str, sw: str) -> None:
    sam = psam()
    sam.ok(ADF)
    assert sam.sw(proof(sam, "KID2")) == "9000"
    before = sam.chip.image.memory.snapshot()
    assert sam.send(written(sam, header, information)) == sw
    assert sam.chip.image.memory.snapshot() == before


def test_key_files_are_the_applications() -> None:
    sam = psam()
    assert sam.send("84D4001224" + "00" * 36) == "6A82", "there is none in the environment"
    sam.ok(ADF)
    assert sam.sw(proof(sam, "KID2")) == "9000"
    assert sam.send("84D4001224" + "00" * 36) == "6984", "no challenge"
    assert sam.send("84D4001220" + "00" * 32) == "6700"


@pytest.mark.parametrize("p1", ["00", "02"])
def test_its_application_is_selected_by_its_id_either_way(p1: str) -> None:
    sam = psam()
    sam.ok(f"00A4{p1}0002DF01", deliver(0x48, 0x42, 2, bytes(8)))


@pytest.mark.parametrize(("fid", "right"), [("001A", "KID1"), ("001B", "KID2"), ("001C", "KID3")])
def test_each_information_file_has_a_right_of_its_own(fid: str, right: str) -> None:
    sam = psam()
    for other in ("KID1", "KID2", "KID3"):
        sam.chip.reset()
        sam.ok(ADF, f"00A4020002{fid}")
        assert sam.sw(proof(sam, other)) == "9000"
        assert sam.send("00D6000001" + "02") == ("9000" if other == right else "6982")


def test_the_directory_is_read_by_its_id_and_by_its_short_one() -> None:
    sam = psam()
    sam.ok("00A40200020001")
    first = sam.send("00B2010400")
    assert first[:2] == "6C"
    record = sam.ok(f"00B20104{first[2:]}")
    assert record[:2] == "70"
    assert "7378312E73682EC9E7BBE1B1A3D5CF" in record
    sam.chip.reset()
    assert sam.ok(f"00B2010C{first[2:]}") == record
    assert sam.sw("00B2030C00") == "6A83"
    assert sam.send("00DC010C02" + record[:4]) == "6D00", "part 9 writes no records"


def test_the_terminals_number_is_read_right_after_reset() -> None:
    sam = psam()
    sam.ok("00A40200020016")
    assert sam.ok("00B0000006") == "510100000001"
    sam.chip.reset()
    sam.ok("00A40000020015")
    assert len(sam.ok("00B000000F")) == 30


def test_the_environment_has_a_name_for_sm4() -> None:
    sam = psam()
    told = sam.send("00A404000F" + "7378332E73682EC9E7BBE1B1A3D5CF")
    assert told[:2] == "61"
    fci = sam.ok(f"00C00000{told[2:]}")
    assert fci.startswith("6F")
    assert "840F7378332E73682EC9E7BBE1B1A3D5CF" in fci
    assert fci.endswith("9F0C03860103"), "SM4"
    sam.ok("00A40200020016", ADF)
    data = CHIP + CITY + bytes(range(8)) + bytes(8)
    sam.ok("BFDE481220" + data.hex())
    block = bytes(range(8)) + bytes(8)
    key = suite("sm4").process_key(new_card("3.00", "sm4").key("UKSSSE"), bytes(range(8)))
    halves = fetch(sam, f"80FA000010{block.hex()}")
    folded = bytes(a ^ b for a, b in zip(halves[:8], halves[8:], strict=True))
    assert folded == suite("sm4").cryptogram(key, block[:8])
    other = sam.send(SSSE)
    assert "840F7378312E" in sam.ok(f"00C00000{other[2:]}"), "the other name's"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_uses_six_seven_and_eight(tmp_path: Path, algorithm: str) -> None:
    """A key of use 6 makes MACs, one of 7 enciphers, one of 8 does both."""
    file = tmp_path / "uses.toml"
    text = 'extends = "psam"\nschema = 1\nname = "uses"\n'
    for use in (6, 7, 8):
        text += f'[key.TRY{use}]\napplication = "DF01"\nid = "{0x50 + use:02X}"\nuse = "delivery"\nlevels = 2\n'
        text += f'tries = 0\npsam = "4{use}/{0x50 + use:02X}"\ngrade = "D"\n'
    file.write_text(text, encoding="utf-8")
    chip = Chip(catalogue.card("psam", file, "3des"))
    chip.power_on()
    sam, size = Card(chip), suite(algorithm).block
    sam.ok(ADF)
    process, blocks = bytes(size), "00" * size
    for use, enciphers, macs in ((6, False, True), (7, True, False), (8, True, True)):
        for mode, works, length in (("00", enciphers, 1), ("02", enciphers, 1), ("05", macs, 2), ("07", macs, 1)):
            sam.ok(deliver(0x40 | use, 0x50 + use, 2, process))
            told = sam.sw(f"80FA{mode}00{length * size:02X}{length * blocks}")
            assert (told == "9000" or told[:2] == "61") == works, (use, mode)
            assert works or told == "6985"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_how_much_one_command_ciphers(algorithm: str) -> None:
    sam, size = psam(), suite(algorithm).block
    most = 8 * size
    for mode in ("00", "02", "05", "07"):
        for length, works in ((most, True), (most + size, False), (size + 4, False), (size, mode != "05")):
            sam.ok(deliver(0x48, 0x09, 2, bytes(size)))
            told = sam.sw(f"80FA{mode}00{length:02X}{'00' * length}")
            assert (told == "9000" or told[:2] == "61") == works, (mode, length)
            assert works or told == "6700"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_a_start_value_may_come_alone(algorithm: str) -> None:
    algorithms = suite(algorithm)
    sam, size = psam(), algorithms.block
    sam.ok(deliver(0x48, 0x09, 2, bytes(size)), f"80FA0700{size:02X}{'11' * size}")
    key = algorithms.process_key(card_key(algorithms, test_root("STK"), "510100", CHIP, 2), bytes(8))
    padded = bytes(size - 1) + b"\x80"
    expected = algorithms.mac(key, bytes(size - 1), start=b"\x11" * size)
    assert fetch(sam, f"80FA0100{size:02X}{padded.hex()}") == expected


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_a_root_with_no_level_left_takes_the_process_factor_alone(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "whole.toml"
    file.write_text(
        'extends = "psam"\nschema = 1\nname = "whole"\n[key.WHOLE]\napplication = "DF01"\nid = "59"\n'
        'use = "delivery"\nlevels = 2\ntries = 0\npsam = "08/59"\ngrade = "D"\n',
        encoding="utf-8",
    )
    chip = Chip(catalogue.card("psam", file, "3des"))
    chip.power_on()
    sam, algorithms = Card(chip), suite(algorithm)
    sam.ok(ADF)
    size = algorithms.block
    sam.ok(f"BFDE0859{size:02X}{bytes(range(8)).ljust(size, bytes(1)).hex()}")
    cell = chip.image.memory.get(key_cell("WHOLE", algorithms.code))
    assert isinstance(cell, bytes)
    expected = algorithms.crypt(algorithms.process_key(cell, bytes(range(8))), bytes(size))
    assert fetch(sam, f"80FA0000{size:02X}{'00' * size}") == expected
    assert sam.send(f"BFDE0859{8 + size:02X}{'00' * (8 + size)}") == ("6A80" if algorithm == "sm4" else "9000")
