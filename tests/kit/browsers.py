"""A real browser, as a user has it before a page: Debian's Chromium by Playwright. What its console calls an error
fails the test.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from typing import Literal, TypeAlias

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.kit.served import Served, started

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LISTENING = "listening "
PATIENCE = 45_000
"""Milliseconds that a page has to show what is expected, on a machine that is busy with other tests too."""
Theme: TypeAlias = Literal["light", "dark"]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with no window. It asks nothing of any other machine."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(
    browser: Browser, url: str, *, language: str = "en", theme: Theme = "light", refused: str = "", width: int = 1280
) -> Iterator[Page]:
    """The page at ``url``, in a browser of this language (en, zh-CN) whose user likes it light or dark. At the end: its
    console told no error, but for requests whose path is in ``refused``, a pattern: a browser tells every refusal as
    one.
    """
    context = browser.new_context(
        locale=language, color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    wrong: list[str] = []

    def console(message: ConsoleMessage) -> None:
        told = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not (refused and re.search(refused, told)):
            wrong.append(told)

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    assert not wrong, f"the console told of errors: {wrong}"


@contextlib.contextmanager
def studio(*arguments: str, command: str = "run", cards: int = 1, private: bool = True) -> Iterator[tuple[Served, str]]:
    """``sscard run --web 0`` with so many cards, or ``sscard studio``, and where its page is. ``private``: in a PC/SC
    of its own.
    """
    apart = ("--private",) if private else ()
    web = ("--web", "0") if command == "run" else ("--port", "0")
    with started(command, *apart, *web, *arguments) as served:
        while True:
            line = served.line()
            if line.startswith("ready "):
                served.readers.append(line.split(" ", 3)[3])
            if line.startswith(LISTENING):
                break
        assert len(served.readers) == (cards if command == "run" else 0)
        yield served, line.removeprefix(LISTENING)
