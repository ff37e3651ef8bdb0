"""One card in two readers: who has the power, what is lost with it, and what a contactless reader answers by itself."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.catalogue import NoSuchInterface
from emulator.chip import Chip
from emulator.interface import Interface
from emulator.reader.slot import CardGone
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan, from_text
from harness.readers.connection import InProcess
from harness.readers.observed import Observed
from harness.serving.contactless import ContactlessReader
from harness.serving.reader_profiles import SYSTEMS, Shaped
from harness.serving.timing import IN_A_FIELD, USUAL, usual_over
from harness.serving.two_sides import Side, TwoSides
from harness.trace.record import Trace
from tests.kit.cards import DF, SSSE, VERIFY, new_card

CHANGE_PIN = "805E010007123456FF876543"
OPENED = "00B2202804"
"""READ RECORD of an item of DF01 that the PIN opens."""


def both(*, trace: Trace | None = None) -> TwoSides:
    """The adult's card with both sides in readers, in slots 0 and 1 of a trace."""
    image = new_card().chip.image
    sides = enumerate(Interface)
    return TwoSides(
        *(Chip(image, interface=one, observer=trace.slot(slot, image) if trace else None) for slot, one in sides)
    )


def sent(side: Side | ContactlessReader, *commands: str) -> list[str]:
    """The answers in hex."""
    return [side.transmit(bytes.fromhex(one)).hex().upper() for one in commands]


def test_it_has_no_power_before_a_reader_gives_it_any_and_one_side_has_it() -> None:
    card = both()
    assert card.powered_by is None
    card.contact.power_on()
    card.contactless.power_on()
    assert card.powered_by is Interface.CONTACT, "the field does not take it: nobody has said anything there"
    sent(card.contactless, SSSE)
    assert card.powered_by is Interface.CONTACTLESS
    card.contactless.power_off()
    assert card.powered_by is None


def test_a_session_that_lost_its_power_is_told_once_and_the_next_is_a_new_one() -> None:
    card = both()
    card.contact.power_on()
    card.contactless.power_on()
    assert sent(card.contact, DF["DF01"], VERIFY, OPENED)[-1][-4:] == "9000"
    assert sent(card.contactless, SSSE)[0][-4:] == "9000"
    with pytest.raises(CardGone):
        sent(card.contact, OPENED)
    assert sent(card.contactless, "0084000008")[0][-4:] == "9000", "the other side's session goes on"
    card.contact.taken_out()
    card.contact.power_on()
    assert sent(card.contact, DF["DF01"], OPENED)[-1] == "6982"


def test_a_reset_makes_a_session_that_nothing_is_lost_of() -> None:
    card = both()
    card.contact.power_on()
    card.contactless.power_on()
    sent(card.contact, DF["DF01"], VERIFY)
    card.contact.reset()
    sent(card.contactless, SSSE)
    assert sent(card.contact, DF["DF01"], OPENED)[-1] == "6982", "answered, without the rights of before"


def test_commands_that_were_refused_leave_nothing_to_be_lost() -> None:
    """As Windows' probes are, at each insertion."""
    card = both()
    windows = [Shaped(one, SYSTEMS["windows"]) for one in (card.contact, card.contactless)]
    for one in windows:
        one.power_on()
    assert sent(card.contact, SSSE)[0] == "611E"
    assert sent(card.contactless, SSSE)[0][-4:] == "9000"


def test_the_other_readers_reset_leaves_a_session_alone() -> None:
    card = both()
    card.contact.power_on()
    sent(card.contact, DF["DF01"], VERIFY)
    card.contactless.power_on()
    card.contactless.reset()
    card.contactless.power_off()
    card.contactless.taken_out()
    assert sent(card.contact, OPENED)[0][-4:] == "9000"


def test_what_is_written_by_one_side_the_other_finds() -> None:
    card = both()
    wrong = "0020000003999999"
    assert sent(card.contact, SSSE, wrong, wrong)[1:] == ["63C2", "63C1"]
    assert sent(card.contactless, SSSE, wrong, wrong)[1:] == ["63C0", "6983"]


@pytest.mark.parametrize(("after", "holds"), [(4, "123456"), (5, "876543")], ids=["unmarked", "marked"])
def test_power_that_is_cut_on_one_side_is_made_good_on_the_other(after: int, holds: str) -> None:
    """A journal that is marked is carried out by whichever side gets the power next, another is forgotten."""
    image = new_card().chip.image
    fault = from_text(f"power-cut,after={after},instruction=CHANGE_PIN")
    card = TwoSides(FaultyChip(image, Plan((fault,))), Chip(image, interface=Interface.CONTACTLESS))
    card.contact.power_on()
    sent(card.contact, SSSE)
    with pytest.raises(CardGone, match=f"power was cut after {after} writes"):
        sent(card.contact, CHANGE_PIN)
    assert image.memory.torn
    assert sent(card.contactless, SSSE, f"0020000003{holds}")[1] == "9000"
    assert not image.memory.torn


