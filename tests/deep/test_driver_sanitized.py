"""The C library under valgrind and the compiler's sanitizers: nothing is read, written or raced that may not be."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import native
from tests.e2e.test_driver_functions import Program, everything

SANITIZERS = {
    "address": "-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined",
    "thread": "-O1 -g -fsanitize=thread",
}
MEMCHECK = ("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite,possible")
SLOW = 300


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        yield


def commands(folder: Path, kind: str) -> list[str]:
    """The program that calls, with the library, built and run so."""
    if kind == "valgrind":
        library, program = native.built(folder / "built"), native.compiled(folder / "calls", "-g", "-pthread")
        return [*MEMCHECK, str(program), str(library / "libSSCardDriver.so")]
    flags = SANITIZERS[kind]
    program = native.compiled(folder / "calls", "-pthread", *flags.split())
    return [str(program), str(native.built(folder / "built", flags=flags) / "libSSCardDriver.so")]


ALL = pytest.mark.parametrize("kind", ["valgrind", *SANITIZERS])


@ALL
@pytest.mark.usefixtures("place")
def test_every_function(tmp_path: Path, kind: str) -> None:
    with Program(commands(tmp_path, kind)) as call:
        everything(call)


@ALL
@pytest.mark.usefixtures("place")
def test_threads(tmp_path: Path, kind: str) -> None:
    command = [*commands(tmp_path, kind), "8", "25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SLOW, check=False)
    assert (done.returncode, done.stdout) == (0, "the same each time\n"), done.stderr


@ALL
def test_a_server_that_is_none(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_DRIVER", f"unix:{tmp_path}/s")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "no-such-program")
    with Program(commands(tmp_path, kind)) as call:
        for greeting, answer, code in native.FOREIGN.values():
            with native.foreign(tmp_path / "s", greeting, answer):
                assert call("iReadCardBas", 3)[0] == code
            (tmp_path / "s").unlink()
