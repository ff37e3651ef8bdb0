"""What a card refused a terminal."""

from __future__ import annotations

from emulator.apdu.status import describe, tries_told
from emulator.errors import ErrorKind
from emulator.messages import _, both
from harness.keys.access import TerminalError


class Refused(TerminalError):
    """The card answered something else than 9000."""

    kind = ErrorKind.REFUSED

    def __init__(self, doing: str, sw: int) -> None:
        super().__init__(
            _("{doing}: the card answered {sw:04X} ({meaning})").format(doing=doing, sw=sw, meaning=both(*describe(sw)))
        )
        self.sw = sw


class PinRefused(Refused):
    """The PIN was wrong or is locked. ``tries_left`` 0: locked."""

    def __init__(self, doing: str, sw: int) -> None:
        super().__init__(doing, sw)
        self.tries_left = tries_told(sw) or 0
