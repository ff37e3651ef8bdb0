from __future__ import annotations

import gzip
import json

import pytest
from fastapi.testclient import TestClient

from harness.studio.app import create
from harness.studio.context import Studio
from harness.studio.session import router
from harness.studio.settings import Settings
from tests.unit.harness.studio.session.sessions import HOSTILE, as_trace, every_kind, tables


@pytest.fixture
def studio() -> Studio:
    return Studio(Settings())


@pytest.fixture
def client(studio: Studio) -> TestClient:
    return TestClient(create(studio.hub, {"session": router.part(studio)}), base_url="http://127.0.0.1")


def test_rows_come_with_the_events_of_the_run(studio: Studio, client: TestClient) -> None:
    assert client.get("/api/session/rows").json() == {"first": 0, "total": 0, "start": 0, "rows": []}
    for number, table in enumerate(tables(), 7):
        for one in studio.listeners:
            one({**table, "n": number})
            one({"event": "slots", "slots": [], "n": number})
    told = client.get("/api/session/rows", params={"sw": "9000", "count": 2}).json()
    assert [row["sw"] for row in told["rows"]] == ["9000", "9000"]
    assert told["rows"][0]["moment"] == told["rows"][0]["n"] + 6
    news = studio.hub.latest("rows")
    assert news["total"] == len(tables())
    assert news["rows"][-1]["kind"] == "off"
    found = client.get("/api/session/search", params={"wanted": "姓名"}).json()
    row = client.get("/api/session/row", params={"n": found["n"]}).json()
    assert row["about_zh"] == "姓名"
    assert client.get("/api/session/position", params={"n": found["n"]}).json() == {"position": found["position"]}
    assert client.get("/api/session/findings").json()[0]["rule"] == "PIN-ASKED"
    line = client.get("/api/session/timeline", params={"begin": 0, "end": 0.5}).json()
    assert line["count"] == len(line["rows"])


def test_where_the_page_did_not_keep_up_is_said(studio: Studio, client: TestClient) -> None:
    for event in (tables()[0], {"event": "cut", "lost": 7, "text": ""}, tables()[1]):
        studio.listeners[0](event)
    assert client.get("/api/session/list").json()[0]["cuts"] == [1]
    assert studio.hub.latest("rows")["cuts"] == [1]


def test_the_session_is_taken_home_as_trace_and_as_page(studio: Studio, client: TestClient) -> None:
    for table in every_kind():
        studio.listeners[0](table)
    trace = client.get("/api/session/trace")
    assert trace.content == as_trace(every_kind())
    assert "attachment" in trace.headers["content-disposition"]
    text = client.get("/api/session/html").text
    assert text.startswith("<!doctype html>")
    assert HOSTILE not in text


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_recording_is_opened_beside_the_live_session_and_closed(pack: type, client: TestClient) -> None:
    told = client.post("/api/session/open", params={"name": "a\u202eb.jsonl"}, content=pack(as_trace(tables()))).json()
    live, opened = client.get("/api/session/list").json()
    assert (live["id"], live["total"]) == ("live", 0)
    assert (opened["id"], opened["total"], opened["name"]) == (told["id"], len(tables()), r"a\u202eb.jsonl")
    assert (
        client.get("/api/session/rows", params={"session": told["id"], "start": -1}).json()["rows"][0]["kind"] == "off"
    )
    assert client.post("/api/session/close", params={"session": told["id"]}).status_code == 200
    gone = client.get("/api/session/rows", params={"session": told["id"]})
    assert (gone.status_code, gone.json()["error"]["kind"]) == (404, "session")


def test_a_recording_that_is_none_is_refused_with_its_line(client: TestClient) -> None:
    broken = as_trace(tables()[:3]) + b'{"v": 3, "event": "nonsense"}\n'
    refused = client.post("/api/session/open", params={"name": "x.jsonl"}, content=broken)
    assert refused.status_code == 422
    assert "x.jsonl: line 4" in refused.json()["error"]["text"]
    assert len(client.get("/api/session/list").json()) == 1


def test_the_ninth_recording_closes_the_first(client: TestClient) -> None:
    content = as_trace(tables()[:2])
    ids = [client.post("/api/session/open", params={"name": "x"}, content=content).json()["id"] for _ in range(9)]
    assert [one["id"] for one in client.get("/api/session/list").json()] == ["live", *ids[1:]]


@pytest.mark.parametrize(
    "question",
    [
        "rows?sw=9g", "rows?slots=a", "rows?count=501", "rows?nonsense=1", "timeline?begin=nan", "timeline?parts=0",
        "search?wanted=", "rows?text=" + "a" * 201,
    ],
)  # fmt: skip
def test_a_question_in_another_form_is_refused_and_quotes_nothing(question: str, client: TestClient) -> None:
    refused = client.get(f"/api/session/{question}")
    assert refused.status_code == 422
    assert "a" * 201 not in json.dumps(refused.json())
