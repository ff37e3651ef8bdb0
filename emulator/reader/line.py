"""How a slot and the driver of its reader come together: the slot connects to the driver, or the driver to the slot."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from emulator.override import override

log = logging.getLogger(__name__)

HERE = "127.0.0.1"
CONNECTING = 5.0
"""Seconds that an attempt to connect may take."""
LOOK = 0.5
"""Seconds between two looks at whether a listener is still wanted."""
SILENCE = 30.0
"""Seconds without a word after which a far driver is taken for gone: pcscd has vpcd ask for the ATR every 0.4 s, and on
Windows it asks every second. [D]
"""
PROBES = 3
"""Of the kernel's own, unanswered, until it takes the far machine for gone."""
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: what was not sent is forgotten, and the other side is told by a reset."""
Wanted = Callable[[], bool]
Made = TypeVar("Made")
Address = tuple[str, int]


def begun(work: Callable[[], Made]) -> Future[Made]:
    """What comes of ``work``, which nothing can interrupt, as looking a name up; nobody has to wait for its thread."""
    made: Future[Made] = Future()

    def do() -> None:
        try:
            made.set_result(work())
        except Exception as error:
            made.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return made


def dialled(host: str, port: int, source: Address | None = None) -> socket.socket:
    """A connection with who listens there. OSError."""
    try:
        connection = socket.create_connection((host, port), CONNECTING, source)
    except TimeoutError:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
    if connection.getsockname() == connection.getpeername():
        # Nobody listens: the port that the kernel chose for this end is the one looked for (RFC 9293, 3.5).
        connection.close()
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    return connection


def named(host: str, port: int) -> str:
    """``HOST:PORT``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Line:
    """The driver of this machine, which listens.

    ``pause``: seconds that a card that left stays out, longer than between two looks of the driver: one that comes back
    sooner is taken for the one that was there, and never powered. ``silence``: seconds without a word after which the
    driver is taken for gone; None: never.
    """

    far = False
    connects = False
    """The driver connects: that it does so again shows that it has noticed how the last connection ended."""
    pause = 0.5
    silence: float | None = None

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    @property
    def name(self) -> str:
        """Returns ``HOST:PORT``."""
        return named(self.host, self.port)

    def connect(self, wanted: Wanted) -> socket.socket | None:
        """A new connection with the driver; None where it is not ``wanted`` any more. OSError."""
        del wanted
        return dialled(self.host, self.port)

    def cancel(self) -> None:
        """``wanted`` has changed: whoever waits for a connection looks again."""

    def end(self, connection: socket.socket, *, broken: bool, taken: bool) -> None:
        """Closes a connection; ``broken``: not because the card left; ``taken``: its driver had powered the card."""
        del broken, taken
        connection.close()

    def close(self) -> None:
        """Nobody connects any more."""


class _Far(Line):
    """A driver of another machine: it may be gone without a word."""

    far = True
    pause = 1.5

    def __init__(self, host: str, port: int, silence: float | None = SILENCE) -> None:
        super().__init__(host, port)
        self.silence = silence

    def _kept(self, connection: socket.socket) -> socket.socket:
        """The connection, watched by the kernel as well: what cannot be delivered, and who does not answer."""
        seconds = self.silence or SILENCE
        between = max(1, round(seconds / (PROBES + 1)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", between),
            ("TCP_KEEPALIVE", between),  # what macOS calls the same
            ("TCP_KEEPINTVL", between),
            ("TCP_KEEPCNT", PROBES),
            ("TCP_USER_TIMEOUT", round(seconds * 1000)),
        ):
            number: int | None = getattr(socket, option, None)
            if number is not None:
                with contextlib.suppress(OSError):  # an older system has the name alone
                    connection.setsockopt(socket.IPPROTO_TCP, number, value)
        return connection

    @override
    def end(self, connection: socket.socket, *, broken: bool, taken: bool) -> None:
        del taken
        if broken:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        connection.close()


class Dialled(_Far):
    """A driver of another machine that listens, as vpcd does.

    vpcd waits for an answer without end. Where it missed that its connection broke, it is told by the next one, which
    comes from the same port: its kernel asks back, and learns that the old one is no more (RFC 9293, 3.5.1).
    """

    _before: Address | None = None
    """This end of the broken connection, until it was connected from again, or a driver has powered the card since."""

    def __init__(self, host: str, port: int, silence: float | None = SILENCE) -> None:
        super().__init__(host, port, silence)
        self._changed = threading.Condition()

    @override
    def connect(self, wanted: Wanted) -> socket.socket | None:
        made = begun(self._dial)
        made.add_done_callback(lambda __: self.cancel())
        with self._changed:
            self._changed.wait_for(lambda: made.done() or not wanted())
        if not made.done():
            made.add_done_callback(_closed)
            return None
        return self._kept(made.result())

    def _dial(self) -> socket.socket:
        if self._before is not None:
            with contextlib.suppress(OSError):
                connection = dialled(self.host, self.port, self._before)
                self._before = None
                return connection
        return dialled(self.host, self.port)

    @override
    def cancel(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @override
    def end(self, connection: socket.socket, *, broken: bool, taken: bool) -> None:
        if taken:
            self._before = None
        if broken and self._before is None:
            with contextlib.suppress(OSError):
                self._before = connection.getsockname()[:2]
        super().end(connection, broken=broken, taken=taken)


def _closed(made: Future[socket.socket]) -> None:
    """Closes a connection that nobody waits for any more."""
    if made.exception() is None:
        made.result().close()


class Answered(_Far):
    """A driver that connects, as vpcd does where its configuration names a host. OSError where nobody can listen there.

    One at a time: others, and all while no card is to be in, are turned away, which tells them that there is none.
    """

    connects = True

    def __init__(self, host: str, port: int, silence: float | None = SILENCE) -> None:
        super().__init__(host, port, silence)
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        self._listener = socket.create_server((host, port), family=family)
        self._listener.settimeout(LOOK)
        self._changed = threading.Condition()
        self._awaited = self._closed = False
        self._came: socket.socket | None = None
        self._thread = threading.Thread(target=self._answer, name=f"listener on port {port}", daemon=True)
        self._thread.start()

    @override
    def connect(self, wanted: Wanted) -> socket.socket | None:
        with self._changed:
            self._awaited = True
            self._changed.wait_for(lambda: self._came is not None or self._closed or not wanted())
            self._awaited = False
            came, self._came = self._came, None
        return None if came is None else self._kept(came)

    @override
    def cancel(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @override
    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(LOOK * 4)
        self._listener.close()

    def _answer(self) -> None:
        while not self._closed:
            try:
                connection, peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                log.warning("%s: %s", self.name, error)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, LOOK)
                continue
            connection.settimeout(None)
            with self._changed:
                taken = self._awaited and self._came is None and not self._closed
                if taken:
                    self._came = connection
                    self._changed.notify_all()
            if not taken:
                log.debug("%s: %s was turned away", self.name, peer)
                connection.close()
