"""The Readers view before real readers: what is clicked is what PC/SC sees, and what programs do is what it shows."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from smartcard.CardConnection import CardConnection
from smartcard.Exceptions import CardConnectionException
from smartcard.System import readers

from harness.readers import pcsc
from tests import native
from tests.kit import browsers

pytestmark = pytest.mark.pcsc
COUNTER_APP = (
    ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "9000"),
    ("00A4020002EF05", "9000"),
    ("00B207040B", "9000"),
    ("0020000003888888", "63C2"),
    ("00A4000002EF06", "9000"),
    ("00B2010414", "9000"),
    ("00B2020420", "9000"),
)
"""How a counter's Android program reads card number, social security number and name, a guessed PIN between that costs
the card a try. Not ours: byte by byte as that program sends it. [S: field]"""


class Program:
    """Any program of the desk, by pyscard."""

    def __init__(self, name: str) -> None:
        self.link: CardConnection = next(one for one in readers() if one.name == name).createConnection()

    def __enter__(self) -> Program:
        self.link.connect(CardConnection.T0_protocol | CardConnection.T1_protocol)
        return self

    def __exit__(self, *_: object) -> None:
        self.link.disconnect()
        self.link.release()

    def send(self, command: str) -> str:
        """The status word."""
        _, high, low = self.link.transmit(list(bytes.fromhex(command)))
        return f"{high:02X}{low:02X}"


def fact(slot: Locator, name: str) -> Locator:
    """What stands beside a word in a slot's list."""
    return slot.locator("dt", has_text=re.compile(f"^{name}$")).locator("xpath=following-sibling::dd[1]")


def press(place: Locator | Page, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


def test_the_readers_are_seen_and_steered(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path))
    told = "/api/readers/(steer|persona/save)|ERR_CONNECTION|ERR_INCOMPLETE"
    with (
        browsers.studio("--slots", "2", "--shape", "apdu", private=False) as (served, url),
        browsers.opened(browser, url, refused=told) as page,
        browsers.opened(browser, url, refused=told, language="zh-CN") as other,
    ):
        name = served.readers[0]
        slot = page.get_by_role("region", name="Slot 0", exact=True)
        empty = page.get_by_role("region", name="Slot 1", exact=True)
        expect(slot.get_by_role("img", name=re.compile(r"测试甲, 519900\*+0011"))).to_be_visible()
        expect(empty).to_contain_text("No card")

        press(slot, "Remove")
        expect(slot.get_by_role("button", name="Insert", exact=True)).to_be_enabled()
        assert pcsc.wait_card(name, present=False, timeout=0)
        press(slot, "Insert")
        expect(slot.get_by_role("button", name="Remove", exact=True)).to_be_enabled()
        assert pcsc.wait_card(name, present=True, timeout=0)

        press(slot, "Swap…")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Search").fill("mianyang")
        dialog.get_by_role("radio").check()
        dialog.get_by_label("Layout").select_option("2.00")
        press(dialog, "Put in")
        expect(dialog).to_be_hidden()
        expect(fact(slot, "Persona")).to_have_text("adult-mianyang")
        with Program(name) as program:
            assert [program.send(command) for command, _ in COUNTER_APP] == [sw for _, sw in COUNTER_APP]
            expect(fact(slot, "Current DF and EF")).to_contain_text("SSSE/EF06")
            expect(fact(slot, "PIN").get_by_role("img", name="2 of 3 tries left")).to_have_text("●●○")
            expect(fact(slot, "Power")).to_have_text("on")

        slot.get_by_text(re.compile(r"^\d+ keys")).click()
        expect(slot.get_by_role("row").filter(has_text="STKDF01")).to_contain_text("●●●")

        press(slot, "Faults…")
        press(dialog, "+ another status word")
        dialog.get_by_label("Faults", exact=True).fill("status,sw=6F42,instruction=SELECT")
        press(dialog, "Switch on")
        expect(dialog).to_be_hidden()
        expect(slot.get_by_text("Faults on")).to_be_visible()
        with Program(name) as program:
            assert program.send(COUNTER_APP[0][0]) == "6F42"
            press(slot, "Faults…")
            press(dialog, "Switch off")
            expect(dialog).to_be_hidden()
            expect(slot.get_by_text("Faults on")).to_be_hidden()
            assert program.send(COUNTER_APP[0][0]) == "9000"

        press(slot, "Tear…")
        press(dialog, "Set")
        expect(dialog).to_be_hidden()
        expect(slot.get_by_text("Power goes after 1 more writes")).to_be_visible()
        with Program(name) as program:
            program.send(COUNTER_APP[0][0])
            with pytest.raises((CardConnectionException, ValueError)):  # no answer, told as 0 bytes or as an error
                program.send(COUNTER_APP[3][0])
        expect(slot.get_by_text("Power goes after")).to_be_hidden()
        expect(fact(slot, "PIN").get_by_role("img", name="1 of 3 tries left")).to_be_visible()

        press(slot, "Tear…")
        press(other.get_by_role("region", name="0号卡槽", exact=True), "复位")
        expect(other.get_by_role("region", name="0号卡槽", exact=True)).to_have_attribute("aria-busy", "false")
        press(dialog, "Set")
        conflict = page.get_by_role("dialog", name="Changed meanwhile")
        expect(conflict).to_contain_text("out and in again")
        press(conflict, "Do it all the same")
        expect(other.get_by_text("将在1次写入后断电")).to_be_visible()

        press(empty, "Put another in…")
        press(dialog, "New persona")
        new = page.get_by_role("dialog", name="New persona")
        new.get_by_label("Name of its file").fill("hostile")
        new.get_by_label("Holder's name").fill("甲<img src=x>")
        new.get_by_label("Social security number").fill("519900199003070012")
        expect(new.get_by_label("Social security number")).to_have_attribute("aria-invalid", "true")
        expect(new.get_by_role("button", name="Save", exact=True)).to_be_disabled()
        press(new, "Make up a number")
        new.get_by_label("PIN", exact=True).fill("246802")
        expect(new.get_by_text("Good", exact=True)).to_be_visible()
        press(new, "Save")
        expect(page.get_by_text("personas/hostile.toml")).to_be_visible()
        press(new, "Put it in")
        expect(new).to_be_hidden()
        expect(empty.get_by_role("img", name="甲<img src=x>")).to_be_visible()
        second = name[:-1] + "1"
        assert pcsc.wait_card(second, present=True, timeout=0)

        asked = {"function": "iVerifyPIN", "iType": 3}
        service = ("--reader", second, "--no-socket", "--tcp", "0", "--web", "0", "--pad-wait", "30")
        with native.serving(*service) as (_, places), ThreadPoolExecutor(1) as desk:
            call = desk.submit(httpx2.post, f"{places[0]}/call", json=asked, timeout=30)
            pad = page.get_by_role("region", name="Driver service")
            expect(pad).to_contain_text("1 waiting for a PIN")
            for digit in "246802":
                press(pad, digit)
            press(pad, "Enter")
            assert call.result().json()["success"] == "1"

        press(page, "New persona")
        assert served.end() == 0
        expect(page.get_by_role("alert").first).to_be_visible()
        expect(new.get_by_label("Holder's name")).to_have_value("甲<img src=x>")
        new.get_by_label("Holder's name").fill("乙")
        expect(new.get_by_text("This page's server is gone").first).to_be_visible()
        expect(new.get_by_label("Social security number")).to_have_value(re.compile("^519900"))
