"""``sscard run`` in all its ways: slots, images, sockets, faults, and its end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest

import harness.trace
from emulator.apdu.transport import follow
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.cells import tries_cell
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.serving import control
from harness.terminal import region
from harness.terminal.terminal import PinRefused, Terminal
from harness.trace import read
from tests.kit.cards import DF, SSSE, VERIFY
from tests.kit.served import DEADLINE, SSCARD, ended, serving, sscard

pytestmark = pytest.mark.pcsc
CHANGE_PIN, NEW_PIN = "805E010007123456FF876543", "0020000003876543"
ATR = "3B6D00000081544C908684510151010001"


def test_several_cards_in_several_slots_are_steered_from_another_terminal() -> None:
    with serving("--persona", "adult-chengdu", "--persona", "centenarian", "--slots", "3", cards=2) as served:
        assert served.readers == ["Virtual PCD 00 00", "Virtual PCD 00 01"]
        third = "Virtual PCD B 00 00"
        with Pcsc(served.readers[0]) as first, Pcsc(served.readers[1]) as second:
            assert first.atr != second.atr
            assert first.send(bytes.fromhex(SSSE)) == second.send(bytes.fromhex(SSSE))
        assert pcsc.wait_card(third, present=False)
        assert "slot 2: card" in sscard("card", "insert", "2", "--persona", "expired")
        assert pcsc.wait_card(third)
        assert sscard("card", "remove", "0") == "slot 0: empty\n"
        assert pcsc.wait_card(served.readers[0], present=False)
        sscard("card", "remove", "0", expect=1)
        answer = json.loads(sscard("card", "swap", "1", "--persona", "long-name", "--json"))
        assert answer["atr"].endswith("51010004")
        with Pcsc(served.readers[1]) as swapped:
            assert swapped.atr.hex().upper() == answer["atr"]
        sscard("card", "insert", "0")
        sscard("card", "reset", "0")
        assert pcsc.wait_card(served.readers[0])
        sscard("card", "swap", "0", expect=1)
        sscard("card", "insert", "7", expect=1)
        sscard("card", "swap", "0", "--persona", "nobody", expect=1)


def test_a_card_and_the_terminals_own_card() -> None:
    """A medical settlement, PSAM and user card each in a reader of its own."""
    with (
        serving("--algorithm", "sm4", "--psam", cards=2) as served,
        Pcsc(served.readers[0]) as card,
        Pcsc(served.readers[1]) as psam,
    ):

        def send(connection: Pcsc, command: str) -> str:
            answer = follow(connection.send, bytes.fromhex(command)).hex().upper()
            assert answer.endswith("9000"), f"{command}: {answer}"
            return answer[:-4]

        send(card, DF["DF04"])
        send(card, VERIFY)
        send(psam, "00A4040006D15600000590")
        amounts = "000003E8000000C8000001F4"
        told = send(card, f"B02801011301{amounts}510100000001")
        begun = f"{told[36:44]}{told[28:32]}{amounts}0220261124120000{told[32:36]}{card.atr[-8:].hex()}"
        answer = send(psam, f"80700100{len(begun) // 2:02X}{begun}")
        result = send(card, f"B02C01000F{answer[:8]}20261124120000{answer[8:]}")
        send(psam, f"8072000004{result[8:]}")
        assert send(card, "B026000104") == f"{10000 - 1000:08X}"


def test_an_image_keeps_what_happened(tmp_path: Path) -> None:
    path = str(tmp_path / "card.json")
    with serving("--image", path, "--algorithm", "sm4") as served, Pcsc(served.readers[0]) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        with pytest.raises(PinRefused):
            terminal.verify_pin("000000")
        region.move(terminal, "510700", "510100")
        sscard("pin", "state", "--image", path, expect=1)
        assert "510700" in sscard("show", "--image", path), "looking is free"
    with serving("--image", path) as served:
        with Pcsc(served.readers[0]) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            assert terminal.suite.name == "sm4"
            assert terminal.pin_state() == 2
            assert {one.code for one in region.read(terminal)} == {"510700"}
        served.process.kill()
        served.process.wait(DEADLINE)
    pcsc.DEFAULT_SOCKET.unlink(missing_ok=True)  # a run that is killed leaves it
    assert images.load(Path(path)).memory.counter(tries_cell("PIN")) == 2
    for contradiction in (["--algorithm", "3des"], ["--layout", "2.00"], ["--persona", "expired"]):
        ended("run", "--image", path, *contradiction, expect=2)


def test_once_runs_the_session_and_ends() -> None:
    with serving("--once") as served:
        assert served.process.wait(DEADLINE) == 0
    text = "\n".join(served.seen)
    assert "READ RECORD" in text
    assert "测试甲" in text
    assert text.count("成都市 Chengdu 510100 → 绵阳市 Mianyang 510700") == 5
    assert "123456" not in text.replace("5101", "")
    assert served.seen[-1].startswith("ready 0 ")


def test_demo_then_serves_the_apdu_shape(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with serving("--demo", "--shape", "apdu", "--trace", str(trace)) as served:
        with Pcsc(served.readers[0]) as connection:
            assert connection.send(bytes.fromhex(SSSE))[-2:] == b"\x90\x00"
        assert served.end(signal.SIGINT) == 0
    schema = json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text())
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    for event in events:
        jsonschema.validate(event, schema)
    assert {event["event"] for event in events} == {"apdu", "reset", "off"}
    assert not any("123456" in event.get("command", "") for event in events)


def test_a_private_socket_beside_the_default_one() -> None:
    with serving() as default, serving("--private", "--port", "40000", "--persona", "expired") as private:
        variable, _, path = private.seen[0].partition("=")
        assert variable == pcsc.SOCKET_VARIABLE
        environment = {variable: path}
        shown = ended("apdu", "reset", "--reader", "Virtual", "--json", environment=environment)
        assert json.loads(shown)["atr"].endswith("51010008")
        assert json.loads(sscard("apdu", "reset", "--reader", default.readers[0], "--json"))["atr"] == ATR
        sscard("card", "remove", "0", "--port", "40000")
        assert private.end() == 0
        assert not Path(path).exists()


def test_a_pcscd_that_runs_is_used_and_may_restart() -> None:
    path = pcsc.DEFAULT_SOCKET
    with pcsc.pcscd(2, pcsc.DEFAULT_PORT, path):
        running = serving()
        served = running.__enter__()
        reader = served.readers[0]
        assert pcsc.wait_card(reader)
    try:
        with pcsc.pcscd(2, pcsc.DEFAULT_PORT, path):
            assert pcsc.virtual_readers(1) == [reader]
            assert pcsc.wait_card(reader)
            with Pcsc(reader) as connection:
                assert connection.send(bytes.fromhex(SSSE))[:1] == b"\x61"
            assert pcsc.answers(path), "it outlives the card that only used it"
            served.end()
            assert pcsc.answers(path)
    finally:
        running.__exit__(None, None, None)


def test_faults_are_told(tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", 40101))
        squatter.listen()
        ended("run", "--port", "40100", "--once", expect=3)
        doctor = json.loads(sscard("doctor", "--port", "40100", "--json", expect=1))
        assert [one["check"] for one in doctor if one["level"] == "fault"] == ["port 40101"]
    assert all(one["level"] != "fault" for one in json.loads(sscard("doctor", "--json")))
    stale = pcsc.DEFAULT_SOCKET
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(stale))
    try:
        assert "nobody serves it" in sscard("doctor")
        with serving("--once") as served:
            assert served.process.wait(DEADLINE) == 0, "a socket left over is replaced"
    finally:
        stale.unlink(missing_ok=True)
    del tmp_path


def test_nothing_is_left_when_it_ends() -> None:
    with serving() as served:
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        assert len(children) == 1, "its pcscd"
        assert served.end() == 0
    assert not Path(f"/proc/{children[0]}").exists()
    assert not pcsc.DEFAULT_SOCKET.exists()
    assert not control.sockets()


def test_a_killed_run_takes_its_pcscd_along() -> None:
    with serving() as served:
        pid = int(Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()[0])
        handle = os.pidfd_open(pid)
        served.process.kill()
        served.process.wait(DEADLINE)

    assert select.select([handle], [], [], DEADLINE)[0], "pcscd ended"
    os.close(handle)
    pcsc.DEFAULT_SOCKET.unlink(missing_ok=True)
    (left_over,) = control.sockets()
    assert control.runs() == []
    assert not left_over.exists(), "who looks for runs tidies up"


def test_a_pcscd_that_dies_is_noticed() -> None:
    with serving() as served:
        pid = int(Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        assert served.process.wait(DEADLINE) == 3
        assert served.process.stderr
        assert "pcscd ended by itself" in served.process.stderr.read()
    assert not pcsc.DEFAULT_SOCKET.exists()


@pytest.mark.parametrize(("system", "kept"), [("windows", True), ("linux", False)])
def test_what_a_system_leaves_to_the_next_program(system: str, kept: bool, tmp_path: Path) -> None:
    """pcscd takes the power when nobody is connected; a card under Windows' habits does not mind."""
    trace = tmp_path / "t.jsonl"
    with serving("--system", system, "--slow", "--trace", str(trace)) as served:
        with Pcsc(served.readers[0]) as connection:
            for command in (SSSE, "0020000003123456"):
                connection.send(bytes.fromhex(command))
        if not kept:
            assert any(event.kind == "off" for event in read.events(trace, follow=True)), "waits for it"
        with Pcsc(served.readers[0]) as connection:
            answer = connection.send(bytes.fromhex("00B207280B"))
    assert answer[-2:].hex().upper() == ("9000" if kept else "6A82")
    told = trace.read_text(encoding="utf-8")
    assert ("A000000308" in told) is kept, "Windows looks for PIV"


