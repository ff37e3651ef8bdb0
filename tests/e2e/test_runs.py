"""Several ``sscard run`` beside one another: ports, slots, and which of them is steered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.serving import control
from harness.terminal.terminal import Terminal
from tests.kit.served import DEADLINE, SSCARD, ended, serving, sscard, started

pytestmark = pytest.mark.pcsc


def test_private_runs_find_ports_by_themselves() -> None:
    with serving() as default, serving("--private") as one, serving("--private", "--persona", "expired") as other:
        assert len({run.port for run in control.runs()}) == 3
        for served, ending in ((one, "51010001"), (other, "51010008")):
            variable, _, path = served.seen[0].partition("=")
            shown = ended("apdu", "reset", "--reader", "Virtual", "--json", environment={variable: path})
            assert json.loads(shown)["atr"].endswith(ending)
        assert default.readers == one.readers == ["Virtual PCD 00 00"], "each in a PC/SC of its own"


def test_a_second_run_takes_the_free_slots_of_the_pcscd_that_runs_or_names_private() -> None:
    with serving() as first, serving("--persona", "expired") as second:
        assert (first.readers, second.readers) == (["Virtual PCD 00 00"], ["Virtual PCD 00 01"])
        with Pcsc(second.readers[0]) as connection:
            assert connection.atr.hex().upper().endswith("51010008")
        with started("run") as third:
            assert third.process.wait(DEADLINE) == 3
            assert third.process.stderr
            said = third.process.stderr.read()
        assert "0 of 2 virtual slots free, 1 are needed: use --private" in said
        sscard("card", "remove", "0", "--port", str(pcsc.DEFAULT_PORT + 1))
        with started("run") as fourth:
            assert fourth.process.wait(DEADLINE) == 3, "an empty slot is its run's all the same"


def test_a_second_run_learns_the_ports_of_the_first() -> None:
    with serving("--port", "40200"), serving("--persona", "expired") as second:
        assert second.readers == ["Virtual PCD 00 01"]
        assert [run.port for run in control.runs()] == [40200, 40201]


def test_the_only_run_is_found_and_of_several_one_is_chosen() -> None:
    assert "no `sscard run` of yours serves cards" in refused("card", "remove", "0")
    with serving("--port", "40300"):
        assert sscard("card", "remove", "0") == "slot 0: empty\n"
        sscard("card", "insert", "0")
        with serving("--private", "--persona", "expired"):
            told = refused("card", "remove", "0")
            assert "2 runs are meant" in told
            rows = {row["port"]: row for row in json.loads(sscard("card", "list", "--json"))}
            assert f"--run {rows[40300]['run']}" in told
            other = next(row for port, row in rows.items() if port != 40300)
            assert other["slots"][0]["atr"].endswith("51010008")
            sscard("card", "remove", "0", "--run", other["run"])
            listed = sscard("card", "list")
            assert "slot 0  Virtual PCD 00 00  empty" in listed
            assert "51010001  3.00 3des" in listed


def test_a_card_is_swapped_for_an_image_or_another_layout_or_algorithm(tmp_path: Path) -> None:
    image = tmp_path / "mine.json"
    with serving() as served:
        reader = served.readers[0]

        def version() -> tuple[str, str]:
            with Pcsc(reader) as connection:
                terminal = Terminal(connection)
                terminal.begin()
                return terminal.version, terminal.suite.name

        sscard("card", "swap", "0", "--algorithm", "sm4")
        assert version() == ("3.00", "sm4")
        sscard("card", "swap", "0", "--layout", "2.00")
        assert version() == ("2.00", "3des")
        sscard("card", "swap", "0", "--image", str(image), "--persona", "expired")
        assert image.exists()
        assert "another process" in refused("pin", "state", "--image", str(image)), "it is held while it is in"
        sscard("pin", "verify", "--reader", reader, "--pin", "999999", expect=1)
        sscard("card", "swap", "0", "--persona", "adult-chengdu")
        sscard("pin", "state", "--image", str(image))
        assert '"reset is about the card' not in refused("card", "swap", "0")
        assert "leave --persona" in refused("card", "reset", "0", "--persona", "expired")


def test_runs_in_two_network_namespaces_are_each_steered_by_themselves(tmp_path: Path) -> None:
    """Both at the usual port: the one in the namespace beside this one has a pcscd and a socket of its own."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("needs unshare, as root")
    inner = f"ip link set lo up && exec {SSCARD} run --private --persona expired"
    with (
        serving() as outer,
        subprocess.Popen([unshare, "--net", "sh", "-c", inner], stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout
            assert any(line.startswith("ready 0 ") for line in process.stdout)
            rows = json.loads(sscard("card", "list", "--json"))
            assert [row["port"] for row in rows] == [pcsc.DEFAULT_PORT] * 2
            assert "2 runs are meant" in refused("card", "remove", "0", "--port", str(pcsc.DEFAULT_PORT))
            ours = next(row for row in rows if row["pid"] == outer.process.pid)
            sscard("card", "remove", "0", "--run", ours["run"])
            assert pcsc.wait_card(outer.readers[0], present=False), "ours, not the other"
        finally:
            process.terminate()
            assert process.wait(DEADLINE) == 0
    del tmp_path


def refused(*arguments: str) -> str:
    """What a command that ends 1 says on stderr."""
    done = subprocess.run([SSCARD, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr
