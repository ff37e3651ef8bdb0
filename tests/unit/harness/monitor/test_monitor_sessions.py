"""The monitor follows sessions as real programs send them: EFs selected by their ids, records by number or by tag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.apdu.command import CommandAPDU
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.security import names_in
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import Situation
from harness.terminal import region
from harness.trace import show
from harness.trace.read import Event, EventKind
from harness.verdicts.verdict import Verdict
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN, new_card
from tests.kit.judged import ASK, CHALLENGE, PROOF, TODAY, TORN, Judged, demanding, merged, psam_session

EF05, EF06 = "00A4020002EF05", "00A4020002EF06"
FCI = "00C000001E"
NAME, CARD_NUMBER, VERSION, EXPIRY = "00B2090020", "00B207040B", "00B2030406", "00B2060406"
"""By tag in the current EF; by number in the current EF."""


def begun(layout: str = "3.00", persona: str = "adult-chengdu", *faults: str, lost: str = "", pin: str = "") -> Judged:
    """SSSE and EF05 selected, version and validity read by number, each with the length that the program expects."""
    session = Judged(layout, persona, *faults, lost=lost)
    if pin:
        session.image.memory.put(PIN_CELL, pin)
        session.image.memory.commit()
    return session.send(SSSE, FCI, EF05, VERSION, EXPIRY)


def written(session: Judged, path: str, value: str, *, mode: str = "number") -> Judged:
    """An item written as an issuing program does it: DF and EF by their ids, the record by its number or its tag."""
    file, _, tag = path.rpartition("/")
    spec = session.image.layout.files[file]
    session.authenticate(*(name for name in names_in(spec.update) if name != "PIN"))
    record = bytes.fromhex(tag) + bytes((len(value) // 2,)) + bytes.fromhex(value)
    number = next(n for n, item in enumerate(spec.items, 1) if item.tag == int(tag, 16))
    p1, p2 = (number, 0x04) if mode == "number" else (int(tag, 16), 0x00)
    return session.send(select(file), bytes(CommandAPDU(0x00, 0xDC, p1, p2, record)).hex())


def select(file: str, p1: str = "02") -> str:
    return f"00A4{p1}0002EF{file[-2:]}"


def read(session: Judged, path: str) -> Judged:
    """An item read by its number in the current DF, the EF selected by its id."""
    file, _, tag = path.rpartition("/")
    items = session.image.layout.files[file].items
    number, length = next((n, item.length) for n, item in enumerate(items, 1) if item.tag == int(tag, 16))
    return session.send(select(file, "00"), f"00B2{number:02X}04{length + 2:02X}")


def told(session: Judged, rule: str) -> str:
    """What was found by a rule, all in one."""
    return "; ".join(one.text for one in session.found if one.rule.id == rule)


# --- the item behind every way to reach it -------------------------------------------------------------------------

WAYS = {
    "EF by P1=02, item by tag": (EF06, "00B2090020"),
    "EF by P1=00, item by tag": ("00A4000002EF06", "00B2090020"),
    "EF by P1=00 with Le, item by tag": ("00A4000002EF0600", "00B2090020"),
    "EF by P1=02, item by number": (EF06, "00B2020420"),
    "EF by P1=02, item by number, Le 00": (EF06, "00B2020400"),
    "EF by P1=00, item by number, Le wrong": ("00A4000002EF06", "00B2020412"),
    "item by tag and SFI": ("00B2093020",),
    "item by number and SFI, EF05 current": ("00B2023420",),
    "SSSE by its id": ("00A4000002DDF1", FCI, EF06, "00B2090020"),
    "SSSE once more": (SSSE, FCI, EF06, "00B2090020"),
    "from another DF and back": (DF["DF01"], "00C000000A", "00A4000002DDF1", FCI, EF06, "00B2090020"),
    "EF05 not selected": (SSSE, FCI, EF06, "00B2020420"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_name_read_without_its_right_is_found_however_it_is_reached(way: str) -> None:
    session = begun().send(*WAYS[way])
    assert session.end() == ["RIGHTS-READ"]
    assert told(session, "RIGHTS-READ") == "reading SSSE/EF06/09 needs RKSSSE, which was not won (6982)"


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_may_be_read_is_no_finding_however_it_is_reached(way: str) -> None:
    """The same on a card of version 2.00, on which everybody may read it."""
    session = begun("2.00")
    for command in WAYS[way]:
        answer = session.connection.send(bytes.fromhex(command))
        if answer[0] == 0x6C:
            session.send(command[:8] + answer[1:].hex())
        if command.endswith("DDF1") or command == SSSE:
            assert answer[0] in (0x61, 0x90)
    assert session.end() == []


def test_a_right_that_was_won_holds_for_an_ef_selected_afterwards() -> None:
    session = begun().authenticate("RKSSSE").send(EF06, NAME, "00B2010414", "00A4000002EF06", "00B2020420")
    assert session.end() == []


def test_the_right_is_lost_with_the_df_and_not_with_the_ef() -> None:
    session = begun().authenticate("RKSSSE").send(DF["DF01"], "00C000000A", SSSE, FCI, EF06, NAME)
    assert session.end() == ["RIGHTS-READ"]


# --- selections that fail ------------------------------------------------------------------------------------------


def test_a_refused_ef_leaves_the_current_one() -> None:
    """EF05 is still current: what is read there afterwards is its own item 07, and nothing protected."""
    session = begun().send("00A4020002EF77", CARD_NUMBER)
    assert session.end() == ["SESSION-REFUSED-SELECT"]
    assert told(session, "SESSION-REFUSED-SELECT") == "SELECT was answered 6A82, and READ RECORD followed"


@pytest.mark.parametrize(
    "then",
    [("00B2073C0B",), (EF05, CARD_NUMBER), ("00B2072C0B",), (CHALLENGE,)],
    ids=["other file by SFI", "another EF", "EF05 by SFI", "a challenge"],
)
def test_a_refused_ef_is_no_breach_where_nothing_counts_on_it(then: tuple[str, ...]) -> None:
    session = begun().send("00A4000002EF77", *then)
    assert "SESSION-REFUSED-SELECT" not in session.end()


def test_a_refused_df_is_counted_on_by_whatever_follows() -> None:
    session = begun().send("00A4000002DF0F", EF06, "00A4010002DF0F", CHALLENGE)
    assert session.end() == ["SESSION-REFUSED-SELECT"]


def test_a_child_df_and_its_ef_by_their_ids() -> None:
    """DF03 as a child of SSSE; its EF19 needs the PIN, which opens it."""
    session = begun(pin="246802").send("00A4010002DF03", "00C000000A", "00A4020002EF05", "00B2610005")
    assert told(session, "RIGHTS-READ").startswith("reading DF03/EF05/61 needs ")
    session = begun(pin="246802").send("00A4010002DF03", "00C000000A", ASK).later(9)
    session.send("0020000003246802", "00A4020002EF05", "00B2610005")
    assert session.end() == []


# --- every rule that looks at files --------------------------------------------------------------------------------


def torn_region(session: Judged) -> None:
    """Five regions are read; the first write has no answer, and the program gives up."""
    session.terminal.adopt(session.image)
    session.terminal.region = "510100"
    region.read(session.terminal)
    written(session, "DF03/EF05/61", "510700")


FAILED = "status,sw=6581,instruction=UPDATE_RECORD,once=yes"
FILES: dict[str, tuple[Callable[[], Judged], Callable[[Judged], object], str]] = {
    "RIGHTS-UPDATE": (begun, lambda s: s.send(EF06, "00DC0404030A0132"), "writing SSSE/EF06/0A needs UKSSSE"),
    "RIGHTS-IGNORED": (begun, lambda s: s.send(CHALLENGE, PROOF, EF06, NAME), "SSSE/EF06/09 was accessed"),
    "RIGHTS-INSISTED": (begun, lambda s: s.send(EF06, NAME, NAME), "SSSE/EF06/09 again"),
    "ANSWER-BROKEN": (
        lambda: begun("3.00", "adult-chengdu", "truncated,by=2,item=07"),
        lambda s: s.send(CARD_NUMBER, VERSION),
        "reading SSSE/EF05/07 gave 9 bytes",
    ),
    "ANSWER-6C": (begun, lambda s: s.send("00B2070400", VERSION), "00B2070400 was answered 6C0B and dropped"),
    "ANSWER-61": (
        lambda: begun("3.00", "adult-chengdu", "sw61,part=4,item=07"),
        lambda s: s.send(CARD_NUMBER, VERSION),
        "READ RECORD was answered 610",
    ),
    "PIN-REFUSAL-IGNORED": (begun, lambda s: s.send(ASK, WRONG_PIN, CARD_NUMBER), "(SSSE/EF05/07) followed"),
    "WRITE-READ-BACK": (begun, lambda s: written(s, "SSSE/EF06/0A", "32"), "not read back: SSSE/EF06/0A"),
    "WRITE-FAILED": (
        lambda: begun("3.00", "adult-chengdu", FAILED),
        lambda s: written(s, "SSSE/EF06/0A", "32").send(EF05, CARD_NUMBER),
        "writing SSSE/EF06/0A failed",
    ),
    "REGION-UNCHECKED": (begun, lambda s: written(s, "DF03/EF05/61", "510700"), "DF03/EF05/61 was written"),
    "REGION-READ-BACK": (begun, lambda s: written(s, "DF03/EF05/61", "510700", mode="tag"), "DF03/EF05/61"),
    "REGION-PART": (
        lambda: begun("3.00", "adult-chengdu", TORN),
        torn_region,
        "unemployment: the write of DF03/EF05/61 had no answer",
    ),
    "STATE-EXPIRED": (
        lambda: begun("3.00", "expired"),
        lambda s: written(s, "SSSE/EF06/0A", "32"),
        "the card ended on 2020-09-14",
    ),
    "STATE-EXPIRY-UNREAD": (
        lambda: Judged().send(SSSE, FCI, EF05, VERSION),
        lambda s: written(s, "SSSE/EF06/0A", "32"),
        "UPDATE RECORD (SSSE/EF06/0A), and item 06 had not been read",
    ),
    "STATE-LOST": (
        lambda: begun(lost="A00000011").send("00B2070400", CARD_NUMBER),
        lambda s: written(s, "SSSE/EF06/0A", "32"),
        "reported lost",
    ),
    "STATE-NOT-ACTIVATED": (
        lambda: begun("3.00", "not-activated"),
        lambda s: s.send("00A4000002DF01", "00C000000A", EF05, "00B220000A", "00B220000A"),
        "DF01/EF05/20 was refused with 6985",
    ),
    "SESSION-VERSION": (
        lambda: Judged().send(SSSE, FCI, EF05, EXPIRY),
        lambda s: s.authenticate("RKSSSE").send(EF06, NAME),
        "READ RECORD (SSSE/EF06/09) under RKSSSE",
    ),
    "SESSION-RESELECT": (begun, lambda s: s.send("reset", CARD_NUMBER), "READ RECORD without any SELECT"),
}


@pytest.mark.parametrize("rule", FILES)
def test_every_rule_that_looks_at_files_finds_what_real_programs_do(rule: str) -> None:
    made, act, words = FILES[rule]
    session = made()
    assert session.broken == [], "nothing is wrong yet"
    act(session)
    assert rule in session.end()
    assert words in told(session, rule)


@pytest.mark.parametrize("mode", ["number", "tag"])
def test_a_whole_change_by_a_real_program_is_no_finding(mode: str) -> None:
    """Known card, key, EF by id, record written and read back by number: what the field's best programs do."""
    session = begun().send("00B207040B")
    written(session, "SSSE/EF06/0A", "32", mode=mode)
    read(session.authenticate("RKSSSE"), "SSSE/EF06/0A")
    session.connection.close()
    assert session.end() == []
    passed = {one.subject.id for one in session.monitor.results() if one.verdict is Verdict.PASSED}
    assert {"RIGHTS-READ", "RIGHTS-UPDATE", "WRITE-READ-BACK", "SESSION-VERSION", "STATE-EXPIRY-UNREAD"} <= passed


