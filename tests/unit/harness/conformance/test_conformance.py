"""Running vectors: verdicts, guards, reports, signatures, recordings, coverage, the command."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from emulator.apdu.instructions.pin import Verify
from emulator.apdu.state import CardState
from emulator.chip import Chip
from emulator.filesystem.memory.cells import tries_cell
from emulator.interface import Interface
from harness.cli import main
from harness.conformance import coverage, generate, runner
from harness.conformance import vector as vectors
from harness.conformance.models import step
from harness.conformance.play import Play
from harness.conformance.targets.reader import CardInReader
from harness.conformance.targets.virtual import Virtual
from harness.keys import roots
from harness.keys.roots import RootSource
from harness.keys.spent import SpentKeys
from harness.monitor.relay import Relay
from harness.readers.connection import InProcess
from harness.readers.pcsc import REMOVED_CARD, PcscError
from harness.terminal.terminal import Terminal
from harness.trace.record import TraceFile
from harness.verdicts.log import Line, Log
from harness.verdicts.verdict import Verdict
from tests.kit.cards import SSSE, new_card
from tests.kit.sampled import sampled

FOLDER = Path(__file__).parents[4] / "vectors"
ALL = vectors.find([FOLDER])


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == expect, result.output
    return result


@pytest.mark.parametrize(("version", "algorithm"), coverage.PROFILES)
def test_every_vector_passes_or_says_why_not(version: str, algorithm: str) -> None:
    results = list(runner.run(ALL, Virtual(version, algorithm)))
    assert [one.subject.id for one in results] == [one.id for one in ALL], "in order"
    bad = [(one.subject.id, one.reason) for one in results if one.verdict not in ("passed", "not applicable")]
    assert bad == []
    counts = Counter(one.verdict for one in results)
    assert counts[Verdict.PASSED] > 600


@pytest.mark.parametrize("algorithm", sampled(("3des", "sm4"), 2))
def test_every_vector_passes_in_a_field_or_says_why_not(algorithm: str) -> None:
    """Nothing that a card does depends on the interface but what is said to."""
    asked = sampled((one for one in ALL if one.applies("3.00", algorithm)), 8)
    results = list(runner.run(asked, Virtual("3.00", algorithm, Interface.CONTACTLESS)))
    assert [(one.subject.id, one.reason) for one in results if one.verdict not in ("passed", "not applicable")] == []
    not_there = [one for one in results if one.verdict is Verdict.NOT_APPLICABLE]
    assert {one.reason for one in not_there} <= {"lacking: t0", T0_ALONE}
    assert len(not_there) < len(asked) / 20


T0_ALONE = "it is about 61xx, 6Cxx or GET RESPONSE, which T=CL has no use for"


def test_every_vector_is_for_some_card_of_ours() -> None:
    """One that applies nowhere would be passed over in silence."""
    targets = [Virtual(*profile) for profile in coverage.PROFILES] + [Virtual("3.00", "3des", Interface.CONTACTLESS)]
    nowhere = [one.id for one in ALL
               if all(runner.applicable(one, target, allow_destructive=True) for target in targets)]  # fmt: skip
    assert nowhere == []


def test_what_is_generated_is_what_is_kept(tmp_path: Path) -> None:
    generate.write(tmp_path / "generated")
    for path in sorted((FOLDER / "generated").iterdir()):
        fresh = (tmp_path / "generated" / path.name).read_text(encoding="utf-8")
        assert path.read_text(encoding="utf-8") == fresh, "sscard vectors generate"
    assert len(list((tmp_path / "generated").iterdir())) == len(list((FOLDER / "generated").iterdir()))


def test_the_matrix_shows_its_gaps() -> None:
    rows = {row.id: row for row in coverage.matrix(ALL, FOLDER)}
    assert rows["SSSE_RECORD"].cells["3.00-sm4"]
    assert {kind: bool(ids) for kind, ids in rows["SSSE_RECORD"].proof.items()} == {
        "field": True, "text": False, "own": True
    }  # fmt: skip
    assert "FIELD-DECARD_SERVICE_007" in rows["READ RECORD"].proof["field"], "an item that it only covers"
    assert rows["ACSE_RECORD"].gap
    assert not any(rows["ACSE_RECORD"].cells.values())
    empty = [row.id for row in rows.values() if not row.gap and not any(row.cells.values())]
    assert empty == ["APPLICATION UNBLOCK"], "no national layout has it"
    assert (
        "ACSE_RECORD ACSE记录 Records of ACSE | – | – | – | – ACSE是什么没有公开；what"
        in run("vectors", "matrix").stdout
    )
    assert "ACSE_RECORD Records of ACSE | – | – | – | – what" in run("--lang", "en", "vectors", "matrix").stdout


def lenient(self: Verify, card: CardState) -> bytes:
    del self
    card.session.rights.add("PIN")
    return b""


def one_of(identifier: str) -> vectors.Vector:
    return next(one for one in ALL if one.id == identifier)


def test_a_broken_chip_fails_with_words_and_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verify, "execute", lenient)
    result = runner.run_one(one_of("VERIFY-LOCK_SURVIVES_RESET"), Virtual("3.00", "3des"))
    assert result.verdict is Verdict.FAILED
    assert result.reason == "step 2 (verify_pin: wrong): expected 2 tries left, got 9000"
    assert result.trace[-1].answer.hex() == "9000"


def test_our_own_faults_are_undefined_and_the_run_goes_on() -> None:
    first, second = one_of("VERIFY-STATE_COSTS_NOTHING"), one_of("SELECT-UNKNOWN")

    class Faulty(Virtual):
        def opened(self, vector: vectors.Vector, log: Log) -> Iterator[Play]:
            assert vector is not first or 1 / 0
            return super().opened(vector, log)

    results = list(runner.run([first, second], Faulty("2.00", "3des")))
    assert [one.verdict for one in results] == [Verdict.UNDEFINED, Verdict.PASSED]
    assert "ZeroDivisionError" in results[0].reason


# --- a card that must be guarded -----------------------------------------------------------------------------------


def guarded(source: RootSource, pin: str = "123456", persona: str = "adult-mianyang") -> tuple[CardInReader, Chip]:
    chip = new_card("3.00", "sm4", persona).chip
    return CardInReader(InProcess(chip), "Fake 00", source, pin), chip


def test_a_card_in_a_reader_is_spared() -> None:
    card, chip = guarded(roots.load("test"))
    before = chip.image.memory.snapshot()
    results = list(runner.run(ALL, card))
    # What an update writes is what was there, and tries are as they were.
    assert chip.image.memory.snapshot() == before
    counts = Counter(one.verdict for one in results)
    assert counts[Verdict.FAILED] == counts[Verdict.UNDEFINED] == 0, [
        (one.subject.id, one.reason) for one in results if one.verdict in (Verdict.FAILED, Verdict.UNDEFINED)
    ]
    assert counts[Verdict.PASSED] > 500
    reasons = {one.subject.id: one.reason for one in results}
    assert reasons["VERIFY-LOCK_SURVIVES_RESET"] == "it changes the card for ever: --allow-destructive"
    assert reasons["VERIFY-STATE_COSTS_NOTHING"] == "it spends tries: --allow-destructive"
    assert "torn from power" in reasons["ANTI_TEAR-PIN"]


def test_without_keys_or_pin_a_requirement_is_missing() -> None:
    card, _ = guarded(roots.load(None), pin="")
    results = {one.subject.id: one for one in runner.run(ALL, card)}
    update = results["SSSE_SAFETY-EF05_WRITTEN"]
    assert (update.verdict, update.reason) == (Verdict.MISSING, "the key UKSSSE")
    pin = results["DF01_SAFETY-EF05_PIN"]
    assert (pin.verdict, pin.reason) == (Verdict.MISSING, "the card's PIN ($SSCARD_PIN)")
    assert results["SSSE_RECORD-EF05_07"].verdict is Verdict.PASSED


def test_a_wrong_pin_or_key_costs_one_try_at_most() -> None:
    wrong = {"UKSSSE": b"\x11" * 16}

    def source(name: str, version: int) -> bytes:
        return wrong.get(name) or roots.load("test")(name, version)

    card, chip = guarded(source, pin="999999")
    results = {one.subject.id: one for one in runner.run(ALL, card)}
    assert "is not the card's" in results["DF01_SAFETY-EF05_PIN"].reason
    assert "2 tries left" in results["DF01_SAFETY-EF06_PIN"].reason
    assert "UKSSSE of your file is not the card's" in results["SSSE_SAFETY-EF05_WRITTEN"].reason
    assert results["DF01_SAFETY-EF05_UK1DF01"].verdict is Verdict.PASSED
    memory = chip.image.memory
    assert memory.counter(tries_cell("PIN")) == 2
    assert memory.counter(tries_cell("UKSSSE")) == 2
    assert Counter(one.verdict for one in results.values())[Verdict.FAILED] == 0


def test_a_key_whose_answer_was_lost_is_not_tried_in_the_next_run(tmp_path: Path) -> None:
    chip = new_card("3.00", "sm4", "adult-mianyang").chip

    class Loses(InProcess):
        """Takes a proof, counts it, and is pulled out before it answers."""

        def send(self, command: bytes) -> bytes:
            answer = super().send(command)
            if command[1] == 0x82:
                raise PcscError("gone", REMOVED_CARD)
            return answer

    def wrong(name: str, version: int) -> bytes:  # noqa: ARG001
        return b"\x11" * 16

    vector = one_of("DF01_SAFETY-EF05_UK1DF01")
    for connection in (Loses(chip), InProcess(chip)):
        card = CardInReader(connection, "Fake 00", wrong, "", note=SpentKeys(tmp_path))
        result = runner.run_one(vector, card)
        assert result.verdict in (Verdict.MISSING, Verdict.UNDEFINED)
        assert chip.image.memory.counter(tries_cell("UK1DF01")) == 2
    assert "gave no answer" in result.reason


def test_few_tries_are_left_alone() -> None:
    card, chip = guarded(roots.load("test"), persona="pin-one-try")
    results = {one.subject.id: one for one in runner.run(ALL, card)}
    assert "1 tries left: too few" in results["DF01_SAFETY-EF05_PIN"].reason
    assert chip.image.memory.counter(tries_cell("PIN")) == 1


def test_deviations_from_our_own_decisions_are_warnings_there(monkeypatch: pytest.MonkeyPatch) -> None:
    card, _ = guarded(roots.load("test"))
    own = next(one for one in ALL if one.grade == "own" and not one.destructive and not one.costs_tries
               and not one.features - card.profile.features and not one.persona)  # fmt: skip
    monkeypatch.setattr("harness.conformance.steps.matches", lambda *_: False)
    assert runner.run_one(own, card).verdict is Verdict.WARNING
    assert runner.run_one(one_of("SELECT-UNKNOWN"), card).verdict is Verdict.FAILED


def test_the_card_must_be_named() -> None:
    card, chip = guarded(roots.load("test"))
    assert card.is_named(chip.atr.hex())
    assert card.is_named(card.identification)
    assert not card.is_named("3B6D000000")
    assert card.identification not in card.target
    assert chip.atr[-4:].hex().upper() not in card.target, "the chip's serial number"


def test_a_failure_on_a_card_in_a_reader_does_not_quote_what_it_holds() -> None:
    card, chip = guarded(roots.load("test"))
    (record,) = [one for one in chip.image.memory.records("SSSE/EF06") if one[0] == 0x09]
    held, name = record[2:].hex().upper(), record[2:].rstrip(b"\0").decode("gbk")
    taken = {"apdu": "00 B2 09 30 00", "capture": {"held": ":"}}
    steps: list[dict[str, object]] = [
        {"read": "SSSE/EF06/09", "expect": {"value": "测试无"}},
        {"apdu": "00 B2 09 30 00", "expect": {"data": "09 1E"}},
        {"apdu": "00 B2 08 30 00", "expect": {"data": "${held}"}},
    ]
    own = replace(one_of("SSSE_RECORD-EF05_07"), id="OWN", keys=frozenset())
    for last in steps:
        told: tuple[dict[str, Any], ...] = ({"select": "SSSE"}, {"authenticate": "RKSSSE"}, taken, last)
        vector = replace(own, steps=tuple(map(step, told)))
        quiet, loud = (runner.run_one(vector, card, show_secrets=shown) for shown in (False, True))
        assert quiet.verdict in (Verdict.FAILED, Verdict.WARNING), quiet.reason
        for secret in (held, held[:8], name):
            assert secret not in quiet.reason
        assert held in loud.reason or name in loud.reason


# --- recordings ----------------------------------------------------------------------------------------------------


def recorded(path: Path, *, masked: bool) -> None:
    """A run of vectors over a relayed card, written down."""
    with TraceFile(path, personal_data=not masked) as trace:
        relay = Relay(InProcess(new_card("3.00", "3des").chip), trace.slot(0))
        relay.power_on()
        terminal = Terminal(_Relayed(relay))
        terminal.begin()
        card = CardInReader(_Relayed(relay), "Fake", roots.load("test"), "123456")
        for name in ("SSSE_RECORD-EF05_07", "DF01_SAFETY-EF05_UK1DF01", "KEY_VER2-UKSSSE"):
            assert runner.run_one(one_of(name), card).verdict is Verdict.PASSED


class _Relayed:
    """A relay as a connection."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.atr = relay.atr

    def reset(self) -> bytes:
        return self._relay.reset()

    def send(self, command: bytes) -> bytes:
        return self._relay.transmit(command)

    def close(self) -> None:
        self._relay.power_off()


