"""The command table, read from the instruction classes themselves."""

from __future__ import annotations

from typing import Any

from emulator.apdu.instructions import INSTRUCTIONS
from emulator.apdu.instructions.base import Instruction, spans
from harness.sources.register import register

HEAD = """# The cards' commands

Generated from the instruction classes by `sscard commands --markdown`; a test fails when the two differ.
本表由指令类生成。

Status words are those besides 9000, 61xx, 6D00 and 6E00; `63Cx` and `6Cxx` stand for their families. The grade ends the
source: S settled, T text of the standard's family, 1 one source, P ISO or PBOC, D decided here. Every command answers
6A81 once the card is blocked, 9303 in an application blocked for ever, 6985 in one blocked for a time and, within the
social security environment, before activation; 6E00 goes to classes that name a logical channel, ISO's own secure
messaging or a chain, as to any other that is unknown.
"""
TITLES = {"user": "The social security card 社会保障卡", "psam": "The PSAM, the terminal's own card 终端PSAM卡"}


def _status(word: int) -> str:
    return {0x63C0: "63Cx", 0x6C00: "6Cxx"}.get(word, f"{word:04X}")


def _p1p2(kind: type[Instruction]) -> str:
    if kind.p1p2:
        return ", ".join(f"{value:04X} {meaning}" for value, meaning in kind.p1p2.items())
    return (kind.parameters.__doc__ or "").rstrip(".") or "see below"


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
        "messaging": "always" if kind.protected else "possible" if kind.secured else "",
        "status": [_status(word) for word in kind.status],
        "cards": list(kind.cards),
        "versions": kind.versions,
        "source": register().readable(kind.source),
    }


def rows() -> list[dict[str, Any]]:
    """Every command of every kind of card."""
    return [row(kind) for kind in INSTRUCTIONS]


def markdown() -> str:
    """Returns the text of docs/reference/commands.md."""
    parts = [HEAD]
    for card, title in TITLES.items():
        parts.append(f"\n## {title}\n\n| command | CLA | INS | P1 P2 | Lc | answer | secure messaging | status words"
                     " | versions | source, grade |\n|" + " --- |" * 10 + "\n")  # fmt: skip
        for one in rows():
            if card in one["cards"]:
                cells = (
                    f"{one['name']} {one['name_zh']}", one["cla"], one["ins"], one["p1p2"], one["lc"], one["answer"],
                    one["messaging"], " ".join(one["status"]), one["versions"], one["source"],
                )  # fmt: skip
                parts.append("| " + " | ".join(cells) + " |\n")
    return "".join(parts)
