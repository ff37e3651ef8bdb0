"""The office's own secret: 32 bytes in a file beside the register, without which the register's file alone tells nobody
a PIN, signs no credential and continues no trail.
"""

from __future__ import annotations

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import writing

SIZE = 32
NAME = "secret"
"""Under which a session carries it (``Session.info``)."""
HASH_COST = "hash_cost"
"""Under which a session carries how slow the hash of a PIN is (``Session.info``): scrypt's n."""
COST = 2**13
"""scrypt's n: what one guess at a PIN costs who has the register's file and its secret."""
OWNER_ALONE = 0o600


class SecretError(SscardError, ValueError):
    """A file that is not an office's secret."""

    kind = ErrorKind.INPUT


def beside(register: Path) -> Path:
    """Where the secret of this register is kept."""
    return register.with_name(register.name + ".secret")


def kept(path: Path) -> bytes:
    """The secret in this file, drawn and written if there is none, for the owner alone. SecretError, OSError."""
    drawn = secrets.token_bytes(SIZE)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    except FileExistsError:
        path.chmod(OWNER_ALONE)
        found = path.read_bytes()
        if len(found) != SIZE:
            raise SecretError(
                _("{path}: expected {size} bytes, found {count}: it is no office's secret").format(
                    path=path, size=SIZE, count=len(found)
                )
            ) from None
        return found
    with writing.named(path), os.fdopen(handle, "wb") as file:
        file.write(drawn)
        file.flush()
        os.fsync(file.fileno())
    return drawn


def derived(session: Session, purpose: str) -> bytes:
    """A key for one purpose, from the secret of this session's register: 32 bytes."""
    return hmac.new(session.info[NAME], purpose.encode(), sha256).digest()
