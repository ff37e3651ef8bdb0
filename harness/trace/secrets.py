"""PINs and keys in one slot's trace: asterisks stand for them, whatever else may be seen.

Secret is what an instruction declares to be (``secret``, ``secret_answer``), and whatever goes into a file that no
command may read or comes out of one: it holds a key, as that of the certificate does. [D]
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator import catalogue
from emulator.apdu.command import HEADER
from emulator.apdu.instructions import SECRET_ANSWERS, SECRET_INS
from emulator.apdu.instructions.binary import WITH_SFI
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import FileSpec, Layout
from harness.trace.context import Context
from harness.trace.decode import starred

OTHERWISE = "3.00"
"""The layout taken where a card's is not known."""


class Secrets:
    """Follows the session, to know what a command writes and what an answer brings. ``layout``: the card's."""

    def __init__(self, layout: Layout | None = None) -> None:
        self._context = Context(layout or catalogue.layout(OTHERWISE))
        self._given = False
        self.repeated = False
        """The next answer is the last one once more, whatever the command: a fault of the card's."""

    def reset(self) -> None:
        """Forgets what was selected and asked, as the card does."""
        self._context.reset()
        self._given = False

    def stands(self, directory: str, file: str, *, waiting: bool = False) -> None:
        """What is selected in a card that somebody has worked with already, as ``Context.stands`` has it. ``waiting``:
        an answer waits to be fetched, of which nobody here knows what asked for it.
        """
        self._context.stands(directory, file)
        self._given = waiting

    def told(self, exchange: Exchange, shown: Exchange) -> tuple[str, str, str]:
        """Command, plain command and answer to write down, in hex. ``shown``: the exchange without what it says of a
        person, as long as it is.
        """
        meant = exchange.plain or exchange.command
        command, plain = self.command(exchange.command, shown.command, meant), ""
        if shown.plain:
            plain = starred(shown.plain) if in_command(meant, self._context) else shown.plain.hex().upper()
        answer = self.answer(exchange, shown.answer)
        if len(exchange.answer) > 1:
            self._context.follow(meant, int.from_bytes(exchange.answer[-2:], "big"))
        return command, plain, answer

    def command(self, raw: bytes, shown: bytes, meant: bytes = b"") -> str:
        """One command. ``meant``: what secure messaging covered, if that is known."""
        secret = in_command(raw, self._context) or in_command(meant, self._context)
        return starred(shown) if secret else shown.hex().upper()

    def answer(self, exchange: Exchange, shown: bytes) -> str:
        """Returns an answer as hex, with what is secret in it masked."""
        # GET RESPONSE brings what the command before it asked for.
        if not self.repeated and not GetResponse.has_ins(exchange.command):
            self._given = in_answer(exchange.plain or exchange.command, self._context)
        self.repeated = False
        return "*" * (2 * len(shown[:-2])) + shown[-2:].hex().upper() if self._given else shown.hex().upper()


def in_command(raw: bytes, context: Context) -> bool:
    """True for a command whose data hold a PIN or a key. ``context`` is that of its slot, before it."""
    if len(raw) <= HEADER:
        return False
    return raw[1] in SECRET_INS or any(file is not None and file.secret for file in _written(raw, context))


def in_answer(raw: bytes, context: Context) -> bool:
    """True for a command whose answer holds one."""
    kind = context.instruction(raw)
    if raw[1:2] and raw[1] in SECRET_ANSWERS:
        return True
    file = context.file if kind is None else None if issubclass(kind, Select) else context.place(raw).file
    return file is not None and file.secret


def _written(raw: bytes, context: Context) -> Iterator[FileSpec | None]:
    """The files that a command may write. One that no card of ours has may write the current file, or the one whose
    short id stands where commands on bytes or on records have it. [P]
    """
    kind = context.instruction(raw)
    if kind is None:
        yield context.file
        yield context.addressed(raw[2] & 0x1F) if raw[2] & WITH_SFI else None
        yield context.addressed(raw[3] >> 3)
    elif kind.writes:
        yield context.place(raw).file
