"""What docs/terminals.md and docs/reference/rules.md say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli.monitor import rules_markdown
from harness.faults import plan
from harness.faults.kinds import KINDS
from harness.monitor.rules import RULES

pytest_plugins = ["pytester"]
DOCS = Path(__file__).parents[4] / "docs"
BOTH = pytest.mark.parametrize("name", ["terminals.md", "terminals.zh-CN.md"])


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_rules_in_the_docs_are_the_code() -> None:
    assert text("reference/rules.md") == rules_markdown(), "sscard monitor --rules --markdown"


@BOTH
def test_every_fault_and_its_fields_are_told(name: str) -> None:
    rows = re.findall(r"^\| `([a-z][a-z0-9-]*)` \|([^|]*)\|", text(name), re.MULTILINE)
    told = {kind: set(re.findall(r"`([a-z_]+)`", fields)) for kind, fields in rows}
    assert told == {kind: set(model.takes()) for kind, model in KINDS.items()}


@BOTH
def test_the_plan_in_the_docs_loads(name: str, tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", text(name), re.DOTALL)
    assert found
    path = tmp_path / "plan.yaml"
    path.write_text(found.group(1), encoding="utf-8")
    assert [str(one) for one in plan.load(path).faults] == [
        "status,sw=6581,executed=yes,nth=1,file=DF03/EF05,item=61",
        "garbled,one_in=50,instruction=READ_RECORD",
    ]
    for fault in re.findall(r"--fault (\S+)", text(name)):
        assert plan.from_text(fault)


@BOTH
def test_the_number_of_rules_and_the_links(name: str) -> None:
    assert str(len(RULES)) in text(name)
    for link in re.findall(r"\]\(([^)]+)\)", text(name)):
        assert (DOCS / link.partition("#")[0]).exists(), link


@BOTH
def test_the_python_example(name: str, pytester: pytest.Pytester) -> None:
    found = re.search(r"```python\n(.*?)```", text(name), re.DOTALL)
    assert found
    pytester.makepyfile(found.group(1))
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
