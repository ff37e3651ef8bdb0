"""What comes from elsewhere is shown, and never obeyed."""

from __future__ import annotations

import io
import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner

from emulator.filesystem.memory.cells import file_cell
from harness.cli import main
from harness.messages.visible import VisibleStream, visible
from tests.kit.cards import new_card

EVIL = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\x9b31m\r\u200b"
SHOWN = r"\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\u009b31m\x0d\u200b"


def test_what_a_terminal_would_obey_is_seen() -> None:
    assert visible(EVIL) == SHOWN
    assert visible("测试甲\t𠮷\nä") == "测试甲\t𠮷\nä"


def test_json_for_other_programs_stays_what_it_is() -> None:
    for text in (EVIL, "\x7f\x9b\u202e\U000e0041\ud800"):
        assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text


def test_every_control_format_mark_and_half_character_of_unicode_is_made_visible() -> None:
    kept = {"\t", "\n"}
    for code in range(0x110000):
        letter = chr(code)
        if (
            unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") and letter not in kept
        ) or unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"):
            assert visible(letter) != letter, hex(code)


def test_a_stream_that_lacks_a_character_is_no_reason_to_fail() -> None:
    raw = io.BytesIO()
    stream = VisibleStream(io.TextIOWrapper(raw, encoding="ascii"))
    click.echo("测试甲\x1b", file=stream)  # type: ignore[arg-type]
    stream.flush()
    assert raw.getvalue() == rb"\u6d4b\u8bd5\u7532\x1b" + b"\n"


@pytest.mark.parametrize("where", ["out", "err"])
def test_each_command_shows_what_it_tells(where: str, tmp_path: Path) -> None:
    path = tmp_path / f"{EVIL.replace('/', '')}.toml"
    if where == "err":
        result = CliRunner().invoke(main, ["layout", "check", str(path)])
        assert result.exit_code != 0
    else:
        path.write_text('extends = "3.00"\nname = "a"\ntitle = "\\u001b]0;owned\\u0007\\u202e"\n', encoding="utf-8")
        result = CliRunner().invoke(main, ["layout", "check", str(path)])
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    assert r"\x1b" in result.output


def test_reports_show_it_and_junit_stays_well_formed(tmp_path: Path) -> None:
    steps = "steps:\n  - select: SSSE\n  - apdu: 00B2012C12\n    expect: {sw: '6FFF'}\n"
    title = json.dumps(EVIL + "\x01<b>&")
    head = f"schema: 1\nid: EVIL-1\ntitle: {title}\ntitle_zh: {title}\ngrade: own\nsource: none\n"
    (tmp_path / "evil.yaml").write_text(head + steps, encoding="utf-8")
    report = tmp_path / "report"
    result = CliRunner().invoke(main, ["vectors", "run", str(tmp_path / "evil.yaml"), "--report", str(report)])
    assert result.exit_code == 1, result.output
    names = [one.get("name", "") for one in ElementTree.parse(report / "junit.xml").iter("testcase")]
    assert names
    assert all(SHOWN + r"\x01<b>&" in name for name in names)
    page = (report / "report.html").read_text(encoding="utf-8")
    assert SHOWN + r"\x01&lt;b&gt;&amp;" in page
    assert not set(EVIL) & {"\x1b", "\u202e", "\x9b", "\x07"} & set(page)


def test_what_a_card_holds_makes_no_line_and_moves_no_cursor(tmp_path: Path) -> None:
    image = new_card().chip.image
    told = "甲\n  09 forged: 乙\x1b[1A".encode("gbk")
    records = list(image.memory.records("SSSE/EF06"))
    at = next(number for number, one in enumerate(records) if one.startswith(b"\x09"))
    records[at] = records[at][:2] + told.ljust(len(records[at]) - 2, b"\0")
    image.memory.put(file_cell("SSSE/EF06"), tuple(records))
    image.memory.commit()
    path = tmp_path / "evil.image"
    path.write_text(image.to_text(), encoding="utf-8")
    for command in (["show", "--image", str(path)], ["terminal", "basic", "--image", str(path)]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.output
        assert not [line for line in result.output.splitlines() if line.startswith("  09 forged")]
        assert "forged" in result.output


def test_usage_errors_are_shown_too() -> None:
    result = CliRunner().invoke(main, ["\x1b[31m\u202e"])
    assert result.exit_code == 2
    assert r"\x1b[31m\u202e" in result.output
    assert "\x1b" not in result.output
