"""Other programs at a desk: what they send to whatever card is in the reader is not the terminal's doing.

Windows looks for PIV and GIDS cards; OpenSC, which comes with browsers, mail programs and printers' drivers, tries the
names and questions of some thirty kinds of card, one after another. All of them are refused and change nothing.
"""

from __future__ import annotations

from functools import cache

from emulator import catalogue
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import BY_NAME, Select, SelectOnPsam
from emulator.filesystem.layouts.specs import Layout
from harness.trace.context import Context

RID = 5
"""Bytes of a name that say whose it is. [P]"""
PAYMENT = (b"1PAY.", b"2PAY.")
"""The directories of payment cards, which a terminal may look for whether the card has one or not. [P]"""
READERS_OWN = 0xFF
"""The class of commands that are meant for the reader, not for the card. [P]"""
GET_DATA = (0xCA, 0xCB)
ISO_FILES = (b"\x2f\x00", b"\x2f\x01", b"\x2f\x02")
"""ISO's directory and ATR files, and the chip number's of some systems, by their ids. [P]"""
NO_ANSWER = 0x0C
"""P2 of a SELECT that wants no FCI: no card of this family has it, and no public program of its field sends it.
[T: part5:table 34]"""


@cache
def _families() -> frozenset[bytes]:
    """How the names of this family begin, on a card of any version."""
    return frozenset(name[:RID] for which in catalogue.layouts() for name in _names(catalogue.layout(which)))


def _names(layout: Layout) -> list[bytes]:
    return [name for app in layout.applications.values() for name in app.names if name]


def anybodys(raw: bytes, context: Context) -> bool:
    """True for a command with which programs of any field look at any card: the MF, what is selected without a name,
    ISO's own files, and fetching what they announce. By itself it says of nobody that he is a terminal of this field.
    """
    if raw[1:2] == bytes((GetResponse.ins,)):
        return True
    if raw[:2] != bytes((Select.cla, Select.ins)) or len(raw) < 4:
        return False
    name = raw[5 : 5 + raw[4]] if len(raw) > 5 else b""
    return not name or (raw[2] != BY_NAME and (name in ISO_FILES or context.is_root(name)))


def foreign(raw: bytes, context: Context) -> bool:
    """True for a command that no terminal of this field sends: for another kind of card, or for the reader itself.

    ``raw`` is as it came; ``context`` that of its slot, before the command.
    """
    if len(raw) < 4:
        return False
    if raw[0] == READERS_OWN:
        return True
    if raw[1] in GET_DATA:
        return context.instruction(raw) is None
    if context.instruction(raw) not in (Select, SelectOnPsam):
        return False
    if raw[2] == BY_NAME and len(raw) > 5:
        begins = raw[5 : 5 + min(raw[4], RID)]
        own = {name[:RID] for name in _names(context.layout)}
        return not any(known.startswith(begins) for known in (*_families(), *own, *PAYMENT))
    return raw[3] == NO_ANSWER
