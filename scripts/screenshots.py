"""The live page in pictures for the documentation, in both languages: docs/pictures. Made-up people alone are on them.

    python -m scripts.screenshots [FOLDER]

Needs what `make test` does: pcscd, vpcd, Chromium. Apart from the machine's own readers, as the tests are.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.kit import browsers, isolation, served

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LANGUAGES = ("en", "zh-CN")
WIDE, LEAST, MOST = 1100, 500, 1400
"""Of a picture, in pixels: how wide it is, and between what it is tall."""
COLOURS = 96
"""A page has few; a file with few is small."""
PATIENCE = 240.0
"""Seconds for what is started, on a machine that has other work too."""
Shown = Callable[[Page], None]


def settled(page: Page) -> None:
    """Nothing is waited for any more."""
    page.wait_for_selector("main h1")
    expect(page.locator("main .wait")).to_have_count(0)


def opened(page: Page) -> None:
    """A run with its cases."""
    settled(page)
    page.get_by_role("button", name="VERIFY-LC").first.wait_for()


def signed_in(token: str) -> Shown:
    """The office as a clerk with this token sees it first."""

    def show(page: Page) -> None:
        page.locator("#token").fill(token)
        page.keyboard.press("Enter")
        expect(page.locator(".office nav")).not_to_have_count(0)
        settled(page)

    return show


def verdicts(browser: Browser, url: str) -> str:
    """Has a run of vectors made; where it can be seen."""
    with browsers.opened(browser, f"{url}/#/verdicts") as page:
        page.get_by_label("Kinds of card").select_option(["3.00-3des", "3.00-sm4"])
        page.get_by_label("Items of the standard").select_option(["VERIFY", "RESET"])
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("cell").get_by_role("button", name="Vectors").click(timeout=PATIENCE * 1000)
        expect(page.locator(".heat .cell").first).to_be_visible()
        return page.url


def office(folder: Path) -> str:
    """Makes an office with three cards, as the page says; a token of its administrator."""
    said = ""
    for command in ("init", "issue --made-up 3", "token officer"):
        done = subprocess.run(
            [served.SSCARD, "office", *command.split()], cwd=folder, capture_output=True, text=True, check=True
        )
        said = done.stdout
    return said.strip()


def pictures(browser: Browser, parts: dict[str, tuple[str, Shown]], folder: Path) -> None:
    """One of each part, by its address and how it is brought to show itself, in each language."""
    for language in LANGUAGES:
        for name, (address, shown) in parts.items():
            with browsers.opened(browser, address, language=language, width=WIDE, refused="40[14]") as page:
                shown(page)
                tall = page.evaluate("document.documentElement.scrollHeight")
                content = page.evaluate("document.querySelector('main').getBoundingClientRect().bottom")
                page.set_viewport_size({"width": WIDE, "height": int(min(max(min(tall, content), LEAST), MOST))})
                drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                few = drawn.quantize(COLOURS, dither=Image.Dither.NONE)
                few.save(folder / f"{name}.{language}.png", optimize=True)


def main() -> None:
    """Makes them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    served.DEADLINE = PATIENCE
    apart = isolation.enter()
    if apart != isolation.WHOLE:
        raise SystemExit(f"no namespace to be had for the readers: {apart}")
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["SSCARD_STATE"] = str(Path(temporary, "state"))  # with no runs of others
        token = office(Path(temporary))
        register = ("--office", str(Path(temporary, "office.db")))
        people = ("--persona", "adult-chengdu", "--persona", "pin-locked", "--demo")
        with browsers.chromium() as browser, browsers.studio(*people, *register, cards=2) as (_, url):
            parts = {name: (f"{url}/#/{name}", settled) for name in ("readers", "session", "card")}
            parts["verdicts"] = verdicts(browser, url), opened
            parts["office"] = f"{url}/#/office", signed_in(token)
            pictures(browser, parts, folder)


if __name__ == "__main__":
    main()
