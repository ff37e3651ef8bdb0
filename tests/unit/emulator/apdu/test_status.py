"""What status words say of tries left."""

from __future__ import annotations

import pytest

from emulator.apdu.status import SW, is_retry, tries_left, tries_told


@pytest.mark.parametrize("count", range(16))
def test_a_count_of_tries_is_told_and_read_back(count: int) -> None:
    assert is_retry(tries_left(count))
    assert tries_told(tries_left(count)) == count


def test_a_locked_pin_has_none_left() -> None:
    assert tries_told(SW.BLOCKED) == 0
    assert not is_retry(SW.BLOCKED)


@pytest.mark.parametrize("sw", [SW.OK, SW.AUTHENTICATION_FAILED, SW.SECURITY_NOT_SATISFIED, 0x63D0, 0x63BF, 0x6C05])
def test_other_words_say_nothing_of_tries(sw: int) -> None:
    assert tries_told(sw) is None
    assert not is_retry(sw)
