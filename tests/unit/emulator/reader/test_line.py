"""A slot whose driver is far: away, silent, cut off, or one that connects to the card."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from emulator.reader.line import Answered, Dialled, Line, dialled, named
from emulator.reader.slot import NotPoweredError, Slot
from emulator.reader.wire import WireError
from tests.kit.drivers import DEADLINE, Driver, connected, frame, listening

pytestmark = pytest.mark.usefixtures("hanging_up")
ATR = b"\x3b\x00"
COMMAND, ANSWER = b"command", b"command\x90\x00"
Make = Callable[[Line], Slot]


class Card:
    """Echoes with 9000, and remembers what it was asked; ``busy`` holds the command of that name."""

    atr = ATR

    def __init__(self) -> None:
        self.done: list[bytes] = []
        self.powers = 0
        self.out = threading.Event()
        self.busy, self.go_on = threading.Event(), threading.Event()

    def power_on(self) -> bytes:
        self.powers += 1
        return self.atr

    def reset(self) -> bytes:
        return self.power_on()

    def power_off(self) -> None:
        pass

    def taken_out(self) -> None:
        self.out.set()

    def transmit(self, command: bytes) -> bytes:
        self.done.append(command)
        if command == b"busy":
            self.busy.set()
            assert self.go_on.wait(DEADLINE)
        return command + b"\x90\x00"


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def put_in(card: Card, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Puts the card in at the end of a line, whose pause is as long as that of a near one."""
    slots: list[Slot] = []

    def make(line: Line) -> Slot:
        monkeypatch.setattr(line, "pause", 0.05)
        slot = Slot(card, line)
        slots.append(slot)
        slot.insert()
        return slot

    yield make
    for one in slots:
        one.close()
    left = {thread.name for thread in threading.enumerate()}
    assert not {name for name in left if name.startswith(("slot on", "listener on"))}


def test_a_host_is_named_with_its_port() -> None:
    assert [named("desk", 1), named("::1", 2)] == ["desk:1", "[::1]:2"]


def test_a_card_goes_into_a_reader_that_comes_later_and_again(put_in: Make, card: Card) -> None:
    with listening() as away:
        port = away.port
    slot = put_in(Dialled("127.0.0.1", port))
    assert not slot.wait_powered(0)
    for number in (1, 2):
        with listening(port) as driver:
            connection = driver.card()
            assert connection.power() == ATR
            assert connection.ask(COMMAND) == ANSWER
            assert slot.powered
            assert card.powers == number, "it has lost its power meanwhile"
            connection.connection.close()
    assert card.done == [COMMAND] * 2


def test_a_card_reaches_ipv6(put_in: Make) -> None:
    try:
        with listening(host="::1") as driver:
            slot = put_in(Dialled("::1", driver.port))
            assert driver.card().power() == ATR
            assert slot.line.name == f"[::1]:{driver.port}"
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


def test_a_driver_that_falls_silent_is_left_and_the_card_comes_again(put_in: Make, card: Card) -> None:
    with listening() as driver:
        slot = put_in(Dialled("127.0.0.1", driver.port, silence=0.2))
        first = driver.card()
        first.power()
        assert card.out.wait(DEADLINE)
        assert isinstance(slot.trouble, TimeoutError)
        assert "no word from the driver for 0.2 s" in str(slot.trouble)
        assert first.gone(), "it is told, if it still listens"
        second = driver.card()
        assert second.power() == ATR
        assert second.ask(COMMAND) == ANSWER


def test_a_stall_inside_a_frame_shorter_than_that_is_waited_for_and_a_longer_one_executes_nothing(
    put_in: Make, card: Card
) -> None:
    with listening() as driver:
        put_in(Dialled("127.0.0.1", driver.port, silence=0.4))
        one = driver.card()
        one.power()
        for byte in frame(COMMAND):
            threading.Event().wait(0.02)
            one.connection.sendall(bytes((byte,)))
        assert one.connection.recv(100) == frame(ANSWER)
        one.connection.sendall(frame(COMMAND)[:5])
        assert one.gone()
        again = driver.card()
        again.power()
        assert again.ask(b"another") == b"another\x90\x00", "the rest of no old frame is taken for a new one"
    assert card.done == [COMMAND, b"another"]


@pytest.mark.parametrize("end", [Driver.reset, lambda one: one.connection.close()])
def test_an_answer_that_was_not_delivered_reaches_no_other_connection(
    put_in: Make, card: Card, end: Callable[[Driver], None]
) -> None:
    with listening() as driver:
        put_in(Dialled("127.0.0.1", driver.port))
        one = driver.card()
        one.power()
        one.connection.sendall(frame(b"busy"))
        assert card.busy.wait(DEADLINE)
        end(one)
        card.go_on.set()
        again = driver.card()
        assert again.power() == ATR
        assert again.ask(COMMAND) == ANSWER
    assert card.done == [b"busy", COMMAND], "neither is carried out again"


