"""Who calls the library: clients with a session each, over readers that they share."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from emulator.chip import told as observed
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.driver.calls import Answer
from harness.driver.codes import Code, DriverError, words
from harness.driver.contents import is_whole
from harness.driver.elements import NAMED
from harness.driver.interface import SCRIPT_PAD, Function
from harness.driver.library import SSCardDriver
from harness.driver.lock import Turns
from harness.driver.pad import TIMEOUT, Pad
from harness.driver.readers import Readers
from harness.driver.traced import CallTrace
from harness.terminal.pin import LONGEST

Hear = Callable[[Function, Sequence[int | str], int, str, float], None]
"""Told of a call: function, arguments in C order, code, pOutInfo, seconds."""
MOST_CLIENTS = 64
MOST_ENTRIES = 64


class Client:
    """One caller: a library of its own, with pending steps and PIN pad. One call at a time."""

    def __init__(self, driver: SSCardDriver, hear: Hear | None = None) -> None:
        """``hear`` is told of each call, once it is answered."""
        self._driver = driver
        self._hear = hear

    @property
    def pending(self) -> str:
        """The operation whose next step this client owes, ``iReadCardBas``; empty where it owes none."""
        return self._driver.pending

    @property
    def gave_whole_files(self) -> bool:
        """True if the last reading gave transparent files whole, which the caller has asked for and has room for."""
        return any(map(is_whole, self._driver.told))

    def call(self, function: Function, values: Sequence[int | str]) -> Answer:
        """The code and pOutInfo; values as ``function`` took them."""
        if function is SCRIPT_PAD:
            return self.script(str(values[0]).split(","))
        began = time.monotonic()
        code, text = getattr(self._driver, function.name)(*values)
        self._tell(function, values, int(code), text, time.monotonic() - began)
        return int(code), text

    def refused(self, function: Function, code: int) -> None:
        """A call whose arguments are not valid never came to the library, and is a call all the same."""
        self._tell(function, (), code, "", 0.0)

    def _tell(self, function: Function, values: Sequence[int | str], code: int, out: str, seconds: float) -> None:
        if self._hear is not None:
            self._hear(function, values, code, out, seconds)

    def script(self, entries: object) -> Answer:
        """What the pad is given from now on: a list of digits, ``cancel`` and ``timeout``; -14 for anything else."""
        try:
            self._script(entries)
        except DriverError as error:
            self.refused(SCRIPT_PAD, error.code)
            raise
        self._tell(SCRIPT_PAD, (), Code.DONE, "", 0.0)
        return Code.DONE, ""

    def _script(self, entries: object) -> None:
        if (
            not isinstance(entries, list)
            or len(entries) > MOST_ENTRIES
            or not all(isinstance(entry, str) and len(entry) <= 2 * LONGEST for entry in entries)
        ):
            raise DriverError(Code.BAD_PARAMETER)
        self._driver.pad.script(entry.strip() for entry in entries if entry.strip())


class Clients:
    """All of them. ``script`` is what each one's pad is given at first, ``more`` gives what follows, ``layout`` is the
    cards', where their versions do not tell, ``elements`` how those stand in strings, ``calls`` a trace of them.
    """

    def __init__(
        self,
        readers: Readers,
        script: Sequence[str] = (),
        most: int = MOST_CLIENTS,
        layout: Layout | None = None,
        elements: str = NAMED,
        calls: CallTrace | None = None,
        more: Callable[[], str] = lambda: TIMEOUT,
    ) -> None:
        self._more = more
        self._layout = layout
        self._elements = elements
        self._readers = readers
        self._calls = calls
        self._numbers = itertools.count(1)
        self._script = tuple(script)
        self._most = most
        self._turns = Turns()
        self._lock = threading.Lock()
        self._count = 0
        self._since = time.monotonic()
        self.counted: Callable[[str, int], object] | None = None
        """Told the function and the code of each call."""

    @contextmanager
    def one(self) -> Iterator[Client]:
        """A new client; -11 where there are too many."""
        with self._lock:
            if self._count >= self._most:
                raise DriverError(
                    Code.READER_LINK,
                    _("{words}: {count} clients are connected").format(words=words(Code.READER_LINK), count=self._most),
                )
            self._count += 1
        driver = SSCardDriver(
            self._readers,
            Pad(self._script, self._more),
            turns=self._turns,
            layout=self._layout,
            elements=self._elements,
        )
        try:
            yield Client(driver, self._hear())
        finally:
            try:
                driver.close()
            finally:
                with self._lock:
                    self._count -= 1
                    self._since = time.monotonic()

    def _hear(self) -> Hear | None:
        """What the next client tells of its calls. A trace that fails changes no answer, and is told no more."""
        counted = self.counted
        if self._calls is None and counted is None:
            return None
        number = next(self._numbers)

        def hear(function: Function, values: Sequence[int | str], code: int, out: str, seconds: float) -> None:
            if counted is not None:
                counted(function.name, code)
            self._calls = self._calls and observed(
                self._calls, lambda trace: trace.called(number, function, values, code, out, seconds)
            )

        return hear

    def quiet(self) -> float:
        """Seconds since the last one left; 0 while there is one."""
        with self._lock:
            return 0.0 if self._count else time.monotonic() - self._since
