"""pcsc-lite's own test program, from its source package, and its example."""

from __future__ import annotations

import re
from pathlib import Path

from tests.deep.foreign.clients import ATR, INSTALLED, needed, said
from tests.deep.foreign.conftest import Reader

SPACED = bytes.fromhex(ATR).hex(" ").upper()
EXAMPLE = Path("/usr/share/doc/libpcsclite-dev/examples/pcsc_demo.c")
COLOUR = re.compile(r"\x1b\[\d+m")
VPCD_HAS_NOT = ("SCardControl", "SCardGetAttrib", "SCardSetAttrib")
"""What its reader driver does not do; the program goes on."""


def compiled(folder: Path, source: Path) -> Path:
    (folder / "config.h").touch()
    program = folder / source.stem
    said("gcc", "-o", program, f"-I{folder}", "-I/usr/include/PCSC", needed(source), "-lpcsclite", "-lpthread")
    return program


def test_testpcsc(reader: Reader, tmp_path: Path) -> None:
    """It connects, selects the master file, asks for the status, resets and disconnects."""
    told = COLOUR.sub("", said(compiled(tmp_path, INSTALLED / "pcsc-lite/testpcsc.c"), entered="1\n\n"))
    assert "PC/SC Test Completed Successfully !" in told
    assert f"Reader 01: {reader.name}" in told
    assert re.search(r"Select file: 00 A4 00 00 02 3F 00\n.*successful\.\n card response: 90 00", told)
    assert f"Current Reader ATR Value	: {SPACED}" in told
    assert re.search(r"Current Reader Protocol\s*: T=0", told)
    outcomes = re.findall(r"Testing (\w+)\s*: ?(.*)", told)
    assert len(outcomes) > 20
    failed = {what for what, said in outcomes if "successful" not in said}
    assert failed <= {*VPCD_HAS_NOT, "SCardIsValidContext"}, "the last one is asked of a context that there is not"


def test_pcsc_demo(reader: Reader, tmp_path: Path) -> None:
    """The example of Debian's libpcsclite-dev: connects, resets, works in a transaction."""
    told = said(compiled(tmp_path, EXAMPLE))
    assert f"Reader: {reader.name}" in told
    assert told.count("Received: 90 00") == 3, "the master file, selected once after each step"
    assert told.count(SPACED) == 2
    outcomes = re.findall(r"^(SCard\w+): (.*)$", told, re.MULTILINE)
    assert len(outcomes) >= 12
    assert {said for _, said in outcomes} == {"OK"}
