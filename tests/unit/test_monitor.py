"""Every rule of the monitor fires on a bad session and is silent on a good one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emulator.apdu.command import CommandAPDU
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem import layout as layouts
from emulator.filesystem.image import Image
from emulator.filesystem.memory import PIN_CELL
from harness import demo
from harness.clock import Clock
from harness.conformance.verdict import Verdict
from harness.connection import InProcess
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import Situation
from harness.monitor.rules import RULES
from harness.pcsc import PcscError
from harness.terminal import region
from harness.terminal.keeper import TerminalError
from harness.terminal.terminal import Refused, Terminal
from harness.trace.read import Event
from harness.trace.record import Trace, TraceFile
from tests.support import DF, HOME, SSSE, VERIFY, WRONG_PIN, new_card
from tests.unit.test_cli import run

READ_VERSION, READ_EXPIRY, READ_NUMBER = "00B2032806", "00B2062806", "00B207280B"
CHALLENGE, ASK = "0084000008", "0020000000"
PROOF = "0082000A10" + "00" * 16
TODAY = date(2026, 11, 25)


class Bad:
    """A session that is judged as it goes. ``later`` lets time pass."""

    def __init__(
        self,
        layout: str = "3.00",
        persona: str = "adult-chengdu",
        *faults: str,
        algorithm: str = "3des",
        lost: str = "",
        whole: bool = True,
    ) -> None:
        self.monitor = Monitor(layouts.load(layout), Situation(TODAY, frozenset({lost} if lost else ())))
        self.found: list[Finding] = []
        self._late, self._line = 0.0, 0
        self._trace = Trace(self._put, personal_data=whole)
        self.image: Image = new_card(layout, algorithm, persona).chip.image
        self.connection = self.slot(0, self.image, *faults)
        self.terminal = Terminal(self.connection, self.image.layout, root_of)

    def slot(self, number: int, image: Image, *faults: str) -> InProcess:
        chip = FaultyChip(
            image, Plan(tuple(map(plan.from_text, faults))), observer=self._trace.slot(number, image), sleep=self.later
        )
        return InProcess(chip)

    def _put(self, table: dict[str, Any]) -> None:
        self._line += 1
        event = Event(self._line, table["event"], table["t"] + self._late, table["slot"], table)
        self.found += self.monitor.hear(event)

    def later(self, seconds: float) -> Bad:
        self._late += seconds
        return self

    def send(self, *commands: str) -> Bad:
        """Hex commands one after another; ``reset`` resets."""
        for command in commands:
            if command == "reset":
                self.connection.reset()
                continue
            try:
                self.connection.send(bytes.fromhex(command))
            except PcscError:
                continue
        return self

    def fci(self) -> Bad:
        """SSSE selected as it should be, version and expiry read."""
        return self.send(SSSE, "00C000001E", READ_VERSION, READ_EXPIRY)

    def authenticate(self, *names: str) -> Bad:
        self.terminal.adopt(self.image)
        self.terminal.region = "510100"
        for name in names:
            self.terminal.authenticate(name)
        return self

    def end(self) -> list[str]:
        self.connection.close()
        self.found += self.monitor.end()
        return self.broken

    @property
    def broken(self) -> list[str]:
        return sorted({one.rule.id for one in self.found})


def changed(bad: Bad) -> Bad:
    """The PIN changed, as a terminal that meets the initial one must."""
    return bad.fci().send(ASK, VERIFY, "805E010007123456FF246802", "reset").fci()


def update(bad: Bad, path: str, value: str) -> Bad:
    """One item written and not read back."""
    bad.terminal.adopt(bad.image)
    bad.terminal.region = "510100"
    bad.terminal.update(path, value)
    return bad


def rights_left(bad: Bad) -> None:
    bad.fci().authenticate("RKSSSE")
    bad.later(31)
    bad.send(READ_NUMBER)


def locked_key(bad: Bad) -> None:
    bad.fci()
    for number in range(12):
        bad.send(CHALLENGE, f"0082000A10{number:032X}")


def twice_authenticated(bad: Bad) -> None:
    bad.fci().authenticate("RKSSSE")
    bad.terminal.adopt(bad.image)
    bad.send(SSSE, "00C000001E")
    bad.terminal.forget()
    bad.terminal._application = "SSSE"
    bad.authenticate("RKSSSE")


def blind_pins(bad: Bad) -> Bad:
    changed(bad).send(ASK)
    return bad.send(*(f"0020000003{pin}" for pin in ("111111", "222222", "333333")))


def part_of_the_region(bad: Bad) -> None:
    bad.fci()
    bad.terminal.begin()
    region.read(bad.terminal)
    update(bad, "DF03/EF05/61", "510700")


def no_pin(bad: Bad) -> Bad:
    bad.image.memory.put(PIN_CELL, "")
    bad.image.memory.commit()
    return bad


def failed_write(bad: Bad) -> None:
    with pytest.raises(Refused):
        update(bad.fci(), "DF03/EF05/61", "510700")
    bad.send(SSSE)


def lost(bad: Bad) -> None:
    bad.fci().send(READ_NUMBER)
    update(bad, "DF03/EF05/61", "510700")


def expired(bad: Bad) -> None:
    bad.fci()
    update(bad, "DF03/EF05/61", "510700")


def psam_session(bad: Bad, *, atr: bytes, code: str, spoil: bool = False) -> None:
    """Reading under RKSSSE with a PSAM in slot 1: what is delivered to it, and what it computed, passed on."""
    psam = bad.slot(1, new_card("psam", "3des", "psam").chip.image)
    bad.fci().send("00B2012812")
    data, process = (bad.connection.send(bytes.fromhex(CHALLENGE))[:8] for _ in range(2))
    factors = atr[-8:] + code.encode() + b"sx" + code[:2].encode() + b"0000sh"
    key = bad.image.layout.keys["RKSSSE"]
    usage, identifier = bytes.fromhex(key.psam.replace("/", ""))
    psam.send(bytes.fromhex("00A4040006D15600000500"))
    psam.send(bytes.fromhex("BFEC00000151"))
    delivered = CommandAPDU(0xBF, 0xDE, usage, identifier, factors[: 8 * (usage >> 5)] + process)
    assert psam.send(bytes(delivered))[-2:] == b"\x90\x00", "the PSAM takes it"
    announced = psam.send(bytes(CommandAPDU(0x80, 0xFA, 0x00, 0x00, data)))
    assert announced[-2:] == b"\x61\x08"
    computed = psam.send(bytes.fromhex("00C0000008"))[:8]
    proof = bytes(8) if spoil else computed
    answer = bad.connection.send(bytes(CommandAPDU(0x00, 0x82, 0x00, key.id, proof + data)))
    right = atr == bad.connection.atr and code == "510100" and not spoil
    assert (answer == b"\x90\x00") is right
    psam.close()


CASES: dict[str, tuple[Bad | Callable[[], Bad], Callable[[Bad], object]]] = {
    "SESSION-RESELECT": (Bad, lambda bad: bad.fci().send("reset", READ_NUMBER)),
    "SESSION-ENVIRONMENT": (Bad, lambda bad: bad.send(DF["DF01"], "00C000000A")),
    "SESSION-REFUSED-SELECT": (Bad, lambda bad: bad.fci().send("00A4040006D15600000599", READ_NUMBER)),
    "SESSION-VERSION": (Bad, lambda bad: bad.send(SSSE, "00C000001E", CHALLENGE, PROOF)),
    "SESSION-RIGHTS-LEFT": (Bad, rights_left),
    "SESSION-MALFORMED": (Bad, lambda bad: bad.fci().send("00FF000000")),
    "ANSWER-61": (
        lambda: Bad("3.00", "adult-chengdu", "sw61,part=4,instruction=READ_RECORD,nth=3"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "ANSWER-FCI": (Bad, lambda bad: bad.send(SSSE, READ_VERSION)),
    "ANSWER-6C": (Bad, lambda bad: bad.fci().send("00B2072800", READ_VERSION)),
    "ANSWER-GET": (Bad, lambda bad: bad.fci().send("00C0000010")),
    "ANSWER-BROKEN": (
        lambda: Bad("3.00", "adult-chengdu", "truncated,by=2,item=07"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "ANSWER-NONE": (
        lambda: Bad("3.00", "adult-chengdu", "truncated,by=99,status_too=yes,item=07"),
        lambda bad: bad.fci().send(READ_NUMBER, READ_VERSION),
    ),
    "RIGHTS-READ": (Bad, lambda bad: bad.fci().send("00B2093020")),
    "RIGHTS-UPDATE": (Bad, lambda bad: bad.fci().send("00DC062806060420400101")),
    "RIGHTS-IGNORED": (Bad, lambda bad: bad.fci().send(CHALLENGE, PROOF, "00B2093020")),
    "RIGHTS-INSISTED": (Bad, lambda bad: bad.fci().send("00B2093020", "00B2093020")),
    "RIGHTS-LOCKED-KEY": (Bad, locked_key),
    "RIGHTS-CLEAR": (Bad, lambda bad: bad.fci().send(HOME["CERT"], "00C000000E", "00D6920004AABBCCDD")),
    "RIGHTS-AGAIN": (Bad, twice_authenticated),
    "PIN-ASKED": (Bad, lambda bad: bad.fci().send(VERIFY)),
    "PIN-NONE-SET": (Bad, lambda bad: (no_pin(bad), bad.fci().send(ASK, VERIFY))),
    "PIN-KNOWN-WRONG": (Bad, lambda bad: (bad.fci().send(ASK, WRONG_PIN), bad.later(9), bad.send(WRONG_PIN))),
    "PIN-UNCONFIRMED": (Bad, blind_pins),
    "PIN-LAST-TRY": (Bad, blind_pins),
    "PIN-LOCKED": (Bad, lambda bad: (blind_pins(bad), bad.send("0020000003444444", "0020000003555555"))),
    "PIN-CLEAR": (Bad, lambda bad: bad.fci().send(CHALLENGE, "8424000103246802")),
    "PIN-INITIAL": (Bad, lambda bad: (bad.fci().send(ASK, VERIFY), update(bad, "DF03/EF05/61", "510700"))),
    "PIN-SET-INITIAL": (Bad, lambda bad: changed(bad).send(ASK, "0020000003246802", "805E010007246802FF123456")),
    "PIN-UNCHANGED": (Bad, lambda bad: changed(bad).send(ASK, "805E010007246802FF246802")),
    "CHALLENGE-STALE": (
        Bad,
        lambda bad: bad.fci().send(CHALLENGE, DF["DF01"], SSSE, "00C000001E", PROOF),
    ),
    "CHALLENGE-TWICE": (Bad, lambda bad: bad.fci().send(CHALLENGE, PROOF, "0082000A10" + "11" * 16)),
    "CHALLENGE-REPLAYED": (
        Bad,
        lambda bad: bad.fci().send(CHALLENGE, PROOF, CHALLENGE, PROOF),
    ),
    "CHALLENGE-IDLE": (Bad, lambda bad: bad.fci().send(*[CHALLENGE] * 5)),
    "WRITE-READ-BACK": (Bad, lambda bad: (bad.fci(), update(bad, "DF03/EF05/61", "510700"))),
    "WRITE-FAILED": (
        lambda: Bad("3.00", "adult-chengdu", "status,sw=6581,instruction=UPDATE_RECORD"),
        failed_write,
    ),
    "REGION-UNCHECKED": (Bad, lambda bad: (bad.fci(), update(bad, "DF03/EF05/61", "510700"))),
    "REGION-PART": (Bad, part_of_the_region),
    "STATE-EXPIRED": (lambda: Bad("3.00", "expired"), expired),
    "STATE-EXPIRY-UNREAD": (
        Bad,
        lambda bad: (bad.send(SSSE, "00C000001E", READ_VERSION), update(bad, "DF03/EF05/61", "510700")),
    ),
    "STATE-LOST": (lambda: Bad(lost="A00000011"), lost),
    "STATE-NOT-ACTIVATED": (
        lambda: Bad("3.00", "not-activated"),
        lambda bad: bad.fci().send(DF["DF01"], "00C000000A", "00B2102800", ASK),
    ),
    "STATE-CARD-BLOCKED": (lambda: Bad("3.00", "card-blocked"), lambda bad: bad.send(SSSE, READ_VERSION)),
    "STATE-APPLICATION-BLOCKED": (
        lambda: Bad("3.00", "application-blocked"),
        lambda bad: bad.fci().send(DF["DF04"], "00B2842805"),
    ),
    "PSAM-FACTOR": (Bad, lambda bad: psam_session(bad, atr=bytes(17), code="510100")),
    "PSAM-CRYPTOGRAM": (Bad, lambda bad: psam_session(bad, atr=bad.connection.atr, code="510100", spoil=True)),
}


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_fires_on_a_bad_session(rule: str) -> None:
    made, act = CASES[rule]
    assert callable(made)
    bad = made()
    act(bad)
    assert rule in bad.end()
    result = next(one for one in bad.monitor.results() if one.vector.id == rule)
    severe = next(one for one in RULES if one.id == rule).severity == "error"
    assert result.verdict is (Verdict.FAILED if severe else Verdict.WARNING)
    assert result.reason
    assert result.trace


# --- good sessions -------------------------------------------------------------------------------------------------


def good(layout: str = "3.00", algorithm: str = "3des", persona: str = "adult-chengdu", *, whole: bool = True) -> Bad:
    """A card whose PIN is its holder's own."""
    card = Bad(layout, persona, algorithm=algorithm, whole=whole)
    card.image.memory.put(PIN_CELL, "246802")
    card.image.memory.commit()
    return card


