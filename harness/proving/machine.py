"""A machine that runs are done on: who it is, and what it has for them."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from enum import StrEnum

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.version import VERSION
from harness.readers import pcsc


class Need(StrEnum):
    """What a run needs of its machine besides this program."""

    PCSCD = "pcscd"
    """Readers of its own for virtual cards."""


RUN = "sscard"
"""Dask's resource that every run takes: a worker has one, so it does one run at a time, however many threads it has."""


def resource(need: Need) -> str:
    """The name of Dask's resource that stands for a need."""
    return f"{RUN}-{need}"


class CannotRun(SscardError):
    """No machine has what the runs need: which lacks what, and what mends it."""

    kind = ErrorKind.MISSING
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """``name``: host and process; ``version``: of this program there; ``lacking``: for each need that it does not meet,
    why, with the remedy.
    """

    name: str
    version: str
    lacking: tuple[tuple[Need, str], ...] = ()

    def why_not(self, needs: frozenset[Need]) -> str:
        """Why it gets no runs of these needs; empty where it gets them."""
        if self.version != VERSION:
            return _("has sscard {version}, this is {own}: install the same there").format(
                version=self.version, own=VERSION
            )
        return "; ".join(why for need, why in self.lacking if need in needs)


def here() -> Machine:
    """This machine, as it is now."""
    lacking = ((Need.PCSCD, "; ".join(map(str, pcsc.missing()))),)
    return Machine(name(), VERSION, tuple((need, why) for need, why in lacking if why))


def name() -> str:
    """Returns host and process, as ``desk-3:4711``."""
    return f"{socket.gethostname()}:{os.getpid()}"
