"""Traces of several slots told, compared and exported: a counter's card and its PSAM."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator import catalogue
from harness.readers.pcsc import PcscError
from harness.trace import diff, pcapng, read
from harness.trace.read import Event
from harness.trace.record import TraceFile
from harness.trace.show import Reader
from tests.kit.cards import SSSE, new_card
from tests.kit.watched import Watched


def events(tables: list[dict[str, Any]]) -> list[Event]:
    return [Event.of(line, table) for line, table in enumerate(tables, 1)]


def day() -> list[Event]:
    counter = Watched(personal_data=True)
    counter.day()
    return events(counter.tables)


def test_two_days_with_a_psam_are_alike() -> None:
    """Settlement, reloading and reading: nothing that a challenge or a sequence decides is a difference."""
    assert list(diff.differences(day(), day())) == []


def test_a_day_that_differs_is_shown_to() -> None:
    left, right = day(), day()
    spoilt = next(n for n, one in enumerate(right) if one.slot == 1 and one.command[1:2] == b"\xde")
    table = {**right[spoilt].table}
    table["command"] = table["command"][:10] + "FF" * 8 + table["command"][26:]
    right[spoilt] = events([table])[0]
    found = list(diff.differences(left, right))
    assert [side for side, _ in found] == ["-", "+"]
    assert all("DELIVERY KEY" in diff.words(event) for _, event in found)


def test_how_slots_take_turns_is_no_difference() -> None:
    left = day()
    assert list(diff.differences(left, sorted(left, key=lambda event: -event.slot))) == []


def test_each_slot_is_told_by_its_own_layout(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        for slot, (layout, persona) in enumerate(
            [("psam", "psam"), ("3.00", "adult-chengdu"), ("1.00", "adult-chengdu")]
        ):
            card = new_card(layout, "3des", persona)
            card.chip.observer = trace.slot(slot, card.chip.image)
            card.chip.reset()
            card.send("00B0960006" if layout == "psam" else SSSE)
            card.send("00B2072C0B")
    assert read.layout_of(path).name == "3.00", "the first that is no PSAM's"
    words = Reader(catalogue.layout("2.00"))
    told = dict.fromkeys(range(3), "")
    for event in read.events(path):
        told[event.slot] += "\n".join(words.lines(event)) + "\n"
    assert "EF16 终端机编号" in told[0]
    for slot in (1, 2):
        assert "SSSE 社会保障系统环境" in told[slot]
        assert "SSSE/EF05/07 卡号 card number" in told[slot]


def torn() -> list[Event]:
    """A session that a fault ends: its last events are no bytes on the wire."""
    counter = Watched("removal,moment=within,instruction=VERIFY")
    with pytest.raises(PcscError):
        counter.send(SSSE, "0020000003123456")
    assert [event.kind for event in events(counter.tables)[-3:]] == ["fault", "apdu", "off"]
    return events(counter.tables)


def test_how_a_session_ended_is_in_the_export(tmp_path: Path) -> None:
    data = b"".join(pcapng.export(torn()))
    last = data[data.rindex(bytes.fromhex("0020000003")) :].decode("utf-8", "replace")
    order = [last.index(words) for words in ("fault 1 removal", "VERIFY", "taken out in the middle", "off")]
    assert order == sorted(order)
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    out = tmp_path / "t.pcapng"
    out.write_bytes(data)
    told = subprocess.check_output([tshark, "-r", str(out), "-V"], text=True, timeout=60)
    assert re.search(r"taken out in the middle", told)
    assert subprocess.check_output([tshark, "-r", str(out), "-Y", "_ws.malformed"], text=True, timeout=60) == ""
