"""Cards that nobody prepared: what a run on a card in a reader may cost it, and that it costs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator import catalogue
from emulator.apdu.status import SW
from emulator.chip import Chip
from emulator.filesystem.memory.cells import PIN_CELL, CellKind, tries_cell
from harness.conformance import plan, runner
from harness.conformance import vector as vectors
from harness.conformance.guard.costs import Twin
from harness.conformance.guard.guard import Guard
from harness.conformance.guard.ledger import Ledger
from harness.conformance.guard.proofs import Proofs
from harness.conformance.models import step
from harness.conformance.play import Missing
from harness.conformance.targets.reader import CardInReader
from harness.conformance.vector import Vector
from harness.keys import roots
from harness.keys.roots import RootSource
from harness.keys.spent import SpentError, SpentKeys
from harness.readers.connection import Connection, InProcess
from harness.readers.pcsc import REMOVED_CARD, PcscError
from harness.verdicts.causes import Cause
from harness.verdicts.verdict import Result, Verdict
from tests.kit.cards import new_card

FOLDER = Path(__file__).parents[4] / "vectors"
ALL = vectors.find([FOLDER])
BY_ID = {one.id: one for one in ALL}
PIN = "424242"
LITERAL = "0020000003123456"


def of(*ids: str) -> list[Vector]:
    return [BY_ID[one] for one in ids]


def own(name: str, *steps: dict[str, Any], **more: Any) -> Vector:
    """A vector of a user's, which says nothing of what it costs."""
    basis = replace(BY_ID["SSSE_RECORD-EF05_07"], id=name, keys=frozenset(), versions=(), overlay=True)
    return replace(basis, steps=tuple(map(step, steps)), **more)


class Counting:
    """A connection that keeps what was sent; ``at``: what happens at so many commands."""

    def __init__(self, chip: Chip, at: dict[int, Callable[[], None]] | None = None, *, is_t0: bool = True) -> None:
        self.inner: Connection = InProcess(chip)
        self.sent: list[bytes] = []
        self.is_t0 = is_t0
        self._at = at or {}

    @property
    def atr(self) -> bytes:
        return self.inner.atr

    def reset(self) -> bytes:
        return self.inner.reset()

    def close(self) -> None:
        self.inner.close()

    def send(self, command: bytes) -> bytes:
        self.sent.append(command)
        if len(self.sent) in self._at:
            self._at[len(self.sent)]()
        return self.inner.send(command)


def chip_of(persona: str = "adult-mianyang", version: str = "3.00", algorithm: str = "sm4", pin: str = PIN) -> Chip:
    chip = new_card(version, algorithm, persona).chip
    chip.image.memory.put(PIN_CELL, pin)
    chip.image.memory.commit()
    return chip


def in_reader(
    chip: Chip, source: RootSource | None = None, pin: str = PIN, note: SpentKeys | None = None,
    connection: Connection | None = None,
) -> CardInReader:  # fmt: skip
    return CardInReader(connection or InProcess(chip), "Fake 00", source or roots.load("test"), pin, note=note)


def tries(chip: Chip) -> dict[str, int]:
    cells = chip.image.memory.snapshot()
    return {name.name: int(str(left)) for name, left in cells.items() if name.kind is CellKind.TRIES}


def run(
    chosen: Sequence[Vector], card: CardInReader, *, allow: bool = False, next_card: runner.NextCard | None = None
) -> dict[str, Result]:
    found = runner.run(chosen, card, allow_destructive=allow, next_card=next_card)
    return {one.subject.id: one for one in found}


def wrong(*names: str, version: int = 0) -> RootSource:
    """The test roots, but for these keys, or all; of one version alone where it is named."""

    def root(name: str, number: int) -> bytes:
        if (not names or name in names) and (not version or number == version):
            return bytes(x ^ 0x5A for x in roots.load("test")(name, number))
        return roots.load("test")(name, number)

    return root


def lowered(chip: Chip, before: dict[str, int]) -> dict[str, int]:
    return {name: before[name] - left for name, left in tries(chip).items() if left < before[name]}


# --- the plan comes before anything that costs -----------------------------------------------------------------------


