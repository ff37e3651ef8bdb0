"""What a sweep found: verdicts for the house's report, and the map of commands by faults, as text and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from string import ascii_letters, digits
from typing import Any

from emulator.messages import _, both
from harness.faults.plan import from_text
from harness.messages.columns import padded
from harness.proving.sweep import grid
from harness.proving.sweep.grid import Cell
from harness.proving.sweep.outcome import BAD, CHINESE, GOOD, Outcome, in_words
from harness.proving.sweep.store import Kept
from harness.proving.sweep.swept import Swept
from harness.verdicts.conclusion import Asked
from harness.verdicts.log import Heard
from harness.verdicts.subject import Grade, Proof, Subject
from harness.verdicts.verdict import UNCERTAIN, Result, Verdict

SOURCE = "the outcomes of a sweep [D]"
SIGNS = {
    Outcome.UNHARMED: ".",
    Outcome.NOTICED: "n",
    Outcome.RECOVERED: "r",
    Outcome.HARMED: "H",
    Outcome.CRASHED: "C",
    Outcome.HUNG: "W",
    Outcome.NOT_REACHED: "?",
    Outcome.UNDEFINED: "!",
}
"""How the map of a terminal shows an outcome."""
NOT_PLAYED, NOWHERE = "_", " "
WIDEST = 28
"""Columns of a command's name in the map."""
Again = Callable[[Cell], str]
"""The command line that plays a cell again."""


def verdict_of(kept: Kept) -> Verdict:
    """A cell's verdict: nothing is green whose output was not judged."""
    outcome = kept.judged.outcome
    if outcome in BAD:
        return Verdict.FAILED
    if outcome in GOOD:
        return Verdict.PASSED if kept.judged.output_judged else Verdict.MISSING
    return Verdict.UNDEFINED


def exit_code(swept: Swept) -> int:
    """1 where a cell is bad or the sound run breaks a rule; 4 where one could not be judged, or none was; else 0. Cells
    that a limit left out are told, and do not count.
    """
    found = {verdict_of(one) for one in swept.played}
    if Verdict.FAILED in found or swept.baseline.sound.broken:
        return 1
    return 0 if found == {Verdict.PASSED} else UNCERTAIN


def asked(swept: Swept, *, cut_short: bool = False) -> Asked:
    """What a sweep had to judge: every cell that it played, and one at least."""
    return Asked(lacking=() if swept.played else (_("one cell of the sweep"),), cut_short=cut_short)


def results(swept: Swept, again: Again) -> Iterator[Result]:
    """Every cell that was played as the house's reports have it, after the sound run."""
    broken = sorted(swept.baseline.sound.broken)
    sound = Verdict.FAILED if broken else Verdict.PASSED
    reason = _("without a fault it breaks {rules}").format(rules=", ".join(broken)) if broken else ""
    title = _("the sound run: {count} commands").format(count=len(swept.baseline.commands))
    yield Result(_subject("sound run", title, "无故障运行"), _profile(swept), sound, reason, swept.baseline.seconds)
    for one in swept.played:
        verdict = verdict_of(one)
        told = [*one.judged.reasons]
        if verdict is Verdict.MISSING:
            told.append(_("output not judged"))
        if verdict is not Verdict.PASSED:
            told = [f"{one.judged.outcome} {CHINESE[one.judged.outcome]}: {'; '.join(told)}", again(one.cell)]
        fault = from_text(one.cell.fault)
        name = swept.baseline.commands[one.cell.number - 1].instruction
        where = f"{one.cell.number} {name}"
        subject = _subject(str(one.cell), f"{where}: {fault.title}", f"{where}：{fault.title_zh}")
        yield Result(subject, _profile(swept), verdict, " · ".join(told), one.seconds)


def _profile(swept: Swept) -> str:
    return swept.request.situation.name


def _subject(name: str, title: str, title_zh: str) -> Subject:
    return Subject(name, title, title_zh, "sweep", Grade.OWN, SOURCE, proof=Proof.OWN)