def typed(bad: Bad) -> None:
    """The time that a person takes."""
    bad.later(6)


@pytest.mark.parametrize("kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des")], ids="-".join)
@pytest.mark.parametrize("persona", ["adult-chengdu", "child-guardian", "adult-mianyang", "long-name"])
def test_no_rule_fires_on_the_reference_terminals_session(kind: tuple[str, str], persona: str) -> None:
    card = good(*kind, persona)
    said: list[str] = []
    assert demo.run(card.connection, said.append, pin="246802", clock=Clock())
    terminal = Terminal(card.connection, card.image.layout, root_of)
    terminal.begin()
    assert terminal.valid_until()
    assert terminal.pin_state() == 3
    typed(card)
    terminal.verify_pin("246802")
    terminal.change_pin("246802", "135790")
    terminal.reload_pin("864209")
    terminal.update("SSSE/EF06/0A", "1")
    assert terminal.read("SSSE/EF06/0A") == "1"
    terminal.begin()
    terminal.valid_until()
    terminal.pin_state()
    typed(card)
    with pytest.raises(TerminalError):
        terminal.verify_pin("111111")
    typed(card)
    terminal.verify_pin("864209")
    assert card.end() == [], card.found
    counts = {one.verdict for one in card.monitor.results()}
    assert counts <= {Verdict.PASSED, Verdict.NOT_APPLICABLE}
    passed = sum(one.verdict is Verdict.PASSED for one in card.monitor.results())
    assert passed >= 28