def test_a_far_driver_that_takes_the_card_for_the_one_before_is_shown_that_it_left(put_in: Make, card: Card) -> None:
    with listening() as driver:
        slot = put_in(Dialled("127.0.0.1", driver.port))
        one = driver.card()
        one.ask(b"\4")
        one.connection.sendall(frame(COMMAND))
        assert card.out.wait(DEADLINE)
        assert isinstance(slot.trouble, NotPoweredError)
        assert one.gone()
        assert driver.card().power() == ATR
    assert card.done == []


def test_the_connection_after_a_broken_one_comes_from_the_same_port() -> None:
    """So that the far kernel finds out that the old one is no more, where nobody told it."""
    with listening() as driver:
        line = Dialled("127.0.0.1", driver.port)
        first = line.connect(lambda: True)
        assert first is not None
        port = first.getsockname()[1]
        accepted = driver.card()
        line.end(first, broken=True, taken=True)
        assert accepted.gone()
        with line.connect(lambda: True) or socket.socket() as second:
            assert second.getsockname()[1] == port
            driver.card().connection.close()
        with line.connect(lambda: True) or socket.socket() as third:
            assert third.getsockname()[1] != port, "one that ended in order has nothing to be found out"


def test_that_port_is_kept_while_the_way_is_gone_and_until_a_driver_has_powered_the_card() -> None:
    """Else a far driver that missed the end would be left in the old connection for ever."""
    with listening() as driver:
        at = driver.port
        line = Dialled("127.0.0.1", at)
        first = line.connect(lambda: True)
        assert first is not None
        port: int = first.getsockname()[1]
        accepted = driver.card()
        line.end(first, broken=True, taken=True)
        assert accepted.gone()
    with pytest.raises(ConnectionRefusedError):
        line.connect(lambda: True)
    with listening(at) as driver:
        with socket.create_server(("127.0.0.1", port)):  # taken for a while: any other port will do
            second = line.connect(lambda: True)
        assert second is not None
        assert second.getsockname()[1] != port
        driver.card().connection.close()
        line.end(second, broken=True, taken=False)
        with line.connect(lambda: True) or socket.socket() as third:
            assert third.getsockname()[1] == port


def test_a_card_is_not_connected_with_itself_where_nobody_listens() -> None:
    """The reader's port may be the very one that the kernel picks for this end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        dialled("127.0.0.1", port, ("127.0.0.1", port))


@pytest.mark.parametrize("end", [Slot.remove, Slot.close])
def test_who_takes_a_card_out_does_not_wait_for_a_name_or_a_far_machine(
    card: Card, monkeypatch: pytest.MonkeyPatch, end: Callable[[Slot], None]
) -> None:
    looking, go_on = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slowly(*arguments: object, **named: object) -> object:
        looking.set()
        assert go_on.wait(DEADLINE)
        return look_up(*arguments, **named)  # type: ignore[arg-type]

    with listening() as driver, monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", slowly)
        slot = Slot(card, Dialled("127.0.0.1", driver.port))
        slot.insert()
        assert looking.wait(DEADLINE)
        began = time.monotonic()
        end(slot)
        assert time.monotonic() - began < 1
        go_on.set()
        assert driver.card().gone(), "what comes of it later is closed"
        slot.close()


def test_the_kernel_watches_a_far_connection() -> None:
    with listening() as driver:
        line = Dialled("127.0.0.1", driver.port, silence=12)
        with line.connect(lambda: True) or socket.socket() as connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 12000
            if hasattr(socket, "TCP_KEEPIDLE"):
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 3


def answered() -> Answered:
    """A line on any free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return Answered("127.0.0.1", port)


def taken(port: int) -> Driver:
    """A driver that connected once the card awaited one: before, it is turned away."""
    while (driver := connected(port)).gone_at_once():
        driver.connection.close()
    return driver


def test_a_driver_connects_to_the_card_one_at_a_time(put_in: Make, card: Card) -> None:
    line = answered()
    slot = put_in(line)
    one = taken(line.port)
    assert one.power() == ATR
    assert connected(line.port).gone(), "another one is turned away"
    assert one.ask(COMMAND) == ANSWER
    one.reset()
    assert card.out.wait(DEADLINE)
    again = taken(line.port)
    assert again.power() == ATR
    assert slot.wait_powered(DEADLINE)
    slot.remove()
    assert again.gone()
    assert connected(line.port).gone(), "there is no card"
    slot.insert()
    last = taken(line.port)
    assert last.power() == ATR


def test_two_cards_cannot_listen_at_one_port() -> None:
    line = answered()
    try:
        with pytest.raises(OSError, match=rf"\[Errno {errno.EADDRINUSE}\]"):
            Answered(line.host, line.port)
    finally:
        line.close()


def test_what_comes_without_a_card_or_is_no_frame_is_survived(put_in: Make) -> None:
    line = answered()
    slot = put_in(line)
    while slot.trouble is None:  # whoever comes before the card is awaited is turned away
        with socket.create_connection(("127.0.0.1", line.port), DEADLINE) as stranger:
            with contextlib.suppress(OSError):
                stranger.sendall(b"\0\0")
            assert Driver(stranger).gone()
    driver = taken(line.port)
    assert driver.power() == ATR
    assert isinstance(slot.trouble, WireError)
