"""What docs/machine.md says is what the encryption machine does."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from harness.cli.hsm import PORT
from harness.hsm.machine import EncryptionMachine, MachineError
from harness.web import hsm as service
from harness.web import refusals
from harness.web.hsm import EXAMPLES

DOCS = Path(__file__).parents[4] / "docs"
BOTH = pytest.mark.parametrize("name", ["machine.md", "machine.zh-CN.md"])
SERVED = f"http://127.0.0.1:{PORT}"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@BOTH
def test_the_requests_work(name: str) -> None:
    client = TestClient(service.create(EncryptionMachine()), base_url=SERVED)
    pairs = re.findall(r"^(curl .*)\n# (.*)$", text(name), re.MULTILINE)
    assert {shlex.split(command)[2].removeprefix(SERVED) for command, _ in pairs} == set(EXAMPLES)
    for command, answer in pairs:
        _, _, url, _, body = shlex.split(command)
        assert client.post(url, json=json.loads(body)).text == answer


@BOTH
def test_statuses_and_links(name: str) -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (\d+) \|", text(name), re.MULTILINE)
    assert {kind for kind, _ in rows} == {"input", "algorithm", "region", "address", "level"}
    assert {kind: int(status) for kind, status in rows} == {
        kind: refusals.status(MachineError(kind, "")) for kind, _ in rows
    }
    for link in re.findall(r"\]\(([^)]+)\)", text(name)):
        assert (DOCS / link).exists(), link


def test_the_python_example() -> None:
    found = re.search(r"```python\n(.*?)```", text("machine.md"), re.DOTALL)
    assert found
    exec(found.group(1), {})
