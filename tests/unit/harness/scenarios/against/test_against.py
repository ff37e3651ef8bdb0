"""Other makers' offices over HTTP: our own passes, a foreign one is judged, what is planted is found, and nothing that
was not judged is green.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from harness.cli import main
from harness.scenarios import model
from harness.scenarios.against import adapter as adapters
from harness.scenarios.against import bench, models, runner
from harness.scenarios.against.client import AgainstError, address
from harness.verdicts.documents import DocumentError
from harness.verdicts.verdict import Result, Verdict
from harness.web import app as web
from tests.kit import foreign_office
from tests.kit.foreign_office import MISTAKES, PASSWORD, Office
from tests.kit.sampled import sampled

ROOT = Path(__file__).parents[5]
SCENARIOS = model.find([ROOT / "vectors" / "office"])
BY_ID = {one.id: one for one in SCENARIOS}
FOREIGN = ROOT / "tests" / "data" / "foreign-office.yaml"
FOUND_BY = {
    foreign_office.TWO_CARDS: "OFFICE-8-ONE_PERSON_ONE_CARD",
    foreign_office.ID_DIGITS: "OFFICE-11-INFORMATION_CHECKED",
    foreign_office.AGENTS: "OFFICE-32-FOR_WHOM",
    foreign_office.IDENTITY: "OFFICE-17-WITH_IDENTITY",
}
USUAL = ("3.00-3des",)
Table = dict[str, Any]


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN_PASSWORD", PASSWORD)


def results(url: str, adapter: Path, *ids: str) -> dict[str, Result]:
    chosen = [BY_ID[one] for one in ids or FOUND_BY.values()]
    return {one.subject.id: one for one in runner.run(url, adapters.load(adapter), chosen, USUAL)}


def changed(tmp_path: Path, **parts: Any) -> Path:
    """The foreign office's adapter with other parts; None takes one out."""
    table = yaml.safe_load(FOREIGN.read_text(encoding="utf-8"))
    for name, value in parts.items():
        if value is None:
            table.pop(name)
        else:
            table[name] = value
    path = tmp_path / "adapter.yaml"
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    with bench.served() as app, web.background(app) as url:
        yield url


# --- our own --------------------------------------------------------------------------------------------------------

TELLING = (
    "OFFICE-32-LETTER", "OFFICE-18-SEVEN_DAYS", "OFFICE-24-TORN", "OFFICE-13-NOTHING_BEFORE",
    "OFFICE-29-FORGOTTEN_IN_TIME", "OFFICE-30-COMPARED_WITH_THE_BANKS", "OFFICE-33-PUBLIC_AND_HELPFUL",
)  # fmt: skip
"""A letter, a clock, a card torn out, a PIN, texts that stand nowhere, banks, outlets."""


def cases() -> list[tuple[str, str]]:
    """The telling ones on the usual card, and of all others on every kind of card some; all in `make deep`."""
    telling = [(one, *USUAL) for one in TELLING]
    every = [(one.id, profile) for one in SCENARIOS for profile in one.cards]
    return telling + sampled([one for one in every if one not in telling], 79)


@pytest.mark.timeout(1800)
def test_our_own_office_passes_over_http_what_it_passes_here(own: str) -> None:
    adapter = adapters.load(adapters.path_of(adapters.OWN))
    told = [one for scenario, profile in cases() for one in runner.run(own, adapter, [BY_ID[scenario]], (profile,))]
    assert [(one.subject.id, one.profile) for one in told] == cases()
    assert [(one.subject.id, one.profile, one.reason) for one in told if one.verdict is not Verdict.PASSED] == []


def test_whoever_drives_our_own_by_hand_sees_the_same(own: str, tmp_path: Path) -> None:
    ids = ("--only", "OFFICE-17-WITH_IDENTITY")
    done = CliRunner().invoke(
        main, ["scenarios", "run", *ids, "--against", own, "--adapter", "sscard", "--report", str(tmp_path), "--no-pdf"]
    )
    assert (done.exit_code, done.output.strip()) == (0, "1 passed 通过")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["conclusion"]["verdict"] == "conforms"
    steps = report["results"][0]["steps"]
    assert [one["ok"] for one in steps] == [True] * len(steps)
    assert steps[0]["clock"]["before"] == "2025-03-03T09:00:00+08:00", "as a report on our own office has it"


