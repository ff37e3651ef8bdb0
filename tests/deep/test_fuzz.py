"""Fuzzing guided by coverage, for a while on each target: nothing breaks, and it is shown that it leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.fuzz.seeds import CORPUS, inputs
from tests.fuzz.targets import TARGETS
from tests.native import SOURCES

SECONDS = int(os.environ.get("SSCARD_FUZZ_SECONDS", "30"))
LIBRARY = Path(__file__).parents[1] / "fuzz/library.c"
BROKE = re.compile("(broke-)?(crash|leak|oom|timeout|slow-unit)-")
"""How libFuzzer names what it leaves."""
SHOWN = 4096
"""Bytes of an input that are shown whole."""
FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-pthread", "-fno-sanitize-recover=all",
         "-fsanitize=fuzzer,address,undefined")  # fmt: skip


def guided(target: str, folder: Path, seconds: int, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.guided", target, str(seconds), str(folder)]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", errors="replace", check=False
    )


def broken(folder: Path) -> str:
    """The inputs that broke something, by their files, which are kept for the next look, and in hex where they are
    short; empty where none did.
    """
    found = sorted(one for one in folder.iterdir() if one.is_file() and BROKE.match(one.name))
    if not found:
        return ""
    kept = Path(tempfile.mkdtemp(prefix="sscard-fuzz-broke-"))
    return "\n".join(_shown(Path(shutil.copy(one, kept))) for one in found)


def _shown(path: Path) -> str:
    content = path.read_bytes()
    return f"{path}: {content.hex() if len(content) <= SHOWN else f'{len(content)} bytes'}"


def executed(said: str) -> int:
    found = re.search(r"number_of_executed_units: (\d+)", said)
    assert found, said[-2000:]
    return int(found[1])


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks(target: str, tmp_path: Path) -> None:
    done = guided(target, tmp_path, SECONDS)
    assert done.returncode == 0, f"{broken(tmp_path)}\n{done.stderr[-3000:]}"
    assert broken(tmp_path) == ""
    assert executed(done.stderr) > len(inputs(target)), "nothing but the corpus was played"


def test_what_is_planted_behind_four_bytes_is_found(tmp_path: Path) -> None:
    done = guided("planted", tmp_path, 120, SSCARD_FUZZ_TARGETS="tests.fuzz.planted")
    assert done.returncode != 0
    assert "planted" in done.stderr
    (kept,) = broken(tmp_path).splitlines()
    path, shown = kept.split(": ")
    assert Path(path).read_bytes() == bytes.fromhex(shown), "what broke outlives the test's own folder"
    shutil.rmtree(Path(path).parent)


def library(folder: Path, *more: str) -> Path:
    program = folder / "library"
    sources = [SOURCES / name for name in ("SSCardDriver.c", "link.c", "posix.c", "start.c")]
    command = ["clang", *FLAGS, *more, f"-I{SOURCES}", "-o", str(program), str(LIBRARY), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def fuzzed(program: Path, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    (folder / "found").mkdir()
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/broke-", "-print_final_stats=1", "-timeout=30"]
    command = [str(program), *options, "-max_len=70000", str(folder / "found"), str(CORPUS / "library")]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


def test_the_library_takes_whatever_a_server_says(tmp_path: Path) -> None:
    done = fuzzed(library(tmp_path), tmp_path, SECONDS)
    assert done.returncode == 0, f"{broken(tmp_path)}\n{done.stderr[-3000:]}"
    assert executed(done.stderr) > 1000


def test_a_library_that_promises_less_room_than_it_takes_is_found_out(tmp_path: Path) -> None:
    """The caller's room a byte short: what is written beyond is seen, or this would see nothing."""
    done = fuzzed(library(tmp_path, "-DSHORT_OF=1"), tmp_path, 60)
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr
