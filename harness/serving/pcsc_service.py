"""PC/SC for virtual cards: the pcscd that runs on this machine, or one started for them; its slots that are free."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.messages import _
from harness.readers import pcsc
from harness.serving import control


@dataclass(frozen=True, slots=True)
class Place:
    """Where a slot's card goes: a reader by its PC/SC name, and vpcd's port of it."""

    reader: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """PC/SC for the cards. ``port``: of its first virtual reader; ``process``: the pcscd started for them, None where
    one was running.
    """

    path: Path
    port: int
    process: subprocess.Popen[bytes] | None

    @property
    def told(self) -> dict[str, Any]:
        """How other runs know it again: not by its path, which may mean others elsewhere."""
        return {"pcsc": str(self.path), "service": _identity(self.path), "first_port": self.port}

    def places(self, count: int) -> list[Place]:
        """So many free slots of it, in order. PcscError."""
        names = pcsc.virtual_readers(count, every=self.process is None)
        every = [Place(name, self.port + number) for number, name in enumerate(names)]
        if self.process is not None:
            return every
        free = [one for one in self._empty(every) if one.reader not in self._held()]
        remedy = _("use --private for a pcscd of this run's own, or take cards out (`sscard card list` names them)")
        return self._heard(every, free, count, remedy, _(", or is in another network namespace (use --private)"))

    def lent(self, count: int) -> list[Place]:
        """So many empty slots of it for cards that are relayed, which no run will miss: those that none has come first.
        PcscError.
        """
        every = [Place(name, self.port + at) for at, name in enumerate(pcsc.virtual_readers(0, every=True))]
        held = self._held()
        free = sorted(self._empty(every), key=lambda one: one.reader in held)
        remedy = _("start `sscard run` with more --slots, or take cards out (`sscard card list` names them)")
        return self._heard(every, free, count, remedy, "")

    def _held(self) -> set[str]:
        """The readers of all runs of it, with cards in them or not."""
        return {row["reader"] for run in _neighbours(self.path) for row in run.table.get("slots", ())}

    def _empty(self, every: list[Place]) -> list[Place]:
        return [one for one in every if pcsc.wait_card(one.reader, present=False, timeout=0)]

    def _heard(self, every: list[Place], free: list[Place], count: int, remedy: str, elsewhere: str) -> list[Place]:
        """So many of those that are free. PcscError where there are too few, or nobody listens."""
        if len(free) < count:
            raise pcsc.PcscError(
                _(
                    "the pcscd at {path} has {count} of {count_2} virtual slots free, {count_3} are needed: {remedy}"
                ).format(path=self.path, count=len(free), count_2=len(every), count_3=count, remedy=remedy)
            )
        deaf = [one for one in free[:count] if not pcsc.listening(one.port)]
        if deaf:
            raise pcsc.PcscError(
                _(
                    "reader {reader!r} is free, but nobody listens at its port {port} here: its pcscd has "
                    "other ports (name the first with --port){elsewhere}"
                ).format(reader=deaf[0].reader, port=deaf[0].port, elsewhere=elsewhere)
            )
        return free[:count]


def _identity(path: Path) -> list[int]:
    """What tells one socket from all others of this machine, by whatever path; empty if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_dev, found.st_ino]


def _neighbours(path: Path) -> list[control.Running]:
    """This user's runs that use the pcscd at this socket."""
    identity = _identity(path)
    return [one for one in control.runs() if one.table.get("service") == identity]


def running(port: int | None = None) -> Service | None:
    """The pcscd that this process talks to, None where none answers. ``port``: of its first virtual reader, if it is
    known: else as those who started it say, or the usual one.
    """
    path = pcsc.socket_path()
    if not pcsc.answers(path):
        return None
    told = [one.table.get("first_port") for one in _neighbours(path)]
    told += [one.port for one in _started if one.path == path]
    return Service(path, port or next((one for one in told if isinstance(one, int)), pcsc.DEFAULT_PORT), None)


_started: list[Service] = []
"""What this process started and has not ended, for the cards that it puts in later."""


@contextlib.contextmanager
def pcsc_service(slots: int, port: int | None = None, *, private: bool = False) -> Iterator[Service]:
    """A pcscd that runs, or one started for so many slots. ``port``: of the first slot; None: any that is free.

    ``private``: one with a socket of its own, which this process finds by ``PCSCLITE_CSOCK_NAME``. PcscError.
    """
    with contextlib.ExitStack() as stack:
        path = pcsc.socket_path()
        if private:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-")), "pcscd.comm")
        elif found := running(port):
            yield found
            return
        port = port or pcsc.free_port(slots)
        service = Service(path, port, stack.enter_context(pcsc.pcscd(slots, port, path)))
        _started.append(service)
        stack.callback(_started.remove, service)
        if private:
            os.environ[pcsc.SOCKET_VARIABLE] = str(path)
        yield service
