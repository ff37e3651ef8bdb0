"""The memory as the operating system sees it: named cells, changed in transactions; counters apart, final at once.

Below lie pages that power may be cut between. What is read comes from a mirror, made anew at every recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    KEY_SIZE,
    PIN_CELL,
    PURSE_CELL,
    PURSE_SIZE,
    VERSIONS,
    Activation,
    ApplicationLife,
    CardLife,
    Cell,
    CellKey,
    CellKind,
    data_cell,
    file_cell,
    key_cell,
    state_cell,
)
from emulator.filesystem.memory.directory import listed
from emulator.filesystem.memory.nvm import PAGE, Nvm
from emulator.messages import _

Changed: TypeAlias = Callable[[Mapping[CellKey, Cell]], None]

REMEMBERED = 512
"""Cells written of which it is known which they were."""
LOADED = b"\x01"
"""Stands before the bytes of a key that is there."""


def state_cells(layout: Layout) -> tuple[CellKey, ...]:
    """All cells of a card's life cycle: the card's, its activation's, each application's but the MF's."""
    return (CARD_STATE, ACTIVATION, *(state_cell(app.id) for app in layout.applications.values() if app.parent))


@dataclass(frozen=True, slots=True)
class Region:
    """Where a cell lies: ``size`` bytes at ``address``. ``record``: bytes of each record, 0 for TLV records."""

    address: int
    size: int
    record: int = 0


class Plan:
    """Where every cell of a layout lies in the pages: counters first, a byte each, then what is written by pages.
    ``files``: the cell of each file, by its path.
    """

    def __init__(self, layout: Layout, cells: Mapping[CellKey, Cell]) -> None:
        self.regions: dict[CellKey, Region] = {}
        self.states = frozenset(name for name in cells if name.kind is CellKind.STATE)
        self.files = {path: file_cell(path) for path in layout.files}
        counters = [name for name in cells if name.kind.counts]
        self.size = 0
        for name in counters:
            self._place(name, 1)
        self._align()
        for spec in layout.files.values():
            if spec.structure is Structure.TRANSPARENT:
                self._place(file_cell(spec.path), spec.size, spec.size)
            elif spec.directory:
                self._place(file_cell(spec.path), 2 + sum(map(len, listed(layout))))
            elif spec.structure is Structure.CYCLIC:
                self._place(file_cell(spec.path), 2 + spec.record_length * spec.records, spec.record_length)
            else:
                declared = sum((2 + item.length) * item.count for item in spec.items)
                self._place(file_cell(spec.path), 2 + declared + layout.applications[spec.application].spare)
            self._align()
        # Room for every version that may be loaded yet, not only for those that are.
        for key in layout.keys:
            for version in VERSIONS:
                self._place(key_cell(key, version), 1 + KEY_SIZE)
        self._align()
        if PURSE_CELL in cells:
            self._place(PURSE_CELL, PURSE_SIZE, PURSE_SIZE)
        self._place(PIN_CELL, 1 + layout.pin.max_digits)
        for app in layout.applications.values():
            for tag, value in app.data.items():
                self._place(data_cell(app.id, tag), 1 + len(value))

    def _place(self, name: CellKey, size: int, record: int = 0) -> None:
        self.regions[name] = Region(self.size, size, record)
        self.size += size

    def _align(self) -> None:
        self.size += -self.size % PAGE

    def encode(self, name: CellKey, cell: Cell) -> tuple[int, bytes]:
        """Address and bytes of a cell."""
        region = self.regions[name]
        if isinstance(cell, int):
            return region.address, bytes((cell,))
        if isinstance(cell, str):
            return region.address, bytes((len(cell),)) + cell.encode().ljust(region.size - 1, b"\xff")
        if isinstance(cell, bytes):
            return region.address, LOADED + cell
        content = b"".join(cell)
        if region.record == region.size:
            return region.address, content
        return region.address, len(content).to_bytes(2, "big") + content

    def present(self, memory: bytearray) -> Iterator[CellKey]:
        """The names of all cells there are: keys and data objects that are loaded, and everything else."""
        for name, region in self.regions.items():
            if name.kind.holds is not bytes or memory[region.address : region.address + 1] == LOADED:
                yield name

    def decode(self, name: CellKey, memory: bytearray) -> Cell:
        """Returns a cell's value as the pages hold it."""
        kind = name.kind.holds
        region = self.regions[name]
        raw = bytes(memory[region.address : region.address + region.size])
        if kind is int:
            return raw[0]
        if kind is str:
            return raw[1 : 1 + raw[0]].decode()
        if kind is bytes:
            return raw[1:]
        if region.record == region.size:
            return (raw,)
        content, records, start = raw[2 : 2 + int.from_bytes(raw[:2], "big")], [], 0
        while start < len(content):
            end = start + (region.record or 2 + content[start + 1])
            records.append(content[start:end])
            start = end
        return tuple(records)


