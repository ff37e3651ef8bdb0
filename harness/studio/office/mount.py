"""The office's own service, below /office: the page asks it as any client would, with a clerk's token."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI

from emulator.errors import SscardError
from harness.clock import Clock
from harness.office.cards import chosen
from harness.office.case.services import Services
from harness.office.desk.office import Office
from harness.office.measures.workdays import Workdays
from harness.office.register import counts
from harness.office.register.store import Register
from harness.studio.context import Studio
from harness.studio.hub import Hub
from harness.studio.office.choice import OfficeChoice
from harness.studio.office.part import PATH
from harness.web import office as service
from harness.web.branch import Branch

EVENT = "office"
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the register has changed. [D]"""


@contextlib.contextmanager
def mounted(studio: Studio, choice: OfficeChoice, app: FastAPI) -> Iterator[None]:
    """The service of this office below ``PATH`` of the page's, until the end. NoRegister, RegisterError, TrailError,
    SecretError, CalendarError.
    """
    with opened(choice) as office:
        app.add_middleware(Branch, path=PATH, service=service.create(office, readers=choice.readers))
        with _watched(office, studio.hub):
            yield


@contextlib.contextmanager
def opened(choice: OfficeChoice) -> Iterator[Office]:
    """The office over its register and drawer."""
    choice.look()
    workdays = Workdays(map(Path, choice.calendars))
    register = Register(choice.address, secret_file=choice.secret_file, make=False)
    try:
        services = Services(chosen.store(register, Path(choice.drawer) if choice.drawer else None), workdays)
        yield Office(register, services, Clock(datetime.fromisoformat(choice.now)) if choice.now else Clock())
    finally:
        register.close()


@contextlib.contextmanager
def _watched(office: Office, hub: Hub) -> Iterator[None]:
    """Browsers hear that something was done, by whichever program: the number of the trail's line, and nothing else."""
    ended = threading.Event()

    def watch() -> None:
        known = None
        while True:
            with contextlib.suppress(SscardError), office.register.reading() as session:  # busy: next time
                found = counts.last_change(session)
                if found != known:
                    known = found
                    hub.publish(EVENT, {"change": found})
            if ended.wait(LOOK_EVERY):
                return

    thread = threading.Thread(target=watch, name="office")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
