"""The reader's PIN pad: what the cardholder enters, cancels or never enters, by a script or by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.driver.codes import Code, DriverError
from harness.terminal.pin import is_pin

CANCEL, TIMEOUT = "cancel", "timeout"


class Pad:
    """Entries are used up one after another: digits, ``cancel`` or ``timeout``. None left: nobody enters one."""

    def __init__(self, entries: Iterable[str] = (), more: Callable[[], str] = lambda: TIMEOUT) -> None:
        """``more`` gives an entry once those of the script are used up."""
        self._entries = list(entries)
        self._more = more

    def script(self, entries: Iterable[str]) -> None:
        """What is entered from now on."""
        self._entries = list(entries)

    def enter(self) -> str:
        """One PIN; DriverError -31, -32, -33."""
        entry = self._entries.pop(0) if self._entries else self._more()
        if entry == CANCEL:
            raise DriverError(Code.PIN_CANCELLED)
        if entry == TIMEOUT:
            raise DriverError(Code.PIN_TIMED_OUT)
        return checked(entry)

    def enter_new(self) -> str:
        """A new PIN, entered twice; DriverError -34 too."""
        first, second = self.enter(), self.enter()
        if first != second:
            raise DriverError(Code.PIN_ENTRIES_DIFFER)
        return first


def checked(entry: str) -> str:
    """What a pad takes; DriverError -33."""
    if not is_pin(entry):
        raise DriverError(Code.PIN_LENGTH)
    return entry