def test_files_that_demand_messaging_are_known_by_their_ids() -> None:
    session = begun(demanding()).send("00A4000002EF06", NAME)
    assert told(session, "RIGHTS-CLEAR") == "SSSE/EF06/09 demands a MAC, and was accessed in clear"
    assert "RIGHTS-CLEAR" not in begun(demanding()).send(EF05, CARD_NUMBER).end()


# --- a write without an answer is a write --------------------------------------------------------------------------


def test_a_torn_write_of_a_region_that_nobody_looks_at_is_a_move_in_part() -> None:
    session = begun("3.00", "adult-chengdu", TORN)
    torn_region(session)
    session.later(60)
    session.connection.close()
    broken = session.end()
    assert {"REGION-PART", "REGION-READ-BACK"} <= set(broken)
    found = "unemployment: the write of DF03/EF05/61 had no answer, and nobody looked what became of it"
    assert told(session, "REGION-PART") == found


def test_a_torn_write_that_came_to_something_leaves_the_rest_of_its_insurance() -> None:
    """It is looked at: the one item moved, and the other of the same insurance did not."""
    session = begun(merged(), "adult-chengdu", TORN)
    session.terminal.adopt(session.image)
    session.terminal.region = "510100"
    region.read(session.terminal)
    written(session, "DF03/EF16/51", "510700")
    session.send("reset", SSSE, FCI).authenticate("RK1DF03")
    read(session, "DF03/EF16/51")
    session.connection.close()
    session.end()
    assert told(session, "REGION-PART") == "medical: moved DF03/EF16/51, left DF04/EF05/84"


