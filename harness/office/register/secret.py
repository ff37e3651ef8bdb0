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


def written(path: Path, own: bytes) -> bool:
    """This secret is in this file, the owner's alone; whether it was written now. SecretError where another one is."""
    if _new(path, own):
        return True
    if not hmac.compare_digest(kept(path), own):
        raise SecretError(_("{path}: another office's secret is there: name a new file").format(path=path))
    return False


def brought(path: Path) -> bytes:
    """The secret in this file, which must be there: that of a register that was made before. SecretError, OSError."""
    if not path.exists():
        raise SecretError(
            _(
                "{path}: the register's secret is not there: bring the file from where the register was made, or name "
                "it with --secret or $SSCARD_OFFICE_SECRET"
            ).format(path=path)
        )
    return kept(path)


def kept(path: Path) -> bytes:
    """The secret in this file, drawn and written if there is none, for the owner alone. SecretError, OSError."""
    drawn = secrets.token_bytes(SIZE)
    if _new(path, drawn):
        return drawn
    path.chmod(OWNER_ALONE)
    found = path.read_bytes()
    if len(found) != SIZE:
        raise SecretError(
            _("{path}: expected {size} bytes, found {count}: it is no office's secret").format(
                path=path, size=SIZE, count=len(found)
            )
        )
    return found


def _new(path: Path, content: bytes) -> bool:
    """Writes it into a new file of the owner's alone; False where there is one."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    except FileExistsError:
        return False
    with writing.named(path), os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return True


def derived(session: Session, purpose: str) -> bytes:
    """A key for one purpose, from the secret of this session's register: 32 bytes."""
    return hmac.new(session.info[NAME], purpose.encode(), sha256).digest()
