from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from random import Random

import jsonschema
import pytest

import harness.trace
from emulator.chip import Chip, Exchange
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from harness.images import tear
from harness.readers.connection import InProcess
from harness.terminal import region
from harness.terminal.terminal import Terminal
from harness.trace import diff, pcapng, read
from harness.trace import record as recording
from harness.trace.decode import answer_words, command_hex, command_words
from harness.trace.mask import Marks, PersonalData
from harness.trace.read import TraceError
from harness.trace.record import TraceFile
from harness.trace.show import Reader
from tests.kit.cards import SSSE, VERIFY, WRONG_PIN, Card, new_card
from tests.unit.harness.cli.test_cli import run

SCHEMA = json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text())
SECRETS = ["0020000003123456", "805E010007123456FF876543", "0020000009123456", "8020000003123456", "002000000312345678"]


PROPRIETARY = 0x80
"""Wireshark takes only the commands of ISO's own classes apart."""


def record(path: Path, *, show_secrets: bool) -> list[dict[str, object]]:
    with TraceFile(path, show_secrets=show_secrets, force=True) as trace:
        card = Card(Chip(new_card().chip.image, observer=trace.slot(1)))
        card.chip.power_on()
        for command in (SSSE, "00B2012C12", *SECRETS, "00", "", "00FF000000"):
            card.send(command)
        card.chip.power_off()
    return [json.loads(line) for line in path.read_text().splitlines()]


def session(
    path: Path, *, personal_data: bool = False, image: Image | None = None, random: Callable[[int], bytes] = os.urandom
) -> None:
    """A reference terminal's session: PIN, name, region, a PIN reloaded under secure messaging."""
    image = image or new_card("3.00", "3des").chip.image
    with TraceFile(path, personal_data=personal_data, force=True) as trace:
        terminal = Terminal(InProcess(Chip(image, random=random, observer=trace.slot(0, image))), image.layout, root_of)
        terminal.begin()
        terminal.verify_pin("123456")
        terminal.read("SSSE/EF06/09")
        region.move(terminal, "510700", "510100")
        terminal.reload_pin("246802")
        terminal.connection.close()


STEPS = [methodcaller("transmit", bytes.fromhex(one)) for one in (SSSE, WRONG_PIN, VERIFY)]


def shown(path: Path) -> str:
    words = Reader(read.layout_of(path))
    return "\n".join(line for event in read.events(path) for line in words.lines(event))


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


def test_a_trace_tells_the_writes_at_which_power_can_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        image = new_card().chip.image
        chip = Chip(image.fork(), observer=trace.slot(0, image))
        chip.power_on()
        for command in (SSSE, WRONG_PIN, VERIFY):
            chip.transmit(bytes.fromhex(command))
    told = [event.table.get("writes", 0) for event in read.events(path) if event.kind is read.EventKind.APDU]
    torn = [len({cut.after for cut in tear.cuts(image, STEPS, number)}) for number in range(len(STEPS))]
    assert told == [max(0, count - 1) for count in torn], "a cut before each write, and one after the last"
    assert told == [0, 1, 2]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], bytes]:
    """The same draws in every run, PINs' marks included: a short digit string could be among others by chance."""
    monkeypatch.setattr(recording, "Marks", lambda: Marks(Random(6).randbytes))
    return Random(6).randbytes


def untimed(path: Path) -> str:
    """The trace without its times, for the same reason."""
    events = [{**json.loads(line), "t": 0, "time": "", "latency": 0} for line in path.read_text().splitlines()]
    return json.dumps(events, ensure_ascii=False)


@pytest.mark.usefixtures("drawn")
def test_pins_are_masked_whatever_the_command_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    record(path, show_secrets=False)
    text = untimed(path)
    assert "123456" not in text
    assert "876543" not in text
    assert "0020000003******" in text
    record(path, show_secrets=True)
    assert "0020000003123456" in path.read_text()


def test_a_whole_session_follows_the_schema_and_holds_nothing_of_the_person(
    tmp_path: Path, drawn: Callable[[int], bytes]
) -> None:
    path = tmp_path / "t.jsonl"
    session(path, random=drawn)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    text = untimed(path)
    for secret in ("测试甲".encode("gbk").hex().upper(), "510100D156", "246802", "123456", "51070"):
        assert secret not in text, secret
    session(path, personal_data=True, random=drawn)
    assert "测试甲".encode("gbk").hex().upper() in path.read_text()
    assert "246802" not in untimed(path)


