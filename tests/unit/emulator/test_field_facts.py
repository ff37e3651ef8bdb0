"""What many public programs rely on: each row of what the field shows, true of every version and algorithm that it is
of. Whole sessions of such programs stand among the vectors; these are the single facts, and what they exclude.
"""

from __future__ import annotations

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.paths import PsamKey
from tests.kit.cards import DF, HOME, SSSE, VERIFY, Card, new_card

KINDS = [("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]
every_kind = pytest.mark.parametrize("kind", KINDS, ids="-".join)


def files_of(layout: str) -> list[tuple[str, str]]:
    """Application and file id of every EF in the environment and its applications."""
    found = [(spec.application, f"{spec.fid:04X}") for spec in catalogue.layout(layout).files.values()]
    return [(application, fid) for application, fid in found if application in ("SSSE", *DF)]


# --- file ids ----------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("p1", ["00", "02"])
@pytest.mark.parametrize("le", ["", "00"], ids=["without Le", "with Le"])
def test_every_ef_is_selected_by_ef_and_its_number(kind: tuple[str, str], p1: str, le: str) -> None:
    card = new_card(*kind)
    for application, fid in files_of(kind[0]):
        assert fid.startswith("EF")
        card.ok(HOME[application])
        assert card.send(f"00A4{p1}0002{fid}{le}") == "9000", f"{application}/{fid}: exactly that, and no data"


@every_kind
def test_no_ef_answers_to_two_zeros_and_its_number(kind: tuple[str, str]) -> None:
    card = new_card(*kind)
    for application, fid in files_of(kind[0]):
        card.ok(HOME[application])
        for p1 in ("00", "02"):
            assert card.send(f"00A4{p1}000200{fid[2:]}") == "6A82"


@every_kind
@pytest.mark.parametrize("p1", ["00", "01"])
def test_environment_and_applications_are_selected_by_their_ids(kind: tuple[str, str], p1: str) -> None:
    """P1=01 selects a child DF as P1=00 does."""
    card = new_card(*kind)
    for name in catalogue.layout(kind[0]).applications:
        if name in DF:
            card.chip.reset()
            card.ok(f"00A4{p1}0002DDF1", f"00A4{p1}0002{name}")


# --- records -----------------------------------------------------------------------------------------------------


@every_kind
def test_an_item_is_read_by_tag_and_by_number_with_the_file_current_or_named(kind: tuple[str, str]) -> None:
    card = new_card(*kind)
    card.ok(SSSE)
    by_sfi = [card.ok(command) for command in ("00B207280B", "00B2072C0B")]  # EF05 was never selected
    card.ok("00A4020002EF05")
    current = [card.ok(command) for command in ("00B207000B", "00B207040B")]
    assert len({*by_sfi, *current}) == 1
    assert by_sfi[0][:4] == "0709"


@every_kind
@pytest.mark.parametrize("le", ["00", "09", "20", "FF"])
def test_a_wrong_le_is_answered_by_the_right_one(kind: tuple[str, str], le: str) -> None:
    """Programs send 00, the length of the value alone, or what was never right; they live by 6Cxx."""
    card = new_card(*kind)
    card.ok(SSSE)
    assert card.send(f"00B2072C{le}") == "6C0B"
    card.ok("00B2072C0B")


@every_kind
def test_the_records_of_ef06(kind: tuple[str, str]) -> None:
    """4E is record 3 from 2.00 on; 1.00 has none, so there sex is record 3 and the date of birth record 6."""
    card = new_card(*kind)
    card.ok(SSSE)
    if not card.chip.image.layout.files["SSSE/EF06"].read.satisfied(set()):
        assert card.authenticate("RKSSSE") == "9000"
    tags = {}
    for number in range(1, 9):
        told = card.send(f"00B2{number:02X}3400")
        if told[:2] == "6C":
            tags[number] = card.ok(f"00B2{number:02X}34{told[2:]}")[:2]
    if kind[0] == "1.00":
        assert (tags[3], tags[6]) == ("0A", "0D")
        assert "4E" not in tags.values()
    else:
        assert (tags[3], tags[4]) == ("4E", "0A")


# --- selection's answer ------------------------------------------------------------------------------------------


@every_kind
def test_the_environments_fci_by_version(kind: tuple[str, str]) -> None:
    card = new_card(*kind)
    told = card.send(SSSE)
    fci = card.ok(f"00C00000{told[2:]}")
    if kind[0] == "1.00":
        assert told == "6118"
        assert fci == "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA50388010B"
    else:
        assert told == "611E", "one program demands that on 2.00"
        code = {"3des": "01", "sm4": "03"}[kind[1]]
        assert fci == f"6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C038601{code}"


# --- the PIN -----------------------------------------------------------------------------------------------------


@every_kind
def test_three_readings_with_a_usual_pin_that_is_not_the_cards_lock_it(kind: tuple[str, str]) -> None:
    """Two apps try 888888 and 000000 and ignore the refusal."""
    card = new_card(*kind)
    for left, pin in ((2, "888888"), (1, "000000"), (0, "888888")):
        card.chip.reset()
        card.ok(SSSE)
        assert card.send(f"0020000003{pin}") == f"63C{left}"
        card.ok("00B2072C0B")
    assert card.send(VERIFY) == "6983"


@every_kind
@pytest.mark.parametrize("application", ["DF01", "DF03"])
def test_the_pin_is_verified_inside_an_application_and_holds_in_the_others(
    kind: tuple[str, str], application: str
) -> None:
    card = new_card(*kind)
    card.ok(SSSE, DF[application])
    assert card.send(VERIFY) == "9000"
    for other in ("DF01", "DF03"):
        card.ok(DF[other])
        assert "PIN" in card.chip.session.rights


# --- authentication ----------------------------------------------------------------------------------------------


def authentication(card: Card, key: str, data: str, challenge: str, version: str = "") -> str:
    """EXTERNAL AUTHENTICATION over this data, under a challenge that was given before."""
    process_key = card.suite.process_key(card.key(key), bytes.fromhex(challenge))
    cryptogram = card.suite.cryptogram(process_key, bytes.fromhex(data)).hex()
    identifier = card.chip.image.layout.keys[key].id
    return card.sw(f"008200{identifier:02X}{16 + len(version) // 2:02X}{cryptogram}{data}{version}")


@every_kind
@pytest.mark.parametrize("data", ["the challenge itself", "an earlier challenge", "a constant"])
@pytest.mark.parametrize("version", ["", "01"], ids=["Lc 10", "Lc 11"])
def test_the_data_of_an_authentication_are_the_terminals_choice(kind: tuple[str, str], data: str, version: str) -> None:
    card = new_card(*kind)
    card.ok(SSSE)
    earlier = card.ok("0084000008")
    challenge = card.ok("0084000008")
    chosen = {"the challenge itself": challenge, "an earlier challenge": earlier, "a constant": "1122334455667788"}
    assert authentication(card, "UKSSSE", chosen[data], challenge, version) == "9000"


@every_kind
def test_rights_outlive_another_selection_of_the_environment_and_of_efs(kind: tuple[str, str]) -> None:
    card = new_card(*kind)
    card.ok(SSSE)
    assert card.authenticate("UKSSSE") == "9000"
    card.ok(SSSE, "00A4020002EF05", "00A4000002EF06", "00A4000002DDF1", "00A4020002EF05", "00B2072C0B")
    assert card.send("00DC062C06" + "060420401231") == "9000"
    card.ok(DF["DF01"], SSSE)
    assert card.send("00DC062C06" + "060420301231") == "6982", "but no selection of another application"


@pytest.mark.parametrize("kind", KINDS[1:], ids="-".join)
def test_the_rights_of_two_keys_add_up(kind: tuple[str, str]) -> None:
    """A counter authenticates for reading, then for writing, and does both."""
    card = new_card(*kind)
    card.ok(SSSE)
    assert card.authenticate("RKSSSE") == "9000"
    assert card.authenticate("UKSSSE") == "9000"
    assert {"RKSSSE", "UKSSSE"} <= card.chip.session.rights
    assert card.send("00DC062C06" + "060420401231") == "9000"
    assert card.sw("00B0870008") == "9000", "EF07, which RKSSSE opens"


@every_kind
def test_a_challenge_is_given_before_anything_is_selected(kind: tuple[str, str]) -> None:
    card = new_card(*kind)
    assert len(card.ok("0084000008")) == 16
    card.ok(SSSE)
    assert card.send("0082000410" + "00" * 16) == "6984", "it is not the environment's"


# --- the directory, the terminal's own card ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_the_directory_that_the_fci_names_lists_every_environment(kind: tuple[str, str]) -> None:
    """Records 70 LL 61 LL 4F LL name 50 LL label."""
    card = new_card(*kind)
    card.ok(SSSE)
    sfi = 0x0B if kind[0] == "1.00" else 0x1E
    told = card.send(f"00B201{sfi << 3 | 4:02X}00")
    assert told[:2] == "6C"
    record = bytes.fromhex(card.ok(f"00B201{sfi << 3 | 4:02X}{told[2:]}"))
    assert (record[0], record[1], record[2], record[4]) == (0x70, len(record) - 2, 0x61, 0x4F)
    name = record[6 : 6 + record[5]]
    assert name.hex().upper() == SSSE[10:]
    assert record[6 + len(name)] == 0x50


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_the_halves_that_a_program_folds_are_the_cards_own_proof(algorithm: str) -> None:
    """Card, city, challenge (filled with zeros for SM4) to the PSAM; its answer, folded by the program, to the card."""
    card, sam = new_card("3.00", algorithm), new_card("psam", "3des", "psam")
    sam.ok("00A4000002DF01")
    card.ok(SSSE)
    challenge = bytes.fromhex(card.ok("0084000008"))
    block = card.suite.block
    factors = card.chip.image.chip_factor + b"510100sx" + challenge.ljust(block, b"\0")
    sam.ok(f"BFDE4812{len(factors):02X}{factors.hex()}")
    data = bytes(range(8))
    plain = data.ljust(block, b"\0")
    told = sam.send(f"80FA0000{block:02X}{plain.hex()}")
    answer = bytes.fromhex(sam.ok(f"00C00000{told[2:]}"))
    proof = answer if block == 8 else bytes(a ^ b for a, b in zip(answer[:8], answer[8:], strict=True))
    assert card.send(f"0082000410{proof.hex()}{data.hex()}") == "9000"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
@pytest.mark.parametrize(("name", "usage", "identifier", "application", "home"), [
    ("UK3DF01", 0x47, 0x24, "DF01", "DF01"), ("UK4DF01", 0x47, 0x25, "DF01", "DF01"),
    ("UK1DF02", 0x47, 0x26, "DF02", "DF01"), ("UK4DF02", 0x47, 0x27, "DF02", "DF01"),
    ("UK5DF02", 0x47, 0x28, "DF02", "DF01"), ("UK2DF03", 0x47, 0x29, "DF03", "DF01"),
    ("UK2DF04", 0x47, 0x2A, "DF04", "DF01"),
])  # fmt: skip
def test_update_keys_that_only_encipher_prove_themselves_all_the_same(
    algorithm: str, name: str, usage: int, identifier: int, application: str, home: str
) -> None:
    """Table B1's update keys have use 7: they encipher, which is all that a proof asks for, and make no MAC."""
    card, sam = new_card("3.00", algorithm), new_card("psam", "3des", "psam")
    sam.ok(f"00A4000002{home}")
    card.ok(DF[application])
    challenge = bytes.fromhex(card.ok("0084000008"))
    block = card.suite.block
    factors = card.chip.image.chip_factor + b"510100sx" + challenge.ljust(block, b"\0")
    deliver = f"BFDE{usage:02X}{identifier:02X}{len(factors):02X}{factors.hex()}"
    sam.ok(deliver)
    assert sam.send(f"80FA0500{2 * block:02X}{'00' * 2 * block}") == "6985"
    sam.ok(deliver)
    data = bytes(range(8))
    told = sam.send(f"80FA0000{block:02X}{data.ljust(block, bytes(1)).hex()}")
    answer = bytes.fromhex(sam.ok(f"00C00000{told[2:]}"))
    proof = answer if block == 8 else bytes(a ^ b for a, b in zip(answer[:8], answer[8:], strict=True))
    key = card.chip.image.layout.keys[name]
    assert key.psam == PsamKey(usage, identifier)
    assert card.send(f"008200{key.id:02X}10{proof.hex()}{data.hex()}") == "9000"
    assert sam.send(deliver.replace("BFDE47", "BFDE48", 1)) == "6A88", "there is none of use 8"
