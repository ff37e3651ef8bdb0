"""What comes from elsewhere is shown, and never obeyed."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.visible import VisibleStream, visible

EVIL = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\x9b31m\r\u200b"
SHOWN = r"\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\x9b31m\x0d\u200b"


def test_what_a_terminal_would_obey_is_seen() -> None:
    assert visible(EVIL) == SHOWN
    assert visible("测试甲\t𠮷\nä") == "测试甲\t𠮷\nä"


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


def test_usage_errors_are_shown_too() -> None:
    result = CliRunner().invoke(main, ["\x1b[31m\u202e"])
    assert result.exit_code == 2
    assert r"\x1b[31m\u202e" in result.output
    assert "\x1b" not in result.output