def test_a_card_takes_the_time_that_a_timing_profile_says(tmp_path: Path) -> None:
    profile = tmp_path / "timing.json"
    profile.write_text('{"timing": 1, "reset": 0, "byte": 0, "command": 0, "commands": {"84": 0.4}}', encoding="utf-8")
    with serving(f"--slow={profile}") as served, Pcsc(served.readers[0]) as connection:
        began = time.monotonic()
        assert connection.send(bytes.fromhex("0084000008"))[-2:] == b"\x90\x00"
        took = time.monotonic() - began
    assert took >= 0.4


def test_cards_live_on_when_their_trace_cannot_be_written_any_more() -> None:
    """A full disk costs the trace, said in one sentence; nothing that a card was told to do, in no slot."""
    with serving("--slots", "2", "--persona", "adult-chengdu", "--persona", "long-name", "--trace", "/dev/full",
                 cards=2) as served:  # fmt: skip
        for reader in served.readers:
            with Pcsc(reader) as connection:
                answers = [follow(connection.send, bytes.fromhex(one)) for one in (SSSE, VERIFY, CHANGE_PIN, NEW_PIN)]
            assert [one[-2:].hex() for one in answers] == ["9000"] * 4
        sscard("card", "swap", "1", "--persona", "centenarian")
        with Pcsc(served.readers[1]) as connection:
            assert follow(connection.send, bytes.fromhex(SSSE))[-2:] == b"\x90\x00"
        assert served.end() == 0
        assert served.process.stderr
        said = served.process.stderr.read().splitlines()
    told = [line for line in said if "/dev/full" in line]
    assert told == ["/dev/full: the trace ends here, the cards go on: the disk is full"]
    assert [line for line in said if line not in told] == ["sscard: serving; Ctrl-C ends 服务中，按Ctrl-C结束"]


def test_a_trace_is_shown_as_it_grows(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with serving("--trace", str(trace)) as served:
        with subprocess.Popen(
            [SSCARD, "trace", "show", str(trace), "--follow"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            try:
                with Pcsc(served.readers[0]) as connection:
                    connection.send(bytes.fromhex(SSSE))
                    seen = next(line for line in process.stdout if "SELECT" in line)
            finally:
                process.send_signal(signal.SIGINT)
                assert process.wait(DEADLINE) == 0
        assert "by name, first" in seen
