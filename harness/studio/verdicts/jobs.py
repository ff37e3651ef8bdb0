"""Runs as they are played: two at once, the others wait; each a process of its own that ends with this one."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from emulator import internal_fault
from emulator.errors import SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.proving.program import Supervised
from harness.serving.control import Running
from harness.studio.verdicts import command, outcome
from harness.studio.verdicts.programs import NamedProgram
from harness.studio.verdicts.requests import Asked, Checker, SessionRequest
from harness.studio.verdicts.store import OPEN, OUTPUT, UNREADABLE, Progress, Run, RunsError, State, Store
from harness.verdicts.environment import now

_log = logging.getLogger(__name__)
AT_ONCE = 2
"""Runs that are played at once. [D]"""
WAITING_MOST = 20
"""Runs that wait at most. [D]"""
GRACE = 10.0
"""Seconds that a cancelled run has to write what it found."""
KEPT = 256 * 1024
"""Bytes of what a run prints that are kept, from its beginning. [D]"""
CHUNK = 65536
UNRUN = (2, 3, 5)
"""Exit codes of a command that judged nothing: wrong usage or input, something missing, a fault."""
LINE = 500
"""Letters of the line that says why."""
MARK = b'{"progress": '


class Jobs:
    """Begins, tells and ends runs. ``changed``: called, from any thread, when a run is otherwise than it was.

    ``cwd``: where named programs are played; ``slots``: the run whose slots are meant, None for none; ``trace_of``: the
    lines of a session's trace by its id, None where there is none, or nothing in it; ``sscard``: the command that is
    started.
    """

    def __init__(
        self, store: Store, programs: Sequence[NamedProgram] = (), *, changed: Callable[[], object] = lambda: None,
        cwd: Path | None = None, slots: Callable[[], Running | None] = lambda: None,
        trace_of: Callable[[str], Iterable[str] | None] = lambda _: None, sscard: Sequence[str] = command.SSCARD,
    ) -> None:  # fmt: skip
        self.checker = Checker(programs)
        self.store = store
        self._changed, self._slots, self._trace_of = changed, slots, trace_of
        self._cwd, self._sscard = cwd or Path.cwd(), tuple(sscard)
        self._lock = threading.Condition()
        self._open: dict[str, Run] = {}
        self._waiting: deque[tuple[str, Asked]] = deque()
        self._playing: dict[str, Supervised | None] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(self, asked: Asked) -> Run:
        """Begins a run, or has it wait. RequestError, SlotError, RunsError."""
        if sys.platform == "win32":
            raise RunsError(_("runs are begun from the page on Linux and macOS; here use the command line"))
        self.checker.check(asked)
        with self._lock:
            if self._closed or len(self._waiting) >= WAITING_MOST:
                raise RunsError(_("{count} runs wait already: cancel some").format(count=len(self._waiting)))
        self._prepared(asked, Path())  # what would fail at once is said at once
        run = self.store.new(asked.model_dump(mode="json", exclude_defaults=True) | {"kind": asked.kind})
        try:
            if isinstance(asked, SessionRequest):
                self._write_session(asked, self.store.folder(run.id) / command.TRACE)
        except OSError as error:
            return self._over(replace(run, state=State.BROKEN, why=strerror(error)))
        with self._lock:
            self._open[run.id] = run
            self._waiting.append((run.id, asked))
        self._next()
        return self.get(run.id)

    def get(self, name: str) -> Run:
        """A run as it is now. NoSuchRun."""
        with self._lock:
            found = self._open.get(name)
        return found or self._concluded(self.store.get(name))

    def _concluded(self, run: Run) -> Run:
        """One that another page left behind, with what it came to."""
        if run.came or run.state in OPEN or run.request["kind"] == UNREADABLE:
            return run
        with contextlib.suppress(SscardError, OSError):  # where it cannot be written it is found out again
            run = replace(run, came=outcome.of_run(run, self.store.folder(run.id) / command.REPORT))
            self.store.put(run)
        return run

    def newest(self, count: int | None = None) -> list[Run]:
        """So many runs, or all, the newest first."""
        with self._lock:
            mine = dict(self._open)
        return [mine.get(one.id) or self._concluded(one) for one in islice(self.store.every(), count)]

    def unfinished(self) -> list[Run]:
        """Runs of this page that are not over, in the order in which they were asked for."""
        with self._lock:
            return list(self._open.values())

    def cancel(self, name: str) -> Run:
        """Has a run end: what it found until then stays. NoSuchRun; RunsError for one that is over."""
        run = self.get(name)
        with self._lock:
            playing = self._playing.get(name)
            waiting = next((one for one in self._waiting if one[0] == name), None)
            if waiting is not None:
                self._waiting.remove(waiting)
            elif name not in self._playing:
                raise RunsError(
                    _("it is over") if run.state not in OPEN else _("another page began it: cancel it there")
                )
            else:
                self._open[name] = replace(self._open[name], state=State.ENDING)
        if waiting is not None:
            return self._over(replace(run, state=State.CANCELLED))
        if playing is not None:
            playing.ask_to_end()
        self._changed()
        return self.get(name)

    def delete(self, name: str) -> None:
        """Removes a run that is over. NoSuchRun, RunsError."""
        self.store.delete(name)
        self._changed()

    def close(self) -> None:
        """Ends all that is played and waits for it; what waits is cancelled."""
        with self._lock:
            self._closed = True
            waiting = [name for name, _asked in self._waiting]
            playing = [one for one in self._playing.values() if one is not None]
            for name in self._playing:
                self._open[name] = replace(self._open[name], state=State.ENDING)
        for name in waiting:
            with contextlib.suppress(SscardError):
                self.cancel(name)
        for one in playing:
            one.ask_to_end()
        for thread in self._threads:
            thread.join()
        self.store.close()

    def wait(self, name: str, timeout: float) -> Run:
        """The run once it is over, or after so many seconds as it is then. NoSuchRun."""
        with self._lock:
            self._lock.wait_for(lambda: name not in self._open, timeout)
        return self.get(name)

    # --- one run -------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Begins what waits, as far as there is room."""
        with self._lock:
            while self._waiting and len(self._playing) < AT_ONCE and not self._closed:
                name, asked = self._waiting.popleft()
                self._playing[name] = None
                self._open[name] = replace(self._open[name], state=State.RUNNING, began=now())
                self._threads = [one for one in self._threads if one.is_alive()]
                thread = threading.Thread(target=self._play, args=(name, asked), name=f"run {name}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._changed()

    def _play(self, name: str, asked: Asked) -> None:
        with self._lock:
            run = self._open[name]
        try:
            self.store.put(run)
            ended = self._ended(run, asked)
        except (SscardError, OSError) as error:
            ended = replace(run, state=State.BROKEN, why=str(error))
        except Exception as error:  # it is over all the same, and others have its place
            internal_fault.log(error, _log)
            why = _("an error of ours ({name}); the service lives on").format(name=type(error).__name__)
            ended = replace(run, state=State.BROKEN, why=why)
        with self._lock:
            if ended.state is State.ENDED and self._open[name].state is State.ENDING:
                ended = replace(ended, state=State.CANCELLED)
            ended = replace(ended, progress=self._open[name].progress)
            del self._playing[name]
        self._over(ended)
        self._next()

    def _ended(self, run: Run, asked: Asked) -> Run:
        folder = self.store.folder(run.id)
        made = self._prepared(asked, folder)
        printed, printing = os.pipe()
        said, saying = os.pipe()
        with contextlib.ExitStack() as stack:
            try:
                supervised = Supervised(
                    made.argv, (printing, saying), env={**os.environ, **made.environment},
                    cwd=str(made.cwd or folder), asking=signal.SIGINT, grace=GRACE,
                )  # fmt: skip
            except OSError:
                os.close(printed)
                os.close(said)
                raise
            kept = _Output(stack.enter_context((folder / OUTPUT).open("wb")))
            readers = (
                threading.Thread(target=_read, args=(printed, kept.take), name=f"output of {run.id}"),
                threading.Thread(target=_read, args=(said, _Lines(kept, self._heard(run.id)).take),
                                 name=f"errors of {run.id}"),
            )  # fmt: skip
            for one in readers:
                one.start()
            with self._lock:
                self._playing[run.id] = supervised
                cancelled = self._open[run.id].state is State.ENDING
            if cancelled:
                supervised.ask_to_end()
            try:
                table = supervised.wait()
            finally:
                for one in readers:
                    one.join()
        code = table["exit"] if table["signal"] is None else -table["signal"]
        why = _("it could not be begun: {error}").format(error=os.strerror(table["errno"])) if table["errno"] else ""
        state = State.BROKEN if why else State.ENDED
        if code in UNRUN:
            why = _last_line(folder / OUTPUT)
        return replace(run, state=state, exit_code=None if state is State.BROKEN else code, why=why)

    def _prepared(self, asked: Asked, folder: Path) -> command.Command:
        """The command; nothing that can be said before a run is said after it."""
        if isinstance(asked, SessionRequest) and self._trace_of(asked.session) is None:
            raise RunsError(_("there is nothing to be judged: the session is closed, or no command came yet"))
        run = self._slots() if _on_slot(asked) else None
        made = command.made(asked, folder, self.checker.programs, self._cwd, run)
        return replace(made, argv=(*self._sscard, *made.argv))

    def _write_session(self, asked: SessionRequest, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(self._trace_of(asked.session) or ())

    def _heard(self, name: str) -> Callable[[Mapping[str, Any]], None]:
        def hear(table: Mapping[str, Any]) -> None:
            try:
                progress = Progress(int(table["done"]), int(table["total"]), int(table["bad"]), str(table["what"]))
            except (KeyError, TypeError, ValueError):
                return
            with self._lock:
                if name in self._open:
                    self._open[name] = replace(self._open[name], progress=progress)
            self._changed()

        return hear

    def _over(self, run: Run) -> Run:
        run = replace(run, ended=now())
        with contextlib.suppress(SscardError):  # a folder that somebody removed
            run = replace(run, came=outcome.of_run(run, self.store.folder(run.id) / command.REPORT))
        with contextlib.suppress(OSError, SscardError):
            self.store.put(run)
        with self._lock:
            self._open.pop(run.id, None)
            self._lock.notify_all()
        self._changed()
        return run


def _last_line(path: Path) -> str:
    """What a command that could not run at all said of it."""
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    return next((one.strip()[:LINE] for one in reversed(lines) if one.strip()), "")


def _on_slot(asked: Asked) -> bool:
    return getattr(asked, "slot", None) is not None


class _Output:
    """Keeps the beginning of what two streams print, as it comes."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._room = KEPT
        self._lock = threading.Lock()

    def take(self, data: bytes) -> None:
        """Some more of it."""
        with self._lock, contextlib.suppress(OSError):  # a full disk ends no run
            self._file.write(data[: self._room])
            self._file.flush()
            self._room -= len(data[: self._room])


class _Lines:
    """Takes the lines that say how far a run is out of its errors; the others are kept."""

    def __init__(self, kept: _Output, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self._kept, self._hear = kept, hear
        self._rest = b""

    def take(self, data: bytes) -> None:
        """Some more of the stream; empty at its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(MARK):
                with contextlib.suppress(ValueError, AttributeError, KeyError):
                    self._hear(json.loads(line)["progress"])
            else:
                self._kept.take(line + b"\n")
        if len(self._rest) > CHUNK or not data:
            self._kept.take(self._rest)
            self._rest = b""


def _read(handle: int, take: Callable[[bytes], None]) -> None:
    """Reads a pipe to its end."""
    try:
        while chunk := os.read(handle, CHUNK):
            take(chunk)
    finally:
        os.close(handle)
        take(b"")
