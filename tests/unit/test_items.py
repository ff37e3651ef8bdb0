from __future__ import annotations

import pytest

from emulator.filesystem import items, layout
from emulator.filesystem.items import ItemError, Value
from emulator.filesystem.specs import ItemSpec

L = layout.load("2.00")


def spec(kind: str, length: int) -> ItemSpec:
    return ItemSpec(0x42, kind, length, "", "", "S")


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
        ("an", 9, "\U00020000", "no place in GBK"),
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
