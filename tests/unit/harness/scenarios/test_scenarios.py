"""The Measures' scenarios: all pass, every article has one, errors name file and line, other software is judged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.image import Image
from harness.cli import main
from harness.conformance import vector as vectors
from harness.conformance.steps import StepFailed
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import BASE
from harness.office.operations import ALL
from harness.readers.connection import InProcess
from harness.scenarios import judge as judging
from harness.scenarios import matrix, model, runner
from harness.scenarios.checking import PROFILES
from harness.scenarios.model import ScenarioError
from harness.scenarios.models import ACTIONS, Ending, Step
from harness.scenarios.play import Ended, Play
from harness.scenarios.stage import Stage
from harness.terminal import region
from harness.terminal.terminal import Terminal
from harness.trace.record import TraceFile
from harness.verdicts.verdict import Verdict
from tests.kit.sampled import sampled

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "vectors" / "office"
SCENARIOS = model.find([FOLDER])
BY_ID = {one.id: one for one in SCENARIOS}
TRANSFER = BY_ID["OFFICE-24-WITHIN_THE_PROVINCE"]


@pytest.mark.timeout(600)
def test_scenarios_pass_on_one_of_their_cards() -> None:
    results = [runner.run_one(one, one.cards[at % len(one.cards)]) for at, one in sampled(enumerate(SCENARIOS), 2)]
    assert [(one.subject.id, one.profile, one.reason) for one in results if one.verdict is not Verdict.PASSED] == []


@pytest.mark.timeout(600)
def test_scenarios_pass_on_all_their_cards() -> None:
    scenarios = sampled(SCENARIOS, 20)
    results = list(runner.run(scenarios))
    expected = [(one.id, profile) for one in scenarios for profile in one.cards]
    assert [(one.subject.id, one.profile) for one in results] == expected, "in order"
    assert [(one.subject.id, one.profile, one.reason) for one in results if one.verdict is not Verdict.PASSED] == []


# --- what they cover -------------------------------------------------------------------------------------------------


def test_no_article_that_a_program_can_meet_is_left_out() -> None:
    assert matrix.missing(SCENARIOS) == []
    without = [one for one in SCENARIOS if "24" not in map(matrix.short, one.articles)]
    assert [one.label_zh for one in matrix.missing(without)] == ["第二十四条"], "a gap would show"


def test_the_table_in_the_docs_is_the_generators() -> None:
    written = (ROOT / "docs/reference/articles.md").read_text(encoding="utf-8")
    assert written == matrix.markdown(SCENARIOS), "sscard scenarios matrix --markdown > docs/reference/articles.md"
    assert "仅约束人" in written
    assert "**none" not in written


def test_every_operation_is_done_and_every_rule_refuses_somewhere() -> None:
    steps = [step for one in SCENARIOS for step in one.steps]
    done = {step.operation for step in steps if step.expected is Ending.DONE}
    assert set(ALL) - done == set()
    rules: set[Rule] = {*BASE, *(rule for one in ALL.values() for rule in one.rules)}
    assert {one.id for one in rules} - {step.around.rule for step in steps} == set()


@pytest.mark.parametrize("name", ["scenarios.md", "scenarios.zh-CN.md"])
def test_the_example_in_the_docs_passes_and_links_hold(name: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    path = tmp_path / "mine.yaml"
    path.write_text(found.group(1), encoding="utf-8")
    (result,) = runner.run(model.load(path))
    assert (result.verdict, result.reason) == (Verdict.PASSED, "")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert link.startswith("https://") or (ROOT / "docs" / link).exists(), link
    assert all(f"`{one}" in text for one in ACTIONS), "every step is told"


# --- what is wrong with one ------------------------------------------------------------------------------------------

GOOD = """\
scenario: 1
id: OFFICE-22-TRIED
title: tried
title_zh: 试
articles: ["22"]
grade: S
people:
  a: {is: adult, order: 11}
steps:
  - instant: true
    step: card
    for: a
    with: {bank: bank-a, electronic_pin: "135790"}
  - do: query
    for: a
    told: {electronic: true}
