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
        taken = {row["reader"] for run in _neighbours(self.path) for row in run.table.get("slots", ())}
        free = [
            one for one in every if one.reader not in taken and pcsc.wait_card(one.reader, present=False, timeout=0)
        ]
        if len(free) < count:
            raise pcsc.PcscError(
                f"the pcscd at {self.path} has {len(free)} of {len(every)} virtual slots free, {count} are needed: "
                f"use --private for a pcscd of this run's own, or take cards out (`sscard card list` names them)"
            )
        deaf = [one for one in free[:count] if not pcsc.listening(one.port)]
        if deaf:
            raise pcsc.PcscError(
                f"reader {deaf[0].reader!r} is free, but nobody listens at its port {deaf[0].port} here: its pcscd has "
                f"other ports (name the first with --port), or is in another network namespace (use --private)"
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
        elif pcsc.answers(path):
            told = [one.table.get("first_port") for one in _neighbours(path)]
            told += [one.port for one in _started if one.path == path]
            yield Service(path, port or next((one for one in told if isinstance(one, int)), pcsc.DEFAULT_PORT), None)
            return
        port = port or pcsc.free_port(slots)
        service = Service(path, port, stack.enter_context(pcsc.pcscd(slots, port, path)))
        _started.append(service)
        stack.callback(_started.remove, service)
        if private:
            os.environ[pcsc.SOCKET_VARIABLE] = str(path)
        yield service
