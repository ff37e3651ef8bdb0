from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import harness.trace
from emulator import catalogue
from emulator.apdu.transport import follow
from emulator.chip import Chip, Exchange, Inside
from emulator.filesystem.memory.cells import tries_cell
from emulator.reader.slot import CardGone
from emulator.security import PIN
from harness.faults import plan
from harness.faults.chip import FaultyChip, Injection
from harness.faults.kinds import KINDS, Fault
from harness.faults.plan import FaultError, Plan
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from harness.terminal.terminal import PinRefused, Refused, Terminal
from harness.trace.record import TraceFile
from tests.kit.cards import SSSE, VERIFY, WRONG_PIN, new_card
from tests.unit.harness.cli.test_cli import run

READ_NUMBER = "00B2072C0B"
CARD_NUMBER = "0709" + b"A00000011".hex().upper()


class Faulty:
    """A card with faults, in hex."""

    def __init__(self, *faults: str, seed: int = 0, apdu_shape: bool = False, trace: Path | None = None) -> None:
        self.image = new_card().chip.image
        self.slept: list[float] = []
        self.trace = TraceFile(trace) if trace else None
        self.chip = FaultyChip(
            self.image,
            Plan(tuple(map(plan.from_text, faults)), seed),
            apdu_shape=apdu_shape,
            observer=self.trace.slot(0, self.image) if self.trace else None,
            sleep=self.slept.append,
        )
        self.connection = InProcess(self.chip)

    def send(self, command: str) -> str:
        return self.connection.send(bytes.fromhex(command)).hex().upper()

    def all(self, *commands: str) -> list[str]:
        return [self.send(command)[-4:] for command in commands]

    @property
    def came(self) -> list[int]:
        return [one.number for one in self.chip.injections]


def selected(*faults: str, seed: int = 0, apdu_shape: bool = False) -> Faulty:
    """Faults that come at READ RECORD and VERIFY only need SSSE selected first."""
    card = Faulty(*faults, seed=seed, apdu_shape=apdu_shape)
    assert card.send(SSSE)[-4:] in ("611E", "9000")
    return card


def test_without_faults_it_is_the_chip() -> None:
    card = selected()
    assert card.send(READ_NUMBER) == CARD_NUMBER + "9000"
    assert card.came == []


# --- kinds ---------------------------------------------------------------------------------------------------------


def test_another_status_word_and_nothing_done() -> None:
    card = selected("status,sw=6A82,instruction=VERIFY")
    assert card.all(WRONG_PIN, VERIFY, READ_NUMBER) == ["6A82", "6A82", "9000"]
    assert card.image.memory.counter(tries_cell(PIN)) == 3
    assert PIN not in card.chip.session.rights
    assert card.came == [1, 1]


def test_an_executed_status_word_hides_what_the_card_did() -> None:
    card = selected("status,sw=6581,executed=yes,instruction=VERIFY")
    assert card.all(WRONG_PIN, WRONG_PIN) == ["6581", "6581"]
    assert card.image.memory.counter(tries_cell(PIN)) == 1
    assert [one.exchange.answer.hex() for one in card.chip.injections if one.exchange] == ["63c2", "63c1"]


def test_data_are_held_back_behind_61xx() -> None:
    card = selected("sw61,part=4,instruction=READ_RECORD")
    assert card.send(READ_NUMBER) == "6104"
    assert card.send("00C0000004") == CARD_NUMBER[:8] + "6104"
    assert card.send("00C0000002") == CARD_NUMBER[8:12] + "6104", "fewer than announced may be fetched"
    assert card.send("00C0000005") == CARD_NUMBER[12:] + "9000"
    assert card.came == [1]
    whole = follow(card.connection.send, bytes.fromhex(READ_NUMBER)).hex().upper()
    assert whole == CARD_NUMBER + "9000"
    assert card.send(READ_NUMBER) == "6104"
    assert card.send("00B2032C06")[-4:] == "6104", "another command drops what was held back"
    assert card.send("00C0000008") == "0304332E3030" + "9000"


def test_sw61_always_comes_to_an_end_in_the_apdu_shape() -> None:
    card = Faulty("sw61,part=3", apdu_shape=True)
    assert card.send(SSSE).startswith("6F1C84")
    assert card.send(READ_NUMBER) == CARD_NUMBER + "9000"


