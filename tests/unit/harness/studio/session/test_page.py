"""A session as one file: whole, from nowhere else, and hostile text in it stays text."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from harness.studio.session import page
from harness.studio.session.bundle import BundleError, bundle
from harness.studio.session.packed import OWN, packed
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.studio.session.sessions import HOSTILE, as_trace, every_kind, session, tables

SCRIPT = re.compile(r"<script>(.*?)</script>", re.S)
DATA = re.compile(r'<script type="application/json" id="session">(.*?)</script>', re.S)


def made(events: list[dict[str, Any]], name: str = "t.jsonl") -> str:
    one = session(events, name)
    return page.page(one.rows(), one.summary())


def data_of(text: str) -> dict[str, Any]:
    found = DATA.search(text)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_it_allows_itself_and_nothing_else() -> None:
    text = made(tables())
    rules = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert rules is not None
    (script,) = SCRIPT.findall(text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    for what, content in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(sha256(content.encode()).digest()).decode()
        assert f"{what} 'sha256-{digest}'" in rules[1]
    assert rules[1].startswith("default-src 'none'")
    assert "unsafe" not in rules[1]
    assert not re.search(r'(?:src|href|action)="', re.sub(SCRIPT, "", text))


def test_hostile_text_ends_neither_script_nor_title() -> None:
    text = made(every_kind(), HOSTILE)
    assert text.count("</script>") == 2
    assert "<img" not in re.sub(SCRIPT, "", text)
    assert HOSTILE in [said.get("reason") for said in data_of(text)["said"]]


def test_every_row_is_in_it_once_and_what_rows_share_stands_once() -> None:
    one = session(tables() * 20)
    told = packed(one.rows())
    assert len(told["rows"]) == one.total
    assert len(told["said"]) < one.total / 10
    for row, packed_row in zip(one.rows(), told["rows"], strict=True):
        said, stood, *own = packed_row
        whole = told["said"][said] | {name: value for name, value in zip(OWN, own, strict=False) if value != 0}
        expected = {name: value for name, value in row.table().items() if name != "time" and value != 0.0}
        expected["slot"] = row.said.slot
        assert whole | {"stood": told["stood"][stood]} == expected


def test_ten_thousand_commands_take_a_few_megabytes() -> None:
    events = tables()
    rows = session(events * (1000 // len(events))).rows()
    bytes_each = len(json.dumps(packed(rows), ensure_ascii=False, separators=(",", ":"))) / len(rows)
    assert bytes_each * 10_000 < 3_000_000


def test_values_that_the_trace_has_not_are_not_in_it_and_those_that_it_has_are() -> None:
    name = "测试甲"
    assert name not in made(tables())
    assert name in made(tables(personal_data=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('import("./b.js");', "a.js: line 1"),
        ('const x = 1;\nexport * from "./b.js";', "a.js: line 2"),
        ('import { a } from "./a.js";', "in a circle"),
    ],
)
def test_a_module_in_a_form_that_is_not_understood_is_refused(text: str, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        bundle("a.js", lambda _: text)


def test_modules_become_one_script_with_each_of_them_once() -> None:
    files = {
        "views/a.js": 'import { b as c,\n  d } from "../lib/b.js";\nimport * as all from "./e.js";\nc(d, all);\n',
        "lib/b.js": "export const d = 1;\nexport { b };\nfunction b() {}\n",
        "views/e.js": 'import { d } from "../lib/b.js";\nexport default function View() {}\nexport class E {}\nfunction a(){}export{a as h,d as i};',  # noqa: E501
    }
    text = bundle("views/a.js", files.__getitem__)
    assert text.count("function b() {}") == 1
    assert "const { b: c, d: d } = module0;" in text
    assert "return { d, b: b };" in text
    assert "return { default: View, E, h: a, i: d };" in text
    assert not re.search(r"^(import|export)", text, re.M)


# --- the command -----------------------------------------------------------------------------------------------------


def written(trace: Path, out: Path | str, *options: str, code: int = 0) -> str:
    return run("trace", "html", str(trace), "-o", str(out), *options, expect=code).output


def test_the_command_writes_a_page_and_leaves_what_is_there(tmp_path: Path) -> None:
    trace, out = tmp_path / "t.jsonl", tmp_path / "t.html"
    trace.write_bytes(as_trace(tables()))
    assert "rows, 3 findings" in written(trace, out)
    assert data_of(out.read_text(encoding="utf-8"))["about"]["name"] == "t.jsonl"
    assert "--force" in written(trace, out, code=1)
    assert "rows, 3 findings" in written(trace, out, "--force")
    assert "name a file" in written(trace, "-", code=2)


def test_a_trace_that_is_empty_broken_or_not_there_makes_no_page(tmp_path: Path) -> None:
    trace, out = tmp_path / "t.jsonl", tmp_path / "t.html"
    trace.write_bytes(b"")
    for content, wanted in ((b"", "the trace is empty"), (b"{}\n", "line 1"), (None, "no such file")):
        if content is None:
            trace.unlink()
        else:
            trace.write_bytes(content)
        assert wanted in written(trace, out, code=1)
        assert not out.exists()


def test_what_could_not_be_judged_is_said(tmp_path: Path) -> None:
    trace, out = tmp_path / "t.jsonl", tmp_path / "t.html"
    trace.write_bytes(as_trace(tables()[2:])[:-5])
    said = written(trace, out)
    assert "torn: line" in said
    assert "commands before its first reset are not judged" in said
    about = data_of(out.read_text(encoding="utf-8"))["about"]
    assert about["torn"] == len(tables()) - 2
    assert about["unbegun"][0]["slot"] == 0
