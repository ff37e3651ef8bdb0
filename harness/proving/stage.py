"""Where a program meets its cards: readers of its own with the cards in them, or the driver library alone.

Readers are made ready beforehand: while one program runs, pcscd takes the cards of what will probably be the next run,
as it looks for cards every 400 ms only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import util
from pathlib import Path

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.reader.slot import Card
from harness.driver import endpoint
from harness.driver.clients import Clients
from harness.driver.readers import Given
from harness.driver.server import Server
from harness.driver.traced import CallTrace
from harness.proving.run_folder import run_folder
from harness.proving.situation import Situation
from harness.readers import names
from harness.readers.connection import Connection, InProcess
from harness.serving.contactless import ContactlessReader
from harness.serving.private_readers import Exchangeable, PrivateReaders, private_readers
from harness.serving.reader_profiles import SYSTEMS, Shaped
from harness.serving.timing import usual_over
from harness.trace.record import Trace

DRIVER, DRIVER_COMMAND = "SSCARD_DRIVER", "SSCARD_DRIVER_COMMAND"
MOST_WAITING = 2
"""Readers that are made ready and not yet used, in one process."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a program is given. ``spared``: a server of ours that it may start has this in its command line."""

    folder: Path
    environment: dict[str, str]
    spared: str = ""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Readers whose cards were put in beforehand, and what ends them."""

    folder: Path
    readers: PrivateReaders
    cards: tuple[Exchangeable, ...]
    held: contextlib.ExitStack


_waiting: dict[tuple[bytes, ...], _Waiting] = {}
_ours = threading.Lock()


def _key(cards: list[Card]) -> tuple[bytes, ...]:
    return (os.getpid().to_bytes(8, "big"), *(one.atr for one in cards))


def shaped(chip: Chip, situation: Situation) -> Card:
    """The chip as its reader gets it: under a system's habits, slow if asked."""
    card: Card = chip
    if situation.system != "linux" or situation.slow:
        timing = usual_over(situation.interface) if situation.slow else None
        card = Shaped(chip, SYSTEMS[situation.system], timing=timing)
    return ContactlessReader(card, chip) if chip.ats else card


def prepare(situation: Situation) -> None:
    """Makes readers ready for a run of this situation, and does not wait for them. PcscError, OSError."""
    cards: list[Card] = [Chip(situation.card(), interface=situation.interface)]
    if (own := situation.own_card()) is not None:
        cards.append(Chip(own))
    key = _key(cards)
    with _ours:
        if key in _waiting:
            return
        while len(_waiting) >= MOST_WAITING:
            _waiting.pop(next(iter(_waiting))).held.close()
        if not _waiting:
            util.Finalize(None, clear, exitpriority=0)  # at the end of a pool's process too, which atexit is not told
        _waiting[key] = _made(cards, situation.interface)


def arranged(interface: Interface, count: int) -> names.Arrangement:
    """So many readers, the first of them for a card over this interface, called so that programs know."""
    first = names.VIRTUAL_CONTACTLESS if interface is Interface.CONTACTLESS else names.VIRTUAL
    return names.Arrangement.of([first, *[names.VIRTUAL] * (count - 1)])


def _made(cards: list[Card], interface: Interface) -> _Waiting:
    exchangeable = tuple(map(Exchangeable, cards))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        readers = stack.enter_context(private_readers(exchangeable, folder, arranged(interface, len(cards))))
        return _Waiting(folder, readers, exchangeable, stack.pop_all())


def clear() -> None:
    """Ends the readers of this process that wait for a run."""
    with _ours:
        while _waiting:
            key, one = _waiting.popitem()
            if key[0] == os.getpid().to_bytes(8, "big"):  # a fork's parent ends its own
                one.held.close()


def _driver_socket(folder: Path) -> Path:
    """Where SSCardDriver is served: in a folder of its own, as who serves locks it."""
    own = folder / "driver"
    own.mkdir()
    return own / "socket"


@contextlib.contextmanager
def in_readers(cards: list[Card], interface: Interface) -> Iterator[Stage]:
    """PC/SC of its own with these cards in its readers, in order; SSCardDriver, should the program load it, is served
    over it. PcscError, OSError.
    """
    with _ours:
        found = _waiting.pop(_key(cards), None)
    found = found or _made(cards, interface)
    with found.held:
        found.readers.wait()
        for place, card in zip(found.cards, cards, strict=True):
            place.exchange(card)
        path = _driver_socket(found.folder)
        command = Path(sys.executable).with_name("sscard")
        yield Stage(
            found.folder,
            {
                **found.readers.environment,
                DRIVER: f"unix:{path}",
                DRIVER_COMMAND: str(command) if command.exists() else shutil.which("sscard") or "sscard",
            },
            spared=str(path),
        )


@contextlib.contextmanager
def driver_only(chip: Chip, card: Card, own: Chip | None, trace: Trace) -> Iterator[Stage]:
    """SSCardDriver over these cards, without any reader. PlaceError, OSError."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        listener = endpoint.unix(_driver_socket(folder))
        stack.callback(listener.close)

        def user(_kind: int) -> Connection:
            return InProcess(chip, through=card)

        readers = Given(user, lambda: InProcess(own) if own else None)
        server = Server(Clients(readers, layout=chip.image.layout, calls=CallTrace(trace)), [listener])
        thread = threading.Thread(target=server.serve, name="driver", daemon=True)
        thread.start()

        def end() -> None:
            server.stop()
            thread.join()
            server.close()

        stack.callback(end)
        yield Stage(folder, {DRIVER: listener.name})
