"""The field's flows as vectors: whom they are of, in which ways they are played, and what makes one fail."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator import catalogue, personas
from emulator.apdu.command import ResponseAPDU
from emulator.chip import Chip
from emulator.filesystem.layouts import paths
from emulator.interface import Interface
from emulator.personas.issue import issue
from emulator.reader.shape import ReaderShape
from harness.conformance import answers, coverage, runner
from harness.conformance import vector as vectors
from harness.conformance.models import Follows, OfPersona, Parse, Step, Whole, step
from harness.conformance.play import Play
from harness.conformance.steps import StepFailed, Steps
from harness.conformance.targets.reader import CardInReader
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector
from harness.keys import roots
from harness.readers.connection import InProcess
from harness.sources.register import register
from harness.verdicts.log import Log
from harness.verdicts.models import build
from harness.verdicts.subject import Grade
from harness.verdicts.verdict import Verdict
from tests.kit.cards import new_card

FOLDER = Path(__file__).parents[4] / "vectors"
T0 = (ReaderShape.T0,)
FLOWS = vectors.find([FOLDER / "field"])
BY_ID = {one.id: one for one in FLOWS}
CARD_NUMBER = BY_ID["FIELD-DECARD_SERVICE_007"]
UNKNOWN_FOLLOWER = BY_ID["FIELD-HUADA_SERIAL_005"]
PSAM_FLOW = BY_ID["FIELD-YX_SCRIPTS_053"]


@pytest.mark.parametrize("flow", FLOWS, ids=[one.id for one in FLOWS])
def test_every_flow_passes_on_every_card_that_it_is_for(flow: Vector) -> None:
    results = [runner.run_one(flow, Virtual(*profile)) for profile in coverage.PROFILES if flow.applies(*profile)]
    assert results
    assert [(one.profile, one.reason) for one in results if one.verdict is not Verdict.PASSED] == []


IN_A_FIELD = [one for one in FLOWS if "3.00" in (one.versions or ("3.00",)) and not one.speaks_t0]
"""Those of programs that follow nothing themselves or whose reader does, on the cards that have this side."""
OF_CONTACTLESS_READERS = {"FIELD-HUADA_HD100_023", "FIELD-PICC_DEMO_034"}


@pytest.mark.parametrize("flow", IN_A_FIELD, ids=[one.id for one in IN_A_FIELD])
def test_a_flow_of_a_3_00_card_passes_in_a_field_as_well(flow: Vector) -> None:
    targets = [Virtual("3.00", algorithm, Interface.CONTACTLESS) for algorithm in flow.algorithms or ("3des", "sm4")]
    results = [runner.run_one(flow, one) for one in targets]
    assert [(one.profile, one.verdict, one.reason) for one in results if one.verdict is not Verdict.PASSED] == []


def test_the_flows_of_contactless_readers_are_among_them_and_none_that_needs_t0() -> None:
    assert {one.id for one in IN_A_FIELD} >= OF_CONTACTLESS_READERS
    for flow in FLOWS:
        if flow.speaks_t0 and flow.applies("3.00", "3des"):
            result = runner.run_one(flow, Virtual("3.00", "3des", Interface.CONTACTLESS))
            assert result.verdict is Verdict.NOT_APPLICABLE, flow.id
            assert "T=CL" in result.reason


def test_there_are_as_many_flows_and_origins_as_were_collected_and_each_is_of_a_program_that_the_register_knows() -> (
    None
):
    programs = [register()[one.origin] for one in FLOWS]
    assert {one.kind for one in programs} == {"program"}
    assert (len(FLOWS), len({one.origin for one in programs})) == (51, 19)
    assert {one.proof for one in FLOWS} == {"field"}
    assert all(f"[1: {one.origin}]" in one.source for one in FLOWS)
    assert {Path(one.path).stem for one in FLOWS} == {one.origin for one in programs}, "a file for each origin"


def test_the_flow_in_the_docs_passes(tmp_path: Path) -> None:
    text = (FOLDER.parent / "docs/conformance.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(schema: 1\nid: MINE-KIOSK.*?)```", text, re.DOTALL)
    assert found
    path = tmp_path / "mine.yaml"
    path.write_text(found[1], encoding="utf-8")
    (flow,) = vectors.load(path)
    assert [runner.run_one(flow, Virtual(*profile)).reason for profile in coverage.PROFILES] == [""] * 4
    assert ways(flow) == [("t0", "reader"), ("t0", "none"), ("apdu", "reader")]


# --- in which ways ---------------------------------------------------------------------------------------------------


def ways(flow: Vector, version: str = "2.00") -> list[tuple[str | None, str]]:
    return [(play.shape, play.follows) for play in Virtual(version, "3des").opened(flow, Log())]


def taken(*tables: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(map(step, tables))


def test_a_flow_is_played_in_each_shape_and_both_ways_where_nobody_knows_who_follows() -> None:
    assert ways(CARD_NUMBER) == [("t0", "reader"), ("apdu", "reader")]
    assert ways(UNKNOWN_FOLLOWER) == [("t0", "reader"), ("t0", "none"), ("apdu", "reader")]
    assert ways(replace(CARD_NUMBER, shapes=())) == [(None, "reader")], "as vectors always were"


def test_nobody_follows_where_nobody_does() -> None:
    steps: tuple[dict[str, Any], ...] = (
        {"apdu": "00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "accept": ["61xx"]},
        {"apdu": "00B2072C00", "accept": ["6C0B"]},
    )
    target = Virtual("3.00", "3des")
    assert (
        runner.run_one(replace(CARD_NUMBER, steps=taken(*steps), shapes=T0, follows=Follows.NONE), target).verdict
        == "passed"
    )
    half = ({**steps[0]}, {"apdu": "00B2072C00", "accept": ["9000"]})
    assert (
        runner.run_one(replace(CARD_NUMBER, steps=taken(*half), shapes=T0, follows=Follows.ONLY_6C), target).verdict
        == "passed"
    )
    told = runner.run_one(replace(CARD_NUMBER, steps=taken(*steps), shapes=T0), target)
    assert "a program goes on with 61xx; got 6F1C" in told.reason


def test_one_way_that_fails_fails_the_flow_and_is_named() -> None:
    steps = ({"apdu": "00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "accept": ["61xx"]},)
    result = runner.run_one(replace(UNKNOWN_FOLLOWER, steps=taken(*steps)), Virtual("2.00", "3des"))
    assert result.verdict is Verdict.FAILED
    assert "step 1 (apdu: 00A4" in result.reason
    assert "in the t0 shape: a program" in result.reason


def test_a_flow_has_the_layout_that_it_needs_and_is_not_for_a_card_of_another() -> None:
    assert Virtual("2.00", "3des").layout_for(PSAM_FLOW).name == "heze-2.00"
    assert Virtual("2.00", "3des").layout_for(CARD_NUMBER).name == "2.00"
    result = runner.run_one(replace(PSAM_FLOW, versions=()), Virtual("regional", "3des"))
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "it wants a card of the layout heze-3.00")


@pytest.mark.parametrize("name", ["heze-2.00", "jiangsu-2.00", "jiangsu-3.00", "psam-regions"])
def test_the_regions_layouts_issue_cards(name: str) -> None:
    layout = catalogue.layout(FOLDER / "field/layouts" / f"{name}.toml")
    assert layout.name == name
    issue(catalogue.persona("psam" if layout.card == "psam" else personas.DEFAULT), layout, "3des")


# --- which answers will do, and what is taken out of them ------------------------------------------------------------

ANSWER = ResponseAPDU.parse(bytes.fromhex("07094130303030303031319000"))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("any", True), ("9000", True), ("90xx", True), ("61xx", False),
        ({"is": "0709 4130303030303031319000"}, True), ({"is": "9000"}, False),
        ({"starts": "0709"}, True), ({"starts": "0809"}, False),
        ({"ends": "9000"}, True), ({"ends": "6A82"}, False), ({"contains": "4130"}, True),
        ({"contains": "4131"}, False), ({"lacks": "6A82"}, True), ({"lacks": "41"}, False),
    ],
)  # fmt: skip
def test_what_a_program_goes_on_with(one: Any, expected: bool) -> None:
    assert (
        answers.will_do(one if isinstance(one, str) else build(Whole, one), ANSWER, lambda text: text.replace(" ", ""))
        is expected
    )


@pytest.mark.parametrize(
    ("rule", "answer", "expected"),
    [
        ({"bytes": "2:11", "as": "ascii"}, "07094130303030303031319000", "A00000011"),
        ({"bytes": "2:4"}, "0709abcd9000", "ABCD"),
        ({"digits": "4:6"}, "03043230309000", "32"),
        ({"bytes": "2:", "as": "gbk"}, "0908B2E2CAD4000000009000", "测试"),
        ({"after": "5A", "unpadded": "F"}, "70065F24015A02123F9000", "123"),
        ({"after": "5A", "size": 1}, "5A12349000", "12"),
        ({"after": "9F0C", "default": "01"}, "6F009000", "01"),
        ({"digits": "4:", "without": ["9000", "00"], "odd": True}, "08033531399000", "519"),
        ({"digits": "4:", "without": ["9000", "00"], "as": "gbk"}, "0904B2E200009000", "测"),
    ],
)
def test_what_a_program_takes_out(rule: dict[str, Any], answer: str, expected: str) -> None:
    assert answers.taken(build(Parse, rule), ResponseAPDU.parse(bytes.fromhex(answer))) == expected


def test_what_is_taken_out_must_be_the_personas() -> None:
    (play, *_) = Virtual("3.00", "3des").opened(CARD_NUMBER, Log())
    other = Virtual("3.00", "3des").opened(replace(CARD_NUMBER, persona="adult-mianyang"), Log())
    wrong = replace(play, person=next(other).person)
    with pytest.raises(StepFailed, match=r"step 3 .*takes out \(bytes 2:11.*'A00000011', the persona has 'B00000027'"):
        Steps(wrong).run(CARD_NUMBER)
    Steps(replace(play, person=None)).run(CARD_NUMBER)


def test_the_persona_has_what_the_figures_say() -> None:
    (play, *_) = Virtual("2.00", "3des").opened(PSAM_FLOW, Log())
    assert play.person is not None
    assert play.psam_person is not None
    told = {
        path: play.person.item(paths.path(path))
        for path in ("SSSE/EF05/07", "SSSE/EF06/08", "SSSE/EF06/09", "SSSE/EF05/03")
    }
    assert told == {
        "SSSE/EF05/07": "A00000011", "SSSE/EF06/08": "519900199003070011", "SSSE/EF06/09": "测试甲",
        "SSSE/EF05/03": "2.00",
    }  # fmt: skip
    assert play.person.item(paths.path("SSSE/EF05/01")).startswith("510100D15600000551010001")
    assert play.person.known(OfPersona.BANK_CARD_NUMBER) == "9999000013590200330"
    assert play.psam_person.item(paths.path("MF/EF16")) == "510100000001"
    with pytest.raises(LookupError, match="no item 'SSSE/EF05/99'"):
        play.person.item(paths.path("SSSE/EF05/99"))


# --- what is computed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ({"hash": {"algorithm": "sm3", "over": "616263"}},
         "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"),
        ({"hash": {"algorithm": "sha256", "over": ""}},
         "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
        ({"block": {"algorithm": "sm4", "key": "0123456789ABCDEFFEDCBA9876543210",
                    "data": "0123456789ABCDEFFEDCBA9876543210"}}, "681EDF34D206965E86B3E94F536E4246"),
        ({"xor": ["0F0F", "FF00"]}, "F00F"),
        ({"join": "${pin:lv} FF ${algorithm}"}, "03123456FF01"),
        ({"join": "${city}${province}"}, b"510100sx510000sh".hex().upper()),
    ],
)  # fmt: skip
def test_formulas_give_known_answers(formula: dict[str, Any], expected: str) -> None:
    (play,) = Virtual("3.00", "3des").opened(replace(CARD_NUMBER, shapes=()), Log())
    steps = Steps(play)
    steps.run(replace(CARD_NUMBER, steps=taken({"let": {"x": formula}, "reset": True})))
    assert steps.named("x").hex().upper() == expected


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_a_whole_secured_command_is_computed(algorithm: str) -> None:
    sealed = {"sealed": {"key": "STK", "header": "84240001", "data": "654321", "cipher": True}}
    steps: tuple[dict[str, Any], ...] = (
        {"select": "SSSE"}, {"authenticate": "PUK"}, {"challenge": 8},
        {"let": {"reload": sealed}, "apdu": "${reload}"}, {"apdu": "0020000003654321"},
    )  # fmt: skip
    vector = replace(CARD_NUMBER, steps=taken(*steps), versions=())
    assert runner.run_one(vector, Virtual("3.00", algorithm)).reason == ""


# --- on a card in a reader -------------------------------------------------------------------------------------------


def in_reader(
    version: str = "2.00", *, psam: bool = False, persona: str = "", holder: str = "adult-mianyang"
) -> CardInReader:
    own = InProcess(Chip(catalogue.card("psam", "psam", "3des"))) if psam else None
    card = InProcess(new_card(version, "3des", holder).chip)
    return CardInReader(card, "Fake 00", roots.load("test"), "123456", psam=own, persona=persona)


def test_flows_that_spend_or_write_are_spared_and_a_psam_is_asked_for() -> None:
    results = {one.subject.id: one for one in runner.run(FLOWS, in_reader())}
    counts = Counter(one.verdict for one in results.values())
    assert counts[Verdict.FAILED] == counts[Verdict.UNDEFINED] == 0, [
        (one.subject.id, one.reason) for one in results.values() if one.verdict in ("failed", "undefined")
    ]
    assert counts[Verdict.PASSED] > 20
    assert results["FIELD-GYH_043"].reason == "it spends tries: --allow-destructive"
    assert results["FIELD-CARDISSUE_073"].reason == "it changes the card for ever: --allow-destructive"
    psam = results["FIELD-KIOSK_ZHEJIANG_014"]
    assert (psam.verdict, psam.reason) == (Verdict.MISSING, "a PSAM (--psam-reader)")
    assert "wants a card of the layout generator" in results["FIELD-CARDISSUE_072"].reason


def test_with_a_psam_its_flows_are_judged() -> None:
    flow = BY_ID["FIELD-KIOSK_ZHEJIANG_014"]
    assert runner.run_one(flow, in_reader(psam=True)).reason == ""
    assert runner.run_one(BY_ID["FIELD-HUADA_USB_009"], in_reader(psam=True)).reason == ""


def test_what_a_program_takes_out_is_judged_only_where_the_persona_is_named() -> None:
    assert runner.run_one(CARD_NUMBER, in_reader()).verdict is Verdict.PASSED
    assert runner.run_one(CARD_NUMBER, in_reader(persona="adult-mianyang")).verdict is Verdict.PASSED
    wrong = runner.run_one(CARD_NUMBER, in_reader(persona="adult-chengdu"))
    assert "the persona has 'A00000011'" in wrong.reason
    with pytest.raises(LookupError, match="no persona 'nobody'"):
        in_reader(persona="nobody")


OURS: tuple[dict[str, Any], ...] = (
    {"select": "SSSE"},
    {"apdu": "0084000007", "expect": {"sw": "6F00"}, "grade": "own"},
)


def test_what_only_we_decided_fails_no_card_unless_asked_or_the_users_own() -> None:
    card = in_reader()
    ours = replace(CARD_NUMBER, steps=taken(*OURS))
    assert runner.run_one(ours, card).verdict is Verdict.WARNING
    assert runner.run_one(ours, card, strict=True).verdict is Verdict.FAILED
    assert runner.run_one(replace(ours, overlay=True), card).verdict is Verdict.FAILED
    whole = replace(ours, steps=taken(OURS[0], {**OURS[1], "grade": ""}))
    assert runner.run_one(whole, card).verdict is Verdict.FAILED
    assert runner.run_one(replace(whole, grade=Grade.OWN), card).verdict is Verdict.WARNING
    assert runner.run_one(ours, Virtual("2.00", "3des")).verdict is Verdict.FAILED


def test_tries_are_the_layouts_or_what_the_card_itself_has() -> None:
    steps: tuple[dict[str, Any], ...] = (
        {"select": "SSSE"}, {"verify_pin": "wrong", "times": "PIN-1", "expect": {"tries_left": "PIN-n"}},
        {"verify_pin": "right"}, {"ask_pin": True, "expect": {"tries_left": "PIN"}},
        {"authenticate": {"key": "UKSSSE", "cryptogram": "wrong"}, "expect": {"tries_left": "UKSSSE-1"}},
    )  # fmt: skip
    vector = replace(CARD_NUMBER, steps=taken(*steps), keys=frozenset())
    assert runner.run_one(vector, Virtual("3.00", "3des")).reason == ""
    (play, *_) = Virtual("3.00", "3des").opened(vector, Log())
    six: Play = replace(play, pin_tries=6)
    with pytest.raises(StepFailed, match="expected 5 tries left, got 63C2"):
        Steps(six).run(vector)
