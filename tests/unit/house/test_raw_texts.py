"""What users read is in words of ours: no ``[Errno 28]``, no link of a library's, no regular expression."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import sqlalchemy.exc
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from emulator.messages import CHINESE, in_language, system_errors
from emulator.textfiles import writing
from harness.cli import main
from harness.messages import forms
from harness.office.register import store
from harness.office.register.store import Register
from harness.web.office.examples import STORY
from tests.kit.office_fronts import Caller
from tests.kit.offices import Desk

RAW = re.compile(r"\[Errno|sqlalche\.me|\(sqlite3\.|Value error|[Ss]tring should match|does not match '|\^\[|Traceback")
FULL = Path("/dev/full")
PERSON = "name: 测试\nphone: '{phone}'\ndocument: {{type: id-card, number: '519900198505051238'}}\n"


def run(*args: str) -> Result:
    result = CliRunner().invoke(main, args)
    assert not RAW.search(result.output), result.output
    return result


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "office.db"
    assert run("office", "--register", str(path), "init").exit_code == 0
    return path


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_whatever_the_system_refuses_the_file_is_named_and_no_number(number: int) -> None:
    said = system_errors.said(OSError(number, os.strerror(number), "some.file"))
    assert said.startswith("some.file: ")
    assert "Errno" not in said
    assert not RAW.search(system_errors.said(OSError(number, os.strerror(number))))


def test_an_error_with_words_of_its_own_keeps_them() -> None:
    assert system_errors.said(OSError(errno.EIO, "the card was let go")) == "the card was let go"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has words of its own")
@pytest.mark.parametrize("number", sorted(system_errors.KNOWN))
def test_what_the_system_refuses_is_told_in_chinese(number: int) -> None:
    error = OSError(number, os.strerror(number))
    with in_language(CHINESE):
        for told in (system_errors.said(error), system_errors.strerror(error)):
            assert not re.search("[a-z]{3}", told.replace("ulimit", "")), told


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
def test_a_full_disk_behind_what_is_printed() -> None:
    program = "from harness.cli import main; main(['personas'])"
    with FULL.open("w") as out:
        ended = subprocess.run([sys.executable, "-c", program], stdout=out, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert "sscard: what is printed: the disk is full" in ended.stderr
    assert not RAW.search(ended.stderr)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
def test_a_full_disk_behind_a_file(tmp_path: Path) -> None:
    letter = tmp_path / "letter.html"
    letter.symlink_to(FULL)
    with pytest.raises(OSError, match="No space") as told, writing.named(letter):
        letter.write_text("x" * 100_000, encoding="utf-8")
    assert system_errors.said(told.value) == f"{letter}: the disk is full: what was written until now may be cut off"


def test_a_part_of_the_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = run("persona", "new", "--out", str(tmp_path / "file" / "me.toml"))
    assert result.exit_code == 1
    assert "me.toml: a part of this path is no folder" in result.output


def test_a_register_that_is_damaged(register: Path) -> None:
    content = bytearray(register.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    register.write_bytes(bytes(content))
    for beside in register.parent.glob("office.db-*"):
        beside.unlink()
    result = run("office", "--register", str(register), "pending")
    assert result.exit_code == 1
    assert "damaged" in result.output or "no register" in result.output


def test_a_register_that_is_locked(register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY", 0.05)
    with sqlite3.connect(register, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        result = run("office", "--register", str(register), "init")
    other.close()
    assert result.exit_code == 1
    assert "the register is busy: try again" in result.output


def test_a_register_in_no_folder(tmp_path: Path) -> None:
    result = run("office", "--register", str(tmp_path / "none" / "office.db"), "init")
    assert result.exit_code == 1
    assert "cannot be opened" in result.output


def test_a_form_that_is_not_met_is_told_without_its_expression(tmp_path: Path, register: Path) -> None:
    person = tmp_path / "person.yaml"
    person.write_text(PERSON.format(phone="abc"), encoding="utf-8")
    result = run("office", "--register", str(register), "issue", "--person", str(person))
    assert result.exit_code != 0
    assert "phone: expected a telephone number of 7 to 15 digits and hyphens" in result.output


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("^[0-9]{6}$", "6 digits"),
        ("^[0-9]{2,14}$", "2 to 14 digits"),
        ("^[0-9A-F]{16}$", "16 hex digits in capitals"),
        ("^[A-Z]{3}$", "3 capitals"),
        ("^[0-9A-Z-]{1,24}$", "1 to 24 digits, capitals or hyphens"),
        ("^(3des|sm4)$", "one of 3des, sm4"),
        ("^[129]$", "one of 1, 2, 9"),
        ("^[0-9A-F]+$", "one or more hex digits in capitals"),
        ("^(a(b)+)*$", "another form"),
    ],
)
def test_forms_in_words(pattern: str, told: str) -> None:
    assert forms.form(pattern) == told


# --- over HTTP -------------------------------------------------------------------------------------------------------


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(Desk(tmp_path))


def answered(response: httpx2.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert not RAW.search(response.text), response.text
    return str(response.json()["error"]["text"])


def test_a_form_over_http_is_told_without_its_expression(caller: Caller) -> None:
    (first, *_) = [one for one in STORY if one.operation == "apply"]
    body = {**first.body, "person": {**first.body["person"], "phone": "abc"}}
    told = answered(caller.tell(replace(first, body=body)), 422)
    assert "phone: expected a telephone number of 7 to 15 digits and hyphens" in told


def test_a_locked_register_over_http(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = [one for one in STORY if one.operation == "apply"]

    def locked(*_: object, **__: object) -> None:
        raise sqlalchemy.exc.OperationalError("BEGIN", {}, _locked())

    monkeypatch.setattr(Session, "begin", locked)
    response = caller.tell(first)
    assert "the register is busy: try again" in answered(response, 503)


def _locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_FULL, "is full"),
        (sqlite3.SQLITE_READONLY, "cannot be written"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_IOERR, "reading or writing"),
    ],
)
def test_what_sqlite_says_is_worded(tmp_path: Path, code: int, told: str) -> None:
    register = Register(tmp_path / "office.db")
    error = _locked()
    error.sqlite_errorcode = code
    with pytest.raises(store.Unusable, match=told) as said, register.transaction():
        raise sqlalchemy.exc.OperationalError("INSERT", {"name": "secret"}, error)
    register.close()
    assert not RAW.search(str(said.value))
    assert "secret" not in str(said.value)
