"""The files and texts of the page as they lie in the package: served by ``pages``, put into one file by the session."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable


def static() -> Traversable:
    """Returns the folder of the files that browsers get."""
    return resources.files(__package__) / "static"


@cache
def texts() -> dict[str, dict[str, str]]:
    """All texts of the page: by key, ``zh`` and ``en``."""
    merged: dict[str, dict[str, str]] = {}
    for path in sorted((resources.files(__package__) / "texts").iterdir(), key=lambda one: one.name):
        if path.name.endswith(".json"):
            table: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
            merged |= table
    return merged
