"""Every part of the office on the page as its clerks see it: both languages, light and dark, wide and narrow; axe-core
finds nothing serious, nothing is cut off at the side. And every form: an example that is filled in is sent as it is,
and empty it says what is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Page, expect

from harness.office.desk import tokens
from harness.office.desk.forms import form
from harness.office.operations import ALL
from harness.office.register import seed
from harness.office.requests import models as requests
from harness.office.vocabulary import Loss, Role
from harness.web.office import examples
from tests.deep.test_studio_looks import PICTURES, WIDTHS, serious
from tests.kit import browsers
from tests.kit.offices import START, Desk, citizen

pytestmark = pytest.mark.pcsc

PLACES = (
    "at=overview", "at=people", "at=cards", "at=applications", "at=losses", "at=pending", "at=trail", "at=ask",
    "at=ask&operation=freeze", "at=ask&operation=apply", "at=ask&operation=issue", "at=person&number=1",
    "at=person&number=99",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.chromium() as one:
        yield one


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A card that is lost for seven days, one that is frozen, and an application that is late."""
    desk = Desk(tmp_path_factory.mktemp("office"))
    with contextlib.closing(desk.register):
        lost, frozen = citizen(), citizen(13)
        desk.active(lost)
        number = desk.active(frozen)
        desk.applied(citizen(15))
        desk.do(requests.Freeze(card=number, why="数据异常"), seed.OFFICER)
        desk.do(requests.ReportLoss(holder=lost.document, shown=(lost.document,), kind=Loss.TEMPORARY))
        yield desk


@pytest.fixture(scope="module")
def url(desk: Desk) -> Iterator[str]:
    path = desk.register.path
    given = ("--office", str(path), "--office-drawer", str(path.with_name("drawer")), "--office-now", START.isoformat())
    with browsers.studio(*given, command="studio") as (_, address):
        yield address


def looked_at(page: Page, width: int, name: str) -> list[str]:
    expect(page.locator("main .wait")).to_have_count(0)
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{name}.png"), full_page=True)
    found = serious(page)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("it scrolls sideways")
    return [f"{name}: {one}" for one in found]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_office_can_be_seen_and_used_by_everybody(
    browser: Browser, url: str, desk: Desk, language: str, theme: browsers.Theme, width: str
) -> None:
    wide, found = WIDTHS[width], list[str]()
    with desk.register.transaction() as session:
        token = tokens.give(session, seed.OFFICER, desk.clock.now())
    with browsers.opened(
        browser, f"{url}/#/office", language=language, theme=theme, width=wide, refused=r"40[149] .*/office/"
    ) as page:
        name = f"office-{language}-{theme}-{width}"
        page.locator("#token").fill("sscard-office-nobody")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_count(1)
        found += looked_at(page, wide, f"{name}-sign-in")
        page.locator("#token").fill(token)
        page.keyboard.press("Enter")
        for place in PLACES:
            page.evaluate("place => { location.hash = `#/office?${place}`; }", place)
            expect(page.locator(".office nav")).not_to_have_count(0)
            found += looked_at(page, wide, f"{name}-{place.replace('&', '-')}")
        page.evaluate("location.hash = '#/office?at=ask&operation=report-loss'")
        page.locator("form.panel .spread button").first.click()
        page.locator("form.panel .btn.main").click()
        expect(page.locator("form.panel .refusal, form.panel .banner.bad, form.panel .done")).not_to_have_count(0)
        found += looked_at(page, wide, f"{name}-answer")
    assert found == []


def test_every_form_takes_its_examples_and_says_what_it_lacks(browser: Browser, url: str, desk: Desk) -> None:
    with desk.register.transaction() as session:
        mine = {name: tokens.give(session, name, desk.clock.now()) for name in (seed.OFFICER, seed.BANKER)}
    schema, tried = Draft202012Validator, set[str]()
    for clerk, token in mine.items():
        role = Role.BANK if clerk == seed.BANKER else Role.ADMINISTRATOR
        with browsers.opened(browser, f"{url}/#/office") as page:
            page.locator("#token").fill(token)
            page.keyboard.press("Enter")
            expect(page.get_by_text(clerk)).to_be_visible()
            for name, operation in ALL.items():
                if role not in operation.roles.allowed:
                    continue
                page.evaluate("name => { location.hash = `#/office?at=ask&operation=${name}`; }", name)
                heading = page.get_by_role("heading", level=2).filter(has_text=f"article {operation.citation.article}")
                expect(heading).to_contain_text(operation.en)
                needed = [one for one in operation.request.model_fields.values() if one.is_required()]
                expect(page.get_by_text("not right yet" if needed else "The form is good").first).to_be_visible()
                for title, example in examples.of(name).items():
                    button = page.get_by_role("button", name=f"Example: {title}", exact=True)
                    expect(button).to_be_visible()
                    if not example["value"]:
                        continue  # nothing is written, so nothing is asked anew
                    with page.expect_request(f"**/forms/{name}/check") as asked:
                        button.click()
                    written = asked.value.post_data_json
                    schema(form(operation.request)).validate(written)
                    wanted = operation.request.model_validate(example["value"])
                    assert operation.request.model_validate(written) == wanted
                    tried.add(name)
                    expect(page.get_by_text("The form is good")).to_be_visible()
    assert len(tried) > 25
