"""A card in a reader of another machine, over two networks that a veth pair joins and a bad proxy lies between.

The far network has a PC/SC service of its own; what a program there heard is held against the card's trace.
"""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.readers import pcsc
from tests.kit.far_client import client
from tests.kit.once import Pairs
from tests.kit.proxy import TO_CARD, TO_READER, Proxy, proxied
from tests.kit.served import DEADLINE, Served, serving

pytestmark = pytest.mark.pcsc
NEAR, FAR = "10.51.99.1", "10.51.99.2"
LINK = "far0"
READER = "Virtual PCD 00 00"
SILENCE = 3.0
PAIRS = 1500
STORM = 180.0
"""Seconds at most."""


@dataclass(frozen=True)
class Network:
    """A network of its own, which lives as long as a process in it."""

    process: subprocess.Popen[bytes]

    @property
    def inside(self) -> Sequence[str]:
        """What a command is started with to be in it."""
        return "nsenter", "--net", "--target", str(self.process.pid)

    def link(self, state: str) -> None:
        """The way to it, ``up`` or ``down``: then nothing gets through, and nobody is told."""
        subprocess.run([*self.inside, "ip", "link", "set", "dev", LINK, state], check=True)


@pytest.fixture
def network() -> Iterator[Network]:
    held = ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        far = Network(process)
        for command in (
            f"ip link add name near0 type veth peer name {LINK} netns {process.pid}",
            f"ip addr add {NEAR}/24 dev near0",
            "ip link set dev near0 up",
        ):
            subprocess.run(command.split(), check=True)
        subprocess.run([*far.inside, "ip", "addr", "add", f"{FAR}/24", "dev", LINK], check=True)
        far.link("up")
        try:
            yield far
        finally:
            process.stdin.close()
            process.wait(DEADLINE)


@contextlib.contextmanager
def service(network: Network, folder: Path) -> Iterator[Path]:
    """A PC/SC service in that network: its socket."""
    path = folder / "s"
    config = folder / "reader.conf.d"
    config.mkdir()
    driver, channel = pcsc.driver_path(), f"0x{pcsc.DEFAULT_PORT:04X}"
    Path(config, "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{channel}\nLIBPATH {driver}\nCHANNELID {channel}\n',
        encoding="utf-8",
    )
    with pcsc.served(path, config, through=network.inside):
        yield path


def test_nothing_is_carried_out_or_answered_twice_in_a_storm(network: Network, tmp_path: Path) -> None:
    chance = random.Random(22)
    trace = tmp_path / "trace.jsonl"
    with (
        service(network, tmp_path) as path,
        proxied((FAR, pcsc.DEFAULT_PORT)) as proxy,
        serving("--connect", f"127.0.0.1:{proxy.port}", "--silence", f"{SILENCE:g}", "--trace", str(trace)),
        client(path, READER, through=network.inside) as program,
    ):
        pairs, began, wishes = Pairs(program.send), time.monotonic(), 0
        while len(pairs.heard) < PAIRS and time.monotonic() - began < STORM:
            if chance.random() < 0.08:
                wishes += 1
                _wish(proxy, chance)
            pairs.ask()
    pairs.check(trace)
    print(f"{len(pairs.heard)} pairs, {wishes} wishes, {proxy.cuts} cuts, {pairs.gone} gone, {pairs.torn} torn")
    assert proxy.cuts >= 10
    assert 10 <= pairs.gone < len(pairs.heard) / 2, "it was lost now and then, and was there again each time"
    assert pairs.torn <= proxy.cuts


def _wish(proxy: Proxy, chance: random.Random) -> None:
    """Something that happens to the connection from now on."""
    match chance.randrange(4):
        case 0:
            proxy.latency = chance.choice([0.0, 0.0, 0.002, 0.02])
        case 1:
            proxy.stall(chance.uniform(0.2, SILENCE / 2))
        case 2:
            proxy.cut_at(chance.choice([TO_READER, TO_CARD]), chance.randrange(3, 12), reset=chance.random() < 0.5)
        case _:
            proxy.cut(reset=chance.random() < 0.5)


@pytest.mark.parametrize("until", ["has lost the card", "no reader at .* so far"])
def test_a_reader_that_hangs_in_a_dead_connection_is_freed_when_the_way_is_back(
    network: Network, tmp_path: Path, until: str
) -> None:
    """The way is gone while vpcd waits for an answer, and nobody is told; vpcd itself would wait for ever. It is back
    before the card looks for the reader again, or after it has looked in vain.
    """
    trace = tmp_path / "trace.jsonl"
    slow = ("--fault", "delay,seconds=5,instruction=GET_CHALLENGE,nth=2")
    silence = ("--silence", f"{SILENCE:g}")
    with (
        service(network, tmp_path) as path,
        serving("--connect", FAR, "--trace", str(trace), *silence, *slow) as served,
        client(path, READER, through=network.inside) as program,
    ):
        pairs = Pairs(program.send)
        assert pairs.ask()
        broken = threading.Thread(target=_broken, args=(network, served, until))
        broken.start()
        assert not pairs.ask()
        broken.join(DEADLINE)
        assert pairs.ask(), "the card is there again"
    pairs.check(trace)
    assert (pairs.gone, pairs.torn) == (1, 0)


def _broken(network: Network, served: Served, until: str) -> None:
    """Breaks the way while the card is at its command, and mends it once the run has noted this."""
    threading.Event().wait(1)
    network.link("down")
    assert served.process.stderr
    next(line for line in served.process.stderr if re.search(until, line))
    network.link("up")
