"""The non-volatile memory as hardware: bytes written a page or a counter byte at a time, and power that may go between.

A write is one 32-byte page or one counter byte, journal pages included [D]; it happens whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.errors import CardFailure, ErrorKind

PAGE = 32
COMMITTED = 0xA5
ADDRESSES = PAGE // 2 - 1
"""Page numbers that one page of the journal's directory holds, after their count."""


class PowerCut(CardFailure):
    """Power went after the write that the test had chosen. The chip answers nothing and must be powered anew."""

    kind = ErrorKind.BROKEN
    answered = False


class Nvm:
    """Pages of content, then a journal for the largest transaction, then its commit byte.

    ``cut_after``: power goes once so many more writes are done; None: never. ``writes`` counts them.
    """

    __slots__ = ("_content", "_journal", "_mark", "bytes", "cut_after", "writes")

    def __init__(self, size: int) -> None:
        pages = -(-size // PAGE)
        directory = -(-pages // ADDRESSES)
        self._content = pages
        self._journal = pages
        self._mark = (pages + directory + pages) * PAGE
        self.bytes = bytearray(self._mark + 1)
        self.cut_after: int | None = None
        self.writes = 0

    def _spend(self) -> None:
        """Counts the write about to be made; PowerCut if there is no power left for it."""
        if self.cut_after is not None:
            if self.cut_after == 0:
                raise PowerCut(f"power was cut after {self.writes} writes")
            self.cut_after -= 1
        self.writes += 1

    def write_page(self, number: int, data: bytes) -> None:
        """Writes one page of 32 bytes. PowerCut where a test said so."""
        self._spend()
        self.bytes[number * PAGE : (number + 1) * PAGE] = data

    def write_byte(self, address: int, value: int) -> None:
        """Writes one byte, a counter's. PowerCut where a test said so."""
        self._spend()
        self.bytes[address] = value

    def commit(self, changes: Iterable[tuple[int, bytes]]) -> None:
        """Changes (address, bytes), all or none: to the journal, marked, to their places, unmarked."""
        after = bytearray(self.bytes[: self._content * PAGE])
        touched: set[int] = set()
        for address, data in changes:
            after[address : address + len(data)] = data
            touched.update(range(address // PAGE, -(-(address + len(data)) // PAGE)))
        pages = [
            (number, bytes(after[number * PAGE : (number + 1) * PAGE]))
            for number in sorted(touched)
            if after[number * PAGE : (number + 1) * PAGE] != self.bytes[number * PAGE : (number + 1) * PAGE]
        ]
        if not pages:
            return
        numbers = [number for number, _ in pages]
        slot = self._journal
        for start in range(0, len(numbers), ADDRESSES):
            # The count of all that follow stands in each directory page.
            entries = [len(numbers) - start, *numbers[start : start + ADDRESSES]]
            self.write_page(slot, b"".join(entry.to_bytes(2, "big") for entry in entries).ljust(PAGE, b"\0"))
            slot += 1
        for _, data in pages:
            self.write_page(slot, data)
            slot += 1
        self.write_byte(self._mark, COMMITTED)
        self._apply()

    def recover(self) -> None:
        """What power-on does: a marked journal is carried out, once more if need be; an unmarked one is nothing."""
        if self.bytes[self._mark] == COMMITTED:
            self._apply()

    def _apply(self) -> None:
        slot, numbers = self._journal, []
        left = 1
        while left > 0:
            page = self.bytes[slot * PAGE : (slot + 1) * PAGE]
            left = int.from_bytes(page[:2], "big")
            here = min(left, ADDRESSES)
            numbers += [int.from_bytes(page[2 + 2 * n : 4 + 2 * n], "big") for n in range(here)]
            left -= here
            slot += 1
        for number in numbers:
            self.write_page(number, bytes(self.bytes[slot * PAGE : (slot + 1) * PAGE]))
            slot += 1
        self.write_byte(self._mark, 0)
