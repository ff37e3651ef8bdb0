"""No rule of the monitor fires on a good session, and what it cannot see it says."""

from __future__ import annotations

import pytest

from emulator.apdu.transport import follow
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.memory.cells import PIN_CELL
from harness.certificates.authority import Purpose
from harness.clock import Clock
from harness.keys.access import TerminalError
from harness.readers.connection import InProcess
from harness.serving import demo
from harness.serving.reader_profiles import SYSTEMS, Shaped
from harness.terminal import region
from harness.terminal.certificates import CertificateApplication
from harness.terminal.terminal import Terminal
from harness.verdicts.verdict import Verdict
from tests.kit.cards import SSSE, VERIFY, new_card
from tests.kit.judged import ASK, READ_NUMBER, READ_VERSION, Judged, certified, merged, psam_session

# --- good sessions -------------------------------------------------------------------------------------------------


def good(
    layout: str = "3.00", algorithm: str = "3des", persona: str = "adult-chengdu", *, whole: bool = True
) -> Judged:
    """A card whose PIN is its holder's own."""
    card = Judged(layout, persona, algorithm=algorithm, whole=whole)
    card.image.memory.put(PIN_CELL, "246802")
    card.image.memory.commit()
    return card


def typed(bad: Judged) -> None:
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
    card = Judged()
    psam_session(card, atr=card.connection.atr, code="510100")
    assert card.end() == []
    passed = {one.subject.id for one in card.monitor.results() if one.verdict is Verdict.PASSED}
    assert {"PSAM-FACTOR", "PSAM-CRYPTOGRAM"} <= passed


def test_a_wrong_city_factor() -> None:
    card = Judged()
    psam_session(card, atr=card.connection.atr, code="510700")
    assert "PSAM-FACTOR" in card.end()
    assert any("510100" in one.text for one in card.found)


def test_a_card_that_fell_silent_may_be_reset_and_used_on() -> None:
    card = Judged("3.00", "adult-chengdu", "removal,moment=within,item=07,once=yes")
    card.fci().send(READ_NUMBER, "reset").fci().send(READ_NUMBER)
    assert card.end() == []


def test_answers_that_are_followed_as_they_should_be() -> None:
    card = Judged("3.00", "adult-chengdu", "sw61,part=4,item=07,once=yes", "garbled,item=06,once=yes")
    card.send(SSSE, "00C000001E", READ_NUMBER, "00C0000004", "00C0000004", "00C0000003")
    card.send("00B2032800", READ_VERSION, "reset").fci()
    assert card.end() == []


def test_what_a_masked_session_hides_is_said() -> None:
    card = good(whole=False)
    psam_session(card, atr=card.connection.atr, code="510100")
    card.end()
    verdicts = {one.subject.id: one for one in card.monitor.results()}
    assert verdicts["PSAM-FACTOR"].verdict is Verdict.MISSING
    assert "--personal-data" in verdicts["PSAM-FACTOR"].reason


def moved(card: Judged, *paths: str, to: str = "510700") -> None:
    """All regions are read, these are written."""
    card.fci()
    card.terminal.begin()
    region.read(card.terminal)
    for path in paths:
        card.terminal.update(path, to)


def whole(card: Judged) -> str:
    """What REGION-PART found."""
    card.connection.close()
    card.end()
    return "; ".join(one.text for one in card.found if one.rule.id == "REGION-PART")


@pytest.mark.parametrize("layout", ["3.00", "merged"])
def test_one_insurance_may_move_without_the_others(layout: str) -> None:
    card = Judged(merged() if layout == "merged" else layout)
    moved(card, "DF03/EF05/61")
    assert whole(card) == ""
    result = next(one for one in card.monitor.results() if one.subject.id == "REGION-PART")
    assert result.verdict is Verdict.PASSED


def test_one_insurance_whose_region_stands_in_two_items_moves_whole() -> None:
    card = Judged(merged())
    moved(card, "DF03/EF16/51", "DF04/EF05/84")
    assert whole(card) == ""
    card = Judged(merged())
    moved(card, "DF03/EF16/51")
    assert whole(card) == "medical: moved DF03/EF16/51, left DF04/EF05/84"


def test_a_move_that_was_put_back_is_none() -> None:
    card = Judged(merged())
    moved(card, "DF03/EF16/51")
    card.terminal.update("DF03/EF16/51", "510100")
    assert whole(card) == ""


def test_an_item_that_was_at_the_target_already_is_moved() -> None:
    card = Judged(merged())
    moved(card, "DF03/EF16/51")
    card.monitor.end()
    card.found.clear()
    moved(card, "DF04/EF05/84")
    assert whole(card) == ""