@pytest.mark.parametrize("moment", ["before", "within"])
def test_a_torn_move_that_is_looked_at_and_brought_to_an_end_is_none(moment: str) -> None:
    """Whether the card did the torn write or not, the program reads, and moves what is left."""
    session = begun("3.00", "adult-chengdu", f"removal,moment={moment},instruction=UPDATE_RECORD,once=yes")
    torn_region(session)
    session.connection.reset()
    session.terminal.begin()
    session.terminal.valid_until()
    region.move(session.terminal, "510700", "510100")
    session.connection.close()
    assert session.end() == [], session.found


def test_a_torn_move_that_did_not_happen_and_was_looked_at_is_none() -> None:
    session = begun("3.00", "adult-chengdu", "removal,moment=before,instruction=UPDATE_RECORD,once=yes")
    torn_region(session)
    session.send("reset", SSSE, FCI).authenticate("RK2DF03")
    read(session, "DF03/EF05/61")
    session.connection.close()
    assert session.end() == [], session.found


UNANSWERED: dict[str, tuple[str, str, Callable[[Judged], object]]] = {
    "WRITE-READ-BACK": ("adult-chengdu", "UPDATE_RECORD", lambda s: written(s, "SSSE/EF06/0A", "32")),
    "REGION-UNCHECKED": ("adult-chengdu", "UPDATE_RECORD", lambda s: written(s, "DF03/EF05/61", "510700")),
    "STATE-EXPIRED": ("expired", "UPDATE_RECORD", lambda s: written(s, "SSSE/EF06/0A", "32")),
    "PIN-INITIAL": (
        "adult-chengdu",
        "UPDATE_RECORD",
        lambda s: written(s.send(ASK, VERIFY), "SSSE/EF06/0A", "32"),
    ),
    "PIN-SET-INITIAL": ("pin-changed", "CHANGE_PIN", lambda s: s.send(ASK, "805E010007142857FF123456")),
}


