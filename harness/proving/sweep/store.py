"""The results of a sweep in one SQLite file: what was played is kept, whatever ends the sweep."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.proving.sweep.grid import Cell
from harness.proving.sweep.outcome import Judged, Outcome

FORMAT = 1
APPLICATION = 0x53535753
"""SQLite's application id of these files: SSWS."""
TABLES = """
create table about (name text primary key, value text not null) strict;
create table cells (
    number integer not null, fault text not null, outcome text not null, reasons text not null,
    output_judged integer not null, seconds real not null, ended text not null,
    primary key (number, fault)
) strict
"""


class ResultsError(SscardError, ValueError):
    """A file of results that cannot be used: which, and why."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """A cell that was played. ``seconds``: of both its runs; ``ended``: how the program ended, in a few words."""

    cell: Cell
    judged: Judged
    seconds: float
    ended: str = ""


class Results:
    """An open file of results."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection

    def begin(self, about: Mapping[str, Any]) -> dict[Cell, Kept]:
        """What was played already of the sweep that ``about`` names; a new file is given that name. ResultsError where
        the file is of another sweep: which of its names differ.
        """
        rows = dict(self._connection.execute("select name, value from about"))
        names = {name: json.dumps(value, ensure_ascii=False, sort_keys=True) for name, value in about.items()}
        if not rows:
            with self._told():
                self._connection.executemany("insert into about values (?, ?)", names.items())
                self._connection.commit()
            return {}
        if differ := sorted(name for name in names.keys() | rows.keys() if names.get(name) != rows.get(name)):
            raise ResultsError(
                _("{path}: these are the results of another sweep ({names} differ): name another file with --results, "
                  "or remove this one").format(path=self._path, names=", ".join(differ))
            )  # fmt: skip
        return {one.cell: one for one in self.kept()}

    def keep(self, one: Kept) -> None:
        """Keeps one cell; it is in the file when this returns."""
        judged = one.judged
        reasons = json.dumps(judged.reasons, ensure_ascii=False)
        row = (*_place(one.cell), judged.outcome, reasons, judged.output_judged, one.seconds, one.ended)
        with self._told():
            self._connection.execute("insert or replace into cells values (?, ?, ?, ?, ?, ?, ?)", row)
            self._connection.commit()

    def kept(self) -> Iterator[Kept]:
        """All that is in the file, in the order of the map."""
        for number, fault, outcome, reasons, judged, seconds, ended in self._connection.execute(
            "select * from cells order by number, fault"
        ):
            said = Judged(Outcome(outcome), tuple(json.loads(reasons)), bool(judged))
            yield Kept(Cell(number, fault), said, seconds, ended)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ResultsError(_("{path}: {error}").format(path=self._path, error=error)) from None


def _place(cell: Cell) -> tuple[int, str]:
    return cell.number, cell.fault


@contextmanager
def opened(path: Path | None) -> Iterator[Results]:
    """The results in this file, made where there is none; None: in memory, and gone with the sweep. ResultsError."""
    shown = path or Path(":memory:")
    try:
        connection = sqlite3.connect(str(path) if path else ":memory:", timeout=5.0)
    except sqlite3.Error as error:
        raise ResultsError(_("{path}: {error}").format(path=shown, error=error)) from None
    try:
        _prepare(shown, connection)
        yield Results(shown, connection)
    finally:
        connection.close()


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # another program may be making the same file
            ours = connection.execute("pragma application_id").fetchone()[0]
            version = connection.execute("pragma user_version").fetchone()[0]
            if not connection.execute("select count(*) from sqlite_schema").fetchone()[0]:
                for statement in TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"pragma application_id = {APPLICATION}")
                connection.execute(f"pragma user_version = {FORMAT}")
                return
    except sqlite3.Error as error:
        raise ResultsError(_("{path}: {error}").format(path=path, error=error)) from None
    if ours != APPLICATION:
        raise ResultsError(_("{path}: not a file of results of a sweep").format(path=path))
    if version != FORMAT:
        raise ResultsError(
            _("{path}: results of format {version}, this program has {format}").format(
                path=path, version=version, format=FORMAT
            )
        )