def test_the_plan_sends_no_proof_and_tells_what_each_vector_costs() -> None:
    chip = chip_of()
    connection = Counting(chip)
    card = in_reader(chip, connection=connection)
    before = chip.image.memory.snapshot()
    planned = plan.made(ALL, card, allow_destructive=True)
    proofs = Proofs(card.layout)
    told = [one for one in map(proofs.of, connection.sent) if one is not None and not one.asks]
    assert told == []
    assert chip.image.memory.snapshot() == before
    assert planned.pin_tries == 3
    assert {"PIN", "UKSSSE", "RKSSSE"} <= set(planned.tried)
    costs = {one.vector.id: one for one in planned.costly}
    assert costs["VERIFY-STATE_COSTS_NOTHING"].spends == {"PIN": 2}
    assert costs["VERIFY-LOCK_SURVIVES_RESET"].leaves == ["locks PIN"]
    assert costs["CHANGE_PIN-CHANGES"].leaves == ["changes the PIN, which is changed back"]
    assert costs["EXTERNAL_AUTHENTICATION-LOCK_UKSSSE"].spends == {"UKSSSE": 0}
    last = [one.vector.id for one in planned.run][-1]
    assert costs[last].leaves, "what harms comes last"


def test_what_the_plan_says_is_what_the_run_does() -> None:
    chip = chip_of()
    card = in_reader(chip)
    planned = plan.made(ALL, card, allow_destructive=True)
    results = run(ALL, card, allow=True)
    assert {one.vector.id for one in planned.run} == {name for name, one in results.items() if one.verdict == "passed"}
    assert [one.reason for one in results.values() if one.verdict in (Verdict.FAILED, Verdict.UNDEFINED)] == []
    spoiled = {name: one.reason for name, one in results.items() if one.cause == Cause.SPOILED}
    assert spoiled == {
        "PIN_CHANGE_UNBLOCK-FAILURES_LOCK_PUK": "PUK was locked by EXTERNAL_AUTHENTICATION-LOCK_PUK"
    }  # fmt: skip
    locked = {name for name, left in tries(chip).items() if not left}
    assert "PIN" in locked
    assert len(locked) > 40, "everything that could be locked was, each after all that needed it"


def test_a_vector_that_does_not_say_what_it_costs_is_spared_all_the_same() -> None:
    chip = chip_of()
    card = in_reader(chip)
    silent = own("SILENT", {"select": "SSSE"}, {"apdu": LITERAL, "expect": {"sw": "9000"}})
    key = own(
        "KEY", {"select": "SSSE"}, {"challenge": 8}, {"apdu": f"00820004 10 {'00' * 16}", "expect": {"sw": "63Cx"}}
    )
    lasting = own("LASTING", {"select": "SSSE"}, {"authenticate": "UKSSSE"}, {"apdu": "00 D6 87 00 01 AA"})
    before = chip.image.memory.snapshot()
    results = run([silent, key, lasting], card)
    assert {name: one.reason for name, one in results.items()} == {
        "SILENT": "it spends tries: --allow-destructive",
        "KEY": "it spends tries: --allow-destructive",
        "LASTING": "it changes the card for ever: --allow-destructive",
    }
    assert chip.image.memory.snapshot() == before


# --- wrong keys and PINs ---------------------------------------------------------------------------------------------


def test_a_wrong_file_of_keys_costs_a_few_tries_once_and_in_no_later_run(tmp_path: Path) -> None:
    chip, note = chip_of(), SpentKeys(tmp_path)
    before = tries(chip)
    first = run(ALL, in_reader(chip, wrong(), note=note))
    spent = lowered(chip, before)
    assert set(spent.values()) == {1}
    assert len(spent) == 3, "three wrong ones and no right one: it is another card's file, or another region's"
    assert {one.cause for one in first.values() if one.verdict is Verdict.MISSING} >= {Cause.KEY_REFUSED}
    assert not [one for one in first.values() if one.verdict is Verdict.FAILED]
    for __ in range(3):
        run(ALL, in_reader(chip, wrong(), note=note), allow=True)
        assert {name: left for name, left in lowered(chip, before).items() if name != "PIN"} == spent
    mended = run(of("KEY_VER1-UKSSSE", "KEY_VER1-RKSSSE"), in_reader(chip, note=note))
    assert {one.verdict for one in mended.values()} == {Verdict.PASSED}
    assert tries(chip)["UKSSSE"] == before["UKSSSE"]


