"""A run's cards heard, looked at, torn, made faulty and branched off while a program works with them through PC/SC."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.cells import tries_cell
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.serving import control, local_sockets
from harness.serving.control import ControlError
from harness.serving.subscription import Subscription, subscribe
from harness.terminal.terminal import Terminal
from tests.kit.cards import SSSE, VERIFY, WRONG_PIN
from tests.kit.served import DEADLINE, Served, serving, sscard, started

pytestmark = pytest.mark.pcsc
CHALLENGE = "0084000008"
OWN = """extends = "adult-chengdu"
name = "my-own"
title = "one of my own"
title_zh = "自定义"
"""


@contextlib.contextmanager
def heard_run() -> Iterator[tuple[Served, Subscription]]:
    """A run that keeps moments, with a card in the first of three readers, and its stream."""
    with serving("--web", "0", "--slots", "3") as served, subscribe(control.chosen()) as heard:
        assert next(heard)["event"] == "slots"
        yield served, heard


def test_a_card_is_heard_steered_torn_and_branched_while_a_program_works_with_it(tmp_path: Path) -> None:
    with heard_run() as (served, heard):
        run = control.chosen()
        now = control.ask(run, {"op": "moment", "slot": 0})
        again = control.ask(run, {"op": "moment", "slot": 0, "n": now["n"]})
        assert again["image"] == now["image"], (
            "before the first command, too, the number that is told is one to ask for"
        )
        with Pcsc(served.readers[0]) as connection:
            assert [last(connection, one) for one in (SSSE, WRONG_PIN, VERIFY)] == ["611E", "63C2", "9000"]
            wrong = number_of(heard, WRONG_PIN)
            verified = number_of(heard, VERIFY)
            assert verified == wrong + 1

            # What it is like now, and what it was like before.
            (card,) = (one["card"] for one in state() if one["slot"] == 0)
            assert (card["persona"], card["directory"], card["rights"]) == ("adult-chengdu", "SSSE", ["PIN"])
            assert card["pin"] == {"left": 3, "of": 3}
            assert card["powered"]
            before = tmp_path / "before.json"
            sscard("card", "moment", "0", "--at", str(wrong), "-o", str(before))
            assert images.load(before).memory.counter(tries_cell("PIN")) == 2
            sscard("card", "moment", "0", "--at", "999999999", "-o", str(tmp_path / "late.json"), expect=1)
            assert not (tmp_path / "late.json").exists(), "what has not happened yet is no moment"

            # Faults come and go under the program's session, which goes on.
            sscard("card", "faults", "0", "--fault", "status,sw=6F00,instruction=GET_CHALLENGE")
            assert last(connection, CHALLENGE) == "6F00"
            assert "fault status,sw=6F00" in sscard("card", "state", "0")
            sscard("card", "faults", "0", "off")
            assert last(connection, CHALLENGE) == "9000"
            assert state()[0]["card"]["rights"] == ["PIN"]

        # A branch of what it was, in a reader of its own.
        assert "slot 1: card" in sscard("card", "branch", "0", "--at", str(wrong), "--to", "1")
        second = "Virtual PCD 00 01"
        with Pcsc(second) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.pin_state() == 2
        with Pcsc(served.readers[0]) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.pin_state() == 3, "they are two cards"
        assert "has a card already" in refusal(run, op="branch", slot=0, to=1).args[0]

        # Power goes at the second write: the try was spent, the right PIN gave it back to nobody.
        sscard("card", "tear", "1", "--after", "1")
        with Pcsc(second) as connection:
            assert last(connection, SSSE) == "611E"
            with pytest.raises(pcsc.PcscError):
                connection.send(bytes.fromhex(VERIFY))
        assert pcsc.wait_card(second)
        torn = state()[1]
        assert (torn["tear"], torn["card"]["pin"]["left"]) == (None, 1)

        # Who steers by an old picture is told what it does not show.
        changes = state()[1]["changes"]
        sscard("card", "reset", "1", "--expects", str(changes))
        late = refusal(run, op="remove", slot=1, expects=changes)
        assert late.said == "changed"
        assert "out and in again" in str(late)
        assert state()[1]["inserted"]

        # A persona as text, judged as every persona is.
        assert "persona:1" in str(refusal(run, op="insert", slot=2, persona_text="name = 3\n"))
        assert control.ask(run, {"op": "check", "persona_text": OWN})["persona"] == "my-own"
        control.ask(run, {"op": "insert", "slot": 2, "persona_text": OWN}, timeout=30)
        assert state()[2]["card"]["persona"] == "my-own"
        assert served.end() == 0
        lines = list(heard)
    assert lines[-1] == {"event": "gone"}
    numbers = [one["n"] for one in lines if one["event"] not in ("slots", "gone")]
    assert numbers == list(range(verified + 1, numbers[-1] + 1)), "nothing was lost"


@pytest.mark.skipif(shutil.which("scriptor") is None, reason="not installed: pcsc-tools")
def test_any_program_hears_what_another_has_done() -> None:
    """A public program works with the card; what it prints of it is what the stream tells, masked as a trace is."""
    script = (SSSE, "00C000001E", WRONG_PIN, VERIFY, CHALLENGE)
    with serving() as served, started("events", "--slot", "0") as listening:
        assert json.loads(listening.line())["event"] == "slots"
        said = subprocess.run(
            ["scriptor", "-r", served.readers[0]], input="\n".join(("reset", *script, "")), capture_output=True,
            text=True, timeout=DEADLINE, check=True,
        ).stdout  # fmt: skip
        told: list[dict[str, Any]] = []
        while len(told) < len(script):
            event = json.loads(listening.line())
            told += [event] if event["event"] == "apdu" else []
        assert listening.end(signal.SIGINT) == 0
    printed = [
        "".join(one.partition(" : ")[0].replace("OK:", "").split())
        for one in re.split(r"^> .*\n< ", said, flags=re.MULTILINE)[1:]
    ]
    printed = [one for one in printed if one != printed[0]]  # the reset's ATR comes first
    assert [one["answer"][-4:] for one in told] == [one[-4:] for one in printed]
    assert [len(one["answer"]) for one in told] == [len(one) for one in printed]
    assert [one["command"] for one in told] == [SSSE, script[1], "0020000003******", "0020000003******", CHALLENGE]
    assert [one["n"] for one in told] == list(range(told[0]["n"], told[0]["n"] + len(told)))
    assert told[-1]["answer"] == printed[-1], "a challenge is nobody's"


def last(connection: Pcsc, command: str) -> str:
    """The status word that a command is answered with."""
    return connection.send(bytes.fromhex(command))[-2:].hex().upper()


def number_of(heard: Subscription, command: str) -> int:
    """The number of the next event with this command."""
    return next(int(one["n"]) for one in heard if one.get("command") == command)


def state() -> list[dict[str, Any]]:
    """How the slots stand, as a program asks."""
    told: list[dict[str, Any]] = json.loads(sscard("card", "state", "--json"))
    return told


def refusal(run: control.Running, **request: Any) -> ControlError:
    """Why a request was refused."""
    with pytest.raises(ControlError) as caught:
        control.ask(run, request)
    return caught.value


def test_a_run_is_steered_and_heard_by_a_port_where_there_are_no_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(local_sockets.VARIABLE, local_sockets.TCP)
    with serving() as served, subscribe(control.chosen()) as heard:
        assert next(heard)["event"] == "slots"
        (place,) = control.sockets()
        assert place.is_file(), "no socket but a file, with the port and a secret"
        with Pcsc(served.readers[0]) as connection:
            last(connection, SSSE)
        assert number_of(heard, SSSE)
        sscard("card", "remove", "0")
        assert [one["inserted"] for one in json.loads(sscard("card", "list", "--json"))[0]["slots"]] == [False]
