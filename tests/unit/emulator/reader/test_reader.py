"""The wire and the slot, against a driver of our own on loopback."""

from __future__ import annotations

import logging
import socket
import statistics
import struct
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from emulator.reader.slot import Slot
from emulator.reader.wire import Wire, WireError

pytestmark = pytest.mark.usefixtures("hanging_up")
DEADLINE = 30.0


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


class FakeCard:
    """Echoes with 9000; ``busy`` holds a command until told to go on."""

    atr = b"\x3b\x00"

    def __init__(self) -> None:
        self.events: list[str] = []
        self.entered, self.go_on = threading.Event(), threading.Event()

    def power_on(self) -> bytes:
        self.events.append("on")
        return self.atr

    def reset(self) -> bytes:
        self.events.append("reset")
        return self.atr

    def power_off(self) -> None:
        self.events.append("off")

    def taken_out(self) -> None:
        self.events.append("out")

    def transmit(self, command: bytes) -> bytes:
        if command == b"busy":
            self.entered.set()
            assert self.go_on.wait(DEADLINE)
        if command == b"fail":
            raise ZeroDivisionError
        if command == b"mute":
            return b""
        return command + b"\x90\x00"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Wire]]:
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(DEADLINE)
        right.settimeout(DEADLINE)
        yield left, Wire(right)


def test_a_frame_of_any_split_is_one_message(pair: tuple[socket.socket, Wire]) -> None:
    driver, wire = pair
    whole = frame(b"first") + frame(b"x") + frame(bytes(65535))
    for cut in (1, 2, 3, 5, 7, 8, 9, 10, 11, 5000):
        got: list[bytes | None] = []
        reader = threading.Thread(target=lambda into=got: into.extend(wire.receive() for _ in range(3)))
        reader.start()
        for start in range(0, min(12, len(whole)), cut):
            driver.sendall(whole[start : min(start + cut, 12)])
        driver.sendall(whole[12:])
        reader.join(DEADLINE)
        assert got == [b"first", b"x", bytes(65535)]


def test_the_end_between_frames_is_none(pair: tuple[socket.socket, Wire]) -> None:
    driver, wire = pair
    driver.sendall(frame(b"last"))
    driver.shutdown(socket.SHUT_WR)
    assert wire.receive() == b"last"
    assert wire.receive() is None


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_the_end_inside_a_frame_is_an_error(pair: tuple[socket.socket, Wire], cut: int) -> None:
    driver, wire = pair
    driver.sendall(frame(b"last")[:cut])
    driver.shutdown(socket.SHUT_WR)
    with pytest.raises(WireError, match=f"{cut} bytes into it"):
        wire.receive()


def test_a_frame_of_nothing_is_an_error(pair: tuple[socket.socket, Wire]) -> None:
    driver, wire = pair
    driver.sendall(b"\0\0")
    with pytest.raises(WireError, match="zero bytes"):
        wire.receive()


def test_a_frame_leaves_in_one_piece_and_within_its_limit(pair: tuple[socket.socket, Wire]) -> None:
    driver, wire = pair
    wire.send(b"answer")
    assert driver.recv(100) == frame(b"answer")
    for payload in (b"", bytes(65536)):
        with pytest.raises(ValueError, match="1 to 65535"):
            wire.send(payload)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's own count of segments")
def test_a_length_is_acknowledged_at_once_and_a_command_by_its_answer() -> None:
    """So that a driver which holds its second write back waits for nothing, and no segment leaves that need not."""
    segments_out = 136  # bytes into struct tcp_info, linux/tcp.h
    with socket.create_server(("127.0.0.1", 0)) as listener:
        chip = socket.create_connection(listener.getsockname())
        driver, _ = listener.accept()
    with chip, driver:
        wire = Wire(chip)

        def command() -> tuple[int, float]:
            """Segments that left the chip's side, and seconds."""
            before, start = sent(), time.monotonic()
            driver.sendall(b"\0\5")
            driver.sendall(bytes(5))
            assert wire.receive() == bytes(5)
            wire.send(b"\x90\x00")
            assert driver.recv(4, socket.MSG_WAITALL) == frame(b"\x90\x00")
            return sent() - before, time.monotonic() - start

        def sent() -> int:
            info = chip.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            count: int = struct.unpack_from("I", info, segments_out)[0]
            return count

        # A fresh connection acknowledges its first 16 segments at once by itself. Medians: a machine may be busy.
        segments, seconds = map(statistics.median, zip(*[command() for __ in range(60)][20:], strict=True))
    assert segments == 2
    assert seconds < 0.04, "each waited for a delayed acknowledgement"


