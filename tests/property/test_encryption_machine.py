"""Whatever is asked of the encryption machine: no answer holds a root, a card's key or a process key, and no refusal
quotes what was sent.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulator import catalogue
from emulator.crypto import SUITES
from emulator.crypto.keys import card_key, factors
from emulator.crypto.keys import test_root as root_of
from harness.hsm.machine import EncryptionMachine
from harness.web import hsm as service
from harness.web.hsm import CARD, EXAMPLES
from tests.kit.sampled import DEEP

EXAMPLES_EACH = 20_000 if DEEP else 350
CHIP = bytes.fromhex(CARD["history"])[-8:]
FACTORS = ("0011223344556677", "0000000000000000", "FFFFFFFFFFFFFFFF")
ALLOWED = ("84240001", "84240000")
"""What a refusal's text says of itself, whether it was sent or not."""

hexes = st.integers(0, 20).flatmap(lambda size: st.binary(min_size=size, max_size=size)).map(bytes.hex)
digits = st.text("0123456789", max_size=16)
scalars = st.one_of(
    hexes, digits, st.text(max_size=40), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
    st.sampled_from(["1928374655", "842400010C", "8424000114", "8424000004", "0173", "0094", "0190", "0193", *FACTORS]),
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Any]:
    """A right request with some fields changed, dropped or added; seldom something else altogether."""
    path = draw(st.sampled_from(sorted(EXAMPLES)))
    if draw(st.integers(0, 19)) == 0:
        return path, draw(anything)
    body = json.loads(json.dumps(EXAMPLES[path][0]))
    if "card" in body:
        body["card"]["algorithm"] = draw(st.sampled_from(["01", "03", "01", "03", "02"]))
        body["card"]["region"] = draw(st.sampled_from(["510100", "510100", "510700", "440100"]))
    if "factor" in body:
        body["factor"] = draw(st.sampled_from(FACTORS))
    if "address" in body and path == "/external":
        body["address"] = draw(st.sampled_from(["0094", "0090", "004C", "0193", "0182", "0173", "FFFF"]))
        body["levels"] = draw(st.sampled_from([None, 2, 3]))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        inner = body["card"] if "card" in body and isinstance(body["card"], dict) and draw(st.booleans()) else body
        name = draw(st.sampled_from([*inner, "1928374655"]))
        if draw(st.booleans()):
            inner[name] = draw(anything)
        else:
            inner.pop(name, None)
    if "line" in body and isinstance(body["line"], str) and draw(st.booleans()):
        parts = body["line"].split("|")
        parts[draw(st.integers(0, len(parts) - 1))] = str(draw(scalars))
        body["line"] = "|".join(parts)
    return path, body


@lru_cache(maxsize=1)
def secrets() -> tuple[str, ...]:
    """Every root, what it becomes level by level, the card's keys, and their process keys for the factors used."""
    found: set[bytes] = set()
    for spec in catalogue.layout("3.00").keys.values():
        for version in range(1, 4):
            root = root_of(spec.name, version)
            found.add(root)
            for suite in SUITES.values():
                found.add(suite.derive(root, factors("510100", CHIP, 3)[0]))
                for levels in (2, 3):
                    key = card_key(suite, root, "510100", CHIP, levels)
                    found.add(key)
                    found |= {suite.process_key(key, bytes.fromhex(factor)) for factor in FACTORS}
    return tuple(one.hex() for one in found)


def told(value: Any) -> list[str]:
    """Every text that is in a request, names of fields too."""
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in (name, *told(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in told(inner)]
    return [value, *value.split("|")] if isinstance(value, str) else [str(value)]


KNOWN = {name for asked, _ in EXAMPLES.values() for name in (*asked, *CARD)}
CLIENT = TestClient(
    service.create(EncryptionMachine(), rate="1000000000/minute"),
    base_url="http://127.0.0.1",
    raise_server_exceptions=False,
)


@settings(max_examples=EXAMPLES_EACH, deadline=None, derandomize=not DEEP, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
@example(("/pin", {**EXAMPLES["/pin"][0], "header": "1928374655"}))
@example(("/pin", {**EXAMPLES["/pin"][0], "address": "1928374655"}))
@example(("/pin", {**EXAMPLES["/pin"][0], "card": {**CARD, "region": "192837"}}))
@example(("/pin", {**EXAMPLES["/pin"][0], "1928374655": ""}))
@example(("/pin", {**EXAMPLES["/pin"][0], "pin": 1928374655}))
@example(("/pin", "1928374655"))
@example(("/basic", {"line": "1928374655|" * 9}))
def test_no_key_and_no_pin_comes_back(request: tuple[str, Any]) -> None:
    path, body = request
    answer = CLIENT.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code in (200, 400, 404, 409, 422), answer.text
    found = answer.text.lower()
    assert not any(secret in found for secret in secrets())
    if answer.status_code == 200:
        pin = body.get("pin") if isinstance(body, dict) else None
        assert not pin or len(pin) < 6 or pin not in found
        return
    error = answer.json()["error"]
    assert set(error) == {"kind", "text"}
    for text in told(body):
        plain_word = text.isascii() and text.isalpha()  # our own sentences hold such: "error", "field"
        if len(text) >= 5 and not plain_word and text not in ALLOWED and text not in KNOWN:
            assert text.lower() not in found, "a refusal quotes what was sent"


def test_the_secrets_that_are_looked_for_are_those_used() -> None:
    """The search above would be worth nothing if it looked for other keys than the machine's."""
    suite = SUITES["sm4"]
    key = card_key(suite, root_of("UKSSSE"), "510100", CHIP, 2)
    asked, answer = EXAMPLES["/external"]
    process_key = suite.process_key(key, bytes.fromhex(asked["factor"]))
    assert answer["answer"][:16] == suite.cryptogram(process_key, bytes.fromhex(asked["data"])).hex().upper()
    assert {root_of("UKSSSE").hex(), key.hex(), process_key.hex()} <= set(secrets())
