from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from harness.clock import CHINA, Clock
from harness.readers.connection import InProcess
from harness.serving import demo
from tests.kit.cards import new_card


def test_it_follows_the_system_until_it_is_set() -> None:
    clock = Clock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="set it first"):
        clock.step(timedelta(days=1))
    clock.set(datetime(2026, 11, 24, 17, 0, tzinfo=UTC))
    assert clock.today() == date(2026, 11, 25), "it is past midnight in China"
    clock.step(timedelta(days=7))
    assert clock.now() == datetime(2026, 12, 2, 1, 0, tzinfo=CHINA)
    assert Clock(datetime(2026, 1, 1)).now().tzinfo is CHINA


def test_validity_is_judged_by_it() -> None:
    def session(day: datetime) -> str:
        said: list[str] = []
        assert demo.run(InProcess(new_card().chip), said.append, pin="123456", clock=Clock(day))
        return "\n".join(said)

    assert "validity ended" not in session(datetime(2030, 9, 14))
    late = session(datetime(2030, 9, 15))
    assert "validity ended on 2030-09-14" in late
    assert "UPDATE RECORD" not in late
