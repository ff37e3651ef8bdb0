"""A report's page, read back by parsers that nobody here wrote: what it says, where its links go, what stays text."""

from __future__ import annotations

import base64
import copy
import importlib.util
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from emulator import messages
from harness.verdicts import page, report_file, report_text
from harness.verdicts.page.view import MOST_TOLD, span
from tests.kit.cards import SSSE, WRONG_PIN
from tests.kit.judged import ASK
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.cli.test_monitor_command import recorded

printing = pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="WeasyPrint is not installed")
tinyhtml5: Any = pytest.importorskip("tinyhtml5", reason="comes with WeasyPrint")
HOSTILE = "<script>alert(1)</script>\u202e\x1b[2J<img src=x onerror=alert(1)>"
VECTORS = f"""\
schema: 1
id: MINE-BAD
standard: SSSE_RECORD
title: {json.dumps(HOSTILE)}
title_zh: 期望错误
grade: own
source: "ours [D]"
steps:
  - select: SSSE
  - read: SSSE/EF05/07
    expect: {{length: 12}}
  - verify_pin: right
---
schema: 1
id: MINE-KNOWN
standard: VERIFY
title: known
title_zh: 已知
grade: own
source: "ours [D]"
steps:
  - verify_pin: wrong
    expect: {{sw: "9000"}}
---
schema: 1
id: MINE-GOOD
standard: VERIFY
title: good
title_zh: 好
grade: own
source: "ours [D]"
steps:
  - select: SSSE
  - verify_pin: right
"""
LARGEST = 1_500_000
"""Bytes of a page of 1,300 cases."""


