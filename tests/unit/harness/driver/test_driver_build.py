"""`sscard driver build`: the C library from the sources in the package, wherever that is installed."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.driver import build
from tests import native

ROOT = Path(__file__).parents[4]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["driver", "build", *arguments], catch_exceptions=False)


def test_it_makes_the_library_and_its_header_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = run("-o", str(folder))
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(folder / "libSSCardDriver.so"), str(folder / "SSCardDriver.h")]
    assert ctypes.CDLL(str(folder / "libSSCardDriver.so")).iReadCardBas
    assert (folder / "SSCardDriver.h").read_bytes() == (native.SOURCES / "SSCardDriver.h").read_bytes()
    assert sorted(one.name for one in folder.iterdir()) == ["SSCardDriver.h", "libSSCardDriver.so"], "and nothing else"


def test_it_builds_where_only_the_package_is_installed_and_writes_nothing_into_it(tmp_path: Path) -> None:
    """The tree that a wheel unpacks to, read-only, and another current folder."""
    site = tmp_path / "site-packages"
    for package in ("emulator", "harness", "sscard"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(site.rglob("*"))
    for one in [site, *before]:
        one.chmod(one.stat().st_mode & ~0o222)
    command = [sys.executable, "-c", "from harness.cli import main; main()", "driver", "build", "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    for one in [site, *before]:
        one.chmod(one.stat().st_mode | 0o200)
    assert done.returncode == 0, done.stderr
    assert sorted(site.rglob("*")) == before
    assert (tmp_path / "out" / "libSSCardDriver.so").is_file()


def test_no_compiler_is_one_clear_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for options, named, remedy in (
        ((), "gcc is not on PATH", "apt-get install gcc, or name another by $CC"),
        (("--windows",), "x86_64-w64-mingw32-gcc is not on PATH", "apt-get install gcc-mingw-w64"),
    ):
        done = run("-o", str(tmp_path / "out"), *options)
        assert done.exit_code == 3
        assert done.stderr.startswith(f"sscard: no C compiler: {named}")
        assert remedy in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_the_compiler_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "cc"
    own.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexec gcc "$@"\n')
    own.chmod(0o700)
    monkeypatch.setenv("CC", f"{own} -DOURS")
    monkeypatch.setenv("CFLAGS", "-O0 -g")
    assert run("-o", str(tmp_path)).exit_code == 0
    said = (tmp_path / "said").read_text().split()
    assert {"-DOURS", "-O0", "-g"} <= set(said)
    assert "-O2" not in said


def test_a_compiler_that_refuses_is_told_and_the_old_library_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("-o", str(tmp_path)).exit_code == 0
    before = (tmp_path / "libSSCardDriver.so").read_bytes()
    monkeypatch.setenv("CFLAGS", "-Dlong=nonsense")
    done = run("-o", str(tmp_path))
    assert done.exit_code == 1
    assert done.stderr.startswith("sscard: libSSCardDriver.so: gcc ended with 1: ")
    assert (tmp_path / "libSSCardDriver.so").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("-o", str(tmp_path / "file" / "below"))
    assert done.exit_code == 2
    assert "file" in done.output
    assert run().exit_code == 2, "without -o"


def test_every_source_is_built_somewhere() -> None:
    sources = {one for each in (build.LINUX, *build.WINDOWS) for one in each.sources}
    assert sources == {one.name for one in native.SOURCES.glob("*.c")}
    assert not (native.SOURCES / "Makefile").exists(), "it would write into site-packages"


@pytest.mark.skipif(shutil.which("i686-w64-mingw32-gcc") is None, reason="no mingw-w64: make deep")
def test_windows(tmp_path: Path) -> None:
    done = run("-o", str(tmp_path), "--windows")
    assert done.exit_code == 0, done.output
    assert {one.split("/")[-2] for one in done.stdout.split()[:3]} == {"x64", "x86-stdcall", "x86-cdecl"}
