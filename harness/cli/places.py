"""Where the user's file of defaults lies: asked at every start, so nothing is imported for it."""

from __future__ import annotations

import os
import sys

from harness.cli.table import CONFIG_VARIABLE

NO_FILE = ""
"""As the name of the file that holds: none shall, the user's own neither."""


def config_file() -> str:
    """Where this user's file of defaults lies, whether or not there is one."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or os.path.expanduser("~\\AppData\\Roaming")  # noqa: PTH111
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return os.path.join(base, "sscard", "config.toml")  # noqa: PTH118


def named(given: str | None) -> str | None:
    """The file that holds: the one given, else this user's own where it is; None where there is none."""
    if given is not None or CONFIG_VARIABLE in os.environ:
        return given or NO_FILE
    usual = config_file()
    return usual if os.path.exists(usual) else None  # noqa: PTH110