def test_one_wrong_version_of_a_key_costs_one_try_and_leaves_the_others_judged(tmp_path: Path) -> None:
    chip, note = chip_of(), SpentKeys(tmp_path)
    before = tries(chip)
    chosen = of("KEY_VER1-UKSSSE", "KEY_VER2-UKSSSE", "KEY_VER3-UKSSSE", "SSSE_SAFETY-EF05_WRITTEN")
    card = in_reader(chip, wrong("UKSSSE", version=2), note=note)
    results = run(chosen, card)
    assert results["KEY_VER1-UKSSSE"].verdict is Verdict.PASSED
    assert "the key UKSSSE 2 of your file is not the card's" in results["KEY_VER2-UKSSSE"].reason
    assert results["SSSE_SAFETY-EF05_WRITTEN"].verdict is Verdict.PASSED
    assert lowered(chip, before) == {}, "a right proof of another version set it back"


def test_a_wrong_pin_costs_one_try_in_all_runs_together(tmp_path: Path) -> None:
    chip, note = chip_of(), SpentKeys(tmp_path)
    for __ in range(3):
        results = run(of("DF01_SAFETY-EF05_PIN", "DF01_SAFETY-EF06_PIN"), in_reader(chip, pin="999999", note=note))
        assert {one.cause for one in results.values()} == {Cause.PIN_REFUSED}
        assert tries(chip)["PIN"] == 2
    right = run(of("DF01_SAFETY-EF05_PIN"), in_reader(chip, note=note))
    assert right["DF01_SAFETY-EF05_PIN"].verdict is Verdict.PASSED
    assert tries(chip)["PIN"] == 3


@pytest.mark.parametrize(("left", "cause"), [(1, Cause.FEW_TRIES), (0, Cause.LOCKED)])
def test_a_pin_with_one_try_or_none_is_left_alone_whatever_is_allowed(left: int, cause: Cause) -> None:
    chip = chip_of()
    chip.image.memory.set_counter(tries_cell("PIN"), left)
    chip.image.memory.commit()
    chosen = [one for one in ALL if one.id.startswith(("VERIFY-", "CHANGE_PIN-", "DF01_SAFETY"))]
    literal = own("LITERAL", {"select": "SSSE"}, {"apdu": LITERAL, "expect": {"sw": "63Cx"}})
    results = run([*chosen, literal], in_reader(chip), allow=True)
    assert tries(chip)["PIN"] == left
    assert results["VERIFY-LOCK_SURVIVES_RESET"].cause == cause
    assert results["LITERAL"].verdict is Verdict.MISSING
    assert results["DF01_SAFETY-EF05_NONE"].verdict is Verdict.PASSED


def test_a_key_that_the_card_has_locked_is_told_so_and_keeps_nothing_else_from_being_judged() -> None:
    chip = chip_of()
    chip.image.memory.set_counter(tries_cell("UKSSSE"), 0)
    chip.image.memory.commit()
    results = run(of("SSSE_SAFETY-EF05_WRITTEN", "KEY_VER1-UKSSSE", "KEY_VER1-RKSSSE"), in_reader(chip))
    assert results["SSSE_SAFETY-EF05_WRITTEN"].reason == "the key UKSSSE is locked on this card"
    assert results["KEY_VER1-UKSSSE"].cause == Cause.LOCKED
    assert results["KEY_VER1-RKSSSE"].verdict is Verdict.PASSED


def test_a_key_with_one_try_left_is_tried_once_and_not_again(tmp_path: Path) -> None:
    chip, note = chip_of(), SpentKeys(tmp_path)
    chip.image.memory.set_counter(tries_cell("UKSSSE"), 1)
    chip.image.memory.commit()
    results = run(of("EXTERNAL_AUTHENTICATION-TRIES_UKSSSE", "KEY_VER1-UKSSSE"), in_reader(chip, note=note), allow=True)
    assert {one.verdict for one in results.values()} == {Verdict.PASSED}, "the right key set its counter back first"
    assert tries(chip)["UKSSSE"] == 3


