"""The process that serves the page, beside the one that holds the cards: no card waits for it or ends with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.extras import missing
from harness.messages.visible import visible_line
from harness.studio.settings import USUAL_PORT, Settings

LISTENING = "listening "
END_TIME = 10.0
"""Seconds that it has to end by itself."""


class PageError(SscardError):
    """The page cannot be served: why."""

    kind = ErrorKind.BROKEN


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a run, in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    @property
    def ended(self) -> int | None:
        """Its exit code, None while it serves."""
        return self.process.poll()


@contextlib.contextmanager
def page(settings: Settings, run: str = "", why: str = "") -> Iterator[Page]:
    """Starts it for the run of this id, ends it afterwards. PageError.

    It ends too when this process does, however that ends: its standard input is closed then.
    """
    asked = replace(settings, run=run, why=why)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, asked.as_json()],
        env=os.environ | (asked.office.environment() if asked.office else {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the run, which ends it in order
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(LISTENING):
            code = process.wait()
            raise PageError(
                _("the page could not be served (exit code {code}); the lines above say why").format(code=code)
            )
        try:
            yield Page(line.removeprefix(LISTENING).strip(), process)
        finally:
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(END_TIME)
            except subprocess.TimeoutExpired:
                process.kill()


def serve(settings: Settings) -> None:
    """Serves until standard input ends. ServeError, ControlError, and what an office raises that cannot be opened."""
    from harness.serving import control
    from harness.studio import parts
    from harness.studio.app import create
    from harness.studio.context import Studio
    from harness.studio.follow import following
    from harness.web import app as web

    studio = Studio(settings)
    if settings.run:
        studio.run = control.chosen(name=settings.run)
    routers = parts.routers(studio)
    app = create(studio.hub, routers)
    with contextlib.ExitStack() as stack:
        if settings.office is not None:
            from harness.studio.office.mount import mounted  # a database comes with it

            stack.enter_context(mounted(studio, settings.office, app))
        stack.callback(studio.hub.end)
        for one in studio.endings:
            stack.callback(one)
        if studio.run is not None:
            stack.enter_context(following(studio, studio.run))
        else:
            studio.hub.publish("slots", [])
            studio.hub.publish("run", {"state": "none", "why": settings.why})
        if settings.port is None:
            try:
                url = stack.enter_context(web.background(app, USUAL_PORT))
            except web.ServeError:  # another page is there
                url = stack.enter_context(web.background(app, 0))
        else:
            url = stack.enter_context(web.background(app, settings.port))
        stack.callback(studio.hub.end)  # before the service ends: streams would hold it up
        print(LISTENING + url, flush=True)
        while os.read(sys.stdin.fileno(), 1024):
            pass


def main() -> None:
    """The process: ``python -m harness.studio.process SETTINGS``."""
    try:
        serve(Settings.of_json(sys.argv[1]))
    except SscardError as error:
        _end(error)
    except ModuleNotFoundError as error:
        lacking = missing(error, _("the page"), "web")
        if lacking is None:
            raise
        _end(lacking)


def _end(error: SscardError) -> NoReturn:
    print(visible_line(f"sscard: {error}"), file=sys.stderr)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