class Driver:
    """The driver's side: listens, and speaks frames."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        self.port: int = self.listener.getsockname()[1]
        self.connection: socket.socket | None = None

    def accept(self) -> socket.socket:
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(DEADLINE)
        return self.connection

    def ask(self, payload: bytes) -> bytes:
        assert self.connection
        self.connection.sendall(frame(payload))
        return self.read()

    def read(self) -> bytes:
        assert self.connection
        size = int.from_bytes(self._exactly(2), "big")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        assert self.connection
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            assert more, "closed inside a frame"
            data += more
        return data

    def tell(self, *controls: int) -> None:
        assert self.connection
        for control in controls:
            self.connection.sendall(frame(bytes((control,))))

    def closed(self) -> bool:
        assert self.connection
        return self.connection.recv(1) == b""


@pytest.fixture
def driver() -> Iterator[Driver]:
    one = Driver()
    yield one
    if one.connection:
        one.connection.close()
    one.listener.close()


@pytest.fixture
def card() -> FakeCard:
    return FakeCard()


@pytest.fixture
def slot(driver: Driver, card: FakeCard) -> Iterator[Slot]:
    one = Slot(card, driver.port)
    yield one
    one.close()
    assert f"slot on port {driver.port}" not in {thread.name for thread in threading.enumerate()}


def test_insertion_power_commands_and_removal(driver: Driver, slot: Slot, card: FakeCard) -> None:
    slot.insert()
    driver.accept()
    assert driver.ask(b"\4") == card.atr
    assert not slot.wait_powered(0), "present is not powered"
    driver.tell(1)
    assert slot.wait_powered(DEADLINE)
    assert driver.ask(b"hello") == b"hello\x90\x00"
    driver.tell(2, 0)
    assert driver.ask(b"\4") == card.atr
    assert card.events == ["on", "reset", "off"]
    slot.remove()
    assert driver.closed()
    assert card.events[-1] == "out"
    assert not slot.wait_powered(0)


def test_a_reset_without_on_counts_as_power(driver: Driver, slot: Slot) -> None:
    slot.insert()
    driver.accept()
    driver.ask(b"\4")
    driver.tell(2)
    assert slot.wait_powered(DEADLINE)


@pytest.mark.parametrize("command", [b"fail", b"mute"])
def test_a_card_that_fails_answers_6f00_and_lives_on(
    driver: Driver, slot: Slot, command: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    slot.insert()
    driver.accept()
    assert driver.ask(command) == b"\x6f\x00"
    assert driver.ask(b"\7") == b"\7\x90\x00", "one byte that is no control is a command"
    assert driver.ask(b"hello") == b"hello\x90\x00"


def test_removal_in_mid_command_lets_the_answer_leave_whole(driver: Driver, slot: Slot, card: FakeCard) -> None:
    slot.insert()
    connection = driver.accept()
    connection.sendall(frame(b"busy"))
    assert card.entered.wait(DEADLINE)
    with pytest.raises(TimeoutError, match="still at a command"):
        slot.remove(timeout=0.01)
    card.go_on.set()
    assert driver.read() == b"busy\x90\x00"
    assert driver.closed()


@pytest.mark.parametrize("broken", [b"\0\0", b"\0\5ab"])
def test_broken_frames_end_the_connection_not_the_slot(driver: Driver, slot: Slot, broken: bytes) -> None:
    slot.insert()
    driver.accept().sendall(broken)
    assert driver.connection
    driver.connection.shutdown(socket.SHUT_WR)
    assert driver.closed()
    driver.connection.close()
    driver.accept()
    assert driver.ask(b"hello") == b"hello\x90\x00"


def test_the_driver_may_come_later_or_again(card: FakeCard) -> None:
    first = Driver()
    port = first.port
    first.listener.close()
    slot = Slot(card, port)
    try:
        slot.insert()
        for _ in range(2):
            listener = socket.create_server(("127.0.0.1", port))
            listener.settimeout(DEADLINE)
            connection, _address = listener.accept()
            connection.sendall(frame(b"\4"))
            assert connection.recv(10) == frame(card.atr)
            connection.close()
            listener.close()
    finally:
        slot.close()


def test_an_empty_slot_has_nothing_to_put_in(driver: Driver) -> None:
    slot = Slot(None, driver.port)
    try:
        with pytest.raises(ValueError, match="no card"):
            slot.insert()
    finally:
        slot.close()
