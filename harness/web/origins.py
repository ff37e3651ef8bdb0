"""An origin as browsers send it (RFC 6454): scheme, host, and the port where it is not the scheme's own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred

PORTS = {"http": 80, "https": 443}
EXPECTED = deferred("expected an origin, as https://counter.example or http://localhost:8080")


class OriginError(SscardError, ValueError):
    """A text that no browser would ever send as Origin: why."""

    kind = ErrorKind.INPUT


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def normalised(text: str) -> str:
    """The origin that a text means: small letters, no closing slash, no default port. OriginError for anything else."""
    if text.strip() == "*":
        raise OriginError(_("'*' would let every page in the world call: name each origin that may"))
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise OriginError(f"{text!r}: {error}; {_(EXPECTED)}") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise OriginError(f"{text!r}: {_(EXPECTED)}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc or text.strip()[-1] in "?#":
        raise OriginError(
            _("{text!r}: an origin ends after host and port; {expected}").format(text=text, expected=_(EXPECTED))
        )
    return f"{parts.scheme}://{_host(parts.hostname, text)}{_port(port, parts.scheme)}"


def _port(port: int | None, scheme: str) -> str:
    return "" if port is None or port == PORTS[scheme] else f":{port}"


def _host(host: str, text: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            raise OriginError(
                _("{text!r}: {host!r} is no IPv6 address; {expected}").format(
                    text=text, host=host, expected=_(EXPECTED)
                )
            ) from None
    try:
        known = host.encode("idna").decode()
    except UnicodeError:
        raise OriginError(
            _("{text!r}: {host!r} is no host's name; {expected}").format(text=text, host=host, expected=_(EXPECTED))
        ) from None
    if not all(letter.isalnum() or letter in "-._" for letter in known):
        raise OriginError(
            _("{text!r}: {host!r} is no host's name; {expected}").format(text=text, host=host, expected=_(EXPECTED))
        )
    return known.lower()
