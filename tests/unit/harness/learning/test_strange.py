"""Cards that are none of ours, answer nonsense, or leave: a sentence or what was learned till then, never a fault."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from emulator.chip import Chip
from harness.learning.explore import NoSocialSecurityCard
from harness.learning.learn import OtherCard, Wanted, learn
from harness.learning.prober import Endless
from harness.readers.connection import InProcess
from harness.readers.pcsc import REMOVED_CARD, PcscError
from tests.kit.sampled import sampled
from tests.unit.harness.learning.cards import EVERYTHING, chip, differences, learned

Answer = Callable[[bytes, bytes, int], bytes]
"""From a command, the card's own answer and the number of the command, what the terminal gets."""


class Through:
    """A card whose answers are made into others on their way."""

    def __init__(self, one: Chip, answer: Answer) -> None:
        self._inner = InProcess(one)
        self._answer = answer
        self.count = 0

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    def reset(self) -> bytes:
        return self._inner.reset()

    def send(self, command: bytes) -> bytes:
        self.count += 1
        return self._answer(command, self._inner.send(command), self.count)

    def close(self) -> None:
        self._inner.close()


def through(answer: Answer, layout: str = "2.00", wanted: Wanted | None = None) -> Any:
    return learn(Through(chip(layout), answer), wanted or Wanted())


# --- no social security card -----------------------------------------------------------------------------------------


def test_a_terminals_own_card_is_told() -> None:
    with pytest.raises(NoSocialSecurityCard, match="PSAM"):
        learned(chip("psam", persona="psam"))


def test_a_blocked_card_is_told() -> None:
    with pytest.raises(NoSocialSecurityCard, match="blocked"):
        learned(chip("2.00", persona="card-blocked"))


@pytest.mark.parametrize("sw", ["6A82", "6D00", "6E00", "6F00", "0000"])
def test_a_card_that_refuses_everything_is_told(sw: str) -> None:
    with pytest.raises(NoSocialSecurityCard, match=sw if sw != "0000" else "-"):
        through(lambda command, own, count: bytes.fromhex(sw))  # noqa: ARG005


def test_another_card_than_the_one_that_is_meant_is_left_alone() -> None:
    one = Through(chip("2.00"), lambda command, own, count: own)  # noqa: ARG005
    with pytest.raises(OtherCard):
        learn(one, Wanted(card="00" * 16))
    assert one.count < 12
    atr = one.atr.hex()
    assert learn(one, Wanted(card=atr)).learning.complete


def test_the_identification_code_names_a_card_too() -> None:
    one = chip("2.00")
    code = one.image.memory.records("SSSE/EF05")[0][2:].hex().upper()
    found = learn(InProcess(one), Wanted(card=f"{code[:8]} {code[8:]}"))
    assert found.learning.complete


# --- nonsense --------------------------------------------------------------------------------------------------------


def test_a_card_that_says_yes_to_everything_is_told() -> None:
    with pytest.raises(NoSocialSecurityCard, match="9000"):
        through(lambda command, own, count: b"\x90\x00")  # noqa: ARG005


@pytest.mark.parametrize("answer", [b"", b"\x90"], ids=["nothing", "one byte"])
def test_a_card_without_status_words_is_given_up(answer: bytes) -> None:
    with pytest.raises(NoSocialSecurityCard):
        through(lambda command, own, count: answer)  # noqa: ARG005
    found = through(lambda command, own, count: own if count < 500 else answer)  # noqa: ARG005
    assert isinstance(found.broken, Endless)
    assert not found.learning.complete
    assert found.learning.asked[-1].sw == ""
    assert found.layout is None


@pytest.mark.parametrize("seed", sampled(range(4), 4))
def test_a_card_that_answers_at_random_now_and_then_is_survived(seed: int) -> None:
    chance = random.Random(seed)

    def answer(command: bytes, own: bytes, count: int) -> bytes:
        del command
        return chance.randbytes(chance.randrange(40)) if count > 30 and chance.random() < 0.02 else own

    found = through(answer, wanted=EVERYTHING)
    assert found.learning.asked
    assert found.learning.text()


