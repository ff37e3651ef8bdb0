"""What docs/office*.md say is what the program does: the morning at the counter, the tables, the requests."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from emulator.errors import SscardError
from harness.cli import main
from harness.clock import Clock
from harness.office.cards.store import CardStore
from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.case.services import Services
from harness.office.desk import lookup, tokens
from harness.office.desk.office import HalfWay, Office
from harness.office.letter.ask import LetterRequest
from harness.office.measures.articles import Citation
from harness.office.people import made_up
from harness.office.register import seed
from harness.office.register.queries import Unknown
from harness.office.register.store import Conflict, Register, Unusable
from harness.office.requests import parsed
from harness.office.requests.models import Agent
from harness.readers.pcsc import PcscError
from harness.web import refusals
from harness.web.office import create
from tests.kit.offices import START

ROOT = Path(__file__).parents[5]
DOCS = ROOT / "docs"
BOTH = pytest.mark.parametrize("name", ["office.md", "office.zh-CN.md"])


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def files(name: str, folder: Path) -> None:
    """The page's YAML files, as it names them, and a face."""
    for file, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", text(name), re.DOTALL):
        (folder / file).write_text(content, encoding="utf-8")
    (folder / "face.jpg").write_bytes(made_up.PHOTO)


def test_the_tables_are_the_code() -> None:
    assert text("reference/office-rules.md") == lookup.markdown(), (
        "sscard office rules --markdown > docs/reference/office-rules.md"
    )


@BOTH
def test_the_morning_at_the_counter_and_the_requests(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files(name, tmp_path)
    found = re.search(r"```console\n(.*?)```", text(name), re.DOTALL)
    assert found
    for session in re.split(r"^\$ ", found.group(1), flags=re.MULTILINE)[1:]:
        command, _, expected = session.partition("\n")
        program, office, *arguments = shlex.split(command)
        assert (program, office) == ("sscard", "office")
        result = CliRunner().invoke(main, ["office", "--now", START.isoformat(), *arguments])
        assert result.output == expected, command
    register = Register(tmp_path / "office.db")
    desk = Office(register, Services(CardStore(tmp_path / "office-cards")), Clock(START))
    with register.transaction() as session_:
        token = tokens.give(session_, seed.MAKER, desk.clock.now())
    client = TestClient(create(desk), base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {token}"})
    requests = re.findall(r"-d '(.*?)' \\\n  \"http://127.0.0.1:8645(\S+)\"", text(name))
    assert len(requests) == 2
    for body, path in requests:
        response = client.post(path, json=json.loads(body))
        assert response.status_code == 200, response.text
    for example in re.findall(r"```python\n(.*?)```", text(name), re.DOTALL):
        exec(example, {})


@BOTH
def test_the_files_are_understood(name: str, tmp_path: Path) -> None:
    files(name, tmp_path)
    (person,) = parsed.people(tmp_path / "person.yaml")
    assert person.phone == "00000000011", "text, though it looks like a number"
    assert parsed.model(Agent, parsed.mapping(tmp_path / "agent.yaml"), "agent").shown
    assert parsed.model(LetterRequest, parsed.mapping(tmp_path / "letter.yaml"), "letter").holder == person.document


@BOTH
def test_every_kind_of_error_every_rule_outside_the_table_and_the_links(name: str) -> None:
    page = text(name)
    told: list[SscardError] = [
        Refusal("RULE", Citation(8), "", ""), HalfWay(1, ""), Unknown(""), Failed(""), PcscError(""), Unusable(""),
        Conflict(""),
    ]  # fmt: skip
    for kind, status in ((one.word, refusals.status(one)) for one in told):
        assert re.search(rf"^\| {status} \|[^|]*`{kind}`", page, re.MULTILINE), kind
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "harness" / "office").rglob("*.py")]
    raised = {rule for source in sources for rule in re.findall(r'Refusal\(\s*"([A-Z-]+)"', source)}
    declared = {one.rule.id for one in lookup.rules()}
    assert raised - declared
    assert all(rule in page or rule.replace("CREDENTIAL-", "-") in page for rule in raised - declared)
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (DOCS / link).exists(), link
