"""Runs for executors to do: functions that other processes can import."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from emulator import catalogue
from emulator.chip import Chip


class Refused(Exception):
    """What a run raised."""


def answers(commands: tuple[str, ...]) -> tuple[str, ...]:
    """What a fresh card answers to these commands."""
    chip = Chip(catalogue.card("adult-chengdu", "3.00", "3des"))
    chip.power_on()
    return tuple(chip.transmit(bytes.fromhex(one)).hex().upper() for one in commands)


def pid(_asked: object) -> int:
    return os.getpid()


def refused(asked: int) -> int:
    """Refuses what is odd."""
    if asked % 2:
        raise Refused(f"{asked} is odd")
    return asked


def dies(asked: tuple[Path, int]) -> int:
    """Run 1 kills its process: the first time, or every time where ``mark`` is not to be written."""
    mark, number = asked
    if number == 1 and not mark.exists():
        if mark.parent.exists():
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def waits(pipe: Path) -> None:
    """Says that it began, waits for ever, and says that it cleaned up."""
    with pipe.open("w") as told:
        try:
            told.write(f"{os.getpid()}\n")
            told.flush()
            signal.pause()
        finally:
            told.write("cleaned up\n")


def held_once(asked: tuple[Path, int, int]) -> int:
    """Notes that it began. The first run in one process, the one asked for, waits for ever, having told so."""
    folder, number, holding = asked
    with (folder / f"begun-{number}").open("a") as begun:
        begun.write(f"{os.getpid()}\n")
    if os.getpid() == holding:
        (folder / "pipe").write_text("held\n")
        signal.sigwait([])
    return number
