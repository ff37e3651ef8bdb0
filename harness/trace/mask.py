"""What stays out of traces and reports: deny by default.

A byte of a command or an answer is written down only if it is known to be harmless: headers, lengths, status words,
what an instruction declares so (``harmless_data``, ``harmless_answer``), tags and lengths of records, names in an FCI,
and the items in ``ITEMS``. All else may say something of a person, whatever the command is, known or not. [D]
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from emulator import catalogue
from emulator.apdu.command import HEADER, CommandAPDU, is_secured
from emulator.apdu.instructions.base import Instruction, Spans
from emulator.apdu.instructions.pin import digits
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.touched import Content
from emulator.apdu.status import CardError
from emulator.apdu.table import EVERYTHING, InstructionTable
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from harness.trace.context import Context, Place
from harness.trace.secrets import OTHERWISE, in_answer, in_command

HEAD = 2
"""Bytes of a record that are no value: tag and length."""
ITEMS = frozenset({"SSSE/EF05/02", "SSSE/EF05/03", "SSSE/EF05/06"})
"""The card's class, its version, the end of its validity: they say nothing of a person, and replays and rules need it.
"""
TEMPLATES = frozenset({0x6F, 0xA5, 0xBF0C, 0x9F0C, 0x61})
NAMES = frozenset({0x84, 0x4F, 0x50, 0x86, 0x87, 0x88, 0x5F2D, 0x9F11, 0x9F12, 0x9F38, 0x9F4D})
"""Of an FCI: names, algorithm, priority, directory, languages, what GET PROCESSING OPTIONS takes, the log's file."""
LONGEST_NAME = 16
INITIAL = "initial"
QUOTE = 4
QUOTED = re.compile(f"[0-9A-F]{{{QUOTE},}}")


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes, and which of them may be seen."""

    data: bytes
    shown: frozenset[int]

    @property
    def whole(self) -> bool:
        """True if nothing is hidden."""
        return len(self.shown) == len(self.data)

    @property
    def zeroed(self) -> bytes:
        """For traces: what is hidden is zero, as long as it was."""
        return bytes(one if at in self.shown else 0 for at, one in enumerate(self.data))

    @property
    def starred(self) -> str:
        """For reports: in hex, what is hidden as asterisks."""
        return "".join(f"{one:02X}" if at in self.shown else "**" for at, one in enumerate(self.data))

    @property
    def hidden(self) -> str:
        """What may not be seen, in hex."""
        return "".join(f"{one:02X}" for at, one in enumerate(self.data) if at not in self.shown)


@dataclass(slots=True)
class _Asked:
    """What the next data of an answer belong to: a command, and what has come for it."""

    kind: type[Instruction] | None
    place: Place
    raw: bytes
    secret: bool
    came: bytes = b""

    @property
    def secured(self) -> bool:
        """It came under secure messaging: its answer is enciphered, or a value and a MAC."""
        return self.kind is not None and self.raw[0] in self.kind.secured


class PersonalData:
    """Keeps what cards say of people from one slot's trace or report: follows the session, to know what is asked for.

    Tags, lengths and status words stay, so that a masked recording can be replayed. ``show_secrets``: PINs and keys may
    be seen; what hides them otherwise is not this.
    """

    def __init__(self, layout: Layout | None = None, *, show_secrets: bool = False) -> None:
        self._show_secrets = show_secrets
        self._context = Context(layout or catalogue.layout(OTHERWISE))
        self._table = InstructionTable.of(layout) if layout else EVERYTHING
        self._asked: _Asked | None = None
        self.repeated = False
        """The next answer is the last one once more, whatever the command: a fault of the card's."""

    def reset(self) -> None:
        """Forgets what was selected and asked, as the card does."""
        self._context.reset()
        self._asked = None

    def stands(self, directory: str, file: str) -> None:
        """What is selected in a card that somebody has worked with already, as ``Context.stands`` has it."""
        self._context.stands(directory, file)

    def seen(self, raw: bytes, answer: bytes, plain: bytes = b"") -> tuple[Seen, Seen]:
        """One exchange as it may be shown. ``plain``: what secure messaging covered, if that is known."""
        told = self.command(raw)
        # GET RESPONSE brings what the command before it asked for.
        if not self.repeated and not GetResponse.has_ins(raw):
            meant = plain or raw
            secret = in_answer(meant, self._context)
            self._asked = _Asked(self._table.get(raw), self._context.place(meant), raw, secret)
            if len(answer) > 1:
                self._context.follow(meant, int.from_bytes(answer[-2:], "big"))
        repeated, self.repeated = self.repeated, False
        return told, self._answer(answer, once_more=repeated)

    def masked(self, exchange: Exchange) -> tuple[Exchange, bool]:
        """The exchange to write down, and whether anything was taken out of it."""
        plain = self.command(exchange.plain, opened=True)
        command, answer = self.seen(exchange.command, exchange.answer, exchange.plain)
        told = replace(
            exchange,
            command=command.zeroed,
            plain=plain.zeroed,
            answer=answer.zeroed,
            reason=scrubbed(exchange.reason, (command.hidden, plain.hidden, answer.hidden)),
        )
        return told, not (command.whole and plain.whole and answer.whole)

    # --- commands ------------------------------------------------------------------------------------------------

    def command(self, raw: bytes, *, opened: bool = False) -> Seen:
        """A command as it may be shown: its header, its Le, and what its instruction says is harmless. ``opened``: it
        is what secure messaging covered.
        """
        if self._show_secrets and in_command(raw, self._context):
            return _seen(raw, ((0, len(raw)),))
        size = raw[4] if len(raw) > HEADER else 0
        end = HEADER + size
        if len(raw) not in (end, end + 1):
            return _seen(raw, ((0, HEADER),))
        data = raw[HEADER:end]
        harmless = self._of_data(raw, data, opened=opened)
        spans = tuple((HEADER + start, HEADER + min(stop, size)) for start, stop in harmless)
        return _seen(raw, ((0, HEADER), *spans, (end, end + 1)))

    def _of_data(self, raw: bytes, data: bytes, *, opened: bool) -> Spans:
        kind = self._table.get(raw)
        if kind is None or (raw[0] in kind.secured and not opened):
            return ()
        if kind.data_hold is Content.RECORDS:
            return _records(data, self._context.place(raw), raw[2])
        return kind.harmless_data if len(data) in kind.lengths else ()

    # --- answers -------------------------------------------------------------------------------------------------

    def _answer(self, answer: bytes, *, once_more: bool) -> Seen:
        size = len(answer) - 2
        if size <= 0:
            return _seen(answer, ((0, 2),))
        if answer[-2] >> 4 not in (6, 9):  # no status word: the end of an answer that was cut off
            return _seen(answer, ())
        asked = self._asked
        if asked is not None and asked.secret and self._show_secrets:
            return _seen(answer, ((0, size + 2),))
        if asked is None or asked.kind is None or asked.secured:
            return nothing_of(answer)
        came = b"" if once_more else asked.came
        data = came + answer[:-2]
        at = len(came)
        spans = tuple((max(0, start - at), stop - at) for start, stop in _of_answer(asked, data) if stop > at)
        if not once_more:
            asked.came = data if len(data) < 0x10000 else b""
        return _seen(answer, (*((start, min(stop, size)) for start, stop in spans), (size, size + 2)))


