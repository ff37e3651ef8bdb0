"""Debian's vicc, the peer: its card class timed in a process of its own. Prints commands a second as JSON."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import Any

from tests.benchmarks.timing import rate

LIBRARY = "/usr/lib/python3/site-packages/virtualsmartcard"
SELECT_MF, VERIFY, CHALLENGE, READ = "00A4000C023F00", "002000000431323334", "0084000008", "00B0850010"


def card() -> Any:
    """vicc's ISO 7816 card with one transparent file of 16 bytes, SFI 5."""
    sys.path.insert(0, LIBRARY)
    logging.disable(logging.CRITICAL)
    operating_system = importlib.import_module("virtualsmartcard.VirtualSmartcard")
    generator = importlib.import_module("virtualsmartcard.CardGenerator").CardGenerator("iso7816")
    files = importlib.import_module("virtualsmartcard.SmartcardFilesystem")
    master, access = generator.getCard()
    master.append(files.TransparentStructureEF(parent=master, fid=0x0005, shortfid=5, data=bytes(16)))
    return operating_system.Iso7816OS(master, access)


def main() -> None:
    """Times four commands."""
    execute = card().execute
    assert len(execute(bytes.fromhex(READ))) == 18
    commands = {"SELECT": SELECT_MF, "VERIFY": VERIFY, "GET CHALLENGE": CHALLENGE, "READ": READ}
    print(json.dumps({name: rate(execute, bytes.fromhex(command)) for name, command in commands.items()}))


if __name__ == "__main__":
    main()
