"""What a run came to is judged by what stands in its plan; nothing that was not judged is green."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator import catalogue
from emulator.filesystem.memory.cells import file_cell, tries_cell
from emulator.filesystem.memory.image import Image
from harness.monitor.monitor import as_subject
from harness.monitor.rules.pin import RULES as PIN_RULES
from harness.proving import card_state, judging, output
from harness.proving.card_state import CardState
from harness.proving.program import Ended
from harness.proving.runs import Check, Expectation
from harness.verdicts.verdict import Result, Verdict

KEY = b"a key"
ENDED = Ended(0, 0, None, hung=False, seconds=2.0, left=0, output=b"", printed=0, cut=False)
NOTHING = Expectation()


def card() -> Image:
    return catalogue.card("adult-chengdu", "3.00")


def of_program(ended: Ended, expected: Expectation = NOTHING, commands: int = 5) -> dict[str, Verdict]:
    return {one.what: one.verdict for one in judging.of_program(ended, commands, commands, expected, "")}


def test_nothing_judged_is_not_green() -> None:
    assert judging.gravest([]) is Verdict.MISSING


@pytest.mark.parametrize("wrong", [Verdict.FAILED, Verdict.UNDEFINED, Verdict.MISSING, Verdict.WARNING])
def test_one_check_that_went_wrong_is_the_run_s(wrong: Verdict) -> None:
    assert judging.gravest([Check("a", Verdict.PASSED), Check("b", wrong), Check("c", Verdict.PASSED)]) is wrong


@pytest.mark.parametrize(("code", "verdict"), [(0, Verdict.PASSED), (2, Verdict.PASSED), (1, Verdict.FAILED)])
def test_an_exit_code_is_judged_where_one_is_expected(code: int, verdict: Verdict) -> None:
    ended = replace(ENDED, exit_code=code)
    assert of_program(ended, Expectation(exit=(0, 2))) == {"exit": verdict}
    assert of_program(ended) == {}


def test_hung_killed_slow_idle_and_what_it_left_are_told_apart() -> None:
    assert of_program(replace(ENDED, hung=True, exit_code=None, signal=15)) == {"deadline": Verdict.FAILED}
    assert of_program(replace(ENDED, exit_code=None, signal=11)) == {"exit": Verdict.FAILED}
    assert of_program(ENDED, Expectation(seconds=1.0)) == {"seconds": Verdict.FAILED}
    assert of_program(ENDED, Expectation(seconds=3.0)) == {"seconds": Verdict.PASSED}
    assert of_program(ENDED, commands=0) == {"card-used": Verdict.FAILED}
    assert of_program(replace(ENDED, left=2)) == {"processes": Verdict.WARNING}


@pytest.mark.parametrize(
    ("told", "cut", "verdicts"),
    [
        ("region 510700\n", False, [Verdict.PASSED, Verdict.PASSED]),
        ("region 510100\n", False, [Verdict.FAILED, Verdict.PASSED]),
        ("region 510700\nTraceback\n", False, [Verdict.PASSED, Verdict.FAILED]),
        ("region 510700\n", True, [Verdict.PASSED, Verdict.MISSING]),
        ("", True, [Verdict.MISSING, Verdict.MISSING]),
    ],
)
def test_output_is_searched_line_by_line_and_what_was_cut_is_not_judged(
    told: str, cut: bool, verdicts: list[Verdict]
) -> None:
    expected = Expectation(prints=("^region 510700$",), prints_not=("^Traceback",))
    assert [one.verdict for one in judging.of_output(told, 9, expected, cut=cut)] == verdicts


def rule(verdict: Verdict) -> Result:
    return Result(as_subject(PIN_RULES[0]), "3.00", verdict, "why", 0.0)


def test_a_rule_that_never_came_up_is_told_where_it_is_required() -> None:
    identity = PIN_RULES[0].id
    for required in (identity, identity.partition("-")[0]):
        expected = Expectation(require=(required,))
        assert [one.verdict for one in judging.of_rules([rule(Verdict.MISSING)], expected, frozenset())] == [
            Verdict.MISSING
        ]
        assert [one.verdict for one in judging.of_rules([rule(Verdict.PASSED)], expected, frozenset())] == [
            Verdict.PASSED
        ]


def test_a_broken_rule_fails_unless_it_is_forgiven() -> None:
    (told,) = judging.of_rules([rule(Verdict.FAILED)], NOTHING, frozenset())
    (forgiven,) = judging.of_rules([rule(Verdict.FAILED)], NOTHING, frozenset({PIN_RULES[0].id}))
    assert (told.verdict, forgiven.verdict) == (Verdict.FAILED, Verdict.WARNING)


def states(change: dict[str, tuple[bytes, ...]], tries: int | None = None) -> tuple[CardState, CardState]:
    image = card()
    before = card_state.state(image, KEY)
    for path, records in change.items():
        image.memory.put(file_cell(path), records)
    if tries is not None:
        image.memory.set_counter(tries_cell("PIN"), tries)
    image.memory.commit()
    return before, card_state.state(image, KEY)


def test_what_changed_in_a_card_is_told_by_name_and_by_how_much() -> None:
    before, after = states({}, tries=1)
    assert [str(one) for one in card_state.changes(before, after)] == ["tries/PIN changed (-2)"]
    assert card_state.lost_tries(card_state.changes(before, after))
    verdicts = {
        allowed: [one.verdict for one in judging.of_card(before, after, Expectation(changes=allowed))]
        for allowed in ((), ("tries/*",))
    }
    assert verdicts == {(): [Verdict.FAILED], ("tries/*",): [Verdict.PASSED]}
    assert list(judging.of_card(before, after, NOTHING)) == []


def test_a_region_that_moved_in_part_and_an_item_that_is_half_written_are_told() -> None:
    image = card()
    path = image.layout.insurance_region[0].file
    moved = tuple(
        one[:2] + b"510700" if one[0] == image.layout.insurance_region[0].tag else one
        for one in image.memory.records(path)
    )
    before, after = states({path: moved})
    assert card_state.region_in_part(before, after) == (1, 5)
    half = tuple(one[:4] for one in image.memory.records(path))
    before, after = states({path: half})
    assert "cannot be read" in next(judging.of_card(before, after, NOTHING)).reason


def test_a_digest_tells_nothing_without_its_key() -> None:
    one, other = card_state.state(card(), KEY), card_state.state(card(), b"another")
    assert one == card_state.state(card(), KEY)
    assert one.digest != other.digest
    assert not set(one.parts.values()) & set(other.parts.values())


@pytest.mark.parametrize(
    "line",
    ["name 测试甲", "519900199003070013", "1990-03-07", "PIN 123456", "00B2072C0B", "0A 1B 2C 3D 4E"],
)
def test_what_may_be_the_card_s_is_hidden_in_output(line: str) -> None:
    image = card()
    name = next(record[2:].decode("gbk").strip("\0") for record in image.memory.records("SSSE/EF06") if record[0] == 9)
    line = line.replace("测试甲", name)
    assert "*" in output.hidden(line, image)
    assert not set(line.split()[-1]) & set(output.hidden(line, image)) - set("- ")


def test_what_says_nothing_of_anybody_is_kept() -> None:
    told = "SELECT: 6A82, line 12 of terminal.py: no such file (31)"
    assert output.hidden(told, card()) == told


def test_output_in_gb_18030_is_text_too() -> None:
    assert output.text("参保地".encode("gb18030")) == "参保地"
    assert output.text(b"\xff\xfe\xff") != ""
