"""pcsc-tools, and the examples of the Perl binding that they are written with."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.deep.foreign.clients import ATR, holds, needed, said
from tests.deep.foreign.conftest import Reader

SPACED = bytes.fromhex(ATR).hex(" ").upper()
CARDS = Path("/usr/share/pcsc/smartcard_list.txt")
PERL = Path("/usr/share/doc/libpcsc-perl/examples")


def test_pcsc_scan(reader: Reader) -> None:
    told = said("pcsc_scan", "-n", "-c")
    found = told.partition(f"Reader 0: {reader.name}")[2].partition("Reader 1:")[0]
    assert "Card inserted" in found
    assert f"ATR: {SPACED}" in found
    assert f"0: {reader.name}" in said("pcsc_scan", "-r")


def test_atr_analysis(reader: Reader, tmp_path: Path) -> None:
    """Of T=0 alone, with 13 historical bytes, which name the card's class and chip.

    It fetches a newer list of cards unless its own is from today, which a copy is.
    """
    del reader
    shutil.copyfile(needed(CARDS), tmp_path / CARDS.name)
    told = said("ATR_analysis", ATR, environment={"XDG_CACHE_HOME": str(tmp_path)}, expect=None)
    words = " ".join(told.split())
    assert "TS = 3B --> Direct Convention" in words
    assert "T0 = 6D, Y(1): 0110, K: 13 (historical bytes)" in words
    assert f"Historical bytes: {SPACED[12:]}" in words
    assert "Updating" not in words


def test_scriptor(either: Reader) -> None:
    script = "".join(f"{one.command}\n" for one in either.talk)
    told = said("scriptor", "-r", either.name, entered=f"reset\n{script}")
    answers = [
        one.partition(" : ")[0].replace("OK:", "") for one in re.split(r"^> .*\n< ", told, flags=re.MULTILINE)[1:]
    ]
    holds(either.talk, "\n".join("".join(one.split()) for one in answers))


def test_perl_single_reader(reader: Reader) -> None:
    told = said("perl", needed(PERL / "single_reader.pl"))
    assert f"ReaderName = {reader.name}" in told
    assert f"ATR = {SPACED}" in told
    assert "Recv = 6A 82" in told, "it asks for a DF 1000, which there is not"


def test_perl_test(reader: Reader) -> None:
    del reader
    told = said("perl", needed(PERL / "test.pl"))
    assert "not ok" not in told
    assert [line for line in told.splitlines() if line.startswith("ok ")][-1].startswith("ok 6 ")
    assert f"# ATR: {SPACED}" in told
    assert "SW: 90 00 (Normal processing.)" in told, "the master file"
