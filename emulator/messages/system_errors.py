"""What the operating system says of a file or a connection, in the user's language: Python has it in English."""

from __future__ import annotations

from emulator.messages import _, deferred

KNOWN = (
    deferred("Address already in use"),
    deferred("Broken pipe"),
    deferred("Cannot allocate memory"),
    deferred("Cannot assign requested address"),
    deferred("Connection refused"),
    deferred("Connection reset by peer"),
    deferred("Connection timed out"),
    deferred("Directory not empty"),
    deferred("Disk quota exceeded"),
    deferred("Exec format error"),
    deferred("File exists"),
    deferred("File name too long"),
    deferred("File too large"),
    deferred("Input/output error"),
    deferred("Invalid argument"),
    deferred("Is a directory"),
    deferred("Name or service not known"),
    deferred("Network is unreachable"),
    deferred("No route to host"),
    deferred("No space left on device"),
    deferred("No such file or directory"),
    deferred("Not a directory"),
    deferred("Operation not permitted"),
    deferred("Permission denied"),
    deferred("Read-only file system"),
    deferred("Too many levels of symbolic links"),
    deferred("Too many open files"),
)
"""Those that people meet; another stays in English."""


def strerror(error: OSError) -> str:
    """What was wrong, without the file; an error's own words where the system gave it no number."""
    return _(error.strerror) if error.strerror else str(error) or type(error).__name__
