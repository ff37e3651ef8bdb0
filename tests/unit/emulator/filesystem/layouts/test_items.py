from __future__ import annotations

from dataclasses import replace

import pytest

from emulator import catalogue
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.items import ItemError, Value
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.personas.issue import issue

L = catalogue.layout("2.00")


def spec(kind: str, length: int) -> ItemSpec:
    return ItemSpec(0x42, ItemFormat(kind), length, "", "", "S")


@pytest.mark.parametrize(
    ("kind", "length", "value", "encoded"),
    [
        ("an", 6, "测试", "B2E2CAD40000"),
        ("an", 3, "", "000000"),
        ("cn", 3, "510100", "510100"),
        ("cn", 4, "12345", "12345FFF"),
        ("cn", 2, "", "FFFF"),
        ("b", 2, "0A0B", "0A0B"),
        ("dec", 2, "258", "0102"),
    ],
)
def test_values_there_and_back(kind: str, length: int, value: str, encoded: str) -> None:
    assert items.encode(spec(kind, length), value).hex().upper() == encoded
    assert items.decode(spec(kind, length), bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("kind", "length", "value", "expected"),
    [
        ("an", 3, "测试", "at most 3 bytes"),
        ("an", 3, "\U00020000", "at most 3 bytes of GB 18030"),
        ("an", 9, "\ud83d", "is no character"),
        ("cn", 1, "123", "at most 2 digits"),
        ("cn", 1, "1A", "expected digits"),
        ("b", 1, "0102", "at most 1 bytes"),
        ("b", 1, "xx", "expected hex"),
        ("dec", 1, "256", "below 256"),
    ],
)
def test_values_that_do_not_fit(kind: str, length: int, value: str, expected: str) -> None:
    with pytest.raises(ItemError, match=expected) as error:
        items.encode(spec(kind, length), value)
    assert "item 42" in str(error.value)


def test_b_tlv() -> None:
    item = L.files["DF01/EF15"].item(0x40)
    assert item is not None
    value: Value = {"57": "211", "58": "510100", "59": "虚构理工大学"}
    record = items.tlv(item, value)
    assert record[:2] == bytes((0x40, 52))
    assert items.decode(item, record[2:]) == value
    with pytest.raises(ItemError, match="no element 99"):
        items.encode(item, {"99": "x"})
    with pytest.raises(ItemError, match="elements by tag"):
        items.encode(item, "x")


def test_cyclic_fields() -> None:
    fields = L.files["DF04/EF08"].items
    values = ["0001", "2", "510100000001", "20261012093000", "00000000", "000005DC", "000009C4"]
    record = items.encode_fields(fields, values)
    assert len(record) == L.files["DF04/EF08"].record_length == 28
    assert items.decode_fields(fields, record) == values
    with pytest.raises(ItemError, match="7 fields, 1 values"):
        items.encode_fields(fields, ["1"])


OLD = catalogue.layout("1.00")


def old(path: str) -> ItemSpec:
    name, _, tag = path.rpartition("/")
    item = OLD.files[name].item(int(tag, 16))
    assert item is not None
    return item


@pytest.mark.parametrize(
    ("path", "value", "encoded"),
    [
        ("DF01/EF09/32", "11", "3131EE"),
        ("DF01/EF0A/37", "DEU", "444555EE"),
        ("DF01/EF0A/38", "13", "3133EEEE"),
        ("DF02/EF06/4B", "10020", "10020FEE"),
        ("DF02/EF09/55", "5101000012000001", "5101000012000001EEEE"),
        ("DF03/EF05/61", "510100", "510100EE"),
        ("DF04/EF06/90", "1", "31EEEEEE"),
        ("DF04/EF05/84", "510100", "510100" + "EE" * 59),
    ],
)
def test_an_old_item_rewritten_to_its_later_meaning_is_filled_with_e_and_read_so(
    path: str, value: str, encoded: str
) -> None:
    item = old(path)
    data = items.encode(item, value, rewritten=True)
    assert data.hex().upper() == encoded
    assert len(data) == item.length
    assert items.meant(item, data) is item.rewritten
    assert items.decode(item, data) == value


def test_an_old_item_that_nobody_rewrote_keeps_its_meaning() -> None:
    item = old("DF03/EF05/61")
    data = items.encode(item, "00120000")
    assert items.meant(item, data) is item
    assert items.decode(item, data) == "00120000"
    with pytest.raises(ItemError, match="at most 6 digits"):
        items.encode(item, "00120000", rewritten=True)


def test_every_tag_that_v2_0_gave_another_meaning_is_known() -> None:
    found = {one.label for file in OLD.files.values() for one in file.items if one.rewritten}
    alone = "32 37 38 4B 4D 4F 50 55 61 71 81 84 87 90 93 97"
    assert found == {*alone.split(), "39", "56", "96", "6F", "70", "92"}


def test_the_identification_code_alone_has_letters_and_loses_none_of_its_last_nibbles() -> None:
    item = L.files["SSSE/EF05"].item(0x01)
    assert item is not None
    assert item.format is ItemFormat.CN
    code = "510100D15600000551010001C4A06EFF"
    assert items.decode(item, items.encode(item, code)) == code
    assert items.decode(item, items.encode(item, "")) == ""
    with pytest.raises(ItemError, match="expected digits"):
        items.encode(spec("cn", 16), code)


def test_an_element_changes_and_every_other_byte_stays() -> None:
    item = L.files["DF01/EF15"].item(0x40)
    assert item is not None
    school = next(part for part in item.elements if part.label == "59")
    damaged = bytes.fromhex("5703FF80CA" + "5802AABB" + "5904B2E2CAD4" + "7A0101")
    changed = items.with_element(item, damaged, school, "测")
    assert changed == damaged[:9] + bytes((0x59, 40)) + "测".encode("gbk").ljust(40, b"\0") + damaged[15:]
    assert items.with_element(item, b"\x57\x03211", school, "测") == items.encode(item, {"57": "211", "59": "测"})


def test_long_items_of_1_00_are_split_or_whole() -> None:
    address = "四川省成都市虚构区测试路一百二十三号样例小区四栋五单元六楼七号之八之九"
    person = catalogue.persona("adult-chengdu")
    values = {"DF01/EF05": {"20": "1", "21": address}}
    person = replace(person, versions={"1.00": person.versions["1.00"] | values})
    split, whole = (issue(person, catalogue.layout(name), "3des") for name in ("1.00", "1.00-whole"))
    first, second = (one[2:] for one in split.memory.records("DF01/EF05")[1:])
    assert (len(first), len(second)) == (62, 18)
    assert (first + second).rstrip(b"\0") == address.encode("gbk")
    (together,) = (one[2:] for one in whole.memory.records("DF01/EF05")[1:])
    assert together == first + second
