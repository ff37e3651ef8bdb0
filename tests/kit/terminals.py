"""The reference terminals as tests run them: what they are asked for, and what must and must not be printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.proving.runs import Expectation, RunRequest
from harness.proving.situation import Situation

TERMINALS = Path(__file__).parents[2] / "examples" / "terminals"
GOOD, BAD, IN_C = TERMINALS / "transfer.py", TERMINALS / "transfer_bad.py", TERMINALS / "transfer_driver.c"
PIN = "142857"
"""Of the persona pin-changed."""
PRINTS = (
    "^card 卡号: A00000310$",
    "^number 社会保障号码: 519900198802290016$",
    "^name 姓名: 测试改$",
    "^moved 已转移: 510700$",
)
PRINTS_NOT = ("^card 卡号: (?!A00000310$)", "^number 社会保障号码: (?!519900198802290016$)", "^name 姓名: (?!测试改$)")
PRINTS_IN_C = ("^card A00000310$", "^number 519900198802290016$", "^moved 510700$")
PRINTS_NOT_IN_C = ("^card (?!A00000310$)", "^number (?!519900198802290016$)")


def program(mistake: str = "") -> tuple[str, ...]:
    """The command line of the terminal through PC/SC, good or with a mistake."""
    which = (str(BAD), mistake) if mistake else (str(GOOD),)
    return (
        sys.executable, *which, "--to", "510700", "--telephone", "00000000003",
        "--keys", str(TERMINALS / "test-keys.toml"), "--journal", "{folder}/journal",
    )  # fmt: skip


def request(mistake: str = "", *, deadline: float = 60.0) -> RunRequest:
    """A run of that terminal, judged by all that it is to print."""
    expected = Expectation(exit=(0,), prints=PRINTS, prints_not=PRINTS_NOT)
    return RunRequest(
        program(mistake), Situation("own PIN", persona="pin-changed", psam=""), environment={"TERMINAL_PIN": PIN},
        deadline=deadline, expectation=expected, seed=1, key=b"of these tests  ",
    )  # fmt: skip


def compiled(built: Path, folder: Path) -> Path:
    """The terminal in C, over the library that was built there."""
    path = folder / "transfer_driver"
    subprocess.run(
        ["gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{built}",
         str(IN_C), f"-L{built}", "-lSSCardDriver", f"-Wl,-rpath,{built}", "-o", str(path)],
        check=True,
    )  # fmt: skip
    return path


def driver_request(path: Path) -> RunRequest:
    """A run of the terminal in C, without any reader."""
    expected = Expectation(exit=(0,), prints=PRINTS_IN_C, prints_not=PRINTS_NOT_IN_C)
    return RunRequest(
        (str(path), "510700", "{folder}/journal"), Situation("own PIN", persona="pin-changed"), driver_only=True,
        expectation=expected, seed=1, key=os.urandom(16),
    )  # fmt: skip
