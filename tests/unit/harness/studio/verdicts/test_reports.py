"""What came of a run, as the page has it: the command's own report, its map, its cases, its files."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from harness.studio.app import create
from harness.studio.hub import Hub
from harness.studio.verdicts import outcome, routes
from harness.studio.verdicts.jobs import Jobs
from harness.studio.verdicts.store import Run, State, Store
from harness.verdicts.conclusion import Conformity

DEADLINE = 120.0
API = "/api/verdicts"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with contextlib.closing(Jobs(Store(tmp_path_factory.mktemp("state") / "runs"))) as jobs:
        yield jobs


@pytest.fixture(scope="module")
def client(jobs: Jobs) -> TestClient:
    return TestClient(create(Hub(), {"verdicts": routes.router(jobs)}), base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def runs(jobs: Jobs, client: TestClient) -> dict[str, dict[str, Any]]:
    """Two runs of the real command, over: one that judges something, one that judges nothing."""
    asked: dict[str, dict[str, Any]] = {
        "judged": {"kind": "vectors", "profiles": ["3.00-3des", "3.00-sm4"], "items": ["VERIFY"], "product": "mine 1"},
        "nothing": {"kind": "vectors", "profiles": ["1.00-3des"], "items": ["CONTACTLESS"]},
    }
    begun = {name: client.post(f"{API}/runs", json=one).json()["id"] for name, one in asked.items()}
    for one in begun.values():
        jobs.wait(one, DEADLINE)
    return {name: client.get(f"{API}/runs/{one}").json() for name, one in begun.items()}


def test_a_run_that_conforms_says_so_with_all_that_was_counted(runs: dict[str, dict[str, Any]]) -> None:
    run = runs["judged"]
    assert (run["state"], run["exit_code"], run["came"]["conclusion"]) == ("ended", 0, "conforms")
    assert run["came"]["counts"]["passed"] > 20
    assert run["came"]["because"]
    assert (run["progress"]["done"], run["progress"]["bad"]) == (run["progress"]["total"], 0)
    assert run["report"]["product"] == "mine 1"


def test_a_run_in_which_nothing_was_judged_is_not_green(runs: dict[str, dict[str, Any]]) -> None:
    run = runs["nothing"]
    assert (run["state"], run["exit_code"], run["came"]["conclusion"]) == ("ended", 4, "not judged")
    assert "nothing was run" in run["output"]


def test_the_map_has_each_item_by_each_kind_of_card_and_counts_every_case_once(runs: dict[str, dict[str, Any]]) -> None:
    heat = runs["judged"]["heat"]
    assert [one["id"] for one in heat["columns"]] == ["3.00-3des", "3.00-sm4"]
    (verify,) = [at for at, one in enumerate(heat["rows"]) if one["id"] == "VERIFY"]
    assert heat["rows"][verify]["title_zh"] == "验证密码"
    assert {cell["verdict"] for cell in heat["cells"][verify]} == {"passed"}
    counted = sum(sum(cell["counts"].values()) for row in heat["cells"] for cell in row if cell)
    assert counted == runs["judged"]["progress"]["total"]


def test_cases_are_given_some_at_a_time_by_verdict_place_and_text(
    client: TestClient, runs: dict[str, dict[str, Any]]
) -> None:
    path = f"{API}/runs/{runs['judged']['id']}/cases"
    every = client.get(path, params={"judged": True, "limit": 200}).json()
    assert {one["verdict"] for one in every["cases"]} == {"passed"}
    place = client.get(path, params={"row": "VERIFY", "column": "3.00-sm4", "verdict": "passed", "limit": 3}).json()
    assert len(place["cases"]) == 3 < place["total"] < every["total"]
    named = client.get(path, params={"text": "verify-state", "column": "3.00-sm4"}).json()
    assert [one["id"] for one in named["cases"]] == ["VERIFY-STATE_COSTS_NOTHING"]
    assert client.get(path, params={"limit": 100000}).status_code == 422


def test_a_case_has_its_steps_and_what_went_over_in_words(client: TestClient, runs: dict[str, dict[str, Any]]) -> None:
    path = f"{API}/runs/{runs['judged']['id']}/cases"
    (found,) = client.get(path, params={"text": "VERIFY-STATE", "column": "3.00-3des"}).json()["cases"]
    case = client.get(f"{path}/{found['n']}").json()
    words = [one["words"] for one in case["trace"]]
    assert any(one.startswith("VERIFY") for one in words)
    assert {int(one["step"]) for one in case["trace"] if "step" in one} >= {1, 2}
    assert client.get(f"{path}/99999").status_code == 404


def test_files_of_a_run_are_its_report_and_no_others(client: TestClient, runs: dict[str, dict[str, Any]]) -> None:
    run = runs["judged"]
    assert {"report.html", "report.json", "junit.xml", "manifest.json"} <= set(run["files"])
    for name in run["files"]:
        answer = client.get(f"{API}/runs/{run['id']}/files/{name}")
        assert answer.status_code == 200
        assert ("sandbox" in answer.headers.get("content-security-policy", "")) == name.endswith(".html")
    for name in ("run.json", "..%2frun.json", "page.lock", "../../etc/passwd"):
        assert client.get(f"{API}/runs/{run['id']}/files/{name}").status_code == 404


def test_a_run_is_deleted_with_all_that_it_left(client: TestClient, jobs: Jobs) -> None:
    run = client.post(f"{API}/runs", json={"kind": "vectors"}).json()["id"]
    assert client.delete(f"{API}/runs/{run}").status_code == 409, "it is not over"
    assert client.post(f"{API}/runs/{run}/cancel").status_code == 200
    jobs.wait(run, DEADLINE)
    folder = jobs.store.folder(run)
    assert client.delete(f"{API}/runs/{run}").status_code == 204
    assert not folder.exists()
    assert client.get(f"{API}/runs/{run}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"kind": "vectors", "command": "rm -rf /"}, 422),
        ({"kind": "prove", "program": "/bin/sh"}, 422),
        ({"kind": "shell"}, 422),
        ({"kind": "vectors", "slot": 0}, 409),
        ({"kind": "session"}, 409),
        ([], 422),
    ],
)
def test_what_is_not_offered_is_not_begun(client: TestClient, jobs: Jobs, asked: Any, status: int) -> None:
    before = len(jobs.newest())
    answer = client.post(f"{API}/runs", json=asked)
    assert answer.status_code == status
    assert answer.json()["error"]["text"]
    assert len(jobs.newest()) == before


def test_what_is_offered_can_be_asked_for(client: TestClient) -> None:
    offers = client.get(f"{API}/offers").json()
    assert "3.00-sm4" in offers["vectors"]["profiles"]
    assert {"id": "VERIFY", "title": "VERIFY", "title_zh": "验证密码"} in offers["vectors"]["items"]
    assert offers["programs"] == []
    assert any(one["name"] for one in offers["situations"])


# --- what a run comes to --------------------------------------------------------------------------------------------

CONFORMS, FAILS, OPEN = Conformity.CONFORMS, Conformity.FAILS, Conformity.NOT_JUDGED


@pytest.mark.parametrize(
    ("state", "code", "told", "comes_to"),
    [
        (State.ENDED, 0, CONFORMS, CONFORMS),
        (State.ENDED, 1, FAILS, FAILS),
        (State.ENDED, 4, OPEN, OPEN),
        (State.ENDED, 0, None, OPEN),
        (State.ENDED, 1, None, OPEN),
        (State.ENDED, 5, CONFORMS, OPEN),
        (State.ENDED, -9, CONFORMS, OPEN),
        (State.ENDED, 4, CONFORMS, OPEN),
        (State.ENDED, 1, CONFORMS, FAILS),
        (State.CANCELLED, 130, CONFORMS, OPEN),
        (State.CANCELLED, 130, FAILS, FAILS),
        (State.INTERRUPTED, None, CONFORMS, OPEN),
        (State.BROKEN, None, None, OPEN),
    ],
)
def test_nothing_is_green_but_what_ended_well_and_says_so_itself(
    state: State, code: int | None, told: Conformity | None, comes_to: Conformity
) -> None:
    """``told`` None: there is no report at all."""
    assert outcome.comes_to(Run("x", {"kind": "vectors"}, state, exit_code=code), told) is comes_to


def test_a_report_that_was_altered_is_none(jobs: Jobs, runs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    folder = jobs.store.folder(runs["judged"]["id"]) / "report"
    shutil.copytree(folder, tmp_path / "report")
    run = jobs.get(runs["judged"]["id"])
    assert outcome.of_run(run, tmp_path / "report")["conclusion"] == "conforms"
    path = tmp_path / "report" / "report.json"
    path.write_text(path.read_text(encoding="utf-8").replace("VERIFY", "VERIFZ"), encoding="utf-8")
    assert outcome.of_run(run, tmp_path / "report")["conclusion"] == "not judged"


def test_two_runs_are_compared_case_by_case(client: TestClient, runs: dict[str, dict[str, Any]]) -> None:
    one, other = (runs[name]["id"] for name in ("judged", "nothing"))
    told = client.get(f"{API}/runs/{one}/since/{other}").json()
    assert told["counts"]["gone"] == runs["nothing"]["progress"]["total"]
    assert told["counts"]["new"] == runs["judged"]["progress"]["total"]
    assert told["conclusions"] == ["not judged", "conforms"]
    same = client.get(f"{API}/runs/{one}/since/{one}").json()
    assert (same["cases"], same["same"]) == ([], runs["judged"]["progress"]["total"])
    assert client.get(f"{API}/runs/{one}/since/20261126-120000-abcdef").status_code == 404
