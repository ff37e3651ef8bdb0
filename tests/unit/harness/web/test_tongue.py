"""A client is told in the language that it asks for: Chinese, English, or the server's."""

# No annotations as text: FastAPI reads those of routes within functions.
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from anyio import to_thread
from fastapi import Body, WebSocket
from pydantic import BaseModel, ConfigDict, Field
from starlette.testclient import TestClient

from emulator import messages
from emulator.messages import _
from harness.web import app as web
from harness.web.office.examples import STORY
from harness.web.tongue import wished
from tests.kit.office_fronts import Caller
from tests.kit.offices import Desk

ORIGIN = {"host": "127.0.0.1", "origin": "https://elsewhere.example"}
REFUSED = {
    "zh": "此来源的网页不得调用：用--origin准许",
    "en": "pages of this origin may not call: name it with --origin",
}


class Named(BaseModel):
    """What a route takes."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=3)
    day: date | None = None
    kind: Literal["a", "b"] = "a"
    many: list[str] = Field(default=["x"], min_length=1, max_length=2)
    count: int = Field(0, le=9)


@pytest.fixture(autouse=True)
def _ours() -> Iterator[None]:
    messages.forget()
    yield
    messages.forget()


@pytest.fixture
def client() -> TestClient:
    service = web.create("Test", "A service.")

    @service.get("/nothing")
    def nothing() -> str:
        return _("the disk is full")

    @service.post("/named")
    def named(body: Annotated[Named, Body()]) -> str:
        return body.name

    return TestClient(service, base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB, en;q=0.9, zh;q=0.3", "en"),
        ("de, zh-Hant-TW;q=0.7", "zh"),
        ("en;q=0.5, zh;q=0.50", "en"),
        ("ZH", "zh"),
        ("en;q=0, de", ""),
        ("*", ""),
        ("", ""),
        (";;;, zh;q=2, \x00", ""),
        ("zhx", ""),
    ],
)
def test_of_chinese_and_english_the_one_that_is_asked_for_most(header: str, language: str) -> None:
    assert wished(header) == language


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_is_told_in_the_clients_language(client: TestClient, language: str) -> None:
    answer = client.get("/nothing", headers={**ORIGIN, "accept-language": language})
    assert answer.status_code == 403
    assert answer.json()["error"] == {"kind": "origin", "text": REFUSED[language]}


@pytest.mark.parametrize(
    ("method", "path", "status", "zh"),
    [
        ("GET", "/none", 404, "此地址没有内容；现有地址见/docs"),
        ("DELETE", "/nothing", 405, "此地址不接受该方法；可用方法见/docs"),
        ("GET", "/nothing?a=1", 422, "query：不应有参数"),
        ("POST", "/named", 422, "body：缺少此项"),
    ],
)
def test_what_the_framework_refuses_is_told_in_the_clients_language(
    client: TestClient, method: str, path: str, status: int, zh: str
) -> None:
    for language in ("zh", "en"):
        answer = client.request(method, path, headers={"host": "127.0.0.1", "accept-language": language})
        text = answer.json()["error"]["text"]
        assert answer.status_code == status
        assert (text == zh) is (language == "zh"), text
        assert text.isascii() is (language == "en")
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize(
    ("sent", "zh"),
    [
        ({}, "body.name：缺少此项"),
        ({"name": 5}, "body.name：应为文本"),
        ({"name": ""}, "body.name：长度应不少于1"),
        ({"name": "abcd"}, "body.name：长度应不超过3"),
        ({"name": "a", "x": 1}, "body：没有此名称的字段"),
        ({"name": "a", "day": "x"}, "body.day：应为日期，例如2025-03-03"),
        ({"name": "a", "kind": "c"}, "body.kind：应为'a', 'b'之一"),
        ({"name": "a", "many": []}, "body.many：应有1项或更多"),
        ({"name": "a", "many": "abc"}, "body.many：应为列表"),
        ({"name": "a", "many": ["A"] * 9}, "body.many：列表不应超过2项"),
        ({"name": "a", "count": 1.5}, "body.count：应为整数"),
        ({"name": "a", "count": 99}, "body.count：应不大于9"),
        ("{", "body.0：应为UTF-8编码的JSON，名称不重复"),
        ([], "body：应为由名称组成的表"),
    ],
)
def test_each_mistake_of_a_body_is_told_in_the_clients_language(client: TestClient, sent: object, zh: str) -> None:
    body = sent if isinstance(sent, str) else json.dumps(sent)
    for language in ("zh", "en"):
        headers = {"host": "127.0.0.1", "accept-language": language, "content-type": "application/json"}
        text = client.post("/named", content=body, headers=headers).json()["error"]["text"]
        assert (text == zh) is (language == "zh"), text
        assert text.isascii() is (language == "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_websocket_is_told_in_the_language_of_its_handshake(language: str) -> None:
    service = web.create("Test", "A service.")

    @service.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        await link.send_text(await to_thread.run_sync(lambda: _("not JSON")))
        await link.close()

    headers = {"accept-language": language}
    with TestClient(service).websocket_connect("ws://127.0.0.1/ws", headers=headers) as link:
        assert link.receive_text() == {"zh": "不是JSON", "en": "not JSON"}[language]


def test_without_a_wish_it_is_the_servers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/nothing", headers=ORIGIN).json()["error"]["text"] == REFUSED["en"]
    monkeypatch.setenv(messages.OWN, "zh")
    messages.forget()
    assert client.get("/nothing", headers=ORIGIN).json()["error"]["text"] == REFUSED["zh"]
    english = client.get("/nothing", headers={**ORIGIN, "accept-language": "en"})
    assert english.json()["error"]["text"] == REFUSED["en"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_of_the_offices_quotes_its_article_in_that_language(tmp_path: Path, language: str) -> None:
    caller = Caller(Desk(tmp_path))
    caller.until("apply")
    caller.client.headers["accept-language"] = language
    error = caller.tell(STORY[0]).json()["error"]
    beginning = {"zh": "第八条：", "en": "article 8: "}[language]
    assert error["text"] == beginning + error[language]
    assert all(error[one] for one in ("zh", "en")), "programs have both, whoever asks"


def test_each_request_has_its_own_language_while_others_are_served(client: TestClient) -> None:
    def ask(language: str) -> str:
        return str(client.get("/nothing", headers={"accept-language": language}).json())

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(ask, ["zh", "en"] * 10))
    assert set(told[::2]) == {"磁盘已满"}
    assert set(told[1::2]) == {"the disk is full"}
    assert _("not JSON") == "not JSON", "nothing of it stays"