# --- what is done is undone, or spoils nothing -----------------------------------------------------------------------


def test_what_a_vector_lowers_or_changes_and_may_be_set_back_is() -> None:
    chip = chip_of()
    before = tries(chip)
    chosen = of("CHANGE_PIN-CHANGES", "VERIFY-STATE_COSTS_NOTHING", "EXTERNAL_AUTHENTICATION-TRIES_UKSSSE",
                "PIN_CHANGE_UNBLOCK-RELOAD", "VERIFY-OTHER_DATA")  # fmt: skip
    card = in_reader(chip)
    results = run(chosen, card, allow=True)
    assert {one.verdict for one in results.values()} == {Verdict.PASSED}, [one.reason for one in results.values()]
    assert tries(chip) == before
    assert chip.image.memory.text(PIN_CELL) == PIN, "the holder's PIN is the holder's again"
    assert card.warnings == []


def test_the_worst_order_that_is_asked_for_is_not_the_order_of_the_run() -> None:
    asked = of("VERIFY-LOCK_SURVIVES_RESET", "EXTERNAL_AUTHENTICATION-LOCK_UKSSSE",
               "EXTERNAL_AUTHENTICATION-LOCK_PUK", "CHANGE_PIN-CHANGES", "PIN_CHANGE_UNBLOCK-RELOAD",
               "DF01_SAFETY-EF05_PIN", "SSSE_SAFETY-EF05_WRITTEN", "KEY_VER1-PUK", "SSSE_RECORD-EF05_07")  # fmt: skip
    results = run(asked, in_reader(chip_of()), allow=True)
    assert {one.verdict for one in results.values()} == {Verdict.PASSED}, [one.reason for one in results.values()]
    order = list(results)
    assert order[:2] != ["VERIFY-LOCK_SURVIVES_RESET", "EXTERNAL_AUTHENTICATION-LOCK_UKSSSE"]
    for locker, needing in (("VERIFY-LOCK_SURVIVES_RESET", "DF01_SAFETY-EF05_PIN"),
                            ("EXTERNAL_AUTHENTICATION-LOCK_PUK", "PIN_CHANGE_UNBLOCK-RELOAD"),
                            ("EXTERNAL_AUTHENTICATION-LOCK_UKSSSE", "SSSE_SAFETY-EF05_WRITTEN")):  # fmt: skip
        assert order.index(needing) < order.index(locker)


def test_what_was_used_up_is_judged_on_the_next_card_and_no_card_is_asked_for_in_vain() -> None:
    both = of("EXTERNAL_AUTHENTICATION-LOCK_PUK", "PIN_CHANGE_UNBLOCK-FAILURES_LOCK_PUK")
    asked: list[int] = []

    def another(card: CardInReader, wanting: int) -> CardInReader | None:
        del card
        asked.append(wanting)
        return in_reader(chip_of("adult-chengdu"))

    results = run(both, in_reader(chip_of()), allow=True, next_card=another)
    assert {one.verdict for one in results.values()} == {Verdict.PASSED}
    assert asked == [1]
    alone = run(both, in_reader(chip_of()), allow=True, next_card=lambda *_: None)
    assert sorted(one.verdict for one in alone.values()) == [Verdict.PASSED, Verdict.MISSING]
    dead = chip_of()
    dead.image.memory.set_counter(tries_cell("PUK"), 0)
    dead.image.memory.commit()
    asked.clear()
    run(both, in_reader(dead), allow=True, next_card=lambda *_: in_reader(dead))
    assert asked == []


# --- cards that leave, and cards that lie ----------------------------------------------------------------------------


