"""The command table, read from the instruction classes themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulator.apdu.instructions import INSTRUCTIONS
from emulator.apdu.instructions.base import Instruction, spans
from emulator.messages import _, deferred
from emulator.sources import notes
from harness.messages.markdown import table
from harness.sources.register import register

HEAD = deferred("""# The cards' commands

Generated from the instruction classes by `sscard commands --markdown`; a test fails when the two differ.
本表由指令类生成。

Status words are those besides 9000, 61xx, 6D00 and 6E00; `63Cx` and `6Cxx` stand for their families. The grade ends the
source: S settled, T text of the standard's family, 1 one source, P ISO or PBOC, D decided here. Every command answers
6A81 once the card is blocked, 9303 in an application blocked for ever, 6985 in one blocked for a time and, within the
social security environment, before activation; 6E00 goes to classes that name a logical channel, ISO's own secure
messaging or a chain, as to any other that is unknown.
""")
TITLES = {
    "user": deferred("The social security card 社会保障卡"),
    "psam": deferred("The PSAM, the terminal's own card 终端PSAM卡"),
}
SEE_BELOW, ALWAYS, POSSIBLE = deferred("see below"), deferred("always"), deferred("possible")


def _status(word: int) -> str:
    return {0x63C0: "63Cx", 0x6C00: "6Cxx"}.get(word, f"{word:04X}")


def words(kind: type[Instruction]) -> Iterator[str]:
    """What a command's row says that is told in the user's language on the page."""
    yield from kind.p1p2.values() or [_parameters(kind)]
    yield from filter(None, (spans(kind.lengths), kind.answers, kind.versions, *notes(kind.source)))


def _parameters(kind: type[Instruction]) -> str:
    return (kind.parameters.__doc__ or "").rstrip(".") or SEE_BELOW


def _p1p2(kind: type[Instruction], say: Callable[[str], str] = str) -> str:
    if kind.p1p2:
        return ", ".join(f"{value:04X} {say(meaning)}" for value, meaning in kind.p1p2.items())
    return say(_parameters(kind))


def row(kind: type[Instruction]) -> dict[str, Any]:
    """One command, all values as text but for the lists."""
    return {
        "name": kind.name,
        "name_zh": kind.name_zh,
        "cla": "/".join(f"{cla:02X}" for cla in (kind.cla, *kind.secured)),
        "ins": f"{kind.ins:02X}",
        "p1p2": _p1p2(kind),
        "lc": spans(kind.lengths),
        "answer": kind.answers,
        "messaging": _messaging(kind),
        "status": [_status(word) for word in kind.status],
        "cards": list(kind.cards),
        "versions": kind.versions,
        "source": register().readable(kind.source),
    }


def _messaging(kind: type[Instruction]) -> str:
    return ALWAYS if kind.protected else POSSIBLE if kind.secured else ""


def rows() -> list[dict[str, Any]]:
    """Every command of every kind of card."""
    return [row(kind) for kind in INSTRUCTIONS]


def markdown() -> str:
    """Returns the text of docs/reference/commands.md."""
    named = (
        _("command"), "CLA", "INS", "P1 P2", "Lc", _("answer"), _("secure messaging"), _("status words"),
        _("versions"), _("source, grade"),
    )  # fmt: skip
    parts = [_(HEAD)]
    for card, title in TITLES.items():
        cells = (_cells(kind) for kind in INSTRUCTIONS if card in kind.cards)
        parts.append(f"\n## {_(title)}\n\n" + table(named, cells))
    return "".join(parts)


def _cells(kind: type[Instruction]) -> tuple[str, ...]:
    """A command's row of the page; its standard name stands beside the Chinese one in every language."""
    one = row(kind)
    return (
        f"{kind.name} {kind.name_zh}", one["cla"], one["ins"], _p1p2(kind, _), _(one["lc"]), _(kind.answers),
        _(one["messaging"]), " ".join(one["status"]), _(kind.versions), register().readable_to_people(kind.source),
    )  # fmt: skip
