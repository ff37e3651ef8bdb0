"""Readers of another machine, or of another PC/SC service: vpcd is there, and the cards are here.

Nothing is known of them but where their drivers are: no names, and not whether PC/SC there shows a card. A driver that
has asked for the ATR and powered the card has taken it.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from emulator.errors import ErrorKind, Misuse, SscardError
from emulator.messages import _, deferred
from emulator.messages.system_errors import said, strerror
from emulator.reader.line import LOOK, SILENCE, Answered, Dialled, Line, begun, named
from emulator.reader.slot import Slot
from harness.readers import pcsc
from harness.serving.pcsc_service import Place, Wanted

LONGEST_SILENCE = 3600.0
"""Seconds."""
TAKEN = 10.0
"""Seconds that who steers a card waits for a far driver to take it."""

LOOKED_UP = {
    socket.EAI_NONAME: deferred("nobody knows that name"),
    socket.EAI_AGAIN: deferred("the name service does not answer"),
}
"""What a system says of a name that it looks up, by the system's number; what stands nowhere here is told in its own
words.
"""


class FarError(SscardError, OSError):
    """A far reader cannot be had: which, and why."""

    kind = ErrorKind.BROKEN
    exit_code: ClassVar[int] = pcsc.PcscError.exit_code


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the first slot's driver is, or connects to; the next slots have the next ports."""

    host: str
    port: int

    @classmethod
    def of_text(cls, text: str, *, host: str = "") -> Endpoint:
        """``HOST[:PORT]``; with a ``host`` to be taken where none is named, ``[HOST:]PORT``. An IPv6 address stands in
        brackets. Misuse.
        """
        form = "[HOST:]PORT" if host else "HOST[:PORT]"
        told, bracket, rest = text.removeprefix("[").partition("]") if text.startswith("[") else (text, "", "")
        if bracket:
            name, colon, port = told, rest[:1], rest[1:]
            if rest and colon != ":":
                raise Misuse(_("{text!r}: expected a colon and a port after the bracket").format(text=text))
        elif text.count(":") > 1 and "/" not in text:
            raise Misuse(
                _("{text!r}: an IPv6 address stands in brackets: [::1]:{port}").format(
                    text=text, port=pcsc.DEFAULT_PORT
                )
            )
        elif host and text.isdecimal():
            name, colon, port = host, ":", text
        else:
            name, colon, port = text.partition(":")
        if not name or name.split() != [name] or "/" in text or name.isdecimal():
            raise Misuse(_("{text!r}: expected {form}, HOST a name or an address").format(text=text, form=form))
        if colon and not (port.isascii() and port.isdecimal() and 0 < int(port) <= pcsc.LAST_PORT):
            raise Misuse(
                _("{text!r}: expected {form}, PORT from 1 to {last}").format(text=text, form=form, last=pcsc.LAST_PORT)
            )
        return cls(name, int(port) if colon else pcsc.DEFAULT_PORT)

    def __str__(self) -> str:
        return named(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Far:
    """Far readers as a run is asked for them. ``listen``: their drivers connect to this machine. ``silence``: seconds
    without a word after which a driver is taken for gone; None: never.
    """

    at: Endpoint
    listen: bool = False
    silence: float | None = SILENCE

    def check(self, count: int) -> None:
        """Misuse where so many slots have no ports, or are too many."""
        if count > pcsc.MOST_SLOTS:
            raise Misuse(_("{count} slots: a run has {most} at most").format(count=count, most=pcsc.MOST_SLOTS))
        if self.at.port + count - 1 > pcsc.LAST_PORT:
            raise Misuse(
                _("{at}: {count} slots need ports up to {last}, the last is {limit}").format(
                    at=self.at, count=count, last=self.at.port + count - 1, limit=pcsc.LAST_PORT
                )
            )


def troubled(slot: Slot) -> str:
    """Why a slot has no connection, in words; empty where nothing is known."""
    error = slot.trouble
    return "" if error is None else said(error) if isinstance(error, OSError) else str(error)


class FarReaders:
    """The far readers of a run, as ``served_cards.Readers`` has them."""

    def __init__(self, far: Far, lines: Sequence[Line]) -> None:
        self._far = far
        self._lines = {line.port: line for line in lines}

    @property
    def told(self) -> dict[str, Any]:
        """For the table of a run: which way connections come about, and where."""
        return {"far": f"{'listen' if self._far.listen else 'connect'} {self._far.at}"}

    def places(self, wanted: Sequence[Wanted]) -> list[Place]:
        """One for each, whatever is wanted: the far side names its readers."""
        return [Place(line.name, line.port) for line, __ in zip(self._lines.values(), wanted, strict=True)]

    def line(self, place: Place) -> Line:
        """How the driver of this place is reached."""
        return self._lines[place.port]

    def wait_taken(self, slot: Slot, place: Place) -> None:
        """Waits until the driver has powered this very card; FarError."""
        if not slot.wait_powered(TAKEN):
            trouble = troubled(slot)
            why = f" ({trouble})" if trouble else ""
            raise FarError(
                _(
                    "the card waits for the reader at {place}: no driver took it within {seconds:g} s{why}; it goes in "
                    "as soon as one does"
                ).format(place=place.reader, seconds=TAKEN, why=why)
            )

    @staticmethod
    def wait_left(place: Place) -> bool:
        """True: the slot itself keeps a card that left out until the driver has looked."""
        del place
        return True


def addresses(host: str) -> list[str]:
    """The addresses that this machine knows of a host; a signal ends looking it up. FarError where it knows none."""
    looking = begun(partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM))
    while not wait([looking], LOOK).done:
        pass
    try:
        found = looking.result()
    except OSError as error:
        own = LOOKED_UP.get(error.errno or 0)
        why = _(own) if own else said(error)
    except UnicodeError:
        why = _("no machine can be called so")
    else:
        return [str(address[0]) for *__, address in found]
    raise FarError(_("{host}: this machine knows no address of that name ({why})").format(host=host, why=why))