def test_6cxx_does_nothing() -> None:
    card = selected("sw6c,by=2,instruction=VERIFY,once=yes", "sw6c,instruction=READ_RECORD,once=yes")
    assert card.send(VERIFY) == "6C02"
    assert card.send(READ_NUMBER) == "6C0C"
    assert card.send(READ_NUMBER) == CARD_NUMBER + "9000"
    assert PIN not in card.chip.session.rights


def test_truncated_oversized_and_garbled_answers() -> None:
    assert selected("truncated,by=3,instruction=READ_RECORD").send(READ_NUMBER) == CARD_NUMBER[:-6] + "9000"
    assert selected("truncated,by=99,instruction=READ_RECORD").send(READ_NUMBER) == "9000"
    assert selected("truncated,by=1,status_too=yes,instruction=READ_RECORD").send(READ_NUMBER) == CARD_NUMBER + "90"
    assert selected("truncated,by=99,status_too=yes,instruction=READ_RECORD").send(READ_NUMBER) == "07"
    long = selected("oversized,by=300,instruction=READ_RECORD").send(READ_NUMBER)
    assert long.startswith(CARD_NUMBER)
    assert len(long) == len(CARD_NUMBER) + 600 + 4
    spoilt = selected("garbled,by=2,instruction=READ_RECORD").send(READ_NUMBER)
    assert spoilt.endswith("9000")
    changed = [a for a, b in zip(bytes.fromhex(spoilt), bytes.fromhex(CARD_NUMBER + "9000"), strict=True) if a != b]
    assert len(changed) == 2


def test_what_cannot_be_spoilt_is_not_counted() -> None:
    card = selected("garbled,nth=1", "truncated,nth=1", "challenge,nth=1", "repeat,nth=99")
    assert card.all(VERIFY) == ["9000"]
    assert card.came == []
    assert card.send(READ_NUMBER) != CARD_NUMBER + "9000"
    assert card.came == [1, 2]
    card.send("0084000008")
    assert card.came == [1, 2, 3]


def test_a_late_answer() -> None:
    card = selected("delay,seconds=1.5,instruction=READ_RECORD")
    assert card.send(READ_NUMBER) == CARD_NUMBER + "9000"
    assert card.slept == [1.5]


@pytest.mark.parametrize(
    ("text", "tries"),
    [("mute", 3), ("mute,executed=yes", 2), ("removal,moment=before", 3), ("removal,moment=within", 2)],
)
def test_no_answer_before_or_after_the_deed(text: str, tries: int) -> None:
    card = selected(f"{text},instruction=VERIFY,once=yes")
    for _ in range(2):
        with pytest.raises(PcscError):
            card.send(WRONG_PIN)
    assert card.image.memory.counter(tries_cell(PIN)) == tries
    card.connection.reset()
    assert card.all(SSSE, VERIFY) == ["611E", "9000"]


def test_back_is_never_or_its_choices_are_told() -> None:
    assert plan.from_text("removal,back=never") == plan.from_text("removal,back=no")
    with pytest.raises(FaultError, match="expected one of yes, no, never, true, false, found 'nver'"):
        plan.from_text("removal,back=nver")


def test_removal_after_the_answer_and_for_good() -> None:
    card = selected("removal,moment=after,instruction=VERIFY,nth=1", "removal,back=no,instruction=VERIFY,nth=1")
    assert card.send(VERIFY) == "9000"
    with pytest.raises(PcscError):
        card.send(SSSE)
    card.connection.reset()
    card.send(SSSE)
    with pytest.raises(PcscError, match="in the middle"):
        card.send(VERIFY)
    with pytest.raises(PcscError, match="no card"):
        card.connection.reset()


@pytest.mark.parametrize(("after", "tries"), [(0, 3), (1, 2), (9, 2)])
def test_power_goes_after_so_many_writes(after: int, tries: int) -> None:
    card = selected(f"power-cut,after={after},instruction=VERIFY,once=yes")
    with pytest.raises(PcscError, match="power was cut"):
        card.send(WRONG_PIN)
    card.connection.reset()
    assert card.image.memory.counter(tries_cell(PIN)) == tries
    assert card.all(SSSE, VERIFY) == ["611E", "9000"], "no power is cut later than asked"