@pytest.mark.parametrize("ins", sampled([0xB2, 0xA4], 2))
def test_an_instruction_that_answers_garbage_is_told_where(ins: int) -> None:
    garbage = random.Random(ins).randbytes(20)

    def answer(command: bytes, own: bytes, count: int) -> bytes:
        return garbage + b"\x90\x00" if command[1] == ins and count > 200 and len(own) == 2 else own

    found = through(answer)
    learning = found.learning
    assert learning.unexpressed or learning.differences or found.broken is not None
    assert garbage.hex().upper() not in learning.text()


def never_ends(command: bytes, own: bytes, count: int) -> bytes:
    del count
    return bytes(255) + b"\x90\x00" if command[1] == 0xB2 and own[-2:] == b"\x6a\x83" else own


def announces_for_ever(command: bytes, own: bytes, count: int) -> bytes:
    del count
    return own if command[1] != 0xB2 else b"\x61\x10"


@pytest.mark.parametrize("answer", sampled([never_ends, announces_for_ever], 2))
def test_a_card_that_comes_to_no_end_is_given_up(answer: Callable[[bytes, bytes, int], bytes]) -> None:
    found = through(answer)
    assert found.broken is None or isinstance(found.broken, Endless)
    assert found.learning.asked


# --- cards that answer otherwise, altered from outside ----------------------------------------------------------------

WORDS = {
    "6A83 as 6A82": (0xB2, "6A83", "6A82", 'habits.status."B2:6A83"'),
    "6A82 as 6A88": (0xA4, "6A82", "6A88", 'habits.status."A4:6A82"'),
    "6982 as 6985": (0xB2, "6982", "6985", 'habits.status."B2:6982"'),
    "6981 as 6986": (0xB0, "6981", "6986", 'habits.status."B0:6981"'),
    "6700 as 6A86": (0x84, "6700", "6A86", 'habits.status."84:6700"'),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_that_a_wrapper_changes_are_habits(name: str) -> None:
    ins, before, after, where = WORDS[name]

    def answer(command: bytes, own: bytes, count: int) -> bytes:
        del count
        return bytes.fromhex(after) if command[1] == ins and own == bytes.fromhex(before) else own

    found = through(answer)
    assert {one: two[1] for one, two in differences(found).items()} == {where: after}
    assert found.learning.unexpressed == ()


def test_an_answer_that_no_layout_can_say_is_unexpressed_and_alone() -> None:
    def answer(command: bytes, own: bytes, count: int) -> bytes:
        del count
        return b"\x12\x34\x56\x90\x00" if command[:2] == b"\x20\xa4" else own

    found = through(answer)
    assert differences(found) == {}
    assert [one.probe for one in found.learning.unexpressed] == ["unknown/class-20"]
    assert "123456" not in found.learning.text()


# --- cards that leave -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", sampled([1, 2, 700, 10, 1400], 2))
def test_a_card_that_is_pulled_out_leaves_what_was_learned(at: int) -> None:
    def answer(command: bytes, own: bytes, count: int) -> bytes:
        del command
        if count >= at:
            raise PcscError("no card", REMOVED_CARD)
        return own

    found = through(answer)
    assert isinstance(found.broken, PcscError)
    assert not found.learning.complete
    assert found.layout is None
    assert found.learning.differences == ()
    assert [one.why for one in found.learning.not_seen][-1] == "no card"


def test_who_stops_it_gets_what_was_learned() -> None:
    def answer(command: bytes, own: bytes, count: int) -> bytes:
        del command
        if count == 300:
            raise KeyboardInterrupt
        return own

    found = through(answer)
    assert isinstance(found.broken, KeyboardInterrupt)
    assert not found.learning.complete
    assert len(found.learning.asked) > 100
