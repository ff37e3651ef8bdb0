"""One run: what a terminal did with its card, judged. The terminals here are programs of their own."""

from __future__ import annotations

import pickle
import sys

import pytest

from harness.proving import stage
from harness.proving.one_run import play
from harness.proving.runs import Ending, Expectation, RunRequest, RunResult
from harness.proving.situation import Situation
from harness.verdicts.verdict import Verdict

GOOD = Situation("good")
PROLOGUE = """
from smartcard.System import readers
card = readers()[0].createConnection(); card.connect()
def send(text):
    data, a, b = card.transmit(list(bytes.fromhex(text)))
    while a == 0x61:
        more, a, b = card.transmit([0, 0xC0, 0, 0, b]); data += more
    return bytes(data), a << 8 | b
send("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
def read(tag, size): return send("00B2%02X2C%02X" % (tag, size))
"""


NOTHING = Expectation()


def played(script: str, *, expected: Expectation = NOTHING, situation: Situation = GOOD) -> RunResult:
    return play(RunRequest((sys.executable, "-c", PROLOGUE + script), situation, deadline=30, expectation=expected))


@pytest.fixture(autouse=True, scope="module")
def _no_readers_wait_afterwards() -> object:
    yield
    stage.clear()


@pytest.mark.pcsc
def test_a_terminal_finds_its_card_and_what_it_did_is_known() -> None:
    result = played(
        "print(read(3, 6)[0][2:].decode())", expected=Expectation(exit=(0,), prints=(r"^3\.00$",), changes=())
    )
    assert result.reasons == ()
    assert (result.ending, result.verdict, result.exit_code) == (Ending.EXITED, Verdict.PASSED, 0)
    assert [one.instruction for one in result.sent] == ["SELECT", "GET RESPONSE", "READ RECORD"]
    assert result.changes == ()
    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.pcsc
def test_a_wrong_pin_is_a_try_lost() -> None:
    result = played("send('0020000003999999')", expected=Expectation(changes=()))
    assert [str(one) for one in result.changes] == ["tries/PIN changed (-1)"]
    assert result.verdict is Verdict.FAILED
    assert "tries/PIN" in "".join(result.reasons)


@pytest.mark.pcsc
def test_what_a_card_holds_and_its_pin_stay_out_of_result_and_trace() -> None:
    result = played("print(read(7, 11)); send('0020000003123456'); print('123456')")
    kept = result.output + result.trace + "".join(one.reason for one in result.checks)
    assert "123456" not in kept


def test_a_program_that_is_not_there_is_not_judged() -> None:
    result = play(RunRequest(("/nowhere/terminal",), GOOD, driver_only=True))
    assert (result.ending, result.verdict) == (Ending.NOT_STARTED, Verdict.MISSING)
    assert "no such program" in result.reasons[0]


def test_a_program_that_never_uses_the_card_fails() -> None:
    result = play(RunRequest((sys.executable, "-c", "print('all is well')"), GOOD, driver_only=True))
    assert (result.ending, result.verdict) == (Ending.EXITED, Verdict.FAILED)
    assert "without one command to the card" in result.reasons[0]
    assert "all is well" in result.reasons[0]