@pytest.mark.parametrize("masked", [True, False])
def test_a_recording_is_judged_like_a_card(tmp_path: Path, masked: bool) -> None:
    path = tmp_path / "session.jsonl"
    recorded(path, masked=masked)
    text = path.read_text(encoding="utf-8")
    assert (b"A00000011".hex().upper() in text) is not masked, "the card number"
    assert "0020000003123456" not in text
    arguments = ("vectors", "run", "--replay", str(path), "--only")
    assert "1 passed" in run(*arguments, "SSSE_RECORD-EF05_07").stdout
    assert "1 passed" in run(*arguments, "DF01_SAFETY-EF05_UK1DF01").stdout
    assert "1 passed" in run(*arguments, "KEY_VER2-UKSSSE").stdout
    assert "requirement missing" in run(*arguments, "KEY_VER3-UKSSSE", expect=4).stdout
    broken = text.replace('"answer": "0709', '"answer": "0809')
    assert broken != text
    path.write_text(broken, encoding="utf-8")
    assert "expected the data 0709" in run(*arguments, "SSSE_RECORD-EF05_07", expect=1).stdout


def test_what_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    for text in ("{", "", '{"event": "off"}\n'):
        path.write_text(text, encoding="utf-8")
        assert "none.jsonl" in run("vectors", "run", "--replay", str(path), expect=1).stderr


