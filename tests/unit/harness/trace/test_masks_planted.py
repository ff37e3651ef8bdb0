"""Made-up numbers planted in every item and every answer: no trace, report or console shows one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.apdu.instructions import INSTRUCTIONS, Instruction
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from harness.cli import main
from harness.trace import mask
from harness.trace.record import TraceFile
from harness.verdicts.log import Line
from harness.verdicts.report import trace_lines
from tests.kit.sampled import sampled
from tests.unit.harness.cli.test_cli import run

OK = b"\x90\x00"
SHORTEST = 4
"""Bytes of a value below which it cannot be told from others by looking for it."""
UNKNOWN = ("80CA9F3600", "80CA9F7F2D", "00CB3FFF04", "90CA000000", "F0A5000008", "FF00000100", "00FF000000")
"""GET DATA, the chip's production data, classes and instructions of no card of ours."""


class Planted:
    """Numbers that came about by no accident, each once. All of them begin so; no item of ours does.

    They count from ``FIRST``: a small count's zeros may also be the end of a time and the begin of a length beside it.
    """

    FIRST = 0x9101

    def __init__(self) -> None:
        self.numbers: list[bytes] = []

    def __call__(self, size: int = 8) -> bytes:
        number = (b"\xe7\x5a" + (self.FIRST + len(self.numbers)).to_bytes(2, "big") + b"\x99\xd3\x8b\xc5" * 63)[:size]
        if size >= SHORTEST:
            self.numbers.append(number)
        return number

    def found_in(self, data: bytes) -> list[str]:
        """Those that stand in a text, in hex, or in bytes."""
        text = data.decode("latin-1").upper()
        return [one.hex() for one in self.numbers if one in data or one.hex().upper() in text]


def selected(spec: ApplicationSpec) -> bytes:
    if spec.dfname:
        return bytes((0x00, 0xA4, 0x04, 0x00, len(spec.dfname))) + spec.dfname
    return bytes((0x00, 0xA4, 0x00, 0x00, 2)) + spec.fid.to_bytes(2, "big")


def records(file: FileSpec, planted: Planted) -> Iterator[bytes]:
    for item in file.items:
        if item.length >= SHORTEST and f"{file.path}/{item.tag or 0:02X}" not in mask.ITEMS:
            yield bytes((item.tag or 0, item.length)) + planted(item.length)


def read(file: FileSpec, planted: Planted) -> Iterator[tuple[bytes, bytes]]:
    """All ways to read and write a file: by tag, number, in rows, in parts, under secure messaging, as bytes."""
    p2 = file.sfi << 3
    if file.structure is Structure.TRANSPARENT:
        yield bytes((0x00, 0xB0, 0x80 | file.sfi, 0x00, 0x10)), planted(16) + OK
        yield bytes((0x00, 0xD6, 0x80 | file.sfi, 0x00, 0x10)) + planted(16), OK
        return
    if file.structure is Structure.CYCLIC:
        yield bytes((0x00, 0xB2, 0x01, p2 | 4, 0x00)), planted(file.record_length) + OK
        yield bytes((0x00, 0xDC, 0x00, p2 | 3, 0x10)) + planted(16), OK
        return
    row = b""
    for number, record in enumerate(records(file, planted), 1):
        yield bytes((0x00, 0xB2, record[0], p2, 0x00)), record + OK
        yield bytes((0x00, 0xB2, number, p2 | 4, 0x00)), record + OK
        yield bytes((0x00, 0xB2, record[0], p2, 0x00)), record[:-1] + OK
        yield bytes((0x00, 0xB2, record[0], p2, 0x00)), record[:-1]
        yield bytes((0x04, 0xB2, record[0], p2, 0x00)), record + OK
        yield bytes((0x00, 0xDC, record[0], p2, len(record))) + record, OK
        yield bytes((0x04, 0xDC, record[0], p2, len(record))) + record, b"\x69\x82"
        row += record
    yield bytes((0x00, 0xB2, 0x01, p2 | 5, 0x00)), row[:250] + OK
    for size in range(1, len(row), 7):
        yield bytes((0x00, 0xB2, 0x01, p2 | 5, 0x00)), row[:size] + b"\x61\x00"
        yield bytes((0x00, 0xC0, 0x00, 0x00, 0x00)), row[size:250] + OK


def others(kind: type[Instruction], planted: Planted) -> Iterator[tuple[bytes, bytes]]:
    """An instruction whose data and answer are all made up, but for what is random by nature."""
    p1p2 = next(iter(kind.p1p2), 0).to_bytes(2, "big")
    sizes = [size for size in sorted(kind.lengths) if size >= SHORTEST]
    for size in sizes[:2]:
        data = b"" if kind.harmless_data else planted(size)
        if data:
            yield bytes((kind.cla, kind.ins)) + p1p2 + bytes((len(data),)) + data, OK
    answer = b"".join(bytes(stop - start) if at % 2 else planted(stop - start) for at, (start, stop) in gaps(kind))
    yield bytes((kind.cla, kind.ins)) + p1p2 + b"\x00", answer + OK
    yield bytes((kind.cla, kind.ins)) + p1p2 + b"\x00", b"\x61\x30"
    yield bytes((0x00, 0xC0, 0x00, 0x00, 0x00)), answer + OK


