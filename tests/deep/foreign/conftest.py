from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.readers import pcsc
from tests.deep.foreign.clients import Exchange, conversation
from tests.kit.served import serving

PRIVATE = f"{pcsc.SOCKET_VARIABLE}="


@dataclass(frozen=True)
class Reader:
    """Cards in readers of a PC/SC service of their own, which every client started from here finds."""

    names: tuple[str, ...]
    layout: str
    algorithm: str

    @property
    def name(self) -> str:
        """The first one's."""
        return self.names[0]

    @property
    def talk(self) -> list[Exchange]:
        """What any client may say to it."""
        return conversation(self.layout, self.algorithm)


@contextlib.contextmanager
def card(*arguments: str, layout: str = "3.00", algorithm: str = "3des", cards: int = 1) -> Iterator[Reader]:
    """`sscard run --private`, and the environment that it tells its clients to have."""
    given = ("--private", "--layout", layout, "--algorithm", algorithm, *arguments)
    with serving(*given, cards=cards) as served, pytest.MonkeyPatch.context() as patch:
        (told,) = [line for line in served.seen if line.startswith(PRIVATE)]
        patch.setenv(pcsc.SOCKET_VARIABLE, told.removeprefix(PRIVATE))
        yield Reader(tuple(served.readers), layout, algorithm)


@pytest.fixture(scope="module", params=[("2.00", "3des"), ("3.00", "sm4")], ids="-".join)
def either(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """The adult's card, of each version: one whose name is free to read, one whose name is not."""
    layout, algorithm = request.param
    with card(layout=layout, algorithm=algorithm) as reader:
        yield reader


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """The adult's card as `sscard run` puts it into a reader."""
    with card() as found:
        yield found


@pytest.fixture(scope="module")
def following() -> Iterator[Reader]:
    """The adult's card in a reader that follows 61xx and 6Cxx by itself, as contactless ones do."""
    with card("--shape", "apdu") as found:
        yield found
