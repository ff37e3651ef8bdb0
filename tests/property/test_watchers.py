"""Whatever a terminal sends and whatever faults come: masks hold, and no reader of traces raises."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import harness.trace
from emulator import catalogue
from emulator.filesystem.layouts.terms import Structure
from harness.campaign.chance import SEEDS, mutated
from harness.faults.chip import FaultyChip
from harness.faults.kinds import KINDS, Fault
from harness.faults.plan import Plan
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from harness.trace import diff, pcapng
from harness.trace.read import Event
from harness.trace.record import Trace
from harness.trace.show import Reader
from tests.kit.cards import DF, SSSE, VERIFY, new_card
from tests.kit.sampled import DEEP
from tests.kit.watched import personal

COMMANDS = 200_000 if DEEP else 6_000
FRESH = 500
"""Commands after which the card is a fresh one."""
SCHEMA = jsonschema.Draft202012Validator(
    json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text(encoding="utf-8"))
)
EVERY = tuple(model(one_in=5 if kind == "challenge" else 40) for kind, model in KINDS.items())


READS = [
    (SSSE, VERIFY, *((DF[name],) if name in DF else ()), f"00B2{item.tag:02X}{file.sfi << 3:02X}{item.length + 2:02X}")
    for file in catalogue.layout("2.00").files.values()
    for name in [file.application]
    if file.structure is Structure.RECORDS and (name in DF or name == "SSSE")
    for item in file.items
    if item.tag
]
"""What brings an item of a 2.00 card's out, with the initial PIN."""


def commands(rng: random.Random) -> Iterator[bytes]:
    """What a terminal might send, and what none would."""
    while True:
        if rng.random() < 0.1:
            yield from map(bytes.fromhex, rng.choice(READS))
        command = rng.choice(SEEDS)
        yield mutated(rng, command, SEEDS) if rng.random() < 0.4 else command


@pytest.mark.timeout(3600 if DEEP else 120)
@pytest.mark.parametrize("faults", [(), EVERY], ids=["right", "faulty"])
def test_nothing_that_watches_fails_or_tells_secrets(faults: tuple[Fault, ...]) -> None:
    rng = random.Random(20261125)
    tables: list[dict[str, Any]] = []
    original = new_card("2.00").chip.image
    people = personal(original)
    read: set[str] = set()
    came: set[str] = set()
    trace = Trace(tables.append)
    monitor = Monitor(catalogue.layout("2.00"), Situation(date(2026, 11, 25)))
    words = Reader(catalogue.layout("2.00"))
    line = 0
    for number, command in zip(range(COMMANDS), commands(rng), strict=False):
        if number % FRESH == 0:  # or all its keys would soon be locked
            image = original.fork()
            plan = Plan(faults, number)
            chip = FaultyChip(image, plan, observer=trace.slot(0, image), sleep=lambda _: None)
            card = InProcess(chip)
        try:
            told = card.send(command).hex().upper()
            read |= {at for at, value in people.items() if value in told}
        except PcscError:
            card.reset()
        if number % 50 == 0:
            card.reset()
        came |= {one.fault.kind for one in chip.injections}
        for table in tables:
            line += 1
            if number % 20 == 0:
                SCHEMA.validate(table)
            text = json.dumps(table)
            assert not any(value in text for value in people.values()), text
            assert "0020000003123456" not in text
            event = Event.of(line, table)
            monitor.hear(event)
            assert all(words.lines(event))
            assert diff.words(event)
            assert all(pcapng.export([event]))
        tables.clear()
    assert len(read) > 10, "there was something to hide"
    monitor.end()
    assert len(monitor.results()) == len({one.subject.id for one in monitor.results()})
    if faults:
        assert came == set(KINDS)
