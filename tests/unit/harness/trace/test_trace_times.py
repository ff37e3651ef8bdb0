"""Traces against other clocks: Wireshark's, one's own logs', a planned delay; and traces of earlier versions."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

import harness.trace
from emulator import catalogue
from emulator.reader.slot import CardGone
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.relay import Relay
from harness.readers.pcsc import PcscError
from harness.trace import pcapng, read
from harness.trace.copy import masked_copy
from harness.trace.read import TraceError
from harness.trace.record import Trace, TraceFile
from tests.kit.cards import SSSE, WRONG_PIN, Card, new_card
from tests.unit.harness.cli.test_cli import run

SAMPLES = Path(__file__).parents[3] / "data" / "traces"
SCHEMAS = Path(harness.trace.__file__).parent
DELAY = 0.05
PACKET = 6
OTHERS_READ = "00B2093020"
"""A name that is read without its key: what a rule finds."""


def delayed(path: Path) -> list[read.Event]:
    """A session in which the answer to VERIFY comes late."""
    image = new_card("3.00", "3des").chip.image
    fault = plan.from_text(f"delay,seconds={DELAY},instruction=VERIFY")
    with TraceFile(path) as trace:
        card = Card(FaultyChip(image, Plan((fault,)), observer=trace.slot(0, image)))
        card.chip.power_on()
        for command in (SSSE, "00C000001E", WRONG_PIN, OTHERS_READ):
            card.send(command)
        card.chip.power_off()
    return list(read.events(path))


def late(events: list[read.Event]) -> read.Event:
    return next(event for event in events if event.kind == "apdu" and event.command[1] == 0x20)


def test_every_event_tells_the_wall_clocks_time_beside_the_monotonic_one(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    events = delayed(tmp_path / "t.jsonl")
    schema = json.loads((SCHEMAS / "schema-3.json").read_text(encoding="utf-8"))
    for event in events:
        jsonschema.validate(event.table, schema)
        assert event.time is not None
        assert before <= event.time <= datetime.now(UTC)
        assert event.time.utcoffset() == datetime.now().astimezone().utcoffset(), "the zone is this machine's"
    for one, two in pairwise(events):
        assert one.time is not None
        assert two.time is not None
        assert (two.time - one.time).total_seconds() == pytest.approx(two.t - one.t, abs=0.02)


def test_a_planned_delay_is_in_the_latency_of_its_command_and_of_no_other(tmp_path: Path) -> None:
    events = delayed(tmp_path / "t.jsonl")
    assert late(events).latency == pytest.approx(DELAY, abs=DELAY)
    for event in events:
        if event.kind == "apdu":
            assert event.latency is not None
            assert (event.latency >= DELAY) is (event is late(events))
        else:
            assert event.latency is None


def test_a_command_that_a_fault_answers_or_a_power_cut_ends_has_its_latency_too() -> None:
    tables: list[dict[str, object]] = []
    image = new_card().chip.image
    faults = [f"delay,seconds={DELAY}", "status,sw=6A82,nth=1", "power-cut,after=0,instruction=VERIFY"]
    chip = FaultyChip(image, Plan(tuple(map(plan.from_text, faults))), observer=Trace(tables.append).slot(0, image))
    chip.power_on()
    assert chip.transmit(bytes.fromhex(SSSE)) == b"\x6a\x82"
    chip.transmit(bytes.fromhex(SSSE))
    with pytest.raises(CardGone):
        chip.transmit(bytes.fromhex(WRONG_PIN))
    found = [(table["answer"], table["latency"]) for table in tables if table["event"] == "apdu"]
    assert [answer for answer, _ in found] == ["6A82", "611E", ""]
    assert all(isinstance(took, float) and took >= DELAY for _, took in found)


class Sluggish:
    """A card in a reader that takes its time, and in the end does not answer."""

    atr = bytes.fromhex("3B6D00000081544C908684510151010001")

    def __init__(self) -> None:
        self.gone = False

    def reset(self) -> bytes:
        return self.atr

    def send(self, command: bytes) -> bytes:
        del command
        time.sleep(DELAY)
        if self.gone:
            raise PcscError("it was taken out")
        return b"\x90\x00"

    def close(self) -> None:
        """Nothing to let go."""


def test_a_relayed_cards_latency_is_measured_at_its_reader() -> None:
    tables: list[dict[str, object]] = []
    connection = Sluggish()
    relay = Relay(connection, Trace(tables.append).slot(0))
    relay.transmit(bytes.fromhex(SSSE))
    connection.gone = True
    with pytest.raises(CardGone):
        relay.transmit(bytes.fromhex(SSSE))
    for table in tables:
        assert isinstance(table["latency"], float)
        assert table["latency"] >= DELAY


# --- held against other clocks -------------------------------------------------------------------------------------


def times(blocks: Iterator[bytes]) -> list[float]:
    """Seconds of each packet of a pcapng file."""
    packets = [block for block in blocks if struct.unpack("<I", block[:4])[0] == PACKET]
    return [(high << 32 | low) / 1e6 for high, low in (struct.unpack("<II", block[12:20]) for block in packets)]


def test_the_export_has_the_wall_clocks_time_of_each_command_and_of_its_answer(tmp_path: Path) -> None:
    events = delayed(tmp_path / "t.jsonl")
    expected = []
    for event in events:
        assert event.time is not None
        if event.kind == "apdu":
            expected.append(event.time.timestamp() - (event.latency or 0))
        if event.kind in ("apdu", "reset"):
            expected.append(event.time.timestamp())
    found = times(pcapng.export(events))
    assert found == pytest.approx(expected, abs=2e-6)
    assert max(two - one for one, two in pairwise(found)) >= DELAY


def test_show_tells_the_day_the_time_of_day_and_how_long_the_card_took(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    event = late(delayed(path))
    assert event.time is not None
    assert event.latency is not None
    first, *rest = run("trace", "show", str(path)).stdout.splitlines()
    assert f"{event.time:%Y-%m-%d %z}" in first
    at = next(number for number, line in enumerate(rest) if line.startswith(f"{event.line:6} "))
    assert f" {event.time:%H:%M:%S.%f}"[:-3] + " " in rest[at]
    answered = next(line for line in rest[at:] if line.lstrip().startswith("←"))
    assert answered.endswith(f"  {event.latency * 1000:.1f} ms")


def test_diff_tells_the_time_of_day_and_as_json_all_times(tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    event = late(delayed(one))
    two.write_text("".join(one.read_text().splitlines(keepends=True)[:3]))
    assert event.time is not None
    said = run("trace", "diff", str(one), str(two), expect=1).stdout
    assert f"- {event.line:5}  " + f"{event.time:%H:%M:%S.%f}"[:-3] + "  → 0020000003" in said
    rows = [
        json.loads(line) for line in run("trace", "diff", str(one), str(two), "--json", expect=1).stdout.splitlines()
    ]
    told = next(row for row in rows if row["line"] == event.line)
    assert (told["time"], told["latency"]) == (event.told("time"), event.latency)


def test_sessions_are_alike_whatever_the_clocks_say(tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    delayed(one)
    later = [json.loads(line) for line in one.read_text().splitlines()]
    for table in later:
        moment = datetime.fromisoformat(table["time"]) + timedelta(days=1)
        table |= {"t": table["t"] + 9, "time": moment.isoformat()} | ({"latency": 9.0} if "latency" in table else {})
    two.write_text("".join(json.dumps(table) + "\n" for table in later))
    assert "alike" in run("trace", "diff", str(one), str(two)).stdout


def test_findings_and_the_exchanges_of_a_report_tell_when_it_was(tmp_path: Path) -> None:
    path, folder = tmp_path / "t.jsonl", tmp_path / "report"
    event = next(one for one in delayed(path) if one.told("command") == OTHERS_READ)
    assert event.time is not None
    said = run("monitor", str(path), "--report", str(folder), expect=1).stdout
    assert "was not won (6982), at " + f"{event.time:%H:%M:%S.%f}"[:-3] in said
    results = json.loads((folder / "report.json").read_text(encoding="utf-8"))["results"]
    broken = next(one for one in results if one["id"] == "RIGHTS-READ")
    assert (broken["trace"][-1]["line"], broken["trace"][-1]["time"]) == (str(event.line), event.told("time"))


def test_the_copy_beside_a_report_keeps_the_times(tmp_path: Path) -> None:
    events = delayed(tmp_path / "t.jsonl")
    copied = [json.loads(line) for line in masked_copy(events, catalogue.layout("3.00"))]
    timed = ("v", "t", "time", "latency")
    assert [[one.get(name) for name in timed] for one in copied] == [
        [event.table.get(name) for name in timed] for event in events
    ]


# --- earlier versions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_trace_of_an_earlier_version_is_still_read_by_every_command(tmp_path: Path, version: int) -> None:
    path, out = SAMPLES / f"schema-{version}.jsonl", tmp_path / "t.pcapng"
    events = list(read.events(path))
    assert {event.table["v"] for event in events} == {version}
    assert all(event.time is None and event.latency is None for event in events)
    said = run("trace", "show", str(path)).stdout
    assert "     1     0.0000 0  reset 复位  ATR 3B6D" in said
    assert "← 63C1  failed, 1 tries left 验证失败，还剩1次: the PIN is wrong; 1 tries left\n" in said
    assert "alike" in run("trace", "diff", str(path), str(path)).stdout
    assert "✗ RIGHTS-READ slot 0, line 8: reading SSSE/EF06/09" in run("monitor", str(path), expect=1).stdout
    run("trace", "export", str(path), "-o", str(out))
    assert times(pcapng.export(events))[0] == pytest.approx(events[0].t)


def test_the_second_versions_sample_follows_its_schema() -> None:
    schema = json.loads((SCHEMAS / "schema-2.json").read_text(encoding="utf-8"))
    for event in read.events(SAMPLES / "schema-2.jsonl"):
        jsonschema.validate(event.table, schema)


RESET = {"v": 3, "t": 0, "time": "2026-11-26T09:00:00.000000+08:00", "slot": 0, "event": "reset", "atr": "3B00"}
APDU = {**RESET, "event": "apdu", "command": "", "answer": "9000", "latency": 0.1}


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({**RESET, "time": "noon"}, "expected a time with its zone, found 'noon'"),
        ({**RESET, "time": "2026-11-26T09:00:00"}, "expected a time with its zone, found '2026-11-26T09:00:00'"),
        ({**RESET, "time": "0001-01-01T00:00:00+14:00"}, "expected a time with its zone"),
        ({name: value for name, value in RESET.items() if name != "time"}, "expected time"),
        ({name: value for name, value in APDU.items() if name != "latency"}, "expected latency"),
        ({**APDU, "latency": -1}, "expected seconds in latency, found -1.0"),
        ({**APDU, "latency": "soon"}, "could not convert"),
        ({**RESET, "t": -1}, "expected seconds in t, found -1.0"),
        ({**RESET, "t": 1e300}, "expected seconds in t, found 1e+300"),
    ],
)
def test_times_that_are_none_are_told_by_their_line(tmp_path: Path, table: dict[str, object], what: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(RESET) + "\n" + json.dumps(table) + "\n", encoding="utf-8")
    with pytest.raises(TraceError) as error:
        list(read.events(path))
    assert f"line 2: {what}" in str(error.value)


def test_a_command_sent_at_the_very_beginning_is_exported(tmp_path: Path) -> None:
    """A latency longer than the clock has run leaves no negative time, for which pcapng has no room."""
    path = tmp_path / "t.jsonl"
    table = {"v": 2, "t": 0.0, "slot": 0, "event": "apdu", "command": SSSE, "answer": "9000", "latency": 5.0}
    path.write_text(json.dumps(table) + "\n", encoding="utf-8")
    assert times(pcapng.export(read.events(path))) == [0.0, 0.0]


def test_a_trace_is_written_whole_while_several_slots_talk(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        slots = [trace.slot(number) for number in range(4)]
        threads = [threading.Thread(target=slot.powered, args=("reset", Sluggish.atr)) for slot in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = list(read.events(path))
    assert [event.t for event in events] == sorted(event.t for event in events)
    assert [event.told("time") for event in events] == sorted(event.told("time") for event in events)
