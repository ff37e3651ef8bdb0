"""``sscard shell``, ``apdu`` with words, ``trace to-vector`` and ``trace send`` as their user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from harness.trace.record import TraceFile
from tests.unit.harness.cli.test_cli import run


def lines(*words: str) -> str:
    return "".join(f"{word}\n" for word in words)


def test_a_shell_takes_a_line_a_step_from_a_pipe() -> None:
    told = run("shell", stdin=lines("select SSSE", "auth RKSSSE", "# the name", "", "read EF06/09", "exit", "foo"))
    assert told.stdout.splitlines()[-1] == "测试甲"
    assert "EXTERNAL AUTHENTICATION" in told.stdout


def test_a_refused_line_is_told_the_session_goes_on_and_the_end_is_not_green() -> None:
    told = run("shell", expect=1, stdin=lines("selct SSSE", "select SSSE", "read EF05/07"))
    assert 'did you mean "select"?' in told.stderr
    assert told.stdout.splitlines()[-1] == "A00000011"


def test_what_the_card_refuses_is_told_with_its_reason() -> None:
    told = run("shell", expect=1, stdin=lines("select SSSE", "read EF06/09"))
    assert "reading SSSE/EF06 needs RKSSSE" in told.stdout


def test_a_pin_comes_from_its_option_and_is_not_shown() -> None:
    told = run("shell", "--pin", "123456", stdin=lines("select SSSE", "verify"))
    assert "123456" not in told.output
    assert "123456" in run("shell", "--pin", "123456", "--show-secrets", stdin=lines("select SSSE", "verify")).stdout


def test_from_a_pipe_no_step_is_taken_for_a_pin_that_nobody_gave() -> None:
    told = run("shell", expect=1, stdin=lines("select SSSE", "verify", "654321", "tries", "read EF05/07"))
    assert "it cannot be asked for here: give --pin" in told.stderr
    assert "3 tries left" in told.stdout
    assert told.stdout.splitlines()[-1] == "A00000011"


def test_help_lists_every_word() -> None:
    told = run("shell", stdin="help\n").stdout
    assert all(word in told for word in ("select NAME", "auth KEY", "read ITEM", "update ITEM", "verify", "tries"))


def test_apdu_takes_words_among_commands() -> None:
    told = run(
        "apdu", "select:SSSE", "auth:RKSSSE", "read:EF06/09", "00B2072800", "verify", "--pin", "123456", expect=1
    )
    assert "测试甲" in told.stdout
    assert "← 6C0B" in told.stdout  # commands in hex are sent as they are


def test_apdu_words_as_json_are_exchanges_alone() -> None:
    rows = [json.loads(row) for row in run("apdu", "select:SSSE", "read:EF05/07", "--json").stdout.splitlines()]
    assert [row["sw"] for row in rows] == ["611E", "9000", "6C0B", "9000"]


@pytest.mark.parametrize("word", ["selct:SSSE", "select:SSE", "auth:NOBODY", "read:EF99/09"])
def test_a_mistyped_word_of_apdu_is_an_error(word: str) -> None:
    assert run("apdu", word, expect=1).stderr


def test_a_reset_between_words_is_known() -> None:
    told = run("apdu", "select:SSSE", "auth:RKSSSE", "reset", "select:SSSE", "read:EF06/09", expect=1)
    assert "6982" in told.stdout


def test_show_of_an_image_hides_nothing_and_takes_no_keys() -> None:
    assert "--keys needs --reader" in run("show", "--keys", "test", expect=2).stderr


# --- recorded sessions -----------------------------------------------------------------------------------------------


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "counter.jsonl"
    with TraceFile(path) as written:
        image = catalogue.card("adult-chengdu", catalogue.layout("3.00"), "3des").fork()
        terminal = Terminal(InProcess(Chip(image, observer=written.slot(0, image))))
        terminal.begin()
        terminal.read("SSSE/EF06/09")
    return path


def test_a_trace_becomes_a_vector_that_runs(tmp_path: Path, trace: Path) -> None:
    out = tmp_path / "mine.yaml"
    assert "steps" in run("trace", "to-vector", str(trace), "-o", str(out), "--id", "MINE-COUNTER").stdout
    told = run("vectors", "run", str(out), "--profile", "3.00-3des").stdout
    assert "1 passed" in told


@pytest.mark.parametrize(("algorithm", "other"), [("3des", "3.00-sm4"), ("sm4", "3.00-3des")])
def test_a_session_with_a_card_in_a_reader_is_a_vector_for_cards_of_its_algorithm(
    tmp_path: Path, algorithm: str, other: str
) -> None:
    path, out = tmp_path / "t.jsonl", tmp_path / "mine.yaml"
    with TraceFile(path) as written:  # nobody says what card it is, but the card itself
        terminal = Terminal(
            InProcess(
                Chip(
                    catalogue.card("adult-chengdu", catalogue.layout("3.00"), algorithm).fork(),
                    observer=written.slot(0),
                )
            )
        )
        terminal.begin()
    run("trace", "to-vector", str(path), "-o", str(out))
    assert "1 passed" in run("vectors", "run", str(out), "--profile", f"3.00-{algorithm}").stdout
    told = run("vectors", "run", str(out)).stdout
    assert "1 passed" in told
    assert "failed" not in told
    assert "not applicable" in run("vectors", "run", str(out), "--profile", other, expect=4).stdout


def test_nothing_is_overwritten_unasked(tmp_path: Path, trace: Path) -> None:
    out = tmp_path / "mine.yaml"
    out.write_text("precious")
    run("trace", "to-vector", str(trace), "-o", str(out), expect=1)
    assert out.read_text() == "precious"
    run("trace", "to-vector", str(trace), "-o", str(out), "--force")


def test_an_id_is_one_that_vectors_may_have(tmp_path: Path, trace: Path) -> None:
    out = str(tmp_path / "mine.yaml")
    assert "expected capitals" in run("trace", "to-vector", str(trace), "-o", out, "--id", "mine", expect=2).stderr


def test_what_could_not_become_a_step_ends_with_4_and_is_told_in_the_file_too(tmp_path: Path) -> None:
    path, out = tmp_path / "t.jsonl", tmp_path / "mine.yaml"
    with TraceFile(path) as written:
        image = catalogue.card("adult-chengdu", catalogue.layout("3.00"), "3des").fork()
        terminal = Terminal(InProcess(Chip(image, observer=written.slot(0, image))))
        terminal.begin()
        terminal.change_pin("123456", "246810")
    told = run("trace", "to-vector", str(path), "-o", str(out), expect=4)
    assert "CHANGE PIN: the new PIN is not in the trace" in told.stderr
    assert "# left out: line" in out.read_text(encoding="utf-8")


def test_a_session_sent_to_a_like_card_answers_as_recorded(trace: Path) -> None:
    assert "passed" in run("trace", "send", str(trace), "--persona", "long-name").stdout.splitlines()[-1]


def test_one_sent_to_another_card_says_where_it_answers_otherwise(trace: Path) -> None:
    told = run("trace", "send", str(trace), "--layout", "2.00", expect=1).stdout.splitlines()[-1]
    assert "failed" in told
    assert "step 3" in told  # the version that the card says


def test_a_slot_that_the_trace_has_not_is_an_error(trace: Path) -> None:
    assert "nothing in it is of slot 7" in run("trace", "send", str(trace), "--slot", "7", expect=1).stderr


def test_a_card_in_a_reader_must_be_named(trace: Path) -> None:
    assert "--card" in run("trace", "send", str(trace), "--reader", "X", expect=2).stderr
