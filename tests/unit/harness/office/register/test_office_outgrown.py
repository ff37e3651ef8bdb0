"""A register in a file whose writers wait too long for each other: it says so, and to whom."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.office.register import condition, kept
from harness.office.register.failures import Unusable
from harness.office.register.in_file import SqliteFile
from harness.office.register.store import LONGEST, Register
from tests.kit.offices import HASH_COST, Desk, another_program_writes

BOUND, LONGER = 0.2, 0.6
SAID = "SQLite is outgrown"


@pytest.fixture(autouse=True)
def bound(in_a_file: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del in_a_file
    monkeypatch.setattr(SqliteFile, "outgrown_after", BOUND)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    one = Desk(tmp_path).register
    yield one
    one.close()


def write(register: Register) -> None:
    with register.transaction():
        pass


def wait_for(register: Register, seconds: float) -> None:
    """A writer for whom another program's transaction takes so long."""
    with ThreadPoolExecutor(1) as pool:
        with another_program_writes(register.path):
            writer = pool.submit(write, register)
            with pytest.raises(TimeoutError):
                writer.result(seconds)
        writer.result()


def doctor(*arguments: str, expect: int | None = None) -> list[dict[str, str]]:
    """What the doctor finds about a register, whatever it finds about readers."""
    result = CliRunner().invoke(main, ["doctor", "--json", *arguments])
    if expect is not None:
        assert result.exit_code == expect, result.output
    return [one for one in json.loads(result.stdout) if one["check"] == "register"]


def check(path: Path) -> dict[str, Any]:
    """What ``office check`` says, which is no fault."""
    result = CliRunner().invoke(main, ["office", "--register", str(path), "check", "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_writer_who_waits_too_long_is_written_down_and_logged_once(
    register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "uvicorn.error")
    write(register)
    assert register.longest_wait() == 0
    assert caplog.messages == []
    wait_for(register, LONGER)
    wait_for(register, LONGER)
    assert len(caplog.messages) == 1
    assert SAID in caplog.messages[0]
    assert register.longest_wait() >= LONGER


def test_who_waits_for_threads_of_the_same_program_counts_too(register: Register) -> None:
    with ThreadPoolExecutor(1) as pool:
        with register.transaction():
            writer = pool.submit(write, register)
            with pytest.raises(TimeoutError):
                writer.result(LONGER)
        writer.result()
    assert register.longest_wait() >= LONGER


def test_the_longest_of_all_programs_stays(register: Register) -> None:
    with register.transaction() as session:
        kept.keep(session.connection(), LONGEST, b"9.5")
    wait_for(register, LONGER)
    assert register.longest_wait() == 9.5


def test_check_and_doctor_say_it_and_that_copy_helps(register: Register) -> None:
    path = register.path
    before = check(path)
    assert (before["longest_wait"], before["advice"]) == (0, [])
    (told,) = doctor("--register", str(path))
    assert told["level"] == "ok"
    wait_for(register, LONGER)
    found = check(path)
    assert found["longest_wait"] >= LONGER
    assert found["faults"] == []
    (advice,) = found["advice"]
    (told,) = doctor("--register", str(path))
    assert (told["level"], told["detail"]) == ("warning", advice)
    assert SAID in advice
    assert "office copy --to postgresql://" in advice


def test_the_doctor_looks_at_the_register_that_is_here_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSCARD_OFFICE", raising=False)
    assert doctor() == []
    path = tmp_path / "office.db"
    Register(path, durable=False, hash_cost=HASH_COST).close()
    (tmp_path / "office.db.secret").unlink()
    before = path.read_bytes()
    (told,) = doctor()
    assert (told["level"], told["detail"].startswith("office.db: ")) == ("ok", True)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".secret"] == []


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 20, b""])
def test_a_file_that_is_no_register_is_a_fault_with_its_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    (told,) = doctor("--register", str(path), expect=1)
    assert (told["level"], told["remedy"]) == ("fault", f"sscard office --register {path} check")
    with pytest.raises(Unusable):
        condition.wait_told(path)


def test_a_register_that_was_named_and_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_OFFICE", str(tmp_path / "none.db"))
    (told,) = doctor()
    assert told["level"] == "warning"
    assert "there is no register" in told["detail"]
    monkeypatch.setenv("SSCARD_OFFICE", "postgresql://office@127.0.0.1:1/office")
    (told,) = doctor(expect=1)
    assert told["level"] == "fault"
    assert "no connection to the register's server" in told["detail"]
