"""The C library, built from the sources that come with this package: for Linux, and for Windows by mingw-w64."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

from emulator.errors import SscardError
from emulator.messages import _

HEADER = "SSCardDriver.h"
USUAL_FLAGS = "-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2"
"""Where ``$CFLAGS`` says nothing else."""
ALWAYS = ("-std=gnu11", "-Wall", "-Wextra")
SHARED = ("SSCardDriver.c", "link.c")
LONGEST_MESSAGE = 2000
"""Letters of what a compiler says that are told."""


class BuildError(SscardError, RuntimeError):
    """The library cannot be built: why, and what to do."""


class NoCompilerError(BuildError):
    """There is no compiler for it on this machine."""

    exit_code: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class Build:
    """One library. ``compiler``: what ``$CC`` may replace, where ``native``; ``remedy``: how it is had on Debian."""

    file: str
    compiler: str
    remedy: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    native: bool = False


def _windows(folder: str, compiler: str, *flags: str) -> Build:
    """The names are exported as they are, without _ and @8."""
    return Build(
        f"{folder}/SSCardDriver.dll",
        compiler,
        "apt-get install gcc-mingw-w64",
        (*SHARED, "windows.c"),
        (
            *flags, "-D_WIN32_WINNT=0x0600", "-DSSCARD_BUILD", "-shared", "-static",
            "-Wl,--kill-at,--nxcompat,--dynamicbase",
        ),
        ("-lws2_32",),
    )  # fmt: skip


LINUX = Build(
    "libSSCardDriver.so",
    "gcc",
    "apt-get install gcc",
    (*SHARED, "posix.c", "start.c"),
    (
        "-fvisibility=hidden", "-fPIC", "-shared", "-pthread",
        "-Wl,-z,relro,-z,now,-z,defs,-soname,libSSCardDriver.so",
    ),
    native=True,
)  # fmt: skip
WINDOWS = (
    _windows("x64", "x86_64-w64-mingw32-gcc"),
    _windows("x86-stdcall", "i686-w64-mingw32-gcc"),
    _windows("x86-cdecl", "i686-w64-mingw32-gcc", "-DSSCARD_CDECL"),
)
"""64-bit Windows has one calling convention, 32-bit Windows two."""


def build(folder: Path, *, windows: bool = False) -> Iterator[Path]:
    """Makes the library and its header in a folder, and tells each file that is there now. NoCompilerError before
    anything is written; BuildError where a compiler refuses; OSError where the folder cannot be written.

    ``$CFLAGS`` replaces the usual flags, ``$CC`` the compiler for this machine.
    """
    builds = WINDOWS if windows else (LINUX,)
    compilers = [_compiler(one) for one in builds]
    with resources.as_file(resources.files(str(__package__)) / "native") as sources:
        folder.mkdir(parents=True, exist_ok=True)
        for one, compiler in zip(builds, compilers, strict=True):
            yield _made(one, compiler, sources, folder / one.file)
        yield Path(shutil.copyfile(sources / HEADER, folder / HEADER))


def _compiler(wanted: Build) -> list[str]:
    """Returns the compiler's command line: ``$CC`` first. NoCompilerError where there is none."""
    command = shlex.split(os.environ.get("CC", "")) if wanted.native else []
    command = command or [wanted.compiler]
    if shutil.which(command[0]) is None:
        named = _(", or name another by $CC") if wanted.native else ""
        raise NoCompilerError(
            _("no C compiler: {command} is not on PATH: {remedy}{named}").format(
                command=command[0], remedy=wanted.remedy, named=named
            )
        )
    return command


def _made(wanted: Build, compiler: list[str], sources: Path, target: Path) -> Path:
    """Beside its place first: a library that a program has loaded is replaced, not written over."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = shlex.split(os.environ.get("CFLAGS", USUAL_FLAGS))
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as there:
        made = Path(there) / target.name
        files = [str(sources / one) for one in wanted.sources]
        command = [*compiler, *ALWAYS, *flags, *wanted.flags, "-o", str(made), *files, *wanted.libraries]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[:LONGEST_MESSAGE]
            raise BuildError(
                _("{name}: {compiler} ended with {returncode}: {value}").format(
                    name=target.name,
                    compiler=compiler[0],
                    returncode=done.returncode,
                    value=said or _("it says nothing"),
                )
            )
        made.replace(target)
    return target
