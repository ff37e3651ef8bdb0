"""PC/SC for virtual cards: the pcscd that runs on this machine, or one started for them; its slots that are free."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.messages import _
from emulator.reader.line import HERE, Line
from emulator.reader.slot import Slot
from harness.readers import names, pcsc
from harness.serving import control


@dataclass(frozen=True, slots=True)
class Place:
    """Where a slot's card goes: a reader by its PC/SC name, and vpcd's port of it."""

    reader: str
    port: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reader that is asked for. ``name``: how it is to be called, or begin where a pcscd runs already; empty: as the
    readers of its kind are. ``contactless``: its name is to say so; a contact reader's is not.
    """

    contactless: bool = False
    name: str = ""

    @property
    def named(self) -> str:
        """Its name where a pcscd is started for it, without pcscd's own numbers."""
        return self.name or (names.VIRTUAL_CONTACTLESS if self.contactless else names.VIRTUAL)

    def fits(self, reader: str) -> bool:
        """True if a reader of this name will do."""
        return reader.startswith(self.name) if self.name else names.says_contactless(reader) == self.contactless


CONTACT, CONTACTLESS = Wanted(), Wanted(contactless=True)


@dataclass(frozen=True, slots=True)
class Service:
    """PC/SC for the cards. ``port``: of its first virtual reader; ``process``: the pcscd started for them, None where
    one was running. ``known``: its virtual readers where those who started it say them, in order of their ports.
    """

    path: Path
    port: int
    process: subprocess.Popen[bytes] | None
    known: tuple[Place, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """How other runs know it again: not by its path, which may mean others elsewhere."""
        table = {"pcsc": str(self.path), "service": _identity(self.path), "first_port": self.port}
        return table | ({"readers": [[one.reader, one.port] for one in self.known]} if self.known else {})

    def places(self, wanted: Sequence[Wanted]) -> list[Place]:
        """A free slot of it for each of these, in order. PcscError where there are too few that fit, or that anybody
        listens to.
        """
        every = self._every(len(wanted))
        if self.process is not None:
            arranged = names.Arrangement.of([one.named for one in wanted])
            return [Place(reader, self.port + offset) for reader, offset in arranged.used]
        held = self._held()
        free = [one for one in self._empty(every) if one.reader not in held]
        remedy = _("use --private for a pcscd of this run's own, or take cards out (`sscard card list` names them)")
        chosen = self._fitting(wanted, every, free, remedy)
        return self._heard(chosen, _(", or is in another network namespace (use --private)"))

    @staticmethod
    def line(place: Place) -> Line:
        """How the driver of this place is reached: it listens on this machine."""
        return Line(HERE, place.port)

    @staticmethod
    def wait_taken(slot: Slot, place: Place) -> None:
        """Waits until PC/SC has powered this very card and says that it is there; PcscError."""
        if not slot.wait_powered(pcsc.POWER_TIMEOUT) or not pcsc.wait_card(place.reader):
            raise pcsc.PcscError(
                _(
                    "reader {reader!r} did not take the card at port {address} within {power_timeout:g} s: "
                    "another card program may hold that slot; see `sscard doctor`"
                ).format(reader=place.reader, address=place.port, power_timeout=pcsc.POWER_TIMEOUT)
            )

    @staticmethod
    def wait_left(place: Place) -> bool:
        """True once PC/SC says that no card is there, false after a while. PcscError."""
        return pcsc.wait_card(place.reader, present=False)

    def lent(self, count: int) -> list[Place]:
        """So many empty slots of it for cards that are relayed, which no run will miss: those that none has come first.
        PcscError.
        """
        every = self._every(0)
        held = self._held()
        free = sorted(self._empty(every), key=lambda one: one.reader in held)
        remedy = _("start `sscard run` with more --slots, or take cards out (`sscard card list` names them)")
        return self._heard(self._enough(count, every, free, remedy), "")

    def _every(self, least: int) -> list[Place]:
        """Its virtual readers: where nobody says which they are, those with vpcd's own name, in its order."""
        if self.known:
            pcsc.wait_readers([one.reader for one in self.known])
            return list(self.known)
        listed = pcsc.virtual_readers(least, every=True)
        return [Place(name, self.port + number) for number, name in enumerate(listed)]

    def _held(self) -> set[str]:
        """The readers of all runs of it, with cards in them or not."""
        return {row["reader"] for run in _neighbours(self.path) for row in run.table.get("slots", ())}

    def _empty(self, every: list[Place]) -> list[Place]:
        return [one for one in every if pcsc.wait_card(one.reader, present=False, timeout=0)]

    def _fitting(self, wanted: Sequence[Wanted], every: list[Place], free: list[Place], remedy: str) -> list[Place]:
        """One of those that are free for each that is wanted. PcscError."""
        left = self._enough(len(wanted), every, free, remedy, all_of_them=True)
        chosen = []
        for one in wanted:
            place = next((place for place in left if one.fits(place.reader)), None)
            if place is None:
                raise pcsc.PcscError(self._unfit(one, left))
            left.remove(place)
            chosen.append(place)
        return chosen

    def _unfit(self, wanted: Wanted, left: list[Place]) -> str:
        """No reader is as it is wanted: which there are, and what can be done."""
        there = ", ".join(repr(place.reader) for place in left) or _("none")
        if wanted.name:
            what = _("no free virtual reader's name begins with {name!r}").format(name=wanted.name)
        elif wanted.contactless:
            what = _("no free virtual reader's name says that it is contactless")
        else:
            what = _("no free virtual reader is a contact one by its name")
        return _(
            "the pcscd at {path} was running before and named its readers itself: {what}; free are {there}. Use "
            "--private for a pcscd of this run's own, whose readers get their names, or --reader-name to take one of "
            "those"
        ).format(path=self.path, what=what, there=there)

    def _enough(
        self, count: int, every: list[Place], free: list[Place], remedy: str, *, all_of_them: bool = False
    ) -> list[Place]:
        """So many of those that are free, or all of them. PcscError where there are too few."""
        if len(free) < count:
            raise pcsc.PcscError(
                _(
                    "the pcscd at {path} has {count} of {count_2} virtual slots free, {count_3} are needed: {remedy}"
                ).format(path=self.path, count=len(free), count_2=len(every), count_3=count, remedy=remedy)
            )
        return list(free if all_of_them else free[:count])

    @staticmethod
    def _heard(places: list[Place], elsewhere: str) -> list[Place]:
        """These places. PcscError where nobody listens at one."""
        deaf = [one for one in places if not pcsc.listening(one.port)]
        if deaf:
            raise pcsc.PcscError(
                _(
                    "reader {reader!r} is free, but nobody listens at its port {port} here: its pcscd has "
                    "other ports (name the first with --port){elsewhere}"
                ).format(reader=deaf[0].reader, port=deaf[0].port, elsewhere=elsewhere)
            )
        return places


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
    neighbours = _neighbours(path)
    mine = [one for one in _started if one.path == path]
    told = [one.table.get("first_port") for one in neighbours] + [one.port for one in mine]
    first = next((one for one in told if isinstance(one, int)), pcsc.DEFAULT_PORT)
    known = [_known(one.table.get("readers")) for one in neighbours] + [one.known for one in mine]
    places = next((one for one in known if one), ())
    if port is not None and port != first:
        places = tuple(Place(one.reader, one.port + port - first) for one in places)
    return Service(path, port or first, None, places)


def known_places(path: Path, port: int, listed: Sequence[str]) -> list[Place]:
    """The virtual readers among those that the pcscd at this socket lists: as a run says them that started it, else
    those with vpcd's own name, from ``port`` on or where a run says that the first is. Nothing is asked of PC/SC.
    """
    tables = [one.table for one in control.runs() if one.table.get("pcsc") == str(path)]
    told = next((known for table in tables if (known := _known(table.get("readers")))), ())
    if told:
        return [one for one in told if one.reader in listed]
    first = next((one for table in tables if isinstance(one := table.get("first_port"), int)), port)
    mine = [one for one in listed if one.startswith(names.VIRTUAL)]
    return [Place(name, first + number) for number, name in enumerate(mine)]


def _known(told: object) -> tuple[Place, ...]:
    """The readers of a pcscd, as a run of this or another release says them."""
    match told:
        case [*pairs]:
            return tuple(Place(name, port) for pair in pairs for name, port in _pair(pair))
    return ()


def _pair(told: object) -> list[tuple[str, int]]:
    match told:
        case [str(name), int(port)]:
            return [(name, port)]
    return []


_started: list[Service] = []
"""What this process started and has not ended, for the cards that it puts in later."""


@contextlib.contextmanager
def pcsc_service(wanted: Sequence[Wanted], port: int | None = None, *, private: bool = False) -> Iterator[Service]:
    """A pcscd that runs, or one started with readers as they are wanted. ``port``: of the first slot; None: any that is
    free.

    ``private``: one with a socket of its own, which this process finds by ``PCSCLITE_CSOCK_NAME``. PcscError.
    """
    with contextlib.ExitStack() as stack:
        path = pcsc.socket_path()
        if private:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-")), "pcscd.comm")
        elif found := running(port):
            yield found
            return
        arranged = names.Arrangement.of([one.named for one in wanted])
        port = port or pcsc.free_port(arranged.ports)
        known = tuple(Place(reader, port + offset) for reader, offset in arranged.every)
        service = Service(path, port, stack.enter_context(pcsc.pcscd(arranged, port, path)), known)
        _started.append(service)
        stack.callback(_started.remove, service)
        if private:
            os.environ[pcsc.SOCKET_VARIABLE] = str(path)
        yield service
