"""Rules about cards in a field: what is right there is not held against a terminal, and what is not by contacts is."""

from __future__ import annotations

import pytest

from tests.kit.cards import SSSE, VERIFY
from tests.kit.judged import READ_NUMBER, READ_VERSION, Judged, in_field, keeping

WHOLE = ("CONTACTLESS-REACH", "CONTACTLESS-PIN", "CONTACTLESS-GET")
PKI, LABELLED_DF04 = "00A404000C504B492EC9E7BBE1B1A3D5CF", "00A4040006D15600000503"


@pytest.mark.parametrize(
    "command",
    [PKI, LABELLED_DF04, "00A4000002DF04", "00A4010002DF04", "00B0880008"],
    ids=["an environment", "an application by name", "by its id", "as a child", "a file"],
)
def test_what_is_kept_to_the_contacts_is_not_to_be_asked_for(command: str) -> None:
    bad = in_field(keeping()).send(SSSE, command)
    assert "CONTACTLESS-REACH" in bad.end()
    good = Judged(keeping())
    good.send(SSSE, "00C000001E", command)
    assert not set(WHOLE) & set(good.end())


def test_where_the_layout_keeps_nothing_back_nothing_is_said() -> None:
    good = in_field().send(SSSE, READ_VERSION, READ_NUMBER, PKI, SSSE, "0020000000", VERIFY)
    assert not set(WHOLE) & set(good.end())


def test_a_card_that_announces_an_answer_all_the_same_may_be_asked_for_it() -> None:
    odd = Judged("3.00", "adult-chengdu", "sw61,part=4,instruction=READ_RECORD,nth=1", interface=in_field().interface)
    assert not set(WHOLE) & set(odd.send(SSSE, READ_NUMBER, "00C0000004").end())


def test_by_contacts_get_response_without_an_announcement_has_its_own_rule() -> None:
    found = Judged().fci().send("00C0000010").end()
    assert "ANSWER-GET" in found
    assert "CONTACTLESS-GET" not in found
    assert "ANSWER-GET" not in in_field().send(SSSE, "00C0000010").end()
