"""Cards in readers that another PC/SC service has: by ``sscard run --connect`` and ``--listen``, through a proxy."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.readers import pcsc
from tests.kit.far_client import client
from tests.kit.once import Pairs
from tests.kit.proxy import TO_CARD, TO_READER, proxied
from tests.kit.served import DEADLINE, Served, serving, sscard, started

pytestmark = pytest.mark.pcsc
READER = "Virtual PCD 00 00"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A PC/SC service that no card is in: its socket, and vpcd's first port."""
    path, port = tmp_path / "s", pcsc.free_port(2)
    with pcsc.pcscd(2, port, path):
        yield path, port


def foreign(path: Path, *command: str, given: str = "") -> str:
    """What a program of Debian's says at that service."""
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={"PATH": "/usr/bin:/bin", pcsc.SOCKET_VARIABLE: str(path)},
        check=False,
    ).stdout


def noted(served: Served, what: str) -> None:
    """Waits for a note on the run's standard error."""
    assert served.process.stderr
    for line in served.process.stderr:
        if re.search(what, line):
            return
    raise AssertionError(f"{what!r} was not noted")


def test_a_card_is_in_another_service_s_reader_and_comes_again_after_a_cut(
    far: tuple[Path, int], tmp_path: Path
) -> None:
    path, port = far
    trace = tmp_path / "trace.jsonl"
    with (
        proxied(("127.0.0.1", port)) as proxy,
        serving("--connect", f"127.0.0.1:{proxy.port}", "--trace", str(trace)) as served,
    ):
        assert served.readers == [f"127.0.0.1:{proxy.port}"]
        assert "SW1=0x90, SW2=0x00" in foreign(path, "opensc-tool", "-r", READER, "-s", "0084000008")
        with client(path, READER) as program:
            pairs = Pairs(program.send)
            assert pairs.ask()
            # Inside an answer on its way to the reader, and inside a command on its way to the card.
            for way, at_least in ((TO_READER, 7), (TO_CARD, 7)):
                proxy.cut_at(way, at_least)
                while pairs.ask():
                    assert len(pairs.heard) < 50
                noted(served, "has lost the card")
                noted(served, "has taken the card again")
                assert pairs.ask(), "the card is there again"
        assert "card" in sscard("card", "reset", "0")
        assert served.readers[0] in sscard("card", "list")
    pairs.check(trace)
    assert pairs.gone == 2
    assert pairs.torn <= 1


@contextlib.contextmanager
def connecting(path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A PC/SC service whose vpcd connects to a card of this machine, at this port and the next."""
    config = path.with_name("reader.conf.d")
    config.mkdir(exist_ok=True)
    driver = pcsc.driver_path()
    Path(config, "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME 127.0.0.1:0x{port:04X}\nLIBPATH {driver}\nCHANNELID 0x{port:04X}\n',
        encoding="utf-8",
    )
    with pcsc.served(path, config) as process:
        yield process


def test_a_service_whose_driver_connects_has_the_card_again_when_it_is_started_again(tmp_path: Path) -> None:
    """vpcd 3.3 ends its service where such a connection ends (docs/remote.md), so each part here has one of its own."""
    path, port = tmp_path / "s", pcsc.free_port(2)
    with started("run", "--listen", str(port), "--psam") as served:
        noted(served, "serving")
        for number in (1, 2):
            with connecting(path, port) as process:
                for slot in (0, 1):
                    if number == 1:
                        assert served.line().endswith(f"127.0.0.1:{port + slot}")
                    else:
                        noted(served, f"127.0.0.1:{port + slot} has taken the card again")
                    told = foreign(path, "scriptor", "-r", f"Virtual PCD 00 0{slot}", given="0084000008\n")
                    assert "90 00 : Normal processing" in told
                assert process.poll() is None
