"""Whatever a terminal sends and whatever faults come: masks hold, and no reader of traces raises."""

from __future__ import annotations

import json
import os
import random
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import harness.trace
from emulator.filesystem import layout as layouts
from harness.connection import InProcess
from harness.faults.chip import FaultyChip
from harness.faults.plan import KINDS, Fault, Plan
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation
from harness.pcsc import PcscError
from harness.trace import diff, pcapng
from harness.trace.read import Event
from harness.trace.record import Trace
from harness.trace.show import Reader
from tests.property.test_apdus import SEEDS, mutate
from tests.support import new_card

DEEP = os.environ.get("SSCARD_FUZZ") == "deep"
COMMANDS = 200_000 if DEEP else 6_000
SCHEMA = jsonschema.Draft202012Validator(
    json.loads(Path(harness.trace.__file__).with_name("schema-2.json").read_text(encoding="utf-8"))
)
EVERY = tuple(Fault(kind, one_in=40) for kind in KINDS)
NAME = "测试甲".encode("gbk").hex().upper()


@pytest.mark.timeout(3600 if DEEP else 120)
@pytest.mark.parametrize("faults", [(), EVERY], ids=["right", "faulty"])
def test_nothing_that_watches_fails_or_tells_secrets(faults: tuple[Fault, ...]) -> None:
    rng = random.Random(20261125)
    tables: list[dict[str, Any]] = []
    image = new_card().chip.image
    trace = Trace(tables.append)
    chip = FaultyChip(image, Plan(faults), observer=trace.slot(0, image), sleep=lambda _: None)
    card = InProcess(chip)
    monitor = Monitor(layouts.load("3.00"), Situation(date(2026, 11, 25)))
    words = Reader(layouts.load("3.00"))
    line = 0
    for number in range(COMMANDS):
        command = rng.choice(SEEDS)
        if rng.random() < 0.4:
            command = mutate(rng, command)
        try:
            card.send(command)
        except PcscError:
            card.reset()
        if number % 50 == 0:
            card.reset()
        for table in tables:
            line += 1
            if number % 20 == 0:
                SCHEMA.validate(table)
            text = json.dumps(table)
            assert NAME not in text
            assert "0020000003123456" not in text
            event = Event(line, table["event"], table["t"], table["slot"], table)
            monitor.hear(event)
            assert all(words.lines(event))
            assert diff.words(event)
            assert all(pcapng.export([event]))
        tables.clear()
    monitor.end()
    assert len(monitor.results()) == len({one.vector.id for one in monitor.results()})
    if faults:
        assert {one.fault.kind for one in chip.injections} == set(KINDS)
