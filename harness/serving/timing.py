"""How long a card takes: a contact card as it is usually taken for, or one that was timed by ``sscard learn``.

``timing.json`` says it of one card: seconds until the answer to reset begins, for a byte on the wire, for a write to
the non-volatile memory, and of the card's own work, by instruction and for those that were not timed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.frozen import frozen
from emulator.interface import Interface
from emulator.messages import _
from emulator.textfiles import as_json

FILE = "timing.json"
VERSION = 1
BAUD = 9600
ETU_PER_BYTE = 12
"""Start bit, 8 data bits, parity, and two of guard time. [P]"""
PROCEDURE_BYTES = 1
COMMAND_TIME = 0.004
WRITE_TIME = 0.003
RESET_TIME = 0.05
"""Seconds of a card's own work per command, per non-volatile write, and until its ATR begins. [D]"""
LONGEST = 60.0
"""Seconds that a profile may ask for at most, for one thing: more is a mistake. [D]"""
MOST_PAIRS = 200
"""Timings of one instruction that are held against each other, evenly chosen."""


class TimingError(SscardError, ValueError):
    """A file that is no timing profile: which, where in it, and what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Timed:
    """One exchange as a terminal saw it: the INS byte, bytes of command and answer, seconds."""

    ins: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of everything that takes time. ``commands``: of an instruction's own work, by its INS; ``command``: of
    any other's.
    """

    reset: float = RESET_TIME
    byte: float = ETU_PER_BYTE / BAUD
    write: float = WRITE_TIME
    command: float = COMMAND_TIME
    commands: Mapping[int, float] = field(default_factory=dict)

    def of_reset(self, atr: bytes) -> float:
        """From power or reset to the last byte of the ATR."""
        return self.reset + self.byte * len(atr)

    def of_command(self, command: bytes, answer: bytes, writes: int) -> float:
        """From a command's first byte to its answer's last."""
        own = self.commands.get(command[1], self.command) if len(command) > 1 else self.command
        return own + self.write * writes + self.byte * on_the_wire(command, answer)

    def text(self) -> str:
        """The content of ``timing.json``."""
        table = {
            "timing": VERSION,
            **{name: round(getattr(self, name), 6) for name in ("reset", "byte", "write", "command")},
            "commands": {f"{ins:02X}": round(seconds, 6) for ins, seconds in sorted(self.commands.items())},
        }
        return json.dumps(table, indent=1) + "\n"

    @classmethod
    def fitted(cls, timed: Iterable[Timed], resets: Iterable[tuple[int, float]] = ()) -> Timing:
        """The profile of a card that was timed; what was not (writes; resets, commands and bytes if there are none) as
        usual. ``resets``: bytes of the ATR, and seconds from reset to its last.

        Robust against single commands that the system held up: medians, of the slope of any two of an instruction's
        timings for a byte, and of what is left for its own work.
        """
        by_ins: dict[int, list[Timed]] = {}
        for one in timed:
            by_ins.setdefault(one.ins, []).append(one)
        slopes = [
            (one.seconds - other.seconds) / (one.size - other.size)
            for those in by_ins.values()
            for one, other in combinations(those[:: len(those) // MOST_PAIRS + 1], 2)
            if one.size != other.size
        ]
        byte = max(0.0, median(slopes)) if slopes else cls().byte
        commands = {
            ins: max(0.0, median(one.seconds - byte * one.size for one in those)) for ins, those in by_ins.items()
        }
        took = [max(0.0, seconds - byte * size) for size, seconds in resets]
        return cls(
            reset=median(took) if took else RESET_TIME,
            byte=byte,
            command=median(commands.values()) if commands else COMMAND_TIME,
            commands=frozen(commands),
        )

    @classmethod
    def load(cls, path: Path) -> Timing:
        """A profile from its file, or from the folder that ``sscard learn`` wrote it to. TimingError, FormatError,
        OSError.
        """
        path = path / FILE if path.is_dir() else path
        table = as_json.load(path)
        if not isinstance(table, dict) or table.get("timing") != VERSION:
            raise TimingError(
                _(
                    "{path}: expected a timing profile as `sscard learn` writes it (timing.json, version {version})"
                ).format(path=path, version=VERSION)
            )
        names = ("reset", "byte", "write", "command")
        unknown = sorted(set(table) - {"timing", "commands", *names})
        commands = table.get("commands", {})
        if unknown or not isinstance(commands, dict):
            raise TimingError(
                _("{path}: {key}: expected only {names}, and a table commands").format(
                    path=path, key=unknown[0] if unknown else "commands", names=", ".join(names)
                )
            )
        for ins in commands:
            if not re.fullmatch("[0-9A-F]{2}", ins):
                raise TimingError(
                    _("{path}: commands.{ins}: expected an instruction (INS) in two hex digits").format(
                        path=path, ins=ins
                    )
                )
        return cls(
            **{name: _seconds(path, name, table[name]) for name in names if name in table},
            commands=frozen(
                {int(ins, 16): _seconds(path, f"commands.{ins}", value) for ins, value in commands.items()}
            ),
        )


USUAL = Timing()
"""A contact card at 9600 bit/s."""
IN_A_FIELD = Timing(reset=0.01, byte=9 / (13.56e6 / 128))
"""A contactless card at 106 kbit/s, a parity bit with each byte [P: iso14443-3]; until it is selected [D]."""


def usual_over(interface: Interface) -> Timing:
    """As fast as cards usually are over this interface."""
    return IN_A_FIELD if interface is Interface.CONTACTLESS else USUAL


def on_the_wire(command: bytes, answer: bytes) -> int:
    """Bytes that an exchange takes under T=0, the procedure byte among them."""
    return len(command) + PROCEDURE_BYTES + len(answer)


def _seconds(path: Path, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
        raise TimingError(
            _("{path}: {key}: expected seconds from 0 to {longest}, found {value!r}").format(
                path=path, key=key, longest=f"{LONGEST:g}", value=value
            )
        )
    return float(value)
