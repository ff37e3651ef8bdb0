"""Sockets of this user's own, named by a path in the user's own folder: Unix sockets, or ports of loopback where Python
has none (Windows) and where ``$SSCARD_SOCKETS`` is ``tcp``.

A port is anybody's on the machine. So the path is then a file that only its owner reads, with the port and a secret,
and both sides prove that they know it before anything else is said: who took the port over after its owner was killed
learns nothing, and nobody steers a card who cannot read the file. [D]
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from emulator.messages import _

VARIABLE, TCP = "SSCARD_SOCKETS", "tcp"
LOOPBACK = "127.0.0.1"
NONCE, PROOF = 16, 32
"""Bytes of a challenge and of an answer to one (HMAC-SHA-256)."""
PATIENCE = 5.0
"""Seconds in which the other side proves itself."""
BACKLOG = 128


def by_port() -> bool:
    """True where sockets are ports of loopback."""
    return sys.platform == "win32" or not hasattr(socket, "AF_UNIX") or os.environ.get(VARIABLE) == TCP


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket at ``path``; ``secret`` is empty for a Unix one, whose file's rights stand for it."""

    sock: socket.socket
    path: Path
    secret: bytes = b""

    def admits(self, stream: socket.socket) -> bool:
        """True once who connected has proved itself. Waits for it, ``PATIENCE`` seconds at most; leaves the socket
        blocking.
        """
        if not self.secret:
            return True
        try:
            stream.settimeout(PATIENCE)
            ours = secrets.token_bytes(NONCE)
            stream.sendall(ours)
            told = _exactly(stream, NONCE + PROOF)
            theirs, proof = told[:NONCE], told[NONCE:]
            if not hmac.compare_digest(proof, _proof(self.secret, b"client", ours, theirs)):
                return False
            stream.sendall(_proof(self.secret, b"server", ours, theirs))
            stream.settimeout(None)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Nobody is taken any more, and the path is removed."""
        self.sock.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def listen(path: Path) -> Listener:
    """Listens at a path, whose folder is this user's alone. Whoever looks finds a socket that answers, or none. OSError
    where one is there.
    """
    unready = path.with_name(f".{path.name}")
    if sys.platform == "win32" or by_port():
        return _listen_by_port(path, unready)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(unready))
        unready.chmod(0o600)
        listener.listen(BACKLOG)
        unready.rename(path)
    except BaseException:
        listener.close()
        unready.unlink(missing_ok=True)
        raise
    return Listener(listener, path)


def _listen_by_port(path: Path, unready: Path) -> Listener:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # elsewhere nobody takes a port over that is listened at
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(BACKLOG)
        secret = secrets.token_bytes(PROOF)
        handle = os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"port": listener.getsockname()[1], "secret": secret.hex()}, file)
        unready.replace(path)
    except BaseException:
        listener.close()
        unready.unlink(missing_ok=True)
        raise
    return Listener(listener, path, secret)


def connect(path: Path, timeout: float) -> socket.socket:
    """Connects to what listens at a path, in so many seconds, which are its timeout then. FileNotFoundError;
    ConnectionRefusedError where nobody listens there any more, or somebody else; OSError.
    """
    if sys.platform == "win32" or by_port():
        return _connect_by_port(path, timeout)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(timeout)
        stream.connect(str(path))
    except BaseException:
        stream.close()
        raise
    return stream


def _connect_by_port(path: Path, timeout: float) -> socket.socket:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        port, secret = int(told["port"]), bytes.fromhex(told["secret"])
    except (ValueError, KeyError, TypeError):
        _refuse(path)
    stream = socket.create_connection((LOOPBACK, port), timeout)
    try:
        theirs = _exactly(stream, NONCE)
        ours = secrets.token_bytes(NONCE)
        stream.sendall(ours + _proof(secret, b"client", theirs, ours))
        if not hmac.compare_digest(_exactly(stream, PROOF), _proof(secret, b"server", theirs, ours)):
            _refuse(path)
    except TimeoutError:
        stream.close()
        raise
    except OSError:
        stream.close()
        _refuse(path)
    return stream


def _refuse(path: Path) -> NoReturn:
    raise ConnectionRefusedError(0, _("{path}: nobody listens there any more").format(path=path))


def _proof(secret: bytes, side: bytes, challenge: bytes, answer: bytes) -> bytes:
    return hmac.digest(secret, side + challenge + answer, "sha256")


def _exactly(stream: socket.socket, count: int) -> bytes:
    """So many bytes, no more. ConnectionAbortedError where they do not come."""
    told = b""
    while len(told) < count:
        part = stream.recv(count - len(told))
        if not part:
            raise ConnectionAbortedError
        told += part
    return told
