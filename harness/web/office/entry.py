"""Who asks, and with which card: tokens and roles, readers and the drawer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from emulator.messages import _, chinese_first
from harness.office.desk import tokens
from harness.office.desk.office import Office
from harness.office.measures.articles import Citation
from harness.office.register import queries
from harness.office.register.audit import Act, Actor, Note
from harness.office.register.store import Unusable
from harness.office.requests.models import CardNumber
from harness.office.vocabulary import Outcome, Role
from harness.readers import pcsc
from harness.readers.connection import Connection, Pcsc
from harness.web.guard import Admitted
from harness.web.limiter import Limiter
from harness.web.observed import address
from harness.web.refusals import Problem
from harness.web.refuse import Refusal

FAILURES = "20/minute"
"""Wrong tokens that one client may send; a token of 32 bytes is guessed by nobody, a log of guesses helps nobody."""
BEARER = HTTPBearer(
    auto_error=False, description="A clerk's token, from `sscard office token CLERK`. 经办人员令牌，由该命令签发。"
)
Given = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


CALLER = "caller"
"""Where a request's state has whose token it was."""


class Door:
    """Lets clerks in by their tokens. A good token always passes; who has guessed too often is told to wait."""

    def __init__(self, office: Office, failures: str) -> None:
        self._office = office
        self._failures = Limiter(failures)

    async def admit(self, scope: Scope) -> Admitted:
        """Who asks, by the head of a request. Nobody's body is read before there is a good token for it."""
        headers = Headers(scope=scope)
        kind, __, token = headers.get("authorization", "").partition(" ")
        given = token.strip() if kind.lower() == "bearer" else None
        caller = await self._caller(given) if given else None
        scope.setdefault("state", {})[CALLER] = caller
        if caller is not None:
            return Admitted(caller.name, str(caller.role))
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return Admitted(refusal=self._refusal(address(scope), given))
        return Admitted()

    async def __call__(self, request: Request, _: Given) -> Actor:
        """Whose token was good. Problem 401 without one, 429 after too many bad ones."""
        caller: Actor | None = request.scope["state"].get(CALLER)
        if caller is None:
            refusal = self._refusal(address(request.scope), request.headers.get("authorization"))
            raise Problem(refusal.status, refusal.kind, refusal.text)
        return caller

    async def _caller(self, token: str) -> Actor | None:
        register, now = self._office.register, self._office.clock.now()
        # A hop to a thread and back takes longer than the look itself.
        with contextlib.suppress(Unusable), register.glance() as link:
            return tokens.bearer(partial(queries.bearer_at_a_glance, link), token, now)
        return await run_in_threadpool(self._waited, token, now)

    def _waited(self, token: str, now: datetime) -> Actor | None:
        with self._office.register.reading() as session:
            return tokens.bearer(partial(queries.bearer, session), token, now)

    def _refusal(self, client: str, given: str | None) -> Refusal:
        if not given:
            return Refusal(401, "token", _("需要令牌 a token is needed: Authorization: Bearer …"))
        if not self._failures.hit(client):
            return Refusal(
                429, "rate", _("more than {rate} wrong tokens from one client: wait").format(rate=self._failures.rate)
            )
        return Refusal(401, "token", _("令牌无效或已过期 the token is not known, or has run out"))

    def only(self, caller: Actor, roles: frozenset[Role], what: str, citation: Citation) -> None:
        """Problem 403 for another role, which goes onto the trail."""
        if caller.role in roles:
            return
        act = Act(what, citation.label_zh, Outcome.REFUSED, detail={"role": str(caller.role)})
        self._office.register.note(Note(self._office.clock.now(), caller, act))
        allowed = "、".join(chinese_first(one, one.zh) for one in sorted(roles))
        raise Problem(
            403,
            "role",
            _("该业务仅限{allowed} this is for the roles {roles} only").format(
                allowed=allowed, roles=", ".join(sorted(roles))
            ),
        )


@dataclass(frozen=True, slots=True)
class InReader:
    """Which card was put into which reader, if any."""

    office: Office
    readers: Sequence[str]
    drawer: str | None
    reader: str | None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Connection | None]:
        """The card, for this request alone. Problem, ImageError, PcscError."""
        if self.drawer is not None and self.reader is not None:
            raise Problem(422, "input", _("drawer, reader: one card at a time"))
        if self.reader is not None and self.reader not in self.readers:
            raise Problem(403, "reader", _("this reader is not one that the service may use"))
        if self.reader is not None:
            with Pcsc(pcsc.find_reader(self.reader)) as connection:
                yield connection
        elif self.drawer is not None:
            with self._drawn(self.drawer) as connection:
                yield connection
        else:
            yield None

    @contextlib.contextmanager
    def needed(self) -> Iterator[Connection]:
        """The card; Problem where none is named."""
        with self.opened() as connection:
            if connection is None:
                raise Problem(422, "input", _("drawer, reader: the card must be in a reader"))
            yield connection

    @contextlib.contextmanager
    def _drawn(self, number: str) -> Iterator[Connection]:
        if not self.office.services.card_store.has(number):
            raise Problem(404, "unknown", _("卡柜中无此卡 the drawer has no card {number}").format(number=number))
        with self.office.services.card_store.inserted(number) as connection:
            yield connection


class Readers:
    """The query parameters that say which card is in the reader."""

    def __init__(self, office: Office, readers: Sequence[str]) -> None:
        self._office, self._readers = office, tuple(readers)

    async def __call__(
        self,
        drawer: Annotated[
            CardNumber | None,
            Query(description="A virtual card of the office's drawer, put into its reader. 卡柜中的虚拟卡，按卡号。"),
        ] = None,
        reader: Annotated[
            str | None,
            Query(max_length=128, description="A PC/SC reader that the service was started with. 服务允许的读卡器。"),
        ] = None,
    ) -> InReader:
        """What the request says; looked at when it is opened. Asynchronous as it waits for nothing: FastAPI would run
        it in a thread of its own otherwise, and so with the door.
        """
        return InReader(self._office, self._readers, drawer, reader)