def _of_answer(asked: _Asked, data: bytes) -> Spans:
    if asked.kind is None:
        return ()
    if asked.kind.answer_holds is Content.RECORDS:
        return _records(data, asked.place, asked.raw[2] if len(asked.raw) > 2 else 0)
    if asked.kind.answer_holds is Content.FCI:
        return tuple(_names(data))
    return asked.kind.harmless_answer


def nothing_of(answer: bytes) -> Seen:
    """An answer of which only the status word may be shown."""
    return _seen(answer, ((max(0, len(answer) - 2), len(answer)),))


def _seen(data: bytes, spans: Spans) -> Seen:
    shown = frozenset(at for start, stop in spans for at in range(start, min(stop, len(data))))
    return Seen(data, shown)


def _records(data: bytes, place: Place, asked: int) -> Spans:
    """Tags and lengths of a row of records, and the value of an item in ``ITEMS`` that was asked for by its tag.

    A tag is one that the file has, or stands in a row that is whole: what is no such row may be anything.
    """
    file = place.file
    if file is not None and file.structure is not Structure.RECORDS:
        return ()  # a cyclic file's records have no tags
    item = place.item
    if item is not None and place.path in ITEMS and data[:HEAD] == bytes((asked, item.length)) == bytes(
        (item.tag or 0, len(data) - HEAD)
    ):  # fmt: skip
        return ((0, len(data)),)
    known = {one.tag for one in file.items} if file is not None else set()
    return tuple(_heads(data, known, whole=_is_row(data)))


