"""Steering a running ``sscard run`` from another terminal: one JSON line each way over a Unix socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LONGEST = 4096
OTHERS = stat.S_IWGRP | stat.S_IWOTH
Handler = Callable[[dict[str, Any]], dict[str, Any]]


class ControlError(RuntimeError):
    """The other side cannot be reached, or refused: why."""


def folder() -> Path:
    """Where this user's sockets are."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base, "sscard") if base else Path(tempfile.gettempdir(), f"sscard-{os.getuid()}")


def own_folder() -> Path:
    """That folder, made if it is not there; ControlError where others could put something into it."""
    path = folder()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()  # in /tmp anyone may have put a link there
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & OTHERS:
        raise ControlError(f"{path} is not this user's alone: remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    return path


def path_for(port: int) -> Path:
    """The socket of the run whose readers begin at ``port``."""
    return folder() / f"run-{port}.sock"


def ask(port: int, request: dict[str, Any], timeout: float = 15.0) -> dict[str, Any]:
    """Sends a request to the run at ``port`` and gives its answer; ControlError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            client.connect(str(path_for(port)))
            client.sendall(json.dumps(request).encode() + b"\n")
            line = client.makefile("rb").readline(LONGEST)
        except (FileNotFoundError, ConnectionRefusedError):
            raise ControlError(f"no `sscard run` serves port {port}: start one, or name its --port") from None
        except OSError as error:
            raise ControlError(f"the run at port {port} does not answer: {error}") from None
    answer: dict[str, Any] = json.loads(line or b'{"error": "no answer"}')
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error", "refused")))
    return answer


@contextlib.contextmanager
def serve(port: int, handler: Handler) -> Iterator[Path]:
    """Answers requests with ``handler``, whose exceptions become refusals."""
    own_folder()
    path = path_for(port)
    path.unlink(missing_ok=True)  # our port is ours, so this one is left over

    class Answerer(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.wfile.write(json.dumps(_answer(self.rfile.readline(LONGEST), handler)).encode() + b"\n")

    with socketserver.ThreadingUnixStreamServer(str(path), Answerer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="control")
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join()
            path.unlink(missing_ok=True)


def _answer(line: bytes, handler: Handler) -> dict[str, Any]:
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("expected a JSON object on one line")
        return {"ok": True, **handler(request)}
    except Exception as error:  # whatever it is, the one who asked must hear it, and the run must live on
        return {"ok": False, "error": str(error) or "not JSON"}
