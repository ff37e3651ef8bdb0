"""What the page does where an extra is missing: what needs it says so, the rest works."""

from __future__ import annotations

import subprocess
import sys

from harness.studio.settings import Settings
from tests.unit.house.test_errors import ROOT

WITHOUT = """
import sys
lacking = set(sys.argv.pop(1).split(","))
class Lacking:
    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package in lacking:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
sys.meta_path.insert(0, Lacking())
"""
ASKED = """
from fastapi.testclient import TestClient
from harness.studio import parts
from harness.studio.app import create
from harness.studio.context import Studio
from harness.studio.settings import Settings
studio = Studio(Settings())
client = TestClient(create(studio.hub, parts.routers(studio)), base_url="http://127.0.0.1")
for path in ("/api/verdicts/offers", "/api/session/list", "/"):
    answer = client.get(path)
    print(answer.status_code, answer.json()["error"]["text"] if answer.status_code == 501 else "")
"""
SERVED = """
from harness.studio.process import main
main()
"""


def without(packages: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program in a Python that has not these packages."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + program, packages, *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


def test_without_the_office_and_conformance_the_verdicts_say_so_and_the_cards_are_seen() -> None:
    verdicts, session, page = without("sqlalchemy,jsonschema", ASKED).stdout.splitlines()
    assert verdicts.startswith("501 this part of the page needs ")
    assert (session.strip(), page.strip()) == ("200", "200")


def test_without_the_web_extra_it_is_one_sentence() -> None:
    done = without("uvicorn,fastapi", SERVED, Settings().as_json())
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("sscard: the page needs ")
    assert "which is not installed" in said
