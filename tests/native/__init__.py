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
import threading
from _ctypes import dlclose
from collections.abc import Iterator
from pathlib import Path

from harness.driver import build, wire
from harness.driver.interface import EXPORTED, OUT_MOST, WHOLE_MOST, Kind
from tests.kit.served import DEADLINE, SSCARD

SOURCES = Path(__file__).parents[2] / "harness/driver/native"
CALLS = Path(__file__).with_name("calls.c")
CARD = ("--persona", "adult-chengdu", "--psam")
NUMBER = "A00000011"
"""Of that card."""
WARNINGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror")


def built(folder: Path, *options: str, flags: str = build.USUAL_FLAGS) -> Path:
    """The folder with what `sscard driver build` makes without a warning; ``flags`` instead of its own."""
    environment = {**os.environ, "CFLAGS": f"-Werror {flags}"}
    command = [SSCARD, "driver", "build", "-o", str(folder), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
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
        out = ctypes.create_string_buffer(b"unchanged", WHOLE_MOST)
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


def basic(library: Library) -> list[str]:
    """What iReadCardBas gives, as fields."""
    code, out = library("iReadCardBas", 3)
    assert code == 0, out
    return out.split("|")


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


GREETING = wire.answer(*wire.GREETING)
FOREIGN: dict[str, tuple[bytes, bytes, int]] = {
    "another greeting": (wire.answer(0, "SSCardDriver 2"), b"", -11),
    "a refusal": (wire.answer(-13, "no"), b"", -13),
    "no greeting": (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", -11),
    "nothing": (b"", b"", -5),
    "half a length": (GREETING, b"\0\0", -11),
    "half an answer": (GREETING, wire.answer(0, "half")[:-3], -11),
    "no end": (GREETING, b"\0\0\0\x030\0x", -11),
    "no code": (GREETING, wire.frame(b"x", b"y"), -11),
    "an empty code": (GREETING, wire.frame(b"", b"y"), -11),
    "a huge code": (GREETING, wire.frame(b"9" * 40, b"y"), -11),
    "one part": (GREETING, wire.frame(b"0"), -11),
    "three parts": (GREETING, wire.frame(b"0", b"a", b"b"), -11),
    "an empty frame": (GREETING, b"\0\0\0\0", -11),
    "just too long": (GREETING, wire.frame(b"0", b"x" * OUT_MOST), -42),
    "too long for any": (GREETING, wire.frame(b"0", b"x" * WHOLE_MOST), -42),
    "far too long": (GREETING, b"\xff\xff\xff\xff", -42),
    "as long as can be": (GREETING, wire.frame(b"0", b"x" * (OUT_MOST - 1)), 0),
}
"""What a server that is none says, before and after a request, and the code that the caller gets."""


@contextlib.contextmanager
def foreign(path: Path, greeting: bytes, answer: bytes, *, lasting: bool = False) -> Iterator[None]:
    """A server that says the same to everyone, then closes; ``lasting``: it answers for as long as it is asked."""

    def talk() -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = listener.accept()
                with link, contextlib.suppress(OSError):
                    link.sendall(greeting)
                    while answer and link.recv(65536):
                        link.sendall(answer)
                        if not lasting:
                            break

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


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
