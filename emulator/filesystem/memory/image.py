"""The image: one card's non-volatile state with the layout it was made by, in memory or in a file.

The file is JSON: ``format``, ``version``, ``algorithm``, ``atr``, ``layout`` (the merged table), ``cells`` (a number is
a counter, a text the PIN's digits, ``{"hex": …}`` a key, a list the records of a file in hex) and, last, ``sha256`` of
the text before it. It holds test keys and the PIN in the clear: it is a card, not a report.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from emulator import filelock
from emulator.crypto import AlgorithmError, suite
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import Layout, LayoutError
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    KEY_SIZE,
    PIN_CELL,
    PURSE_CELL,
    PURSE_SIZE,
    UNBLOCKINGS_CELL,
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
    tries_cell,
)
from emulator.filesystem.memory.memory import Memory, state_cells
from emulator.interface import HISTORICAL, Interface, chip_factor, contactless_atr, historical
from emulator.messages import _, deferred
from emulator.security import PIN
from emulator.textfiles import as_json, writing
from emulator.textfiles.text import FormatError, read

FORMAT = "sscard image"
VERSION = 1
SEAL = ',\n"sha256": "'
CLOEXEC = getattr(os, "O_CLOEXEC", 0)
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
PAUSE = 0.02
"""Seconds between two looks at whether a card that is held was let go."""


class ImageError(SscardError, ValueError):
    """An image that cannot be used: which file, where in it, and what was expected."""

    kind = ErrorKind.INPUT
    word = "busy"
    afar = deferred("卡正被使用或不可读，请稍后再试 the card is in use, or cannot be read: try again")

    def __init__(self, source: object, problem: str) -> None:
        super().__init__(f"{source}: {problem}")


class CellError(SscardError, ValueError):
    """A value that no cell of a card's memory holds."""

    kind = ErrorKind.INPUT


