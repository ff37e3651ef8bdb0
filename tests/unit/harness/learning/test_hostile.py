"""Cards that answer as none should: no try is lost twice on them, no value leaks, and they end in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.filesystem.layouts import load
from harness.keys.spent import SpentKey, SpentKeys
from harness.learning import folder
from harness.learning.folder import Discreet
from harness.learning.learn import Wanted, learn
from harness.readers.connection import InProcess
from harness.readers.observed import Observed
from harness.readers.pcsc import REMOVED_CARD, PcscError
from harness.trace.record import TraceFile
from tests.unit.harness.learning.cards import EVERYTHING, PIN, chip, differences

VERIFY, EXTERNAL_AUTHENTICATION, SELECT = 0x20, 0x82, 0xA4
Answers = Callable[[bytes], bytes | None]


class Card(InProcess):
    """A card that answers otherwise where ``answers`` says so; ``sent``: all that reached it."""

    def __init__(self, answers: Answers, layout: str = "2.00") -> None:
        super().__init__(chip(layout))
        self.sent: list[bytes] = []
        self._answers = answers

    def send(self, command: bytes) -> bytes:
        self.sent.append(command)
        answer = self._answers(command)
        return super().send(command) if answer is None else answer

    def proofs(self, ins: int) -> list[bytes]:
        return [one for one in self.sent if one[1] == ins and len(one) > 5]


def test_a_key_is_sent_once_even_where_the_card_asks_for_another_length() -> None:
    card = Card(lambda command: b"\x6c\x08" if command[1] == EXTERNAL_AUTHENTICATION else None)
    found = learn(card, EVERYTHING)
    sent = [(command[3], command[5:]) for command in card.proofs(EXTERNAL_AUTHENTICATION)]
    assert sent
    assert len(found.refused) == len(sent)


def test_a_pin_of_an_applications_own_that_is_another_is_tried_once_and_not_below_two() -> None:
    left, current = 6, b""

    def answers(command: bytes) -> bytes | None:
        nonlocal left, current
        current = command if command[1] == SELECT else current
        if command[1] != VERIFY or current[5:7] == b"sx":
            return None
        left -= len(command) > 5
        return bytes((0x63, 0xC0 | left))

    found = learn(Card(answers), EVERYTHING)
    assert left == 5
    assert any(one.startswith("PIN") for one in found.refused)


def test_where_an_application_has_few_tries_left_its_pin_is_not_tried() -> None:
    current = b""

    def answers(command: bytes) -> bytes | None:
        nonlocal current
        current = command if command[1] == SELECT else current
        return b"\x63\xc2" if command[1] == VERIFY and current[5:7] != b"sx" else None

    card = Card(answers)
    learn(card, EVERYTHING)
    assert len(card.proofs(VERIFY)) == 1, "the one in the environment"


@pytest.mark.parametrize(("tries", "asked"), [(3, 1), (6, 2)])
def test_a_card_on_which_asking_costs_a_try_is_not_asked_again(tries: int, asked: int) -> None:
    left = tries

    def answers(command: bytes) -> bytes | None:
        nonlocal left
        if command[1] != VERIFY:
            return None
        left -= 1
        return bytes((0x63, 0xC0 | left))

    card = Card(answers)
    learn(card, Wanted(pin=PIN))
    assert (left, card.proofs(VERIFY)) == (tries - asked, [])


@pytest.mark.parametrize(("ins", "name"), [(VERIFY, "PIN"), (EXTERNAL_AUTHENTICATION, "RKSSSE")])
def test_a_proof_to_which_no_answer_came_is_noted(ins: int, name: str, tmp_path: Path) -> None:
    def answers(command: bytes) -> bytes | None:
        if command[1] == ins and len(command) > 5:
            raise PcscError("gone", REMOVED_CARD)
        return None

    spent = SpentKeys(tmp_path)
    wanted = Wanted(keys=EVERYTHING.keys, pin=EVERYTHING.pin, spent=spent)
    found = learn(Card(answers), wanted)
    assert isinstance(found.broken, PcscError)
    with pytest.raises(SpentKey, match="gave no answer"):
        spent.check(found.found.identification, name)


def test_records_that_wait_leave_no_value_in_the_trace(tmp_path: Path) -> None:
    own = load.extending(
        {"extends": "3.00", "schema": 1, "name": "own", "habits": {"waiting": {"B2": "61xx"}}}, "own"
    )  # fmt: skip
    with TraceFile(tmp_path / folder.TRACE) as trace:
        found = learn(Observed(InProcess(chip(own)), Discreet(trace.slot(0))), EVERYTHING)
    assert set(differences(found)) == {"habits.waiting.B2"}
    folder.write(tmp_path, found)  # searches the trace, too
    assert (tmp_path / folder.TRACE).exists()
