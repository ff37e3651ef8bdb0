"""What a browser may ask of the Readers part: every request judged, refusals in the run's own words, nothing kept that
is not good.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from emulator import catalogue
from emulator.errors import ErrorKind, SscardError
from emulator.own_personas import check
from emulator.personas import numbers
from harness.driver import pad_desk
from harness.faults import plan as plans
from harness.faults.kinds import KINDS
from harness.serving import control
from harness.studio.app import create
from harness.studio.context import Studio
from harness.studio.readers import drafts, ready_faults, routes, shelf
from harness.studio.settings import Settings

PERSON = {"key": "mine", "holder": "测试壬", "number": "", "region": "510100", "pin": "246802"}
HOSTILE = "<img src=x onerror=alert(1)>\u202e'\"&\x07"


class Changed(SscardError, ValueError):
    """As a run refuses what was asked of an older state."""

    kind = ErrorKind.REFUSED
    word = "changed"


class Run:
    """A run as the page meets it: its control socket, and what was asked over it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses: Exception | None = None
        self.card = catalogue.card("adult-chengdu", "3.00")
        self.persona = "adult-chengdu"

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "list":
            return {"port": 1}
        self.asked.append(request)
        if self.refuses is not None:
            raise self.refuses
        if request["op"] == "moment":
            told = base64.b64encode(self.card.to_text().encode()).decode()
            return {"image": told, "persona": self.persona, "interface": "contact"}
        return {"slot": request.get("slot", 0), "inserted": True, "atr": "3B", "changes": 1}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "state"


@pytest.fixture
def run(state: Path) -> Run:
    assert not state.exists()
    return Run()


@pytest.fixture
def page(run: Run) -> Iterator[TestClient]:
    with control.serve(run) as name:
        studio = Studio(Settings(), run=control.chosen(name=name))
        with TestClient(create(studio.hub, {"readers": routes.router(studio)}), base_url="http://127.0.0.1") as client:
            yield client


def steer(page: TestClient, **request: Any) -> Any:
    return page.post("/api/readers/steer", json=request)


def refused(answer: Any, status: int, kind: str = "") -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert kind in ("", error["kind"])
    return str(error["text"])


def judged(page: TestClient, text: str = "", **form: Any) -> dict[str, list[str]]:
    """What is wrong with a draft, by field."""
    answer = page.post("/api/readers/persona/check", json={"form": {**PERSON, **form}, "text": text}).json()
    found: dict[str, list[str]] = {}
    for one in answer["wrong"]:
        found.setdefault(one["field"], []).append(one["problem"])
    assert answer["good"] == (not found)
    return found


def test_a_slot_is_steered_as_the_run_takes_it(page: TestClient, run: Run) -> None:
    assert steer(page, op="swap", slot=0, expects=3, persona="expired", layout="2.00").json()["changes"] == 1
    steer(page, op="tear", slot=1, k=5)
    steer(page, op="tear", slot=1, k=None)
    steer(page, op="faults", slot=0, text="status,sw=6F00 \n# none\nrepeat,nth=2", seed=7)
    steer(page, op="faults", slot=0, text="")
    assert run.asked == [
        {"op": "swap", "slot": 0, "expects": 3, "persona": "expired", "layout": "2.00"},
        {"op": "tear", "slot": 1, "k": 5},
        {"op": "tear", "slot": 1, "k": None},
        {"op": "faults", "slot": 0, "faults": ["status,sw=6F00", "repeat,nth=2"], "seed": 7},
        {"op": "faults", "slot": 0},
    ]


@pytest.mark.parametrize(
    "request_",
    [
        {"op": "burn", "slot": 0},
        {"op": "remove"},
        {"op": "remove", "slot": -1},
        {"op": "remove", "slot": 0, "persona": "expired"},
        {"op": "tear", "slot": 0, "k": 0},
        {"op": "tear", "slot": 0},
        {"op": "swap", "slot": 0, "persona": "expired", "text": "name = 1"},
        {"op": "faults", "slot": 0, "text": "status,sw=XYZ"},
        {"op": "faults", "slot": 0, "text": "format: 1\nfaults: 3"},
    ],
    ids=str,
)
def test_what_means_nothing_never_comes_to_the_run(page: TestClient, run: Run, request_: dict[str, Any]) -> None:
    refused(steer(page, **request_), 422, "input")
    assert run.asked == []