def test_a_psam_that_works_for_the_card_in_the_reader() -> None:
    card = Bad()
    psam_session(card, atr=card.connection.atr, code="510100")
    assert card.end() == []
    passed = {one.vector.id for one in card.monitor.results() if one.verdict is Verdict.PASSED}
    assert {"PSAM-FACTOR", "PSAM-CRYPTOGRAM"} <= passed


def test_a_wrong_city_factor() -> None:
    card = Bad()
    psam_session(card, atr=card.connection.atr, code="510700")
    assert "PSAM-FACTOR" in card.end()
    assert any("510100" in one.text for one in card.found)


def test_a_card_that_fell_silent_may_be_reset_and_used_on() -> None:
    card = Bad("3.00", "adult-chengdu", "removal,moment=within,item=07,once=yes")
    card.fci().send(READ_NUMBER, "reset").fci().send(READ_NUMBER)
    assert card.end() == []


def test_answers_that_are_followed_as_they_should_be() -> None:
    card = Bad("3.00", "adult-chengdu", "sw61,part=4,item=07,once=yes", "garbled,item=06,once=yes")
    card.send(SSSE, "00C000001E", READ_NUMBER, "00C0000004", "00C0000004", "00C0000003")
    card.send("00B2032800", READ_VERSION, "reset").fci()
    assert card.end() == []


