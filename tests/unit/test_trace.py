from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import harness.trace
from emulator.chip import Chip
from harness.trace.decode import answer_words, command_hex, command_words
from harness.trace.record import TraceFile
from tests.support import SSSE, VERIFY, Card, new_card

SCHEMA = json.loads(Path(harness.trace.__file__).with_name("schema-1.json").read_text())
SECRETS = ["0020000003123456", "805E010007123456FF876543", "0020000009123456", "8020000003123456", "002000000312345678"]


def record(path: Path, *, show_secrets: bool) -> list[dict[str, object]]:
    with TraceFile(path, show_secrets=show_secrets) as trace:
        card = Card(Chip(new_card().chip.image, observer=trace.slot(1)))
        card.chip.power_on()
        for command in (SSSE, "00B2012C12", *SECRETS, "00", "", "00FF000000"):
            card.send(command)
        card.chip.power_off()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_trace_follows_its_schema_and_gives_reasons(tmp_path: Path) -> None:
    events = record(tmp_path / "t.jsonl", show_secrets=False)
    for event in events:
        jsonschema.validate(event, SCHEMA)
    assert [event["event"] for event in events[:2]] == ["reset", "apdu"]
    assert events[-1]["event"] == "off"
    assert events[1]["instruction"] == "SELECT"
    assert events[1]["slot"] == 1
    times = [event["t"] for event in events]
    assert times == sorted(times)  # type: ignore[type-var]
    unknown = events[-2]
    assert unknown["reason"] == "CLA 00 has no INS FF"


def test_pins_are_masked_whatever_the_command_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    record(path, show_secrets=False)
    text = path.read_text()
    assert "123456" not in text
    assert "876543" not in text
    assert "0020000003******" in text
    record(path, show_secrets=True)
    assert "0020000003123456" in path.read_text()


def test_words() -> None:
    assert command_words(bytes.fromhex("00B2072C0B")) == "READ RECORD 读记录: SFI 05, number 07"
    assert command_words(bytes.fromhex("00B0871000")) == "READ BINARY 读二进制: SFI 07, offset 16"
    assert command_words(bytes.fromhex("0082008310")) == "EXTERNAL AUTHENTICATION 外部认证: local key 83"
    assert command_words(bytes.fromhex("00A404000211")) == "SELECT 选择文件: malformed"
    assert command_words(b"\0") == command_words(bytes.fromhex("FFFF0000")) == "unknown command"
    assert answer_words(bytes.fromhex("63C1")) == "failed, 1 tries left 验证失败，还剩1次"
    assert command_hex(bytes.fromhex(VERIFY)) == "0020000003******"


@pytest.mark.parametrize("command", ["00B2072C0B", "0020000000"])
def test_what_is_no_secret_is_shown(command: str) -> None:
    assert command_hex(bytes.fromhex(command)) == command
