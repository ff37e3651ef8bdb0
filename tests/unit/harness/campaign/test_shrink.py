"""A failing case is made as small as it goes, and still fails."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from harness.campaign.deeds import Deed, Send
from harness.campaign.shrink import minimal, plain


@pytest.mark.parametrize("needed", [{7}, {0, 99}, {3, 4, 5}, {50, 60, 70, 80}, set(range(0, 100, 10))])
def test_what_is_not_needed_is_left_out_and_the_order_is_kept(needed: set[int]) -> None:
    assert minimal(range(100), lambda tried: needed <= set(tried)) == sorted(needed)


def test_where_all_is_needed_all_stays() -> None:
    assert minimal([1, 2, 3], lambda tried: list(tried) == [1, 2, 3]) == [1, 2, 3]
    assert minimal([1], lambda _tried: True) == [1]


def test_a_case_that_fails_for_two_reasons_shows_one_of_them() -> None:
    found = minimal(range(64), lambda tried: 5 in tried or {40, 41} <= set(tried))
    assert found in ([5], [40, 41])


def test_however_a_case_fails_nothing_more_can_be_left_out() -> None:
    own = random.Random(1)
    for _ in range(20):
        needed = set(own.sample(range(40), own.randint(1, 6)))

        def fails(tried: Sequence[int], needed: set[int] = needed) -> bool:
            return needed <= set(tried)

        found = minimal(range(40), fails)
        assert fails(found)
        assert not any(fails(found[:at] + found[at + 1 :]) for at in range(len(found)))


def test_commands_are_cut_and_zeroed_as_far_as_they_still_fail() -> None:
    deeds: list[Deed] = [Send(bytes.fromhex("00A4040006D15600000500")), Send(bytes.fromhex("00DC05280611223344556677"))]

    def fails(tried: Sequence[Deed]) -> bool:
        first, last = tried
        assert isinstance(first, Send)
        assert isinstance(last, Send)
        return first.command.startswith(b"\x00\xa4") and last.command[7:8] == b"\x33"

    first, last = plain(deeds, fails)
    assert first == Send(bytes.fromhex("00A40400"))
    assert last == Send(bytes.fromhex("00DC052800000033"))
