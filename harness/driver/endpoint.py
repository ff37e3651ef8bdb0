"""Where the server is found: a Unix socket that its owner alone may use, or a port of loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator import filelock
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.serving import control

LOOPBACK = "127.0.0.1"
PORT = 35991
"""Of loopback, where there are no Unix sockets. [D]"""
SOCKET = "driver.sock"


class PlaceError(SscardError, RuntimeError):
    """Nobody can listen there: why."""

    kind = ErrorKind.BROKEN


def default() -> Path:
    """The socket that the C library looks for where ``$SSCARD_DRIVER`` names none."""
    return control.folder() / SOCKET


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket. ``path`` of a Unix one, else None."""

    socket: socket.socket
    path: Path | None = None

    @property
    def name(self) -> str:
        """Returns the endpoint as ``$SSCARD_DRIVER`` has it."""
        if self.path:
            return f"unix:{self.path}"
        host, port = self.socket.getsockname()
        return f"tcp:{host}:{port}"

    def close(self) -> None:
        """Nobody is taken any more, and the path is removed. Once: later it may be another's."""
        if self.socket.fileno() < 0:
            return
        with contextlib.suppress(FileNotFoundError), _starting(self.path):
            self._leave()
        self.socket.close()

    def close_unless_starting(self) -> bool:
        """The same, but not while another server looks whether anyone is here: false then."""
        try:
            with _starting(self.path, wait=False):
                self._leave()
        except BlockingIOError:
            return False
        return True

    def _leave(self) -> None:
        self.socket.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _starting(path: Path | None, *, wait: bool = True) -> Iterator[None]:
    """One at a time looks for a server at this path, and takes or leaves it. The lock is on the folder: no file of its
    own stays behind. BlockingIOError. A port needs none: the system gives it to one.
    """
    if path is None:
        yield
        return
    handle = os.open(path.parent, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        filelock.take(handle, wait=wait)
        yield
    finally:
        os.close(handle)


def unix(path: Path) -> Listener:
    """Listens at a path; PlaceError where another one does, and on Windows."""
    if sys.platform == "win32":
        raise PlaceError(
            _("a driver cannot be served at a path on Windows, where Python has no Unix sockets: use --tcp")
        )
    if path == default():
        control.own_folder()
    try:
        with _starting(path):
            if _answers(path):
                raise PlaceError(
                    _("another driver serves {path}: use it, end it, or name another path with --socket").format(
                        path=path
                    )
                )
            if path.is_socket():
                path.unlink()  # its server was killed
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                _bind_for_owner(listener, path)
                listener.listen(128)
            except BaseException:
                listener.close()
                raise
    except OSError as error:
        raise PlaceError(
            _("cannot listen at {path} ({value}): name another with --socket").format(path=path, value=strerror(error))
        ) from None
    return Listener(listener, path)


def _bind_for_owner(listener: socket.socket, path: Path) -> None:
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)


def tcp(port: int) -> Listener:
    """Listens at a port of loopback, 0 for a free one; PlaceError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # On Windows REUSEADDR would let others take the port over.
    option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PlaceError(
            _("cannot listen at {loopback}:{port} ({strerror}): name a free port with --tcp").format(
                loopback=LOOPBACK, port=port, strerror=strerror(error)
            )
        ) from None
    return Listener(listener)


def _answers(path: Path) -> bool:
    """True if somebody listens there. Whoever ends does so under the lock that we hold: who listens, stays."""
    if sys.platform == "win32":
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except (TimeoutError, BlockingIOError):
            return True  # so many wait there that none is taken
        return True
