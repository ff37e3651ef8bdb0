"""sscard on Python for Windows, under wine: Windows' locks, sockets, paths and encodings, and no seam in their place.

A card there is in a reader here, counter software there starts its own server, and what is judged comes out as here.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.readers import pcsc
from harness.verdicts.verdict import UNCERTAIN
from tests import native
from tests.e2e.test_driver_functions import Program
from tests.e2e.test_far import READER, far, foreign
from tests.kit import wine as kit
from tests.kit.served import SSCARD, ended, serving, started
from tests.kit.wine import Wine

PATIENCE = 300
ROOT = Path(__file__).parents[2]
__all__ = ["far"]

pytestmark = pytest.mark.pcsc


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    if not kit.PYTHON.exists():
        pytest.fail("no Python for Windows: scripts/windows_python.sh build/windows-python")
    with kit.running(tmp_path_factory.mktemp("wine")) as used:
        yield used


def sscard(windows: Wine, *words: str, expect: int = 0, given: str = "") -> str:
    """Runs one command there; what it says on both its streams."""
    done = subprocess.run(
        windows.sscard(*words), input=given.encode(), capture_output=True, timeout=PATIENCE, check=False
    )
    said = (done.stdout + done.stderr).decode().replace("\r\n", "\n")
    assert done.returncode == expect, f"{words}: {done.returncode}\n{said}"
    return said


def told(windows: Wine, *words: str, expect: int = 0) -> Any:
    """What a command there says for programs."""
    done = subprocess.run(windows.sscard(*words, "--json"), capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stderr.decode()}"
    return json.loads(done.stdout)


def test_a_card_there_is_in_a_reader_here_and_is_steered(windows: Wine, far: tuple[Path, int], tmp_path: Path) -> None:
    path, port = far
    trace, place = tmp_path / "trace.jsonl", f"127.0.0.1:{port}"
    command = ("--connect", place, "--persona", "adult-chengdu", "--trace", kit.path(trace))
    with serving(*command, command=windows.sscard()) as served:
        assert served.readers == [place]
        assert "SW1=0x90, SW2=0x00" in foreign(path, "opensc-tool", "-r", READER, "-s", "0084000008")
        here = ended("show", "--reader", READER, expect=UNCERTAIN, environment={pcsc.SOCKET_VARIABLE: str(path)})
        assert place in sscard(windows, "card", "list")
        sscard(windows, "card", "remove", "0")
        assert "SW1" not in foreign(path, "opensc-tool", "-r", READER, "-s", "0084000008")
        sscard(windows, "card", "insert", "0")
        assert "SW1=0x90, SW2=0x00" in foreign(path, "opensc-tool", "-r", READER, "-s", "0084000008")
    assert native.NUMBER in here
    assert "0084000008" in ended("trace", "show", str(trace))


def test_a_card_in_a_file_is_one_process_s(windows: Wine, far: tuple[Path, int], tmp_path: Path) -> None:
    _, port = far
    image = tmp_path / "card.json"
    ended("pin", "state", "--image", str(image), "--persona", "adult-chengdu")
    command = ("--connect", f"127.0.0.1:{port}", "--image", kit.path(image))
    verify = ("pin", "verify", "--image", kit.path(image), "--pin", "111111")
    with serving(*command, command=windows.sscard()) as first:
        assert "another process holds this card" in sscard(windows, *verify, expect=1)
        first.process.kill()
        first.process.wait(PATIENCE)
    sscard(windows, *verify, expect=1)
    here = json.loads(ended("pin", "state", "--image", str(image), "--json"))
    assert here == told(windows, "pin", "state", "--image", kit.path(image))
    assert b"\r" not in image.read_bytes(), "one card has the same bytes on every system"


def test_the_library_starts_its_server_there(windows: Wine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native.built(tmp_path, "--windows")
    calls = native.compiled(tmp_path / "calls.exe", compiler=windows.compiler)
    script = tmp_path / "sscard.py"
    script.write_text("from sscard.command import main\nmain()\n")
    port = pcsc.free_port(1)
    monkeypatch.setenv("SSCARD_DRIVER", f"tcp:127.0.0.1:{port}")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", f"{kit.path(kit.PYTHON)} {kit.path(script)}")
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", f"{' '.join(native.CARD)} --idle 5")
    program = windows.command(str(calls), kit.path(tmp_path / "x64/SSCardDriver.dll"))
    with Program(program) as call:
        code, out = call("iReadCardBas", 3)
        assert (code, out.split("|")[2]) == (0, native.NUMBER)


def test_a_report_of_there_says_what_one_of_here_says(windows: Wine, tmp_path: Path) -> None:
    """The signed report of either is whole for the other; SM2 is of the OpenSSL that Python for Windows brings."""
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    public = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], capture_output=True, check=True).stdout
    (tmp_path / "public.pem").write_bytes(public)
    which = ("vectors", "run", "--no-pdf", "--profile", "3.00-sm4")
    there, here = tmp_path / "there", tmp_path / "here"
    own = [SSCARD, *which, "--report", str(here), "--sign", str(key)]
    subprocess.run(own, capture_output=True, timeout=PATIENCE, check=True)
    sscard(windows, *which, "--report", kit.path(there), "--sign", kit.path(key))
    verify = ("report", "verify")
    ended(*verify, str(there), "--key", str(tmp_path / "public.pem"))
    sscard(windows, *verify, kit.path(here), "--key", kit.path(tmp_path / "public.pem"))
    ended("report", "diff", str(here), str(there))


def test_every_scenario_of_the_measures_there(windows: Wine) -> None:
    report = told(windows, "scenarios", "run")
    assert report["conclusion"]["verdict"] == "conforms"


def test_doctor_speaks_of_that_system(windows: Wine) -> None:
    findings = {one["check"]: one for one in told(windows, "doctor", expect=1)}
    assert findings["SM2"]["level"] == "ok"
    assert findings["reader 127.0.0.1:35963"]["level"] == "fault"
    assert "apt-get" not in json.dumps(findings)


def test_a_page_calls_the_driver_there(windows: Wine) -> None:
    given = ("driver", "serve", *native.CARD, "--no-socket", "--web", "0")
    with started(*given, command=windows.sscard()) as served:
        while not (line := served.line()).startswith("listening http"):
            pass
        asked = urllib.request.Request(
            f"{line.split()[1].rstrip('/')}/call",
            json.dumps({"function": "iReadCardBas", "iType": 3}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            assert json.load(answer)["pOutInfo"].split("|")[2] == native.NUMBER


ROOMS = ("emulator", *(f"harness/{one}" for one in ("hsm", "keys", "monitor", "terminal", "trace")))
LEFT_OUT = {
    "emulator/test_catalogue.py": ("test_a_run_of_vectors_opens_each_file_once",),  # processes start slowly under wine
    "emulator/filesystem/memory/test_image.py": (
        "test_through_a_symbolic_link_the_file_behind_it_is_held_and_written",  # wine makes none
    ),
    "harness/monitor/test_docs.py": ("test_the_python_example",),  # the plugin is not installed there
    "harness/trace/test_observers.py": (  # of /dev/full
        "test_a_full_disk_ends_the_trace_in_one_sentence_and_the_card_lives_on",
        "test_a_card_in_a_slot_serves_its_reader_on_when_the_disk_is_full",
    ),
    "harness/trace/test_trace.py": ("test_show_follows_a_growing_trace",),  # wine's end of a file stays its end
}
"""Tests that are of another system."""


@pytest.mark.timeout(3600)
def test_the_tests_themselves_there(windows: Wine) -> None:
    """The rooms that are about the card and about what is judged, in one process of Python for Windows."""
    begin = "import sys, os, pytest; sys.path.insert(0, os.getcwd()); sys.exit(pytest.main(sys.argv[1:]))"
    left = [f"--deselect=tests/unit/{file}::{name}" for file, names in LEFT_OUT.items() for name in names]
    rooms = [f"tests/unit/{room}" for room in ROOMS]
    given = windows.python("-X", "utf8", "-c", begin, "-q", "-p", "no:cacheprovider", *left, *rooms)
    done = subprocess.run(given, stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout.decode()[-20000:]