class Image:
    """A card's layout, algorithm, ATR and memory."""

    def __init__(self, layout: Layout, algorithm: str, atr: bytes, cells: Mapping[CellKey, Cell]) -> None:
        if algorithm not in layout.algorithms:
            suite(algorithm)
            raise AlgorithmError(
                _("layout {name} has no {algorithm}: choose {algorithms}").format(
                    name=layout.name, algorithm=algorithm, algorithms=" or ".join(layout.algorithms)
                )
            )
        self.layout = layout
        self.algorithm = algorithm
        self.atr = atr
        self.memory = Memory(layout, {**_at_first(layout), **cells})
        self._layout_text = ""
        self._cell_texts: dict[CellKey, tuple[Cell, str]] = {}

    @property
    def chip_factor(self) -> bytes:
        """The card's diversification factor, 8 bytes."""
        return chip_factor(self.atr)

    def atr_over(self, interface: Interface) -> bytes:
        """The ATR that PC/SC shows of this card over an interface: its own, or one made of its historical bytes."""
        return self.atr if interface is Interface.CONTACT else contactless_atr(historical(self.atr))

    def fork(self) -> Image:
        """Another card just like this one, apart from now on and tied to no file; microseconds."""
        twin = object.__new__(Image)
        twin.layout, twin.algorithm, twin.atr, twin.memory = self.layout, self.algorithm, self.atr, self.memory.fork()
        twin._layout_text, twin._cell_texts = self._layout_text, dict(self._cell_texts)
        return twin

    def to_text(self, cells: Mapping[CellKey, Cell] | None = None) -> str:
        """The file's content, for these cells or the present ones."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            "layout_name": self.layout.name,
            "layout_fingerprint": self.layout.fingerprint,
            "algorithm": self.algorithm,
            "atr": self.atr.hex().upper(),
        }
        told = ", ".join(
            f'"{name}": {self._cell_text(name, cell)}' for name, cell in (cells or self.memory.snapshot()).items()
        )
        # The layout is most of the text and never changes, so it is written out once.
        self._layout_text = self._layout_text or json.dumps(self.layout.table, ensure_ascii=False)
        return sealed(
            json.dumps(head, ensure_ascii=False)[:-1] + f', "cells": {{{told}}}, "layout": {self._layout_text}'
        )

    def _cell_text(self, name: CellKey, cell: Cell) -> str:
        """Written out again only where it changed: the whole text is made for every write of a card."""
        known = self._cell_texts.get(name)
        if known is None or known[0] is not cell:
            known = self._cell_texts[name] = (cell, json.dumps(_to_json(cell), ensure_ascii=False))
        return known[1]

    @classmethod
    def from_text(cls, text: str, source: object) -> Image:
        """An image from a file's content; ImageError for anything but a whole, sound one."""
        try:
            body = as_json.loads(text, source)
        except FormatError as error:
            raise ImageError(source, _("{what}; damaged, or no card image").format(what=error.what)) from None
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise ImageError(source, _("no card image: expected format {format!r}").format(format=FORMAT))
        if body.get("version") != VERSION:
            raise ImageError(
                source, _("expected version {version}, found {get!r}").format(version=VERSION, get=body.get("version"))
            )
        if sealed(text.rpartition(SEAL)[0]) != text:
            raise ImageError(source, _("sha256 does not match: the image was damaged or edited"))
        try:
            layout = layouts.from_table(body["layout"], f"{source}: layout")
            names = {str(name): name for name in _cells_of(layout)}
            told = {name: _from_json(cell) for name, cell in body["cells"].items()}
            cells = {names[name]: cell for name, cell in told.items() if name in names}
            image = cls(layout, body["algorithm"], bytes.fromhex(body["atr"]), cells)
        except LayoutError:
            raise
        except SscardError as error:
            raise ImageError(source, _("expected the parts of a card image: {error}").format(error=error)) from None
        except KeyError as lacking:
            raise ImageError(
                source, _("expected the parts of a card image: {lacking} is missing").format(lacking=lacking)
            ) from None
        except (TypeError, AttributeError, ValueError):
            raise ImageError(source, _("expected the parts of a card image: one is not what it should be")) from None
        image._check(source)
        for name in told:
            if name not in names:
                raise ImageError(
                    source, _("cells.{name}: no cell of layout {name_2}").format(name=name, name_2=layout.name)
                )
        return image

    def _check(self, source: object) -> None:
        header = self.layout.atr_header
        if len(self.atr) != len(header) + HISTORICAL or not self.atr.startswith(header):
            raise ImageError(
                source,
                _("atr: expected {value} bytes beginning {header}").format(
                    value=len(header) + HISTORICAL, header=header.hex().upper()
                ),
            )
        cells = self.memory.snapshot()
        for name in _cells_of(self.layout):
            cell = cells.get(name)
            if cell is None and name.kind.holds is bytes:
                continue
            if not isinstance(cell, name.kind.holds):
                raise ImageError(
                    source,
                    _("cells.{name}: missing, or no {name_2}").format(name=name, name_2=name.kind.holds.__name__),
                )
            if name.kind is CellKind.KEY and isinstance(cell, bytes) and len(cell) != KEY_SIZE:
                raise ImageError(
                    source,
                    _("cells.{name}: expected a {key_size}-byte key, found {count} bytes").format(
                        name=name, key_size=KEY_SIZE, count=len(cell)
                    ),
                )
        for app in self.layout.applications.values():
            for tag, value in app.data.items():
                held = cells.get(data_cell(app.id, tag), value)
                if not isinstance(held, bytes) or len(held) != len(value):
                    raise ImageError(
                        source,
                        _("cells.{name}: expected {size} bytes").format(name=data_cell(app.id, tag), size=len(value)),
                    )
        self._check_bounds(source, cells)
        if self.layout.purse is not None and [len(part) for part in self.memory.parts(PURSE_CELL)] != [PURSE_SIZE]:
            raise ImageError(
                source,
                _("cells.{purse_cell}: expected {purse_size} bytes").format(
                    purse_cell=PURSE_CELL, purse_size=PURSE_SIZE
                ),
            )
        for path, spec in self.layout.files.items():
            records = self.memory.records(path)
            if spec.structure is Structure.TRANSPARENT and [len(part) for part in records] != [spec.size]:
                raise ImageError(
                    source,
                    _("cells.{file_cell}: expected {size} bytes").format(file_cell=file_cell(path), size=spec.size),
                )
            if spec.structure is Structure.CYCLIC and any(len(record) != spec.record_length for record in records):
                raise ImageError(
                    source,
                    _("cells.{file_cell}: expected records of {record_length} bytes").format(
                        file_cell=file_cell(path), record_length=spec.record_length
                    ),
                )
            if spec.structure is Structure.RECORDS and any(len(r) < 2 or r[1] != len(r) - 2 for r in records):
                raise ImageError(
                    source,
                    _("cells.{file_cell}: expected tag, length and value in every record").format(
                        file_cell=file_cell(path)
                    ),
                )

    def _check_bounds(self, source: object, cells: Mapping[CellKey, Cell]) -> None:
        """Counters, states and the PIN as the card's own commands could have left them; contents as its pages hold."""
        pin = self.layout.pin
        most: dict[CellKey, int] = {tries_cell(PIN): pin.tries, UNBLOCKINGS_CELL: self.layout.unblockings}
        most |= {tries_cell(name): key.tries for name, key in self.layout.keys.items()}
        most |= dict.fromkeys(state_cells(self.layout), max(ApplicationLife))
        most |= {CARD_STATE: max(CardLife), ACTIVATION: max(Activation)}
        for name, highest in most.items():
            value = cells.get(name, 0)
            if not isinstance(value, int) or not 0 <= value <= highest:
                raise ImageError(
                    source,
                    _("cells.{name}: expected a number from 0 to {highest:d}").format(name=name, highest=highest),
                )
        digits = cells[PIN_CELL]
        assert isinstance(digits, str)
        if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= pin.max_digits):
            raise ImageError(
                source,
                _("cells.{pin_cell}: expected at most {max_digits} digits, or nothing").format(
                    pin_cell=PIN_CELL, max_digits=pin.max_digits
                ),
            )
        try:
            self.memory.check_sizes()
        except ValueError as error:
            raise ImageError(source, str(error)) from None