@pytest.mark.parametrize("wrong", ["two images", "one interface"])
def test_what_is_not_two_sides_of_one_card_is_refused(wrong: str) -> None:
    image = new_card().chip.image
    other = new_card().chip.image if wrong == "two images" else image
    interface = Interface.CONTACTLESS if wrong == "two images" else Interface.CONTACT
    with pytest.raises(ValueError, match="image" if wrong == "two images" else "antenna"):
        TwoSides(Chip(image), Chip(other, interface=interface))


def test_a_card_without_an_antenna_has_no_second_side() -> None:
    with pytest.raises(NoSuchInterface, match=r"2\.00"):
        Chip(new_card("2.00").chip.image, interface=Interface.CONTACTLESS)


# --- what the reader answers by itself -------------------------------------------------------------------------------


def in_field(**more: Any) -> tuple[ContactlessReader, Chip]:
    """A card in a contactless reader, with power."""
    chip = Chip(new_card().chip.image, interface=Interface.CONTACTLESS, **more)
    reader = ContactlessReader(chip, chip)
    reader.power_on()
    return reader, chip


def test_the_cards_number_is_another_in_each_field_and_the_same_in_one() -> None:
    reader, _ = in_field()
    first, again = sent(reader, "FFCA000000", "FFCA000000")
    assert first == again
    reader.reset()
    assert sent(reader, "FFCA000000") == [first], "a reset does not take the field away"
    reader.power_off()
    reader.power_on()
    other = sent(reader, "FFCA000000")[0]
    assert (other[:2], other[-4:], len(other)) == ("08", "9000", 12)
    assert other != first


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("FFCA000004", "9000"), ("FFCA000005", "6282"), ("FFCA000003", "6C04"), ("FFCA010000", "9000"),
        ("FFCA010010", "6C12"), ("FFCA0000", "6700"), ("FFCA00000100", "6700"), ("FFCA000100", "6A81"),
        ("FFCA020000", "6A81"), ("FFB0000010", "6A81"), ("FF", "6A81"), ("FFCA", "6700"),
    ],
)  # fmt: skip
def test_what_it_answers_by_part_3_of_pcsc(command: str, answer: str) -> None:
    reader, chip = in_field()
    chip.taken_out()  # whatever the reader says, the card is not asked: it has no power and would fail
    assert sent(reader, command)[0][-4:] == answer


def test_neither_the_chip_nor_its_session_sees_it_and_a_trace_says_whose_answer_it_is() -> None:
    told: list[dict[str, Any]] = []
    trace = Trace(told.append)
    chip = Chip(new_card().chip.image, interface=Interface.CONTACTLESS)
    chip.observer = trace.slot(1, chip.image)
    reader = ContactlessReader(chip, chip)
    reader.power_on()
    sent(reader, DF["DF01"], VERIFY, "FFCA000000", "FF82200006A0A1A2A3A4A5", OPENED)
    events = [(one["event"], one["command"][:4]) for one in told if "command" in one]
    assert events[2:] == [("reader", "FFCA"), ("reader", "FF82"), ("apdu", "00B2")]
    uid, key = told[-3], told[-2]
    assert (uid["answer"], uid["masked"], key["command"]) == ("000000009000", True, "FF82200006************")


def test_a_reader_elsewhere_is_watched_alike() -> None:
    """Over PC/SC nobody sees who answered: class FF of a contactless card is its reader's."""
    told: list[dict[str, Any]] = []
    for interface in Interface:
        chip = Chip(new_card().chip.image, interface=interface)
        card = ContactlessReader(chip, chip) if chip.ats else chip
        watched = Observed(InProcess(chip, through=card), Trace(told.append).slot(0))
        watched.send(bytes.fromhex("FFCA000000"))
    assert [one["event"] for one in told] == ["apdu", "reader"]


def test_a_slow_field_is_no_slow_reader() -> None:
    waits: list[float] = []
    chip = Chip(new_card().chip.image, interface=Interface.CONTACTLESS)
    assert usual_over(chip.interface) is IN_A_FIELD
    assert IN_A_FIELD.of_command(bytes(5), bytes(20), 0) < USUAL.of_command(bytes(5), bytes(20), 0)
    shaped = Shaped(chip, SYSTEMS["linux"], timing=IN_A_FIELD, sleep=waits.append)
    reader = ContactlessReader(shaped, chip)
    reader.power_on()
    begun = len(waits)
    sent(reader, "FFCA000000")
    assert len(waits) == begun
    sent(reader, SSSE)
    assert len(waits) == begun + 1
