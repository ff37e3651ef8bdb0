"""Records, binary files and who may touch them."""

from __future__ import annotations

import pytest

from emulator import catalogue
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import KeyUse, Structure
from emulator.security import PIN, AllOf, AnyOf, Never, Right, names_in
from tests.kit.cards import DF, HOME, SSSE, VERIFY, Card, new_card


def test_item_07_in_all_four_forms(card: Card) -> None:
    card.ok(SSSE)
    expected = "0709" + b"A00000011".hex().upper()
    assert card.ok("00B2072C0B") == expected, "number, SFI"
    assert card.ok("00B207280B") == expected, "tag, SFI"
    card.ok("00A4020002EF05")
    assert card.ok("00B207040B") == expected, "number, current EF"
    assert card.ok("00B207000B") == expected, "tag, current EF"


def test_a_wrong_le_tells_the_right_one_and_does_nothing(card: Card) -> None:
    card.ok(SSSE, "00A4020002EF05")
    assert card.send("00B2010200") == "6C12"
    assert card.send("00B20102FF") == "6C12"
    assert card.send("00B2010212")[-4:] == "9000"
    card.ok("00A4020002EF05")
    assert card.send("00B2000200") == "6C12", "next after selection: the first"
    assert card.send("00B2000212")[:2] == "01", "the 6C did not move the pointer"
    assert card.send("00B2000203")[:2] == "02"


def test_first_last_next_previous(card: Card) -> None:
    card.ok(DF["DF02"], VERIFY, "00A4020002EF15")
    count = 4
    for number in range(count):
        assert card.sw("00B2990212") == "9000", f"tag 99, next, {number}"
    assert card.sw("00B2990212") == "6A83"
    for _ in range(count - 1):
        assert card.sw("00B2990312") == "9000"
    assert card.sw("00B2990312") == "6A83"
    assert card.ok("00B2990012")[:2] == "99"
    assert card.ok("00B2990112")[:2] == "99"
    assert card.sw("00B2AA0000") == "6A83"
    assert card.ok("00B2000105")[:2] == "1F", "last of any tag"
    assert card.ok("00B2000306")[:2] == "0F", "the one before"


def test_tags_at_the_very_ends(card: Card) -> None:
    card.ok(SSSE)
    assert card.sw("00B2012912") == "9000", "last with the tag of the first record"
    assert card.sw("00B207280B") == "9000", "first with the tag of the last"
    assert card.send("00B2082900") == "6A83"


@pytest.mark.parametrize("mode", ["1", "2", "3"])
def test_only_first_adds_an_unknown_tag(mode: str) -> None:
    child = new_card(persona="child-guardian")
    child.ok(DF["DF03"])
    child.authenticate("UK3DF03")
    child.ok("00A4020002EF07")
    assert child.send(f"00DC710{mode}057103510100") == "6A83"
    assert child.send("00DC7100057103510100") == "9000"


def test_the_current_record(card: Card) -> None:
    card.ok(SSSE, "00A4020002EF05")
    assert card.send("00B2000400") == "6A83", "none yet"
    card.ok("00B2020003")
    assert card.ok("00B2000403") == card.ok("00B2020403")
    card.ok("00A4020002EF06")
    assert card.send("00B2000400") in ("6A83", "6982"), "another file, no current record"


def test_several_records_in_one_answer(card: Card) -> None:
    card.ok(SSSE)
    alone = [card.ok(f"00B20{n}2C{size:02X}") for n, size in zip(range(1, 8), (18, 3, 6, 14, 6, 6, 11), strict=True)]
    onward = "".join(alone[4:])
    assert card.send("00B2052D00") == f"6C{len(onward) // 2:02X}"
    assert card.ok(f"00B2052D{len(onward) // 2:02X}") == onward
    back = "".join(reversed(alone[4:]))
    assert card.ok(f"00B2052E{len(back) // 2:02X}") == back, "from the last back to number 5"
    assert card.send("00B2082D00") == "6A83"


def test_files_that_are_not_there_or_not_such(card: Card) -> None:
    assert card.send("00B2012C00") == "6A82", "no EF in the MF"
    assert card.send("00B2010400") == "6986"
    card.ok(SSSE)
    assert card.send("00B2017C00") == "6A82"
    assert card.send("00B2013C00") == "6981", "EF07 is transparent"
    assert card.send("00B0850000") == "6981", "EF05 holds records"
    assert card.send("00B2082C00") == "6A83"


