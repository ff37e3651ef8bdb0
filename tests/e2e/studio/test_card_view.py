"""The Card view on a real card in a real reader: its tree by keyboard, what a program changed, moments, images."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from emulator import catalogue
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.memory.image import Image
from tests.kit import browsers
from tests.kit.cards import HOME, WRONG_PIN
from tests.kit.served import Served, ended

pytestmark = pytest.mark.pcsc
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
SOCKET = "PCSCLITE_CSOCK_NAME"


def program(served: Served, *commands: str) -> None:
    """Another program sends commands to the card, over PC/SC."""
    (line,) = [one for one in served.seen if SOCKET in one]
    socket = line.partition(f"{SOCKET}=")[2].split()[0]
    ended("apdu", "--reader", served.readers[0], *commands, expect=1, environment={SOCKET: socket})


def hostile() -> Image:
    """A card whose layout and person are called by markup, and letters that turn what follows."""
    card = catalogue.card("adult-mianyang", "2.00")
    table = dict(card.layout.table) | {"title": HOSTILE, "title_zh": HOSTILE}
    return Image(layouts.from_table(table, "hostile"), card.algorithm, card.atr, card.memory.snapshot())


def place(page: Page, name: str) -> None:
    """Typed in the tree: to the next place whose tag or name begins so; again from its beginning where letters came too
    slowly to be one word.
    """
    focused = page.locator("[role=treeitem]:focus")
    begun = focused.get_attribute("data-id")
    page.keyboard.type(name)
    with contextlib.suppress(AssertionError):
        return expect(focused.locator(".tag")).to_have_text(name)
    page.locator(f"[role=treeitem][data-id='{begun}']").click()
    expect(focused).to_have_attribute("data-id", str(begun))
    page.keyboard.type(name)
    return expect(focused.locator(".tag")).to_have_text(name)


def test_a_card_is_looked_at_while_a_program_works_on_it(browser: Browser, tmp_path: Path) -> None:
    with (
        browsers.studio("--persona", "adult-chengdu") as (served, url),
        browsers.opened(browser, f"{url}/#/card", refused="/api/card/files.*422|422.*/api/card/files") as page,
    ):
        tree, details = page.get_by_role("tree"), page.get_by_label("Details")
        # by keyboard: into SSSE's EF06, to the name
        tree.get_by_role("treeitem").first.focus()
        place(page, "SSSE")
        place(page, "EF06")
        expect(details).to_contain_text("not now: 6982")
        page.keyboard.press("ArrowRight")
        place(page, "09")
        expect(details.get_by_role("heading", level=2)).to_have_text("09 name")
        expect(details).to_contain_text("测试甲")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("[role=treeitem]:focus")).to_have_attribute("aria-expanded", "false")
        # a search finds it by what it means
        page.get_by_role("searchbox").fill("Chengdu birth")
        expect(tree.get_by_role("treeitem", name="place of birth")).to_be_visible()
        page.get_by_role("searchbox").fill("")

        # what a program changed is marked where it is, live
        page.get_by_role("button", name="Mark what changes from now").click()
        program(served, HOME["SSSE"], WRONG_PIN)
        expect(tree.get_by_role("treeitem", name="PIN", exact=False).filter(has_text="changed")).to_be_visible()
        page.get_by_text("List of changes").click()
        expect(page.locator(".news")).to_contain_text("tries left: 3/3 → 2/3")

        # the moment that was marked, against now: differences first
        page.get_by_label("Compare with").select_option(index=1)
        table = page.get_by_role("region", name="List of differences").get_by_role("row")
        expect(table.filter(has_text="tries left")).to_contain_text("3/3")
        expect(page.get_by_role("tree")).to_have_count(2)
        page.get_by_role("button", name="End comparing").click()

        # an image that is dropped: masked until its values are asked for; what is no image is told so
        image, wrong = tmp_path / "of <b>somebody.json", tmp_path / "no image"
        image.write_text(hostile().to_text(), encoding="utf-8")
        wrong.write_text("{}", encoding="utf-8")
        chosen = page.locator("input[type=file]")
        chosen.set_input_files(wrong)
        expect(page.get_by_role("alert")).to_contain_text("no image: no card image")
        chosen.set_input_files(image)
        expect(page.get_by_role("combobox", name="Card", exact=True).locator("option:checked")).to_have_text(
            f"Image {image.name}"
        )
        expect(tree.get_by_role("treeitem").first).to_contain_text(HOSTILE.replace("\u202e", "\\u202e"))
        page.get_by_role("searchbox").fill("SSSE/EF06/09")
        name = tree.get_by_role("treeitem", name="09 name")
        expect(name).to_contain_text("masked")
        page.get_by_role("button", name="Show values").click()
        expect(name).not_to_contain_text("masked")
