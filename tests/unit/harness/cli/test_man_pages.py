"""Manual pages: one for every command, made of its help, in the user's language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import messages
from harness.cli import interrupt, man_pages
from harness.cli.table import option_text, records
from harness.verdicts.verdict import UNCERTAIN
from tests.kit import languages

ROOT = Path(__file__).parents[4]
SOURCES = [
    path
    for room in ("emulator", "harness")
    for path in sorted((ROOT / room).rglob("*.py"))
    if path.name != Path(man_pages.__file__).name
]
REQUESTS = {".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".nf", ".fi", ".nh", ".ad", ".ds"}
OF_PROGRAMS = re.compile(r"[\"']((?:SSCARD|PCSCLITE)_[A-Z_]+)[\"']|\$(SSCARD_[A-Z_]+)|[\"'](NO_COLOR)[\"']")
SET_FOR_OTHERS = {"PCSCLITE_NO_BLOCKING"}
"""What pcsc-lite's client reads in our own process: no user sets it."""


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSCARD_LANG", "en")
    messages.forget()
    yield
    messages.forget()


@pytest.fixture
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    words: dict[str | tuple[str, str], str] = {
        "Name": "名称",
        "Synopsis": "概要",
        "Options": "选项",
        "See also": "参见",
        "Exit status": "退出状态",
        "It worked.": "成功。",
        "For other programs.": "供其他程序使用。",
        "List a card's keys: where, id, use, levels, tries left and grade.": "列出卡片的密钥。",
    }
    languages.put(tmp_path / "locale", languages.po_of(words), monkeypatch)
    monkeypatch.setenv("SSCARD_LANG", "zh_CN")
    yield
    messages.forget()


def plain(page: str) -> str:
    """A page's text as man shows it, its lines as one."""
    glyphs = {r"\e": "\\", r"\-": "-", r"\(ti": "~", r"\(ha": "^", r"\(ga": "`", r"\(aq": "'", r"\(dq": '"'}
    text = re.sub(r"\\f[BR]|\\:|\\&|\\\*\(wb", "", page)
    return " ".join(re.sub(r"\\\(..|\\.", lambda found: glyphs[found[0]], text).split())


def test_every_command_has_a_page_that_tells_its_options(tmp_path: Path) -> None:
    man_pages.write_all(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"sscard.1", *(f"sscard-{path.replace(' ', '-')}.1" for path in records())}
    for path, record in records().items():
        text = plain((tmp_path / f"{man_pages.name_of(path)}.1").read_text(encoding="utf-8"))
        for _title, rows in record["sections"]:
            for name, said in rows:
                told = f".TP .B {name} {option_text(said)}".replace("`", "")
                assert "".join(told.split()) in "".join(text.split()), (path, name)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_that_help_says_is_a_request_of_man(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_LANG", language)
    messages.forget()
    for path in man_pages.paths():
        lines = man_pages.page(path).splitlines()
        assert {line.split()[0] for line in lines if line.startswith((".", "'"))} <= REQUESTS, path
        assert not any(line != line.rstrip() or not line or not line.isprintable() for line in lines), path


def test_what_a_page_quotes_stands_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said = 'Take `a\\b` or\n\n    .so /etc/passwd\n\n    \'tis "quoted" ~ ^ `\n\n    \b\n    one  two\n    .three\n'
    record = {**records()["doctor"], "help": said}
    monkeypatch.setitem(records(), "doctor", record)
    page = man_pages.page("doctor")
    assert "Take \\fBa\\eb\\fR or\n.PP\n\\&.so /etc/passwd\n.PP\n" in page
    assert "\\(aqtis \\(dqquoted\\(dq \\(ti \\(ha \\(ga\n.PP\n.nf\none  two\n\\&.three\n.fi\n" in page


def test_pages_lead_up_and_down() -> None:
    assert '.SH "SEE ALSO"\n.BR sscard (1) ,\n.BR sscard\\-pin\\-change (1) ,\n' in man_pages.page("pin")
    assert man_pages.page("pin change").endswith('.SH "SEE ALSO"\n.BR sscard\\-pin (1)\n')
    assert ".B change\nSet a new PIN" in man_pages.page("pin")


def test_a_page_is_in_the_users_language(chinese: None) -> None:  # noqa: ARG001
    page = man_pages.page("keys")
    assert '.SH "名称"\nsscard\\-keys \\- 列出卡片的密钥\n.SH "概要"' in page.replace("\\:", "").replace(r"\*(wb", "")
    assert "供其他程序使用。" in plain(page)
    assert '.SH "退出状态"\n.TP\n.B 0\n成功。\n' in man_pages.page("").replace("\\:", "")


def test_a_long_name_in_chinese_ends_its_lines_and_stays_one_text(
    chinese: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(man_pages, "_short", lambda _path: "把卡（一张）放入PC/SC读卡器")
    lines = man_pages.page("run").splitlines()
    name = lines[lines.index('.SH "名称"') + 1]
    assert name == r"sscard\-run \- 把\*(wb卡\*(wb（一\*(wb张）\*(wb放\*(wb入\*(wbPC/SC\*(wb读\*(wb卡\*(wb器"
    assert r".ds wb \:" in lines


def test_the_date_is_the_one_that_reproducible_builds_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(man_pages.DATE_VARIABLE, "86400")
    assert man_pages.page("keys").startswith('.TH "SSCARD\\-KEYS" 1 1970-01-02 "sscard ')
    assert man_pages.page("keys") == man_pages.page("keys")


def test_every_exit_code_is_told() -> None:
    ending = {UNCERTAIN, interrupt.INTERRUPTED, 0}
    for path in SOURCES:
        ending |= set(map(int, re.findall(r"\bexit_code\b[^=\n]*= (\d+)", path.read_text(encoding="utf-8"))))
    assert ending == {int(row.name) for row in man_pages.EXIT_CODES}


def test_every_variable_that_the_program_reads_is_told() -> None:
    read = set()
    for path in SOURCES:
        read |= {a or b or c for a, b, c in OF_PROGRAMS.findall(path.read_text(encoding="utf-8"))}
    for source in (ROOT / "harness/driver/native").glob("*.c"):
        read |= set(re.findall(r'"(SSCARD_[A-Z_]+)"', source.read_text(encoding="utf-8")))
    assert read - SET_FOR_OTHERS == {row.name for row in man_pages.VARIABLES}
