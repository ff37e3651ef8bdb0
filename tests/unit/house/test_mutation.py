"""Which changes of the chip the vectors are held against: what a terminal does is none of the chip's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mutation

INSTRUCTIONS = mutation.ROOT / "emulator" / "apdu" / "instructions"


def lines(file: Path, function: str) -> range:
    """The lines of the last function of this name in a file."""
    text = file.read_text(encoding="utf-8").split("\n")
    start = max(at for at, line in enumerate(text, 1) if line.startswith(f"    def {function}("))
    rest = enumerate(text[start:], start + 1)
    return range(start, next((at for at, line in rest if line.startswith(("    def ", "    @", "class "))), len(text)))


@pytest.mark.parametrize(
    ("name", "function", "broken"),
    [
        ("binary.py", "command", False),
        ("binary.py", "execute", True),
        ("transactions.py", "answer", False),
        ("transactions.py", "execute", True),
    ],
)
def test_what_a_terminal_builds_and_reads_is_left_alone(name: str, function: str, broken: bool) -> None:
    file = INSTRUCTIONS / name
    assert any(one.line in lines(file, function) for one in mutation.mutants(file)) is broken


@pytest.mark.parametrize("name", ["psam.py", "psam_keys.py"])
def test_the_terminals_own_card_is_left_apart(name: str) -> None:
    assert (INSTRUCTIONS / name).is_file()
    assert (INSTRUCTIONS / name).as_posix().endswith(mutation.APART)
