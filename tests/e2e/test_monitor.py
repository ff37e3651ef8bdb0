"""The monitor, live: a card in a reader, relayed into a virtual one that the terminal works with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import catalogue
from harness.keys.psam import Psam
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import Terminal
from tests.kit.cards import SSSE, WRONG_PIN
from tests.kit.served import DEADLINE, SSCARD, serving, sscard, started

pytestmark = pytest.mark.pcsc


OTHER = "Virtual PCD 00 01"


@dataclass
class Watching:
    """``rest``: what it said after it was interrupted, and before unless that was read; ``code``: its exit code."""

    process: subprocess.Popen[str]
    rest: str = ""
    code: int | None = None

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()


@contextmanager
def watching(reader: str, *arguments: str, other: str = OTHER, psam: str = "") -> Iterator[Watching]:
    """``sscard monitor --reader``, once the card (and the PSAM) is in the other reader; interrupted afterwards."""
    with subprocess.Popen(
        [SSCARD, "monitor", "--reader", reader, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        assert process.stderr
        assert process.stdout
        watching = Watching(process)
        try:
            told = process.stderr.readline()
            assert told.startswith(f"watching {reader}: let your software use reader {other!r}"), told
            assert pcsc.wait_card(psam or other)
            yield watching
        finally:
            process.send_signal(signal.SIGINT)
            try:
                watching.rest, _ = process.communicate(timeout=DEADLINE)
            finally:
                process.kill()  # one that hangs would put its card into the next test's readers
            watching.code = process.returncode


def test_a_terminal_is_judged_while_it_works(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with serving("--slots", "2") as served:
        with watching(served.readers[0], "--report", str(folder)) as watch, Pcsc(OTHER) as connection:
            connection.reset()
            for command in (SSSE, "00C000001E", "0020000000", WRONG_PIN, WRONG_PIN):
                connection.send(bytes.fromhex(command))
            told = watch.line()
            assert told.startswith("✗ PIN-KNOWN-WRONG"), told
        assert "failed 未通过" in watch.rest
        assert watch.code == 1
    table = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    broken = {one["id"] for one in table["results"] if one["verdict"] == "failed"}
    assert table["session"]["commands"] >= 5, "all that passed, though nothing of it is kept"
    assert table["session"]["cards"] == ["3B6D00000081544C908684510100000000"]
    assert broken == {"PIN-KNOWN-WRONG", "PIN-UNCONFIRMED", "PIN-LAST-TRY"}


def test_two_terminals_are_watched_at_once_each_in_a_reader_of_its_own() -> None:
    people = ("--persona", "adult-chengdu", "--persona", "expired")
    with serving("--slots", "4", *people, cards=2) as served:
        third, fourth = pcsc.virtual_readers(4)[2:]
        with watching(served.readers[0], other=third), watching(served.readers[1], other=fourth):
            assert {pcsc.present()[one].hex()[-2:] for one in (third, fourth)} == {"01", "08"}


def test_a_card_that_no_virtual_reader_has_room_for_is_told_what_to_do() -> None:
    people = ("--persona", "adult-chengdu", "--persona", "expired")
    with (
        serving("--slots", "2", *people, cards=2) as served,
        started("monitor", "--reader", served.readers[0]) as second,
    ):
        assert second.process.wait(DEADLINE) == 3
        assert second.process.stderr
        said = second.process.stderr.read()
    assert "0 of 2 virtual slots free, 1 are needed: start `sscard run` with more --slots" in said


@pytest.mark.parametrize("port", ["35964", "35966"])
def test_the_port_may_be_named_all_the_same(port: str) -> None:
    with serving("--slots", "4") as served:
        other = served.readers[0].replace("00 00", "00 01") if port == "35964" else pcsc.virtual_readers(4)[3]
        with watching(served.readers[0], "--port", port, other=other):
            pass


def test_a_live_card_is_judged_by_the_version_that_it_says(tmp_path: Path) -> None:
    """A 2.00 card gives the name freely, a 3.00 one does not."""
    with serving("--slots", "2", "--layout", "2.00") as served:
        with watching(served.readers[0], "--report", str(tmp_path)) as watch, Pcsc(OTHER) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.read("SSSE/EF06/09") == "测试甲"
            connection.reset()
        assert watch.code == 0
    table = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert {one["id"]: one["verdict"] for one in table["results"]}["RIGHTS-READ"] == "passed"


def test_a_card_that_is_taken_out_leaves_the_virtual_reader_and_comes_back() -> None:
    with serving("--slots", "2") as served:
        with watching(served.readers[0]) as watch:
            for _ in range(2):
                with Pcsc(OTHER) as connection:
                    Terminal(connection).begin()
                sscard("card", "remove", "0")
                assert pcsc.wait_card(OTHER, present=False)
                sscard("card", "insert", "0")
                assert pcsc.wait_card(OTHER)
        assert "passed" in watch.rest
        assert "failed" not in watch.rest
        assert watch.code == 0


def test_a_card_that_is_torn_out_in_a_command_is_noticed_and_comes_back() -> None:
    with serving("--slots", "2", "--fault", "removal,instruction=VERIFY,once=yes") as served:
        with watching(served.readers[0]) as watch:
            with Pcsc(OTHER) as connection:
                Terminal(connection).begin()
                with pytest.raises(pcsc.PcscError):
                    connection.send(bytes.fromhex("0020000000"))
            assert pcsc.wait_card(OTHER, present=False)
            assert pcsc.wait_card(OTHER)
            with Pcsc(OTHER) as connection:
                Terminal(connection).begin()
        assert watch.code == 0, watch.rest


@pytest.mark.parametrize("spoil", [False, True], ids=["good", "wrong factor"])
def test_a_terminal_with_a_psam_is_judged_live(tmp_path: Path, spoil: bool) -> None:
    with serving("--psam", "--slots", "4", cards=2) as served:
        card_there, psam_there = pcsc.virtual_readers(4)[2:]
        arguments = ("--psam-reader", served.readers[1], "--report", str(tmp_path))
        with (
            watching(served.readers[0], *arguments, other=card_there, psam=psam_there) as watch,
            Pcsc(card_there) as card,
            Pcsc(psam_there) as own,
        ):
            psam = Psam(TerminalSession(own))
            terminal = Terminal(card, keys=psam)
            terminal.begin()
            identification = str(terminal.read("SSSE/EF05/01"))
            psam.begin(bytes.fromhex(identification))
            assert terminal.read("SSSE/EF06/09") == "测试甲"
            if spoil:
                own.send(bytes.fromhex("BFDE470A18" + "00" * 24))
            card.reset()
        assert watch.code == int(spoil), watch.rest
    table = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    told = {one["id"]: one["verdict"] for one in table["results"]}
    assert told["PSAM-FACTOR"] == ("failed" if spoil else "passed")
    assert told["PSAM-CRYPTOGRAM"] == "passed"


def test_the_trace_of_a_running_card_is_judged(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with serving("--trace", str(trace)) as served, Pcsc(served.readers[0]) as connection:
        connection.send(bytes.fromhex(SSSE))
        connection.reset()
        connection.send(bytes.fromhex("00B207280B"))
        out = sscard("monitor", str(trace), expect=1)
    assert "SESSION-RESELECT" in out


@pytest.mark.parametrize(
    ("command", "first", "wanted"),
    [
        (("trace", "show"), ("times of 时间", "reset 复位"), "VERIFY 验证密码: the PIN"),
        (("monitor",), (), "✗ PIN-NONE-SET slot 0"),
    ],
)
def test_a_growing_trace_is_followed(
    tmp_path: Path, command: tuple[str, ...], first: tuple[str, ...], wanted: str
) -> None:
    """From an empty file on, each event as it comes, until Ctrl-C."""
    trace = tmp_path / "t.jsonl"
    trace.touch()
    with subprocess.Popen(
        [SSCARD, *command, str(trace), "--follow"], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout
        try:
            with serving("--trace", str(trace), "--fault", "status,sw=9000,instruction=VERIFY,once=yes") as served:
                for told in first:
                    assert told in process.stdout.readline()
                with Pcsc(served.readers[0]) as connection:
                    connection.reset()
                    for one in (SSSE, "00C000001E", "0020000000", "0020000003123456"):
                        connection.send(bytes.fromhex(one))
                assert any(wanted in line for line in iter(process.stdout.readline, ""))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=DEADLINE)
        assert process.returncode == (1 if command == ("monitor",) else 0)


def test_the_story_from_the_counter_to_the_verdict(tmp_path: Path) -> None:
    """What a newcomer does by docs/terminals.md: run, work, show, judge; our own counter commands break no rule."""
    trace, folder = tmp_path / "t.jsonl", tmp_path / "report"
    with serving("--psam", "--demo", "--trace", str(trace), cards=2) as served:
        reader = ("--reader", served.readers[0])
        sscard("pin", "change", "--old", "123456", "--new", "246802", *reader)
        sscard("pin", "verify", "--pin", "246802", *reader)
        sscard("pin", "reload", "--new", "135790", *reader)
        sscard("pin", "unblock", *reader)
        sscard("region", "set", "510100", "--from", "510700", *reader)
        refused = sscard("pin", "verify", "--pin", "999999", *reader, expect=1)
        assert refused == ""
    shown = sscard("trace", "show", str(trace))
    region = catalogue.layout("3.00").files["DF04/EF05"].item(0x84)
    assert region is not None
    assert f"DF04/EF05/84 {region.name} {region.name_en}" in shown
    assert "PIN CHANGE/UNBLOCK 重装/解锁密码" in shown
    out = sscard("monitor", str(trace), "--report", str(folder), "--product", "sscard itself")
    assert "✗" not in out
    assert "!" not in out
    table = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert table["counts"]["passed"] > 35
    assert table["counts"]["failed"] == table["counts"]["warning"] == 0
    text = "".join(path.read_text(encoding="utf-8") for path in (trace, *folder.iterdir()))
    for secret in ("246802", "135790", "999999", "测试甲", "测试甲".encode("gbk").hex().upper(), b"A00000011".hex()):
        assert secret not in text