@contextlib.contextmanager
def far_readers(far: Far, count: int) -> Iterator[FarReaders]:
    """So many far readers. FarError where the host has no address, or nobody can listen on the ports."""
    addresses(far.at.host)
    with contextlib.ExitStack() as stack:
        lines: list[Line] = []
        for port in range(far.at.port, far.at.port + count):
            if not far.listen:
                lines.append(Dialled(far.at.host, port, far.silence))
                continue
            try:
                line = Answered(far.at.host, port, far.silence)
            except OSError as error:
                why = strerror(error) if error.errno == errno.EACCES else said(error)
                raise FarError(
                    _("cannot listen at {place}: {error}").format(place=named(far.at.host, port), error=why)
                ) from None
            lines.append(line)
            stack.callback(line.close)
        yield FarReaders(far, lines)


class Watch:
    """What becomes of a run's cards at far readers, told at each look. ``say``: ready lines; ``note``: all else."""

    def __init__(self, say: Callable[[str], None], note: Callable[[str], None]) -> None:
        self._say, self._note = say, note
        self._takes: dict[int, int] = {}
        self._lost: set[int] = set()
        self._trouble: dict[int, str] = {}

    def look(self, number: int, slot: Slot, ready: Sequence[str]) -> bool:
        """Tells what has changed at a slot since the last look, true if something has. ``ready``: its ready lines, told
        when its card is taken for the first time.
        """
        taken, takes, trouble, place = slot.powered, slot.takes, troubled(slot), slot.line.name
        before = self._takes.get(number, 0)
        again = taken and takes != before
        lost = bool(before) and number not in self._lost and (again or not taken)
        self._takes[number] = takes if taken else before
        if lost:
            self._lost.add(number)
            self._trouble[number] = trouble
            if trouble:
                self._note(
                    _("slot {number}: {place} has lost the card ({trouble}); it comes again").format(
                        number=number, place=place, trouble=trouble
                    )
                )
        if again:
            self._lost.discard(number)
            if before:
                self._note(_("slot {number}: {place} has taken the card again").format(number=number, place=place))
            else:
                for line in ready:
                    self._say(line)
        missed = slot.inserted and not taken and not lost and bool(trouble) and trouble != self._trouble.get(number)
        if missed:
            self._trouble[number] = trouble
            self._note(
                _("slot {number}: no reader at {place} so far ({trouble}); trying on").format(
                    number=number, place=place, trouble=trouble
                )
            )
        return lost or again or missed