def _heads(data: bytes, known: Collection[int | None], *, whole: bool) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(data) and (whole or data[at] in known):
        yield at, at + HEAD
        at += HEAD + (data[at + 1] if at + 1 < len(data) else 0)


def _is_row(data: bytes) -> bool:
    at = 0
    while at + 1 < len(data) and data[at]:
        at += HEAD + data[at + 1]
    return bool(data) and at == len(data)


def _names(data: bytes) -> Iterator[tuple[int, int]]:
    """What of an FCI may be seen; nothing of what is none."""
    if data[:1] == b"\x6f":
        with_ends = _objects(data, 0, len(data))
        yield from with_ends or ()


def _objects(data: bytes, at: int, end: int) -> list[tuple[int, int]] | None:
    """Spans to show of a row of BER-TLV objects, None if it is no such row."""
    found: list[tuple[int, int]] = []
    while at < end:
        start, tag = at, data[at]
        at += 1
        if tag & 0x1F == 0x1F and at < end:
            tag, at = tag << 8 | data[at], at + 1
        if at >= end or data[at] > 0x81 or data[at] == 0x80:
            return None
        at += data[at] == 0x81
        if at >= end:
            return None
        value, stop = at + 1, at + 1 + data[at]
        if stop > end:
            return None
        found.append((start, value))
        if tag in TEMPLATES:
            found += _objects(data, value, stop) or ()
        elif tag in NAMES and stop - value <= (LONGEST_NAME if tag != 0x9F38 else end):
            found.append((value, stop))
        at = stop
    return found


# --- words ---------------------------------------------------------------------------------------------------------


def scrubbed(text: str, hidden: Collection[str]) -> str:
    """A reason without what it quotes of hidden bytes, were it two of them; ``hidden``: these, in hex."""
    if not any(hidden):
        return text

    def told(found: re.Match[str]) -> str:
        parts = (found[0][at : at + QUOTE] for at in range(len(found[0]) - QUOTE + 1))
        return "*" * len(found[0]) if any(part in one for part in parts for one in hidden) else found[0]

    return QUOTED.sub(told, text)


class Marks:
    """A mark for each PIN and each card: what is equal in one trace has equal marks, and nothing can be computed back
    from them.

    The key that they are made with is drawn anew for each trace and never written. The layout's published initial PIN
    has the mark ``initial``.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._key = random(32)

    def card(self, atr: bytes) -> str:
        """The mark of a card, by its ATR with the chip's serial number in it."""
        return self._mark(atr)

    def pins(self, exchange: Exchange, initial: str) -> list[str]:
        """The marks of the PINs in a command, in their order; none if it carries no PIN, or one that is enciphered."""
        raw = exchange.plain or exchange.command
        kind = EVERYTHING.get(raw)
        if kind is None or (is_secured(raw) and not exchange.plain):
            return []
        try:
            data = CommandAPDU.parse(raw).data
        except CardError:
            return []
        told = (digits(pin) for pin in kind.pins(data) if pin)
        return [INITIAL if one == initial else self._mark(one.encode()) for one in told]

    def _mark(self, value: bytes) -> str:
        return hmac.new(self._key, value, sha256).hexdigest()[:8]
