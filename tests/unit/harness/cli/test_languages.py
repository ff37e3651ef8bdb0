"""The command line in another language: with a small catalogue of our own, each kind of text comes out of it."""

from __future__ import annotations

import gettext
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import messages
from harness.cli import main
from harness.cli.table import children
from harness.messages.columns import columns
from harness.readers import pcsc
from tests.kit import languages

COPY = "Copy a card, to rewind to later; SOURCE may be in a running reader. An existing COPY is never overwritten."
SUM = "Add up what several cards showed of the facts: facts.json of each, or the folders that `sscard learn` wrote."
WORDS: dict[str | tuple[str, str], str] = {
    "Usage:": "用法:",
    "Options": "选项",
    "Commands": "命令",
    "default: {default}": "默认: {default}",
    "required": "必填",
    "Error: {message}": "错误: {message}",
    "No such command {name!r}.": "没有命令 {name!r}。",
    "Missing option {name}.": "缺少选项{name}。",
    "Missing argument {name}.": "缺少参数{name}。",
    "{sentence} Choose from: {names}": "{sentence}可选：{names}",
    "{value!r} is not a valid {number_type}.": "{value!r}不是有效的{number_type}。",
    "{name} {filename!r} does not exist.": "{name}{filename!r}不存在。",
    "Path": "路径",
    "whole number": "整数",
    COPY: "复制卡片映像。还可还原。",
    SUM: "汇总多张卡证实的事实：" + "各卡的facts.json，或`sscard learn`写出的目录；" * 4,
    "Copy a card, to rewind to later; SOURCE may be in a running reader.": "复制卡片映像",
    "Six digits of GB/T 2260.": "GB/T 2260的六位代码。",
    "For other programs.": "供其他程序使用。",
    "expected a trace, or --reader NAME": "应给出跟踪文件或--reader NAME",
    ("{left} try left", "{left} tries left"): "还可试{left}次",
    "{file}: good 正确. {counts}": "{counts}：{file}无误",
    "not installed": "未安装",
    "keep the ports behind a firewall, or run where there is no other interface: {alone}": "用防火墙保护：{alone}",
    "no such file or folder": "没有这个文件或文件夹",
}


@pytest.fixture(autouse=True)
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    languages.put(tmp_path / "locale", languages.po_of(WORDS), monkeypatch)
    monkeypatch.setenv("SSCARD_LANG", "zh_CN.UTF-8")
    yield
    messages.forget()


def said(*arguments: str, expect: int = 0) -> str:
    """What a command says, on both streams; its lines as one."""
    result = CliRunner().invoke(main, list(arguments), prog_name="sscard", terminal_width=120)
    assert result.exit_code == expect, result.output
    return " ".join(result.output.split())


def test_a_command_is_explained() -> None:
    text = said("persona", "new", "--help")
    assert text.startswith("用法: sscard persona new")
    assert "选项:" in text
    assert "GB/T 2260的六位代码。 [默认: 510100]" in text
    assert "[必填]" in text
    assert "复制卡片映像。还可还原。" in said("image", "copy", "--help")
    assert "Write a persona to edit" in text, "what has no translation is told in English"


@pytest.mark.parametrize("path", [(), ("image",), ("office",)])
def test_so_is_a_group(path: tuple[str, ...]) -> None:
    text = said(*path, "--help")
    assert "用法: sscard" in text
    assert "命令:" in text
    assert children(" ".join(path))[0] in text


def test_a_commands_short_text_is_told_where_commands_are_listed() -> None:
    assert "copy 复制卡片映像" in said("image", "--help")


def test_a_group_that_takes_a_filter_too_lists_its_commands_in_the_language() -> None:
    text = said("facts", "--help")
    assert "merge 汇总多张卡" in text
    assert "供其他程序使用。" in text


def test_no_line_of_help_is_wider_than_the_terminal() -> None:
    result = CliRunner().invoke(main, ["facts", "--help"], prog_name="sscard", terminal_width=60)
    lines = [line for line in result.output.splitlines() if columns(line) > len(line)]
    assert len(lines) > 4
    assert max(map(columns, lines)) <= 60
    assert not any(line.lstrip().startswith(("：", "，", "；")) for line in lines)


def test_wrong_usage_is_told_by_the_library_in_the_language_too() -> None:
    assert "错误: 没有命令 'nothing'。" in said("nothing", expect=2)
    assert "缺少选项'-o' / '--out'。" in said("persona", "new", expect=2)
    assert "缺少参数'{bash|zsh|fish}'。可选：bash, zsh, fish" in said("completion", expect=2)
    assert "'x'不是有效的整数。" in said("run", "--slots", "x", expect=2)
    assert "路径'nosuch'不存在。" in said("vectors", "run", "nosuch", expect=2)


def test_wrong_usage_that_we_find_is_told_in_it() -> None:
    assert "错误: 应给出跟踪文件或--reader NAME" in said("monitor", expect=2)


def test_so_is_what_a_command_prints_with_its_counts() -> None:
    assert said("pin", "state") == "还可试3次"


def test_a_translation_may_turn_the_parts_round() -> None:
    assert said("layout", "check", "3.00").startswith("14 applications, 52 files, 206 items, 66 keys：3.00无误")


def test_the_doctor_tells_cause_and_remedy_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "pcscd_path", lambda: None)
    text = said("doctor", expect=1)
    assert "fault pcscd: 未安装 → apt-get install pcscd" in text
    assert "→ 用防火墙保护：unshare --net" in text


def test_what_programs_read_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "pcscd_path", lambda: None)
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert {"check", "level", "detail", "remedy"} == set(json.loads(result.stdout)[0])
    assert json.loads(result.stdout)[0]["level"] == "fault"


def test_what_the_system_refuses_is_told_in_it() -> None:
    assert "没有这个文件或文件夹" in said("image", "copy", "none.card", "other.card", expect=1)


def test_the_library_is_asked_for_nothing_any_more_when_the_command_has_ended() -> None:
    before = os.environ.get("LANGUAGE"), gettext.textdomain()
    said("--help")
    assert (os.environ.get("LANGUAGE"), gettext.textdomain()) == before


@pytest.mark.parametrize("language", ["en", "C", "fr"])
def test_english_is_told_as_ever(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_LANG", language)
    messages.forget()
    assert said("image", "--help").startswith("Usage: sscard image [OPTIONS] COMMAND [ARGS]...")
    assert "No such command 'nothing'." in said("nothing", expect=2)
