"""Every exported function, called by a C program that loads it by name and through ctypes, over card, PSAM, machine."""

from __future__ import annotations

import functools
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, cast

import pytest

from harness.driver.backend import BackEnd
from harness.driver.interface import EXPORTED, FUNCTIONS
from harness.driver.library import SSCardDriver
from harness.hsm.machine import EncryptionMachine
from tests import native
from tests.kit.served import DEADLINE

MEANT = "510100D15600000551010001C4A06E3C|A00000011|"
NAME = "SSSEEF06|09|$"


class Caller(ABC):
    """Somebody who calls the library, and what was called."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def __call__(self, name: str, *values: int | str) -> tuple[int, str]:
        self.called.add(name)
        return self.call(name, *values)

    @abstractmethod
    def call(self, name: str, *values: int | str) -> tuple[int, str]:
        """The code and pOutInfo."""

    def __getattr__(self, name: str) -> Callable[..., tuple[int, str]]:
        """A function, as the Python class has it."""
        return functools.partial(self, name)

    def done(self, name: str, *values: int | str) -> str:
        """pOutInfo of a call that works."""
        code, out = self(name, *values)
        assert code == 0, f"{name}: {code} {out}"
        return out


class Loaded(Caller):
    """This process, by ctypes."""

    def __init__(self, library: native.Library) -> None:
        super().__init__()
        self._library = library

    def call(self, name: str, *values: int | str) -> tuple[int, str]:
        code, out = self._library(name, *values)
        return code, out if name in FUNCTIONS else ""


class Program(Caller):
    """tests/native/calls.c or calls.js, running: one line for a call, one for its answer, in GBK."""

    def __init__(self, command: list[str]) -> None:
        super().__init__()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, name: str, *values: int | str) -> tuple[int, str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\t".join((name, *map(str, values))).encode("gbk") + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{name}: the program ended with {self._process.wait(DEADLINE)}"
        code, _, out = line.decode("gb18030").rstrip("\r\n").partition("\t")
        return int(code), out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=DEADLINE)
        assert self._process.returncode == 0


def everything(call: Caller) -> None:
    """All functions, each with an effect that another one sees."""
    back = BackEnd(cast(SSCardDriver, call), EncryptionMachine())

    def enters(*entries: str) -> None:
        assert call("iScriptPad", ",".join(entries)) == (0, "")

    basic = call.done("iReadCardBas", 3).split("|")
    assert basic[4] == "测试甲"
    code, told = back.basic(3)
    assert (code, told.split("|")[:9]) == (0, basic[:9])

    assert call.done("iWriteCard", 3, MEANT, NAME, "SSSEEF06|欧阳测试|$") == ""
    assert call.done("iReadCard", 3, 2, MEANT, NAME) == "SSSEEF06|欧阳测试|$"
    assert back.write(3, MEANT, NAME, "SSSEEF06|测试乙|$") == (0, "")
    assert back.read(3, MEANT, NAME) == (0, "SSSEEF06|测试乙|$")

    def blocked() -> list[int]:
        enters("111111", "111111", "111111")
        return [call("iVerifyPIN", 1)[0] for _ in range(3)]

    enters("123456", "246802", "246802", "246802")
    assert call.done("iChangePIN", 1) == ""
    assert call.done("iVerifyPIN", 1) == ""
    assert blocked() == [-51, -51, -52]
    assert call.done("iUnblockPIN", 1, MEANT) == ""
    assert blocked() == [-51, -51, -52]
    assert back.unblock_pin(1, MEANT) == (0, "")
    enters("864200", "864200", "864200", "135791", "135791", "135791")
    assert call.done("iReloadPIN", 1, MEANT) == ""
    assert call.done("iVerifyPIN", 1) == ""
    assert back.reload_pin(1, MEANT) == (0, "")
    assert call.done("iVerifyPIN", 1) == ""

    enters("135791", "135791", "135791")
    assert call.done("iDoDebit", 1, MEANT, "100|0|20260101120000|").split("|")[4] == "100"
    assert back.debit(1, MEANT, "250|0|20260102120000|")[0] == 0
    log = call.done("iReadDebitRecord", 1)
    assert "|100|" in log
    assert "|250|" in log

    signature, certificate, end = call.done("PKI_SignData", "123456", "测试甲", 1).split("|")
    assert end == ""
    assert call.done("PKI_VerifySign", "", certificate, "测试甲", signature, 1) == ""
    assert call("PKI_VerifySign", "", certificate, "测试乙", signature, 1)[0] == -25344
    assert call("PKI_SignData", "000000", "测试甲", 1)[0] == -51
    assert call.called == set(EXPORTED)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        yield


@pytest.mark.usefixtures("place")
def test_every_function_through_ctypes(tmp_path: Path) -> None:
    library = native.Library(native.built(tmp_path / "built"), tmp_path)
    everything(Loaded(library))
    library.close()


@pytest.mark.usefixtures("place")
def test_every_function(tmp_path: Path) -> None:
    library = native.built(tmp_path / "built") / "libSSCardDriver.so"
    with Program([str(native.compiled(tmp_path / "calls")), str(library)]) as call:
        everything(call)
