"""Readers of another machine: where they are, what cannot be combined with them, and what is told of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest
from click.testing import CliRunner, Result

from emulator.errors import Misuse
from emulator.reader.line import SILENCE, Dialled
from emulator.reader.slot import Slot
from harness.cli import main
from harness.readers import pcsc
from harness.serving import far, far_doctor
from harness.serving.far import Endpoint, Far, FarError, Watch, far_readers
from harness.serving.pcsc_service import CONTACT
from harness.serving.run import ended
from tests.kit.drivers import DEADLINE, listening

PORT = pcsc.DEFAULT_PORT


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("desk", "", Endpoint("desk", PORT)),
        ("192.0.2.7:40000", "", Endpoint("192.0.2.7", 40000)),
        ("[2001:db8::7]:40000", "", Endpoint("2001:db8::7", 40000)),
        ("[::1]", "", Endpoint("::1", PORT)),
        ("40000", "127.0.0.1", Endpoint("127.0.0.1", 40000)),
        ("0.0.0.0:40000", "127.0.0.1", Endpoint("0.0.0.0", 40000)),
    ],
)
def test_where_a_reader_is(text: str, host: str, expected: Endpoint) -> None:
    assert Endpoint.of_text(text, host=host) == expected
    assert Endpoint.of_text(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "HOST a name"),
        (":40000", "HOST a name"),
        ("a desk", "HOST a name"),
        ("40000", "HOST a name"),
        ("http://desk", "HOST a name"),
        ("http://desk:40000", "HOST a name"),
        ("//desk", "HOST a name"),
        ("desk:", "PORT from 1 to 65535"),
        ("desk:0", "PORT from 1 to 65535"),
        ("desk:65536", "PORT from 1 to 65535"),
        ("desk:４００", "PORT from 1 to 65535"),
        ("desk:-1", "PORT from 1 to 65535"),
        ("::1", "stands in brackets"),
        ("[::1", "stands in brackets"),
        ("[::1]40000", "a colon and a port after the bracket"),
        ("[]:40000", "HOST a name"),
    ],
)
def test_where_no_reader_can_be(text: str, why: str) -> None:
    with pytest.raises(Misuse, match=why):
        Endpoint.of_text(text)
    result = ran("run", f"--connect={text}")
    assert (result.exit_code, "--connect" in result.stderr) == (2, True)


def test_a_signal_ends_looking_a_name_up(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: go_on.wait(DEADLINE))
    began, after = time.monotonic(), False
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with ended():
        far.addresses("desk.example")
        after = True
    go_on.set()
    assert not after
    assert time.monotonic() - began < DEADLINE / 2


def test_what_the_network_says_is_in_the_user_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(number: int) -> str:
        def look(*_: object, **__: object) -> object:
            raise socket.gaierror(number, os.strerror(1))

        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", look)
            return ran("--lang", "zh", "run", "--connect", "desk.example").stderr

    assert looked_up(socket.EAI_NONAME) == "sscard: desk.example：本机查不到该名称的地址（没有这个名称）\n"
    assert looked_up(socket.EAI_AGAIN) == "sscard: desk.example：本机查不到该名称的地址（名称服务没有应答）\n"
    here = "192.0.2.1:40000"
    assert ran("--lang", "zh", "run", "--listen", here).stderr == f"sscard: 无法在{here}监听：本机没有该地址\n"

    def late(*_: object) -> object:
        raise TimeoutError("timed out")

    monkeypatch.setattr(far_doctor, "TAKEN", 0.3)
    monkeypatch.setattr(socket, "create_connection", late)
    assert "未及时应答" in ran("--lang", "zh", "doctor", "--connect", "127.0.0.1").stdout


def test_every_slot_needs_a_port_and_there_are_not_more_than_steering_can_name() -> None:
    Far(Endpoint("desk", 65535)).check(1)
    with pytest.raises(Misuse, match="2 slots need ports up to 65536"):
        Far(Endpoint("desk", 65535)).check(2)
    with pytest.raises(Misuse, match="17 slots"):
        Far(Endpoint("desk", PORT)).check(17)
    assert ran("run", "--connect", "desk:65535", "--psam").exit_code == 2


@pytest.mark.parametrize("way", ["--connect=127.0.0.1", "--listen=40000"])
@pytest.mark.parametrize(
    "options",
    [["--private"], ["--port", "40000"], ["--reader-name", "X"], ["--demo"], ["--once"], ["--listen=1", "--connect=a"]],
)
def test_what_only_this_machine_s_readers_have_is_refused(way: str, options: list[str]) -> None:
    result = ran("run", way, *options)
    assert result.exit_code == 2
    assert options[0].partition("=")[0] in result.stderr.replace("\n", " ")


def test_silence_is_about_far_readers() -> None:
    for given in (["--silence", "5"], ["--connect", "127.0.0.1", "--silence", "nan"]):
        result = ran("run", *given)
        assert (result.exit_code, "--silence" in result.stderr) == (2, True)


@pytest.mark.parametrize("text", ["http://a", "a:0", ":5", "a/b", "a:x"])
def test_what_is_no_place_is_told_the_form_of_one(text: str) -> None:
    said = ran("doctor", "--connect", text).stderr
    assert f"{text!r}: expected HOST[:PORT], " in said
    assert f"{text!r}: expected [HOST:]PORT, " in ran("run", "--listen", text).stderr


def test_a_host_without_an_address_is_no_reader() -> None:
    result = ran("run", "--connect", "nowhere.invalid")
    assert result.exit_code == 3
    assert "nowhere.invalid: this machine knows no address of that name" in result.stderr
    assert ran("run", "--connect", "x" * 300).exit_code == 3


def test_a_port_that_another_program_has_cannot_be_listened_at() -> None:
    with listening() as taken:
        result = ran("run", "--listen", str(taken.port))
    assert (result.exit_code, f"127.0.0.1:{taken.port}" in result.stderr) == (3, True)


class Card:
    """Takes what comes."""

    atr = b"\x3b\x00"

    def power_on(self) -> bytes:
        return self.atr

    reset = power_on

    def power_off(self) -> None:
        pass

    taken_out = power_off

    def transmit(self, command: bytes) -> bytes:
        del command
        return b"\x90\x00"


def test_what_becomes_of_a_card_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    noted: list[str] = []
    watch = Watch(said.append, noted.append)
    with listening() as away:
        port = away.port
    line = Dialled("127.0.0.1", port)
    monkeypatch.setattr(line, "pause", 0.05)
    slot = Slot(Card(), line)
    place = f"127.0.0.1:{port}"

    def until(number: int) -> None:
        """Looks until so many things were told, and once more."""
        for _ in range(500):
            if len(said) + len(noted) >= number:
                break
            watch.look(0, slot, ["ready 0"])
            threading.Event().wait(0.01)
        assert not watch.look(0, slot, ["ready 0"])

    with contextlib.closing(slot):
        slot.insert()
        until(1)
        assert noted == [f"slot 0: no reader at {place} so far (nobody listens there); trying on"]
        with listening(port) as driver:
            connection = driver.card()
            connection.power()
            until(2)
            assert said == ["ready 0"]
            connection.reset()
            until(3)
            assert (
                noted[-1]
                == f"slot 0: {place} has lost the card (the other side broke the connection off); it comes again"
            )
            again = driver.card()
            again.power()
            until(4)
            assert noted[-1] == f"slot 0: {place} has taken the card again"
            slot.remove()
            assert watch.look(0, slot, ["ready 0"]), "changed, and nothing to be told: it was taken out"
            until(4)
    assert (said, len(noted)) == (["ready 0"], 3)


def test_who_steers_hears_that_no_reader_took_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far, "TAKEN", 0.2)
    with listening() as away:
        at = Endpoint("127.0.0.1", away.port)
    with far_readers(Far(at, silence=SILENCE), 1) as readers:
        (place,) = readers.places([CONTACT])
        slot = Slot(Card(), readers.line(place))
        with contextlib.closing(slot):
            slot.insert()
            with pytest.raises(FarError, match=r"within 0.2 s \(nobody listens there\); it goes in"):
                readers.wait_taken(slot, place)


def found(at: str, *, expect: int) -> dict[str, dict[str, str]]:
    result = ran("doctor", "--connect", at, "--json")
    assert result.exit_code == expect, result.output
    return {one["check"]: one for one in json.loads(result.stdout)}


def test_the_doctor_says_what_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_doctor, "TAKEN", 0.3)
    assert "knows no address" in found("nowhere.invalid", expect=1)["host"]["detail"]
    with listening() as driver:
        at = f"127.0.0.1:{driver.port}"
        told = found(at, expect=1)[f"reader {at}"]
        assert (told["level"], "has not asked" in told["detail"]) == ("fault", True), "somebody listens, and is silent"
        driver.card()
    told = found(at, expect=1)[f"reader {at}"]
    assert (told["detail"], "firewall" in told["remedy"]) == ("nobody listens there", True)
    monkeypatch.setattr(far_doctor, "TAKEN", DEADLINE)
    with listening() as driver:
        thread = threading.Thread(target=lambda: driver.card().power())
        thread.start()
        at = f"127.0.0.1:{driver.port}"
        assert found(at, expect=0)[f"reader {at}"]["level"] == "ok"
        thread.join(DEADLINE)


def test_the_doctor_s_port_is_the_far_one() -> None:
    assert ran("doctor", "--connect", "desk", "--port", "40000").exit_code == 2
