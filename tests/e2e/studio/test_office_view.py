"""The office on the page: who signs in, asks for operations and is refused by an article, sees on the trail what was
done; people's names stay text.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.office.desk import tokens
from harness.office.desk.office import HalfWay
from harness.office.measures.articles import Citation
from harness.office.register import seed
from harness.office.requests import models as requests
from harness.office.vocabulary import Loss
from tests.kit import browsers, offices
from tests.kit.office_fronts import pulled_out
from tests.kit.offices import START, Desk, citizen

pytestmark = pytest.mark.pcsc

HOSTILE = "<img src=x onerror=alert(1)>\u202e"
NOW = START.isoformat()


def token(desk: Desk, clerk: str) -> str:
    with desk.register.transaction() as session:
        return tokens.give(session, clerk, desk.clock.now())


def visit(page: Page, part: str) -> None:
    page.get_by_role("navigation", name="Parts of the office").get_by_role("link", name=part).click()


def choose(page: Page, operation: str) -> None:
    page.get_by_role("navigation", name="Operations").get_by_role("button", name=operation, exact=True).click()
    expect(page.get_by_role("button", name="Ask for it")).to_be_visible()


def exported(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_a_clerk_signs_in_applies_is_refused_by_the_article_and_the_trail_shows_it(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    number = desk.active(citizen(15, name=HOSTILE))
    with pulled_out(monkeypatch, 1), pytest.raises(HalfWay):
        desk.with_card(number, requests.ChangeInformation(phone="00000000077", address="四川省成都市虚构区测试路7号"))
    banker, officer = token(desk, seed.BANKER), token(desk, seed.OFFICER)
    given = ("--office", str(tmp_path / "register.db"), "--office-drawer", str(tmp_path / "drawer"))
    if offices.server is not None:
        address, secret = offices.server.where(tmp_path)
        given = ("--office", address, "--office-secret", str(secret))
    refused = r"40[139] .*/office/"
    with (
        contextlib.closing(desk.register),
        browsers.studio(*given, "--office-now", NOW, command="studio") as (_, url),
        browsers.opened(browser, f"{url}/#/office", refused=refused) as page,
    ):
        # Who asks: a token that is nobody's, then the bank's clerk, then the management body.
        page.get_by_label("Token").fill("sscard-office-nobody")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The token is not good")
        page.get_by_label("Token").fill(banker)
        page.keyboard.press("Enter")
        expect(page.get_by_text("bank-a-clerk")).to_be_visible()
        page.get_by_role("button", name="application", exact=True).click()
        expect(page.get_by_role("note")).to_contain_text("This is not for the role bank")
        expect(page.get_by_role("note")).to_contain_text("the social security function is a clerk's")
        visit(page, "People")
        expect(page.get_by_role("note")).to_contain_text("sees neither people nor cards")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Token").fill(officer)
        page.keyboard.press("Enter")
        expect(page.get_by_text("card management body")).to_be_visible()
        assert officer not in page.url

        # What is wrong is said beside its field; then an application is taken, and a second one refused.
        visit(page, "Operations")
        choose(page, "application")
        page.get_by_role("button", name="Example: apply").click()
        name = page.get_by_label("telephone")
        name.fill("none")
        name.blur()
        expect(page.get_by_text("not of the right form")).to_be_visible()
        name.fill("00000000011")
        expect(page.get_by_text("The form is good")).to_be_visible()
        page.get_by_role("button", name="Ask for it").click()
        expect(page.get_by_role("heading", name="application: done")).to_be_visible()
        expect(page.get_by_role("row", name="application 2 progress")).to_contain_text("accepted")
        page.get_by_role("button", name="Ask for it").click()
        refusal = page.get_by_role("alert")
        expect(refusal).to_contain_text("Refused article 8")
        expect(refusal).to_contain_text("one person, one card")
        expect(refusal).to_contain_text(Citation(8).zh)

        # What was cut off on the card is finished on the same card.
        visit(page, "Half-way")
        expect(page.get_by_role("group", name="Number 2: change-information")).to_be_visible()
        page.get_by_role("button", name="Finish it").click()
        expect(page.get_by_text("Number 2 is finished.")).to_be_visible()
        expect(page.get_by_text("DF01/EF06/28")).to_be_visible()
        expect(page.get_by_text("Nothing waits.")).to_be_visible()

        # The overview counts it; a loss is reported, and counts down the Measures' days.
        visit(page, "Overview")
        expect(page.get_by_role("link", name="1 Open applications")).to_be_visible()
        holder = citizen(15).document
        desk.do(requests.ReportLoss(holder=holder, shown=(holder,), kind=Loss.TEMPORARY), seed.OFFICER)
        expect(page.get_by_text("7 days 0 hours left")).to_be_visible()

        # A hostile name stays text wherever it is shown, and is masked.
        visit(page, "People")
        page.get_by_label("Name, or a part of it").fill("<img")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_role("heading", name="1 found")).to_be_visible()
        expect(page.get_by_role("cell", name="<" + "*" * (len(HOSTILE) - 1)).first).to_be_visible()
        assert page.locator("main img").count() == 0
        page.get_by_role("link", name="person 1").first.click()
        page.get_by_role("link", name=number).first.click()
        expect(page.get_by_role("listitem").filter(has_text="reported lost")).to_be_visible()

        # The trail, by outcome and by clerk; what is shown goes into a file.
        visit(page, "Trail")
        expect(page.get_by_text("every seal holds")).to_be_visible()
        page.get_by_label("Outcome").select_option("refused")
        expect(page.get_by_role("row")).to_have_count(2)
        expect(page.get_by_role("row").last).to_contain_text("ONE-CARD (article 8)")
        (line,) = json.loads(exported(page, "JSON"))
        assert (line["operation"], line["rule"], line["clerk"]) == ("apply", "ONE-CARD", "officer")
        (row,) = csv.DictReader(io.StringIO(exported(page, "CSV")))
        assert (row["operation"], row["article_of_rule"]) == ("apply", "8")
        page.get_by_label("Clerk").fill("nobody")
        page.keyboard.press("Enter")
        expect(page.get_by_text("No line is like that.")).to_be_visible()
