"""``sscard machine serve`` as a back end meets it: a process, a card authenticated through it, its end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx2
import pytest

from emulator.chip import Chip
from emulator.crypto.keys import test_root as root_of
from harness.hsm.client import MachineClient
from harness.hsm.machine import MachineError
from harness.keys import roots
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from tests.kit.cards import new_card
from tests.kit.served import sscard, started

HISTORY = "0081544C908684510151010001"
IDENTIFICATION = "510100D15600000551010001C4A06E3C"
PIN = "1928374655"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_card_is_authenticated_and_nothing_is_logged(number: signal.Signals) -> None:
    image = new_card("3.00", "sm4").chip.image
    terminal = Terminal(InProcess(Chip(image)), image.layout, roots.load(None))
    terminal.begin()
    with started("machine", "serve", "--port", "0") as served:
        word, url = served.line().split(" ")
        assert word == "listening"
        inner, factor = terminal.challenge(), terminal.challenge()
        answer = terminal.internal(factor, inner)
        outer, last = terminal.challenge(), terminal.challenge()
        randoms = "|".join(one.hex() for one in (factor, inner, last, outer))
        line = f"510100|{HISTORY}|03|{IDENTIFICATION}|{randoms}|510100000001|"
        told = httpx2.post(f"{url}/basic", json={"line": line}).json()["answer"]
        mine, proof = told.split("|")[:2]
        assert bytes.fromhex(mine) == answer + inner
        terminal.prove("RKSSSE", bytes.fromhex(proof))
        assert terminal.read("SSSE/EF06/09") == "测试甲"
        client = MachineClient(url)
        card = client.card("510100", HISTORY, "03")
        assert client.pin("0173", card, "00" * 8, "8424000114", PIN)
        with pytest.raises(MachineError):
            client.pin(PIN, card, "00" * 8, "8424000114", PIN)
        assert served.end(number) == 0
        assert served.process.stderr
        assert served.process.stderr.read() == "", "no request is logged"
        assert served.seen == [f"listening {url}"]
    with pytest.raises(MachineError, match="no encryption machine answers"):
        client.basic(line)


def test_roots_of_ones_own_for_a_city(tmp_path: Path) -> None:
    path = tmp_path / "roots.toml"
    path.write_text(f'[roots]\nRK1DF03 = "{root_of("RK1DF03").hex()}"\n', encoding="utf-8")
    held = ["--region", "5101", "--roots", str(path)]
    with started("machine", "serve", "--port", "0", *held) as served:
        client = MachineClient(served.line().split(" ")[1])
        assert client.addresses == {"0193": "RK1DF03"}
        card = client.card("510100", HISTORY, "01")
        assert client.external("0193", card, "00" * 8, "00" * 8, levels=2)
        with pytest.raises(MachineError) as error:
            client.external("0193", card, "00" * 8, "00" * 8, levels=3)
        assert error.value.word == "level"
    rows = json.loads(sscard("machine", "keys", "--json", *held))
    assert [(row["address"], row["name"], row["levels"]) for row in rows] == [("0193", "RK1DF03", 2)]


def test_a_port_that_is_taken() -> None:
    with started("machine", "serve", "--port", "0") as served:
        port = served.line().rpartition(":")[2]
        with started("machine", "serve", "--port", port) as second:
            assert second.process.wait(30) == 1
            assert second.process.stderr
            assert "name a free one with --port" in second.process.stderr.read()