def test_what_a_masked_session_hides_is_said() -> None:
    card = good(whole=False)
    psam_session(card, atr=card.connection.atr, code="510100")
    card.end()
    verdicts = {one.vector.id: one for one in card.monitor.results()}
    assert verdicts["PSAM-FACTOR"].verdict is Verdict.MISSING
    assert "--personal-data" in verdicts["PSAM-FACTOR"].reason


def test_a_masked_region_is_not_held_against_anyone() -> None:
    card = Bad(whole=False)
    part_of_the_region(card)
    assert "REGION-PART" not in card.end()
    result = next(one for one in card.monitor.results() if one.vector.id == "REGION-PART")
    assert result.verdict is Verdict.MISSING


def test_a_resumed_region_move_is_whole() -> None:
    """Items that are at the target already need not be written."""
    card = good()
    card.terminal.begin()
    card.terminal.valid_until()
    card.terminal.update("DF03/EF05/61", "510700")
    card.image.memory.nvm.cut_after = None
    before = len(card.found)
    card.connection.reset()
    card.terminal.begin()
    card.terminal.valid_until()
    region.move(card.terminal, "510700", "510100")
    card.connection.close()
    assert [one.rule.id for one in card.found[before:]] == []


def test_rules_are_told_apart_and_say_where_they_come_from() -> None:
    assert len(RULES) >= 25
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source[-3:] in ("[S]", "[T]", "[1]", "[P]", "[D]"), rule.id
        assert rule.title != rule.title_zh
        assert rule.severity in ("error", "warning")
    listed = run("monitor", "--rules", "--json").stdout
    assert [one["id"] for one in json.loads(listed)] == [rule.id for rule in RULES]
    assert "PIN-KNOWN-WRONG" in run("monitor", "--rules").stdout


