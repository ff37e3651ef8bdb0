"""Recorded sessions as vectors: what each command becomes, what is masked, and that the vector passes again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from harness.conformance import recorded, runner
from harness.conformance import vector as vectors
from harness.conformance.recorded import Recorded, steps_of
from harness.conformance.targets.virtual import Virtual
from harness.readers.connection import InProcess
from harness.terminal.terminal import PinRefused, Terminal
from harness.trace import read
from harness.trace.read import TraceError
from harness.trace.record import TraceFile
from harness.verdicts.verdict import Verdict

Work = Callable[[Terminal], object]
LAYOUT = catalogue.layout("3.00")


def session(folder: Path, work: Work, *, shape: str = "t0", personal_data: bool = False) -> Path:
    """The trace of a terminal's work on a fresh card."""
    path = folder / "t.jsonl"
    with TraceFile(path, personal_data=personal_data, force=True) as trace:
        image = catalogue.card("adult-chengdu", LAYOUT, "3des").fork()
        chip = Chip(image, apdu_shape=shape == "apdu", observer=trace.slot(0, image))
        terminal = Terminal(InProcess(chip))
        terminal.begin()
        work(terminal)
    return path


def told(path: Path, *, personal_data: bool = False) -> Recorded:
    return steps_of(read.events(path), LAYOUT, personal_data=personal_data)


def wrong_pin(terminal: Terminal) -> None:
    with pytest.raises(PinRefused):
        terminal.verify_pin("111111")


def a_counters_work(terminal: Terminal) -> None:
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    terminal.pin_state()
    wrong_pin(terminal)
    terminal.verify_pin("123456")
    terminal.read("DF03/EF05/61")
    terminal.reset()
    terminal.enter("DF01")


@pytest.mark.parametrize("shape", ["t0", "apdu"])
def test_a_counters_work_is_a_vector_that_passes_on_every_card_of_its_kind(tmp_path: Path, shape: str) -> None:
    found = told(session(tmp_path, a_counters_work, shape=shape))
    assert found.left_out == []
    assert found.costs_tries
    assert not found.destructive
    file = tmp_path / "v.yaml"
    file.write_text(recorded.text(recorded.document(found, "MINE", "mine", LAYOUT, "3des"), "head"), encoding="utf-8")
    (vector,) = vectors.load(file)
    for persona in ("adult-chengdu", "long-name"):
        again = vectors.load(_of(file, persona))[0]
        assert again.steps == vector.steps
        result = runner.run_one(again, Virtual("3.00", "3des"))
        assert (result.verdict, result.reason) == (Verdict.PASSED, "")


def _of(file: Path, persona: str) -> Path:
    own = file.with_name(f"{persona}.yaml")
    own.write_text(file.read_text(encoding="utf-8").replace("steps:", f"persona: {persona}\nsteps:"), encoding="utf-8")
    return own


def test_both_shapes_of_a_session_are_the_same_steps(tmp_path: Path) -> None:
    t0 = told(session(tmp_path, a_counters_work)).steps
    assert told(session(tmp_path, a_counters_work, shape="apdu")).steps == t0


def test_proofs_and_the_pin_are_made_anew(tmp_path: Path) -> None:
    steps = told(session(tmp_path, a_counters_work)).steps
    assert {"authenticate": "RKSSSE"} in steps
    assert {"ask_pin": True, "expect": {"tries_left": 3}} in steps
    assert {"verify_pin": "wrong", "expect": {"sw": "63C2"}} in steps
    assert {"verify_pin": "right"} in steps
    assert {"reset": "warm"} in steps
    assert not any(str(step.get("apdu", "")).startswith(("0082", "0020")) for step in steps)


@pytest.mark.parametrize("traced", [False, True])
def test_no_value_of_the_card_is_in_it(tmp_path: Path, traced: bool) -> None:
    """Whether the trace has them or not."""
    path = session(tmp_path, a_counters_work, personal_data=traced)
    words = recorded.text(recorded.document(told(path), "MINE", "mine"), "")
    assert "测试甲".encode("gbk").hex().upper() not in words
    assert "091E" + ".." * 30 in words


def test_with_personal_data_the_values_are_as_the_trace_has_them(tmp_path: Path) -> None:
    path = session(tmp_path, a_counters_work, personal_data=True)
    words = recorded.text(recorded.document(told(path, personal_data=True), "MINE", "mine"), "")
    assert "测试甲".encode("gbk").hex().upper() in words


def test_what_holds_for_one_session_alone_is_left_out_and_said(tmp_path: Path) -> None:
    def work(terminal: Terminal) -> None:
        terminal.reload_pin("246810")
        terminal.change_pin("246810", "123456")

    found = told(session(tmp_path, work))
    assert [one.partition(": ")[2] for one in found.left_out] == [
        "PIN CHANGE/UNBLOCK: its MAC holds for that session alone",
        "CHANGE PIN: the new PIN is not in the trace",
    ]


def test_a_masked_update_writes_what_is_there(tmp_path: Path) -> None:
    found = told(session(tmp_path, lambda terminal: terminal.update("SSSE/EF06/09", "某人")))
    assert {"update": {"item": "SSSE/EF06/09", "same": True}} in found.steps
    assert not found.destructive


def test_an_update_whose_value_is_known_changes_the_card(tmp_path: Path) -> None:
    path = session(tmp_path, lambda terminal: terminal.update("SSSE/EF06/09", "某人"), personal_data=True)
    found = told(path, personal_data=True)
    assert any(str(step.get("apdu", "")).startswith("00DC") for step in found.steps)
    assert found.destructive


def test_a_session_of_nothing_is_no_vector() -> None:
    with pytest.raises(TraceError, match="nothing in the trace"):
        recorded.document(Recorded(), "MINE", "mine")
