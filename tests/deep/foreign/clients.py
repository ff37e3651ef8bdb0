"""What the tests of other people's clients share: how one is run, and the conversation that each holds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from emulator import catalogue
from tests.kit.cards import SSSE

ROOT = Path(__file__).parents[3]
SOURCES = Path(__file__).parent
INSTALLED = ROOT / "build/foreign"
"""Where scripts/setup.sh puts what does not come from Debian as a program."""
MODULES = ROOT / "build/node/node_modules"
DEADLINE = 60.0
"""Seconds that one client may take: compilers and virtual machines start slowly on a busy machine."""

ATR = "3B6D00000081544C908684510151010001"
GET_RESPONSE = "00C000001E"
FCI = {
    algorithm: f"6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C0386010{number}"
    for algorithm, number in (("3des", 1), ("sm4", 3))
}
"""SSSE's: its name (84), its directory's short id (88), and in the issuer's part (9F0C) the card's algorithm (86)."""
CARD_MANAGER = "A000000003000000"
"""GlobalPlatform's card manager, which most tools for cards look for, and this card has not."""


def program(name: str | Path) -> str:
    """A client's path. Fails the test where `make deep` did not install it: nothing is skipped."""
    found = shutil.which(str(name))
    if not found:
        pytest.fail(f"{name} is missing: scripts/setup.sh deep installs it, and says why where it could not")
    return found


def needed(path: Path) -> Path:
    """A file of a client's. Fails the test as `program` does."""
    if not path.exists():
        pytest.fail(f"{path} is missing: scripts/setup.sh deep installs it, and says why where it could not")
    return path


def said(
    *command: str | Path,
    entered: str = "",
    expect: int | None = 0,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Runs a client to its end, with ``entered`` for its input; what it said on both outputs. ``expect`` is its exit
    code, None any but a signal's.
    """
    done = subprocess.run(
        [program(command[0]), *map(str, command[1:])],
        input=entered,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=DEADLINE,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        check=False,
    )
    as_expected = done.returncode == expect if expect is not None else done.returncode >= 0
    assert as_expected, f"{command}: {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout


# --- the conversation ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """A command, the answer that the card owes it, both in hex, and why."""

    command: str
    answer: str
    why: str
    followed: str = ""
    """The answer to a client or a reader that follows 61xx and 6Cxx by itself, where that is another."""


def record(tag: str, value: bytes, size: int) -> str:
    """An item as READ RECORD gives it: its tag, its length, its value filled up with 00; then 9000."""
    return f"{tag}{size:02X}{value.hex().upper()}{'00' * (size - len(value))}9000"


def conversation(layout: str, algorithm: str) -> list[Exchange]:
    """What any client may say to the adult's card after a reset. Answers are those of T=0: 61xx and 6Cxx are told."""
    values = catalogue.persona("adult-chengdu").values
    issuer, holder = values["SSSE/EF05"], values["SSSE/EF06"]
    number = record("07", issuer["07"].encode(), 9)
    name = record("09", holder["09"].encode("gbk"), 30) if layout == "2.00" else "6982"
    return [
        Exchange(SSSE, "611E", "the FCI has 30 bytes", f"{FCI[algorithm]}9000"),
        Exchange(GET_RESPONSE, f"{FCI[algorithm]}9000", "the FCI"),
        Exchange("00B2072C0B", number, "the card's number, free for all"),
        Exchange("00B2052C06", record("05", bytes.fromhex(issuer["05"]), 4), "the date of issue, in BCD"),
        Exchange("00B2072C00", "6C0B", "the right length is told", number),
        Exchange("00A4020002EF06", "9000", "the cardholder's basic data"),
        Exchange("00B2090020", name, "the name: free on 2.00; on 3.00 RKSSSE is to be won first"),
        Exchange(f"00A4040008{CARD_MANAGER}", "6A82", "no such application"),
        Exchange("00A4020002EFFF", "6A82", "no such file"),
        Exchange("00B2632C0B", "6A83", "no such record"),
        Exchange("0020000000", "63C3", "how many tries are left"),
        Exchange("0020000003999999", "63C2", "a wrong PIN"),
        Exchange("0020000003123456", "9000", "the right PIN"),
        Exchange("0020000000", "63C3", "all tries are back"),
        Exchange("00FF000000", "6D00", "no such instruction"),
        Exchange("E0A4000000", "6E00", "no such class"),
    ]


def followed(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The same, as a client has it that follows 61xx and 6Cxx, or whose reader does."""
    return [replace(one, answer=one.followed or one.answer) for one in exchanges if one.command != GET_RESPONSE]


def holds(exchanges: Sequence[Exchange], told: str) -> None:
    """A client's output is the card's ATR, then an answer a line, each as the card owes it."""
    atr, *answers = told.split()
    assert atr == ATR
    assert len(answers) == len(exchanges), told
    for one, answer in zip(exchanges, answers, strict=True):
        assert answer == one.answer, f"{one.command}: {one.why}"