class Memory:
    """What survives power. ``changed`` is told of every write that has become final, before it is acknowledged.
    ``uncommitted``: what the transaction under way has written so far. ``torn``: power was cut in the middle of one, so
    that whoever gives power next is to ``recover``. ``written``: how many cells were written so far, for ``differing``.
    """

    __slots__ = ("_cells", "_log", "_plan", "changed", "normal", "nvm", "torn", "uncommitted", "written")

    def __init__(self, layout: Layout, cells: Mapping[CellKey, Cell]) -> None:
        self._cells = dict(cells)
        self.uncommitted: dict[CellKey, Cell] = {}
        self._plan = Plan(layout, cells)
        self._log: list[CellKey] = []
        self.written = 0
        self.changed: Changed | None = None
        self.torn = False
        self.nvm = Nvm(self._plan.size)
        self._fill()
        self._settle()

    def _settle(self) -> None:
        """``normal``: the card, its activation and all applications are in use, so that nobody has to ask."""
        cells = self._cells
        self.normal = not any(cells[name] for name in self._plan.states)

    def _fill(self) -> None:
        content = self.nvm.bytes
        for name, cell in self._cells.items():
            address, data = self._plan.encode(name, cell)
            content[address : address + len(data)] = data

    def check_sizes(self) -> None:
        """ValueError for a cell with more in it than its place in the pages holds."""
        for name, cell in self._cells.items():
            if len(self._plan.encode(name, cell)[1]) > self._plan.regions[name].size:
                raise ValueError(
                    _("cells.{name}: more than its {size} bytes of memory").format(
                        name=name, size=self._plan.regions[name].size
                    )
                )

    def fork(self) -> Memory:
        """Another memory of the same content, apart from now on, with no one told of its changes."""
        twin = object.__new__(Memory)
        twin._cells, twin.uncommitted, twin._plan, twin.changed = dict(self._cells), {}, self._plan, None
        twin._log, twin.written = [], 0
        twin.nvm = object.__new__(Nvm)
        for name in Nvm.__slots__:
            setattr(twin.nvm, name, getattr(self.nvm, name))
        twin.nvm.bytes = bytearray(self.nvm.bytes)
        twin.nvm.cut_after = None
        twin.normal, twin.torn = self.normal, self.torn
        return twin

    def snapshot(self) -> dict[CellKey, Cell]:
        """All cells as they are now; values are immutable, so the copy is shallow and quick."""
        return dict(self._cells)

    def unchanged(self, since: tuple[object, int]) -> bool:
        """True if nothing was written since ``moment()`` gave this."""
        return since[0] is self._cells and since[1] == self.nvm.writes

    def moment(self) -> tuple[object, int]:
        """What ``unchanged`` compares: much quicker than two snapshots."""
        return self._cells, self.nvm.writes

    def differing(self, count: int, seen: dict[CellKey, Cell]) -> list[tuple[CellKey, Cell | None, Cell | None]]:
        """The cells that are otherwise than in ``seen``, which was a snapshot when ``written`` was ``count`` and is one
        of now afterwards: name, before, now, in the memory's order; None where there is none. Much quicker than to
        compare two snapshots, as long as it is known which cells were written.
        """
        log, cells = self._log, self._cells
        first = len(log) - (self.written - count)
        names = log[first:] if first >= 0 else [*cells, *(seen.keys() - cells.keys())]
        found = []
        for name in names:
            cell, old = cells.get(name), seen.get(name)
            if cell is old:
                continue
            if cell is None:
                del seen[name]
            else:
                seen[name] = cell
            if cell != old:
                found.append((name, old, cell))
        if len(found) > 1:
            order = {name: at for at, name in enumerate(cells)}
            found.sort(key=lambda one: order.get(one[0], len(order)))
        return found

    def _note(self, names: Collection[CellKey]) -> None:
        """Remembers what was written, not for ever."""
        if len(self._log) >= REMEMBERED:
            self._log.clear()
        self._log.extend(names)
        self.written += len(names)

    def _all_anew(self) -> None:
        """Each cell may be another: whoever asks what was written since before now looks at all of them."""
        self._log.clear()
        self.written += 1

    def restore(self, snapshot: Mapping[CellKey, Cell]) -> None:
        """Back to a snapshot of this memory, as a rewound card: no transaction of the card's."""
        if self.changed:
            self.changed(snapshot)
        before, self._cells, self.uncommitted = self._cells, dict(snapshot), {}
        content = self.nvm.bytes
        for name, cell in self._cells.items():
            if before.get(name) is not cell:
                address, data = self._plan.encode(name, cell)
                content[address : address + len(data)] = data
        if len(before) != len(self._cells):
            # Keys that were loaded since.
            for name in before.keys() - self._cells.keys():
                content[self._plan.regions[name].address] = 0
        self._all_anew()
        self._settle()

    def get(self, name: CellKey) -> Cell | None:
        """A cell as this transaction sees it."""
        if self.uncommitted and name in self.uncommitted:
            return self.uncommitted[name]
        return self._cells.get(name)

    def put(self, name: CellKey, value: Cell) -> None:
        """Writes a cell within the transaction."""
        self.uncommitted[name] = value

    def records(self, path: str) -> tuple[bytes, ...]:
        """The records of a file, or its one run of bytes if it is transparent."""
        # As ``parts`` gives it, without two calls more: no question is asked more often.
        name = self._plan.files[path]
        written = self.uncommitted
        value = written[name] if written and name in written else self._cells.get(name)
        assert isinstance(value, tuple)
        return value

    def parts(self, name: CellKey) -> tuple[bytes, ...]:
        """A cell of records, or of one run of bytes."""
        value = self.get(name)
        assert isinstance(value, tuple)
        return value

    def text(self, name: CellKey) -> str:
        """Returns the value of a cell of text."""
        value = self.get(name)
        assert isinstance(value, str)
        return value

    def counter(self, name: CellKey) -> int:
        """Returns the value of a counter."""
        value = self._cells[name]
        assert isinstance(value, int)
        return value

    @property
    def card_life(self) -> CardLife:
        """Returns the state of the card's life cycle."""
        return CardLife(self.counter(CARD_STATE))

    @property
    def activation(self) -> Activation:
        """Returns whether the social security function was activated."""
        return Activation(self.counter(ACTIVATION))

    def life(self, application: str) -> ApplicationLife:
        """An application's own life cycle, whatever it lies in."""
        return ApplicationLife(self.counter(state_cell(application)))

    def set_counter(self, name: CellKey, value: int) -> None:
        """Writes a counter at once: one byte, and no rollback brings it back."""
        if self.changed:
            self.changed({**self._cells, name: value})
        self.nvm.write_byte(self._plan.regions[name].address, value)
        self._cells[name] = value
        self._note((name,))

    def commit(self) -> None:
        """Makes the transaction's writes final, all together."""
        if self.uncommitted:
            cells = {**self._cells, **self.uncommitted}
            if self.changed:
                self.changed(cells)
            self.nvm.commit(self._plan.encode(name, cell) for name, cell in self.uncommitted.items())
            lives_on = self._plan.states.isdisjoint(self.uncommitted)
            self._cells = cells
            self._note(self.uncommitted)
            self.uncommitted = {}
            if not lives_on:
                self._settle()

    def rollback(self) -> None:
        """Forgets what the transaction has written so far."""
        self.uncommitted = {}

    def recover(self) -> None:
        """What power-on does after a cut: finishes or forgets what was under way, and reads all cells anew."""
        self.nvm.cut_after = None
        self.nvm.recover()
        self.uncommitted, self.torn = {}, False
        content, cells = self.nvm.bytes, {}
        for name in self._plan.present(content):
            cells[name] = self._plan.decode(name, content)
        if self.changed:
            # It was told of what the cut prevented, perhaps.
            self.changed(cells)
        self._cells = cells
        self._all_anew()
        self._settle()
