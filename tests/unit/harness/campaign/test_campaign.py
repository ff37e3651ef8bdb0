"""A campaign on this machine: what is planted is found, made small, and shown again by its vector; nothing else is."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKINGS_CELL, CellKey, tries_cell
from harness.campaign import campaign as campaigns
from harness.campaign import effects, shard
from harness.campaign.campaign import Campaign, Plan
from harness.campaign.deeds import Challenge, Deed, Prove, Reset, Seal, Send
from harness.campaign.finding import Finding, shows
from harness.campaign.model import Wanted
from harness.campaign.session import Kind, Session, Wrong, first_wrong
from harness.campaign.shard import Part, Shard
from harness.cli.campaign import campaign as command
from harness.conformance import judgement, runner
from harness.conformance import vector as vectors
from harness.conformance.targets.virtual import Virtual
from harness.proving.executor import Runs, opened
from harness.verdicts.verdict import Verdict
from tests.kit import planted

KIND = Kind("3.00", "3des")
LIAR = """extends = "3.00"
schema = 1
name = "liar"
version = "3.00"
title = "A card that writes what nobody may"
title_zh = "谁都可以写的卡"
algorithms = ["3des"]

[habits]
grade = "D"
sources = []

[habits.status]
"DC:6982" = "9000"
"""


@pytest.fixture(scope="module")
def here() -> Iterator[Runs]:
    shard.by_id()
    with opened(jobs=2) as runs:
        yield runs


def run(here: Runs, plan: Plan) -> Campaign:
    done = Campaign(plan)
    done.run(here)
    return done


def test_a_sound_card_comes_through_and_every_part_says_how_much_it_did(here: Runs) -> None:
    done = run(here, Plan((KIND,), (Part.COMMANDS, Part.FLOWS, Part.TEARS), rounds=1))
    results = done.verdicts()
    assert [one.verdict for one in results] == [Verdict.PASSED] * 3, [one.reason for one in results]
    assert judgement.exit_code(results) == 0
    assert min(done.commands[part, KIND.name] for part in done.plan.parts) > 100


def test_a_planted_fault_is_found_and_made_small_and_its_vector_shows_it(here: Runs, tmp_path: Path) -> None:
    plan = Plan((KIND,), (Part.COMMANDS,), rounds=1, planted=planted.second_wrong_pin)
    done = run(here, plan)
    (found,) = done.findings.values()
    assert found.always
    assert judgement.exit_code(done.verdicts()) == 1
    commands = [one.command.hex() for one in found.deeds if isinstance(one, Send)]
    assert len(found.deeds) <= 3, "an application, and twice a wrong PIN"
    assert [one[:4] for one in commands] == ["00a4", "0020", "0020"]
    path = found.written(tmp_path)
    assert not shows(found, path), "a card without the fault passes"
    assert _fails_on(found, path)


def _fails_on(found: Finding, path: Path) -> bool:
    """Whether the vector's own steps fail on a card with the fault, sent as they stand in the file."""
    (vector,) = vectors.load(path)
    session = Session(found.kind, random.Random("a third chance"), planted.second_wrong_pin)
    sent = [session.chip.transmit(bytes.fromhex(step.raw)) for step in vector.steps]
    expect = vector.steps[-1].around.expect
    assert expect is not None
    return expect.sw != sent[-1][-2:].hex().upper()


def test_the_same_seed_finds_the_same_wherever_it_is_run(here: Runs) -> None:
    plan = Plan((KIND,), (Part.COMMANDS, Part.TEARS), seed=3, rounds=1, planted=planted.second_wrong_pin)
    with opened(jobs=1) as alone:
        told = [
            [(one.subject.id, one.verdict, one.reason) for one in run(runs, plan).verdicts()] for runs in (here, alone)
        ]
    assert told[0] == told[1]
    other = run(here, replace(plan, seed=4))
    assert other.commands != run(here, plan).commands


def test_flows_of_public_programs_find_a_card_that_faults(here: Runs) -> None:
    done = run(here, Plan((KIND,), (Part.FLOWS,), rounds=3, planted=planted.forgets_itself))
    (found,) = done.findings.values()
    assert found.wrong.answer == b"\x6f\x00"
    assert judgement.exit_code(done.verdicts()) == 1


def test_what_was_not_reached_is_not_green(here: Runs) -> None:
    done = run(here, Plan((KIND,), (Part.VECTORS, Part.COMMANDS), minutes=1e-9))
    results = done.verdicts()
    assert {one.verdict for one in results} == {Verdict.MISSING}
    assert judgement.exit_code(results) == 4


def test_nothing_at_all_is_not_green() -> None:
    assert judgement.exit_code(Campaign(Plan((Kind("1.00", "3des"),), (Part.COMMANDS,), rounds=1)).verdicts()) == 4


