"""BER-TLV and data object lists, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import ber

TAGS = [0x57, 0x70, 0xC1, 0x5F20, 0x9F38, 0xBF0C]


def test_objects_with_long_tags_and_lengths() -> None:
    value = bytes(range(200))
    data = bytes.fromhex("5A0312345F") + bytes.fromhex("5F200141") + b"\xc1\x81\xc8" + value + b"\xc1\x82\x00\x02ab"
    assert ber.objects(data) == [(0x5A, b"\x12\x34\x5f"), (0x5F20, b"A"), (0xC1, value), (0xC1, b"ab")]


@pytest.mark.parametrize("cut", ["5A", "5A03", "5A031234", "5F", "9F", "C1 80", "C1 81", "C1 83 000001 00", "C1 82 00"])
def test_what_does_not_come_out_even_is_refused(cut: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ber.objects(bytes.fromhex(cut))


def test_a_list_says_what_is_wanted_in_its_order() -> None:
    assert ber.wanted(bytes.fromhex("9F0206 5F2A02 95 05 9A03")) == [(0x9F02, 6), (0x5F2A, 2), (0x95, 5), (0x9A, 3)]
    assert ber.wanted(b"") == []


@pytest.mark.parametrize("cut", ["9F02069F03069F1A0295059A", "9F02069F", "9F"])
def test_a_list_that_lacks_its_last_length_is_refused(cut: str) -> None:
    with pytest.raises(ValueError, match=r"length of 9A|within tag 9F"):
        ber.wanted(bytes.fromhex(cut))


@given(st.lists(st.tuples(st.sampled_from(TAGS), st.binary(max_size=255)), max_size=4))
def test_what_is_built_is_read_back(objects: list[tuple[int, bytes]]) -> None:
    assert ber.objects(b"".join(ber.build(tag, value) for tag, value in objects)) == objects
