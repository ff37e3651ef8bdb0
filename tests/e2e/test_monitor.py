"""The monitor, live: a card in a reader, relayed into a virtual one that the terminal works with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import pcsc
from harness.connection import Pcsc
from tests.e2e.served import DEADLINE, SSCARD, serving, sscard
from tests.support import SSSE, WRONG_PIN

pytestmark = pytest.mark.pcsc


def test_a_terminal_is_judged_while_it_works(tmp_path: Path) -> None:
    other, folder = "Virtual PCD 00 01", tmp_path / "report"
    with serving("--slots", "2") as served:
        with subprocess.Popen(
            [SSCARD, "monitor", "--reader", served.readers[0], "--port", "35964", "--report", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        ) as process:
            assert process.stderr
            assert process.stdout
            try:
                assert process.stderr.readline().startswith("watching")
                assert pcsc.wait_card(other)
                with Pcsc(other) as connection:
                    connection.reset()
                    for command in (SSSE, "00C000001E", "0020000000", WRONG_PIN, WRONG_PIN):
                        connection.send(bytes.fromhex(command))
                    told = process.stdout.readline()
                assert told.startswith("✗ PIN-KNOWN-WRONG"), told
            finally:
                process.send_signal(signal.SIGINT)
                rest = process.stdout.read()
                assert process.wait(DEADLINE) == 1
        assert "failed 未通过" in rest
    table = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    broken = {one["id"] for one in table["results"] if one["verdict"] == "failed"}
    assert broken == {"PIN-KNOWN-WRONG", "PIN-UNCONFIRMED", "PIN-LAST-TRY"}


def test_the_trace_of_a_running_card_is_judged(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with serving("--trace", str(trace)) as served, Pcsc(served.readers[0]) as connection:
        connection.send(bytes.fromhex(SSSE))
        connection.reset()
        connection.send(bytes.fromhex("00B207280B"))
        out = sscard("monitor", str(trace), expect=1)
    assert "SESSION-RESELECT" in out