@pytest.mark.parametrize("name", ["nobody", "/etc/passwd.toml", "../mine.toml", "mine.toml", HOSTILE])
def test_only_what_is_on_the_shelf_is_put_in(page: TestClient, run: Run, name: str) -> None:
    assert name not in refused(steer(page, op="swap", slot=0, persona=name), 404, "missing")
    refused(steer(page, op="insert", slot=0, layout="../x.toml"), 404, "missing")
    refused(steer(page, op="insert", slot=0, image="../../etc/passwd"), 404, "missing")
    assert run.asked == []


def test_a_text_that_no_run_would_read_whole_is_refused_as_too_large(page: TestClient, run: Run) -> None:
    text = "甲" * drafts.LONGEST_TEXT
    assert str(control.LONGEST) in refused(steer(page, op="swap", slot=0, text=text), 413, "size")
    refused(steer(page, op="swap", slot=0, text=text + "乙"), 422, "input")
    assert run.asked == []


def test_what_the_run_refuses_is_told_in_its_own_words(page: TestClient, run: Run) -> None:
    run.refuses = Changed("slot 0 was changed meanwhile (taken out): look at it, and ask again")
    assert "taken out" in refused(steer(page, op="reset", slot=0, expects=0), 409, "changed")
    run.refuses = ValueError("slot 0 is empty")
    assert refused(steer(page, op="remove", slot=0), 409, "refused") == "slot 0 is empty"


def test_a_run_that_has_ended_and_one_that_never_was_are_told(state: Path) -> None:
    studio = Studio(Settings(), run=control.Running("00000000", 1, {}))
    client = TestClient(create(studio.hub, {"readers": routes.router(studio)}), base_url="http://127.0.0.1")
    assert "has ended" in refused(steer(client, op="remove", slot=0), 409)
    studio.run = None
    assert "sscard run --web" in refused(client.get("/api/readers/slots"), 409, "no-reader")
    assert not state.exists()


def test_a_foreign_page_steers_nothing(page: TestClient, run: Run) -> None:
    foreign = {"origin": "http://evil.example"}
    request = {"op": "remove", "slot": 0}
    assert page.post("/api/readers/steer", json=request, headers=foreign).status_code == 403
    assert page.post("/api/readers/pads/enter", json={"pad": "x", "entry": "1234"}, headers=foreign).status_code == 403
    assert run.asked == []


# --- the front of a card ----------------------------------------------------------------------------------------------


def test_a_card_bears_what_its_persona_says_with_part_of_the_number(page: TestClient) -> None:
    face = page.get("/api/readers/face/0").json()
    assert (face["name"], face["number"]) == ("测试甲", "519900********0011")
    assert (face["issued"], face["until"], face["masked"]) == ("2020-09-15", "2030-09-14", False)


def test_a_card_that_may_be_somebodys_is_masked_until_one_asks(page: TestClient, run: Run) -> None:
    run.persona = ""
    hidden = page.get("/api/readers/face/0").json()
    assert (hidden["name"], hidden["number"], hidden["masked"]) == ("***", "***", True)
    shown = page.get("/api/readers/face/0?show=true").json()
    assert (shown["name"], shown["number"], shown["masked"]) == ("测试甲", "519900********0011", False)


@pytest.mark.parametrize(("persona", "expired"), [("expired", True), ("adult-chengdu", False), ("blank", False)])
def test_an_expired_card_is_known_by_its_date(page: TestClient, run: Run, persona: str, expired: bool) -> None:
    run.card = catalogue.card(persona, "3.00")
    face = page.get("/api/readers/face/0").json()
    assert face["expired"] == expired
    assert bool(face["name"]) == (persona != "blank")