@pytest.mark.parametrize("rule", UNANSWERED)
def test_what_a_rule_says_of_a_write_it_says_of_one_without_an_answer(rule: str) -> None:
    persona, instruction, act = UNANSWERED[rule]
    session = begun("3.00", persona, f"removal,moment=within,instruction={instruction},once=yes")
    assert session.broken == []
    act(session)
    assert len(session.chip.injections) == 1
    assert rule in session.end()


def test_a_business_whose_write_had_no_answer_wanted_the_validity_read() -> None:
    session = Judged("3.00", "adult-chengdu", TORN).send(SSSE, FCI, EF05, VERSION)
    written(session, "SSSE/EF06/0A", "32")
    assert "STATE-EXPIRY-UNREAD" in session.end()


# --- cards, readers and desks --------------------------------------------------------------------------------------

CAC = [f"A0000000790{n}" for n in ("100", *(f"10{digit:X}" for digit in range(1, 16)))]
OPENSC = (
    *(f"00A40400{len(name) // 2:02X}{name}" for name in ("627601FF000000", "A00000000101", "E82B0601040181C31F0201")),
    "00A4040C0FD23300000045737445494420763335", "00CADF3005", "00CB3FFF035C017E",
    "00A4040009A00000030800001000", "00A4040C07A000000116DB00", "00A4040007A000000116DB00",
    *(f"00A404{p2}07{name}" for name in CAC for p2 in ("0C", "00")),
    "00A404000CF276A288BCFBA69D34F31001", "00A4040009A00000039742544659", "00A4040006D27600012401",
    "00A4040C0AD392F000260100000001", "00A4000C023F00", "00A40000023F00", "00A4020C022F00", "00CA018D02",
)  # fmt: skip
"""What OpenSC 0.23 sends to a card that it does not know, recorded through Debian's pcscd."""
WINDOWS = ("00A4040009A0000003080000100000", "00A4040009A0000003974254465900", "FFCA000000")


