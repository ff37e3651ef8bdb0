"""The office over HTTP: who may call, what is answered, and what becomes of torn cards."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from harness.office.desk import tokens
from harness.office.operations import ALL
from harness.office.register import audit, seed
from harness.office.register.tables import Bank, Clerk
from harness.office.vocabulary import Role
from harness.web import app as web
from harness.web.office.examples import FIRST, ME, STORY
from tests.kit.office_fronts import Caller, kind, pulled_out
from tests.kit.offices import Desk

PINS = ("246810", "135792", "975310", "135790")


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(Desk(tmp_path))


# --- what is served --------------------------------------------------------------------------------------------------


def test_every_example_works_in_order_and_no_pin_comes_back(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    said = []
    for one in STORY:
        response = caller.tell(one, {"text": told} if one.operation == "verify-credential" else None)
        assert response.status_code == 200, (one, response.text)
        said.append(response.text)
        told = response.json()["credential"] if one.operation == "show-credential" else told
    assert {one.operation for one in STORY} == {*ALL, "issue", "letter"}
    trail = caller.get("/trail", Role.ADMINISTRATOR, last=1000).json()
    verified = caller.get("/trail/verify", Role.ADMINISTRATOR).json()
    assert verified["broken"] is None
    assert caller.get("/trail/verify", Role.ADMINISTRATOR, anchor=verified["anchor"]).json()["anchor_holds"]
    assert {one["operation"] for one in trail["lines"]} == {*ALL, "token", "letter"}
    for pin in PINS:
        assert pin not in "".join(said) + json.dumps(trail) + caplog.text


def test_the_openapi_page_has_every_operation_its_article_and_its_examples(caller: Caller) -> None:
    schema = caller.get("/openapi.json").json()
    for name, operation in ALL.items():
        route = schema["paths"][f"/operations/{name}"]["post"]
        assert operation.citation.label_zh in route["summary"]
        assert operation.citation.zh in route["description"]
        assert operation.citation.en in route["description"]
        assert all(f"`{rule.id}`" in route["description"] for rule in operation.rules)
        shown = [one["value"] for one in route["requestBody"]["content"]["application/json"]["examples"].values()]
        assert shown
        assert all(one in [told.body for told in STORY if told.operation == name] for one in shown)
        assert route["security"] == [{"HTTPBearer": []}]
    for public in ("/outlets", "/services", "/rules", "/measures/{article}"):
        assert "security" not in schema["paths"][public]["get"]
    assert "swagger" in caller.get("/docs").text


def test_what_is_public_needs_no_token(caller: Caller) -> None:
    assert len(caller.get("/outlets").json()) == 5
    (far,) = caller.get("/outlets", region="5101", help="cross-province").json()
    assert far["name"] == "四川省虚构卡管理中心"
    assert caller.get("/outlets", region="5107").json() == []
    assert {one["operation"] for one in caller.get("/services").json()} == set(ALL)
    assert caller.get("/measures/24").json()["paragraphs"][0]["zh"] == ALL["transfer"].citation.zh
    assert kind(caller.get("/measures/35")) == (422, "input")
    assert {"ONE-CARD", "IN-FORCE"} <= {one["rule"] for one in caller.get("/rules").json()}


# --- who may call ----------------------------------------------------------------------------------------------------


def test_no_token_a_wrong_one_one_that_ran_out_one_that_was_revoked(caller: Caller) -> None:
    assert kind(caller.get("/pending")) == (401, "token")
    wrong = {"Authorization": "Bearer sscard-office-guess"}
    assert kind(caller.client.get("/pending", headers=wrong)) == (401, "token")
    assert caller.get("/pending", Role.CLERK).json() == []
    caller.desk.clock.step(timedelta(days=tokens.DAYS, seconds=-1))
    assert caller.get("/pending", Role.CLERK).status_code == 200
    caller.desk.clock.step(timedelta(seconds=1))
    assert kind(caller.get("/pending", Role.CLERK)) == (401, "token")
    with caller.desk.register.transaction() as session:
        renewed = tokens.give(session, seed.MAKER, caller.desk.clock.now(), 1)
        kept = session.scalars(select(Clerk.token)).all()
    assert renewed not in kept, "only a hash is kept"
    headers = {"Authorization": f"Bearer {renewed}"}
    assert caller.client.get("/pending", headers=headers).status_code == 200
    assert caller.get("/pending", Role.CLERK).status_code == 401, "the one before has ended"
    with caller.desk.register.transaction() as session:
        tokens.revoke(session, seed.MAKER, caller.desk.clock.now())
    assert caller.client.get("/pending", headers=headers).status_code == 401


@pytest.mark.parametrize("name", ALL)
def test_each_operation_is_for_its_roles_only(caller: Caller, name: str) -> None:
    allowed = ALL[name].roles.allowed
    body = next(one.body for one in STORY if one.operation == name)
    for role in Role:
        response = caller.post(f"/operations/{name}", body, role)
        assert (response.status_code == 403) == (role not in allowed), response.text
    refused = [one for one in caller.get("/trail", Role.ADMINISTRATOR).json()["lines"] if "role" in one["detail"]]
    assert {one["role"] for one in refused} == set(Role) - allowed, "whoever may not, is on the trail"


def test_roles_of_all_else(caller: Caller) -> None:
    caller.until("activate")
    for path, body in (("/issue", STORY[-2].body), ("/letter", STORY[-1].body)):
        assert kind(caller.post(path, body, Role.BANK)) == (403, "role")
    assert kind(caller.get("/pending", Role.BANK)) == (403, "role")
    assert kind(caller.get("/trail", Role.CLERK)) == (403, "role")
    assert kind(caller.get("/late", Role.BANK)) == (403, "role")
    assert caller.get("/late", Role.CLERK).json() == []
    every = caller.get("/late", Role.CLERK, every=True).json()
    assert all(one["deadline"] for one in every)
    caller.get("/trail", Role.ADMINISTRATOR, person=1)
    seen = caller.get("/trail", Role.ADMINISTRATOR, person=1).json()["lines"][-1]
    assert (seen["operation"], seen["clerk"], seen["person"]) == ("trail", seed.OFFICER, 1)
    assert kind(caller.post("/pending/1/abandon", None, Role.BANK)) == (403, "role")
    who = {"holder": ME, "shown": [ME]}
    assert caller.post("/operations/query", who, Role.BANK).json()["holder"]["name"] == "测**"
    assert kind(caller.post("/operations/query", {**who, "whole": True}, Role.BANK)) == (409, "refused")
    assert caller.post("/operations/query", {**who, "whole": True}).json()["holder"]["name"] == "测试甲"


def test_who_guesses_tokens_waits_and_a_good_token_always_passes(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path), failures="3/minute")
    wrong = {"Authorization": "Bearer guess"}
    assert [caller.client.get("/pending", headers=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert caller.get("/pending", Role.CLERK).status_code == 200
    assert caller.get("/outlets").status_code == 200


def test_a_clerks_requests_are_counted_apart_from_everybody_elses(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path), rate="3/minute")
    wrong = {"Authorization": "Bearer guess"}
    statuses = [caller.client.get("/pending", headers=wrong).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert [caller.get("/pending", Role.CLERK).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_nobodys_body_is_read_before_a_good_token(caller: Caller) -> None:
    class Endless:
        """What a client goes on sending."""

        read = 0

        def __iter__(self) -> Iterator[bytes]:
            for _ in range(1000):
                self.read += 65536
                yield b"x" * 65536

    body = Endless()
    path = f"/operations/{STORY[0].operation}"
    with web.background(caller.app) as url, contextlib.suppress(httpx2.TransportError):
        answer = httpx2.post(url + path, content=iter(body), timeout=20)
        assert kind(answer) == (401, "token")
    assert body.read < 8 * 1024 * 1024
    assert kind(caller.client.post(path, content=b"no json")) == (401, "token"), "nobody is told what is wrong with it"
    assert kind(caller.client.post(path, content=b"no json", headers=caller.headers())) == (422, "input")


def test_nobody_calls_too_often(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path), rate="2/minute")
    assert [caller.get("/services").status_code for _ in range(3)] == [200, 200, 429]


# --- how requests end ------------------------------------------------------------------------------------------------


def test_a_refusal_names_its_article_in_two_languages(caller: Caller) -> None:
    caller.until("apply")
    response = caller.tell(STORY[0])
    error = response.json()["error"]
    assert kind(response) == (409, "refused")
    assert (error["rule"], error["article"], error["paragraph"]) == ("ONE-CARD", 8, 1)
    assert "一人一卡" in error["zh"]
    assert "one person, one card" in error["en"]
    assert "第八条" in error["text"]
    assert "article 8" in error["text"]


def test_what_is_not_there_and_what_was_written_wrong(caller: Caller) -> None:
    caller.until("make")
    assert kind(caller.post("/operations/make", {"application": 99})) == (404, "unknown")
    assert kind(caller.post("/operations/query", {"card": FIRST}, drawer="A99999999")) == (404, "unknown")
    assert kind(caller.post("/pending/9/resume", {}, drawer=FIRST)) == (404, "unknown")
    assert kind(caller.get("/trail", Role.ADMINISTRATOR, card="B00000011")) == (404, "unknown")
    wrong = caller.post("/operations/query", {"holder": {"type": "secret-kind", "number": "SECRET"}})
    assert kind(wrong) == (422, "input")
    assert "ecret" not in wrong.text
    assert "body.holder.type" in wrong.text
    assert kind(caller.post("/operations/query", {}, drawer=FIRST, reader="X")) == (422, "input")
    assert kind(caller.post("/pending/1/resume", {})) == (422, "input")
    assert kind(caller.post("/operations/make", {"application": 1, "layout": "/etc/passwd.toml"})) == (422, "input")
    assert kind(caller.post("/operations/nothing", {})) == (404, "http")


def test_only_named_readers_are_touched(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path), readers=["Counter"])
    assert kind(caller.post("/operations/query", {}, reader="Other")) == (403, "reader")
    assert kind(caller.post("/operations/query", {}, reader="Counter")) == (502, "reader"), "there is no PC/SC here"


def test_a_card_in_use_a_bank_that_is_down_and_a_chip_that_refuses(caller: Caller) -> None:
    caller.until("activate")
    with caller.desk.card(FIRST):
        assert kind(caller.tell(STORY[4])) == (503, "busy")
    wrong = caller.post("/operations/change-pin", {"old": "987654", "new": "246810"}, drawer=FIRST)
    assert kind(wrong) == (502, "failed")
    assert "987654" not in wrong.text
    for odd in ("", "abc", "９９９９", "1" * 300, "\0"):
        response = caller.post("/operations/change-pin", {"old": odd, "new": "246810"}, drawer=FIRST)
        assert kind(response) == (502, "failed"), response.text
        assert not odd or odd not in response.text
    with caller.desk.register.transaction() as session:
        session.get_one(Bank, seed.BANK).down = True
    replace = caller.post("/operations/replace", {"shown": [ME], "reason": "looks-changed"}, drawer=FIRST)
    assert kind(replace) == (502, "failed")
    assert "bank" in replace.text


CHANGE = {"phone": "00000000077", "address": "四川省成都市虚构区测试路7号"}


def test_a_card_torn_out_is_resumed_or_abandoned(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.until("activate")
    for number, ended in ((2, "abandon"), (3, "resume")):  # activation was the first
        with pulled_out(monkeypatch, 1):
            torn = caller.post("/operations/change-information", CHANGE, drawer=FIRST)
        assert kind(torn) == (409, "half-way")
        assert torn.json()["error"]["pending"] == number
        (waiting,) = caller.get("/pending", Role.CLERK).json()
        assert (waiting["pending"], waiting["card"]) == (number, FIRST)
        between = caller.post("/operations/transfer", {"to": "510700", "insurance": ["all"]}, drawer=FIRST)
        assert between.json()["error"]["rule"] == "HALF-WAY"
        assert caller.post(f"/pending/{number}/{ended}", {}, drawer=FIRST).status_code == 200
        assert caller.get("/pending", Role.CLERK).json() == []
    query = caller.post("/operations/query", {"holder": ME, "shown": [ME], "whole": True})
    assert query.json()["holder"]["phone"] == CHANGE["phone"]


def test_a_new_pin_is_asked_for_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.until("activate")
    with pulled_out(monkeypatch, 0):
        torn = caller.post("/operations/reset-pin", {"shown": [ME], "new": "864209"}, drawer=FIRST)
    assert kind(torn) == (409, "half-way")
    assert caller.get("/pending", Role.CLERK).json()[0]["needs_pin"]
    assert kind(caller.post("/pending/2/resume", {}, drawer=FIRST)) == (409, "half-way")
    assert caller.post("/pending/2/resume", {"pin": "864209"}, drawer=FIRST).status_code == 200
    assert caller.post("/operations/change-pin", {"old": "864209", "new": "246810"}, drawer=FIRST).status_code == 200
    kept = b"".join(path.read_bytes() for path in caller.desk.register.path.parent.glob("register.db*"))
    assert b"864209" not in kept


# --- many at once, and anything at all -------------------------------------------------------------------------------


def together(caller: Caller, path: str, body: Any, count: int = 8) -> list[int]:
    """Statuses of the same request, sent by so many clients at once over real sockets."""
    gate = Barrier(count)
    with web.background(caller.app) as url:

        def send(_: int) -> int:
            with httpx2.Client(base_url=url, headers=caller.headers(), timeout=60) as client:
                gate.wait()
                return client.post(path, json=body).status_code

        with ThreadPoolExecutor(count) as pool:
            return sorted(pool.map(send, range(count)))


def test_of_many_who_apply_for_one_person_one_is_accepted(caller: Caller) -> None:
    assert together(caller, "/operations/apply", STORY[0].body) == [200] + [409] * 7
    assert together(caller, "/operations/make", STORY[1].body).count(200) == 1
    query = caller.post("/operations/query", {"holder": ME, "shown": [ME]}).json()
    assert (len(query["applications"]), len(query["cards"])) == (1, 1)
    with caller.desk.register.transaction() as session:
        assert audit.broken(session) is None


def test_the_letter_as_html_and_pdf(caller: Caller) -> None:
    caller.until("apply")
    told = STORY[-1].body
    html = caller.post("/letter", told)
    assert html.headers["content-type"].startswith("text/html")
    assert "四川省社会保障卡业务代理承诺书" in html.text
    assert "测试甲" in html.text
    printed = caller.post("/letter", told, format="pdf")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF")
    agent = told["agent"]
    full = {**told, "principal": agent}
    assert kind(caller.post("/letter", full)) == (422, "input")
    del full["holder"]
    assert caller.post("/letter", full).status_code == 200
    stranger = {**told, "holder": {"type": "passport", "number": "X1"}}
    assert kind(caller.post("/letter", stranger)) == (404, "unknown")
    assert kind(caller.post("/letter", {**told, "operations": ["fly"]})) == (422, "input")
    unprintable = {**full, "reason": "\U0010fffd"}
    assert kind(caller.post("/letter", unprintable, format="pdf")) == (422, "input")