@pytest.mark.parametrize(("moment", "first"), [("before", "6A82"), ("after", "9000")])
def test_a_card_that_resets_by_itself(moment: str, first: str) -> None:
    card = selected(f"reset,moment={moment},instruction=READ_RECORD,once=yes")
    assert card.send(READ_NUMBER)[-4:] == first
    assert card.send(READ_NUMBER)[-4:] == "6A82", "nothing is selected any more"


def test_the_last_answer_once_more() -> None:
    card = selected("repeat,instruction=READ_RECORD,nth=2")
    assert card.send(READ_NUMBER) == CARD_NUMBER + "9000"
    assert card.send("00B2032C06") == CARD_NUMBER + "9000"
    assert card.send("00B2032C06") == "0304332E30309000"


def test_a_changed_challenge_fails_the_authentication() -> None:
    card = Faulty("challenge,every=2")
    terminal = Terminal(card.connection)
    terminal.begin()
    with pytest.raises(Refused) as refused:
        terminal.authenticate("RKSSSE")
    assert refused.value.sw & 0xFFF0 == 0x63C0
    assert card.came == [1]


# --- triggers and filters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "which"),
    [("", [1, 2, 3, 4, 5, 6]), ("once=yes", [1]), ("nth=3", [3]), ("every=2", [2, 4, 6]), ("always=yes", range(1, 7))],
)
def test_triggers(trigger: str, which: list[int]) -> None:
    card = selected(",".join(filter(None, ("status,sw=6A82,instruction=READ_RECORD", trigger))))
    answers = card.all(*[READ_NUMBER] * 6)
    assert [number for number, sw in enumerate(answers, 1) if sw == "6A82"] == list(which)


def test_chance_is_the_same_under_the_same_seed() -> None:
    def drawn(seed: int) -> list[str]:
        card = selected("status,sw=6A82,instruction=READ_RECORD,one_in=3", "garbled,item=07,one_in=2", seed=seed)
        return [card.send(READ_NUMBER) for _ in range(200)]

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)
    assert 40 < sum(answer == "6A82" for answer in drawn(5)) < 95


def test_filters_by_place() -> None:
    card = Faulty(
        "status,sw=6581,item=SSSE/EF05/07", "status,sw=6282,file=SSSE/EF06", "status,sw=6283,application=DF01"
    )
    df01 = "00A4040006D15600000500"
    assert card.all(SSSE, READ_NUMBER, "00B2032C06", "00B2093020", df01) == ["611E", "6581", "9000", "6282", "6283"]
    assert card.came == [1, 2, 3]
    assert card.send("00B2072C0B")[-4:] == "6581", "DF01 was not selected: its fault answered instead of the card"


def test_several_faults_at_one_command() -> None:
    card = selected(
        "delay,seconds=0.5,nth=3", "garbled,instruction=READ_RECORD", "oversized,by=1,instruction=READ_RECORD"
    )
    card.send("00B2032C06")
    card.send(READ_NUMBER)
    assert card.slept == [0.5]
    assert card.came == [2, 3, 1, 2, 3]


def test_only_faults_that_changed_something_are_told() -> None:
    """Of two that decide what the card is asked the first comes; the other does not count the command."""
    card = selected(
        "status,sw=6A82,instruction=READ_RECORD,nth=1",
        "power-cut,instruction=READ_RECORD,nth=1",
        "repeat,instruction=VERIFY,nth=1",
        "status,sw=6581,executed=yes,instruction=VERIFY,nth=1",
    )
    assert card.send(READ_NUMBER) == "6A82"
    assert card.came == [1]
    assert card.send(WRONG_PIN) == "6A82", "the last answer once more"
    assert card.came == [1, 3], "the card was not asked, so that nothing was carried out"
    assert card.send(WRONG_PIN) == "6581"
    with pytest.raises(PcscError, match="power was cut"):
        card.send(READ_NUMBER)
    assert card.came == [1, 3, 4, 2]


def test_power_cannot_be_cut_at_what_the_card_is_not_asked() -> None:
    card = selected("sw61,part=4,instruction=READ_RECORD", "power-cut,instruction=GET_RESPONSE")
    assert card.send(READ_NUMBER) == "6104"
    assert card.send("00C0000004") == CARD_NUMBER[:8] + "6104"
    assert card.came == [1]


# --- plans ---------------------------------------------------------------------------------------------------------


PLAN = """
format: 1
seed: 7
faults:
  - kind: status
    sw: 6300
    instruction: READ RECORD
    item: 07
    every: 2
  - kind: removal
    moment: before
    back: no
    once: yes
"""


