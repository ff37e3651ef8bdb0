"""The firewall between applications: all pairs of DFs, every right of the one held against every file of the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import KeyUse, Structure
from emulator.interface import Interface
from emulator.security import PIN, Never
from tests.kit.cards import HOME, VERIFY, Card, new_card

SECURED = ("SSSE", *(f"DF0{n}" for n in range(1, 8)))
CARDS = [("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]
Pair = tuple[tuple[str, ...], str, str]


def pairs(card: tuple[str, str]) -> Iterator[Pair]:
    """By contacts all that are found there; in a field those pairs of which one is found there alone, as PPSE is."""
    layout = catalogue.layout(card[0])
    for first, second in permutations((name for name in layout.applications if name != "MF"), 2):
        in_field = not layout.hidden.isdisjoint((first, second))
        yield (*card, *([Interface.CONTACTLESS.value] if in_field else [])), first, second


PAIRS = [pair for one in CARDS for pair in pairs(one)]
all_pairs = pytest.mark.parametrize(("card", "first", "second"), PAIRS, indirect=["card"])


@pytest.fixture(scope="module", params=CARDS, ids="-".join)
def card(request: pytest.FixtureRequest) -> Card:
    layout, algorithm, *interface = request.param
    return new_card(layout, algorithm, interface=Interface(*interface or (Interface.CONTACT,)))


def rights_of(layout: Layout, application: str) -> list[str]:
    keys = [key.name for key in layout.keys.values()
            if key.application == application and key.use is KeyUse.EXTERNAL]  # fmt: skip
    return [*keys, PIN] if application in SECURED else keys


def win(card: Card, right: str) -> None:
    if right == PIN:
        card.ok(VERIFY)
    else:
        assert card.authenticate(right) == "9000"


def opens(card: Card, spec: FileSpec) -> tuple[bool, bool]:
    """Whether this file may be read and updated now."""
    binary = spec.structure is Structure.TRANSPARENT
    read = f"00B0{0x80 | spec.sfi:02X}0000" if binary else f"00B201{spec.sfi << 3 | 4:02X}00"
    update = f"00D6{0x80 | spec.sfi:02X}FFFF{'00' * 255}" if binary else f"00DC01{spec.sfi << 3 | 4:02X}01FF"
    return card.sw(read) != "6982", card.sw(update) != "6982"


def test_what_is_found_in_a_field_alone_is_paired_there_with_everything() -> None:
    others = {name for name in catalogue.layout("3.00").applications if name not in ("MF", "PPSE")}
    paired = {(card, first) for card, first, second in PAIRS if second == "PPSE"}
    assert paired == {(("3.00", algorithm, "contactless"), name) for algorithm in ("3des", "sm4") for name in others}
    assert new_card("3.00").send(HOME["PPSE"]) == "6A82", "by contacts there is none to be held against"


@all_pairs
def test_rights_of_one_application_open_nothing_in_another(card: Card, first: str, second: str) -> None:
    layout = card.chip.image.layout
    files = [spec for spec in layout.files.values() if spec.application == second]
    for right in rights_of(layout, first):
        for spec in files:
            card.chip.reset()
            card.ok(HOME[first])
            win(card, right)
            card.ok(HOME[second])
            held = {PIN} if right == PIN else set()
            assert opens(card, spec) == (spec.read.satisfied(held), spec.update.satisfied(held)), (
                f"{right}, {spec.path}"
            )


@all_pairs
def test_local_keys_are_not_found_from_elsewhere(card: Card, first: str, second: str) -> None:
    layout = card.chip.image.layout
    there = {key.id for key in layout.keys.values() if key.application == second}
    for key in layout.keys.values():
        if key.application == first and key.use is KeyUse.EXTERNAL and key.id not in there:
            card.chip.reset()
            card.ok(HOME[second], "0084000008")
            answer = card.send(f"008200{key.id:02X}10" + "00" * 16)
            reachable = key.id < 0x80 and first == "SSSE" and second in SECURED
            assert answer != "6A88" if reachable else answer == "6A88", key.name
            if reachable and key.tries:
                assert card.authenticate(key.name) == "9000"


@all_pairs
def test_the_challenge_and_the_keys_right_end_the_pin_stays(card: Card, first: str, second: str) -> None:
    card.chip.reset()
    card.ok(HOME[first])
    if first in SECURED:
        card.ok(VERIFY)
    card.ok("0084000008", HOME[second])
    assert card.send("0082000110" + "00" * 16) == "6984", "the challenge went with the application"
    card.ok(HOME["DF01"])
    assert (card.sw("00B2012C04") != "6982") == (first in SECURED), "one PIN for all under SSSE"


@pytest.mark.parametrize("outside", ["MF", "PSE", "BANK"])
def test_the_pin_is_the_environments(card: Card, outside: str) -> None:
    card.chip.reset()
    card.ok(HOME[outside])
    assert card.send(VERIFY) == "6A88"
    assert card.send("0020000000") == "6A88"
    assert card.send("805E010007123456FF654321") == "6A88"


def test_nothing_but_never_guards_the_bank(card: Card) -> None:
    layout = card.chip.image.layout
    for spec in layout.files.values():
        if spec.application in ("PSE", "BANK"):
            assert isinstance(spec.update, Never)


@pytest.mark.parametrize("application", SECURED)
def test_a_failed_verify_takes_the_pins_right_everywhere(card: Card, application: str) -> None:
    card.chip.reset()
    card.ok(HOME["DF01"], VERIFY, HOME[application])
    assert card.send("0020000003999999") == "63C2"
    card.ok(HOME["DF01"])
    assert card.sw("00B2012C04") == "6982"
    card.ok(VERIFY)
