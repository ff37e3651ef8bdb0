"""What a service counts, for Prometheus and whatever reads its text: no label can hold what a client wrote."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from emulator.version import VERSION
from harness.web.request_log import Entry

TOKEN_KINDS = frozenset({"token", "role"})
"""Kinds of refusals that say that somebody was not who, or not what, they had to be."""
PIN_PREFIX = "ELECTRONIC-PIN-"
"""How the rules begin by which the office refuses an electronic card's PIN."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: from a look into the register to the longest wait for it. [D]"""


class Metrics:
    """One service's own, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = known = CollectorRegistry()
        build = Gauge("sscard_build_info", "1, with the release that serves.", ["version"], registry=known)
        build.labels(VERSION).set(1)
        self._requests = Counter(
            "sscard_http_requests", "Requests, by route, method and status; status none: no answer went out.",
            ["route", "method", "status"], registry=known,
        )  # fmt: skip
        self._seconds = Histogram(
            "sscard_http_request_seconds", "From a request's head to the end of its answer.",
            ["route", "method"], registry=known, buckets=BUCKETS,
        )  # fmt: skip
        self._in_flight = Gauge(
            "sscard_http_requests_in_flight", "Requests that are being answered, and open WebSockets.", registry=known
        )
        self._refusals = Counter(
            "sscard_refusals", "Refusals by kind, those of connections that never became a request among them.",
            ["kind"], registry=known,
        )  # fmt: skip
        self._auth = Counter(
            "sscard_auth_failures", "Requests without a token that is good (token), or of a role that may not (role).",
            ["kind"], registry=known,
        )  # fmt: skip
        self._pins = Counter(
            "sscard_pin_failures", "PINs that a card or the office took as wrong; never whose.",
            ["where"], registry=known,
        )  # fmt: skip
        self._waits = Histogram(
            "sscard_register_write_wait_seconds", "How long transactions waited until they could write.",
            registry=known, buckets=BUCKETS,
        )  # fmt: skip
        self._calls = Counter(
            "sscard_driver_calls", "Calls of SSCardDriver, by function and return code.",
            ["function", "code"], registry=known,
        )  # fmt: skip

    def began(self) -> None:
        """A request is being answered from now on."""
        self._in_flight.inc()

    def ended(self, entry: Entry) -> None:
        """It was answered, or will not be."""
        self._in_flight.dec()
        self._requests.labels(entry.route, entry.method, entry.status or "none").inc()
        self._seconds.labels(entry.route, entry.method).observe(entry.ms / 1000)
        self.refused(entry.kind)
        if entry.kind in TOKEN_KINDS:
            self._auth.labels(entry.kind).inc()
        if entry.rule.startswith(PIN_PREFIX):
            self.wrong_pin("electronic")

    def refused(self, kind: str) -> None:
        """A refusal; nothing for one without a kind."""
        if kind:
            self._refusals.labels(kind).inc()

    def wrong_pin(self, where: str) -> None:
        """A PIN was not taken. ``where``: ``card``, ``electronic``."""
        self._pins.labels(where).inc()

    def waited(self, seconds: float) -> None:
        """A transaction waited for the others."""
        self._waits.observe(seconds)

    def called(self, function: str, code: int) -> None:
        """A driver's function returned this."""
        self._calls.labels(function, code).inc()

    def text(self, accept: str) -> tuple[bytes, str]:
        """All of it, and its content type: OpenMetrics for whoever accepts that, else Prometheus' own text."""
        encoder, kind = choose_encoder(accept)
        return encoder(self._registry), kind
