"""CSV as spreadsheets write it (RFC 4180): a header, then rows; a quoted cell may hold several lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from emulator.messages import _
from emulator.textfiles.text import FormatError, read


def load(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Each row's line, from 1, and its cells by the header's names. FormatError, OSError."""
    return loads(read(path), path)


def loads(text: str, source: object) -> list[tuple[int, dict[str, str]]]:
    """Returns a text's rows, each with its line (from 1) and its cells by column. FormatError."""
    lines = _Lines(text)
    rows = csv.reader(lines, strict=True)
    found: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    begins = 1
    try:
        for cells in rows:
            line, begins = begins, rows.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header(cells, source, line)
                continue
            if len(cells) != len(header):
                wrong = _("{cells} cells, but the header names {columns}").format(cells=len(cells), columns=len(header))
                raise FormatError(source, wrong, line)
            found.append((line, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        if lines.ended:
            raise FormatError(source, _("ends within a quoted cell: the file is cut off"), begins) from None
        raise FormatError(source, _("not CSV: {error}").format(error=error), begins) from None
    return found


class _Lines:
    """The lines of a text. ``ended``: more were asked for than there are, as within a quoted cell."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        yield from self._lines
        self.ended = True


def _header(cells: list[str], source: object, line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    if "" in names:
        raise FormatError(source, _("column {value} has no name").format(value=names.index("") + 1), line)
    if twice := [name for name in names if names.count(name) > 1]:
        raise FormatError(source, _("column {twice!r} stands twice").format(twice=twice[0]), line)
    return names