def test_plain_commands_and_changes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    session(path)
    events = list(read.events(path))
    reload = next(event for event in events if event.command[:2] == bytes.fromhex("8424"))
    assert reload.told("plain").startswith("8424000103")
    assert reload.told("plain").endswith("*" * 6)
    kinds = [change["kind"] for change in reload.table["changes"]]
    assert "pin" in kinds
    assert "challenge" in kinds
    assert len(reload.table["pins"]) == 1
    verify = next(event for event in events if event.command[1:2] == b"\x20")
    assert verify.table["changes"] == [{"kind": "right", "name": "PIN", "to": "held"}]
    assert verify.table["pins"] == ["initial"]


def test_a_wrong_pin_costs_a_try_and_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        card = Card(Chip(new_card().chip.image, observer=trace.slot(0)))
        card.chip.power_on()
        for command in (SSSE, WRONG_PIN, WRONG_PIN, "0020000003888888"):
            card.send(command)
    one, two, three = [event for event in read.events(path) if event.command[1:2] == b"\x20"]
    assert one.table["changes"] == [{"kind": "tries", "name": "PIN", "from": "3", "to": "2"}]
    assert one.table["pins"] == two.table["pins"] != three.table["pins"]
    other = Marks().pins(Exchange(bytes.fromhex(WRONG_PIN), b"", ""), "")
    assert other != one.table["pins"], "marks of two traces cannot be compared"


def test_a_power_cut_is_an_exchange_without_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        card = Card(Chip(new_card().chip.image, observer=trace.slot(0)))
        card.chip.power_on()
        card.send(SSSE)
        card.chip.image.memory.nvm.cut_after = 0
        with pytest.raises(PowerCut):
            card.send(WRONG_PIN)
    cut, off = list(read.events(path))[-2:]
    assert (cut.answer, cut.reason, off.kind) == (b"", "power was cut in the middle of it", "off")
    assert "power was cut in the middle of it" in shown(path)


@pytest.mark.parametrize(
    ("command", "answer", "masked"),
    [
        ("00B2072C0B", "0709" + "41" * 9 + "9000", "0709" + "00" * 9 + "9000"),
        ("00B2032C06", "0304332E30309000", "0304332E30309000"),
        ("04B2072C00", "AABBCCDDEEFF9000", "0000000000009000"),
        ("00B0870004", "010203049000", "000000009000"),
        ("B026000004", "000003E89000", "000000009000"),
        ("00B2072C00", "6C0B", "6C0B"),
        ("00B2072C0B", "07", "07"),
    ],
)
def test_what_is_masked_of_answers(command: str, answer: str, masked: str) -> None:
    people = PersonalData()
    people.seen(bytes.fromhex(SSSE), b"\x90\x00")
    told, _ = people.masked(Exchange(bytes.fromhex(command), bytes.fromhex(answer), ""))
    assert told.answer.hex().upper() == masked


def test_get_response_brings_what_was_asked_for() -> None:
    people = PersonalData()
    people.masked(Exchange(bytes.fromhex("00B2072C00"), bytes.fromhex("610B"), ""))
    told, masked = people.masked(Exchange(bytes.fromhex("00C000000B"), bytes.fromhex("0701419000"), ""))
    assert (told.answer.hex(), masked) == ("0701009000", True)


# --- show ----------------------------------------------------------------------------------------------------------


