"""Runs as they are kept: a folder for each, so that history outlives the page.

``run.json`` says what was asked, when, how far it came and how it ended; ``report/`` is the command's report,
``output.txt`` the beginning of what it printed. A page that is there holds ``page.lock`` of each run that it has not
ended: a run whose lock nobody holds any more was interrupted, and is never green.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from emulator import filelock
from emulator.errors import ErrorKind, NotFound, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_json, writing
from emulator.textfiles.text import FormatError
from harness.verdicts.environment import now

FORMAT = 1
RECORD, LOCK, OUTPUT = "run.json", "page.lock", "output.txt"
FOLDER = Path("studio", "runs")
"""In the folder of what this user's programs keep."""
UNREADABLE = "unreadable"
"""The kind of a run of which nobody can say any more what it was."""
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


class State(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDING = "ending"
    """It was asked to end, and has not yet."""
    ENDED = "ended"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The page that began it is gone."""
    BROKEN = "broken"
    """It could not be begun: why."""


OPEN = frozenset({State.QUEUED, State.RUNNING, State.ENDING})


class RunsError(SscardError):
    """A run cannot be kept or is in use: why."""

    kind = ErrorKind.REFUSED
    word = "run"


class NoSuchRun(NotFound):
    """No run is called so."""

    word = "run"


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of so many, of which so many did not come out well; ``what``: the last one."""

    done: int = 0
    total: int = 0
    bad: int = 0
    what: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """``request``: what was asked, as JSON has it; times in ISO 8601, empty for what has not come; ``why``: of a run
    that could not be begun, or judge anything; ``came``: what its report comes to, see ``outcome``.
    """

    id: str
    request: Mapping[str, Any]
    state: State = State.QUEUED
    asked: str = ""
    began: str = ""
    ended: str = ""
    exit_code: int | None = None
    progress: Progress = field(default_factory=Progress)
    why: str = ""
    came: Mapping[str, Any] = field(default_factory=dict)

    def as_table(self) -> dict[str, Any]:
        """As run.json and the page have it."""
        return {"format": FORMAT, **asdict(self), "state": str(self.state)}

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> Run:
        """What ``as_table`` gave. KeyError, TypeError, ValueError for anything else."""
        told = {name: value for name, value in table.items() if name != "format"}
        if table["format"] != FORMAT or not isinstance(told["request"], dict):
            raise ValueError(table["format"])
        return cls(**{**told, "state": State(told["state"]), "progress": Progress(**told["progress"])})


class Store:
    """The runs of this user, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def folder(self, name: str) -> Path:
        """A run's own. NoSuchRun."""
        path = self._folder / name
        if not ID.fullmatch(name) or not path.is_dir():
            raise NoSuchRun(_("there is no such run: it may have been deleted"))
        return path

    def new(self, request: Mapping[str, Any]) -> Run:
        """A run that waits; its folder, held by this process. RunsError where it cannot be written."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        run = Run(name, request, asked=now())
        path = self._folder / name
        try:
            path.mkdir(parents=True, mode=0o700)
            handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            filelock.take(handle, wait=False)
            self._held[name] = handle
            self.put(run)
        except OSError as error:
            self._let_go(name)
            shutil.rmtree(path, ignore_errors=True)  # or it would stand in the history as one that cannot be read
            raise RunsError(
                _("runs cannot be kept here: {strerror}; set SSCARD_STATE to a folder of yours").format(
                    strerror=strerror(error)
                )
            ) from None
        return run

    def put(self, run: Run) -> None:
        """Writes how a run is, as a whole or not at all. A run that is over is held no longer."""
        path = self._folder / run.id / RECORD
        fresh = path.with_suffix(".new")
        try:
            with writing.named(path):
                fresh.write_text(json.dumps(run.as_table(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
                fresh.replace(path)
        finally:
            if run.state not in OPEN:  # on a full disk it is found interrupted, and can be deleted
                self._let_go(run.id)

    def get(self, name: str) -> Run:
        """A run. NoSuchRun, also for a folder that holds none."""
        path = self.folder(name)
        try:
            run = Run.of_table(as_json.load(path / RECORD))
        except (OSError, FormatError, KeyError, TypeError, ValueError):
            raise NoSuchRun(_("what is kept of this run cannot be read: delete it")) from None
        if run.state in OPEN and name not in self._held and self._is_left(path):
            run = replace(run, state=State.INTERRUPTED, ended=run.ended or now())
            with contextlib.suppress(OSError):  # in a folder that cannot be written it is found out again
                self.put(run)
        return run

    def names(self) -> list[str]:
        """The ids of all runs, the newest first."""
        return sorted((one.name for one in self._folder.glob("*") if ID.fullmatch(one.name)), reverse=True)

    def every(self) -> Iterator[Run]:
        """All runs, the newest first; one that cannot be read as what it is, so that it can be deleted."""
        for name in self.names():
            try:
                yield self.get(name)
            except NoSuchRun as error:
                if (self._folder / name).is_dir():
                    yield Run(name, {"kind": UNREADABLE}, State.BROKEN, why=str(error))

    def delete(self, name: str) -> None:
        """Removes a run that is over, with its report. NoSuchRun; RunsError for one that is not over."""
        path = self.folder(name)
        with contextlib.suppress(NoSuchRun):
            if self.get(name).state in OPEN:
                raise RunsError(_("it is not over: cancel it first"))
        shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Holds no run any longer."""
        for name in list(self._held):
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        handle = self._held.pop(name, None)
        if handle is not None:
            filelock.remove(handle, self._folder / name / LOCK)

    @staticmethod
    def _is_left(path: Path) -> bool:
        """True where no process holds the run."""
        try:
            handle = os.open(path / LOCK, os.O_RDWR)
        except OSError:
            return True
        try:
            filelock.take(handle, wait=False)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True
