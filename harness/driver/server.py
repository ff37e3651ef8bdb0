"""The socket side of ``sscard driver serve``: a thread for each client; the wire is told in ``wire``."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Sequence

from emulator import internal_fault
from harness.driver import absent, wire
from harness.driver.calls import Answer
from harness.driver.clients import Client, Clients
from harness.driver.codes import DriverError
from harness.driver.endpoint import Listener
from harness.driver.interface import EXPORTED, OUT_MOST, WHOLE_MOST

ENDING = 5.0
"""Seconds that calls in progress get at the end."""
LOOK = 0.5
"""Seconds between two looks at signals: one that comes just before it waits wakes nobody, on Windows none does."""
_log = logging.getLogger(__name__)


class Server:
    """Serves clients at its listeners, until it is stopped, or for ``idle`` seconds without any client of any front."""

    def __init__(self, clients: Clients, listeners: Sequence[Listener], idle: float | None = None) -> None:
        self._clients = clients
        self._listeners = list(listeners)
        self._idle = idle
        self._links: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stop, self._stopped = socket.socketpair()

    def serve(self) -> None:
        """Returns when it is stopped, or idle."""
        while (left := self._left()) is None or left > 0 or not self._leave():
            waiting = [one.socket for one in self._listeners]
            soon = LOOK if left is None or left <= 0 else min(left, LOOK)
            ready, _, _ = select.select([*waiting, self._stopped], [], [], soon)
            if self._stopped in ready:
                return
            for listener in waiting:
                if listener in ready:
                    self._take(listener)

    def _left(self) -> float | None:
        """Seconds until it has been idle for long enough; None: it never ends so."""
        return None if self._idle is None else self._idle - self._clients.quiet()

    def _leave(self) -> bool:
        """Gives its places up, unless somebody is just looking for it."""
        while self._listeners:
            if not self._listeners[0].close_unless_starting():
                return False
            self._listeners.pop(0)
        return True

    def stop(self) -> None:
        """Makes ``serve`` return; from any thread."""
        self._stop.send(b"\0")

    def close(self) -> None:
        """No more clients; those there are lose their connection."""
        for listener in self._listeners:
            listener.close()
        with self._lock:
            links = dict(self._links)
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for thread in links.values():
            thread.join(ENDING)
        self._stop.close()
        self._stopped.close()

    def _take(self, listener: socket.socket) -> None:
        """Counts the client at once: from now on the server is not idle."""
        try:
            link, _ = listener.accept()
        except OSError:
            return  # it went before it was taken
        opened = contextlib.ExitStack()
        opened.callback(link.close)
        try:
            client = opened.enter_context(self._clients.one())
        except DriverError as error:
            with opened, contextlib.suppress(OSError):
                wire.send(link, wire.answer(error.code, error.text))
            return
        thread = threading.Thread(target=self._talk, args=(link, client, opened), name="driver client", daemon=True)
        with self._lock:
            self._links[link] = thread
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads: this client goes, the others stay
            with self._lock:
                del self._links[link]
            opened.close()

    def _talk(self, link: socket.socket, client: Client, opened: contextlib.ExitStack) -> None:
        try:
            with opened, contextlib.suppress(wire.Ended, OSError):
                wire.send(link, wire.answer(*wire.GREETING))
                while self._answered(link, client):
                    pass
        except Exception as error:  # the others live on
            internal_fault.log(error, _log)
        finally:
            with self._lock:
                del self._links[link]

    @staticmethod
    def _answered(link: socket.socket, client: Client) -> bool:
        """One request and its answer; false where the connection cannot go on."""
        try:
            body = wire.receive(link)
        except DriverError as error:
            wire.send(link, wire.answer(error.code, error.text))
            return False
        code, text = called(client, body)
        wire.send(link, wire.answer(code, text, WHOLE_MOST if client.gave_whole_files else OUT_MOST))
        return True


def called(client: Client, body: bytes) -> Answer:
    """Carries one request out; returns its code and text."""
    try:
        name, texts = wire.request(body)
        function = EXPORTED.get(name)
        if function is None:
            raise absent.unsupported(name)
        try:
            values = function.read(texts)
        except DriverError as error:
            client.refused(function, error.code)
            raise
        return client.call(function, values)
    except DriverError as error:
        return error.code, error.text