def test_a_plan_from_yaml_is_the_one_from_text(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    loaded = plan.load(path)
    assert loaded.seed == 7
    texts = ["status,sw=6300,every=2,instruction=READ_RECORD,item=07", "removal,moment=before,back=no,nth=1"]
    assert [str(one) for one in loaded.faults] == texts
    assert loaded.faults == tuple(map(plan.from_text, texts))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("# nothing", "expected 'format: 1'"),
        ("format: 2\nfaults: []", "expected 'format: 1'"),
        ("format: 1\nfaults: {}", "a list 'faults'"),
        ("format: 1\nfaults: []\nsead: 3", "no field 'sead'"),
        ("format: 1\nseed: x\nfaults: []", "seed: expected a number from 0"),
        ("format: 1\nfaults: [mute]", "fault 1: expected fields"),
        ("format: 1\nfaults: [{kind: mute, seconds: [1]}]", "seconds: expected one value"),
        (":\n:", "not YAML"),
    ],
)
def test_what_is_no_plan(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FaultError, match=r"plan\.yaml") as error:
        plan.load(path)
    assert what in str(error.value)
    assert what in run("run", "--faults", str(path), "--once", expect=1).stderr


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("explode", "expected one of status, sw61"),
        ("status,sw=90", "expected a status word from 6000 to 9FFF"),
        ("status,sw=A000", "expected a status word"),
        ("status,nth=0", "expected a number from 1, found '0'"),
        ("status,nth=1,every=2", "expected one trigger"),
        ("status,by=1", "status takes sw, executed, not this"),
        ("mute,seconds=-1", "expected seconds from 0 to 600"),
        ("mute,seconds=nan", "expected seconds from 0 to 600"),
        ("removal,moment=later", "expected one of before, within, after"),
        ("reset,moment=within", "a card resets before a command or after it"),
        ("status,instruction=READ", "expected one of"),
        ("status,where=here", "no field 'where'"),
        ("status,sw=6A82,sw=6A83", "sw stands twice"),
        ("status,executed=maybe", "expected one of yes, no"),
        ("truncated,by=x", "expected a number, found 'x'"),
        ("truncated,item=name", "expected a tag in two hex digits"),
    ],
)
def test_what_is_no_fault(text: str, what: str) -> None:
    with pytest.raises(FaultError) as error:
        plan.from_text(text)
    assert what in str(error.value)


def test_a_place_that_no_card_has() -> None:
    places = {"file=SSSE/EF66": "SSSE/EF66", "application=DF66": "DF66", "item=X/EF05/01": "X/EF05"}
    for text, where in places.items():
        wrong = run("run", "--once", "--fault", f"mute,{text}", expect=1).stderr
        assert f"has {where}, so that it would never come" in wrong, wrong
    plan.check(Plan((plan.from_text("mute,item=CERT/EF12/01"),)), [catalogue.layout("1.00"), catalogue.layout("3.00")])
    plan.check(Plan((plan.from_text("mute,item=01"),)), [])


# --- the trace -----------------------------------------------------------------------------------------------------


def test_faults_are_in_the_trace_beside_what_the_card_did(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    card = Faulty("status,sw=6581,executed=yes,instruction=VERIFY", "removal,instruction=READ_RECORD", trace=path)
    card.all(SSSE, WRONG_PIN)
    with pytest.raises(PcscError):
        card.send(READ_NUMBER)
    schema = json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text())
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        jsonschema.validate(event, schema)
    fault, verify, removal, read, off = events[-5:]
    assert fault["fault"] == "1 status,sw=6581,executed=yes,instruction=VERIFY"
    assert (fault["card_answered"], verify["answer"]) == ("63C2", "6581")
    assert verify["reason"] == "not the card's answer: a fault"
    assert verify["changes"] == [{"kind": "tries", "name": "PIN", "from": "3", "to": "2"}]
    assert "999999" not in path.read_text()
    assert removal["card_answered"] == "0709" + "00" * 9 + "9000", "masked like all that the card says of a person"
    assert (read["answer"], off["event"]) == ("", "off")
    shown = run("trace", "show", str(path)).stdout
    assert "⚡ fault 故障 1 status,sw=6581,executed=yes,instruction=VERIFY; the card itself answered 63C2" in shown
    assert "the card was taken out in the middle of the command" in shown