def test_a_masked_region_is_not_held_against_anyone() -> None:
    card = Judged(merged(), whole=False)
    moved(card, "DF04/EF05/84")
    assert "REGION-PART" not in card.end()
    result = next(one for one in card.monitor.results() if one.subject.id == "REGION-PART")
    assert result.verdict is Verdict.MISSING


def test_a_resumed_region_move_is_whole() -> None:
    """Items that are at the target already need not be written."""
    card = good()
    card.terminal.begin()
    card.terminal.valid_until()
    card.terminal.update("DF03/EF05/61", "510700")
    before = len(card.found)
    card.connection.reset()
    card.terminal.begin()
    card.terminal.valid_until()
    region.move(card.terminal, "510700", "510100")
    card.connection.close()
    assert [one.rule.id for one in card.found[before:]] == []


def test_a_systems_own_search_is_not_the_terminals() -> None:
    """Windows looks for PIV and GIDS on a blocked card, too, before any terminal does."""
    card = Judged("3.00", "card-blocked")
    card.connection.close()
    InProcess(card.chip, through=Shaped(card.chip, SYSTEMS["windows"])).send(bytes.fromhex(SSSE))
    assert card.end() == [], card.found
    card = Judged("3.00", "card-blocked")
    assert "STATE-CARD-BLOCKED" in card.send(SSSE, SSSE).end()


def test_cards_whose_numbers_are_masked_are_told_apart() -> None:
    """Both have one masked ATR; the locked PIN is the first one's."""
    card = Judged("3.00", "pin-locked", whole=False)
    card.fci().send(ASK)
    card.connection.close()
    card.connection = card.slot(0, new_card().chip.image)
    card.fci().send(ASK, VERIFY, "805E010007123456FF246802", "reset")
    assert card.end() == [], card.found


def test_a_locked_pin_says_nothing_of_the_pin_that_was_tried() -> None:
    card = Judged("3.00", "pin-locked")
    card.fci().send(VERIFY)
    assert card.broken == ["PIN-ASKED"], "6983 was not known before"
    card.terminal.begin()
    card.terminal.unblock_pin()
    card.later(9).send(ASK, VERIFY)
    card.connection.close()
    assert "PIN-KNOWN-WRONG" not in card.end()


def test_an_expired_card_may_be_prolonged() -> None:
    card = Judged("3.00", "expired")
    card.terminal.begin()
    card.terminal.valid_until()
    card.terminal.update("SSSE/EF05/06", "20310101")
    card.terminal.valid_until()
    card.terminal.update("SSSE/EF06/0A", "2")
    card.terminal.read("SSSE/EF06/0A")
    card.connection.close()
    assert card.end() == [], card.found


def test_two_cards_share_a_psam() -> None:
    card = Judged()
    other = card.slot(2, new_card(persona="adult-mianyang").chip.image)
    other.send(bytes.fromhex(SSSE))
    psam_session(card, atr=card.connection.atr, code="510100")
    other.send(bytes.fromhex("00C000001E"))
    other.close()
    assert "PSAM-FACTOR" not in card.end()


def test_a_validity_that_is_masked_is_said() -> None:
    """Alone it may be seen; in a row of records it is masked with the others."""
    card = Judged("3.00", "expired", whole=False)
    card.send(SSSE, "00C000001E", READ_VERSION)
    assert len(follow(card.connection.send, bytes.fromhex("00B2012D00"))) > 60
    card.connection.close()
    card.end()
    result = next(one for one in card.monitor.results() if one.subject.id == "STATE-EXPIRED")
    assert (result.verdict, "--personal-data" in result.reason) == (Verdict.MISSING, True)


def test_a_masked_move_that_is_read_back_is_not_held_against_anyone() -> None:
    card = Judged(merged(), whole=False)
    moved(card, "DF03/EF16/51")
    card.terminal.read("DF03/EF16/51")
    card.connection.close()
    assert card.end() == [], card.found
    result = next(one for one in card.monitor.results() if one.subject.id == "REGION-PART")
    assert (result.verdict, "--personal-data" in result.reason) == (Verdict.MISSING, True)


def test_no_rule_fires_on_the_reference_terminal_in_the_certificate_application() -> None:
    assert certified().end() == []


def test_a_trace_that_hides_certificates_says_so() -> None:
    card = good("3.00", "sm4", "certificate-expired", whole=False)
    card.terminal.begin()
    own = CertificateApplication(card.terminal)
    own.prove("123456")
    own.held(Purpose.SIGNATURE)
    own.sign(b"a text")
    assert "CERT-EXPIRED" not in card.end()
    result = next(one for one in card.monitor.results() if one.subject.id == "CERT-EXPIRED")
    assert result.verdict is Verdict.MISSING