def test_cases_are_given_out_whole_and_once() -> None:
    done = Campaign(Plan((KIND, Kind("3.00", "sm4")), (Part.VECTORS, Part.FIELD), rounds=1))
    asked = list(done.asked())
    every = Counter((one.kind, name) for one in asked for name in one.ids)
    assert set(every.values()) == {1}
    there = {name for name, one in shard.by_id().items() if one.applies("3.00", "sm4")}
    assert {name for kind, name in every if kind.algorithm == "sm4"} == there


def test_vectors_are_judged_as_vectors_run_judges_them() -> None:
    ids = tuple(sorted(name for name, one in shard.by_id().items() if one.applies("3.00", "3des")))[:40]
    outcome = shard.play(Shard(Part.VECTORS, 0, KIND, ids=ids))
    target = Virtual("3.00", "3des")
    ours = [runner.run_one(shard.by_id()[one], target) for one in ids]
    assert [(one.subject.id, one.verdict, one.reason) for one in outcome.results] == [
        (one.subject.id, one.verdict, one.reason) for one in ours
    ]


# --- the memory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "answer", "changed", "words"),
    [
        ("0020000003999999", "63C2", {tries_cell("PIN"): 2}, ""),
        ("00B2012C04", "9000", {tries_cell("PIN"): 2}, "nothing to do with tries"),
        ("0082000410", "63C2", {tries_cell("UKSSSE"): 2}, ""),
        ("0082000410", "63C2", {tries_cell("PUK"): 2, tries_cell("UKSSSE"): 2}, "several counters"),
        ("0082000410", "63C2", {tries_cell("PIN"): 2}, "these tries"),
        ("0082000610", "63C2", {UNBLOCKINGS_CELL: 2}, "these tries"),
        ("0020000003", "63C2", {UNBLOCKINGS_CELL: 2}, "these tries"),
        ("0020000003", "9000", {tries_cell("PIN"): 2}, "yet took tries of tries/PIN"),
        ("0020000003", "63C1", {tries_cell("PIN"): 1}, "did not take one try"),
        ("8424000004", "6988", {UNBLOCKINGS_CELL: 2}, ""),
        ("842400010C", "6A80", {UNBLOCKINGS_CELL: 2}, ""),
        ("8424000004", "6988", {tries_cell("PIN"): 2}, "these tries"),
        ("8424000004", "6988", {UNBLOCKINGS_CELL: 2, tries_cell("PIN"): 2}, "yet touched tries/PIN"),
        ("8424000004", "6988", {tries_cell("STK"): 2}, "these tries"),
        ("04D6810008", "6988", {tries_cell("STK"): 2}, "nothing to do with tries"),
        ("805E010007", "6983", {PIN_CELL: "000000"}, "yet changed"),
        ("805E010007", "9000", {PIN_CELL: "000000"}, ""),
        ("0020000003", "6A86", {tries_cell("PIN"): 2}, "not even begun"),
        ("0020000003", "6A80", {tries_cell("PIN"): 2}, ""),
        ("00", "", {}, "two bytes"),
    ],
)
def test_what_a_command_may_do_to_the_memory(
    sent: str, answer: str, changed: dict[CellKey, int | str], words: str
) -> None:
    before = KIND.image().memory.snapshot()
    found = effects.wrong(bytes.fromhex(sent), bytes.fromhex(answer), before, {**before, **changed})
    assert words in found
    assert bool(words) == bool(found)


USED_UP = {tries_cell("PIN"): 0, UNBLOCKINGS_CELL: 1, tries_cell("PUK"): 1, tries_cell("UKSSSE"): 2}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({tries_cell("PIN"): 3}, ""),
        ({tries_cell("PIN"): 3, UNBLOCKINGS_CELL: 3, PIN_CELL: "654321"}, ""),
        ({tries_cell("PIN"): 3, UNBLOCKINGS_CELL: 3, tries_cell("PUK"): 3}, "yet touched tries/PUK"),
        ({tries_cell("PIN"): 3, tries_cell("UKSSSE"): 3}, "yet touched tries/UKSSSE"),
        ({tries_cell("PIN"): 3, UNBLOCKINGS_CELL: 0}, "yet took tries of tries/unblocking the PIN"),
    ],
)
def test_an_unblocking_sets_back_the_pins_tries_and_its_own_failures_alone(
    changed: dict[CellKey, int | str], words: str
) -> None:
    before = {**KIND.image().memory.snapshot(), **USED_UP}
    found = effects.wrong(bytes.fromhex("8424000110"), b"\x90\x00", before, {**before, **changed})
    assert words in found
    assert bool(words) == bool(found)