def gaps(kind: type[Instruction]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Parts of an answer of 64 bytes; every other one is declared harmless."""
    at, number = 0, 0
    for start, stop in kind.harmless_answer:
        yield number, (at, start)
        yield number + 1, (start, min(stop, 64))
        at, number = stop, number + 2
    if at < 64:
        yield number, (at, 64)


def exchanges(layout: Layout, planted: Planted) -> Iterator[tuple[bytes, bytes]]:
    for spec in layout.applications.values():
        yield selected(spec), b"\x6f\x02\x84\x00" + OK
        for file in (one for one in layout.files.values() if one.application == spec.id):
            yield from read(file, planted)
    for kind in INSTRUCTIONS:
        if kind not in (Select, ReadRecord, UpdateRecord, GetResponse):
            yield from others(kind, planted)
    for fci in (b"\x6f\x0a\x84\x00\xa5\x06\xbf\x0c\x03", b"\x6f\x12\x5f\x20\x08", b"\x6f\x0e\xa5\x0c\x9f\x0c\x08", b""):
        yield bytes.fromhex("00A4040000"), fci + planted() + OK
    for text in UNKNOWN:
        command = bytes.fromhex(text)
        yield command, planted(16) + OK
        yield command, b"\x61\x10"
        yield bytes.fromhex("00C0000010"), planted(16) + OK
        yield command[:4] + b"\x08" + planted(), OK
        yield command[:4] + b"\x08" + planted() + b"\x00", planted(250) + b"\x61\x00"
        yield command[:4] + b"\x07" + planted(), b"\x67\x00"
    yield bytes.fromhex("00A4000002DF01"), planted()  # an answer without a status word


@pytest.fixture(params=sampled(["3.00", "1.00", "psam"], 2))
def layout(request: pytest.FixtureRequest) -> Layout:
    return catalogue.layout(request.param)


def traced(path: Path, layout: Layout, planted: Planted, *, personal_data: bool = False) -> list[Line]:
    """A trace of it all; and the lines of a report on it."""
    lines = [Line(b"", bytes.fromhex("3B6D00000081544C9086845101") + planted(4))]
    with TraceFile(path, personal_data=personal_data) as trace:
        slot = trace.slot(0, layout=layout)
        slot.powered("reset", lines[0].answer)
        for command, answer in exchanges(layout, planted):
            data = command[5:].hex().upper()
            slot.exchanged(Exchange(command, answer, f"no proof of {data}"))
            slot.injected("garbled", "garbled", Exchange(command, answer, ""))
            lines.append(Line(command, answer, f"no proof of {data}"))
    return lines


def test_no_output_shows_a_planted_number(tmp_path: Path, layout: Layout) -> None:
    path, planted, folder = tmp_path / "t.jsonl", Planted(), tmp_path / "report"
    lines = traced(path, layout, planted)
    traced(other := tmp_path / "u.jsonl", layout, Planted())
    assert len(planted.numbers) > 100
    assert planted.found_in(path.read_bytes()) == []
    assert planted.found_in(repr(trace_lines(lines, show_secrets=False)).encode()) == []
    run("trace", "export", str(path), "-o", str(tmp_path / "t.pcapng"))
    assert planted.found_in((tmp_path / "t.pcapng").read_bytes()) == []
    commands = (
        ["trace", "show", str(path)],
        ["trace", "diff", str(path), str(other)],
        ["monitor", str(path), "--report", str(folder)],
        ["vectors", "run", "--replay", str(path), "--only", "DF01_RECORD*", "--report", str(folder)],
    )
    for command in commands:
        told = CliRunner().invoke(main, command)
        assert told.exit_code in (0, 1, 4), told.output
        assert planted.found_in(told.output.encode()) == [], command
        written = folder.iterdir() if "--report" in command else ()
        assert [one.name for one in written if planted.found_in(one.read_bytes())] == []


def test_the_same_numbers_stand_in_a_trace_with_personal_data(tmp_path: Path) -> None:
    """So that looking for them finds them."""
    path, planted = tmp_path / "t.jsonl", Planted()
    traced(path, catalogue.layout("3.00"), planted, personal_data=True)
    assert len(planted.found_in(path.read_bytes())) > 0.9 * len(planted.numbers)


def test_what_is_random_is_declared_so() -> None:
    """What traces show of answers besides names, tags and lengths. Whoever adds to it says here that it is harmless."""
    told = {kind.name: kind.harmless_answer for kind in INSTRUCTIONS if kind.harmless_answer}
    assert told == {
        "GET CHALLENGE": ((0, 16),),
        "INTERNAL AUTHENTICATION": ((0, 8),),
        "COMPUTE DIGITAL SIGNATURE": ((0, 64),),
        "CIPHER DATA": ((0, 256),),
        "INIT SAM FOR PURCHASE": ((0, 8),),
        "GET TRANSACTION PROOF": ((0, 8),),
        "INITIALIZE FOR LOAD": ((6, 16),),
        "CREDIT FOR LOAD": ((0, 4),),
        "INITIALIZE FOR PURCHASE": ((16, 22),),
        "DEBIT FOR PURCHASE": ((0, 8),),
        "GET DATA": ((0, 3),),  # tag and length
    }


def test_an_instruction_that_says_nothing_shows_nothing() -> None:
    assert Instruction.harmless_data == Instruction.harmless_answer == ()


@pytest.mark.parametrize("hidden", ["0ABC", "5199", "00FF"])
def test_a_reason_does_not_quote_what_is_hidden(hidden: str) -> None:
    told = mask.scrubbed(f"no proof of {hidden}, 6982 is right", (f"77{hidden}88",))
    assert told == "no proof of ****, 6982 is right"
    assert re.fullmatch("no proof of [0-9A-F]{4}", mask.scrubbed(f"no proof of {hidden}", ("",)))
