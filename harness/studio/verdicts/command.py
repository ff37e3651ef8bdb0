"""The command line of a run: the very same `sscard` that is typed, so that a page judges as the command does."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.readers import pcsc
from harness.serving.control import Running
from harness.studio.verdicts.programs import NamedProgram
from harness.studio.verdicts.requests import (
    Asked,
    ProveRequest,
    ScenariosRequest,
    SessionRequest,
    SweepRequest,
    VectorsRequest,
    pin_of,
)

SSCARD = (sys.executable, "-P", "-c", "import sys; from sscard.command import main; sys.exit(main())")
"""The command, whatever is on PATH."""
REPORT, TRACE = "report", "trace.jsonl"
"""The folder and the file of a run's own folder."""
TEST_KEYS = "test"
"""Roots of the cards that are made here."""
PIN = "SSCARD_PIN"


class SlotError(SscardError, RuntimeError):
    """The slot has no card that could be judged."""

    kind = ErrorKind.REFUSED
    word = "slot"


@dataclass(frozen=True, slots=True)
class Command:
    """What is started: ``argv`` after the command's name; ``cwd``: None for the run's own folder; ``environment``:
    beside this process's own.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def made(
    asked: Asked, folder: Path, programs: Mapping[str, NamedProgram], cwd: Path, run: Running | None = None
) -> Command:
    """The command of a request that was checked. ``folder``: the run's own; ``cwd``: where named programs are played;
    ``run``: whose slots are meant. SlotError.
    """
    common = ["--progress", "json", "--report", str(folder / REPORT)]
    if not isinstance(asked, ScenariosRequest) and asked.product:
        common.append(f"--product={asked.product}")
    match asked:
        case VectorsRequest():
            told, environment = _on_slot(asked, run) if asked.slot is not None else ([], {})
            told += [f"--profile={one}" for one in asked.profiles]
            told += [f"--layout={asked.layout}"] if asked.layout else []
            told += [*_each("--only", asked.only), *_each("--item", asked.items)]
            return Command(("vectors", "run", *common, *told), environment=environment)
        case ScenariosRequest():
            told = [*_each("--only", asked.only), *_each("--profile", asked.profiles)]
            return Command(("scenarios", "run", *common, *told))
        case ProveRequest():
            told = [*_each("--situation", asked.situations), *_driver(driver=asked.driver)]
            told += _number("--seed", asked.seed) + _number("--timeout", asked.timeout)
            return Command(("prove", *common, *told, "--", *programs[asked.program].argv), cwd)
        case SweepRequest():
            told = ["--sweep", *_each("--situation", [asked.situation] if asked.situation else [])]
            told += [*_driver(driver=asked.driver), *_number("--limit", asked.limit), *_number("--seed", asked.seed)]
            told += [*_number("--minutes", asked.minutes), *_each("--prints", asked.prints)]
            told += _each("--prints-not", asked.prints_not)
            return Command(("prove", *common, *told, "--", *programs[asked.program].argv), cwd)
        case SessionRequest():
            told = [one for one in common if one not in ("--progress", "json")]
            return Command(("monitor", str(folder / TRACE), *told))


def _on_slot(asked: VectorsRequest, run: Running | None) -> tuple[list[str], dict[str, str]]:
    rows = run.table.get("slots", []) if run is not None else []
    row = next((one for one in rows if one.get("slot") == asked.slot), None)
    if run is None or row is None:
        raise SlotError(_("there is no such slot here"))
    if "far" in run.table:
        raise SlotError(_("the card is in another machine's reader: run the vectors there, with sscard vectors run"))
    if not row.get("inserted"):
        raise SlotError(_("slot {slot} is empty: put a card in").format(slot=asked.slot))
    told = [f"--reader={row['reader']}", f"--card={row['atr']}", f"--keys={TEST_KEYS}"]
    told += ["--allow-destructive"] if asked.allow_destructive else []
    environment = {}
    if asked.persona:
        told.append(f"--persona={asked.persona}")
        environment[PIN] = pin_of(asked.persona)
    if isinstance(place := run.table.get("pcsc"), str) and Path(place).is_absolute():
        environment[pcsc.SOCKET_VARIABLE] = place
    return told, environment


def _each(name: str, values: Sequence[str]) -> list[str]:
    """``--name=value``, so that no value is taken for an option."""
    return [f"{name}={one}" for one in values]


def _number(name: str, value: float | None) -> list[str]:
    return [] if value is None else [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"]


def _driver(*, driver: bool) -> list[str]:
    return ["--driver"] if driver else []
