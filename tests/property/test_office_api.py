"""Nothing that is sent to the office's service is an error of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.office.operations import ALL
from harness.office.vocabulary import Role
from harness.web.office.examples import FIRST, ME, STORY, Example
from tests.kit.office_fronts import CLERKS, Caller, kind
from tests.kit.offices import Desk
from tests.kit.sampled import DEEP

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from([2**63, -1, "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Example, Any]:
    """An example of which one place holds something else, or which has one more field."""
    one = draw(st.sampled_from(STORY))
    body = copy.deepcopy(one.body)
    path = draw(st.sampled_from(list(places(body))))
    value = draw(JSON)
    if not path:
        return one, draw(st.sampled_from([value, body | {draw(st.text(max_size=12)): value}]))
    at: Any = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return one, body


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Caller:
    caller = Caller(Desk(tmp_path_factory.mktemp("fuzzed")))
    caller.until("change-information")
    return caller


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(Desk(tmp_path))


@settings(max_examples=4000 if DEEP else 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=spoilt(), card=st.sampled_from(["", FIRST]))
def test_nothing_sent_is_an_error_of_ours(fuzzed: Caller, case: tuple[Example, Any], card: str) -> None:
    one, body = case
    path = f"/operations/{one.operation}" if one.operation in ALL else f"/{one.operation}"
    for role in CLERKS:
        response = fuzzed.client.post(
            path,
            content=json.dumps(body).encode(),
            params={"drawer": card} if card else {},
            headers=fuzzed.headers(role) | {"Content-Type": "application/json"},
        )
        assert response.status_code != 500, response.text


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[" * 10_000, b'{"\\ud800": 1}', b'{"to": "\\ud800"}', b'{"to": ' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json(caller: Caller, raw: bytes) -> None:
    headers = caller.headers() | {"Content-Type": "application/json"}
    response = caller.client.post("/operations/transfer", content=raw, headers=headers)
    assert response.status_code in (400, 422), response.text


@pytest.mark.parametrize("text", ["虚" * 41, "a\0", "a\nb"])
def test_what_no_chip_holds_is_known_before_anything_is_begun(caller: Caller, text: str) -> None:
    caller.until("activate")
    guardian = {"name": text[:25], "document": ME, "phone": "00000000013"}
    for change in ({"address": text}, {"guardian": guardian} if len(text) < 25 else {"address": text}):
        assert kind(caller.post("/operations/change-information", change, drawer=FIRST)) == (422, "input")
    assert caller.get("/pending", Role.CLERK).json() == []


@settings(max_examples=40, deadline=None)
@given(header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60))
def test_any_token(fuzzed: Caller, header: str) -> None:
    headers = [(b"Authorization", f"Bearer {header}".strip().encode("latin-1"))]
    assert fuzzed.client.get("/pending", headers=headers).status_code == 401