# --- the command ---------------------------------------------------------------------------------------------------


def recorded(path: Path, *commands: str, personal_data: bool = False) -> None:
    image = new_card().chip.image
    with TraceFile(path, personal_data=personal_data) as trace:
        connection = InProcess(FaultyChip(image, Plan(()), observer=trace.slot(0, image)))
        for command in commands:
            connection.send(bytes.fromhex(command))
        connection.close()


def test_a_recorded_session_is_judged_and_reported(tmp_path: Path) -> None:
    trace, folder = tmp_path / "t.jsonl", tmp_path / "report"
    recorded(trace, SSSE, "00C000001E", ASK, WRONG_PIN, WRONG_PIN, READ_NUMBER)
    arguments = ("monitor", str(trace), "--report", str(folder), "--product", "terminal X 1.2")
    out = run(*arguments, expect=1).stdout
    assert "✗ PIN-KNOWN-WRONG slot 0, line 6: VERIFY with a PIN that was refused before (63C1)" in out
    assert "不把重试机会用在已被拒绝的密码上" in out
    assert "failed 未通过" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "terminal X 1.2" in page
    assert "PIN-KNOWN-WRONG" in page
    assert "the PIN is wrong; 1 tries left" in page
    assert "覆盖矩阵" not in page
    assert "999999" not in page + (folder / "report.json").read_text() + (folder / "junit.xml").read_text()
    assert 'message="failed: line 6: VERIFY with a PIN' in (folder / "junit.xml").read_text(encoding="utf-8")
    table = json.loads(run(*arguments, "--json", expect=1).stdout)
    assert table["counts"]["failed"] == 2
    assert {one["id"] for one in table["results"]} == {rule.id for rule in RULES}


def test_a_clean_session_passes(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    recorded(trace, SSSE, "00C000001E", READ_VERSION, READ_EXPIRY, READ_NUMBER)
    assert "failed" not in run("monitor", str(trace)).stdout


def test_lost_cards_and_dates_come_from_the_command_line(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    activity = (SSSE, "00C000001E", READ_VERSION, READ_EXPIRY, READ_NUMBER, ASK, "805E010007123456FF246802")
    for personal_data in (False, True):
        recorded(trace, *activity, personal_data=personal_data)
        out = run("monitor", str(trace), "--lost", "A00000011", expect=int(personal_data)).stdout
        assert ("STATE-LOST slot 0" in out) is personal_data
        assert ("? STATE-LOST: the trace hides which card it was" in out) is not personal_data
    assert "STATE-EXPIRED slot 0" in run("monitor", str(trace), "--date", "2030-09-15", expect=1).stdout
    assert "STATE-EXPIRED slot 0" not in run("monitor", str(trace), "--date", "2030-09-14").stdout


def test_wrong_usage(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    recorded(trace, SSSE)
    assert "expected a trace, or --reader" in run("monitor", expect=2).stderr
    assert "expected a trace, or --reader" in run("monitor", str(trace), "--reader", "X", expect=2).stderr
    trace.write_text("{}\n")
    assert "line 1" in run("monitor", str(trace), expect=1).stderr