def test_a_card_that_is_pulled_out_ends_the_run_without_failures() -> None:
    chip = chip_of()
    connection = Counting(chip)

    class Gone:
        atr = chip.atr

        def reset(self) -> bytes:
            raise PcscError("no card", REMOVED_CARD)

        def send(self, command: bytes) -> bytes:
            raise PcscError(f"the card was taken out before {command[:4].hex()}", REMOVED_CARD)

        def close(self) -> None:
            pass

    def leave() -> None:
        connection.inner = Gone()

    connection._at = {60: leave}
    chosen = [one for one in ALL if one.id.startswith("SSSE_SAFETY")]
    results = run(chosen, in_reader(chip, connection=connection))
    lost = [one for one in results.values() if one.cause == Cause.CARD_LEFT]
    assert len(lost) > 3
    after = list(results.values())[list(results).index(lost[0].subject.id) :]
    assert {one.cause for one in after} <= {Cause.CARD_LEFT, Cause.NOT_ALLOWED, ""}
    assert not [one for one in after if one.verdict in (Verdict.FAILED, Verdict.PASSED)]
    assert [one.verdict for one in lost].count(Verdict.UNDEFINED) == 1
    assert {one.reason for one in lost[1:]} == {"the card left the reader"}


def test_nothing_that_costs_is_sent_to_another_card_that_was_put_in_its_place() -> None:
    chip, other = chip_of(), chip_of("adult-chengdu")
    connection = Counting(chip)

    def swap() -> None:
        connection.inner = InProcess(other)

    connection._at = {60: swap}
    before = other.image.memory.snapshot()
    chosen = [one for one in ALL if one.id.startswith(("SSSE_SAFETY", "EXTERNAL_AUTHENTICATION-LOCK"))]
    card = in_reader(chip, connection=connection)
    results = run(chosen, card, allow=True)
    after_swap = [one for one in results.values() if one.cause == Cause.CARD_LEFT]
    assert "another card is in the reader" in after_swap[-1].reason
    assert len(after_swap) > 40
    assert {name: cell for name, cell in other.image.memory.snapshot().items() if name.kind is CellKind.TRIES} == {
        name: cell for name, cell in before.items() if name.kind is CellKind.TRIES
    }


def test_vectors_of_t0_are_not_for_a_reader_of_t1() -> None:
    chip = new_card("3.00", "sm4", "adult-mianyang").chip
    t0 = own("T0", {"select": "SSSE"}, shapes=("t0",))
    results = run([t0], in_reader(chip, pin="123456", connection=Counting(chip, is_t0=False)))
    assert results["T0"].reason == "it is for T=0, and this card speaks T=1"
    assert run([t0], in_reader(chip, pin="123456"))["T0"].verdict is Verdict.PASSED


class Lying:
    """A connection that answers some commands itself. ``answers``: by how a command begins."""

    def __init__(self, chip: Chip, answers: dict[str, Callable[[], str]]) -> None:
        self._inner, self._answers = InProcess(chip), answers
        self.sent: list[bytes] = []

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    def reset(self) -> bytes:
        return self._inner.reset()

    def close(self) -> None:
        self._inner.close()

    def send(self, command: bytes) -> bytes:
        self.sent.append(command)
        for begins, answer in self._answers.items():
            if command.hex().upper().startswith(begins):
                return bytes.fromhex(answer())
        return self._inner.send(command)


def test_a_card_on_which_asking_costs_a_try_is_not_asked_twice() -> None:
    left = iter(range(3, -1, -1))
    connection = Lying(chip_of(), {"0020000000": lambda: f"63C{next(left)}"})
    card = in_reader(chip_of(), connection=connection)
    assert card.pin_tries() == 3
    results = run(of("DF01_SAFETY-EF05_PIN", "DF01_SAFETY-EF06_PIN", "VERIFY-LOCK_SURVIVES_RESET"), card, allow=True)
    assert {one.verdict for one in results.values()} == {Verdict.MISSING}
    assert "asking for the PIN's tries cost this card one" in results["DF01_SAFETY-EF05_PIN"].reason
    asked = [one for one in connection.sent if one.hex().startswith("00200000")]
    assert len(asked) == 2, "and no PIN was tried"


def test_a_card_that_refuses_without_a_counter_is_tried_no_more(tmp_path: Path) -> None:
    connection = Lying(chip_of(), {"00820004": lambda: f"{SW.AUTHENTICATION_FAILED:04X}"})
    chosen = [one for one in ALL if "UKSSSE" in one.keys and "virtual" not in one.features][:20]
    results = run(chosen, in_reader(chip_of(), connection=connection, note=SpentKeys(tmp_path)), allow=True)
    assert not [
        one for one in results.values() if one.verdict is Verdict.PASSED and "UKSSSE" in BY_ID[one.subject.id].keys
    ]
    assert sum(one.hex().startswith("00820004") for one in connection.sent) == 1


