"""A client is told in the language that it asks for: Chinese, English, or the server's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
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
        return _("the disk is full: what was written until now may be cut off")

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
    assert set(told[::2]) == {"磁盘已满：此前写出的内容可能被截断"}
    assert set(told[1::2]) == {"the disk is full: what was written until now may be cut off"}
    assert _("not JSON") == "not JSON", "nothing of it stays"
