"""Reports of every kind as people see them, wide and narrow: axe-core finds nothing serious, nothing is cut off."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import native
from tests.deep.test_studio_looks import WIDTHS, serious
from tests.kit import browsers, terminals
from tests.kit.cards import SSSE, WRONG_PIN
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.cli.test_monitor_command import recorded
from tests.unit.harness.verdicts.test_page import VECTORS

PICTURES = os.environ.get("SSCARD_SCREENSHOTS")
"""A folder for pictures of what was tried; none are made without."""


def of_vectors(folder: Path) -> None:
    (folder / "mine.yaml").write_text(VECTORS, encoding="utf-8")
    run("vectors", "run", str(folder / "mine.yaml"), "--report", str(folder / "report"), expect=1)


def of_a_terminal(folder: Path) -> None:
    recorded(folder / "t.jsonl", SSSE, "00C000001E", WRONG_PIN, WRONG_PIN)
    run("monitor", str(folder / "t.jsonl"), "--report", str(folder / "report"), expect=1)


def of_scenarios(folder: Path) -> None:
    run("scenarios", "run", "--only", "OFFICE-24-*", "--profile", "3.00-sm4", "--report", str(folder / "report"))


def of_a_proving(folder: Path) -> None:
    run("prove", "--driver", "--situation", "ordinary", "--report", str(folder / "report"), "--", "false", expect=1)


def of_a_sweep(folder: Path) -> None:
    (folder / "built").mkdir()
    program = [str(terminals.compiled(native.built(folder / "built"), folder)), "510700", str(folder / "journal")]
    run("prove", "--driver", "--sweep", "--limit", "3", "--report", str(folder / "report"), "--", *program, expect=4)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("made", [of_vectors, of_a_terminal, of_scenarios, of_a_proving, of_a_sweep])
def test_a_report_can_be_read_by_everybody(made: Callable[[Path], None], width: str, tmp_path: Path) -> None:
    made(tmp_path)
    address, wide = (tmp_path / "report/report.html").as_uri(), WIDTHS[width]
    with browsers.chromium() as browser, browsers.opened(browser, address, width=wide) as page:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, "it does not scroll sideways"
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"report-{made.__name__}-{width}.png"), full_page=True)