class Read:
    """A page as an HTML parser of others reads it."""

    def __init__(self, text: str) -> None:
        parser = tinyhtml5.parser.HTMLParser(namespace_html_elements=False)
        self.root: Element = parser.parse(text)
        self.errors = [code for __, code, *_ in parser.errors]

    def all(self, name: str, kind: str = "") -> list[Element]:
        return [one for one in self.root.iter(name) if not kind or kind in one.get("class", "").split()]

    def one(self, name: str, kind: str) -> Element:
        (found,) = self.all(name, kind)
        return found

    def by_id(self, name: str) -> Element:
        (found,) = (one for one in self.root.iter() if one.get("id") == name)
        return found


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def table_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {**found, "sha256": "0" * 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one vector fails, one fails as the baseline says, one passes."""
    place = tmp_path_factory.mktemp("page")
    (place / "mine.yaml").write_text(VECTORS, encoding="utf-8")
    (place / "known.txt").write_text("MINE-KNOWN\n", encoding="utf-8")
    run(
        "vectors", "run", str(place / "mine.yaml"), "--profile", "3.00-3des", "--profile", "3.00-sm4",
        "--baseline", str(place / "known.txt"), "--report", str(place / "report"), "--tester", "李工",
        "--product", HOSTILE, expect=1,
    )  # fmt: skip
    return place / "report"


@pytest.fixture(scope="module")
def shown(folder: Path) -> Read:
    return Read((folder / "report.html").read_text(encoding="utf-8"))


# --- what it says ----------------------------------------------------------------------------------------------------


def test_the_verdict_stands_at_the_top_with_what_it_rests_on(shown: Read) -> None:
    verdict = shown.one("section", "verdict")
    assert text(verdict).startswith("✗ 不符合 Does not conform")
    assert "2 cases failed outside the baseline: MINE-BAD" in text(verdict)
    assert "2 cases failed as the baseline says: MINE-KNOWN" in text(verdict)
    assert next(shown.root.iter("section")) is verdict


def test_failures_come_before_known_ones_with_their_steps_beside_the_exchanges(shown: Read) -> None:
    findings = shown.all("section", "finding")
    assert [text(one.find("h4")).split(" ")[1] for one in findings] == ["MINE-BAD"] * 2 + ["MINE-KNOWN"] * 2  # type: ignore[arg-type]
    rows = [one for one in findings[0].iter("tr") if one.get("id")]
    assert [text(next(iter(one))) for one in rows] == ["", "✓", "✗", "·"], "the reset is of no step"
    good, bad, unreached = rows[1:]
    assert "选择应用 SSSE" in text(good)
    assert "[1] → 00A40400" in text(good)
    assert "expected 12 bytes of data, got 11" in text(bad)
    assert "[2] → 00B207" in text(bad)
    assert "→" not in text(unreached), "it was never done"


def test_every_link_leads_somewhere_and_every_place_is_one(shown: Read) -> None:
    places = [one.get("id") for one in shown.root.iter() if one.get("id")]
    assert len(places) == len(set(places))
    links = [one.get("href", "") for one in shown.all("a")]
    assert links
    assert {one[1:] for one in links} <= set(places)


def test_coverage_tells_of_what_was_run_alone(shown: Read) -> None:
    heat = shown.one("div", "heats")
    items = [text(one) for one in heat.iter("th") if one.get("scope") == "row"]
    assert [one.split(" ")[0] for one in items] == ["VERIFY", "SSSE_RECORD"], "in the order of the standard"
    cells = [text(one) for one in heat.iter("td")]
    assert cells == ["✗ 1/2", "✗ 1/2", "✗ 0/1", "✗ 0/1"]


def test_a_case_that_passed_shows_its_steps_too(shown: Read) -> None:
    row = next(one for one in shown.all("tr", "s-passed") if "MINE-GOOD" in text(one))
    assert "✓ 1 选择应用 SSSE Select SSSE" in text(row)
    assert "✓ 2 验证密码 Verify the PIN" in text(row)
    assert "0020000003****** → 9000" in text(row), "and no PIN"


def test_who_tested_with_what_stands_in_it(shown: Read, folder: Path) -> None:
    environment = text(shown.one("table", "env"))
    made = table_of(folder)["environment"]
    assert "李工" in environment
    assert made["versions"]["python"] in environment
    assert "vectors run" in environment
    assert "3B6D00000081544C908684510100000000" in environment


@pytest.mark.parametrize(
    ("began", "ended", "expected"),
    [
        ("2026-11-26T09:00:00+08:00", "2026-11-26T09:00:07+08:00", "2026-11-26 09:00:00 – 09:00:07 UTC+08:00"),
        ("2026-11-26T23:59:59Z", "2026-11-27T00:00:01Z", "2026-11-26 23:59:59 – 2026-11-27 00:00:01 UTC+00:00"),
        ("2026-11-26T09:00:00", "2026-11-26T09:00:07", "2026-11-26 09:00:00 – 09:00:07"),
        ("", "", "–"),
        ("some day", "another", "some day – another"),
    ],
)  # fmt: skip
def test_time_is_told_with_its_zone(began: str, ended: str, expected: str) -> None:
    assert span(began, ended) == expected


# --- what it is ------------------------------------------------------------------------------------------------------


def test_it_is_html_as_the_standard_parses_it(shown: Read) -> None:
    assert Read("<!doctype html><p><b>half</p></div>").errors, "the parser tells of what is not"
    assert shown.errors == []


def test_what_is_hostile_stays_text(shown: Read, folder: Path) -> None:
    whole = (folder / "report.html").read_text(encoding="utf-8")
    assert r"\u202e" in whole
    assert not {"\u202e", "\x1b"} & set(whole)
    assert len(shown.all("script")) == 1
    assert shown.all("img") == []
    assert not [name for one in shown.root.iter() for name in one.attrib if str(name).startswith("on")]
    assert "<script>alert(1)</script>" in text(shown.one("section", "verdict")) + text(shown.all("dl")[0])


def test_nothing_runs_or_loads_but_what_is_its_own(shown: Read) -> None:
    policy = next(one.get("content", "") for one in shown.all("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    for name in ("script", "style"):
        (own,) = shown.all(name)
        digest = base64.b64encode(sha256((own.text or "").encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert not [one for one in shown.root.iter() if one.get("src") or one.get("style") or one.tag == "link"]


def many(folder: Path, verdict: str) -> dict[str, Any]:
    """1,300 cases with what went over of a usual one."""
    table = table_of(folder)
    rows = [one for one in table["results"] if one["verdict"] == verdict]
    table["results"] = [{**copy.deepcopy(rows[at % len(rows)]), "id": f"CASE-{at}"} for at in range(1300)]
    for one in table["results"]:
        one["trace"] = one["trace"] * (7 // len(one["trace"]) + 1)
    return table


@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_1300_cases_are_less_than_a_megabyte_and_a_half(folder: Path, verdict: str) -> None:
    found = page.html(many(folder, verdict))
    assert len(found.encode()) < LARGEST
    assert all(f"CASE-{at}" in found for at in (0, 1299))
    assert found.count('class="finding') == (MOST_TOLD if verdict == "failed" else 0)


# --- of other kinds --------------------------------------------------------------------------------------------------


def test_the_exchange_that_broke_a_rule_is_marked(tmp_path: Path) -> None:
    recorded(tmp_path / "t.jsonl", SSSE, "00C000001E", ASK, WRONG_PIN, WRONG_PIN)
    run("monitor", str(tmp_path / "t.jsonl"), "--report", str(tmp_path / "report"), expect=1)
    found = Read((tmp_path / "report/report.html").read_text(encoding="utf-8"))
    assert found.errors == []
    finding = next(one for one in found.all("section", "finding") if "PIN-KNOWN-WRONG" in text(one))
    (blamed,) = [one for one in finding.iter("li") if one.get("class") == "bad"]
    assert text(blamed).startswith("6 → 0020000003******")
    table = table_of(tmp_path / "report")
    assert table["session"]["began"] <= table["session"]["ended"], "when the session was, not when it was judged"
    assert span(table["session"]["began"], table["session"]["ended"]) in text(found.one("table", "env"))


def test_a_scenario_shows_its_clock_and_what_it_changed(tmp_path: Path) -> None:
    run(
        "scenarios", "run", "--only", "OFFICE-24-WITHIN_THE_PROVINCE", "--profile", "3.00-sm4",
        "--report", str(tmp_path), "--tester", "李工",
    )  # fmt: skip
    found = Read((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert found.errors == []
    row = text(found.one("tr", "more"))
    step = table_of(tmp_path)["results"][0]["steps"][0]
    assert step["words_zh"] in row
    assert f"时钟 clock {step['clock']['before']}" in row
    assert "登记前后 register before and after" in row
    assert "李工" in text(found.one("table", "env"))


def test_a_report_of_an_earlier_version_is_shown(folder: Path) -> None:
    table = table_of(folder)
    for one in table["results"]:
        del one["steps"]
    assert "MINE-BAD" in page.html(table)


@pytest.mark.parametrize(
    ("language", "html_language", "there", "gone"),
    [
        (
            "zh", "zh-CN", ["不符合", "2项未通过", "全部用例", "测试人", "无一可称为"],
            ["Does not", "All cases", "What did not pass"],
        ),
        (
            "en", "en", ["Does not conform", "2 cases failed outside", "All cases", "tester"],
            ["不符合", "全部用例", "测试人"],
        ),
    ],
)  # fmt: skip
def test_a_report_is_in_the_language_that_is_asked_for(
    folder: Path, language: str, html_language: str, there: list[str], gone: list[str]
) -> None:
    with messages.in_language(language):
        found = Read(page.html(table_of(folder)))
        lines = "\n".join(report_text.lines(report_file.load(folder)))
    assert found.root.attrib["lang"] == html_language
    told = text(found.root)
    assert [one for one in there if one not in told] == []
    assert [one for one in gone if one in told] == []
    first, *rest = lines.splitlines()
    assert first == there[0].lower()
    assert not any(one in "\n".join(rest) for one in gone[:2])


# --- on paper --------------------------------------------------------------------------------------------------------


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(VECTORS.replace("期望错误", "期望错误𰻞\U0001f4a3"), encoding="utf-8")
    return tmp_path


@printing
def test_the_pdf_says_the_same_and_is_sealed_with_the_rest(printed: Path) -> None:
    pypdf: Any = pytest.importorskip("pypdf")
    folder = printed / "report"
    run(
        "vectors",
        "run",
        str(printed / "mine.yaml"),
        "--profile",
        "3.00-sm4",
        "--report",
        str(folder),
        "--pdf",
        expect=1,
    )
    assert "report.pdf" in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    pages = [one.extract_text() for one in pypdf.PdfReader(folder / "report.pdf").pages]
    assert "不符合 Does not conform · virtual card" in pages[1], "each page says of what it is"
    whole = "".join(pages)
    assert "不符合" in pages[0]
    assert "Does not conform" in pages[0]
    for part in (
        "MINE-BAD",
        "MINE-GOOD",
        "expected 12 bytes of data, got 11",
        "选择应用",
        "𰻞",
        r"\u1f4a3",
        f"1 / {len(pages)}",
    ):
        assert part in whole, part
    assert "筛选" not in whole, "nobody filters paper"


def test_where_no_pdf_can_be_set_it_is_said_once_and_the_rest_is_there(
    printed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setenv("SSCARD_PDF", "yes")
    arguments = (
        "vectors",
        "run",
        str(printed / "mine.yaml"),
        "--only",
        "MINE-GOOD",
        "--profile",
        "3.00-sm4",
        "--report",
    )
    told = run(*arguments, str(printed / "report")).stderr
    assert told.count('there is no report.pdf: a PDF needs WeasyPrint: pip install "sscard[office]') == 1
    assert {one.name for one in (printed / "report").iterdir()} == {
        "report.json", "report.html", "junit.xml", "manifest.json",
    }  # fmt: skip
    assert "report.pdf" not in run(*arguments, str(printed / "other"), "--no-pdf").stderr