def as_data(swept: Swept, again: Again) -> dict[str, Any]:
    """The map, as report.json has it under ``sweep``."""
    columns = grid.columns(swept.baseline.commands)
    return {
        "situation": swept.request.situation.name,
        "seed": swept.bounds.seed,
        "cells": len(swept.every),
        "asked_for": len(swept.chosen),
        "played": len(swept.played),
        "steady": swept.baseline.steady,
        "broken_without_fault": sorted(swept.baseline.sound.broken),
        "counts": {str(one): count for one, count in swept.counts.items()},
        "output_not_judged": _unjudged(swept),
        "outcomes": {str(one): CHINESE[one] for one in Outcome},
        "faults": [
            {"fault": one, "title": (fault := from_text(one)).title, "title_zh": fault.title_zh} for one in columns
        ],
        "commands": [
            {"number": one.number, "instruction": one.instruction, "sw": one.answer[-2:].hex().upper(),
             "writes": one.writes}
            for one in swept.baseline.commands
        ],
        "map": [
            {
                "number": one.cell.number,
                "fault": one.cell.fault,
                "outcome": str(one.judged.outcome),
                "verdict": verdict_of(one).value,
                "reasons": list(one.judged.reasons),
                "output_judged": one.judged.output_judged,
                "ended": one.ended,
                "seconds": round(one.seconds, 3),
                "again": again(one.cell),
            }
            for one in swept.played
        ],
        "possible": [[cell.number, cell.fault] for cell in swept.every],
    }  # fmt: skip


def heard(swept: Swept) -> Heard:
    """What names a sweep in a report: a digest over the outcomes of its cells, and the commands of the sound run."""
    told = "".join(f"{one.cell} {one.judged.outcome}\n" for one in swept.played)
    return Heard(sha256(told.encode()).hexdigest(), frozenset(), len(swept.baseline.commands))


def _unjudged(swept: Swept) -> int:
    return sum(one.judged.outcome in GOOD and not one.judged.output_judged for one in swept.played)


def as_text(swept: Swept, again: Again) -> Iterator[str]:
    """The map and what is bad in it, line by line, for a person at a screen; of cells that were named each one."""
    if swept.bounds.cells:
        yield from told_cells(swept, swept.played, again)
    else:
        yield from _map(swept)
        yield from told_cells(swept, [one for one in swept.played if one.judged.outcome not in GOOD], again)
    yield from summary(swept)


def _map(swept: Swept) -> Iterator[str]:
    columns = grid.columns(swept.baseline.commands)
    letters = dict(zip(columns, f"{ascii_letters}{digits}", strict=False))
    yield f"{' ' * (WIDEST + 5)}{''.join(letters.values())}"
    possible, played = frozenset(swept.every), swept.kept
    for command in swept.baseline.commands:
        signs = ""
        for fault in letters:
            cell = Cell(command.number, fault)
            kept = played.get(cell)
            signs += SIGNS[kept.judged.outcome] if kept else NOT_PLAYED if cell in possible else NOWHERE
        yield f"{command.number:4} {padded(command.instruction or '–', WIDEST)}{signs}".rstrip()
    yield ""
    for fault, letter in letters.items():
        model = from_text(fault)
        yield f"  {letter} {fault}: {both(model.title, model.title_zh)}"
    yield ""
    yield "  " + ", ".join(f"{sign} {in_words(one)}" for one, sign in SIGNS.items())
    yield _("  {sign} not played 未运行; empty: the fault has nothing to spoil there").format(sign=NOT_PLAYED)
    yield ""


def told_cells(swept: Swept, cells: Iterable[Kept], again: Again) -> Iterator[str]:
    """Cells: what, why, and the command line that plays each again."""
    for one in cells:
        name = swept.baseline.commands[one.cell.number - 1].instruction
        outcome = one.judged.outcome
        yield f"{SIGNS[outcome]} {one.cell}  {name}: {in_words(outcome)} ({one.ended})"
        for reason in one.judged.reasons:
            yield f"    {reason}"
        yield f"    {again(one.cell)}"


def summary(swept: Swept) -> Iterator[str]:
    """What it came to, in a few lines."""
    if broken := sorted(swept.baseline.sound.broken):
        yield _("without a fault it breaks {rules}: what faults add to that is told above").format(
            rules=", ".join(broken)
        )
    if not swept.baseline.steady:
        yield _("without a fault it does not take the same way twice: faults may miss their commands")
    counts = ", ".join(f"{count} {in_words(one)}" for one, count in swept.counts.items())
    yield _("{played} of {every} cells played: {counts}").format(
        played=len(swept.played), every=len(swept.every), counts=counts or "–"
    )
    if len(swept.chosen) < len(swept.every) or swept.left:
        yield _("a sample, seed {seed}: {count} cells are not played, and nothing is said of them").format(
            seed=swept.bounds.seed, count=len(swept.every) - sum(cell in swept.kept for cell in swept.every)
        )
    if count := _unjudged(swept):
        yield _(
            "{count} of them: output not judged 未判定输出, as nothing says what must be printed: say so by --prints "
            "and --prints-not, or in a plan"
        ).format(count=count)