def test_show_names_files_items_keys_and_reasons(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    session(path, personal_data=True)
    text = shown(path)
    for line in (
        "SSSE/EF06/09 姓名 name",
        "09 姓名 name: 测试甲",
        "RKSSSE 读密钥",
        "DF03 社会保险1 social insurance 1",
        "DF03/EF05/61 失业保险参保地所属行政区划代码",
        "• right 权限 RKSSSE: held → -",
        "under secure messaging 安全报文: 8424000103******",
        "← 6C20  wrong Le, 32 is right Le错误，应为32: Le 00 came, the answer has 32 bytes",
        "reset 复位  ATR 3B6D",
        "power off 下电",
    ):
        assert line in text, line
    session(path)
    assert "测试甲" not in shown(path)
    assert "value masked 数据已屏蔽" in shown(path)


def test_show_follows_a_growing_trace(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    card = new_card()
    with TraceFile(path) as trace:
        card.chip.observer = trace.slot(0)
        card.chip.reset()
        seen: list[str] = []
        came = threading.Semaphore(0)

        def watch() -> None:
            for event in read.events(path, follow=True):
                seen.append(event.kind)
                came.release()
                if event.kind == "off":
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert came.acquire(timeout=10)
        card.send(SSSE)
        assert came.acquire(timeout=10)
        card.chip.power_off()
        watcher.join(10)
    assert seen == ["reset", "apdu", "off"]


def test_show_and_diff_as_commands(tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    session(one)
    session(two)
    assert "SSSE/EF06/09 姓名 name" in run("trace", "show", str(one)).stdout
    assert "there are 0" in run("trace", "show", str(one), "--slot", "3", expect=1).stderr
    assert "alike" in run("trace", "diff", str(one), str(two)).stdout
    record(two, show_secrets=False)
    out = run("trace", "diff", str(one), str(two), "--json", expect=1).stdout
    assert {json.loads(line)["side"] for line in out.splitlines()} == {"-", "+"}
    assert "unknown command" in run("trace", "diff", str(one), str(two), expect=1).stdout


def watched(trace: TraceFile) -> Card:
    """A card of 2.00, whose files are free to read, traced from its reset on."""
    card = new_card("2.00")
    card.chip.observer = trace.slot(0, card.chip.image)
    card.chip.reset()
    return card


def test_diff_and_export_name_what_commands_are_about(tmp_path: Path) -> None:
    one, two, out = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "t.pcapng"
    for path, tag in ((one, "08"), (two, "09")):
        with TraceFile(path, personal_data=True) as trace:
            card = watched(trace)
            for command in (SSSE, f"00B2{tag}3000"):
                card.send(command)
    said = run("trace", "diff", str(one), str(two), expect=1).stdout
    assert "[SSSE/EF06/08 社会保障号码 social security number]" in said
    assert "[SSSE/EF06/09 姓名 name]" in said
    rows = [
        json.loads(line) for line in run("trace", "diff", str(one), str(two), "--json", expect=1).stdout.splitlines()
    ]
    assert {row["about"].partition(" ")[0] for row in rows} == {"SSSE/EF06/08", "SSSE/EF06/09"}
    run("trace", "export", str(two), "-o", str(out))
    assert "SSSE/EF06/09 姓名 name".encode() in out.read_bytes()


def test_an_answers_data_stand_apart_from_its_status_word(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path, personal_data=True) as trace:
        card = watched(trace)
        for command in (SSSE, "00C000001E"):
            card.send(command)
    said = run("trace", "show", str(path)).stdout
    assert "← 611E  30 bytes" in said
    assert re.search(r"← 6F1C[0-9A-F]{56} 9000  done", said)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "line 1"),
        ("[]", "expected an object"),
        ('{"v": 4, "t": 0, "slot": 0, "event": "off"}', "expected a version of 1, 2, 3 in v, found 4"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "on"}', "expected an event of apdu, reset, off, fault"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "apdu", "command": "00"}', "expected answer"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "apdu", "command": "0", "answer": ""}', "line 1"),
        ('{"v": 2, "slot": 0, "event": "off"}', "expected 't'"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "reset", "atr": 3}', "expected atr"),
        ('{"v": 2, "t": 0, "slot": 1e9, "event": "off"}', "expected a slot's number"),
        ('{"v": 2, "t": 0, "slot": true, "event": "off"}', "expected a slot's number"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "plain": 7}', "expected hex in plain"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "changes": "no"}', "expected a list of objects in changes"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "changes": ["no"]}', "expected a list of objects in changes"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "changes": [{"to": "2"}]}', "expected texts in changes, kind"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "changes": [{"kind": []}]}', "expected texts in changes"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "changes": [{"kind": "pin", "name": 1}]}', "texts in changes"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "reset", "atr": "3B**"}', "expected hex in atr"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "card_answered": "9"}', "expected hex in card_answered"),
        ('{"v": 2, "t": 0, "slot": 0, "event": "off", "writes": "no"}', "expected a whole number in writes"),
    ],
)
def test_what_is_no_trace(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "none.jsonl"
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(TraceError, match=r"none\.jsonl") as error:
        list(read.events(path))
    assert what in str(error.value)
    assert "none.jsonl" in run("trace", "show", str(path), expect=1).stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "no such file" in run("trace", "show", str(tmp_path / "none"), expect=1).stderr
    path = tmp_path / "gbk.jsonl"
    path.write_bytes("社".encode("gbk"))
    assert "UTF-8" in run("trace", "show", str(path), expect=1).stderr
    path.write_text('{"v": 2, "t": 0, "slot": 0, "event": "reset", "atr": "3B", "layout": "9.99"}\n')
    assert "9.99" in run("trace", "show", str(path), expect=1).stderr
    assert "reset" in run("trace", "show", str(path), "--layout", "3.00").stdout


def test_an_unfinished_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"v": 2, "t": 0, "slot": 0, "event": "off"}\n{"v": 2, "t"', encoding="utf-8")
    assert [event.kind for event in read.events(path)] == ["off"]


# --- diff and export -----------------------------------------------------------------------------------------------


def test_diff_ignores_what_no_two_sessions_share_and_nothing_else(tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    session(one, personal_data=True)
    session(two, personal_data=True)
    left = list(read.events(one))
    assert one.read_text() != two.read_text()
    assert list(diff.differences(left, list(read.events(two)))) == []
    other = new_card("3.00", "3des", persona="adult-mianyang").chip.image
    with pytest.raises(Exception, match="510100"):
        session(two, personal_data=True, image=other)
    found = list(diff.differences(left, list(read.events(two))))
    assert {side for side, _ in found} == {"-", "+"}
    told = "\n".join(diff.words(event) for _, event in found)
    assert "reset 3B6D" in told
    assert "READ RECORD 读记录: SFI 06, first with tag 09" in told


def test_wireshark_dissects_the_export(tmp_path: Path) -> None:
    """Every command, answer and ATR by its own dissector, no malformed packet; reasons as comments."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    trace, out = tmp_path / "t.jsonl", tmp_path / "t.pcapng"
    session(trace, random=Random(1).randbytes)  # Wireshark takes an answer that begins with 3B for an ATR
    assert "blocks" in run("trace", "export", str(trace), "-o", str(out)).stdout
    fields = ["frame.time_relative", "iso7816.apdu.ins", "iso7816.apdu.sw1", "iso7816.atr.init_char", "frame.comment"]
    command = [tshark, "-r", str(out), "-T", "fields", "-E", "separator=|", *(f"-e{name}" for name in fields)]
    rows = [line.split("|") for line in subprocess.check_output(command, text=True, timeout=60).splitlines()]
    events = [event for event in read.events(trace) if event.kind != "off"]
    assert len(rows) == sum(2 if event.kind == "apdu" else 1 for event in events)
    assert [row[1] for row in rows if row[1]] == [
        f"0x{event.command[1]:02x}" for event in events if event.kind == "apdu" and event.command[0] < PROPRIETARY
    ]
    assert [row[2] for row in rows if row[2]] == [
        f"0x{event.answer[-2]:02x}" for event in events if event.kind == "apdu"
    ]
    assert sum(bool(row[3]) for row in rows) == sum(event.kind == "reset" for event in events)
    assert any("Le 00 came, the answer has 32 bytes" in row[4] for row in rows)
    malformed = [tshark, "-r", str(out), "-Y", "_ws.malformed"]
    assert subprocess.check_output(malformed, text=True, timeout=60) == ""


def test_the_blocks_of_an_export_are_whole(tmp_path: Path) -> None:
    """By the pcapng draft's own rules, without Wireshark."""
    trace = tmp_path / "t.jsonl"
    session(trace)
    data = b"".join(pcapng.export(read.events(trace)))
    kinds, at = [], 0
    while at < len(data):
        kind, size = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 8], "little")
        assert size % 4 == 0
        assert int.from_bytes(data[at + size - 4 : at + size], "little") == size
        kinds.append(kind)
        at += size
    assert kinds[:2] == [0x0A0D0D0A, 1]
    assert set(kinds[2:]) == {6}


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
