"""What is kept so that it is made once: so many things by key, the oldest going first."""

from __future__ import annotations

import threading
from typing import TypeVar

T = TypeVar("T")
_lock = threading.Lock()


def keep(kept: dict[str, T], key: str, thing: T, most: int) -> None:
    """Adds a thing under a key, and lets go of the oldest beyond ``most``; from any thread."""
    with _lock:
        while len(kept) >= most:
            del kept[next(iter(kept))]
        kept[key] = thing
