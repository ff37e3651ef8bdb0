"""What changed between two moments, and where two cards differ: place by place, and no value that is not to be told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from emulator import catalogue
from harness.studio.card.changes import Change, compared
from harness.studio.card.held import HeldCard
from harness.studio.card.model import as_json
from tests.kit.cards import HOME, VERIFY, WRONG_PIN, Card, new_card
from tests.unit.harness.studio.card import nodes

OF_SESSION = {"application", "current", "rights"}
UPDATE_VALID_FROM = "00DC05280605" + "04" + "20260101"


def after(do: Callable[[Card], object], *, show: bool = True, persona: str = "adult-chengdu") -> list[Change]:
    """What is otherwise after something was done with a card."""
    card = new_card("3.00", persona=persona)
    before = HeldCard(card.chip.image.fork(), nodes.of_chip(card.chip).standing)
    do(card)
    return list(compared(before, nodes.of_chip(card.chip), show_values=show).changes)


def stored(changes: list[Change]) -> dict[tuple[str, str], Change]:
    """Without what a reset forgets."""
    return {(one.at, one.what): one for one in changes if one.what not in OF_SESSION}


def words(change: Change) -> tuple[str, str]:
    assert change.before is not None
    assert change.after is not None
    return change.before.en, change.after.en


def wrong_pin(card: Card) -> None:
    card.ok(HOME["SSSE"])
    card.sw(WRONG_PIN)


def new_pin(card: Card) -> None:
    card.ok(HOME["SSSE"], VERIFY, "805E010007123456FF654321")


def item_written(card: Card) -> None:
    card.ok(HOME["SSSE"])
    card.authenticate("UKSSSE")
    card.ok(UPDATE_VALID_FROM)


def bytes_written(card: Card) -> None:
    card.ok(HOME["SSSE"])
    card.authenticate("UKSSSE")
    card.ok("00D6870A03AABBCC")


def records_added(card: Card) -> None:
    card.ok(HOME["DF02"])
    card.authenticate("UK3DF02")
    for letter in "AB":
        card.ok("00DC003B55" + letter.encode().hex().upper() * 85)


def item_added(card: Card) -> None:
    card.ok(HOME["DF03"])
    card.authenticate("UK3DF03")
    card.ok("00DC063C05" + "EE03AABBCC")


def test_a_card_is_as_itself() -> None:
    assert after(Card.tries) == []


def test_what_a_session_wins_is_told() -> None:
    found = {one.what: one for one in after(lambda card: card.ok(HOME["SSSE"], VERIFY))}
    assert set(found) == {"application", "rights"}
    assert words(found["rights"]) == ("none", "PIN")
    assert words(found["application"]) == ("MF", "SSSE")


def test_a_wrong_pin_costs_a_try() -> None:
    (change,) = stored(after(wrong_pin)).values()
    assert (change.at, change.what) == ("SSSE/pin", "tries")
    before, now = (int(one.partition("/")[0]) for one in words(change))
    assert now == before - 1


def test_a_pin_and_a_key_are_told_as_changed_and_no_more() -> None:
    (pin,) = stored(after(new_pin)).values()
    assert (pin.at, pin.what, pin.before, pin.after) == ("SSSE/pin", "pin", None, None)
    one, other = (catalogue.card(name, "2.00") for name in ("adult-chengdu", "adult-mianyang"))
    keys = [one for one in compared(HeldCard(one), HeldCard(other), show_values=True).changes if one.what == "key"]
    assert len(keys) == len(one.layout.keys), "each card has keys of its own"
    assert all(key.before is key.after is None for key in keys)


def test_an_item_is_told_with_what_it_means() -> None:
    found = stored(after(item_written))
    assert list(found) == [("SSSE/EF05/05", "value")]
    assert words(found["SSSE/EF05/05", "value"])[1] == "20260101 2026-01-01"


def test_an_item_that_came_is_told_once() -> None:
    found = stored(after(item_added, persona="child-guardian"))
    assert [(one.at, one.what, one.kind) for one in found.values()] == [("DF03/EF07/EE", "there", "added")]


def test_bytes_are_told_by_their_file() -> None:
    assert list(stored(after(bytes_written))) == [("SSSE/EF07", "content")]


def test_of_a_cyclic_file_the_records_on_top_are_new() -> None:
    (change,) = stored(after(records_added)).values()
    assert change.at == "DF02/EF07"
    assert change.marks == ("DF02/EF07/#1", "DF02/EF07/#2")


@pytest.mark.parametrize("do", [new_pin, item_written, bytes_written, records_added, item_added, wrong_pin])
def test_masked_the_same_differs_and_no_value_is_told(do: Callable[[Card], None]) -> None:
    persona = "child-guardian" if do is item_added else "adult-chengdu"
    shown, masked = (after(do, show=show, persona=persona) for show in (True, False))
    assert [(one.at, one.what, one.kind, one.marks) for one in masked] == [
        (one.at, one.what, one.kind, one.marks) for one in shown
    ]
    told = json.dumps([as_json(one) for one in masked], ensure_ascii=False)
    for value in ("20260101", "AABBCC", "654321", "123456", "4141"):
        assert value not in told


def test_two_people_differ_where_their_cards_do() -> None:
    one, other = (catalogue.card(name, "3.00") for name in ("adult-chengdu", "child-guardian"))
    found = compared(HeldCard(one), HeldCard(other), show_values=True)
    left, right = nodes.items(found.left), nodes.items(found.right)
    differing = {change.at for change in found.changes}
    for place in left.keys() & right.keys():
        if not left[place].elements:
            assert (left[place].hex != right[place].hex) == (place in differing), place
    assert "" in differing, "their ATRs"


def test_two_layouts_differ_in_what_only_one_has() -> None:
    old, new = (catalogue.card("adult-chengdu", layout) for layout in ("2.00", "3.00"))
    found = {(one.at, one.what): one for one in compared(HeldCard(old), HeldCard(new), show_values=True).changes}
    assert found["CERT", "there"].kind == "added"
    assert not [at for at, what in found if at.startswith("CERT/")], "told by the application that they lie in"
    assert words(found["", "layout"]) == ("2.00", "3.00")
    back = {(one.at, one.what): one for one in compared(HeldCard(new), HeldCard(old), show_values=True).changes}
    assert {
        place: {"added": "removed", "removed": "added"}.get(one.kind, one.kind) for place, one in found.items()
    } == {place: one.kind for place, one in back.items()}