@pytest.mark.parametrize("visit", [OPENSC, WINDOWS], ids=["OpenSC", "Windows"])
def test_nobody_is_blamed_for_what_other_programs_send(visit: tuple[str, ...]) -> None:
    session = Judged().send(*visit, "reset", *visit)
    assert session.end() == []
    assert session.monitor.judged <= 2, "the MF selected without a fault is anybody's"
    session = Judged().send(*visit, SSSE, FCI, *visit[:-8], EF05, VERSION, EXPIRY, CARD_NUMBER)
    assert session.end() == [], session.found


def test_other_programs_alone_are_no_terminal_to_judge() -> None:
    session = Judged().send(*OPENSC, "00A40000023F00", "reset", *WINDOWS)
    assert session.end() == []
    assert session.monitor.judged == 0
    assert {one.verdict for one in session.monitor.results()} == {Verdict.NOT_APPLICABLE}


def test_what_any_program_may_send_is_a_terminals_once_there_is_one() -> None:
    session = Judged().send("00A40000023F00", SSSE, "00C000001E", "00A40000023F00", "00C0000012")
    assert session.monitor.judged == 4


def test_a_terminals_own_faults_are_found_among_other_programs() -> None:
    session = begun().send(*WINDOWS, EF06, NAME, "00FF000000", "00A4040006D15600000599", NAME)
    assert session.end() == ["RIGHTS-READ", "SESSION-MALFORMED", "SESSION-REFUSED-SELECT"]


def test_what_a_card_in_a_reader_grants_is_no_breach_of_a_guessed_layout(tmp_path: Path) -> None:
    """Some regions' cards of version 3.00 give the name freely; a recording knows the version alone."""
    path = tmp_path / "free.toml"
    path.write_text(
        'extends = "3.00"\nschema = 1\nname = "free"\n[file."SSSE/EF06"]\nread = "free"\n', encoding="utf-8"
    )
    session = Judged()
    session.connection = session.recorded(new_card(str(path)).chip.image, catalogue.layout("3.00"))
    session.send(SSSE, FCI, EF05, VERSION, EXPIRY, EF06, NAME, "00DC0404030A0132")
    assert session.end() == ["RIGHTS-UPDATE"], "what the card refused is one all the same"


def test_a_virtual_cards_layout_is_no_guess() -> None:
    session = begun("3.00", "adult-chengdu", "status,sw=9000,item=SSSE/EF06/09").send(EF06, NAME)
    assert "RIGHTS-READ" in session.end()


def test_that_a_trace_ends_says_nothing_of_what_the_terminal_did_next() -> None:
    """The power goes when the program leaves; a recording that was ended before does not show it."""
    session = begun().authenticate("RKSSSE").send(EF06, NAME)
    session.found += session.monitor.end()
    assert session.broken == []


def test_a_card_left_with_rights_while_the_desk_goes_on_is_found() -> None:
    session = begun().authenticate("RKSSSE").send(EF06, NAME)
    other = session.slot(2, new_card(persona="adult-mianyang").chip.image)
    session.later(40)
    other.send(bytes.fromhex(SSSE))
    session.found += session.monitor.end()
    assert session.broken == ["SESSION-RIGHTS-LEFT"]
    assert "when the trace ends" in told(session, "SESSION-RIGHTS-LEFT")