# --- another maker's ------------------------------------------------------------------------------------------------


def test_a_foreign_office_is_judged_by_what_it_does_and_tells() -> None:
    office = Office()
    with foreign_office.served(office) as url:
        told = results(url, FOREIGN)
    verdicts = {one: told[one].verdict for one in told}
    # One card each passes but for what the office does not tell, which its adapter says: never green.
    assert verdicts.pop(FOUND_BY[foreign_office.TWO_CARDS]) is Verdict.NOT_APPLICABLE
    assert set(verdicts.values()) == {Verdict.PASSED}
    assert ("SQ01", "M") in [(code, form.get("XB")) for code, form in office.seen], "in their words"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_planted_mistake_is_found_by_its_scenario_alone(mistake: str) -> None:
    with foreign_office.served(Office((mistake,))) as url:
        told = results(url, FOREIGN)
    assert [one for one in told if told[one].verdict is Verdict.FAILED] == [FOUND_BY[mistake]]
    failed = told[FOUND_BY[mistake]]
    assert "expected refused, got done" in failed.reason
    assert [one.ok for one in failed.steps].count(False) == 1


def test_what_the_adapter_does_not_have_is_named_and_never_green(tmp_path: Path) -> None:
    table = yaml.safe_load(FOREIGN.read_text(encoding="utf-8"))
    fewer = {name: one for name, one in table["operations"].items() if name != "cancel"}
    silent = {name: dict(one) for name, one in table["operations"].items()}
    silent["report-loss"] = {**silent["report-loss"], "omits": {"holder.type": "one field for all kinds"}}
    cases: list[tuple[Table, str, str]] = [
        ({"operations": fewer}, "OFFICE-32-FOR_WHOM", "[operation.cancel]"),
        ({"codes": {"/未交验/": "IDENTITY-SHOWN"}}, "OFFICE-32-FOR_WHOM", "[code.代办理由不成立]"),
        ({"queries": None}, "OFFICE-17-WITH_IDENTITY", "[register]"),
        ({"reset": None}, "OFFICE-17-WITH_IDENTITY", "[reset]"),
        ({"clock": None}, "OFFICE-18-SEVEN_DAYS", "[clock]"),
        ({"operations": silent}, "OFFICE-32-FOR_WHOM", "[request.agent."),
        ({"not_applicable": None}, "OFFICE-8-ONE_PERSON_ONE_CARD", "[register.usable]"),
        ({"clerks": {"officer": "admin"}}, "OFFICE-17-WITH_IDENTITY", "[clerk.clerk-maker]"),
        ({"words": {**table["words"], "life": {"9": "cancelled"}}}, "OFFICE-8-ONE_PERSON_ONE_CARD", "[words.life]"),
    ]
    with foreign_office.served(Office()) as url:
        for parts, scenario, what in cases:
            told = results(url, changed(tmp_path, **parts), scenario)[scenario]
            assert told.verdict is Verdict.MISSING, (what, told)
            assert what in told.reason


def test_a_reason_in_the_adapter_makes_it_not_applicable(tmp_path: Path) -> None:
    why = "nobody sets the clock of that office"
    path = changed(tmp_path, clock=None, not_applicable=[{"what": "clock", "reason": why}])
    with foreign_office.served(Office()) as url:
        told = results(url, path, "OFFICE-18-SEVEN_DAYS")["OFFICE-18-SEVEN_DAYS"]
    assert (told.verdict, why in told.reason) == (Verdict.NOT_APPLICABLE, True)


