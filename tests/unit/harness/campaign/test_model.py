"""The model against the published card, and against answers that no card may give."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from harness.campaign import statement
from harness.campaign.chance import Deeds
from harness.campaign.deeds import Challenge, Deed, Prove, Reset, Seal, Send
from harness.campaign.session import HOLDER, INACTIVE, Kind, Session
from tests.kit.sampled import DEEP

KINDS = [Kind(layout, algorithm) for layout, algorithm in (("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4"))]
SSSE, DF01 = (Send(bytes.fromhex(statement.SELECT[name])) for name in ("SSSE", "DF01"))
RECORD = statement.RECORDS["3.00"][1]


def session(kind: Kind = KINDS[1], *deeds: Deed) -> Session:
    made = Session(kind, random.Random(1))
    assert [made.do(one) for one in deeds] == [None] * len(deeds)
    return made


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.name)
@pytest.mark.parametrize("persona", [HOLDER, INACTIVE])
def test_nothing_is_wrong_about_a_sound_card(kind: Kind, persona: str) -> None:
    answers: Counter[str] = Counter()
    for number in range(1000 if DEEP else 8):
        own = random.Random(f"{kind} {persona} {number}")
        made = Session(Kind(kind.layout, kind.algorithm, persona), own)
        assert made.model is not None
        deeds = Deeds(own, made)
        for _ in range(200):
            deed = deeds.next()
            wrong = made.do(deed)
            assert wrong is None, (deed, wrong)
            answers[made.sent[-1][1][-2:].hex().upper()] += 1
            if made.model.unsure:
                break
    # It was led into most of what the model tells of, or this would say little.
    seldom = set() if persona == INACTIVE and not DEEP else {"6988", "63C2"}
    assert {"9000", "6982", "6984", "6A88", "6985", *seldom} <= set(answers)


@dataclass(frozen=True)
class Lie:
    """An answer that no card may give, after these deeds."""

    name: str
    before: tuple[Deed, ...]
    deed: Send | Prove | Seal
    answer: str
    expected: str


LIES = [
    Lie("a protected record without a right", (DF01,), Send(RECORD.read()), RECORD.value.hex() + "9000", "69??"),
    Lie("other data than are there", (DF01, Send(bytes.fromhex("0020000003123456"))), Send(RECORD.read()),
        RECORD.other.hex() + "9000", "9000"),
    Lie("a wrong PIN taken", (SSSE,), Send(bytes.fromhex("0020000003999999")), "9000", "63C2"),
    Lie("a wrong PIN for nothing", (SSSE,), Send(bytes.fromhex("0020000003999999")), "63C3", "63C2"),
    Lie("a right PIN refused", (SSSE,), Send(bytes.fromhex("0020000003123456")), "63C2", "9000"),
    Lie("a wrong cryptogram taken", (SSSE, Challenge()), Prove("UKSSSE", 0x04, wrong=True), "9000", "63C2"),
    Lie("a challenge used twice", (SSSE, Challenge(), Prove("UKSSSE", 0x04)), Prove("UKSSSE", 0x04), "9000", "6984"),
    Lie("a write without its key", (DF01,), Send(RECORD.update(RECORD.other)), "9000", "6982"),
    Lie("any write without a key", (DF01,), Send(bytes.fromhex("00D6870003AABBCC")), "9000", "69??"),
    Lie("a wrong MAC taken", (DF01, Challenge(), Prove("UK1DF01", 0x83), Challenge()),
        Seal(RECORD.header(0x04), RECORD.other, "STKDF01", wrong=True), "9000", "6988"),
    Lie("activated by nobody", (SSSE,), Send(bytes.fromhex("8044000000")), "9000", "6982"),
    Lie("unblocked by nobody", (SSSE, Challenge()), Seal(bytes.fromhex("84240000"), b"", "STK"), "9000", "6982"),
    Lie("a fault of its own", (SSSE,), Send(bytes.fromhex("00B0870000")), "6F00", "69??"),
    Lie("no status word", (), SSSE, "61", "9000"),
    Lie("a short command done", (), Send(bytes.fromhex("00A4")), "9000", "6700"),
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda one: one.name)
def test_what_no_card_may_answer_is_seen(lie: Lie) -> None:
    made = session(KINDS[1], *lie.before)
    assert made.model is not None
    verdict = made.model.judge(lie.deed.bytes_for(made.terminal), bytes.fromhex(lie.answer))
    assert verdict is not None
    assert verdict.words
    if "?" not in lie.expected:
        assert lie.expected in verdict.sws


@pytest.mark.parametrize("lie", LIES, ids=lambda one: one.name)
def test_the_card_itself_gives_no_such_answer(lie: Lie) -> None:
    assert session(KINDS[1], *lie.before).do(lie.deed) is None


def test_what_the_model_expects_is_in_the_standards_own_list() -> None:
    """Status words of each command, typed from the text [T]; the model's exact words are among them."""
    told = json.loads(Path("tests/data/commands.json").read_text(encoding="utf-8"))["commands"]
    listed: dict[int, set[str]] = {}
    for one in told:
        listed.setdefault(int(one["INS"], 16), {"9000"}).update(one["status"])
    expected: dict[int, set[str]] = {}
    for number in range(12):
        own = random.Random(number)
        made = Session(KINDS[number % 3], own)
        assert made.model is not None
        deeds = Deeds(own, made)
        while len(made.sent) < 200 and not made.model.unsure:
            deed = deeds.next()
            command = b"" if isinstance(deed, Reset) else deed.bytes_for(made.terminal)
            if len(sws := made.model.exactly(command)) == 1:
                expected.setdefault(command[1], set()).update(sws)
            assert made.do(deed) is None
    assert {0x20, 0x24, 0x44, 0x5E, 0x82, 0x84, 0xB2, 0xDC} <= expected.keys()
    unlisted = {
        (f"{ins:02X}", sw)
        for ins, sws in expected.items()
        for sw in sws
        if not any(fnmatchcase(sw, one.replace("x", "?").replace("X", "?")) for one in listed.get(ins, {sw}))
    }
    assert unlisted == {("5E", "6A88")}, "decided here [D]: what CHANGE PIN answers where there is no PIN"
    assert expected.keys() - listed.keys() == {0x44}, "activation, which other texts tell of"
