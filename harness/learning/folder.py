"""The folder that a learning is written into: nothing in it is overwritten unless that is wished."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.chip import Exchange, Observer
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import writing
from harness.learning import harmless, layout_text, observation, outputs, report
from harness.learning.fact_file import FILE as FACTS
from harness.learning.learn import Learned
from harness.learning.outputs import PERSONA
from harness.learning.privacy import PersonalDataFound
from harness.serving import timing

LAYOUT, TRACE = "layout.toml", "trace.jsonl"
FILES = (observation.FILE, LAYOUT, timing.FILE, TRACE, FACTS, PERSONA, report.TEXT, report.HTML)


class FolderTaken(SscardError, FileExistsError):
    """A folder that holds a learning already."""

    kind = ErrorKind.USAGE
    exit_code = 2


def prepare(folder: Path, names: tuple[str, ...] = FILES, *, force: bool = False) -> None:
    """Makes the folder, and takes an earlier learning's files away where that is wished, so that none of them is taken
    for this card's. FolderTaken; OSError.
    """
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise FolderTaken(
            _("{folder}: {names} lie there already: name another folder, or --force").format(
                folder=folder, names=", ".join(there)
            )
        )
    with writing.named(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name in there:
        (folder / name).unlink()


def write(folder: Path, learned: Learned, *, seed: str = outputs.USUAL_SEED) -> list[Path]:
    """Writes what was learned; the files. Of a card that was not learned to the end there is no layout: what is missing
    in it may be on the card. ``seed``: of the made-up person.

    PersonalDataFound where a file would hold what the card said, or the trace does: then nothing is left there.
    """
    texts = {observation.FILE: learned.learning.text()}
    if learned.drawing is not None:
        texts[LAYOUT] = layout_text.text(learned.drawing)
        texts[timing.FILE] = learned.timing.text()
    texts |= outputs.of(learned, seed=seed).files
    contents = {name: text.encode() for name, text in texts.items()}
    trace = folder / TRACE
    try:
        if trace.exists():
            contents[TRACE] = trace.read_bytes()
        outputs.searched(contents, learned)
    except PersonalDataFound:
        trace.unlink(missing_ok=True)
        raise
    for name, text in texts.items():
        _put(folder / name, text)
    return [folder / name for name in texts]


def _put(path: Path, text: str) -> None:
    """A file that is there whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with writing.named(path), os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


class Discreet:
    """Hands exchanges on to an observer without any value of the card's: of records tags and lengths stay, of bytes
    their number, and the specification's version, which every reader of a trace needs. What GET RESPONSE fetches is
    hidden as the answer of the command that it waits from.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._asked = b""
        """The command whose answer comes, or waits."""

    def exchanged(self, exchange: Exchange) -> None:
        """Tells of a command without what it read."""
        raw, answer = exchange.command, exchange.answer
        if raw[1:2] != FETCHING:
            self._asked = raw
        if self._asked[1:2] in READING and len(answer) > 2:
            answer = _emptied(self._asked, answer[:-2]) + answer[-2:]
        self._observer.exchanged(
            Exchange(raw, answer, exchange.reason, exchange.failure, exchange.plain, exchange.changes, exchange.seconds)
        )

    def powered(self, event: str, atr: bytes) -> None:
        """Tells of a reset, or of the end."""
        self._asked = b""
        self._observer.powered(event, atr)


VERSION = b"\x03\x04"
"""How the record of the specification's version begins."""
READ_RECORD = ReadRecord.ins
READING = (bytes((READ_RECORD,)), bytes((ReadBinary.ins,)), bytes((harmless.GET_DATA,)))
FETCHING = bytes((GetResponse.ins,))


def _emptied(raw: bytes, data: bytes) -> bytes:
    """Data with zeros for every value."""
    if raw[1] != READ_RECORD:
        return bytes(len(data))
    if raw[3] >> 3 == 5 and data[:2] == VERSION and len(data) == 6:
        return data
    shown, at = bytearray(len(data)), 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        shown[at : at + 2] = data[at : at + 2]
        at += 2 + data[at + 1]
    return bytes(shown) if at == len(data) else bytes(len(data))
