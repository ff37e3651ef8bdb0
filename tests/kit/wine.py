"""Windows, as Debian's wine has it: 64-bit, 32-bit, and with the Python that python.org makes for Windows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.served import DEADLINE

STARTING = 300
"""Seconds for wine's first start, which fills its folder."""
BUILD = Path(__file__).parents[2] / "build"
WINE32 = BUILD / "wine32"
"""Debian's 32-bit wine, as scripts/wine32.sh unpacks it."""
PYTHON = BUILD / "windows-python/python/python.exe"
"""Of scripts/windows_python.sh, with all that sscard needs."""
SSCARD = ("-X", "utf8", "-c", "import sys; from sscard.command import main; sys.exit(main())")
"""The command as a Windows wheel's sscard.exe starts it."""


@dataclass(frozen=True)
class Wine:
    """One wine: the compiler that makes its programs, its two commands, and what each stands behind."""

    compiler: str
    loader: str
    server: str
    before: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """What starts a Windows program."""
        return [*self.before, self.loader, *words]

    def serve(self, option: str) -> list[str]:
        """What steers this wine's server."""
        return [*self.before, self.server, option]

    def python(self, *words: str) -> list[str]:
        """What starts Python for Windows."""
        return self.command(str(PYTHON), *words)

    def sscard(self, *words: str) -> list[str]:
        """What starts ``sscard`` on it."""
        return self.python(*SSCARD, *words)


WINE64 = Wine("x86_64-w64-mingw32-gcc", "wine", "wineserver")


def wine32(patch: pytest.MonkeyPatch) -> Wine:
    """The 32-bit one: its /usr lies under the machine's, in a namespace of each command."""
    if not WINE32.is_dir():
        pytest.skip("32-bit wine is not there: scripts/wine32.sh build/wine32")
    if os.geteuid() != 0:
        pytest.skip("32-bit wine is laid under /usr: that needs root")
    patch.setenv("WINEARCH", "win32")
    loader, server = "/usr/lib/wine/wine", "/usr/lib/wine/wineserver32"
    patch.setenv("WINELOADER", loader)
    patch.setenv("WINESERVER", server)
    patch.setenv("WINEPATH", r"Z:\usr\i686-w64-mingw32\lib")  # zlib1.dll, which Debian's wine asks for
    script = (
        f'mount -t overlay -o "lowerdir=/usr:{WINE32}/usr" wine32 /usr && '
        'LD_LIBRARY_PATH=/usr/lib/i386-linux-gnu exec "$@"'
    )
    before = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "wine32")
    return Wine("i686-w64-mingw32-gcc", loader, server, before)


@contextmanager
def running(folder: Path, *, bits: int = 64) -> Iterator[Wine]:
    """A wine with a folder of its own; its server ends afterwards, and all that runs in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINEPREFIX", str(folder / "prefix"))
        patch.setenv("WINEDEBUG", "-all")
        patch.setenv("WINEDLLOVERRIDES", "mscoree,mshtml=")
        patch.delenv("DISPLAY", raising=False)
        used = WINE64 if bits == 64 else wine32(patch)
        subprocess.run(used.command("wineboot", "-i"), timeout=STARTING, check=True, capture_output=True)
        try:
            yield used
        finally:
            subprocess.run(used.serve("-k"), check=False)
            subprocess.run(used.serve("-w"), timeout=DEADLINE, check=True)


def path(of: Path) -> str:
    """A path as Windows programs name it."""
    return "Z:" + str(of).replace("/", "\\")
