"""One connection to a service: heads come in time, and only so many connections are held.

uvicorn waits for a first head, and for the rest of any, as long as the client likes.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulator.messages import _
from harness.web.refuse import Refusal

MOST = 128
"""Connections of one service, WebSockets among them. [D]"""
HEAD_TIME = 10.0
"""Seconds within which a request's head is there as a whole. [D]"""
READ_TIME = 30.0
"""Seconds that a client may leave an answer unread. [D]"""
CLOSE_TIME = 5.0


class Connection(H11Protocol):
    """uvicorn's, with deadlines and bounds. Where there are too many, the one that has waited for a head the longest
    goes; where none waits, the newest.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._since = self.loop.time()
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def _waits(self) -> bool:
        """True while no request is under way: its head has not come, or not as a whole."""
        return self.conn.their_state is h11.IDLE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: it is held, or another one for it, and has to send a head."""
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD_TIME, self._late)
        if len(self.connections) > MOST:
            others = (one for one in self.connections if isinstance(one, Connection) and one is not self)
            gone = min((one for one in others if one._waits), key=lambda one: one._since, default=self)
            gone._dropped("connections")
            self.connections.discard(gone)  # at once: it is lost only later, and others may come before that
            gone.transport.abort()

    def data_received(self, data: bytes) -> None:
        """A head that has begun must come; one that came, or a WebSocket, has no deadline here."""
        super().data_received(data)
        if not self._waits or self.transport.get_protocol() is not self:
            self._forget_head()
        elif self._head is None:
            self._head = self.loop.call_later(HEAD_TIME, self._late)

    def on_response_complete(self) -> None:
        """From now on it waits for its next head."""
        self._since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """It went: nothing is waited for."""
        self._forget_head()
        self._forget_unread()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read: not for ever."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(READ_TIME, self._unread_for_long)

    def _unread_for_long(self) -> None:
        self._dropped("unread")
        self.transport.abort()

    def _dropped(self, kind: str, status: int | None = None) -> None:
        """Tells of a connection that ends before, or in the midst of, what was asked."""
        observer = getattr(self.app, "observer", None)
        if observer is not None:
            client = self.client[0] if self.client else "unknown"
            observer.dropped(client, kind, status, self.loop.time() - self._since)

    def resume_writing(self) -> None:
        """Goes on writing: the client reads again."""
        self._forget_unread()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """No other request came in time."""
        super().timeout_keep_alive_handler()
        self._end()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 — ours has the shape of every refusal
        """Refuses what is not HTTP."""
        self._tell(Refusal(400, "http", _("this is not HTTP as RFC 9112 has it")))

    def _late(self) -> None:
        if not self.transport.is_closing():
            late = _("the request's head did not come within {seconds:g} seconds").format(seconds=HEAD_TIME)
            self._tell(Refusal(408, "time", late))

    def _tell(self, refusal: Refusal) -> None:
        self._dropped(refusal.kind, refusal.status)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            head = h11.Response(status_code=refusal.status, headers=refusal.headers)
            for event in (head, h11.Data(data=refusal.body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._end()

    def _end(self) -> None:
        """What the client does not read is not kept for it."""
        self.loop.call_later(CLOSE_TIME, self.transport.abort)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
