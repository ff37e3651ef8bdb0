"""The examples in Python and C, with cards in readers and through the driver library; the others are in tests/deep."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.examples import (
    COUNTER,
    PCSC,
    READERS,
    WARNINGS,
    Command,
    a_conversation,
    a_counters_work,
    in_c,
    passes_an_empty_reader_over,
)
from tests.kit.served import Served, serving

IN_PYTHON: Command = (sys.executable, PCSC / "read_card.py")


@pytest.fixture(scope="module")
def read_card(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return in_c(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(*READERS, cards=2) as one:
        yield one


@pytest.mark.pcsc
def test_pyscard(served: Served) -> None:
    a_conversation(IN_PYTHON, served.readers)


@pytest.mark.pcsc
def test_c(served: Served, read_card: Command) -> None:
    a_conversation(read_card, served.readers)


@pytest.mark.pcsc
def test_both_pass_an_empty_reader_over(tmp_path: Path, read_card: Command) -> None:
    passes_an_empty_reader_over([IN_PYTHON, read_card], tmp_path)


def test_the_driver_library_from_c(built: Path, tmp_path: Path) -> None:
    program = tmp_path / "read_card"
    subprocess.run(
        ["gcc", *WARNINGS, f"-I{built}", str(COUNTER / "read_card.c"), f"-L{built}", "-lSSCardDriver",
         f"-Wl,-rpath,{built}", "-o", str(program)],
        check=True,
    )  # fmt: skip
    a_counters_work((program,), tmp_path)
