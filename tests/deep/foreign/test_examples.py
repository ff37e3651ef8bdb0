"""The examples in C#, Java and Node, as their heads say how to run them; those in Python and C are in tests/e2e."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import native
from tests.deep.foreign.clients import MODULES, needed, program, said
from tests.deep.foreign.conftest import PRIVATE
from tests.kit.examples import (
    COUNTER,
    PCSC,
    READERS,
    Command,
    a_conversation,
    a_counters_work,
    passes_an_empty_reader_over,
)
from tests.kit.served import Served, serving

JNA = Path("/usr/share/java/jna.jar")
LIBRARY = f"-Dsun.security.smartcardio.library=/usr/lib/{platform.machine()}-linux-gnu/libpcsclite.so.1"
BEFORE_2022 = "?"
"""What mono makes of a character that GB 18030 moved in 2022: its tables are older."""


def in_csharp(folder: Path, example: Path) -> Command:
    shutil.copy(example / "ReadCard.cs", folder)
    if (example / "ReadCard.exe.config").exists():
        shutil.copy(example / "ReadCard.exe.config", folder)
    said("mcs", "ReadCard.cs", folder=folder)
    return program("mono"), folder / "ReadCard.exe"


def in_java(folder: Path, example: Path, *options: str) -> Command:
    said("javac", "-encoding", "UTF-8", "-cp", needed(JNA), "-d", folder, example / "ReadCard.java")
    return program("java"), *options, "-cp", f"{folder}:{JNA}", "ReadCard"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Command]:
    needed(MODULES / "smartcard")
    return {
        "C#": in_csharp(tmp_path_factory.mktemp("csharp"), PCSC),
        "Java": in_java(tmp_path_factory.mktemp("java"), PCSC, LIBRARY),
        "Node": ("env", f"NODE_PATH={MODULES}", program("node"), PCSC / "read_card.js"),
    }


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--private", *READERS, cards=2) as one, pytest.MonkeyPatch.context() as patch:
        (told,) = [line for line in one.seen if line.startswith(PRIVATE)]
        patch.setenv(*told.split("=", 1))
        yield one


@pytest.mark.parametrize("language", ["C#", "Java", "Node"])
def test_through_pcsc(language: str, programs: dict[str, Command], served: Served) -> None:
    a_conversation(programs[language], served.readers)


def test_all_pass_an_empty_reader_over(programs: dict[str, Command], tmp_path: Path) -> None:
    passes_an_empty_reader_over(list(programs.values()), tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native.built(tmp_path_factory.mktemp("built"))


def test_the_driver_library_from_csharp(built: Path, tmp_path: Path) -> None:
    a_counters_work(in_csharp(tmp_path, COUNTER), tmp_path, rare=BEFORE_2022, LD_LIBRARY_PATH=str(built))


def test_the_driver_library_from_java(built: Path, tmp_path: Path) -> None:
    a_counters_work(in_java(tmp_path, COUNTER, f"-Djna.library.path={built}"), tmp_path)


def test_the_driver_library_from_node(built: Path, tmp_path: Path) -> None:
    needed(MODULES / "koffi")
    command = (program("node"), COUNTER / "read_card.js", built / "libSSCardDriver.so")
    a_counters_work(command, tmp_path, NODE_PATH=str(MODULES))
