"""Anti-tear (防拔): every cut of every writing command, on every layout and algorithm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.chip import Chip
from emulator.filesystem.memory.cells import UNBLOCKING
from emulator.filesystem.memory.nvm import PAGE, Nvm, PowerCut
from harness.images import tear
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN, Card, new_card

Deed = Callable[[Card], object]


def send(*commands: str) -> Deed:
    return lambda card: [card.send(command) for command in commands]


def enter(application: str, *keys: str) -> Deed:
    def deed(card: Card) -> None:
        card.ok(SSSE if application == "SSSE" else DF[application])
        for key in keys:
            assert card.authenticate(key) == "9000"

    return deed


def blocked(card: Card) -> None:
    """One try spent, and PUK's right won."""
    card.ok(SSSE)
    card.send(WRONG_PIN)
    assert card.authenticate("PUK") == "9000"


WRITING: dict[str, tuple[Deed, Deed]] = {
    "UPDATE RECORD": (enter("SSSE", "UKSSSE"), send("00DC05280605" + "0420260101")),
    "UPDATE RECORD, a long item": (enter("DF01", "UK1DF01"), send("00DC21285221" + "50" + "41" * 80)),
    "UPDATE RECORD, one more": (enter("DF03", "UK3DF03"), send("00DC073C05" + "EE03AABBCC")),
    "UPDATE RECORD, cyclic": (enter("DF02", "UK3DF02"), send("00DC003B55" + "42" * 85)),
    "UPDATE BINARY, one page": (enter("SSSE", "UKSSSE"), send("00D6870003AABBCC")),
    "UPDATE BINARY, 255 bytes": (enter("SSSE", "UKSSSE"), send("00D68711FF" + "5A" * 255)),
    "VERIFY, right": (enter("SSSE"), send(VERIFY)),
    "VERIFY, wrong": (enter("SSSE"), send(WRONG_PIN)),
    "VERIFY, right after wrong": (lambda card: card.ok(SSSE) + card.send(WRONG_PIN), send(VERIFY)),
    "CHANGE PIN": (enter("SSSE"), send("805E010007123456FF654321")),
    "CHANGE PIN, wrong": (enter("SSSE"), send("805E010007999999FF654321")),
    "EXTERNAL AUTHENTICATION": (enter("DF04"), lambda card: card.authenticate("UK1DF04")),
    "EXTERNAL AUTHENTICATION, wrong": (enter("SSSE"), send("0084000008", "0082000410" + "00" * 16)),
    "UNBLOCK": (blocked, lambda card: card.send(card.reload(None))),
    "RELOAD": (blocked, lambda card: card.send(card.reload("654321"))),
    "APPLICATION BLOCK": (enter("DF04", "LKDF04"), lambda card: card.send(card.sealed("841E0001", "", "STKDF04"))),
    "UPDATE RECORD, secured": (
        enter("SSSE", "UKSSSE"), lambda card: card.send(card.sealed("04DC062C", "060420401231", "STK"))),
    "UPDATE STARTING DAY": (enter("DF04", "DSK"), send("B0560000020701")),
    "RELOAD, wrong MAC": (enter("SSSE", "PUK"), lambda card: card.send(card.reload("654321", wrong=1))),
    "CARD BLOCK": (enter("SSSE", "BK"), lambda card: card.send(card.sealed("84160000", "", "STK"))),
}  # fmt: skip


def on_chip(deed: Deed) -> tear.Step:
    def step(chip: Chip) -> None:
        deed(Card(chip))

    return step


@pytest.mark.parametrize("name", WRITING)
def test_every_cut_leaves_old_or_new(card: Card, name: str) -> None:
    before, deed = WRITING[name]
    found = list(tear.cuts(card.chip.image, [on_chip(before), on_chip(deed)], 1))
    assert found, "it writes"
    assert [cut.after for cut in found] == list(range(len(found)))
    assert found[0].outcome == "old"
    assert found[-1].outcome in ("new", "old"), "after the last write all is done (old: a counter spent and restored)"
    assert all(cut.outcome != "mixed" for cut in found)
    content = [cut.outcome for cut in found if cut.outcome in ("old", "new")]
    assert content == sorted(content, key=["old", "new"].index), "once new, never old again"


