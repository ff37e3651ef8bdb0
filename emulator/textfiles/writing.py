"""Writing files, so that whatever goes wrong says which."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@contextlib.contextmanager
def named(path: Path | str) -> Iterator[None]:
    """An OSError within it is about this file, where it names none itself: a full disk is noticed when a file is
    written or closed, and the system does not say which.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
