"""The C library as its users have it: built, loaded, and served by a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
from _ctypes import dlclose
from collections.abc import Iterator
from pathlib import Path

from harness.driver.interface import EXPORTED, OUT_MOST, Kind
from tests.e2e.served import DEADLINE, SSCARD

SOURCES = Path(__file__).parents[2] / "harness/driver/native"
CALLS = Path(__file__).with_name("calls.c")
CARD = ("--persona", "adult-chengdu", "--psam")
WARNINGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror")


def built(folder: Path, target: str = "linux") -> Path:
    """The folder with what `make driver` builds."""
    done = subprocess.run(
        ["make", "-s", "-C", str(SOURCES), f"BUILD={folder}", target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def compiled(program: Path, *arguments: str, compiler: str = "gcc") -> Path:
    """tests/native/calls.c as a program."""
    command = [compiler, *WARNINGS, f"-I{SOURCES}", *arguments, "-o", str(program), str(CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


class Library:
    """The library, loaded into this process: a copy of its own, as one process has one connection."""

    def __init__(self, built: Path, folder: Path) -> None:
        copy = folder / "libSSCardDriver.so"
        copy.write_bytes((built / copy.name).read_bytes())
        self._loaded = ctypes.CDLL(str(copy))
        for function in EXPORTED.values():
            loaded = getattr(self._loaded, function.name)
            loaded.restype = ctypes.c_long
            loaded.argtypes = [ctypes.c_int if one.kind is Kind.INT else ctypes.c_char_p for one in function.arguments]

    def raw(self, name: str, *values: int | bytes | None) -> tuple[int, bytes]:
        """The code and pOutInfo as bytes."""
        out = ctypes.create_string_buffer(b"unchanged", OUT_MOST)
        wants_out = EXPORTED[name].arguments[-1].kind is Kind.OUT
        code: int = getattr(self._loaded, name)(*values, *((out,) if wants_out else ()))
        return code, out.value

    def __call__(self, name: str, *values: int | str) -> tuple[int, str]:
        code, out = self.raw(name, *(one.encode("gbk") if isinstance(one, str) else one for one in values))
        return code, out.decode("gbk")

    def without_out(self, name: str, *values: int | bytes) -> int:
        """A call whose pOutInfo is a null pointer."""
        code: int = getattr(self._loaded, name)(*values, None)
        return code

    def close(self) -> None:
        """Unloads it."""
        dlclose(self._loaded._handle)


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """``sscard driver serve``, with the places that it says it is ready at; ended afterwards."""
    with subprocess.Popen([SSCARD, "driver", "serve", *arguments], stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            yield process, places(process)
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(DEADLINE)


def places(process: subprocess.Popen[bytes]) -> list[str]:
    """What follows `ready` and `listening` on its first lines."""
    assert process.stdout
    found: list[str] = []
    while not found or not found[-1].startswith(("unix:", "tcp:")):
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
        line = process.stdout.readline().decode() if ready else ""
        assert line, f"it is not ready: {found}"
        found.append(line.split()[1])
    return found


def server_of(path: Path) -> int:
    """The process that listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        pid, _, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)


def gone(pid: int) -> bool:
    """True once a process has ended, within the deadline. It need not be a child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], DEADLINE)[0])
    finally:
        os.close(handle)


def end(pid: int) -> None:
    """Ends a server that was started on demand."""
    os.kill(pid, signal.SIGTERM)
    assert gone(pid)
