"""What the user card of this family is, typed from its description: it shares no code and no data with the chip, whose
tables are the layouts.
"""

from __future__ import annotations

from dataclasses import dataclass

SELECT = {
    "MF": "00A40000023F00",
    "SSSE": "00A404000F7378312E73682EC9E7BBE1B1A3D5CF",
    "DF01": "00A4040006D15600000500",
    "DF03": "00A4040006D15600000502",
    "DF04": "00A4040006D15600000503",
    "BANK": "00A4040008A000000333010101",
}
"""How each application that is told of here is selected."""
SOCIAL = ("SSSE", "DF01", "DF03", "DF04")
"""Those of the social security card proper: they lie under SSSE, and its PIN is theirs."""
KEYS = {
    "SSSE": {0x04: "UKSSSE", 0x05: "BK", 0x06: "PUK", 0x0A: "RKSSSE"},
    "DF01": {0x83: "UK1DF01", 0x84: "UK2DF01", 0x85: "UK3DF01", 0x86: "UK4DF01", 0x87: "UK5DF01", 0x88: "RK1DF01",
             0x89: "UK6DF01", 0x8A: "UK7DF01", 0x8B: "UK8DF01", 0x8C: "UK9DF01", 0x8D: "UKADF01", 0x8E: "UKBDF01"},
    "DF03": {0x83: "LKDF03", 0x84: "RK1DF03", 0x85: "RK2DF03", 0x86: "UK1DF03", 0x87: "UK2DF03", 0x88: "UK3DF03",
             0x89: "UK4DF03", 0x8A: "UK5DF03", 0x8B: "UK6DF03", 0x8C: "UK7DF03", 0x8D: "UK8DF03"},
    "DF04": {0x83: "LKDF04", 0x84: "RK1DF04", 0x85: "UK1DF04", 0x86: "UK2DF04", 0x87: "DSK"},
}  # fmt: skip
"""External keys by application and id."""
NEVER_LOCK = frozenset({"BK", "LKDF03", "LKDF04"})
LOCK_KEY = {"DF03": "LKDF03", "DF04": "LKDF04"}
"""The key whose right blocks an application; where there is none, whoever has the messaging key may."""
MESSAGING = {"SSSE": "STK", "DF01": "STKDF01", "DF03": "STKDF03", "DF04": "STKDF04"}
"""The key of each application's secure messaging."""
TRIES = 3
"""Of the PIN, of every key that locks, and of unblocking the PIN."""
PIN_DIGITS = range(4, 17)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a card of adult-chengdu: where it is, what it holds, another value for it, who may read it (all
    rights of one of these sets) and whose right updates it.
    """

    home: str
    sfi: int
    number: int
    value: bytes
    other: bytes
    readers: tuple[frozenset[str], ...]
    updater: str

    def read(self) -> bytes:
        """Returns READ RECORD for all of it."""
        return bytes((0x00, 0xB2, self.number, self.sfi << 3 | 4, len(self.value)))

    def update(self, value: bytes) -> bytes:
        """Returns UPDATE RECORD with a value."""
        return self.header() + bytes((len(value),)) + value

    def header(self, cla: int = 0x00) -> bytes:
        """Returns UPDATE RECORD's header in a class."""
        return bytes((cla, 0xDC, self.number, self.sfi << 3 | 4))


def _record(home: str, sfi: int, number: int, value: str, other: str, readers: list[set[str]], updater: str) -> Record:
    sets = tuple(map(frozenset, readers))
    return Record(home, sfi, number, bytes.fromhex(value), bytes.fromhex(other), sets, updater)


_COMMON = (
    _record("SSSE", 5, 6, "060420300914", "060420991231", [set()], "UKSSSE"),
    _record("DF01", 5, 1, "20023531", "20023131", [{"PIN"}, {"RK1DF01"}], "UK1DF01"),
    _record("DF01", 6, 2, "2403510100", "2403510700", [{"PIN"}, {"RK1DF01"}], "UK4DF01"),
    _record("DF03", 5, 1, "6103510100", "6103510700", [{"PIN"}, {"RK2DF03"}], "UK1DF03"),
    _record("DF03", 7, 2, "7103510100", "7103510700", [{"PIN"}, {"RK1DF03"}], "UK3DF03"),
    _record("DF04", 5, 2, "8403510100", "8403510700", [{"PIN"}, {"RK1DF04"}], "UK1DF04"),
    _record("DF04", 6, 1, "900130", "900131", [{"PIN", "RK1DF04"}], "UK2DF04"),
)
_MARITAL = ("SSSE", 6, 4, "0A0131", "0A0132")
RECORDS = {
    "2.00": (*_COMMON, _record(*_MARITAL, [set()], "UKSSSE")),
    "3.00": (*_COMMON, _record(*_MARITAL, [{"RKSSSE"}], "UKSSSE")),
}
"""By the card's version: 3.00 reads SSSE/EF06 under RKSSSE, earlier ones freely."""