"""


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        ("scenario: 1", "scenario: 2", r":1: scenario: 1 was expected"),
        ("title: tried", "titel: tried", r":1: the scenario: .*title"),
        ('articles: ["22"]', 'articles: ["36"]', r":5: articles.0: the Measures have articles 1 to 34, asked for 36"),
        ('articles: ["22"]', 'articles: ["9.3"]', r":5: articles.0: article 9 of the Measures has 2 paragraphs"),
        ('articles: ["22"]', 'articles: ["9"]', r":2: id: expected OFFICE-, then an article of 9"),
        ("order: 11", "order: 11, phone: abc", r":8: people.a.phone: "),
        ("order: 11", "order: 11, guardian: z", r":8: people: a: guardian z is none of these people"),
        ("order: 11", "order: 11, shoe: 44", r":8: people.a.shoe: no field is called so"),
        ("do: query", "do: qeury", r":14: steps.1.do: no operation 'qeury': choose one of apply, "),
        ("do: query", "do: query\n    clock: 1 day", r":14: steps.1: a step does one thing of .*found do, clock"),
        ("bank: bank-a", "bnak: bank-a", r":13: steps.0.with.bnak: no field is called so"),
        ('electronic_pin: "135790"', "electronic_pin: 135790", r":13: steps.0.with.electronic_pin: "),
        ("for: a\n    told", "for: b\n    told", r":15: steps.1.for: b is none of the scenario's people"),
        (
            "for: a\n    told",
            "with: {card: $cart.card}\n    told",
            r":15: steps.1.with: \$cart: no person and no earlier",
        ),
        ("for: a\n    told", "expect: refused\n    told", r":14: steps.1: a refused request names its rule"),
        ("for: a\n    told", "rule: ONE-CARD\n    told", r":14: steps.1: a refused request names its rule"),
        (
            "for: a\n    told",
            "expect: wrong\n    told",
            r":15: steps.1.expect: do ends done or refused or .*never wrong",
        ),
        ("for: a\n    told", "tear: {after: 1}\n    told", r":15: steps.1.tear: no card is in the reader"),
        (
            "do: query\n    for: a\n    told: {electronic: true}",
            "enter_pin: '1234'",
            r":14: steps.1: enter_pin needs a",
        ),
        ("do: query\n    for: a", "clock: 1 day\n    by: officer", r":15: steps.1.by: by goes with do or instant only"),
        ("do: query", "do: query\n    step: card", r":15: steps.1.step: card is the name of a person or step already"),
        (
            "do: query\n    for: a\n    told: {electronic: true}",
            "at: 2025-02-30 09:00",
            r":14: steps.1.at: expected a moment that there is: day is out of range",
        ),
        ("grade: S", "grade: S\nstart: 2025-03-03 25:00", r":7: start: expected a moment that there is: hour must be"),
        ("steps:", "steps: [", "not YAML"),
    ],
)
def test_errors_name_file_line_and_what_was_expected(tmp_path: Path, change: str, to: str, expected: str) -> None:
    path = tmp_path / "s.yaml"
    assert change in GOOD
    path.write_text(GOOD.replace(change, to, 1), encoding="utf-8")
    with pytest.raises(ScenarioError, match=rf"s\.yaml.*{expected}"):
        model.load(path)


def test_they_are_not_taken_for_vectors(pytester: pytest.Pytester) -> None:
    found = vectors.find([FOLDER.parent])
    assert not [one.id for one in found if one.id.startswith("OFFICE-")]
    folder = str(FOLDER.parent)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--co", "-q", "--sscard-vectors", folder, folder)
    assert not result.ret
    assert "OFFICE-" not in result.stdout.str()


def test_an_id_stands_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"OFFICE-22-TRIED stands in .*a\.yaml already"):
        model.find([tmp_path])


# --- what does not come out as told ----------------------------------------------------------------------------------

QUERY = "do: query\n    for: a\n    told: {electronic: true}"


@pytest.mark.parametrize(
    ("to", "verdict", "expected"),
    [
        ("do: query\n    for: a\n    told: {electronic: false}", "failed", "expected electronic False to be told"),
        ("do: query\n    for: a\n    hidden: ['510100']", "failed", "'510100' is told, and should not be"),
        ("do: query\n    for: a\n    notices: ['21.2']", "failed", "expected notices of"),
        ("do: reissue\n    for: a", "failed", "expected done, got refused: 第二十条"),
        ("do: query\n    for: a\n    expect: refused\n    rule: LOST", "failed", "expected refused, got done"),
        ("do: reissue\n    for: a\n    expect: refused\n    rule: LOST", "failed", "FORMALLY-LOST did"),
        (
            "do: reissue\n    for: a\n    expect: refused\n    rule: FORMALLY-LOST\n    article: '21.1'",
            "failed",
            "expected article 21.1 to refuse, got 第二十条",
        ),
        ("look: true\n    for: a\n    then: {register: {loss: formal}}", "failed", "expected loss 'formal'"),
        ("look: true\n    for: a\n    then: {chip: {activated: false}}", "failed", "the chip has True"),
        ("look: true\n    for: a\n    then: {chip: {items: {SSSE/EF06/0A: '2'}}}", "failed", "SSSE/EF06/0A '2'"),
        ("look: true\n    for: a\n    then: {chip: {items: {SSSE/EF77/0A: '2'}}}", "failed", "no item 'SSSE/EF77/0A'"),
        ("look: true\n    for: a\n    then: {person: {cards: 2}}", "failed", "expected cards 2"),
        ("look: true\n    for: a\n    then: {trail: [{operation: erase}]}", "failed", "the trail has no line"),
        (
            "look: true\n    for: a\n    then: {trail: [{operation: activate}, {operation: apply}]}",
            "failed",
            "the trail has no line",
        ),
        ("look: true\n    then: {outlets: [{kind: bank, helps: [home-visit]}]}", "failed", "there is no outlet"),
        ("look: true\n    then: {card: $card.nothing, chip: {tries: 3}}", "failed", "there is no card.nothing"),
        ("look: true\n    then: {unwritten: [$a.phone]}", "failed", "'00000000011' stands in the register: person: "),
        ("do: query\n    for: a\n    told: {electronics: null}", "failed", "expected electronics None to be told"),
        ("enter_pin: '654321'\n    card: $card.card", "failed", "expected right, got wrong"),
        ("clock: 1 day\n    told: {now: '2025-03-05 09:00'}", "failed", "got '2025-03-04 09:00'"),
        ("bank: {code: bank-q, down: true}", "undefined", "a fault of this program's own"),
    ],
)  # fmt: skip
def test_what_comes_otherwise_is_told(tmp_path: Path, to: str, verdict: str, expected: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD.replace(QUERY, to), encoding="utf-8")
    (result,) = runner.run(model.load(path))
    assert (result.verdict, expected in result.reason) == (verdict, True), result.reason
    if verdict == "failed":
        assert result.reason.startswith("step 2 (")


def test_a_refusal_that_changes_a_card_fails(tmp_path: Path) -> None:
    """Not what rules say alone: a refused step leaves every chip as it was."""
    with Stage(tmp_path, TRANSFER.start, "3.00-3des", "x") as stage:
        play = Play(TRANSFER, stage)
        real = play.step

        def tampering(step: Step) -> Ended:
            ended = real(step)
            if ended.ending is Ending.REFUSED:
                (number,) = stage.pocket.chips
                with stage.pocket.inserted(number) as connection:
                    terminal = Terminal(connection)
                    terminal.begin()
                    terminal.update("DF03/EF05/61", "511500")
            return ended

        play.step = tampering  # type: ignore[method-assign]
        with pytest.raises(StepFailed, match=r"step 2 .*was changed: DF03/EF05/61"):
            runner.play_to(TRANSFER, play, len(TRANSFER.steps))


def test_runs_are_the_same_each_time() -> None:
    first, second = (list(runner.run([BY_ID["OFFICE-4-ELEVEN_SERVICES"]], ["3.00-sm4"])) for _ in range(2))
    assert first[0].trace == second[0].trace
    assert first[0].trace


# --- the command -----------------------------------------------------------------------------------------------------


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["scenarios", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_run_reports_as_vectors_do(tmp_path: Path) -> None:
    several = [f"--only={one}" for one in BY_ID if one.startswith("OFFICE-24-") and one != "OFFICE-24-NOTHING_TO_MOVE"]
    text = run("run", *several, "--profile", "3.00-sm4", "--report", str(tmp_path))
    assert text == "4 passed 通过\n"
    table = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert table["counts"]["passed"] == 4
    assert table["basis"] == matrix.BASIS
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "第二十四条" in page
    assert "2023 print" not in page, "the Measures are at hand"
    assert "第二十四条 article 24" in (tmp_path / "junit.xml").read_text(encoding="utf-8")


def test_exit_codes(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD.replace("{electronic: true}", "{electronic: false}"), encoding="utf-8")
    assert "failed 未通过: step 2 (do: query)" in run("run", str(path), code=1)
    known = tmp_path / "known.txt"
    known.write_text("OFFICE-22-TRIED\n")
    run("run", str(path), "--baseline", str(known))
    path.write_text(GOOD.replace(QUERY, "bank: {code: bank-q, down: true}"), encoding="utf-8")
    run("run", str(path), code=4)
    told = run("run", str(path), "--profile", "1.00-3des", code=4)
    assert "1 not applicable" in told, "nothing was judged, which is not green"
    run("run", str(path), "--profile", "9.99-3des", code=2)
    run("run", "--only", "NOBODY", code=2)
    path.write_text("scenario: 1\n", encoding="utf-8")
    assert "is a required property" in run("run", str(path), code=1)


def test_lists_and_the_matrix() -> None:
    assert "第二十四条" in run("list")
    rows = {one["id"]: one for one in json.loads(run("list", "--json"))}
    assert {"number": 5, "name": "moved", "do": "transfer"} in rows[TRANSFER.id]["steps"]
    assert re.search(r"^31 +第三十一条 .*binds what cardholders do", run("matrix"), re.MULTILINE)
    assert TRANSFER.id in json.loads(run("matrix", "--json"))["24"]["3.00-sm4"]
    assert run("matrix", "--markdown") == (ROOT / "docs/reference/articles.md").read_text(encoding="utf-8")


# --- other software, judged by its recording -------------------------------------------------------------------------


def record(path: Path, image: Image, work: Callable[[Terminal], object], **shown: bool) -> Path:
    """What a client did with a card, as ``sscard run --trace`` writes it."""
    with TraceFile(path, **{"show_secrets": True, "personal_data": True, "force": True, **shown}) as trace:
        chip = Chip(image, observer=trace.slot(0, image))
        terminal = Terminal(InProcess(chip))
        terminal.begin()
        work(terminal)
        chip.power_off()
    return path


def card(tmp_path: Path, scenario: str, step: str, profile: str = "3.00-3des") -> Image:
    path = tmp_path / "card.json"
    text = run("card", scenario, "--before", step, "--image", str(path), "--profile", profile)
    assert "to be done" in text
    return images.load(path)


def judged(scenario: str, step: str, trace: Path, code: int, profile: str = "3.00-3des") -> str:
    return run("judge", scenario, "--step", step, "--trace", str(trace), "--profile", profile, code=code)


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_software_that_moves_every_insurance_passes(tmp_path: Path, profile: str) -> None:
    image = card(tmp_path, TRANSFER.id, "moved", profile)
    trace = record(tmp_path / "t.jsonl", image, lambda terminal: region.move(terminal, "510700", "510100"))
    assert judged(TRANSFER.id, "moved", trace, 0, profile) == "1 passed 通过\n"


def test_software_that_moves_some_insurances_fails(tmp_path: Path) -> None:
    def some(terminal: Terminal) -> None:
        for one in region.read(terminal)[:2]:
            terminal.update(one.binding.item, "510700")

    trace = record(tmp_path / "t.jsonl", card(tmp_path, TRANSFER.id, "moved"), some)
    text = judged(TRANSFER.id, "moved", trace, 1)
    assert "expected regions '510700', the chip has ['510100', '510700']" in text
    assert "参保地不一致" in text


def test_software_that_forgets_to_activate_fails(tmp_path: Path) -> None:
    scenario = "OFFICE-13-ALONE_OR_WITH_ACCOUNT"
    image = card(tmp_path, scenario, "alone")
    trace = record(tmp_path / "t.jsonl", image, lambda terminal: terminal.authenticate("RKSSSE"))
    text = judged(scenario, "alone", trace, 1)
    assert "expected activated True, the chip has False" in text
    assert "启用状态不一致" in text
    trace = record(tmp_path / "t.jsonl", card_again(tmp_path, scenario, "alone"), lambda terminal: terminal.activate())
    judged(scenario, "alone", trace, 0)


def card_again(tmp_path: Path, scenario: str, step: str) -> Image:
    (tmp_path / "card.json").unlink()
    return card(tmp_path, scenario, step)


def test_software_that_does_what_is_refused_fails(tmp_path: Path) -> None:
    """The card says another region than the register: it must be left alone."""
    scenario = "OFFICE-24-CHECKED_BY_THE_SYSTEM"
    image = card(tmp_path, scenario, "refused")
    trace = record(tmp_path / "t.jsonl", image, region.read)
    judged(scenario, "refused", trace, 0)
    trace = record(
        tmp_path / "t.jsonl", card_again(tmp_path, scenario, "refused"),
        lambda terminal: terminal.update("DF03/EF05/61", "510100"),
    )  # fmt: skip
    assert "was changed" in judged(scenario, "refused", trace, 1)


def test_what_is_done_besides_is_a_warning(tmp_path: Path) -> None:
    def more(terminal: Terminal) -> None:
        region.move(terminal, "510700", "510100")
        terminal.change_pin("123456", "246810")

    trace = record(tmp_path / "t.jsonl", card(tmp_path, TRANSFER.id, "moved"), more)
    text = judged(TRANSFER.id, "moved", trace, 0)
    assert "warning 警告: 卡内另有改动" in text
    assert "the PIN was changed" in text
    assert "246810" not in text


def test_where_only_our_reading_asks_for_it_a_failure_is_a_warning(tmp_path: Path) -> None:
    scenario = "OFFICE-15-UNBLOCK"
    trace = record(tmp_path / "t.jsonl", card(tmp_path, scenario, "unblocked"), lambda terminal: terminal.pin_state())
    assert "warning 警告: 卡内状态不符 expected tries 3" in judged(scenario, "unblocked", trace, 0)


@pytest.mark.parametrize("shown", [{"show_secrets": False}, {"personal_data": False}])
def test_a_masked_recording_cannot_be_judged(tmp_path: Path, shown: dict[str, bool]) -> None:
    scenario = "OFFICE-15-CHANGE_WITH_THE_CARD"
    image = card(tmp_path, scenario, "changed")
    trace = record(tmp_path / "t.jsonl", image, lambda terminal: terminal.change_pin("123456", "246810"), **shown)
    text = judged(scenario, "changed", trace, 4)
    assert "requirement missing 缺少条件" in text
    assert "record with `sscard run --image CARD --trace FILE --show-secrets --personal-data`" in text


def test_another_card_another_state_and_faults_cannot_be_judged(tmp_path: Path) -> None:
    scenario = "OFFICE-15-CHANGE_WITH_THE_CARD"
    image = card(tmp_path, scenario, "changed")
    used = image.fork()
    trace = record(tmp_path / "t.jsonl", used, lambda terminal: terminal.change_pin("123456", "135791"))
    again = record(tmp_path / "again.jsonl", used, lambda terminal: terminal.change_pin("135791", "246810"))
    assert "in another state" in judged(scenario, "changed", again, 4)
    assert "expected pin '246810'" in judged(scenario, "changed", trace, 1)
    assert "in another state" in judged(scenario, "changed", trace, 4, "3.00-sm4")
    trace_of_another = record(
        tmp_path / "other.jsonl",
        catalogue.card(personas.DEFAULT, "3.00", "3des"),
        lambda terminal: terminal.pin_state(),
    )
    assert "another card: ATR" in judged(scenario, "changed", trace_of_another, 4)
    assert "nothing was sent to slot 3" in run(
        "judge", scenario, "--step", "changed", "--trace", str(trace), "--slot", "3", code=4
    )
    faulty = tmp_path / "faulty.jsonl"
    line = {"v": 2, "t": 0, "slot": 0, "event": "fault", "fault": "x", "kind": "mute"}
    faulty.write_text(trace.read_text(encoding="utf-8") + json.dumps(line) + "\n", encoding="utf-8")
    assert "a fault was put in" in judged(scenario, "changed", faulty, 4)


def test_steps_that_no_other_software_can_do(tmp_path: Path) -> None:
    for name, step in ((TRANSFER.id, "1"), ("OFFICE-24-TORN", "torn")):
        with (
            pytest.raises(ScenarioError, match="this step is none such"),
            judging.before(BY_ID[name], step),
        ):
            pass
    run("judge", TRANSFER.id, "--step", "nowhere", "--trace", str(tmp_path / "t.jsonl"), code=2)
    run("judge", TRANSFER.id, "--step", "moved", "--trace", str(tmp_path / "t.jsonl"), "--sign", "k.pem", code=2)
    run("judge", TRANSFER.id, "--step", "moved", "--trace", str(tmp_path / "none.jsonl"), code=1)
    run("card", TRANSFER.id, "--before", "moved", "--image", str(tmp_path / "c.json"), "--profile", "1.00-3des", code=1)
    run("card", TRANSFER.id, "--before", "nowhere", "--image", str(tmp_path / "c.json"), code=2)
    run("card", "OFFICE-*", "--before", "1", "--image", str(tmp_path / "c.json"), code=2)
    path = tmp_path / "there.json"
    path.write_text("x")
    run("card", TRANSFER.id, "--before", "moved", "--image", str(path), code=1)
    assert path.read_text() == "x"


def test_pins_are_told_by_request_alone(tmp_path: Path) -> None:
    arguments = ("card", "OFFICE-15-CHANGE_WITH_THE_CARD", "--before", "changed", "--image")
    assert "246810" not in run(*arguments, str(tmp_path / "a.json"))
    assert "new: 246810" in run(*arguments, str(tmp_path / "b.json"), "--show-secrets")
