"""What no command may read is a key: it is in no trace, export or report, not even with all that is a person's."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import file_cell
from emulator.filesystem.memory.image import Image
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.monitor import Monitor
from harness.monitor.rule import Situation
from harness.monitor.rules.writing import ReadBack
from harness.readers.connection import InProcess
from harness.terminal.personalise import Personaliser, for_chip
from harness.trace import read
from harness.trace.copy import masked_copy
from harness.trace.read import Event
from harness.trace.record import Trace, TraceFile
from tests.kit.cards import HOME, SSSE, new_card
from tests.unit.harness.cli.test_cli import run

LAYOUT = """
extends = "3.00"
schema = 1
name = "keyed"
[file."CERT/EF1A"]
name = "备用私钥"
name_en = "spare private keys"
structure = "records"
read = "never"
update = "PINCERT"
grade = "D"
items = [{ tag = "40", format = "b", length = 16, name = "备用私钥", name_en = "spare private key" }]
"""
"""A layout of one's own that keeps further keys in records."""
KEY = bytes.fromhex("E75A00D3918BC5E75A11D3928BC5E75A")
"""Made up, and among no card's data."""
OK = b"\x90\x00"
MAC = bytes.fromhex("01020304")
RECORD = bytes((0x40, len(KEY))) + KEY
EF12, EF13, EF1A = "00A40000020012", "00A40000020013", "00A4000002001A"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layouts") / "keyed.toml"
    path.write_text(LAYOUT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def layout(keyed: Path) -> Layout:
    return catalogue.layout(str(keyed))


def command(header: str, data: bytes, *, le: bytes = b"") -> bytes:
    return bytes.fromhex(header) + bytes((len(data),)) + data + le


WRITES = {
    "UPDATE BINARY by short id": ("", command("00D69300", KEY), b""),
    "UPDATE BINARY, its second part": ("", command("00D69310", KEY), b""),
    "UPDATE BINARY of the current file": (EF13, command("00D60000", KEY), b""),
    "UPDATE BINARY with a MAC": ("", command("04D69300", KEY + MAC), b""),
    "UPDATE BINARY enciphered, opened": ("", command("84D69300", bytes(20)), command("84D69300", KEY)),
    "UPDATE RECORD by tag": ("", command("00DC40D0", RECORD), b""),
    "UPDATE RECORD by number": ("", command("00DC01D4", RECORD), b""),
    "UPDATE RECORD of the current file": (EF1A, command("00DC0104", RECORD), b""),
    "UPDATE RECORD with a MAC, opened": ("", command("04DC40D0", RECORD + MAC), command("04DC40D0", RECORD)),
    "an import that no card of ours has, into the current file": (EF13, command("80CE0008", KEY), b""),
    "another UPDATE BINARY, by short id": ("", command("00D79300", KEY), b""),
    "WRITE RECORD, by short id": ("", command("00D201D4", RECORD), b""),
    "APPEND RECORD, by short id": ("", command("00E200D0", RECORD), b""),
}
"""What stands before it, the command, and what secure messaging covered."""
READS = {
    "READ BINARY": ("00B0930010",),
    "READ RECORD": ("00B240D012",),
    "READ BINARY, fetched": ("00B0930010", "00C0000010"),
    "an export that no card of ours has": (EF13, "80CF000010"),
}


def written(layout: Layout, *exchanges: Exchange, show_secrets: bool = False, personal_data: bool = True) -> str:
    """A trace of it, in the certificate application."""
    tables: list[dict[str, object]] = []
    trace = Trace(tables.append, show_secrets=show_secrets, personal_data=personal_data).slot(0, layout=layout)
    trace.powered("reset", bytes.fromhex("3B00"))
    for one in (HOME["PKI"], HOME["CERT"]):
        trace.exchanged(Exchange(bytes.fromhex(one), OK, ""))
    for exchange in exchanges:
        trace.injected("garbled", "garbled", exchange)
        trace.exchanged(exchange)
    return json.dumps(tables)


@pytest.mark.parametrize("personal_data", [True, False])
@pytest.mark.parametrize("way", WRITES)
def test_a_key_that_is_written_is_in_no_trace(layout: Layout, way: str, personal_data: bool) -> None:
    before, raw, plain = WRITES[way]
    selecting = [Exchange(bytes.fromhex(before), OK, "")] if before else []
    exchange = Exchange(raw, OK, "", plain=plain)
    text = written(layout, *selecting, exchange, personal_data=personal_data)
    assert KEY.hex().upper() not in text
    assert raw[:5].hex().upper() + "*" * (2 * len(raw[5:])) in text, "asterisks, as for every other key"
    assert KEY.hex().upper() in written(layout, *selecting, exchange, show_secrets=True, personal_data=personal_data)


@pytest.mark.parametrize("personal_data", [True, False])
@pytest.mark.parametrize("way", READS)
def test_a_key_that_a_card_gives_away_is_in_no_trace(layout: Layout, way: str, personal_data: bool) -> None:
    """No card of ours does; one under test may."""
    *before, last = READS[way]
    earlier = [Exchange(bytes.fromhex(one), OK if one == EF13 else b"\x61\x10", "") for one in before]
    exchange = Exchange(bytes.fromhex(last), KEY + OK, "")
    text = written(layout, *earlier, exchange, personal_data=personal_data)
    assert KEY.hex().upper() not in text
    assert "*" * (2 * len(KEY)) + "9000" in text
    whole = written(layout, *earlier, exchange, show_secrets=True, personal_data=personal_data)
    assert KEY.hex().upper() in whole


def test_what_stands_beside_a_key_may_be_seen(layout: Layout) -> None:
    """The public key beside it, the item of another DF under the same short id, and what comes after a reset."""
    public = Exchange(command("00D69200", KEY), OK, "")
    text = written(layout, Exchange(bytes.fromhex(EF13), OK, ""), public)
    assert KEY.hex().upper() in text
    tables: list[dict[str, object]] = []
    trace = Trace(tables.append, personal_data=True).slot(0, layout=layout)
    for one in (HOME["PKI"], HOME["CERT"], EF13, SSSE):
        trace.exchanged(Exchange(bytes.fromhex(one), OK, ""))
    trace.exchanged(Exchange(command("00D69300", KEY), b"\x6a\x82", ""))
    for one in (HOME["CERT"], EF13):
        trace.exchanged(Exchange(bytes.fromhex(one), OK, ""))
    trace.powered("reset", bytes.fromhex("3B00"))
    trace.exchanged(Exchange(command("80CE0000", KEY), OK, ""))
    assert json.dumps(tables).count(KEY.hex().upper()) == 2


# --- a blank card is filled ----------------------------------------------------------------------------------------


def filled(path: Path) -> tuple[Image, str]:
    """A blank card filled in a trace that shows all but PINs and keys: the image, and its private key in hex."""
    image = new_card("3.00", "sm4", "blank").chip.image
    goal = for_chip(catalogue.persona(personas.DEFAULT), image.layout, image.algorithm, image.atr)
    key = KEY * 2
    goal.memory.put(file_cell("CERT/EF13"), (key,))
    with TraceFile(path, personal_data=True) as trace:
        faults = Plan((plan.from_text("delay,seconds=0,instruction=UPDATE_BINARY"),))
        chip = FaultyChip(image, faults, observer=trace.slot(0, image))
        for _ in Personaliser(InProcess(chip), goal).steps():
            pass
    assert image.memory.records("CERT/EF13") == (key,)
    return image, key.hex().upper()


def test_the_private_key_of_a_card_that_is_filled_is_in_no_output(tmp_path: Path) -> None:
    path, out, folder = tmp_path / "t.jsonl", tmp_path / "t.pcapng", tmp_path / "report"
    _, key = filled(path)
    events = list(read.events(path))
    name = "测试甲".encode("gbk").hex().upper()
    assert any(name in event.told("command") for event in events), "what is a person's may be seen here"
    assert any("D69300" in event.told("command") for event in events), "and the key was written"
    run("trace", "export", str(path), "-o", str(out))
    run("monitor", str(path), "--report", str(folder), expect=1)
    shown = run("trace", "show", str(path)).stdout
    copied = "".join(masked_copy(events, catalogue.layout("3.00")))
    for part in (key[at : at + 16] for at in range(0, len(key), 16)):
        assert part not in path.read_text(encoding="utf-8")
        assert part not in shown
        assert part not in copied
        assert part.lower() not in out.read_bytes().hex()
        for file in folder.iterdir():
            assert part not in file.read_text(encoding="utf-8"), file.name


def test_nobody_is_asked_to_read_a_key_back(layout: Layout) -> None:
    private, public = (Exchange(command(head, KEY), OK, "") for head in ("00D69300", "00D69200"))
    monitor = Monitor(layout, Situation(date(2026, 11, 26)))
    for line, table in enumerate(json.loads(written(layout, private, public)), 1):
        monitor.hear(Event.of(line, table))
    monitor.end()
    (told,) = [one.text for one in monitor.findings if one.rule is ReadBack]
    assert told == "written and not read back: CERT/EF12"


# --- looking at an image -------------------------------------------------------------------------------------------


def test_keys_in_records_are_shown_by_no_command_unless_asked_for(tmp_path: Path, keyed: Path) -> None:
    path, other = tmp_path / "card.json", tmp_path / "other.json"
    fresh = catalogue.card(personas.DEFAULT, keyed, "3des")
    other.write_text(fresh.to_text(), encoding="utf-8")
    fresh.memory.put(file_cell("CERT/EF1A"), (RECORD,))
    fresh.memory.commit()
    path.write_text(fresh.to_text(), encoding="utf-8")
    for said in (
        run("show", "--image", str(path)).stdout,
        run("show", "--image", str(path), "--json").stdout,
        run("image", "diff", str(path), str(other), expect=1).stdout,
    ):
        assert "spare private key" in said
        assert KEY.hex().upper() not in said.upper()
    assert KEY.hex().upper() in run("show", "--image", str(path), "--show-secrets").stdout.upper()
