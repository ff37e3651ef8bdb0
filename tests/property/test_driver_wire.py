"""Whatever comes over the driver's wire, the server answers in frames or closes, and lives on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.driver import wire
from harness.driver.interface import EXPORTED
from tests.kit.sampled import DEEP
from tests.unit.harness.driver.test_driver_front import Link, served

EXAMPLES = 5000 if DEEP else 150
argument = st.one_of(st.binary(max_size=40), st.integers().map(lambda one: str(one).encode()), st.just(b"||"))
request = st.builds(
    lambda name, rest: wire.frame(name, *rest),
    st.sampled_from([*EXPORTED]).map(str.encode),
    st.lists(argument, max_size=5),
)
mutated = st.builds(
    lambda data, at, byte: data[: at % len(data)] + byte + data[at % len(data) + 1 :],
    request,
    st.integers(0, 200),
    st.binary(min_size=0, max_size=2),
)
stream = st.lists(st.one_of(request, mutated, st.binary(max_size=60)), max_size=4).map(b"".join)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("driver") / "s") as found:
        yield found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=stream)
def test_any_bytes(path: Path, data: bytes) -> None:
    link = Link(path)
    assert link.greeting[0] == 0
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        link.socket.sendall(data)
    answers = link.rest()
    link.socket.close()
    while answers:
        size = int.from_bytes(answers[:4], "big")
        code, text, end = answers[4 : 4 + size].split(b"\0")
        assert (int(code) <= 0, end) == (True, b"")
        text.decode("gb18030")
        answers = answers[4 + size :]
    sane = Link(path)
    assert sane.ask("iReadCard", "3", "2", "||", "SSSEEF05|03|$") == (0, "SSSEEF05|3.00|$")
    sane.socket.close()
