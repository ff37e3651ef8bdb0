"""The judge over the driver library's own flows: no rule is broken, with a PSAM or with an encryption machine."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from emulator import catalogue
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation
from harness.trace.read import Event
from harness.trace.record import Trace
from harness.verdicts.verdict import Verdict
from tests.kit.counter import ANY, INITIAL, KINDS, OWN, PAY, SHAPES, Counter

ADDRESS, DATA = "SSSEEF06|0A|$DF01EF05|20|$SSSEEF05|06|$", "SSSEEF06|2|$DF01EF05|9|$SSSEEF05|20330101|$"


def with_psam(counter: Counter) -> list[tuple[int, str]]:
    driver = counter.driver
    return [
        driver.iReadCardBas(1),
        counter.enters(INITIAL, OWN, OWN).driver.iChangePIN(1),
        driver.iWriteCard(1, ANY, ADDRESS, DATA),
        counter.enters(OWN).driver.iReadCard(1, 2, ANY, ADDRESS),  # 1.00 opens DF01 by the PIN alone
        counter.enters(OWN).driver.iReadCard(1, 1, ANY, "DF01EF05|20|$"),
        counter.enters(OWN).driver.iVerifyPIN(1),
        driver.iUnblockPIN(1, ANY),
        counter.enters("135791", "135791").driver.iReloadPIN(1, ANY),
        counter.enters("135791").driver.iDoDebit(1, ANY, PAY),
        counter.enters("135791").driver.iReadDebitRecord(1),
    ]


def with_machine(counter: Counter) -> list[tuple[int, str]]:
    back = counter.back
    return [
        back.basic(1),
        counter.enters(INITIAL, OWN, OWN).driver.iChangePIN(1),
        back.write(1, ANY, ADDRESS, DATA),
        counter.enters(OWN).back.read(1, ANY, "SSSEEF06|0A|$DF01EF05|20|$DF03EF05|61|$"),
        back.unblock_pin(1, ANY),
        counter.enters("135791", "135791").back.reload_pin(1, ANY),
        counter.enters("135791").back.debit(1, ANY, PAY),
    ]


@pytest.mark.parametrize("flows", [with_psam, with_machine])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_rule_is_broken(flows: Any, kind: tuple[str, str], shape: str) -> None:
    monitor = Monitor(catalogue.layout(kind[0]), Situation(date(2026, 11, 25)))
    lines: list[Event] = []

    def put(table: dict[str, Any]) -> None:
        event = Event.of(len(lines) + 1, table)
        lines.append(event)
        monitor.hear(event)

    counter = Counter(*kind, shape=shape, trace=Trace(put, personal_data=True))
    assert [code for code, _ in flows(counter)] == [0] * (10 if flows is with_psam else 7)
    monitor.end()
    broken = {one.subject.id: one.reason for one in monitor.results() if one.verdict is Verdict.FAILED}
    warned = {one.subject.id: one.reason for one in monitor.results() if one.verdict is Verdict.WARNING}
    assert not broken
    assert not warned, "what one call wrote the next one read back"
