"""One served card of each version and algorithm, worked on by programs that no one here wrote, and by ours."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator

import pytest

from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.serving import control
from harness.terminal import region
from harness.terminal.terminal import PinRefused, Terminal
from tests.kit.cards import SSSE
from tests.kit.served import DEADLINE, Served, serving, sscard

pytestmark = pytest.mark.pcsc
ATR = "3B6D00000081544C908684510151010001"


@pytest.fixture(scope="module", params=[("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des")], ids="-".join)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    layout, algorithm = request.param
    with serving("--layout", layout, "--algorithm", algorithm) as one:
        yield one


def test_ready_names_slot_atr_and_reader(served: Served) -> None:
    assert served.seen[-1] == f"ready 0 {ATR} Virtual PCD 00 00"


def test_pyscard_does_a_counters_whole_work(served: Served) -> None:
    with Pcsc(served.readers[0]) as connection:
        assert connection.atr.hex().upper() == ATR
        terminal = Terminal(connection)
        terminal.begin()
        assert terminal.read("SSSE/EF06/09") == "测试甲"
        terminal.verify_pin("123456")
        terminal.change_pin("123456", "246810")
        for left in (2, 1, 0):
            with pytest.raises(PinRefused) as refused:
                terminal.verify_pin("000000")
            assert refused.value.tries_left == left
        connection.reset()
        terminal.begin()
        assert terminal.pin_state() == 0
        terminal.unblock_pin()
        terminal.verify_pin("246810")
        terminal.reload_pin("123456")
        terminal.verify_pin("123456")
        origin = region.read(terminal)[0].code
        target = "510700" if origin == "510100" else "510100"
        region.move(terminal, target, origin)
        connection.reset()
        terminal.begin()
        assert {one.code for one in region.read(terminal)} == {target}


def test_pyscards_own_high_level_api(served: Served) -> None:
    from smartcard.System import readers

    reader = next(one for one in readers() if str(one) == served.readers[0])
    connection = reader.createConnection()
    connection.connect()
    try:
        assert bytes(connection.getATR()).hex().upper() == ATR
        data, sw1, sw2 = connection.transmit(list(bytes.fromhex(SSSE)))
        # pyscard may follow 61xx by itself: both shapes are in the field.
        assert (sw1, sw2) in ((0x61, 0x1E), (0x90, 0x00))
        assert not data or bytes(data[:2]) == b"\x6f\x1c"
    finally:
        connection.disconnect()
        connection.component.hcard = None


def test_opensc_tool_finds_and_selects_the_card(served: Served) -> None:
    number = str(pcsc.reader_names().index(served.readers[0]))
    listed = subprocess.run(["opensc-tool", "-l"], capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert served.readers[0] in listed.stdout
    sent = subprocess.run(
        ["opensc-tool", "-r", number, "-c", "default", "-s", SSSE, "-s", "00B2072C0B"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert "(SW1=0x90, SW2=0x00)" in sent.stdout
    assert "07 09 41 30 30 30 30 30 30 31 31" in sent.stdout
    atr = subprocess.run(
        ["opensc-tool", "-r", number, "-a"], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert atr.stdout.strip().replace(":", "").upper() == ATR


def test_scriptor_verifies_a_pin(served: Served) -> None:
    script = f"reset\n{SSSE}\n00C000001E\n0020000003999999\n0020000003123456\n00B2072C0B\n"
    done = subprocess.run(
        ["scriptor", "-r", served.readers[0]],
        input=script,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    answers = [line[2:].split(":")[0].strip() for line in done.stdout.splitlines() if line.startswith("< ")]
    expected = ["61 1E", "63 C2", "90 00"]
    assert [answer for answer in answers if answer in expected] == expected, done.stdout
    assert "07 09 41 30 30 30 30 30 30 31 31 90 00" in " ".join(done.stdout.split())


def test_control_answers_nonsense_with_an_error(served: Served) -> None:
    (run,) = [one for one in control.runs() if one.table["pid"] == served.process.pid]
    path = control.folder() / f"{control.PREFIX}{run.id}{control.SUFFIX}"
    for line in (b"nonsense\n", b"[]\n", b'{"op": "fly", "slot": 0}\n', b'{"op": "remove"}\n', b"x" * 70000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE)
            client.connect(str(path))
            client.sendall(line)
            assert json.loads(client.makefile().readline())["ok"] is False


def test_the_counters_commands_on_a_reader(served: Served) -> None:
    reader = ["--reader", served.readers[0]]
    codes = {row["code"] for row in json.loads(sscard("region", "show", "--json", *reader))}
    (origin,) = codes
    sscard("region", "set", origin, "--from", "510300", *reader, expect=1)
    target = "510700" if origin == "510100" else "510100"
    sscard("region", "set", target, "--from", origin, *reader)
    sscard("region", "set", target, "--from", "510300", *reader, expect=1)
    assert {row["code"] for row in json.loads(sscard("region", "show", "--json", *reader))} == {target}
    sscard("pin", "verify", *reader, environment={"SSCARD_PIN": "123456"})
    sscard("pin", "verify", *reader, environment={"SSCARD_PIN": "000000"}, expect=1)
    assert json.loads(sscard("pin", "state", "--json", *reader))["tries_left"] == 2
    sscard("pin", "unblock", *reader)
    sscard("pin", "change", *reader, environment={"SSCARD_PIN": "123456", "SSCARD_NEW_PIN": "135790"})
    sscard("pin", "reload", *reader, environment={"SSCARD_NEW_PIN": "123456"})
    sscard("pin", "verify", *reader, environment={"SSCARD_PIN": "123456"})
    sscard("apdu", "reset", "--reader", "No Such", expect=3)
