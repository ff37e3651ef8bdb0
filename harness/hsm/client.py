"""An encryption machine elsewhere, over HTTP: ``sscard machine serve``.

By the standard library: a request is one POST of a few fields, which is no reason for a dependency.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from emulator.messages import _
from emulator.override import override
from harness.hsm.machine import Card, Machine, MachineError

TIMEOUT = 10.0
LONGEST_ANSWER = 64 * 1024
T = TypeVar("T")


class MachineClient(Machine):
    """Asks the machine at a URL as ``Machine`` says. Where none answers, that is a MachineError of kind ``link``.

    ``timeout``: seconds in which the machine must take the connection, and between its bytes.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        try:
            parts = urlsplit(url)
            place, plain = f"{parts.hostname}:{parts.port or ''}".rstrip(":"), not (parts.username or parts.password)
        except ValueError:
            plain = False
        if not plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise MachineError("input", _("the encryption machine's address: expected one like http://127.0.0.1:35990"))
        self._url, self._place, self._timeout = url.rstrip("/"), place, timeout
        # A PIN goes there: to that machine, never to what an environment variable calls a proxy.
        self._opener = build_opener(ProxyHandler({}))

    @property
    @override
    def addresses(self) -> dict[str, str]:
        rows = self._ask("/keys", None)
        try:
            return {str(row["address"]): str(row["name"]) for row in rows}
        except (TypeError, KeyError):
            raise self._strange() from None

    def card(self, region: str, history: str, algorithm: str) -> Card:
        """See ``Machine``. Which regions it serves, the machine says when it is asked."""
        return Card.named(region, history, algorithm)

    @override
    def basic(self, line: str) -> str:
        return self._answer("/basic", {"line": line})

    @override
    def external(self, address: str, card: Card, factor: str, data: str, *, levels: int | None = None) -> str:
        return self._answer("/external", {**_of(address, card), "factor": factor, "data": data, "levels": levels})

    @override
    def pin(self, address: str, card: Card, factor: str, header: str, pin: str = "", *, whole: bool = False) -> str:
        asked = {**_of(address, card), "factor": factor, "header": header, "pin": pin, "whole": whole}
        return self._answer("/pin", asked)

    @override
    def debit(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str,
    ) -> str:  # fmt: skip
        settled = _settled(random, sequence, self_paid, pooled, time, terminal, terminal_sequence)
        return self._answer("/debit", {**_of(address, card), **settled})

    @override
    def debit_proof(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str, mac2: str,
    ) -> bool:  # fmt: skip
        settled = _settled(random, sequence, self_paid, pooled, time, terminal, terminal_sequence)
        return self._told("/debit/proof", {**_of(address, card), **settled, "mac2": mac2}, "right", bool)

    # --- over the wire ---------------------------------------------------------------------------------------------

    def _answer(self, path: str, asked: dict[str, Any]) -> str:
        return self._told(path, asked, "answer", str)

    def _told(self, path: str, asked: dict[str, Any], name: str, kind: type[T]) -> T:
        told = self._ask(path, asked)
        value = told.get(name) if isinstance(told, dict) else None
        if not isinstance(value, kind):
            raise self._strange()
        return value

    def _ask(self, path: str, asked: dict[str, Any] | None) -> Any:
        """One request; what JSON answers it. MachineError, of the machine's own kind where it refuses."""
        body = None if asked is None else json.dumps(asked).encode()
        request = Request(self._url + path, data=body, headers={"content-type": "application/json"})
        try:
            refused, told = self._exchanged(request)
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise MachineError(
                "link", _("no encryption machine answers at {place}: {why}").format(place=self._place, why=why)
            ) from None
        try:
            answer = json.loads(told)
            if not refused:
                return answer
            kind, text = str(answer["error"]["kind"]), str(answer["error"]["text"])
        except (ValueError, RecursionError, TypeError, KeyError):
            raise self._strange() from None
        raise MachineError(kind, text)

    def _exchanged(self, request: Request) -> tuple[bool, bytes]:
        """Whether it is refused, and the answer's body."""
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return False, response.read(LONGEST_ANSWER)
        except HTTPError as refusal:
            with refusal:
                return True, refusal.read(LONGEST_ANSWER)

    def _strange(self) -> MachineError:
        return MachineError(
            "link", _("what answers at {place} is no encryption machine of ours").format(place=self._place)
        )


def _of(address: str, card: Card) -> dict[str, Any]:
    named = {"region": card.region, "history": card.history.hex().upper(), "algorithm": card.algorithm}
    return {"address": address, "card": named}


def _settled(*values: str) -> dict[str, str]:
    names = ("random", "sequence", "self_paid", "pooled", "time", "terminal", "terminal_sequence")
    return dict(zip(names, values, strict=True))
