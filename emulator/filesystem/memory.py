"""The non-volatile memory: named cells of immutable values, changed in transactions; counters apart, final at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

Cell: TypeAlias = "int | str | bytes | tuple[bytes, ...]"
"""A counter, the PIN's digits, a key, or a file: its records, or for a transparent file its bytes."""

Changed: TypeAlias = Callable[[Mapping[str, Cell]], None]


def file_cell(path: str) -> str:
    """The cell of a file (``SSSE/EF05``)."""
    return f"file/{path}"


def key_cell(name: str, version: int = 1) -> str:
    """The cell of a key's version."""
    return f"key/{name}/{version}"


def tries_cell(name: str) -> str:
    """The cell of a PIN's or key's try counter."""
    return f"tries/{name}"


PIN_CELL = "pin"


class Memory:
    """What survives power. ``changed`` is told of every write that has become final, before it is acknowledged."""

    __slots__ = ("_cells", "_pending", "changed")

    def __init__(self, cells: Mapping[str, Cell], changed: Changed | None = None) -> None:
        self._cells = dict(cells)
        self._pending: dict[str, Cell] = {}
        self.changed = changed

    def snapshot(self) -> dict[str, Cell]:
        """All cells as they are now; values are immutable, so the copy is shallow and quick."""
        return dict(self._cells)

    def get(self, name: str) -> Cell | None:
        """A cell as this transaction sees it."""
        if self._pending and name in self._pending:
            return self._pending[name]
        return self._cells.get(name)

    def put(self, name: str, value: Cell) -> None:
        """Writes a cell within the transaction."""
        self._pending[name] = value

    def records(self, path: str) -> tuple[bytes, ...]:
        """The records of a file, or its one run of bytes if it is transparent."""
        value = self.get(file_cell(path))
        assert isinstance(value, tuple)
        return value

    def text(self, name: str) -> str:
        """A cell of text."""
        value = self.get(name)
        assert isinstance(value, str)
        return value

    def counter(self, name: str) -> int:
        """A counter's value."""
        value = self._cells[name]
        assert isinstance(value, int)
        return value

    def set_counter(self, name: str, value: int) -> None:
        """Writes a counter at once: no rollback brings it back."""
        if self.changed:
            self.changed({**self._cells, name: value})
        self._cells[name] = value

    def commit(self) -> None:
        """Makes the transaction's writes final, all together."""
        if self._pending:
            cells = {**self._cells, **self._pending}
            if self.changed:
                self.changed(cells)
            self._cells = cells
            self._pending = {}

    def rollback(self) -> None:
        """Forgets the transaction's writes."""
        self._pending = {}
