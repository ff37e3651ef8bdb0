"""What readers' names say, and how virtual readers come to theirs."""

from __future__ import annotations

import pytest

from harness.readers import names, pcsc
from harness.readers.names import ReaderNameError

CONTACTLESS = (
    "Virtual PCD Contactless 00 00",
    "ACS ACR122U PICC Interface 00 00",
    "ACS ACR1281 1S Dual Reader PICC 0",
    "OMNIKEY CardMan 5x21-CL 0",
    "HID Global OMNIKEY 5022 Smart Card Reader [OMNIKEY 5022 CL] 00 00",
    "Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F Contactless Reader] 00 00",
    "Sony FeliCa NFC Port/PaSoRi 00 00",
)
CONTACT = ("Virtual PCD 00 00", "Virtual PCD B 00 01", "ACS ACR39U ICC Reader 00 00", "Circle CIR115 00 00",
           "Gemalto PC Twin Reader 00 00", "SCLE confncard 00 00")  # fmt: skip


@pytest.mark.parametrize("name", CONTACTLESS)
def test_a_contactless_reader_is_known_by_its_name(name: str) -> None:
    assert names.says_contactless(name)


@pytest.mark.parametrize("name", CONTACT)
def test_letters_inside_a_word_do_not_make_one(name: str) -> None:
    assert not names.says_contactless(name)


def readers(*wanted: str) -> list[tuple[str, int]]:
    """Names and ports of the slots, in order."""
    return names.Arrangement.of(wanted).used


def test_the_usual_readers_are_called_as_they_always_were() -> None:
    assert pcsc.usual(5).used == [
        ("Virtual PCD 00 00", 0), ("Virtual PCD 00 01", 1), ("Virtual PCD B 00 00", 2), ("Virtual PCD B 00 01", 3),
        ("Virtual PCD C 00 00", 4),
    ]  # fmt: skip


def test_a_reader_of_another_name_takes_two_slots_of_pcscd_and_two_of_one_name_share_them() -> None:
    both = names.Arrangement.of([names.VIRTUAL, names.VIRTUAL_CONTACTLESS, names.VIRTUAL])
    assert both.used == [("Virtual PCD 00 00", 0), ("Virtual PCD Contactless 00 00", 2), ("Virtual PCD 00 01", 1)]
    assert (both.ports, [port for _, port in both.every]) == (4, [0, 1, 2, 3])


def test_a_third_of_one_name_gets_a_letter_that_no_other_reader_has() -> None:
    assert readers("X", "X B", "X", "X", "X") == [
        ("X 00 00", 0), ("X B 00 00", 2), ("X 00 01", 1), ("X C 00 00", 4), ("X C 00 01", 5),
    ]  # fmt: skip
    told = names.Arrangement.of(["X", "X", "X", "X B"]).entries
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("count", [0, 9])
def test_more_than_pcscd_has_is_refused(count: int) -> None:
    with pytest.raises(ReaderNameError, match=f"1 to 16 slots, two for each name: {count} were asked for"):
        readers(*(f"reader {number}" for number in range(count)))


@pytest.mark.parametrize("name", ["", " x", "x ", 'a "b"', "a\\b", "读卡器", "a\nb", "x" * 97])
def test_what_pcscd_cannot_have_as_a_name_is_refused(name: str) -> None:
    with pytest.raises(ReaderNameError, match="printable ASCII"):
        readers(name)
