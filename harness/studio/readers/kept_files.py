"""Files of one's own that the page keeps: as a whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.web.refusals import Problem

STORAGE = 507
"""HTTP's status for a disk that has no room."""


def keep(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Writes a file that this user alone can read. FileExistsError where it is there and not to be replaced; Problem
    where it cannot be written, of which nothing is left then.
    """
    draft, claimed = path.with_name(f".{path.name}.{secrets.token_hex(4)}"), False
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not replace:
            path.open("xb").close()  # of two at once one has the name
            claimed = True
        with draft.open("xb") as file:
            draft.chmod(0o600)
            file.write(content)
        draft.replace(path)
    except FileExistsError:
        raise
    except OSError as error:
        for one in (draft, *((path,) if claimed else ())):
            with contextlib.suppress(OSError):
                one.unlink()
        raise Problem(
            STORAGE,
            "disk",
            _("{path}: {strerror}; nothing was kept: make room, or set SSCARD_STATE to another folder").format(
                path=path, strerror=strerror(error)
            ),
        ) from None
