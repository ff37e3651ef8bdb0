"""``sscard prove`` as its user runs it: programs of any kind, and nothing left of them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.proving import run_folder
from harness.readers import pcsc
from tests.kit.served import SSCARD, sscard

PIN = "142857"
PROLOGUE = """
import os, sys
from smartcard.System import readers
card = readers()[0].createConnection(); card.connect()
def send(text):
    data, a, b = card.transmit(list(bytes.fromhex(text)))
    while a == 0x61:
        more, a, b = card.transmit([0, 0xC0, 0, 0, b]); data += more
    return bytes(data), a << 8 | b
send("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
"""
PLAN = """
proving: 1
pin: "142857"
require: RIGHTS-READ
situations:
  - {name: good, expect: {exit: 0}}
  - {name: locked, persona: pin-locked, expect: {exit: 1, prints: locked, changes: []}}
"""
READING = (
    PROLOGUE
    + """
if send("0020000000")[1] == 0x6983: print("locked"); sys.exit(1)
send("00B2032C06"); send("00B2062C06")
sys.exit(send("00200000 03" + sys.argv[1])[1] != 0x9000)
"""
)
SELECTING = PROLOGUE


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def prove(plan: Path, *arguments: str, script: str, expect: int) -> dict[str, dict[str, object]]:
    """Each run's row, by its situation."""
    told = sscard("prove", str(plan), "--json", *arguments, "--", sys.executable, "-c", script, "{pin}", expect=expect)
    return {one["situation"]: one for one in json.loads(told)["runs"]}


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


Left = Callable[[], list[object]]


@pytest.fixture
def left() -> Left:
    """Tells the folders of runs, and the processes below this one that were not there before: a server of the tests may
    be.
    """
    others = set(children(os.getpid()))

    def told() -> list[object]:
        folders = Path(tempfile.gettempdir()).glob(f"{run_folder.PREFIX}*")
        return [*folders, *(one for one in children(os.getpid()) if one not in others)]

    return told


@pytest.mark.pcsc
def test_a_terminal_that_works_is_told_from_one_that_only_selects(plan: Path, tmp_path: Path, left: Left) -> None:
    kept = tmp_path / "kept"
    rows = prove(plan, "--keep", str(kept), "--jobs", "2", script=READING, expect=0)
    assert {name: one["verdict"] for name, one in rows.items()} == {"good": "passed", "locked": "passed"}
    assert sorted(path.name for path in kept.iterdir()) == ["good.jsonl", "good.txt", "locked.jsonl", "locked.txt"]
    assert PIN not in "".join(path.read_text() for path in kept.iterdir())
    assert "locked" in sscard("trace", "show", str(kept / "locked.jsonl"))
    report = tmp_path / "report"
    told = sscard(
        "prove", str(plan), "--situation", "good", "-o", str(report), "--", sys.executable, "-c", READING, PIN, expect=0
    )  # fmt: skip
    assert "1 passed" in told
    session = json.loads((report / "report.json").read_text(encoding="utf-8"))["session"]
    assert (session["commands"], len(session["cards"])) == (6, 2), "the user's card and the terminal's own"
    told = sscard("prove", str(plan), "--", sys.executable, "-c", SELECTING, expect=1)
    assert "it ended with exit code 0, expected 1" in told
    assert "RIGHTS-READ: in none of its runs" in told
    assert "--situation locked" in told
    assert left() == []


@pytest.mark.pcsc
def test_what_is_not_judged_is_not_green(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("proving: 1\nrequire: RIGHTS-READ\nsituations: [{name: good}]\n", encoding="utf-8")
    prove(plan, script=SELECTING, expect=4)


@pytest.mark.pcsc
def test_the_c_library_of_a_program_finds_the_card_through_pc_sc_too(plan: Path, built: Path, left: Left) -> None:
    script = f"""
import ctypes, sys
library = ctypes.CDLL({str(built / "libSSCardDriver.so")!r})
out = ctypes.create_string_buffer(4096)
code = library.iReadCardBas(1, out)
print(code)
sys.exit(code != 0)
"""
    rows = prove(plan, "--situation", "good", script=script, expect=0)
    assert rows["good"]["left"] == 0
    driven = prove(plan, "--situation", "good", "--driver", script=script, expect=0)
    assert driven["good"]["commands"]
    assert left() == []


def test_a_program_that_is_not_there_is_told_before_anything_is_run(plan: Path) -> None:
    told = subprocess.run([SSCARD, "prove", str(plan), "--", "/nowhere"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (3, "")
    assert "there is no such program" in told.stderr


def test_without_pcscd_it_says_what_is_missing(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "pcscd_path", lambda: None)
    told = CliRunner().invoke(main, ["prove", str(plan), "--", sys.executable, "-c", SELECTING])
    assert told.exit_code == 3
    assert "apt-get install pcscd" in told.output


def test_a_full_disk_is_a_sentence(plan: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        (disk / "filler").write_bytes(bytes(4096))
        arguments = ["--driver", "--situation", "good", "--keep", str(disk / "kept"), "--force"]
        command = [SSCARD, "prove", str(plan), *arguments, "--", sys.executable, "-c", "print('x' * 60000)"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode == 1
        assert "good.txt: the disk is full" in told.stderr
        assert "Traceback" not in told.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.pcsc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended(number: signal.Signals, plan: Path, tmp_path: Path, left: Left) -> None:
    """Not by Ctrl-C nor by a kill; folders of a run that was killed go with the next one at the latest."""
    waiting = PROLOGUE + "import time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    os.mkfifo(tmp_path / "pid")
    with subprocess.Popen(
        [SSCARD, "prove", str(plan), "--", sys.executable, "-c", waiting, str(tmp_path / "pid")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as proving:  # fmt: skip
        program = int((tmp_path / "pid").read_text())
        ending = [os.pidfd_open(one) for one in (program, *children(proving.pid))]
        proving.send_signal(number)
        assert proving.wait(30) == (130 if number == signal.SIGINT else -number)
        for one in ending:
            assert select.select([one], [], [], 30)[0], "it lives on"
            os.close(one)
    run_folder.sweep()
    assert left() == []