# --- new personas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"key": "My persona"}, "key"),
        ({"key": "../x"}, "key"),
        ({"holder": ""}, "holder"),
        ({"holder": "长" * 40}, "holder"),
        ({"number": "510101199003070011"}, "number"),
        ({"number": "519900199003070012"}, "number"),
        ({"number": "51990019900307001"}, "number"),
        ({"number": numbers.citizen_id("29990101", 1)}, "number"),
        ({"region": "990000"}, "region"),
        ({"pin": "12"}, "pin"),
        ({"pin": "１２３４"}, "pin"),
        ({"tries_left": 9}, "tries_left"),
        ({"parent": "nobody"}, "parent"),
        ({"parent": "../mine.toml"}, "parent"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_form_is_told_at_its_field(page: TestClient, form: dict[str, Any], field: str) -> None:
    assert list(judged(page, **form)) == [field]


def test_several_faults_are_told_at_once(page: TestClient) -> None:
    assert sorted(judged(page, holder="", number="1", region="x", pin="")) == ["holder", "number", "pin", "region"]


@pytest.mark.parametrize("parent", ["", "child-guardian"])
def test_a_good_form_is_a_persona_that_the_command_line_calls_good(page: TestClient, parent: str, state: Path) -> None:
    number = numbers.citizen_id("20190301" if parent else "19911224", 122)
    form = {**PERSON, "parent": parent, "number": number, "activated": False}
    answer = page.post("/api/readers/persona/save", json={"form": form})
    saved = answer.json()
    assert answer.status_code == 200, answer.text
    assert Path(saved["path"]) == state / "personas" / "mine.toml"
    assert check.check(saved["path"]).findings == []
    person = catalogue.persona(saved["path"])
    assert (person.pin, person.activated) == ("246802", False)
    assert person.values["SSSE/EF06"]["08"] == number
    assert catalogue.card(saved["path"], "3.00").layout.name == "3.00"


def test_a_saved_persona_is_on_the_shelf_put_in_by_name_and_never_overwritten_unasked(
    page: TestClient, run: Run, state: Path
) -> None:
    draft = {"form": PERSON}
    path = page.post("/api/readers/persona/save", json=draft).json()["path"]
    before = Path(path).read_text(encoding="utf-8")
    other = {"form": {**PERSON, "holder": "测试癸"}}
    refused(page.post("/api/readers/persona/save", json=other), 409, "there")
    assert Path(path).read_text(encoding="utf-8") == before
    assert page.post("/api/readers/persona/save", json=other | {"replace": True}).status_code == 200
    assert list((state / "personas").iterdir()) == [Path(path)]
    rows = {one["name"]: one for one in page.get("/api/readers/cards").json()["personas"]}
    assert rows["mine.toml"]["holder"] == "测试癸"
    steer(page, op="swap", slot=0, persona="mine.toml")
    assert run.asked[-1]["persona"] == path


def test_a_persona_that_is_not_good_is_not_kept_and_one_that_broke_is_shown_with_why(
    page: TestClient, run: Run, state: Path
) -> None:
    refused(page.post("/api/readers/persona/save", json={"form": {**PERSON, "holder": ""}}), 422, "input")
    assert not state.exists()
    shelf.save("broken", "name = ", replace=False)
    row = next(one for one in page.get("/api/readers/cards").json()["personas"] if one["name"] == "broken.toml")
    assert "not TOML" in row["wrong"]
    assert run.asked == []


def test_text_typed_in_place_of_the_form_is_judged_line_by_line(page: TestClient) -> None:
    good = page.post("/api/readers/persona/check", json={"form": PERSON}).json()["text"]
    typed = good.replace('09 = "测试壬"', f"09 = {json.dumps(HOSTILE)}").replace('region = "510100"', 'region = "5101"')
    wrong = page.post("/api/readers/persona/check", json={"form": PERSON, "text": typed}).json()["wrong"]
    lines = typed.splitlines()
    assert {(one["field"], lines[one["line"] - 1].split(" ")[0]) for one in wrong} >= {("region", "region")}
    broken = page.post("/api/readers/persona/check", json={"text": "name = \n"}).json()["wrong"]
    assert [one["line"] for one in broken] == [1]
    away = page.post("/api/readers/persona/check", json={"text": 'extends = "/etc/passwd.toml"\n'}).json()["wrong"]
    assert [one["field"] for one in away] == ["parent"]


def test_a_hostile_name_stays_what_it_is_in_the_toml(page: TestClient) -> None:
    name = "甲<b>'\"\\"
    text = page.post("/api/readers/persona/check", json={"form": {**PERSON, "holder": name}}).json()["text"]
    assert tomllib.loads(text)["values"]["SSSE/EF06"]["09"] == name


@pytest.mark.parametrize(("sex", "odd"), [("male", 1), ("female", 0)])
def test_a_made_up_number_is_nobodys_and_passes_its_check(page: TestClient, sex: str, odd: int) -> None:
    asked = {"birth": "20000229", "sex": sex, "order": 499}
    number = page.post("/api/readers/persona/number", json=asked).json()["number"]
    assert numbers.is_fictitious(number)
    assert number[-1] == numbers.citizen_check(number[:-1])
    assert int(number[16]) % 2 == odd
    refused(page.post("/api/readers/persona/number", json={**asked, "birth": "20010229"}), 422, "input")


# --- image files ------------------------------------------------------------------------------------------------------


def test_an_image_that_is_dropped_is_put_in_as_a_copy(page: TestClient, run: Run, state: Path) -> None:
    content = run.card.to_text().encode()
    kept = page.post("/api/readers/image", content=content).json()
    assert (kept["layout"], kept["algorithm"], kept["card"]) == ("3.00", "3des", "user")
    again = page.post("/api/readers/image", content=content).json()
    assert again["image"] != kept["image"], "one card in two slots would be one file held twice"
    steer(page, op="swap", slot=0, image=kept["image"])
    copy = Path(run.asked[-1]["image"])
    assert copy.parent == state / "studio" / "images"
    assert copy.read_bytes() == content
    assert copy.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{}", b'{"format": "sscard-card"}', b"x" * 100_000],
    ids=lambda content: repr(content[:9]),
)
def test_what_is_no_card_image_is_told_and_not_kept(page: TestClient, run: Run, state: Path, content: bytes) -> None:
    assert "image" in refused(page.post("/api/readers/image", content=content), 422, "input")
    damaged = run.card.to_text().replace("3B6D", "3B6E", 1).encode()
    assert "sha256" in refused(page.post("/api/readers/image", content=damaged), 422, "input")
    assert not state.exists()