def _cells_of(layout: Layout) -> Iterator[CellKey]:
    """Every cell that a card of this layout has, then those of the keys and data objects that it may have."""
    yield PIN_CELL
    yield tries_cell(PIN)
    yield from map(file_cell, layout.files)
    yield from map(tries_cell, layout.keys)
    yield from _at_first(layout)
    yield from (key_cell(name, version) for name in layout.keys for version in VERSIONS)
    yield from (data_cell(app.id, tag) for app in layout.applications.values() for tag in app.data)


def _at_first(layout: Layout) -> dict[CellKey, Cell]:
    """Cells that images of before they existed lack: everything in use, no unblocking failed, an empty account."""
    cells: dict[CellKey, Cell] = dict.fromkeys(state_cells(layout), 0)
    if layout.pin.unblock_key:
        cells[UNBLOCKINGS_CELL] = layout.unblockings
    if layout.purse is not None:
        cells[PURSE_CELL] = (bytes(PURSE_SIZE),)
    return cells


def sealed(text: str) -> str:
    """A body without its closing brace, closed with the checksum of all that stands before."""
    return f'{text}{SEAL}{sha256(text.encode()).hexdigest()}"}}\n'


def _to_json(cell: Cell) -> Any:
    if isinstance(cell, bytes):
        return {"hex": cell.hex().upper()}
    if isinstance(cell, tuple):
        return [record.hex().upper() for record in cell]
    return cell


def _from_json(value: Any) -> Cell:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if isinstance(value, list):
        return tuple(bytes.fromhex(record) for record in value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise CellError(_("no cell holds {value!r}").format(value=value))
    return value


def load(path: Path) -> Image:
    """The image in a file, for looking at; changes are not written back. ImageError, OSError."""
    try:
        return Image.from_text(read(path), path)
    except FormatError as error:
        raise ImageError(path, _("{what}; damaged, or no card image").format(what=error.what)) from None


@contextlib.contextmanager
def held(path: Path, fresh: Image | None = None, *, durable: bool = True, wait: float = 0.0) -> Iterator[Image]:
    """The image in a file, held by this process alone: every change is on disk before it is acknowledged.

    ``fresh`` is written there first if the file does not exist yet. Through a symbolic link it is the file behind it
    that is held and written. Not ``durable``: every change is still in the file, whole, but the disk is not waited for,
    so a crash of the machine (not of the process) may lose the last ones.

    ImageError where another holds it for longer than ``wait`` seconds, and for a file of several names (hard links):
    each write would leave all but one of them behind.
    """
    path = path.resolve()
    with _lock(path, wait):
        if path.exists() and path.stat().st_nlink > 1:
            raise ImageError(path, _("it has several names (hard links), of which one alone would be kept: copy it"))
        if fresh is not None and not path.exists():
            image = fresh.fork()
            _replace(path, image.to_text(), durable=durable)
        else:
            image = load(path)
        image.memory.changed = lambda cells: _replace(path, image.to_text(cells), durable=durable)
        try:
            yield image
        finally:
            image.memory.changed = None


@contextlib.contextmanager
def _lock(path: Path, wait: float) -> Iterator[None]:
    """A lock file beside the image: the image itself is replaced at every write, so it cannot carry the lock."""
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + wait
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | CLOEXEC | NOFOLLOW, 0o600)
        try:
            filelock.take(handle, wait=False)
            # Another holder may have removed the file between our open and our lock.
            if lock.exists() and os.fstat(handle).st_ino == lock.stat().st_ino:
                break
            os.close(handle)
        except BlockingIOError:
            os.close(handle)
            if time.monotonic() >= deadline:
                what = _("another process holds this card: end that one first, or copy the file")
                raise ImageError(path, what) from None
            time.sleep(PAUSE)  # whoever holds a lock tells nobody when it goes
    try:
        yield
    finally:
        filelock.remove(handle, lock)


def _replace(path: Path, text: str, *, durable: bool) -> None:
    """Old or new, whatever happens: written beside, on disk, renamed, the folder on disk too.

    What is renamed is done: a folder that cannot be synced after that (some file systems refuse it) is no failure, as
    the file says new already.
    """
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)  # left by a process that was ended; the lock keeps others away
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | CLOEXEC | NOFOLLOW, 0o600)
    with writing.named(path), os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    beside.replace(path)
    if durable and sys.platform != "win32":
        with contextlib.suppress(OSError):
            _sync_folder(path.parent)


if sys.platform != "win32":

    def _sync_folder(path: Path) -> None:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


__all__ = ["Image", "ImageError", "held", "load", "sealed"]
