"""What judges the clients sees a fault, and a client that is missing fails by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deep.foreign.clients import ATR, conversation, followed, holds, needed, program

TALK = conversation("3.00", "3des")
GOOD = [ATR, *(one.answer for one in TALK)]


def test_a_right_conversation_holds() -> None:
    holds(TALK, "\n".join(GOOD))


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_a_wrong_answer_anywhere_is_seen(place: int) -> None:
    wrong = [*GOOD[:place], GOOD[place][:-1] + "F", *GOOD[place + 1 :]]
    with pytest.raises(AssertionError):
        holds(TALK, "\n".join(wrong))


@pytest.mark.parametrize("told", [GOOD[:-1], [*GOOD, "9000"], []], ids=["one less", "one more", "nothing"])
def test_answers_that_are_missing_or_too_many_are_seen(told: list[str]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        holds(TALK, "\n".join(told))


def test_who_follows_is_told_neither_61_nor_6c() -> None:
    assert not {one.answer[:2] for one in followed(TALK)} & {"61", "6C"}


def test_a_client_that_is_missing_fails_by_its_name() -> None:
    with pytest.raises(pytest.fail.Exception, match="no-such-client is missing"):
        program("no-such-client")
    with pytest.raises(pytest.fail.Exception, match=r"/nowhere/jna\.jar is missing"):
        needed(Path("/nowhere/jna.jar"))
