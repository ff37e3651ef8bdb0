"""A real browser, as a user has it before a page: Debian's Chromium by Playwright. What its console calls an error
fails the test.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.kit.served import Served, started

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LISTENING = "listening "


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with no window. It asks nothing of any other machine."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(browser: Browser, url: str, *, language: str = "en", refused: str = "", width: int = 1280) -> Iterator[Page]:
    """The page at ``url``, in a browser of this language (en, zh-CN). At the end: its console told no error, but for
    requests whose path is in ``refused``, a pattern: a browser tells every refusal as one.
    """
    context = browser.new_context(locale=language, viewport={"width": width, "height": 900}, reduced_motion="reduce")
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
def studio(*arguments: str, command: str = "run", cards: int = 1, path: str = "") -> Iterator[tuple[Served, str]]:
    """``sscard run --private --web 0`` with so many cards, or ``sscard studio``, and where its page is."""
    web = ("--web", "0") if command == "run" else ("--port", "0")
    with started(command, "--private", *web, *arguments, environment={**os.environ}) as served:
        while True:
            line = served.line()
            if line.startswith("ready "):
                served.readers.append(line.split(" ", 3)[3])
            if line.startswith(LISTENING):
                break
        assert len(served.readers) == (cards if command == "run" else 0)
        yield served, line.removeprefix(LISTENING) + path