def test_updating_needs_the_files_own_key(card: Card) -> None:
    card.ok(SSSE)
    update = "00DC05280605" + "04" + "20260101"
    assert card.send(update) == "6982"
    card.ok(VERIFY)
    assert card.send(update) == "6982", "never a PIN alone"
    assert card.authenticate("PUK") == "9000"
    assert card.send(update) == "6982", "another key"
    assert card.authenticate("UKSSSE") == "9000"
    assert card.send(update) == "9000"
    card.chip.reset()
    card.ok(SSSE)
    assert card.ok("00B2052C06") == "050420260101"


def test_updates_by_number_tag_and_pointer(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    card.ok("00A4020002EF05")
    for command in ("00DC0504060504", "00DC052C060504", "00DC0500060504", "00DC0528060504"):
        card.ok(command + "20261231")
    card.ok("00A4020002EF05", "00B2050006", "00DC0004060504" + "20270101")
    assert card.ok("00B2052C06") == "050420270101"


@pytest.mark.parametrize(
    ("update", "sw"),
    [
        ("00DC0528060504202601", "6700"),
        ("00DC0528050504202601", "6A85"),
        ("00DC05280505" + "03202601", "6A85"),
        ("00DC0528060604" + "20260101", "6A85"),
        ("00DC0528060503" + "20260101", "6A85"),
        ("00DC052C060604" + "20260101", "6A85"),
        ("00DC09280309" + "0101", "6A83"),
        ("00DC092C0305" + "0101", "6A83"),
        ("00DC082C0309" + "0101", "6A83"),
        ("00DC052D060504" + "20260101", "6A86"),
        ("00DC052801" + "05", "6A85"),
        ("00DC05380605" + "0420260101", "6981"),
        ("00DC0578060504" + "20260101", "6A82"),
    ],
)
def test_updates_that_do_not_fit_change_nothing(card: Card, update: str, sw: str) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    before = card.chip.image.memory.snapshot()
    assert card.send(update) == sw
    assert card.chip.image.memory.snapshot() == before


def test_adding_records() -> None:
    child = new_card(persona="child-guardian")
    child.ok(DF["DF03"])
    child.authenticate("RK1DF03")
    assert child.send("00B2713800") == "6A83"
    child.authenticate("UK3DF03")
    child.ok("00DC71380571" + "03510100")
    assert child.ok("00B2713805") == "7103510100"
    child.ok("00DC073C05" + "EE03AABBCC")
    assert child.ok("00B2073C05") == "EE03AABBCC", "an unknown tag, at the next number"
    sw = "9000"
    while sw == "9000":
        sw = child.sw(f"00DC{_next(child):02X}3C40EE3E" + "00" * 62)
    assert sw == "6A84"


def _next(card: Card) -> int:
    return len(card.chip.image.memory.records("DF03/EF07")) + 1


def test_cyclic_files(card: Card) -> None:
    card.ok(DF["DF02"])
    card.authenticate("RK1DF02")
    newest = card.ok("00B2013C55")
    card.authenticate("UK3DF02")
    for letter in "ABCDE":
        record = letter.encode().hex().upper() * 85
        assert card.send("00DC003B55" + record) == "9000"
    assert [card.ok(f"00B20{n}3C55")[:2] for n in (1, 2, 3, 4)] == ["45", "44", "43", "42"]
    assert card.send("00B2053C00") == "6A83", "four at most; the oldest is gone"
    assert bytes.fromhex(newest) not in card.chip.image.memory.records("DF02/EF07")
    assert card.send("00DC003B54" + "00" * 84) == "6A85"
    assert card.send("00DC013C55" + "00" * 85) == "6981"
    assert card.send("00DC003A55" + "00" * 85) == "6981"


def test_the_log_is_written_by_no_update(card: Card) -> None:
    card.ok(DF["DF04"], VERIFY)
    for name in ("UK1DF04", "UK2DF04", "RK1DF04"):
        card.authenticate(name)
    assert card.send("00DC00431C" + "00" * 28) == "6982"
    assert card.ok("00B201441C")[:4] == "0003", "newest first"


def test_binary_files(card: Card) -> None:
    card.ok(SSSE)
    assert card.send("00B0870000") == "6982"
    card.authenticate("RKSSSE")
    card.authenticate("UKSSSE")
    assert len(card.ok("00B0870000")) == 512, "256 bytes for Le 00"
    assert len(card.ok("00B0000A05")) == 10, "EF07 became current by reading"
    card.ok("00D6870A03AABBCC")
    assert card.ok("00B0870A03") == "AABBCC"
    assert card.ok("00B0000A03") == "AABBCC"
    assert card.ok("00B002FE02") == "0000", "the last two bytes"
    assert card.send("00B002FE03") == "6C02"
    assert len(card.ok("00B002FE00")) == 4
    assert card.send("00B0030000") == "6B00"
    assert card.send("00D6030001AA") == "6B00"
    assert card.send("00D602FE03AABBCC") == "6700"
    assert card.send("00D602FE02AABB") == "9000"
    card.ok("00A4020002EF08")
    assert card.ok("00B00FFF01") == "00"


def test_a_files_read_right_is_not_its_update_right(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    assert card.send("00B0870000") == "6982", "an update key opens no reading"


def ways(spec: FileSpec) -> list[tuple[str, ...]]:
    """Every set of rights that just satisfies reading."""
    if isinstance(spec.read, AnyOf):
        return [(name,) for name in names_in(spec.read)]
    if isinstance(spec.read, AllOf):
        return [names_in(spec.read)]
    return [(spec.read.name,)] if isinstance(spec.read, Right) else [()]


def read_first(spec: FileSpec) -> str:
    return (
        f"00B0{0x80 | spec.sfi:02X}0001"
        if spec.structure is Structure.TRANSPARENT
        else f"00B201{spec.sfi << 3 | 4:02X}00"
    )


def win(card: Card, right: str) -> None:
    assert card.sw(VERIFY) == "9000" if right == PIN else card.authenticate(right) == "9000"


def test_every_file_opens_by_its_own_rights_and_by_no_other(card: Card) -> None:
    """All files against all keys of their application and the PIN: one by one, and alone."""
    layout = card.chip.image.layout
    tried = 0
    for spec in layout.files.values():
        home = HOME[spec.application]
        above = {"SSSE"} if spec.application in DF else set()
        reach = [key.name for key in layout.keys.values()
                 if key.application in {*above, spec.application} and key.use is KeyUse.EXTERNAL]  # fmt: skip
        pin = (PIN,) if spec.application in {*DF, "SSSE"} else ()
        for right in (*pin, *reach):
            card.chip.reset()
            card.ok(home)
            win(card, right)
            opened = card.sw(read_first(spec)) != "6982"
            assert opened == spec.read.satisfied({right}), f"{spec.path} on {right}"
            updated = card.sw(garbage_update(spec)) != "6982"
            assert updated == spec.update.satisfied({right}), f"updating {spec.path} on {right}"
            tried += 1
        for rights in () if isinstance(spec.read, Never) else ways(spec):
            card.chip.reset()
            card.ok(home)
            for right in rights:
                win(card, right)
            assert card.sw(read_first(spec)) not in ("6982", "6A82")
    assert tried > 300


def garbage_update(spec: FileSpec) -> str:
    """An update refused for its length, had it been allowed."""
    if spec.structure is Structure.TRANSPARENT:
        return f"00D6{0x80 | spec.sfi:02X}FF" + f"FF{'00' * 255}"
    return f"00DC01{spec.sfi << 3 | 4:02X}01FF"


def test_a_keys_right_ends_with_its_application(card: Card) -> None:
    card.ok(DF["DF01"])
    card.authenticate("RK1DF01")
    assert card.send("00B2012C00") == "6C04"
    card.ok("00A4020002EF06", DF["DF01"])
    assert card.send("00B2012C00") == "6C04", "the same DF again keeps it"
    card.ok(DF["DF02"], DF["DF01"])
    assert card.send("00B2012C00") == "6982"
    card.ok(VERIFY, DF["DF03"])
    assert card.send("00B2013C00") == "6C05", "the PIN's right holds in all"


def test_updating_by_sfi_makes_the_file_current(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("RKSSSE")
    card.authenticate("UKSSSE")
    card.ok("00D6870A03AABBCC")
    assert card.ok("00B0000A03") == "AABBCC"
    card.ok("00DC05280605" + "0420260101")
    assert card.ok("00B2000406") == "050420260101", "and the item written by its tag the current record"


def test_a_file_takes_what_it_has_room_for_and_no_byte_more() -> None:
    for size, sw in ((134, "6A84"), (133, "9000")):
        child = new_card(persona="child-guardian")  # without item 71: 5 bytes besides the 128 spare ones
        child.ok(DF["DF03"])
        child.authenticate("UK3DF03")
        assert child.send(f"00DC063C{size:02X}EE{size - 2:02X}" + "5A" * (size - 2)) == sw
        child.chip.image.memory.recover()
        assert len(child.chip.image.memory.records("DF03/EF07")) == 5 + (sw == "9000")


def test_every_element_of_every_constructed_item(card: Card) -> None:
    """B-TLV: what is written element by element is read so, and the elements are those of the layout."""
    checked = 0
    for spec in card.chip.image.layout.files.values():
        for item in spec.items:
            if item.format != "B-TLV" or not isinstance(spec.update, Right):
                continue
            samples = {"an": "A", "cn": "1", "dec": "1"}
            value: items.Value = {part.label: samples.get(part.format, "01") for part in item.elements}
            record = items.tlv(item, value)
            card.chip.reset()
            card.ok(HOME[spec.application], VERIFY)
            assert card.authenticate(spec.update.name) == "9000"
            card.ok(f"00DC{item.label}{spec.sfi << 3:02X}{len(record):02X}{record.hex()}")
            for name in names_in(spec.read):
                win(card, name)
            answer = card.ok(f"00B2{item.label}{spec.sfi << 3:02X}{len(record):02X}")
            assert bytes.fromhex(answer) == record
            assert items.decode(item, record[2:]) == value
            checked += 1
    assert checked > 8


def test_files_of_100_are_rewritten_to_a_200_meaning() -> None:
    """Every file of 1.00 that 2.00 has too takes 2.00's items, one by one, and gives them back."""
    card, new = new_card("1.00"), catalogue.layout("2.00")
    rewritten = 0
    for path, old in card.chip.image.layout.files.items():
        spec = new.files.get(path)
        if spec is None or not old.rewrite or not isinstance(old.update, Right):
            continue
        records = [items.tlv(item, items.blank(item)) for item in spec.items for _ in range(item.count)]
        room = sum(2 + item.length for item in old.items) + 128
        card.chip.reset()
        card.ok(HOME[old.application], VERIFY)
        assert card.authenticate(old.update.name) == "9000"
        for name in names_in(old.read):
            win(card, name)
        # Shorter first: a file has room for either meaning, but not for halves of both.
        there = len(card.chip.image.memory.records(path))
        for number in range(1, there + 1):
            assert card.send(f"00DC{number:02X}{old.sfi << 3 | 4:02X}020000") == "9000"
        if sum(map(len, records)) > room:
            continue
        for number, record in enumerate(records, 1):
            assert card.send(f"00DC{number:02X}{old.sfi << 3 | 4:02X}{len(record):02X}{record.hex()}") == "9000", path
        for number, record in enumerate(records, 1):
            assert bytes.fromhex(card.ok(f"00B2{number:02X}{old.sfi << 3 | 4:02X}{len(record):02X}")) == record
        rewritten += 1
    assert rewritten > 8


def test_a_layout_that_does_not_say_so_rewrites_nothing() -> None:
    card = new_card("2.00")
    card.ok(DF["DF03"])
    card.authenticate("UK1DF03")
    assert card.send("00DC012C06" + "6104510100FF") == "6A85", "61 has 3 bytes"
    assert card.send("00DC012C00") == "6700", "no Lc"
    assert card.send("00DC012C05" + "6003510100") == "6A85", "record 1 is 61"
    old = new_card("1.00")
    old.ok(DF["DF03"])
    old.authenticate("UK1DF03")
    old.ok(VERIFY)
    old.authenticate("RK2DF03")
    assert old.send("00DC012C05" + "6103510100") == "9000", "record 1 was 60, of 4 bytes"
    assert old.ok("00B2012C05") == "6103510100"