def test_an_answer_that_is_none_is_undefined_and_secrets_are_told_nowhere(tmp_path: Path) -> None:
    echo = {"path": "/sbk/do", "query": {"jydm": "{env.FOREIGN_PASSWORD}"}, "form": {"x": "{request.kind}"},
            "omits": {"holder": "not needed here", "shown": "not needed here"}}  # fmt: skip
    table = yaml.safe_load(FOREIGN.read_text(encoding="utf-8"))
    answers = {**table["answers"], "refused": "contains(body.ALL.ERR, '不能')", "why": "body"}
    path = changed(tmp_path, operations={**table["operations"], "report-loss": echo}, answers=answers)
    with foreign_office.served(Office()) as url:
        told = results(url, path, "OFFICE-17-WITH_IDENTITY")["OFFICE-17-WITH_IDENTITY"]
        away = results("http://127.0.0.1:1", FOREIGN, "OFFICE-17-WITH_IDENTITY")["OFFICE-17-WITH_IDENTITY"]
    assert told.verdict is away.verdict is Verdict.UNDEFINED
    assert "the adapter does not know" in told.reason
    assert PASSWORD not in str(told)


class Broken(BaseHTTPRequestHandler):
    """Answers no office gives, by the first part of the path: nothing at all, a page, one that never ends, or JSON
    deeper than anyone reads.
    """

    def do_POST(self) -> None:
        """Reads the request, and answers."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.startswith("/gone/"):
            self.close_connection = True
            return
        body = b"<p>\xe7\xbb\xb4\xe6\x8a\xa4" if self.path.startswith("/page/") else b"[" * 100_000
        self.send_response(200)
        self.send_header("content-type", "text/html" if self.path.startswith("/page/") else "application/json")
        if self.path.startswith("/drip/"):
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError):  # who asked is gone
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.05)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


def test_an_office_that_breaks_off_or_answers_nonsense_is_no_fault_of_ours(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(adapters.template().replace('bearer: "{env.OFFICE_TOKEN}"', "headers: {}"), encoding="utf-8")
    mine.write_text(mine.read_text(encoding="utf-8").replace("timeout: 10 ", "timeout: 1 "), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            gone, deep, page, drip = (
                results(f"{url}/{path}", mine, "OFFICE-3-MANAGEMENT_BODY")["OFFICE-3-MANAGEMENT_BODY"]
                for path in ("gone", "deep", "page", "drip")
            )
        finally:
            server.shutdown()
            serving.join()
    away = results("http://127.0.0.1:1", mine, "OFFICE-3-MANAGEMENT_BODY")["OFFICE-3-MANAGEMENT_BODY"]
    assert {one.verdict for one in (gone, deep, page, drip, away)} == {Verdict.UNDEFINED}
    assert gone.reason == (
        "POST /test/reset: the connection ended before a whole HTTP answer had come, or what came is none"
    )
    assert deep.reason == "POST /test/reset: not done (HTTP 200; the body is no JSON)"
    read = "its content type is 'text/html', read as text: answers.form says otherwise"
    assert page.reason == f"POST /test/reset: not done (HTTP 200; {read})"
    assert drip.reason == "POST /test/reset: no answer within 1 s"
    assert away.reason == "POST /test/reset: nobody listens there"


def test_a_wrong_password_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN_PASSWORD", "another-one")
    with foreign_office.served(Office()) as url:
        told = results(url, FOREIGN)
    assert {one.verdict for one in told.values()} == {Verdict.UNDEFINED}
    assert all("the login was not taken" in one.reason for one in told.values())
    monkeypatch.delenv("FOREIGN_PASSWORD")
    with pytest.raises(AgainstError, match="FOREIGN_PASSWORD"):
        runner.run("http://127.0.0.1:1", adapters.load(FOREIGN), [], ())


def test_the_command_ends_with_four_where_something_was_not_judged(tmp_path: Path) -> None:
    path = changed(tmp_path, not_applicable=None)
    ids = ("--only", "OFFICE-8-ONE_PERSON_ONE_CARD", "--only", "OFFICE-17-WITH_IDENTITY")
    with foreign_office.served(Office()) as url:
        ended = CliRunner().invoke(main, ["scenarios", "run", *ids, "--against", url, "--adapter", str(path)])
    assert ended.exit_code == 4
    assert "1 passed 通过, 1 requirement missing 缺少条件" in ended.output


def test_usage() -> None:
    for arguments in (["--against", "http://127.0.0.1:1"], ["--adapter", "sscard"],
                      ["--against", "ftp://x", "--adapter", "sscard"],
                      ["--against", "http://user:geheim@127.0.0.1", "--adapter", "sscard"]):  # fmt: skip
        ended = CliRunner().invoke(main, ["scenarios", "run", *arguments])
        assert ended.exit_code == 2
        assert "geheim" not in ended.output
        assert "--against: --against" not in ended.output
    assert address("https://office.example/api/") == "https://office.example/api"


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_models() -> None:
    path = ROOT / "harness" / "scenarios" / "against" / "schema-1.json"
    assert path.read_text(encoding="utf-8") == models.text(), "write harness.scenarios.against.models.text() there"
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_our_own_has_everything_and_the_template_can_be_used(tmp_path: Path) -> None:
    own = adapters.check(adapters.path_of(adapters.OWN))
    assert own.adapter is not None
    assert (own.faults, adapters.gaps(own.adapter, SCENARIOS)) == ((), [])
    new = tmp_path / "mine.yaml"
    run = CliRunner()
    assert run.invoke(main, ["scenarios", "adapter", "new", str(new)]).exit_code == 0
    assert run.invoke(main, ["scenarios", "adapter", "new", str(new)]).exit_code == 1, "what is there stays"
    checked = run.invoke(main, ["scenarios", "adapter", "check", str(new), "--json"])
    assert checked.exit_code == 0
    assert json.loads(checked.output)["faults"] == []
    assert "operation.apply" in json.loads(checked.output)["missing"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answers:\n", "anwsers:\n", "unknown name 'anwsers'; did you mean \"answers\"?"),
        ("  report-loss:\n", "  report-los:\n", "unknown operation 'report-los'; did you mean \"report-loss\"?"),
        ("{request.kind|loss_kind}", "{request.kind|loss_knid}", 'words.loss_knid; did you mean "loss_kind"?'),
        ("{request.bank}", "{reqest.bank}", '{reqest.bank}: there is no such value; did you mean "request"?'),
        ("  code: body.ALL.ERR\n", "  code: body.ALL.\n", "not an expression of JMESPath"),
        (
            "  code: body.ALL.ERR\n",
            "  code: body.数据\n",
            'names that are not ASCII stand in double quotes: body."数据"',
        ),
        ("{request.kind|loss_kind}", "{request.kind|挂失}", "there is no table words.挂失"),
        (
            "{request.bank}",
            "{request.bank?|bank}",
            "{request.bank?|bank} is no place: expected {name}, {name?} or {name|table}",
        ),
        ("{request.bank}", "{ request.bank }", "{ request.bank } is no place"),
        ("AGENT-CAUSE", "AGENT-CUASE", 'there is no rule AGENT-CUASE; did you mean "AGENT-CAUSE"?'),
        ("/未交验/", "/未(交验/", "not a regular expression"),
        ("timeout: 10", "timeout: 0", "0 is less than or equal to the minimum"),
        ("\nlogin:\n", "\nauth: {bearer: plain-text-secret}\nlogin:\n", "a secret does not stand in the file"),
        ("  reset", "\treset", "YAML"),
    ],
)
def test_a_mistake_in_an_adapter_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FOREIGN.read_text(encoding="utf-8")
    old = old if old in text else "reset"
    line = text[: text.index(old)].count("\n") + 1 + new.startswith("\n")
    path = tmp_path / "adapter.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    ended = CliRunner().invoke(main, ["scenarios", "adapter", "check", str(path)])
    assert ended.exit_code == 1
    told = [one for one in ended.output.splitlines() if said in one]
    assert told or said == "YAML", ended.output
    with pytest.raises(DocumentError):
        adapters.load(path)
    if said.startswith(("unknown", "not a", "there is no rule")):
        assert told[0].startswith(f"{path}:{line}: ")
