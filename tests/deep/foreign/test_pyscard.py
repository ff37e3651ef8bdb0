"""pyscard's own tests and examples, from its source distribution, with the pyscard that this project uses."""

from __future__ import annotations

import os
import sys

import pytest

from tests.deep.foreign.clients import ATR, INSTALLED, needed, said
from tests.deep.foreign.conftest import Reader

SOURCE = INSTALLED / "pyscard"
EXAMPLES = SOURCE / "src/smartcard/Examples"
SPACED = bytes.fromhex(ATR).hex(" ").upper()
HEX = " ".join(f"0x{one}" for one in SPACED.split())
TELECOM = "> A0 A4 00 00 02 7F 10\n<  [] 6E 00"
"""A SIM's class, which this card has not."""
SAID = {
    "simple/getATR.py": SPACED,
    "simple/getATR_context.py": SPACED,
    "simple/selectDF_TELECOM.py": TELECOM,
    "simple/simpleAPDU.py": "Select Applet: 6A 82",
    "framework/sample_ConsoleConnectionTracer.py": TELECOM,
    "framework/sample_CustomCardType.py": SPACED,
    "framework/sample_CustomErrorChecker.py": "'Status word exception: !' 6e 0",
    "framework/sample_ErrorChecking.py": "checking error - Class (CLA) not supported!",
    "framework/sample_ExclusiveCardConnection.py": SPACED,
    "framework/sample_MonitorCards.py": f"+Inserted:  {SPACED}",
    "framework/sample_apduTracerInterpreter.py": "> SELECT 7F 10\n<  [] 6E 00",
    "scard-api/sample_getATR.py": f"ATR: {HEX}",
    "scard-api/sample_getAttrib.py": "Disconnected\n",
    "scard-api/sample_readerGroups.py": "SCard$DefaultReaders",
    "scard-api/sample_selectDFTelecom.py": "Selected DF_TELECOM: 0x6E 0x00",
    "scard-api/sample_transaction.py": f"ATR: {HEX}",
}
"""What each example must say. Left out: those that wait for a person, and those that need no card."""


def test_its_own_tests(reader: Reader) -> None:
    """All pass, but those that their authors expect to fail."""
    del reader
    needed(SOURCE / "test")
    alone = ("-p", "no:sscard", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", SOURCE, "-q", "test")
    told = said(sys.executable, "-m", "pytest", *alone, folder=SOURCE, environment={"PYTHONPATH": ""})
    summary = told.splitlines()[-1]
    assert " passed" in summary
    assert "failed" not in summary.replace("xfailed", "")
    assert "error" not in summary


@pytest.mark.parametrize("name", SAID)
def test_an_example(reader: Reader, name: str) -> None:
    del reader
    assert SAID[name] in said(sys.executable, needed(EXAMPLES / name))
