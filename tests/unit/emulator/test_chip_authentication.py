"""Challenges, keys, the PIN, and what each costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKING
from tests.kit.cards import DF, HOME, SSSE, VERIFY, WRONG_PIN, Card, new_card


@pytest.mark.parametrize("size", [4, 8, 16])
def test_a_challenge_of_each_size_serves(card: Card, size: int) -> None:
    card.ok(SSSE)
    assert len(card.ok(f"00840000{size:02X}")) == 2 * size
    assert card.send(card.proof("UKSSSE", size=size)) == "9000"


def test_challenges_differ(card: Card) -> None:
    assert len({card.ok("0084000008") for _ in range(100)}) == 100


@pytest.mark.parametrize("won", [True, False])
def test_a_challenge_serves_one_use_won_or_lost(card: Card, won: bool) -> None:
    card.ok(SSSE)
    proof = card.proof("UKSSSE")
    assert card.send(proof if won else proof[:-1] + "0") == ("9000" if won else "63C2")
    assert card.send(proof) == "6984"


def test_only_the_last_challenge_counts(card: Card) -> None:
    card.ok(SSSE)
    proof = card.proof("UKSSSE")
    card.ok("0084000008")
    assert card.send(proof) == "63C2"


def test_the_data_may_be_a_challenge_itself(card: Card) -> None:
    card.ok(SSSE)
    data = card.ok("0084000008")
    assert card.send(card.proof("UKSSSE", data)) == "9000"


def test_a_challenge_is_lost_with_the_application(card: Card) -> None:
    card.ok(SSSE)
    proof = card.proof("UKSSSE")
    card.ok(DF["DF01"], SSSE)
    assert card.send(proof) == "6984"


def test_every_external_key_has_tries_of_its_own_that_survive(card: Card) -> None:
    layout = card.chip.image.layout
    keys = [key for key in layout.keys.values() if key.use is KeyUse.EXTERNAL]
    assert len(keys) > 40
    for key in keys:
        home = HOME[key.application]
        card.chip.reset()
        card.ok(home)
        wrong = f"008200{key.id:02X}10" + "00" * 16
        if not key.tries:
            for _ in range(5):
                card.ok("0084000004")
                assert card.send(wrong) == "63CF", "a key before a block command never locks"
            assert card.authenticate(key.name) == "9000"
            continue
        for left in range(key.tries - 1, -1, -1):
            card.ok("0084000004")
            assert card.send(wrong) == f"63C{left}"
            if left == key.tries - 1:
                card.chip.power_off()
                card.chip.power_on()
                card.ok(home)
        card.ok("0084000004")
        assert card.send(wrong) == "6983"
        assert card.authenticate(key.name) == "6983", "a right proof comes too late"
        assert card.tries(key.name) == 0
        locked = [one.name for one in keys if one.tries and card.tries(one.name) == 0]
        assert locked == [one.name for one in keys[: keys.index(key) + 1] if one.tries], "no other key suffers"


def test_success_sets_the_keys_tries_back(card: Card) -> None:
    card.ok(SSSE, "0084000004")
    assert card.send("0082000410" + "00" * 16) == "63C2"
    assert card.authenticate("UKSSSE") == "9000"
    assert card.tries("UKSSSE") == 3


def test_a_failed_proof_takes_no_right_away(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    card.ok("0084000004")
    assert card.send("0082000410" + "00" * 16) == "63C2"
    assert card.send("00DC05280605042026" + "0101") == "9000"


@pytest.mark.parametrize("identifier", ["FF", "00", "02", "7F", "83"])
def test_unknown_keys_and_keys_of_another_use(card: Card, identifier: str) -> None:
    card.ok(SSSE, "0084000008")
    assert card.send(f"008200{identifier}10" + "00" * 16) == "6A88"
    assert card.send(card.proof("UKSSSE")) == "9000", "it cost nothing"


def test_local_keys_need_their_own_application(card: Card) -> None:
    card.ok(DF["DF02"])
    assert card.send(card.proof("UK6DF01")) == "63C2", "id 89 is UK6DF02's here"
    card.ok(DF["DF05"])
    assert card.send(card.proof("UK4DF01")) == "6A88", "DF05 has no 86"
    assert card.authenticate("UKSSSE") == "9000", "global keys are found from below"
    card.ok("00A40000023F00")
    assert card.send(card.proof("UKSSSE")) == "6A88", "but not from above"


def test_key_versions(card: Card) -> None:
    card.ok(SSSE)
    for version in (1, 2, 3):
        card.chip.reset()
        card.ok(SSSE)
        proof = card.proof("UKSSSE", version=version).replace("000410", "000411")
        assert card.send(proof + f"{version:02X}") == "9000"
        other = card.proof("UKSSSE", version=version).replace("000410", "000411")
        assert card.send(other + f"{version % 3 + 1:02X}") == "63C2", "each version has a value of its own"
        assert card.send(card.proof("UKSSSE")) == "9000", "without a version byte the lowest one is meant"
    for unknown in ("00", "04", "FF"):
        proof = card.proof("UKSSSE").replace("000410", "000411")
        assert card.send(proof + unknown) == "6A88"
    assert card.tries("UKSSSE") == 3, "an unknown version costs nothing"


def test_internal_authentication(card: Card) -> None:
    card.ok(SSSE)
    image = card.chip.image
    algorithms = suite(image.algorithm)
    key = card_key(algorithms, test_root("IRK"), "510100", image.chip_factor, 3)
    factor, data = bytes(range(8)), bytes(range(8, 16))
    expected = algorithms.cryptogram(algorithms.process_key(key, factor), data).hex().upper()
    command = "0088000010" + factor.hex() + data.hex()
    assert card.ok(command, "00C0000008") == expected
    assert card.send(command + "00") == "6108", "a trailing Le changes nothing"
    assert card.send("0088000111" + "00" * 17) == "6A86"
    assert card.send("0088000011" + "00" * 16 + "04") == "6A88"
    card.ok("00A40000023F00")
    assert card.send(command) == "6A88"


# --- PIN ---------------------------------------------------------------------------------------------------------


def test_wrong_pins_lock_and_the_lock_survives(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("0020000000") == "63C3"
    assert [card.send(WRONG_PIN) for _ in range(2)] == ["63C2", "63C1"]
    assert card.send("0020000000") == "63C1", "asking costs nothing"
    card.chip.power_off()
    card.chip.power_on()
    card.ok(DF["DF07"])
    assert card.send(WRONG_PIN) == "63C0"
    assert card.send(WRONG_PIN) == "6983"
    assert card.send(VERIFY) == "6983"
    assert card.send("0020000000") == "6983"
    assert card.send("805E010007123456FF112233") == "6983"


def test_a_right_pin_sets_the_tries_back(card: Card) -> None:
    card.ok(SSSE)
    card.send(WRONG_PIN)
    assert card.send(VERIFY) == "9000"
    assert card.tries() == 3


@pytest.mark.parametrize("padded", ["123456", "123456FF", "123456FFFFFFFFFF"])
def test_filling_does_not_matter(card: Card, padded: str) -> None:
    card.ok(SSSE)
    assert card.send(f"00200000{len(padded) // 2:02X}{padded}") == "9000"


@pytest.mark.parametrize("malformed", ["ABCDEF", "12F456", "FFFFFF", "1234", "12345678"])
def test_what_is_no_pin_counts_as_wrong(card: Card, malformed: str) -> None:
    card.ok(SSSE)
    assert card.send(f"00200000{len(malformed) // 2:02X}{malformed}") == "63C2"


def test_a_failed_verify_takes_the_right_away(card: Card) -> None:
    card.ok(DF["DF01"], VERIFY)
    assert card.sw("00B2012C00") == "6C04"
    card.send(WRONG_PIN)
    assert card.sw("00B2012C00") == "6982"


def test_no_pin_is_found_from_the_mf(card: Card) -> None:
    assert card.send(VERIFY) == "6A88"
    assert card.send("805E010007123456FF112233") == "6A88"


def test_changing_the_pin(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("805E010007123456FF876543") == "9000"
    assert card.send(VERIFY) == "63C2"
    assert card.send("0020000003876543") == "9000"
    assert card.send("805E010007111111FF222222") == "63C2", "a wrong old one costs a try"
    assert card.send("805E01000B876543FF12345678901234") == "9000"
    assert card.send("002000000712345678901234") == "9000"


@pytest.mark.parametrize("data", ["12345612", "123456FFAB12", "123456FF123F", "123456FF12", "123456FF" + "12" * 9])
def test_a_new_pin_that_may_not_be_costs_no_try(card: Card, data: str) -> None:
    card.ok(SSSE)
    assert card.send(f"805E0100{len(data) // 2:02X}{data}") == "6A80"
    assert card.tries() == 3
    assert card.send(VERIFY) == "9000"


def test_an_empty_pin_is_no_pin(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("805E010004123456FF") == "9000"
    assert card.send("0020000000") == "9000"
    assert card.send(VERIFY) == "63C2", "where none is set none is right"
    assert card.send("0020000002FFFF") == "63C1", "nor is filling alone"
    assert card.send("0020000000") == "9000", "the question costs nothing, and is answered as before"
    assert card.send("805E010004FF654321") == "9000", "from none to one, and the tries are back"
    assert card.tries() == 3
    assert card.send("0020000003654321") == "9000"


def test_tries_run_out_on_a_card_without_a_pin_too(card: Card) -> None:
    card.ok(SSSE, "805E010004123456FF")
    assert [card.send(VERIFY) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert card.send("805E010004FF654321") == "6983"
    assert card.authenticate("PUK") == "9000"
    assert card.send(card.reload("654321")) == "9000"
    assert card.send("0020000003654321") == "9000"


def test_unblocking(card: Card) -> None:
    card.ok(SSSE)
    for _ in range(3):
        card.send(WRONG_PIN)
    assert card.authenticate("PUK") == "9000"
    assert card.send(card.reload(None)) == "9000"
    assert card.tries() == 3
    assert card.send(VERIFY) == "9000"


@pytest.mark.parametrize("pin", ["654321", "0246", "99887766554433"])
def test_reloading(card: Card, pin: str) -> None:
    card.ok(SSSE)
    for _ in range(3):
        card.send(WRONG_PIN)
    assert card.authenticate("PUK") == "9000"
    assert card.send(card.reload(pin)) == "9000"
    assert card.send(f"00200000{len(pin) // 2:02X}{pin}") == "9000"


def test_reloading_eight_bytes(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("PUK")
    command = card.reload("1234567812345678")
    assert card.send(command) == "9000"
    assert len(bytes.fromhex(command)) == 5 + 20, "two blocks of 8, or one of 16"
    assert card.send("00200000081234567812345678") == "9000"


@pytest.mark.parametrize("pin", ["12", "AB12", "123456F1"])
def test_reloading_what_is_no_pin(card: Card, pin: str) -> None:
    card.ok(SSSE)
    card.authenticate("PUK")
    assert card.send(card.reload(pin)) == "6A80"
    assert card.chip.image.memory.text(PIN_CELL) == "123456"


def test_reloading_none_at_all(card: Card) -> None:
    """In blocks of 8 nothing is enciphered; in blocks of 16 no less than one byte can be."""
    card.ok(SSSE)
    card.authenticate("PUK")
    accepted, refused = ("FF", "") if card.suite.block == 16 else ("", "FF")
    assert card.send(card.reload(refused)) == "6A80"
    assert card.send("0020000000") == "63C3", "the PIN stayed"
    assert card.send(card.reload(accepted)) == "9000"
    assert card.send("0020000000") == "9000"


def test_unblocking_needs_puk_a_challenge_and_a_right_mac(card: Card) -> None:
    card.ok(SSSE)
    assert card.send(card.reload(None)) == "6982", "no PUK"
    card.authenticate("PUK")
    command = card.reload(None)
    assert card.send(command) == "9000"
    assert card.send(command) == "6984", "a process key serves once"
    assert card.send(card.reload(None, wrong=1)) == "6988"
    assert card.tries("STK") == 3, "a wrong MAC locks no key"
    assert card.send(card.reload(None)) == "6982", "but costs PUK's right"
    card.authenticate("PUK")
    assert card.send(card.reload(None)) == "9000"
    assert card.send(VERIFY) == "9000", "the PIN stayed"


def test_asking_a_locked_pin_answers_as_the_layout_says(tmp_path: Path) -> None:
    """6983 in the field; 63C0 by the clause of VERIFY."""
    for answer in ("6983", "63C0"):
        file = tmp_path / "asked.toml"
        file.write_text(
            f'extends = "2.00"\nschema = 1\nname = "asked"\n[pin]\nasked_when_locked = "{answer}"\n', encoding="utf-8"
        )
        chip = Chip(catalogue.card("pin-locked", file, "3des"))
        chip.power_on()
        card = Card(chip)
        card.ok(SSSE)
        assert card.send("0020000000") == answer
        assert card.send(VERIFY) == "6983"


def test_failed_unblockings_in_a_row_lock_puk(card: Card) -> None:
    """They are counted apart: a right proof of PUK sets nothing back, a right unblocking does."""
    card.ok(SSSE)
    for left in (2, 1):
        assert card.authenticate("PUK") == "9000"
        assert card.send(card.reload("112233", wrong=1)) == "6988"
        assert card.tries(UNBLOCKING) == left
        assert card.tries("PUK") == 3
    assert card.authenticate("PUK") == "9000"
    assert card.tries(UNBLOCKING) == 1, "a right proof is no unblocking"
    assert card.send(card.reload(None)) == "9000"
    assert card.tries(UNBLOCKING) == 3
    for _ in range(3):
        assert card.authenticate("PUK") == "9000"
        assert card.send(card.reload(None, wrong=1)) == "6988"
    assert card.send(card.proof("PUK")) == "6983", "PUK is locked"
    card.chip.power_off()
    card.chip.power_on()
    card.ok(SSSE)
    assert card.send(card.proof("PUK")) == "6983", "for good"
    assert card.tries("PUK") == 3
    assert card.authenticate("UKSSSE") == "9000", "no other key is"
    assert card.send(VERIFY) == "9000"


def test_an_unblocking_with_a_pin_that_may_not_be_has_failed_too(card: Card) -> None:
    card.ok(SSSE)
    assert card.authenticate("PUK") == "9000"
    for left in (2, 1, 0):
        assert card.send(card.reload("12")) == "6A80"
        assert card.tries(UNBLOCKING) == left
    assert card.send(card.reload(None)) == "6983", "PUK's right is still there, and worth nothing"


def test_what_proves_nothing_is_no_failed_unblocking(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("8424000004" + "00" * 4) == "6982"
    assert card.authenticate("PUK") == "9000"
    assert card.send("8424000004" + "00" * 4) == "6984", "no challenge"
    assert card.send("8424000104" + "00" * 4) == "6700"
    assert card.send("8424000204" + "00" * 4) == "6A86"
    assert card.tries(UNBLOCKING) == 3


def test_wrong_macs_of_any_command_lock_no_key(card: Card) -> None:
    card.ok(SSSE)
    for _ in range(5):
        assert card.authenticate("UKSSSE") == "9000"
        assert card.send(card.sealed("04DC062C", "060420301231", "STK", wrong=1)) == "6988"
    assert card.authenticate("UKSSSE") == "9000"
    assert card.send(card.sealed("04DC062C", "060420301231", "STK")) == "9000"


def test_sm4_enciphers_in_blocks_of_sixteen() -> None:
    card = new_card("3.00", "sm4")
    card.ok(SSSE)
    card.authenticate("PUK")
    card.ok("0084000008")
    assert card.send("842400010C" + "00" * 12) == "6700"
    assert card.send(card.reload("112233")) == "9000", "and the right is still there"


@pytest.mark.parametrize(
    ("persona", "state", "after"), [("pin-one-try", "63C1", "9000"), ("pin-locked", "6983", "6983")]
)
def test_personas_with_fewer_tries(persona: str, state: str, after: str) -> None:
    card = new_card(persona=persona)
    card.ok(SSSE)
    assert card.send("0020000000") == state
    assert card.send(VERIFY) == after


# --- the insurance region ----------------------------------------------------------------------------------------


def test_each_region_moves_under_its_own_files_key_only(card: Card) -> None:
    layout = card.chip.image.layout
    for binding in layout.insurance_region:
        spec = layout.files[binding.file]
        own = layout.key_for(spec.update)
        update = f"00DC{binding.tag:02X}{spec.sfi << 3:02X}05{binding.tag:02X}03510700"
        local = [key.name for key in layout.keys.values()
                 if key.application == spec.application and key.use is KeyUse.EXTERNAL]  # fmt: skip
        for name in local:
            card.chip.reset()
            card.ok(DF[spec.application])
            assert card.authenticate(name) == "9000"
            assert card.send(update) == ("9000" if name == own else "6982"), f"{binding.item} under {name}"
        card.chip.reset()
        card.ok(DF[spec.application], VERIFY)
        assert card.ok(f"00B2{binding.tag:02X}{spec.sfi << 3:02X}05") == f"{binding.tag:02X}03510700"