# --- the command and its reports -----------------------------------------------------------------------------------


def test_run_reports_and_signatures(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    folder = tmp_path / "report"
    out = run("vectors", "run", "--only", "VERIFY-*", "--profile", "3.00-sm4", "--report", str(folder), "--sign",
              str(private), "--product", "terminal X 1.2").stdout  # fmt: skip
    assert "passed 通过" in out
    table = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert table["counts"]["failed"] == 0
    assert table["product"] == "terminal X 1.2"
    assert table["rests_on"]["vectors"]["D"] >= 1
    assert "[D]" in table["rests_on"]["sources"]["D"][0]
    named = {one["id"]: one for one in table["rests_on"]["named"]}
    assert named["part5"]["title_zh"].startswith("社会保障（个人）卡规范")
    assert named["part5"]["results"] >= 1
    assert not named["part5"]["second_hand"]
    assert named["reference"]["second_hand"], "what only our reference says is told apart"
    assert all("[T: part5" not in one["source"] for one in table["results"]), "sources are written out"
    proof = table["rests_on"]["proof"]
    assert proof["field"] == {"judged": 0, "passed": 0}
    assert proof["text"]["passed"] > 0
    assert proof["own"]["passed"] > 0
    assert f"{proof['text']['passed']} of {proof['text']['judged']} text (the text of the standards 标准文本)" in out
    assert table["vector_files"]["pin.yaml"]
    assert any(row["id"] == "VERIFY" for row in table["matrix"])
    suites = ElementTree.parse(folder / "junit.xml").getroot()
    assert len(suites.findall(".//testcase")) == len(table["results"])
    properties = {one.get("name"): one.get("value") for one in suites.findall(".//property")}
    assert properties["proof.text"] == str(proof["text"]["judged"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "符合性测试报告" in page
    assert "text: 标准文本 the text of the standards" in page
    assert page.count("往来数据 trace") == table["counts"]["passed"], "each case that ran shows its trace"
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched"
    assert "signed by the key you named" in run("report", "verify", str(folder), "--key", str(public)).stdout
    assert "whoever has it" in run("report", "verify", str(folder)).stdout
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(other)
    assert "not the key that signed" in run("report", "verify", str(folder), "--key", str(public), expect=1).stderr
    (folder / "report.json").write_text("{}", encoding="utf-8")
    assert "report.json was altered" in run("report", "verify", str(folder), expect=1).stderr
    run("report", "verify", str(tmp_path / "nothing"), expect=1)


def test_what_a_card_says_of_a_person_stays_out_of_reports() -> None:
    asked = ("vectors", "run", "--only", "SSSE_SAFETY-EF06_WRITTEN", "--profile", "3.00-3des", "--json")
    number = b"519900199003070011".hex().upper()
    hidden, shown = run(*asked).stdout, run(*asked, "--show-secrets").stdout
    assert number not in hidden
    assert shown.count(number) == 2, "read, and written back"


def test_failures_baseline_and_failed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verify, "execute", lenient)
    arguments = ["vectors", "run", "--only", "VERIFY-L*", "--only", "SELECT-U*", "--profile", "2.00-3des"]
    out = run(*arguments, "--report", "report", expect=1).stdout
    assert "VERIFY-LOCK_SURVIVES_RESET [2.00-3des]: failed 未通过: step 2" in out
    assert "→ 0020000003******  VERIFY" in out
    assert "123457" not in out, "no PIN in the trace"
    suites = ElementTree.parse("report/junit.xml").getroot()
    assert len(suites.findall(".//failure")) == 1
    assert "1 failed" in run("vectors", "run", "--failed", "--profile", "2.00-3des", expect=1).stdout
    baseline = tmp_path / "known.txt"
    baseline.write_text("# a fault we know\nVERIFY-LOCK_SURVIVES_RESET\n", encoding="utf-8")
    assert "(known 已知)" in run(*arguments, "--baseline", str(baseline)).stdout


def test_after_a_green_run_nothing_failed_and_that_is_no_error() -> None:
    run("vectors", "run", "--only", "VERIFY-L*", "--profile", "2.00-3des")
    assert "nothing failed in the last run" in run("vectors", "run", "--failed").stdout
    assert run("vectors", "run", "--failed", "--json").stdout == ""


def test_a_vendors_overlay_and_layout(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (FOLDER / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    (own / "mine.yaml").write_text(text.replace("id: VERIFY-STATE_COSTS_NOTHING", "id: MINE-ONE"), encoding="utf-8")
    mine = ("vectors", "run", "--overlay", str(own), "--only", "MINE-*")
    assert "1 passed" in run(*mine, "--profile", "3.00-3des").stdout
    layout = tmp_path / "six.toml"
    layout.write_text('extends = "3.00"\nschema = 1\nname = "six"\n[pin]\ntries = 6\n', encoding="utf-8")
    assert "2 passed" in run(*mine, "--layout", str(layout)).stdout, "the tries are the layout's"
    three = text.replace("id: VERIFY-STATE_COSTS_NOTHING", "id: MINE-ONE").replace("tries_left: PIN}", "tries_left: 3}")
    (own / "mine.yaml").write_text(three, encoding="utf-8")
    assert "expected 3 tries left, got 63C6" in run(*mine, "--layout", str(layout), expect=1).stdout
    (own / "twice.yaml").write_text(text, encoding="utf-8")
    assert "stands in" in run("vectors", "run", "--overlay", str(own), expect=1).stderr


def test_usage() -> None:
    assert "no id is 'NOTHING'" in run("vectors", "run", "--only", "NOTHING", expect=2).stderr
    assert "choose one" in run("vectors", "run", "--in-process", "--reader", "X", expect=2).stderr
    assert "--card" in run("vectors", "run", "--reader", "X", expect=2).stderr
    assert "expected one of" in run("vectors", "run", "--profile", "9.99-3des", expect=2).stderr
    assert "need --reader" in run("vectors", "run", "--psam-reader", "X", expect=2).stderr
    assert "--sign needs --report" in run("vectors", "run", "--sign", "key", expect=2).stderr
    assert len(json.loads(run("vectors", "list", "--json").stdout)) == len(ALL)
    assert json.loads(run("vectors", "run", "--json", "--only", "SELECT-UNKNOWN").stdout)["counts"]["passed"] == 4


def slip(folder: Path, change: str, to: str) -> Path:
    text = (FOLDER / "pin.yaml").read_text(encoding="utf-8").partition("---")[0]
    assert change in text
    folder.mkdir()
    (folder / "mine.yaml").write_text(text.replace("VERIFY-STATE_COSTS_NOTHING", "MINE").replace(change, to), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "to", "expected"),
    [
        ("select: SSSE", "select: SSE", "mine.yaml: MINE: unknown application 'SSE'; did you mean SSSE?"),
        ("features: [pin]", "persona: adult-chendu", "persona: no persona 'adult-chendu'"),
        ("ask_pin: true", "authenticate: UKSSE", "unknown key 'UKSSE'; did you mean UKSSSE?"),
        ("ask_pin: true", "read: SSSE/EF05/7", "unknown item 'SSSE/EF05/7'; did you mean SSSE/EF05/07?"),
        ("ask_pin: true", "driver: {function: iReadCardBass}", "'iReadCardBass'; did you mean iReadCardBas?"),
        ("features: [pin]", "origin: {source: prog-decart}", "unknown source 'prog-decart'; did you mean prog-decard?"),
        ("features: [pin]", "layout: generater\nversions: ['2.00']", "no such layout"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_has_is_told_with_the_nearest_and_nothing_is_run(
    tmp_path: Path, change: str, to: str, expected: str
) -> None:
    told = run("vectors", "run", str(slip(tmp_path / "own", change, to)), expect=1)
    assert expected in told.stderr
    assert "passed" not in told.stdout


def test_a_name_that_only_other_layouts_have_makes_a_vector_not_applicable(tmp_path: Path) -> None:
    path = slip(tmp_path / "own", "select: SSSE", "select: CERT")
    told = run("vectors", "run", str(path), "--profile", "1.00-3des", expect=4)
    assert "1 not applicable" in told.stdout
    assert "nothing was run" in told.stderr


def test_nothing_run_is_not_green() -> None:
    told = run("vectors", "run", "--only", "FIELD-XHD*", "--profile", "3.00-3des", expect=4)
    assert "nothing was run" in told.stderr
    assert json.loads(run("vectors", "run", "--only", "FIELD-XHD*", "--profile", "1.00-3des", "--json").stdout)[
        "rests_on"
    ]["flows"] == {"xhd-android": {"judged": 1, "passed": 1}}


def test_the_vector_in_the_docs_works(tmp_path: Path) -> None:
    for name in ("conformance.md", "conformance.zh-CN.md"):
        text = (FOLDER.parent / "docs" / name).read_text(encoding="utf-8")
        found = re.search(r"```yaml\n(schema: 1.*?)```", text, re.DOTALL)
        assert found
        own = tmp_path / name
        own.mkdir()
        (own / "mine.yaml").write_text(found.group(1), encoding="utf-8")
        assert "3 passed" in run("vectors", "run", str(own)).stdout


def test_logs_keep_what_went_over() -> None:
    log = Log()
    chip = Chip(new_card().chip.image.fork(), observer=log.card())
    chip.power_on()
    chip.transmit(bytes.fromhex(SSSE))
    assert log.lines == [Line(b"", chip.atr), Line(bytes.fromhex(SSSE), b"\x61\x1e", log.lines[1].reason)]
