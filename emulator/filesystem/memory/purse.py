"""What the medical account keeps: balance, yearly sums, sequence numbers, and the proof of each last transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import construct as c

from emulator.filesystem.memory.cells import PURSE_SIZE

A_YEAR = 10000
"""From a date to the same date of the next year, both read as numbers."""

_CODEC = c.Padded(
    PURSE_SIZE,
    c.Struct(
        "balance" / c.Int32ub,
        "own" / c.Int32ub,
        "pooled" / c.Int32ub,
        "year" / c.Bytes(2),
        "day" / c.Bytes(2),
        "load_sequence" / c.Int16ub,
        "purchase_sequence" / c.Int16ub,
        "load_proof" / c.Bytes(10),
        "purchase_proof" / c.Bytes(10),
    ),
)


@dataclass(frozen=True, slots=True)
class Purse:
    """Amounts in fen; ``own`` (自付) and ``pooled`` (统筹) since the starting day. ``year`` and ``day`` in BCD.

    The sequences are those of the next load and purchase. A proof is sequence 2, MAC 4, TAC 4; all zero: none yet.
    """

    balance: int = 0
    own: int = 0
    pooled: int = 0
    year: bytes = bytes(2)
    day: bytes = bytes(2)
    load_sequence: int = 0
    purchase_sequence: int = 0
    load_proof: bytes = bytes(10)
    purchase_proof: bytes = bytes(10)

    @classmethod
    def read(cls, cell: tuple[bytes, ...]) -> Purse:
        """Returns the purse that a cell of the memory holds."""
        parsed = _CODEC.parse(cell[0])
        return cls(**{field.name: parsed[field.name] for field in fields(cls)})

    def cell(self) -> tuple[bytes, ...]:
        """Returns the purse as the memory's cell holds it."""
        return (_CODEC.build(asdict(self)),)

    def in_year(self, time: bytes) -> bool:
        """True if a settlement of this time (BCD, YYYYMMDDhhmmss) adds to the sums: unless its date, less the day that
        their year began, both read as numbers, is 10000 or more. An earlier date adds. [T: part7:12.6]
        """
        return _number(time[:4]) - _number(self.year + self.day) < A_YEAR

    def year_of(self, time: bytes) -> bytes:
        """The year of the sums that a time (BCD, YYYYMMDDhhmmss) falls into: it begins at the starting day.
        [T: part7:12.6]
        """
        if time[2:4] >= self.day:
            return time[:2]
        year = time[:2].hex()
        return bytes.fromhex(f"{int(year) - 1:04}") if year.isdecimal() and int(year) else time[:2]


def _number(bcd: bytes) -> int:
    """BCD as a number; a nibble that is no digit counts as what it says. [D]"""
    result = 0
    for nibble in bcd.hex():
        result = result * 10 + int(nibble, 16)
    return result