def test_a_fault_at_a_command_of_the_run_counts_every_command() -> None:
    card = Faulty("status,sw=6F00,at=3", "garbled,at=3", "challenge,at=2")
    assert card.all(SSSE, READ_NUMBER, READ_NUMBER, READ_NUMBER) == ["611E", "9000", "6F00", "9000"]
    assert card.came == [1], "the second cannot spoil an answer without data, nor the third what is no challenge"


def test_a_fault_at_a_command_of_the_run_counts_on_after_a_reset() -> None:
    card = Faulty("status,sw=6F00,at=3")
    assert card.all(SSSE, READ_NUMBER) == ["611E", "9000"]
    card.connection.reset()
    assert card.all(SSSE, SSSE) == ["6F00", "611E"]


def test_a_fault_has_one_trigger() -> None:
    with pytest.raises(FaultError, match="expected one trigger of nth, every, one_in, at, once, always"):
        plan.from_text("garbled,at=3,nth=1")


def test_a_terminal_is_told_what_went_wrong() -> None:
    card = Faulty("status,sw=63C1,instruction=VERIFY")
    terminal = Terminal(card.connection)
    terminal.begin()
    with pytest.raises(PinRefused) as refused:
        terminal.verify_pin("123456")
    assert refused.value.tries_left == 1
    assert isinstance(card.chip.injections[0], Injection)


# --- models --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", KINDS.values(), ids=str)
def test_a_fault_reads_back_as_it_is_written(model: type[Fault]) -> None:
    fault = model(one_in=7, instruction="READ RECORD", file="SSSE/EF05", item="01")
    assert plan.from_text(str(fault)) == fault
    assert str(fault).startswith(f"{model.kind},") or str(fault) == model.kind


def test_a_fault_is_written_as_it_always_was() -> None:
    texts = {
        "status": "status,sw=6F00",
        "mute,seconds=1,executed=yes": "mute,executed=yes,seconds=1",
        "reset": "reset,moment=before",
        "removal,moment=within": "removal",
        "power-cut,after=0,nth=2": "power-cut,after=0,nth=2",
        "sw61,part=3,every=4,application=DF03": "sw61,part=3,every=4,application=DF03",
    }
    assert {text: str(plan.from_text(text)) for text in texts} == texts


def test_a_card_that_resets_by_itself_does_so_before_or_after() -> None:
    with pytest.raises(FaultError, match="moment: a card resets before a command or after it"):
        plan.from_text("reset,moment=within")


def test_whoever_stands_between_sees_what_the_card_did_and_says_what_is_told() -> None:
    class Backwards:
        def __init__(self) -> None:
            self.did: list[Exchange] = []
            self.resets = 0

        def was_reset(self) -> None:
            self.resets += 1

        def answer(self, command: bytes, card: Inside) -> bytes:
            self.did.append(card.execute(command, None))
            return self.did[-1].answer[:-2][::-1] + self.did[-1].answer[-2:]

    between = Backwards()
    chip = Chip(new_card().chip.image, interposer=between)
    chip.power_on()
    chip.transmit(bytes.fromhex(SSSE))
    told = chip.transmit(bytes.fromhex(READ_NUMBER))
    assert (told[:-2][::-1].hex().upper(), told[-2:]) == (CARD_NUMBER, b"\x90\x00")
    assert between.did[-1].answer.hex().upper() == CARD_NUMBER + "9000"
    assert between.resets == 1


def test_power_that_goes_while_a_card_works_leaves_no_answer() -> None:
    class Cutting:
        def was_reset(self) -> None:
            pass

        def answer(self, command: bytes, card: Inside) -> bytes:
            did = card.execute(command, 0 if command[1] == 0x20 else None)
            if not did.answer:
                raise CardGone(did.reason)
            return did.answer

    chip = Chip(new_card().chip.image, interposer=Cutting())
    chip.power_on()
    chip.transmit(bytes.fromhex(SSSE))
    with pytest.raises(CardGone, match="power was cut in the middle of it"):
        chip.transmit(bytes.fromhex(WRONG_PIN))
    with pytest.raises(RuntimeError, match="no power"):
        chip.transmit(bytes.fromhex(VERIFY))
    chip.power_on()
    assert chip.image.memory.counter(tries_cell(PIN)) == 3
