"""An office at the other end of HTTP: each request is sent once, with a time limit, and its answer read as the adapter
says.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote, urlsplit
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import httpx2
import jmespath
import xmltodict
from jmespath.exceptions import JMESPathError

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.scenarios.against import naming
from harness.scenarios.against.lacking import OfficeFault
from harness.scenarios.against.models import AdapterDocument, Answers, Ask, Found, asks
from harness.web.origins import is_loopback

LONGEST = 8 * 1024 * 1024
"""Bytes of an answer. [D]"""
DECLARED = re.compile(rb"""<\?xml[^>]{0,100}encoding=["']([A-Za-z0-9._-]{1,40})["']""")
SHORTEST_SECRET = 4
"""Letters of a secret that is masked wherever it stands: fewer would mask everything. [D]"""
MASK = "***"
KINDS = ("json", "form", "xml", "text")


class AgainstError(SscardError):
    """An address or a secret that the run cannot begin with: why."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``told``: status, headers and body, for expressions; ``raw``: the body's text; ``unread``: why
    expressions find nothing in it, if so.
    """

    told: Mapping[str, Any]
    raw: str
    unread: str = ""

    @property
    def status(self) -> int:
        """Returns the status of HTTP."""
        return int(self.told["status"])


@dataclass(slots=True)
class Secrets:
    """Values that nothing may tell: of the environment, and what a login gave."""

    known: set[str] = field(default_factory=set)

    def add(self, value: object) -> None:
        """A value that is masked from now on."""
        if len(str(value)) >= SHORTEST_SECRET:
            self.known.add(str(value))

    def masked(self, text: str) -> str:
        """A text without any of them."""
        for one in sorted(self.known, key=len, reverse=True):
            text = text.replace(one, MASK)
        return text


def environment(adapter: AdapterDocument, secrets: Secrets) -> dict[str, str]:
    """The variables that an adapter names. AgainstError for one that is not set."""
    wanted = {one.name.removeprefix("env.") for one in names_of(adapter) if one.name.startswith("env.")}
    missing = sorted(name for name in wanted if not os.environ.get(name))
    if missing:
        raise AgainstError(
            _("the adapter needs {names} in the environment, which is not set").format(names=", ".join(missing))
        )
    found = {name: os.environ[name] for name in wanted}
    for value in found.values():
        secrets.add(value)
    return found


def names_of(adapter: AdapterDocument) -> list[naming.Place]:
    """Every place in an adapter's templates."""
    auth = adapter.auth
    told: list[Any] = [adapter.headers]
    if auth is not None:
        told += [auth.bearer, auth.headers, *((auth.basic.user, auth.basic.password) if auth.basic else ())]
    return list(naming.places([*told, *(parts(ask) for __, ask in asks(adapter))]))


def parts(ask: Ask) -> list[Any]:
    """All templates of a request."""
    return [ask.path, ask.query, ask.headers, *(getattr(ask, kind) for kind in KINDS)]


def address(url: str) -> str:
    """The office's address, without a closing slash. AgainstError for one that is none, or has a password in it."""
    try:
        known = urlsplit(url)
        good = known.scheme in ("http", "https") and known.hostname and known.port != 0
    except ValueError:
        good = False
    if not good or known.query or known.fragment:
        raise AgainstError(_("expected an address as https://office.example/api"))
    if known.username or known.password:
        raise AgainstError(_("no password belongs in an address: the adapter names variables (auth)"))
    return url.rstrip("/")


def _said(error: Exception) -> str:
    """What went wrong with a request: in the system's words, translated, where the system said it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return strerror(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.RemoteProtocolError):
        return _("the connection ended before a whole HTTP answer had come, or what came is none")
    return str(error) or type(error).__name__


class Client:
    """Connections to an office, one for each clerk, as a cookie is a clerk's."""

    def __init__(self, url: str, adapter: AdapterDocument, secrets: Secrets, env: Mapping[str, str]) -> None:
        self._url, self._adapter, self._secrets, self._env = address(url), adapter, secrets, env
        self._links: dict[str, httpx2.Client] = {}
        self._logins: dict[str, dict[str, Any]] = {}
        self._verify: ssl.SSLContext | bool = True
        if adapter.ca is not None:
            try:
                self._verify = ssl.create_default_context(cafile=adapter.ca)
            except OSError as error:
                raise AgainstError(
                    _("ca: {file} cannot be used: {strerror}").format(file=adapter.ca, strerror=strerror(error))
                ) from None

    def close(self) -> None:
        """Ends all connections."""
        for one in self._links.values():
            one.close()
        self._links.clear()
        self._logins.clear()

    def forget(self) -> None:
        """Clerks sign in anew: days may have passed."""
        self.close()

    def ask(self, ask: Ask, names: Mapping[str, Any], clerk: str = "") -> Answer:
        """Sends one request, once. Lacking for a value that a template has and the step has not; OfficeFault."""
        login = self._login(clerk)
        known = {**names, "clerk": clerk or None, "env": self._env, "login": login}
        # The harness's own requests are made by no clerk: where one would sign in, nobody has.
        auth = {} if not clerk and self._adapter.login is not None else self._auth(known)
        return self._sent(ask, known, clerk, auth)

    def _login(self, clerk: str) -> dict[str, Any]:
        if self._adapter.login is None or not clerk:
            return {}
        if clerk not in self._logins:
            self._logins[clerk] = {}
            names = {"clerk": clerk or None, "env": self._env}
            answer = self._sent(self._adapter.login, names, clerk, {})
            if not holds(answers(self._adapter, self._adapter.login).done, answer):
                raise OfficeFault(
                    _("the login was not taken (HTTP {status}{unread})").format(
                        status=answer.status, unread=answer.unread
                    )
                )
            self._logins[clerk] = given(self._adapter.login, answer, self._adapter.words or {})
            for value in self._logins[clerk].values():
                self._secrets.add(value)
        return self._logins[clerk]

    def _auth(self, names: Mapping[str, Any]) -> dict[str, str]:
        auth, words = self._adapter.auth, self._adapter.words or {}
        if auth is None:
            return {}

        def put(text: str) -> str:
            return str(naming.filled(text, names, words))

        found = {name: put(text) for name, text in (auth.headers or {}).items()}
        if auth.bearer is not None:
            found["authorization"] = f"Bearer {put(auth.bearer)}"
        if auth.basic is not None:
            basic = httpx2.BasicAuth(put(auth.basic.user), put(auth.basic.password))
            request = next(basic.auth_flow(httpx2.Request("GET", self._url)))
            found["authorization"] = request.headers["authorization"]
        return found

    def _link(self, clerk: str) -> httpx2.Client:
        if clerk not in self._links:
            self._links[clerk] = httpx2.Client(
                timeout=self._adapter.timeout,
                verify=self._verify,
                follow_redirects=False,
                trust_env=not is_loopback(urlsplit(self._url).hostname or ""),  # no proxy stands before this machine
            )
        return self._links[clerk]

    def _sent(self, ask: Ask, names: Mapping[str, Any], clerk: str, auth: Mapping[str, str]) -> Answer:
        words = self._adapter.words or {}
        headers = naming.filled({**(self._adapter.headers or {}), **(ask.headers or {})}, names, words)
        path = naming.filled(ask.path, names, words, lambda text: quote(text, safe=""))
        query = naming.filled(ask.query or {}, names, words)
        content, kind = self._body(ask, names, words)
        if kind:
            headers = {"content-type": ask.content_type or kind, **headers}
        latest = time.monotonic() + self._adapter.timeout
        try:
            with self._link(clerk).stream(
                ask.method, self._url + path, params={name: _plain(one) for name, one in query.items()} or None,
                headers={**{name: _plain(one) for name, one in headers.items()}, **auth}, content=content,
            ) as response:  # fmt: skip
                raw = b""
                for part in response.iter_bytes():
                    raw += part
                    if len(raw) > LONGEST:
                        raise OfficeFault(_("an answer of more than {size} bytes").format(size=LONGEST))
                    if time.monotonic() > latest:  # httpx counts from one piece to the next
                        raise httpx2.ReadTimeout("")
                return self._read(ask, response, raw)
        except httpx2.TimeoutException:
            raise OfficeFault(
                _("{route}: no answer within {seconds:g} s").format(route=route(ask), seconds=self._adapter.timeout)
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise OfficeFault(
                _("{route}: {error}").format(route=route(ask), error=self._secrets.masked(_said(error)))
            ) from None

    @staticmethod
    def _body(ask: Ask, names: Mapping[str, Any], words: naming.Words) -> tuple[bytes | None, str]:
        if ask.json is not None:
            made = naming.filled(ask.json, names, words)
            return json.dumps(made, ensure_ascii=False).encode(), "application/json"
        if ask.form is not None:
            fields = {name: _plain(one) for name, one in naming.filled(ask.form, names, words).items()}
            return str(httpx2.QueryParams(fields)).encode(), "application/x-www-form-urlencoded"
        if ask.xml is not None:
            return str(naming.filled(ask.xml, names, words, escape)).encode(), "application/xml; charset=utf-8"
        if ask.text is not None:
            # A place that is the whole text is a value, whatever its kind.
            return _plain(naming.filled(ask.text, names, words)).encode(), "text/plain; charset=utf-8"
        return None, ""

    def _read(self, ask: Ask, response: httpx2.Response, raw: bytes) -> Answer:
        kind = response.headers.get("content-type", "")
        named = answers(self._adapter, ask).form
        form = named or ("json" if "json" in kind else "xml" if "xml" in kind else "text")
        text = _decoded(raw, response.charset_encoding)
        body: Any = text
        unread = ""
        if named is None and form == "text" and text.strip():
            unread = _("; its content type is {kind}, read as text: answers.form says otherwise").format(
                kind=repr(kind.partition(";")[0][:40])
            )
        try:
            if form == "json" and text.strip():
                body = json.loads(text)
            elif form == "xml" and text.strip():
                body = xmltodict.parse(text, encoding="utf-8", disable_entities=True)
        except (ValueError, ExpatError, RecursionError):
            body = None  # an error page, which no expression takes for an answer
            unread = _("; the body is no {form}").format(form=form.upper())
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer({"status": response.status_code, "headers": headers, "body": body}, text, unread)


def _decoded(raw: bytes, charset: str | None) -> str:
    """By what the answer says of itself, in its head or in XML's first line; the parser knows no GBK."""
    told = DECLARED.match(raw)
    try:
        return raw.decode(charset or (told[1].decode() if told else "utf-8"), "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)


def route(ask: Ask) -> str:
    """A request as reports name it: its template, and no value."""
    return f"{ask.method} {ask.path}"


def answers(adapter: AdapterDocument, ask: Ask) -> Answers:
    """How this request's answer is read: as all are, but for what it says itself."""
    own = ask.answers
    if own is None:
        return adapter.answers
    parts = {
        name: getattr(own, name) if getattr(own, name) is not None else getattr(adapter.answers, name)
        for name in (one.name for one in fields(Answers))
    }
    return Answers(**parts)


def value(expression: str, answer: Answer) -> Any:
    """What an expression gives; null where there is nothing, or where it does not fit what came."""
    try:
        return jmespath.search(expression, answer.told)
    except JMESPathError:
        return None


def holds(expression: str | None, answer: Answer) -> bool:
    """Whether it gives true, as JMESPath means it for filters: neither false nor null nor empty."""
    found = value(expression, answer) if expression is not None else None
    return found is not None and found is not False and found not in ("", [], {})


def one(source: Found | str, answer: Answer, words: naming.Words) -> Any:
    """A value that an answer gives, translated where the adapter says so. Lacking for a word that it does not have."""
    if isinstance(source, str):
        return value(source, answer)
    found = value(source.at, answer)
    return found if found is None else naming.translated(found, source.words, words)


def given(ask: Ask, answer: Answer, words: naming.Words) -> dict[str, Any]:
    """What an answer tells, by our names; what it does not have is left out. Lacking as ``one``."""
    told: dict[str, Any] = {}
    for name, source in (ask.gives or {}).items():
        found = one(source, answer, words)
        if name == "*":
            told |= found if isinstance(found, Mapping) else {}
        elif found is not None:
            told[name] = found
    return told
