"""The run's stream, followed: how its slots stand goes to the browsers, what its cards do to whoever listens."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

from emulator import internal_fault
from emulator.messages import _
from harness.serving import subscription
from harness.serving.control import Running
from harness.serving.masked import MaskedFeed
from harness.serving.subscription import GONE, Subscription
from harness.studio.context import Listener, Studio

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def following(studio: Studio, run: Running) -> Iterator[None]:
    """Follows it in a thread until the end. ControlError where it has no stream."""
    with subscription.subscribe(run) as stream:
        studio.hub.publish("run", {"state": "here", "id": run.id})
        thread = threading.Thread(target=_follow, args=(studio, stream), name="follow")
        thread.start()
        try:
            yield
        finally:
            stream.close()
            thread.join()


def _follow(studio: Studio, stream: Subscription) -> None:
    def heard(event: dict[str, Any]) -> None:
        if event["event"] == "slots":
            studio.hub.publish("slots", event["slots"])
        for listener in studio.listeners:
            _tell(listener, event)

    settings = studio.settings
    masked = MaskedFeed(heard, show_secrets=settings.show_secrets, personal_data=settings.personal_data)
    for line in stream:
        if line["event"] == GONE:
            studio.hub.publish("run", {"state": GONE, "why": _("It ended, or was ended.")})
            return
        try:
            masked.take(line)
        except Exception as error:  # one line is lost; what comes after it is heard
            internal_fault.log(error, _log)


def _tell(listener: Listener, event: dict[str, Any]) -> None:
    try:
        listener(event)
    except Exception as error:  # the other parts of the page go on hearing
        internal_fault.log(error, _log)
