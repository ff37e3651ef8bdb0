"""The card over HTTP: slots of a run, images that are dropped, what is refused and how it is told."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from emulator import catalogue
from emulator.filesystem.memory.image import Image
from harness.studio.card import cards
from harness.studio.card.router import router
from harness.web import app as web
from harness.web.refusals import Problem
from tests.kit.cards import HOME, VERIFY, Card, new_card

NAME = "SSSE/EF06/09"


@dataclass
class Run:
    """Tells moments of one slot's card as a run does."""

    card: Card
    persona: str = "adult-chengdu"
    moments: dict[int, dict[str, Any]] = field(default_factory=dict)

    def keep(self, number: int) -> None:
        self.moments[number] = self.now()

    def now(self) -> dict[str, Any]:
        session, image = self.card.chip.session, self.card.chip.image
        return {
            "image": base64.b64encode(image.to_text().encode()).decode(),
            "persona": self.persona,
            "interface": "contact",
            "directory": session.directory.spec.id,
            "file": session.file.path if session.file else "",
            "rights": sorted(session.rights),
        }

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["op"] == "moment"
        if request["slot"]:
            raise Problem(409, "card", "slot 1 is empty")
        if "n" not in request:
            return self.now()
        if request["n"] not in self.moments:
            raise Problem(409, "card", f"no card is known at number {request['n']}")
        return self.moments[request["n"]]


def client(ask: Callable[[dict[str, Any]], dict[str, Any]]) -> TestClient:
    app: FastAPI = web.create("test", "", body_limit=64 * 1024 * 1024)
    app.include_router(router(ask), prefix="/api/card")
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.fixture
def run() -> Run:
    return Run(new_card("3.00"))


def item(told: dict[str, Any], path: str = NAME) -> dict[str, Any]:
    found = [one for app in _all(told["card"]["root"]) for file in app["files"] for one in file["items"]]
    (one,) = (one for one in found if one["id"] == path)
    return dict(one)


def _all(of: dict[str, Any]) -> list[dict[str, Any]]:
    return [of, *(one for child in of["children"] for one in _all(child))]


def refused(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["kind"], error["text"]


def test_a_card_made_of_a_persona_is_told_in_the_clear(run: Run) -> None:
    told = client(run.ask).get("/api/card/tree?of=slot:0").json()
    assert (told["made_up"], told["card"]["masked"]) == (True, False)
    assert item(told)["value"]


def test_any_other_card_is_masked_until_its_values_are_asked_for(run: Run) -> None:
    run.persona = ""
    asking = client(run.ask)
    told = asking.get("/api/card/tree?of=slot:0").json()
    assert (told["made_up"], told["card"]["masked"], item(told)["value"]) == (False, True, None)
    assert item(asking.get("/api/card/tree?of=slot:0&show=true").json())["value"]


def test_a_card_is_seen_as_it_was(run: Run) -> None:
    run.keep(7)
    run.card.ok(HOME["SSSE"], VERIFY)
    run.keep(8)
    asking = client(run.ask)
    assert [one["what"] for one in asking.get("/api/card/moment?slot=0&n=8").json()["changes"]] == [
        "application",
        "rights",
    ]
    assert asking.get("/api/card/moment?slot=0&n=7").json()["changes"] == [], "the one before is not kept"
    assert asking.get("/api/card/moment?slot=0&n=7").json()["card"]["standing"]["rights"] == {}
    assert list(asking.get("/api/card/moment?slot=0").json()["card"]["standing"]["rights"]) == ["PIN"]
    told = asking.get("/api/card/changes?of=slot:0&since=slot:0@7").json()
    assert [one["what"] for one in told["changes"]] == ["application", "rights"]
    both = asking.get("/api/card/compare?left=slot:0@7&right=slot:0").json()
    assert both["changes"] == told["changes"]
    assert both["left"]["card"]["standing"]["application"] == "MF"


def test_an_image_that_is_dropped_is_looked_at_and_compared(run: Run) -> None:
    asking = client(run.ask)
    other = catalogue.card("adult-mianyang", "3.00").to_text().encode()
    told = asking.post("/api/card/files?name=<b>my card</b>", content=other).json()
    assert (told["name"], told["card"]["masked"]) == ("<b>my card</b>", True)
    both = asking.get(f"/api/card/compare?left=slot:0&right={told['of']}").json()
    (changed,) = (one for one in both["changes"] if one["at"] == NAME)
    assert (changed["before"], changed["after"]) == (None, None), "one of them is masked"
    assert both["left"]["card"]["masked"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x: "),
        (b"{}", "x: no card image"),
        (b"\xff\xfe", "x: no card image: expected UTF-8"),
        (catalogue.card("blank", "1.00").to_text().replace('"1.00"', '"1.0O"', 1).encode(), "sha256 does not match"),
        (catalogue.card("blank", "1.00").to_text()[:-9].encode(), "x: "),
    ],
)
def test_what_is_no_image_is_told_so(run: Run, content: bytes, said: str) -> None:
    status, kind, text = refused(client(run.ask).post("/api/card/files?name=x", content=content))
    assert (status, kind) == (422, "input")
    assert said in text


def test_an_image_too_large_is_refused(run: Run) -> None:
    answer = client(run.ask).post("/api/card/files", content=b" " * (cards.LARGEST + 1))
    assert refused(answer)[:2] == (413, "size")


def test_only_the_newest_images_are_kept(run: Run) -> None:
    asking = client(run.ask)
    content = catalogue.card("blank", "1.00").to_text().encode()
    names = [asking.post("/api/card/files", content=content).json()["of"] for _ in range(cards.KEPT + 1)]
    assert refused(asking.get(f"/api/card/tree?of={names[0]}"))[:2] == (404, "file")
    assert asking.get(f"/api/card/tree?of={names[-1]}").status_code == 200


@pytest.mark.parametrize("of", ["", "0", "slot:x", "slot:0@", "file:../../etc/passwd", "slot:0 ", "slot:٣"])
def test_what_names_no_card_is_refused(run: Run, of: str) -> None:
    status, kind, text = refused(client(run.ask).get("/api/card/tree", params={"of": of}))
    assert (status, kind) == (422, "input")
    assert "slot:0" in text


def test_what_the_run_refuses_is_told(run: Run) -> None:
    assert refused(client(run.ask).get("/api/card/tree?of=slot:1")) == (409, "card", "slot 1 is empty")


def test_without_a_run_it_says_what_is_missing() -> None:
    status, kind, text = refused(client(cards.asking(lambda: None)).get("/api/card/tree?of=slot:0"))
    assert (status, kind) == (404, "run")
    assert "sscard run --web" in text


@pytest.mark.parametrize("told", [{}, {"image": "%"}, {"image": base64.b64encode(b"{}").decode()}, {"image": None}])
def test_a_run_that_tells_something_else_is_no_fault_of_ours(told: dict[str, Any]) -> None:
    assert refused(client(lambda _: told).get("/api/card/tree?of=slot:0"))[:2] == (502, "card")


def test_an_image_of_a_run_is_told_whole() -> None:
    image = catalogue.card("adult-chengdu", "2.00")
    held = cards.of_moment({"image": base64.b64encode(image.to_text().encode()).decode()})
    assert held.image.memory.snapshot() == Image.from_text(image.to_text(), "x").memory.snapshot()
    assert not held.made_up