# --- faults -----------------------------------------------------------------------------------------------------------


def test_there_is_a_ready_fault_of_every_kind_and_each_can_be_read() -> None:
    rows = ready_faults.rows()
    assert sorted(one["kind"] for one in rows) == sorted(KINDS)
    for one in rows:
        fault = plans.from_text(one["text"])
        plans.check(plans.Plan((fault,)), [catalogue.layout("3.00")])
        assert ready_faults.read(one["text"]) == {"faults": [one["text"]]}


# --- PIN pads ---------------------------------------------------------------------------------------------------------


def test_what_is_entered_on_the_page_is_what_the_pad_gives(page: TestClient) -> None:
    with pad_desk.served(5.0) as desk:
        (pad,) = page.get("/api/readers/pads").json()["pads"]
        for entry in ("246802", "cancel"):
            assert page.post("/api/readers/pads/enter", json={"pad": pad["pad"], "entry": entry}).json() == {}
        assert page.get("/api/readers/pads").json()["pads"][0]["queued"] == 2
        assert [desk.take(), desk.take()] == ["246802", "cancel"]
        refusal = page.post("/api/readers/pads/enter", json={"pad": pad["pad"], "entry": "987654321098765"})
        assert "9876" not in refused(refusal, 422, "input")
        longest = page.post("/api/readers/pads/enter", json={"pad": pad["pad"], "entry": "7" * 100})
        assert "777" not in refused(longest, 422, "input")
    refused(page.post("/api/readers/pads/enter", json={"pad": pad["pad"], "entry": "1234"}), 404, "missing")
    assert page.get("/api/readers/pads").json()["pads"] == []


def test_what_the_form_says_of_a_pin_is_only_in_its_text(page: TestClient) -> None:
    wrong = page.post("/api/readers/persona/check", json={"form": {**PERSON, "pin": "9" * 20}})
    assert "999" not in wrong.text
    assert len(page.post("/api/readers/persona/check", json={"form": PERSON}).json()["text"]) < drafts.LONGEST_TEXT


@pytest.mark.parametrize("what", ["a new persona", "a persona in place of one", "an image"])
def test_where_the_disk_has_no_room_it_is_said_and_nothing_is_left_half_written(
    page: TestClient, run: Run, state: Path, what: str
) -> None:
    resource = pytest.importorskip("resource", reason="a system that bounds files")
    save = {"form": PERSON, "replace": what == "a persona in place of one"}
    if save["replace"]:
        assert page.post("/api/readers/persona/save", json=save).status_code == 200
    before = {one: one.read_bytes() for one in state.rglob("*") if one.is_file()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))  # what the system says of it is what a full disk says
    try:
        refused = (
            page.post("/api/readers/image", content=run.card.to_text().encode())
            if what == "an image"
            else page.post("/api/readers/persona/save", json=save)
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (refused.status_code, refused.json()["error"]["kind"]) == (507, "disk")
    assert {one: one.read_bytes() for one in state.rglob("*") if one.is_file()} == before
