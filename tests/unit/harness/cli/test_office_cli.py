"""`sscard office`: a command for each operation, cards in one go, and errors that a person can mend."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.office.commands import COMMANDS
from harness.cli.office.operations import APART
from harness.office.case.shared_rules import BASE
from harness.office.operations import ALL
from harness.office.register import seed
from tests.kit.office_fronts import ME, CommandLine, person_as_text, pulled_out
from tests.kit.offices import citizen

DOC = ME.document.number
AGENT = {
    "name": "测试代理人",
    "document": citizen(13).document.number,
    "phone": "00000000013",
    "relation": "relative",
    "cause": "other",
    "shown": [citizen(13).document.number, "agent-commitment"],
}


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


# --- one day at the counter ------------------------------------------------------------------------------------------


def test_from_application_to_cancellation(commands: CommandLine) -> None:
    run, result = commands.run, commands.result
    person = commands.write("me.yaml", person_as_text(ME))
    applied = run("apply", "--person", person, "--bank", seed.BANK, "--identity", SSCARD_ELECTRONIC_PIN="135790")
    assert "application: 1" in applied.stdout
    card = str(result("make", "1")["card"])
    assert result("hand-out", "1", "--identity")["card"] == card
    assert result("activate", "--card", card, "--identity", "--with-account")["account"] == "active"
    changed = run("change-pin", "--card", card, stdin="123456\n246810\n246810\n")
    assert "第十五条第一款 article 15, paragraph 1" in changed.stdout
    assert "246810" not in changed.output
    run("reset-pin", "--card", card, "--identity", "--new", "135792")
    run("reset-pin", "--card", card, "--identity", "--unblock", SSCARD_NEW_PIN="000111")
    run("change-pin", "--card", card, "--old", "135792", "--new", "246810")
    assert result("transfer", "--to", "510700", "--insurance", "all", "--card", card)["to"] == "510700"
    run("change-information", "--card", card, "--phone", "00000000099")
    query = result("query", "--holder", DOC, "--identity", "--whole")
    assert query["holder"]["phone"] == "00000000099"
    assert "until" in result("report-loss", "--number", card, "--identity", "--kind", "temporary")
    run("lift-loss", "--card", card, "--identity")
    run("report-loss", "--holder", f"id-card:{DOC}", "--shown", f"id-card:{DOC}")
    agent = commands.write("agent.yaml", AGENT)
    assert result("reissue", "--holder", DOC, "--identity", "--agent", agent)["fee"] == 2000
    new = str(result("make", "2", "--algorithm", "sm4")["card"])
    run("hand-out", "2", "--identity")
    run("withdraw", "--card", card, "--why", "补领后收回")
    run("close-account", "--number", card)
    run("cancel", "--number", new, "--identity", "--reason", "pension-ended", "--shown", "written-request")
    assert result("tell-banks") | {"sent": 0, "waiting": 0} == result("tell-banks"), "they heard at once"
    trail = result("trail", "--card", card)
    assert {"activate", "transfer", "withdraw"} <= {one["operation"] for one in trail}
    assert all(one["card"] == card for one in trail)
    assert "every seal holds" in run("trail", "--person", DOC, "--verify").stdout
    assert not re.search("135790|246810|135792", run("trail").stdout)


def test_every_operation_has_a_command() -> None:
    assert set(ALL) - set(COMMANDS) == APART
    listed = CliRunner().invoke(main, ["office", "--help"]).stdout
    assert all(f"  {name} " in listed for name in COMMANDS)
    for name, operation in ALL.items():
        if name in COMMANDS:
            names = [one.name for one in COMMANDS[name].params]
            assert len(set(names)) == len(names), "no two options are one"
            text = CliRunner().invoke(main, ["office", name, "--help"]).stdout
            words = re.sub(r"\s", "", text)
            assert re.sub(r"\s", "", operation.citation.zh) in words
            assert operation.citation.label_zh in words


def test_a_whole_request_from_a_file(commands: CommandLine) -> None:
    shown = f"id-card:{DOC}"
    request = {"person": person_as_text(ME), "bank": seed.BANK, "shown": [shown], "electronic_pin": "135790"}
    file = commands.write("request.yaml", request)
    assert commands.result("apply", "--file", file)["application"] == 1
    again = commands.run("apply", "--file", file, "--json", expect=1)
    assert json.loads(again.stdout)["error"]["rule"] == "ONE-CARD"
    assert "第八条：一人一卡" in again.stderr
    assert "article 8: one person, one card" in again.stderr
    people = commands.write("people.yaml", [person_as_text(citizen(31)), person_as_text(citizen(33))])
    agent = citizen(13).document.number
    batch = commands.result(
        "apply-batch", "--institution", "虚构科技有限公司", "--letter", "介字1号", "--clerk-name", "测试经办",
        "--clerk-document", agent, "--shown", agent, "--bank", seed.OTHER_BANK, "--people", people,
    )  # fmt: skip
    assert [one["application"] for one in batch["accepted"]] == [2, 3]


def test_who_acts(commands: CommandLine) -> None:
    card = commands.issued()
    commands.run("freeze", "--number", card, "--why", "数据异常")
    refused = commands.run("unfreeze", "--number", card, "--clerk", seed.MAKER, expect=1)
    assert "第三条：该业务由卡管理机构承担" in refused.stderr
    assert "no clerk 'nobody'" in commands.run("tell-banks", "--clerk", "nobody", expect=1).stderr


# --- interrupted work, papers, looks ---------------------------------------------------------------------------------


def test_interrupted_work_is_listed_resumed_and_abandoned(
    commands: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = commands.issued()
    assert "nothing waits" in commands.run("pending").stdout
    change = ("change-information", "--card", card, "--phone", "00000000077", "--address", "虚构路7号")
    with pulled_out(monkeypatch, 1):
        assert "interrupted, resume or abandon number 2" in commands.run(*change, expect=1).stderr
    assert f"2  card {card}  change-information (write-items)" in commands.run("pending").stdout
    commands.run("abandon", "2")
    with pulled_out(monkeypatch, 0):
        error = json.loads(
            commands.run("reset-pin", "--card", card, "--identity", "--new", "8642", "--json", expect=1).stdout
        )
    assert (error["error"]["kind"], error["error"]["pending"]) == ("half-way", 3)
    assert "密码重置" in commands.run("resume", "3", stdin="8642\n8642\n").stdout
    commands.run("change-pin", "--card", card, "--old", "8642", "--new", "2468")
    assert "nothing of number 3 waits" in commands.run("resume", "3", expect=1).stderr


def test_the_letter(commands: CommandLine) -> None:
    commands.issued()
    agent = {name: AGENT[name] for name in ("name", "document", "phone")}
    told = {"holder": DOC, "agent": agent, "relation": "child", "operations": ["report-loss"], "cause": "elderly"}
    file = commands.write("letter.yaml", told)
    page, printed = commands.folder / "letter.html", commands.folder / "letter.pdf"
    commands.run("letter", "--file", file, "-o", str(page))
    commands.run("letter", "--file", file, "-o", str(printed))
    assert "测试甲" in page.read_text(encoding="utf-8")
    assert printed.read_bytes().startswith(b"%PDF")
    assert [one["operation"] for one in commands.result("trail")].count("letter") == 2
    commands.run("letter", "--file", file, "-o", "letter.doc", expect=2)
    stranger = commands.write("stranger.yaml", told | {"holder": "passport:X1"})
    assert "no such person" in commands.run("letter", "--file", stranger, "-o", str(page), expect=1).stderr


def test_the_credential(commands: CommandLine) -> None:
    commands.issued()
    show = ("credential", "show", "--holder", DOC)
    drawn = commands.run(*show, stdin="135790\n").stdout.splitlines()
    assert "测试 TEST" in drawn
    assert "测*" in commands.run("credential", "verify", drawn[-1]).stdout
    assert "used already" in commands.run("credential", "verify", drawn[-1], expect=1).stderr
    for name in ("code.svg", "code.png"):
        commands.run(*show, "-o", str(commands.folder / name), SSCARD_ELECTRONIC_PIN="135790")
    assert (commands.folder / "code.png").read_bytes().startswith(b"\x89PNG")
    assert "测试 TEST" in (commands.folder / "code.svg").read_text(encoding="utf-8")
    wrong = commands.run(*show, "--pin", "999999", expect=1)
    assert "4 tries left" in wrong.stderr
    assert "999999" not in wrong.output


def test_what_is_only_looked_at(commands: CommandLine) -> None:
    assert len(commands.result("outlets")) == 5
    assert "四川省虚构卡管理中心" in commands.run("outlets", "--special", "cross-province", "--region", "51").stdout
    assert {one["operation"] for one in commands.result("services")} == set(ALL)
    assert "close-account" in commands.run("services").stdout
    article = commands.run("measures", "24").stdout
    assert ALL["transfer"].citation.zh in article
    assert ALL["transfer"].citation.en in article
    assert len(commands.result("measures")) == 34
    commands.run("measures", "35", expect=2)
    rows = commands.result("rules")
    declared = {one.id for one in BASE} | {one.id for operation in ALL.values() for one in operation.rules}
    assert {one["rule"] for one in rows} == declared
    assert "ONE-CARD" in commands.run("rules").stdout


def test_tokens(commands: CommandLine) -> None:
    first = commands.run("token", seed.MAKER, "--days", "3").stdout.strip()
    assert first.startswith("sscard-office-")
    assert commands.result("token", seed.MAKER)["token"] != first
    assert "no token any more" in commands.run("token", seed.MAKER, "--revoke").stdout
    assert "there are clerk-maker" in commands.run("token", "nobody", expect=1).stderr
    assert first not in commands.run("trail").stdout


# --- what a user can mend --------------------------------------------------------------------------------------------


def test_errors_say_what_to_do(commands: CommandLine) -> None:
    run = commands.run
    assert "transfer needs --to, --insurance" in run("transfer", expect=2).stderr
    assert "hand-out needs APPLICATION" in run("hand-out", expect=2).stderr
    assert "2025-03-03T09:00" in run("query", "--now", "soon", expect=2).stderr
    assert "Invalid value for '--holder'" in run("query", "--holder", "fairy:1", expect=2).stderr
    run("query", "--card", "A00000011", "--reader", "X", expect=2)
    assert (
        "make one with `sscard office" in run("query", "--register", str(commands.folder / "none.db"), expect=1).stderr
    )
    assert "the drawer has no card" in run("query", "--card", "A99999999", expect=1).stderr
    assert "nobody is known" in run("query", "--identity", expect=1).stderr
    assert "application: expected less than" in run("hand-out", "9" * 30, "--identity", expect=1).stderr
    odd = commands.write("odd.yaml", {"application": "first"})
    assert (
        "odd.yaml: application: expected a whole number"
        in run("hand-out", "--file", odd, "--identity", expect=1).stderr
    )
    assert "issue: bank: expected a length of" in run("issue", "--made-up", "--bank", "", expect=1).stderr
    assert "to: GB/T 2260 has no such" in run("transfer", "--to", "519999", "--insurance", "all", expect=1).stderr
    assert "person.yaml" in run("issue", "--person", "no/person.yaml", expect=1).stderr
    assert "no.toml: cannot be read" in run("pending", "--calendar", "no.toml", expect=1).stderr
    broken = commands.folder / "broken.db"
    broken.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    assert "broken.db" in run("outlets", "--register", str(broken), expect=1).stderr
    assert run("query", "--reader", "No such", expect=3).stderr.startswith("sscard: ")


def test_options_stand_before_or_after_and_the_environment_stands_last(tmp_path: Path) -> None:
    here, there = str(tmp_path / "here.db"), str(tmp_path / "there.db")

    def run(*arguments: str, expect: int = 0) -> Result:
        result = CliRunner().invoke(main, ["office", *arguments], env={"SSCARD_OFFICE": there})
        assert result.exit_code == expect, result.output
        return result

    run("--register", here, "init")
    assert not Path(there).exists()
    run("outlets", "--register", here)
    run("--register", here, "outlets")
    run("outlets", expect=1)
    run("init")
    assert Path(there).exists()
    assert (tmp_path / "office-cards").is_dir(), "beside the register"


def test_help_does_not_wait_for_the_database() -> None:
    code = (
        "import sys; from harness.cli import main; main(['--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'fastapi', 'pydantic', 'harness.office')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "office" in done.stdout


def test_looks_at_the_trail_stand_on_it_and_overdue_applications_are_listed(commands: CommandLine) -> None:
    commands.issued()
    assert "management body" in commands.run("trail", "--clerk", seed.MAKER, expect=1).stderr
    commands.run("trail")
    assert [one["operation"] for one in commands.result("trail")][-1] == "trail"
    assert "nothing is late" in commands.run("late").stdout
    person = commands.write("you.yaml", person_as_text(citizen(33)))
    commands.run("apply", "--person", person, "--bank", seed.BANK, "--identity", "--electronic-pin", "135790")
    assert "2025-04-15" in commands.run("late", "--all").stdout
    assert "逾期 late" in commands.run("late", "--now", "2025-06-03T09:00").stdout
    assert commands.result("late", "--now", "2025-06-03T09:00")[0]["late"] is True