@pytest.mark.parametrize(
    "name", ["VERIFY, wrong", "CHANGE PIN, wrong", "EXTERNAL AUTHENTICATION, wrong", "RELOAD, wrong MAC"]
)
def test_tearing_buys_no_try(card: Card, name: str) -> None:
    before, deed = WRITING[name]
    found = list(tear.cuts(card.chip.image, [on_chip(before), on_chip(deed)], 1))
    assert [cut.changes[:1] for cut in found[1:]] == [(f"tries left of {which(name)}: 3 → 2",)] * (len(found) - 1)


def which(name: str) -> str:
    return {"EXTERNAL AUTHENTICATION, wrong": "UKSSSE", "RELOAD, wrong MAC": UNBLOCKING}.get(name, "PIN")


def test_writes_are_counted_by_page_journal_included(card: Card) -> None:
    found = list(tear.cuts(card.chip.image, [on_chip(WRITING["UPDATE BINARY, 255 bytes"][0]),
                                             on_chip(WRITING["UPDATE BINARY, 255 bytes"][1])], 1))  # fmt: skip
    pages = 9  # 255 bytes from offset 17
    assert len(found) - 1 == 1 + pages + 1 + pages + 1, "directory, journal, mark, pages, unmark"
    changed = [bool(cut.changes) for cut in found]
    assert changed == [False] * (pages + 2) + [True] * (pages + 2), "the mark is the moment"


def test_a_cut_card_answers_nothing_until_it_has_power() -> None:
    card = new_card()
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    card.chip.image.memory.nvm.cut_after = 0
    with pytest.raises(PowerCut):
        card.send("00DC05280605" + "0420260101")
    with pytest.raises(RuntimeError, match="no power"):
        card.send(SSSE)
    card.chip.power_on()
    card.ok(SSSE)
    assert card.ok("00B2052C06") == "050420200915"
    assert card.send("00DC05280605" + "0420260101") == "6982", "rights are gone"


@pytest.mark.parametrize("second", range(12))
def test_a_recovery_may_be_cut_too(second: int) -> None:
    nvm = Nvm(40 * PAGE)
    data = bytes(range(256)) * 5
    nvm.cut_after = 3 + 1 + 40 + 1 + 5  # in the middle of putting pages in their places
    with pytest.raises(PowerCut):
        nvm.commit([(0, data[: 40 * PAGE])])
    nvm.cut_after = second
    with pytest.raises(PowerCut):
        nvm.recover()
    nvm.cut_after = None
    nvm.recover()
    assert bytes(nvm.bytes[: 40 * PAGE]) == data[: 40 * PAGE]


def test_memory_and_pages_say_the_same(card: Card) -> None:
    for before, deed in WRITING.values():
        one = Card(Chip(card.chip.image.fork()))
        one.chip.power_on()
        before(one)
        deed(one)
        cells = one.chip.image.memory.snapshot()
        one.chip.image.memory.recover()
        assert one.chip.image.memory.snapshot() == cells


def test_forks_and_restoring() -> None:
    card = new_card()
    memory = card.chip.image.memory
    snapshot = memory.snapshot()
    twin = card.chip.image.fork()
    card.ok(SSSE)
    card.send(WRONG_PIN)
    card.authenticate("UKSSSE")
    card.ok("00DC05280605" + "0420260101")
    assert twin.memory.snapshot() == snapshot
    memory.restore(snapshot)
    assert memory.snapshot() == snapshot
    memory.recover()
    assert memory.snapshot() == snapshot, "the pages went back too"
