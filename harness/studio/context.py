"""What the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.serving import control
from harness.studio.hub import Hub
from harness.studio.settings import Settings

Listener = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Studio:
    """What the parts of the page share. ``run``: the run whose cards are seen, None where there is no reader."""

    settings: Settings
    hub: Hub = field(default_factory=Hub)
    run: control.Running | None = None
    trace_of: Callable[[str], Iterable[str] | None] = lambda _: None
    """The lines of a session's trace by its id on the page, ``live`` for the run's own; None where it is closed."""
    endings: list[Callable[[], object]] = field(default_factory=list)
    """Called before the service ends, the last one first: what a part began ends with it."""
    listeners: list[Listener] = field(default_factory=list)
    """Told every event of the session, masked as a trace is: one of ``harness/trace/schema-3.json`` with its number in
    the run, ``n``. Called from the thread that reads the feed."""