def test_commands_before_the_first_reset_are_not_judged() -> None:
    """What the card was left with before a recording began nobody knows: SSSE may be selected, a right be won."""
    monitor = Monitor(catalogue.layout("3.00"), Situation(TODAY))
    lines = [(SSSE, "611E"), (EF06, "9000"), (NAME, "6982"), ("", "3B00"), (CARD_NUMBER, "6986")]
    for number, (command, answer) in enumerate(lines, 1):
        table = {"command": command, "answer": answer} if command else {"atr": answer}
        monitor.hear(Event(number, EventKind.APDU if command else EventKind.RESET, 0.1 * number, 0, table))
    assert [(one.rule.id, one.line) for one in monitor.findings] == [("SESSION-RESELECT", 5)]
    assert (monitor.unbegun, monitor.judged, monitor.heard) == ({0: 3}, 1, 5)


# --- the PSAM ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", ["48", "47", "67", "28", "27"])
def test_a_psam_may_hold_roots_of_any_level(usage: str) -> None:
    """How many levels are left is the region's choice: what counts is whose factors were given."""
    card = Judged().send(SSSE, FCI, EF05, "00B2010412")
    factors = card.connection.atr[-8:] + b"510100sx" + b"510000sh"
    levels = int(usage, 16) >> 5
    for own in (True, False):
        session = Judged().send(SSSE, FCI, EF05, "00B2010412")
        given = (factors if own else bytes(8) + factors[8:])[: 8 * levels] + bytes(8)
        delivery(session, usage, given)
        assert ("PSAM-FACTOR" in session.end()) is not own


def test_a_root_that_is_used_as_it_is_has_no_factors() -> None:
    session = Judged().send(SSSE, FCI, EF05, "00B2010412")
    delivery(session, "08", bytes(8))
    assert session.end() == []


def delivery(session: Judged, usage: str, data: bytes) -> None:
    """DELIVERY KEY to the PSAM in slot 1, whatever that answers."""
    psam = session.slot(1, new_card("psam", "3des", "psam").chip.image)
    psam.send(bytes.fromhex("00A4040006D15600000500"))
    psam.send(bytes(CommandAPDU(0xBF, 0xDE, int(usage, 16), 0x12, data)))
    psam.close()


def test_a_psam_that_works_for_an_identification_code_read_by_number() -> None:
    session = begun().send("00B2010412")
    psam_session(session, atr=session.connection.atr, code="510700")
    assert "region 510100" in told(session, "PSAM-FACTOR")


# --- findings and what is shown ------------------------------------------------------------------------------------


def test_a_finding_bears_the_line_that_trace_show_shows() -> None:
    session = Judged()
    heard: list[Event] = []
    judge = session.monitor.hear

    def both(event: Event) -> list[Finding]:
        heard.append(event)
        return judge(event)

    session.monitor.hear = both  # type: ignore[method-assign]
    session.connection.reset()
    session.send(SSSE, FCI, EF06, NAME).end()
    found = next(one for one in session.found if one.rule.id == "RIGHTS-READ")
    reader = show.Reader(catalogue.layout("3.00"))
    shown = [line for event in heard for line in reader.lines(event)]
    assert next(line for line in shown if f"→ {NAME}" in line).split()[0] == str(found.line)
    assert found.trace[-1].number == found.line
    assert any("SSSE/EF06/09 姓名 name" in line for line in shown)


def test_a_card_with_a_changed_pin_lets_a_right_terminal_pass() -> None:
    """With the initial PIN it may do nothing; the finding says which card to take."""
    session = begun().send(ASK).later(9).send(VERIFY)
    written(session, "SSSE/EF06/0A", "32")
    assert "persona pin-changed" in told(session, "PIN-INITIAL")
    session = begun(persona="pin-changed").send(ASK).later(9).send("0020000003142857")
    written(session, "SSSE/EF06/0A", "32")
    read(session.authenticate("RKSSSE"), "SSSE/EF06/0A")
    session.connection.close()
    assert session.end() == []
    assert catalogue.persona(personas.PIN_CHANGED).pin == "142857"


def test_a_file_is_known_by_the_id_that_its_layout_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(
        'extends = "3.00"\nschema = 1\nname = "other"\n[file."SSSE/EF06"]\nfid = "AB06"\n', encoding="utf-8"
    )
    session = begun(str(path)).send("00A4020002AB06", NAME)
    assert told(session, "RIGHTS-READ").startswith("reading SSSE/EF06/09 needs RKSSSE")
    assert begun(str(path)).send(EF06, NAME).end() == ["SESSION-REFUSED-SELECT"]
