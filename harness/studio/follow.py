"""The run's feed, followed: what its slots are like goes to the browsers, what its cards do to whoever listens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from harness.serving.control import Running
from harness.studio.context import Studio


@contextlib.contextmanager
def following(studio: Studio, run: Running) -> Iterator[None]:
    """Follows it in a thread until the end."""
    studio.hub.publish("slots", run.table.get("slots", []))
    studio.hub.publish("run", {"state": "here", "id": run.id})
    yield
