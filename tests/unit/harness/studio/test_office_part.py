"""The office on the page: the very service, below /office, with its own door; what the page says without a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from harness.cli import main
from harness.office.desk import tokens
from harness.office.register import counts, seed
from harness.studio import parts
from harness.studio.app import create
from harness.studio.context import Studio
from harness.studio.office.choice import NoRegister, OfficeChoice
from harness.studio.office.mount import mounted
from harness.studio.settings import Settings
from harness.web.office.examples import STORY
from tests.kit.office_fronts import kind
from tests.kit.offices import START, Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("office"))
    yield desk
    desk.register.close()


def choice(desk: Desk, **more: object) -> OfficeChoice:
    path = desk.register.path
    return OfficeChoice(str(path), str(path.with_name("drawer")), now=START.isoformat(), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def studio(desk: Desk) -> Studio:
    return Studio(Settings(office=choice(desk)))


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[TestClient]:
    assert studio.settings.office is not None
    app = create(studio.hub, parts.routers(studio))
    with mounted(studio, studio.settings.office, app):
        yield TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


def token(desk: Desk, name: str = seed.MAKER) -> dict[str, str]:
    with desk.register.transaction() as session:
        return {"Authorization": f"Bearer {tokens.give(session, name, desk.clock.now())}"}


def test_the_pages_office_is_the_service_with_its_own_door(client: TestClient, desk: Desk) -> None:
    clerk, banker = token(desk), token(desk, seed.BANKER)
    assert client.get("/office/me", headers=clerk).json()["clerk"] == seed.MAKER
    assert kind(client.get("/office/me")) == (401, "token")
    assert kind(client.get("/office/people", headers=banker)) == (403, "role")
    assert kind(client.get("/office/people", headers={**clerk, "origin": "http://evil.example"})) == (403, "origin")
    assert kind(client.get("/office/people", headers={**clerk, "host": "evil.example"})) == (400, "host")
    assert kind(client.post("/office/operations/apply", content=b"no json")) == (401, "token"), "no body is looked at"
    assert client.post("/office/operations/apply", headers=clerk, json=STORY[0].body).json()["application"] == 1
    assert [one["person"] for one in client.get("/office/people", headers=clerk).json()["people"]] == [1]
    assert client.get("/office/openapi.json").json()["paths"]["/people"]


def test_the_page_itself_answers_none_of_it(client: TestClient, desk: Desk) -> None:
    clerk = token(desk)
    for path in ("/me", "/people", "/api/office/people", "/officepeople", "/office"):
        assert client.get(path, headers=clerk).status_code == 404, path
    here = client.get("/api/office/here").json()
    assert here == {
        "here": True, "path": "/office", "register": str(desk.register.path),
        "drawer": str(desk.register.path.with_name("drawer")),
    }  # fmt: skip


def test_browsers_hear_that_something_was_done_and_nothing_of_what(
    client: TestClient, studio: Studio, desk: Desk
) -> None:
    told: Queue[object] = Queue()
    publish = studio.hub.publish

    def heard(kind_: str, data: object) -> None:
        publish(kind_, data)
        told.put((kind_, data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio.hub, "publish", heard)
        officer = token(desk, seed.OFFICER)
        client.get("/office/people", headers=officer)
        assert client.post("/office/operations/reconcile", headers=officer, json={}).status_code == 200
        with desk.register.reading() as session:
            change = counts.last_change(session)
        while told.get(timeout=30) != ("office", {"change": change}):
            pass  # what was done before may be told first
    assert studio.hub.latest("office") == {"change": change}


def test_without_an_office_the_page_says_so_and_has_no_such_service() -> None:
    studio = Studio(Settings())
    client = TestClient(create(studio.hub, parts.routers(studio)), base_url="http://127.0.0.1")
    assert client.get("/api/office/here").json() == {"here": False, "path": "/office"}
    assert client.get("/office/me").status_code == 404


def test_what_a_run_tells_the_pages_process_comes_back_whole(desk: Desk) -> None:
    for office in (None, choice(desk), choice(desk, readers=("Virtual PCD",), calendars=("2030.toml",))):
        settings = Settings(port=0, office=office)
        assert Settings.of_json(settings.as_json()) == settings
        assert json.loads(settings.as_json())


def test_a_register_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    gone = tmp_path / "gone.db"
    with pytest.raises(NoRegister):
        OfficeChoice(str(gone), str(tmp_path)).look()
    for command in (("studio",), ("run", "--web", "0")):
        result = CliRunner().invoke(main, [*command, "--private", "--office", str(gone)])
        assert result.exit_code == 3
        assert f"sscard office --register {gone} init" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("studio", "--office-now", "2025-03-03T09:00"), "--office-now goes with --office REGISTER"),
        (("studio", "--office-reader", "Virtual PCD"), "--office-reader goes with --office REGISTER"),
        (("studio", "--office", "REGISTER", "--office-now", "noon"), "expected a moment as 2025-03-03T09:00"),
        (("run", "--office", "REGISTER"), "it goes with --web"),
    ],
)
def test_options_that_mean_nothing_without_another_say_so(arguments: tuple[str, ...], said: str, desk: Desk) -> None:
    given = [str(desk.register.path) if one == "REGISTER" else one for one in arguments]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2
    assert said in result.stderr