UNBLOCKED_AFTER_FAILURES: tuple[Deed, ...] = (
    Send(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")), Send(bytes.fromhex("0020000003999999")),
    Challenge(), Prove("PUK", 0x06), Challenge(), Seal(bytes.fromhex("84240000"), b"", "STK", wrong=True),
    Challenge(), Prove("PUK", 0x06), Challenge(), Seal(bytes.fromhex("84240000"), b"", "STK"),
)  # fmt: skip


def test_an_unblocking_after_failures_of_both_kinds_is_right_and_one_that_touches_a_key_is_found() -> None:
    """Both counters are used, and set back by the last deed; with the fault it takes a try of a key, too."""
    session = Session(KIND, random.Random(1))
    assert first_wrong(session, UNBLOCKED_AFTER_FAILURES) is None
    memory = session.chip.image.memory
    assert (memory.counter(tries_cell("PIN")), memory.counter(UNBLOCKINGS_CELL)) == (3, 3)
    faulty = Session(KIND, random.Random(1), planted.spends_a_keys_try)
    found = first_wrong(faulty, UNBLOCKED_AFTER_FAILURES)
    assert found is not None
    assert found[0] == len(UNBLOCKED_AFTER_FAILURES) - 1
    assert found[1].words.endswith("yet touched tries/UKSSSE")


# --- vectors ------------------------------------------------------------------------------------------------------

WRITING: tuple[Deed, ...] = (
    Send(bytes.fromhex("00A4040006D15600000500")), Challenge(), Prove("UK1DF01", 0x83), Challenge(),
    Seal(bytes.fromhex("04DC012C"), bytes.fromhex("20023131"), "STKDF01"), Reset(), Reset(cold=True),
    Send(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")), Prove("UKSSSE", 0x04), Challenge(),
    Prove("PUK", 0x06), Challenge(), Seal(bytes.fromhex("84240001"), bytes.fromhex("654321"), "STK", cipher=True),
    Challenge(), Seal(bytes.fromhex("84240000"), b"", "STK", wrong=True), Challenge(),
    Prove("UKSSSE", 0x04, wrong=True),
)  # fmt: skip


@pytest.mark.parametrize("kind", [KIND, Kind("3.00", "sm4"), Kind("2.00", "3des")], ids=lambda one: one.name)
def test_the_vector_of_any_deeds_sends_what_they_sent(kind: Kind, tmp_path: Path) -> None:
    """Each beginning of the deeds as a vector that expects what the card answered: it passes, by other challenges."""
    session = Session(kind, random.Random(1))
    assert first_wrong(session, WRITING) is None
    for number, deed in enumerate(WRITING, 1):
        command, answer = session.sent[number - 1]
        if isinstance(deed, Reset | Challenge):
            continue
        sw = answer[-2:].hex().upper()
        told = Wrong("as it was", command, answer, Wanted("", (sw,)))
        case = Finding(kind, WRITING[:number], told, tuple(session.sent[:number]), "1", always=True)
        (vector,) = vectors.load(case.written(tmp_path))
        result = runner.run_one(vector, Virtual(kind.layout, kind.algorithm))
        assert result.verdict is Verdict.PASSED, (deed, result.reason)
        other = replace(case, wrong=Wrong("not as it was", command, answer, Wanted("", ("6F00",))))
        assert shows(other, other.written(tmp_path)), deed


def test_a_torn_deed_is_a_step_with_power_cut(tmp_path: Path) -> None:
    session = Session(KIND, random.Random(1))
    assert first_wrong(session, WRITING[:5]) is None
    wrong = Wrong("neither", session.sent[4][0], b"", torn=True)
    case = Finding(KIND, WRITING[:5], wrong, tuple(session.sent), "1", always=True)
    (vector,) = vectors.load(case.written(tmp_path))
    assert vector.steps[-1].name == "tear"
    assert runner.run_one(vector, Virtual("3.00", "3des")).verdict is Verdict.PASSED


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_finds_a_cards_habit_and_writes_a_vector_that_fails_again(tmp_path: Path) -> None:
    layout = tmp_path / "liar.toml"
    layout.write_text(LIAR, encoding="utf-8")
    to = tmp_path / "found"
    arguments = ["--rounds", "1", "--part", "commands", "--layout", str(layout), "-o", str(to), "--jobs", "1", "--json"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    (one,) = told["campaign"]["findings"]
    assert one["shown_by_its_vector"]
    assert one["steps"] <= 3
    assert f"vectors run {one['file']} --layout {layout}" in one["again"]
    (vector,) = vectors.load(Path(one["file"]))
    assert runner.run_one(vector, Virtual(str(layout), "3des")).verdict is Verdict.FAILED
    assert runner.run_one(vector, Virtual("3.00", "3des")).verdict is Verdict.PASSED
    assert told["counts"]["failed"] == 2, "the finding, and the commands by chance that it was found by"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--minutes", "1", "--rounds", "1"], "--rounds"),
        (["--minutes", "0"], "--minutes"),
        (["--layout", "3.00", "--profile", "3.00-sm4"], "--profile"),
        (["--part", "comands"], "comands"),
        (["--scheduler", "nowhere"], "tcp://HOST:8786"),
    ],
)
def test_what_means_nothing_is_said_before_anything_is_run(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [*arguments, "-o", str(tmp_path / "x")])
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)
    assert not (tmp_path / "x").exists()


def test_titles_of_all_parts_are_there() -> None:
    assert set(campaigns.TITLES) == set(Part)
