"""The names of a memory's cells: typed inside, text in image files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    PIN_CELL,
    PURSE_CELL,
    UNBLOCKINGS_CELL,
    CellKey,
    file_cell,
    key_cell,
    state_cell,
    tries_cell,
)
from emulator.filesystem.memory.image import Image

IMAGES = Path(__file__).parents[4] / "data" / "images"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (PIN_CELL, "pin"),
        (PURSE_CELL, "purse"),
        (CARD_STATE, "state/card"),
        (ACTIVATION, "state/activation"),
        (UNBLOCKINGS_CELL, "tries/unblocking the PIN"),
        (file_cell("SSSE/EF05"), "file/SSSE/EF05"),
        (key_cell("IRK"), "key/IRK/1"),
        (key_cell("UKSSSE", 3), "key/UKSSSE/3"),
        (state_cell("DF04"), "state/DF04"),
        (tries_cell("PIN"), "tries/PIN"),
    ],
)
def test_a_cell_is_written_as_image_files_have_it(cell: CellKey, text: str) -> None:
    assert str(cell) == f"{cell}" == text


@pytest.mark.parametrize("version", catalogue.layouts())
def test_no_two_cells_of_a_card_are_written_alike(version: str) -> None:
    holder = personas.PSAM if version == "psam" else personas.DEFAULT
    cells = catalogue.card(holder, version, "3des").memory.snapshot()
    assert len({str(cell) for cell in cells}) == len(cells)
    assert all(isinstance(value, cell.kind.holds) for cell, value in cells.items())


@pytest.mark.parametrize("path", sorted(IMAGES.iterdir()), ids=lambda path: path.stem)
def test_an_image_comes_back_byte_for_byte_but_for_cells_that_it_lacked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    again = Image.from_text(text, path).to_text()
    before, after = json.loads(text)["cells"], json.loads(again)["cells"]
    assert {name: after[name] for name in before} == before
    assert Image.from_text(again, path).to_text() == again
