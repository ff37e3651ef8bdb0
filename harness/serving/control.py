"""Steering a running ``sscard run`` from another terminal: one JSON line each way over a local socket.

Each run has a socket of its own, named by an id that no other run has. Ports and process ids name no run: two in
different network namespaces may have the same, and share the folder all the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import socketserver
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import filelock
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import as_json
from harness.serving import local_sockets

LONGEST = 1024 * 1024
"""Bytes of a request: a persona or a plan of faults as text has room many times over."""
LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer: a card's whole image is a few hundred thousand."""
PREFIX, SUFFIX, EVENTS = "run-", ".sock", ".events"
OTHERS = stat.S_IWGRP | stat.S_IWOTH
Handler = Callable[[dict[str, Any]], dict[str, Any]]


class ControlError(SscardError, RuntimeError):
    """The other side cannot be reached, or refused: why. ``said``: the kind of error that the run told."""

    kind = ErrorKind.BROKEN

    def __init__(self, text: str, said: str = "") -> None:
        super().__init__(text)
        self.said = said


def folder() -> Path:
    """Returns the folder of this user's control sockets."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base, "sscard")
    if sys.platform == "win32":
        return Path(tempfile.gettempdir(), "sscard")  # which is each user's own there
    return Path(tempfile.gettempdir(), f"sscard-{os.getuid()}")


def own_folder() -> Path:
    """That folder, made if it is not there; ControlError where others could put something into it."""
    path = folder()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return path
    found = path.lstat()  # in /tmp anyone may have put a link there
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & OTHERS:
        raise ControlError(
            _("{path} is not this user's alone: remove it, or set XDG_RUNTIME_DIR to a folder of yours").format(
                path=path
            )
        )
    return path


def new_id() -> str:
    """An id that no other run has."""
    return secrets.token_hex(4)


def events(name: str) -> Path:
    """The socket with the stream of events of the run that has this id."""
    return folder() / f"{PREFIX}{name}{EVENTS}"


def path(prefix: str, name: str) -> Path:
    """The socket that ``serve`` has for this id."""
    return folder() / f"{prefix}{name}{SUFFIX}"


def sockets(prefix: str = PREFIX) -> list[Path]:
    """The sockets of this user's runs, or of what else is called so, those that were killed included."""
    return sorted(folder().glob(f"{prefix}*{SUFFIX}"))


@dataclass(frozen=True, slots=True)
class Running:
    """A run that answers: its id, the port of its first slot, and all that it says of itself."""

    id: str
    port: int
    table: dict[str, Any]

    @property
    def told(self) -> str:
        """For a line in which several runs are named."""
        return _("--run {id} (port {port})").format(id=self.id, port=self.port)


def runs() -> list[Running]:
    """This user's runs that answer, by port. What killed runs left behind is removed."""
    found = []
    for name, table in answering(PREFIX, {"op": "list"}):
        port = table.get("port")
        found.append(Running(name, port if isinstance(port, int) else 0, table))
    return sorted(found, key=lambda one: (one.port, one.id))


def answering(prefix: str, request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ids of those that answer a request, and their answers. What killed ones left behind is removed."""
    for one in sockets(prefix):
        try:
            table = ask_at(one, request, timeout=5.0)
        except ConnectionRefusedError:  # nobody can come to listen there any more: the id was that one's alone
            one.unlink(missing_ok=True)
            one.with_suffix(EVENTS).unlink(missing_ok=True)
        except (OSError, ControlError):
            continue
        else:
            yield one.name.removeprefix(prefix).removesuffix(SUFFIX), table


def chosen(port: int | None = None, name: str | None = None) -> Running:
    """The only run there is, or the one of this port or id. ControlError, naming those that there are."""
    there = runs()
    meant = [one for one in there if port in (None, one.port) and name in (None, one.id)]
    if len(meant) == 1:
        return meant[0]
    others = _("; there are {runs}").format(runs=", ".join(one.told for one in there)) if there else ""
    if meant:
        raise ControlError(
            _("{count} runs are meant: choose one by {meant}").format(
                count=len(meant), meant=" or ".join(one.told for one in meant)
            )
        )
    if name is not None:
        raise ControlError(_("no `sscard run` of yours has the id {name!r}{others}").format(name=name, others=others))
    if port is not None:
        raise ControlError(_("no `sscard run` of yours serves port {port}{others}").format(port=port, others=others))
    raise ControlError(_("no `sscard run` of yours serves cards: start one"))


def ask(run: Running, request: dict[str, Any], timeout: float = 15.0) -> dict[str, Any]:
    """Sends a request to a run and gives its answer; ControlError."""
    try:
        return ask_at(path(PREFIX, run.id), request, timeout)
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(_("the run at port {port} has ended").format(port=run.port)) from None
    except OSError as error:
        raise ControlError(
            _("the run at port {port} does not answer: {error}").format(port=run.port, error=error)
        ) from None


def ask_at(at: Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    """A request's answer; OSError, and ControlError for a refusal."""
    with local_sockets.connect(at, timeout) as client:
        client.sendall(json.dumps(request).encode() + b"\n")
        line = client.makefile("rb").readline(LONGEST_ANSWER)
    try:
        answer = as_json.loads(line.decode() or "null")
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ControlError(_("{path} gave no answer of a run's").format(path=at))
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error", "refused")), str(answer.get("kind", "")))
    return answer


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """One run at a time between looking for a free port or slot and holding it. Others of this user wait."""
    with Path(own_folder(), "starting.lock").open("w", encoding="utf-8") as lock:
        filelock.take(lock.fileno(), wait=True)
        yield


@contextlib.contextmanager
def serve(handler: Handler, name: str = "", prefix: str = PREFIX) -> Iterator[str]:
    """Answers requests with ``handler``, whose exceptions become refusals. Gives the id, ``name`` or a new one."""
    name = name or new_id()
    own_folder()

    class Answerer(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                if not listener.admits(self.request):
                    return
                self.wfile.write(json.dumps(_answer(self.rfile.readline(LONGEST), handler)).encode() + b"\n")

    with local_sockets.listen(path(prefix, name)) as listener, _Server(listener.sock, Answerer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="control")
        thread.start()
        try:
            yield name
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    """A thread for each request, on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, answerer: type[socketserver.StreamRequestHandler]) -> None:
        super().__init__(("", 0), answerer, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


def _answer(line: bytes, handler: Handler) -> dict[str, Any]:
    try:
        request = as_json.loads(line.decode())
        if not isinstance(request, dict):
            raise ValueError(_("expected a JSON object on one line"))
        return {"ok": True, **handler(request)}
    except Exception as error:  # whatever it is, the one who asked must hear it, and the run must live on
        kind = error.as_table()["kind"] if isinstance(error, SscardError) else str(ErrorKind.REFUSED)
        return {"ok": False, "error": str(error) or _("not JSON"), "kind": kind}