def test_a_card_without_a_key_fails_its_vectors_and_is_not_called_wrongly_keyed() -> None:
    connection = Lying(chip_of(), {"00820004": lambda: "6A88"})
    results = run(of("KEY_VER1-UKSSSE"), in_reader(chip_of(), connection=connection))
    assert results["KEY_VER1-UKSSSE"].verdict is Verdict.FAILED
    assert "6A88" in results["KEY_VER1-UKSSSE"].reason


def test_a_card_that_nobody_of_ours_can_hold_is_judged_without_a_twin_and_watched_all_the_same(tmp_path: Path) -> None:
    chip = chip_of(version="2.00", algorithm="3des")
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(
        'extends = "2.00"\nschema = 1\nname = "narrow"\n[file."SSSE/EF06".item.09]\nlength = 2\n', encoding="utf-8"
    )  # fmt: skip
    before = tries(chip)
    card = CardInReader(InProcess(chip), "Fake 00", wrong(), PIN, layout=catalogue.layout(str(narrow)))
    assert "no virtual twin" in card.warnings[0]
    results = run(of("SSSE_RECORD-EF05_07", "KEY_VER1-UKSSSE", "KEY_VER2-UKSSSE", "VERIFY-STATE_COSTS_NOTHING"), card)
    assert results["SSSE_RECORD-EF05_07"].verdict is Verdict.PASSED
    assert results["KEY_VER1-UKSSSE"].cause == Cause.KEY_REFUSED
    assert results["VERIFY-STATE_COSTS_NOTHING"].cause == Cause.NOT_ALLOWED
    assert lowered(chip, before) == {"UKSSSE": 1}


def test_nothing_is_tried_where_a_refusal_could_not_be_noted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    chip = chip_of()
    before = tries(chip)
    with pytest.raises(SpentError, match="SSCARD_STATE"):
        in_reader(chip, wrong(), note=SpentKeys(tmp_path / "file"))
    assert tries(chip) == before


# --- the parts -------------------------------------------------------------------------------------------------------


def test_the_guard_knows_proofs_and_lets_none_through_that_was_refused() -> None:
    chip = chip_of()
    connection = Counting(chip)
    layout = chip.image.layout
    ledger = Ledger(b"card", None, lambda *_: b"")
    guard = Guard(connection, layout, ledger)
    guard.reset()
    guard.send(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
    guard.end()
    guard.send(bytes.fromhex(LITERAL))
    assert ledger["PIN"].refused
    sent = len(connection.sent)
    for again in (LITERAL, "0020000003111111", "00B2072C0B"):
        with pytest.raises(Missing, match=r"SSCARD_PIN"):
            guard.send(bytes.fromhex(again))
    assert len(connection.sent) == sent, "not even what is harmless goes on in a vector that was stopped"
    guard.end()
    assert guard.send(bytes.fromhex("00B2072C0B"))[-2:] == b"\x90\x00"


def test_the_twin_pays_for_what_is_written_as_digits() -> None:
    layout = chip_of().image.layout
    code = bytes.fromhex("510700D156000005510100010000AB01")
    given = {"UKSSSE": b"\x11" * 16}

    def source(name: str, version: int) -> bytes:
        if name in given and version == 1:
            return given[name]
        return roots.load(None)(name, version)

    twin = Twin(layout, "sm4", source, "424242", code)
    literal = own("LITERAL", {"select": "SSSE"}, {"apdu": LITERAL})
    assert twin.costs(literal).card.least == {"PIN": 2}
    assert not twin.costs(literal).card.passes
    proved = own("PROVED", {"select": "SSSE"}, {"authenticate": "UKSSSE"})
    assert twin.costs(proved).card.least == {}
    assert ("UKSSSE", 1) in twin.costs(proved).card.proves
    assert Twin(layout, "sm4", source, "123456", code).costs(literal).card.least == {}
