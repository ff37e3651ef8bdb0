"""Every exported function, called by a C program that loads the library by name, over a card, a PSAM and a machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from harness.driver.interface import EXPORTED
from harness.terminal.machine import EncryptionMachine
from tests import native
from tests.e2e.served import DEADLINE

MEANT = "510100D15600000551010001C4A06E3C|A00000011|"
PAID = "100|0|20260101120000|"


class Program:
    """tests/native/calls.c, running: one line for a call, one for its answer, in GBK."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.called: set[str] = set()

    def __call__(self, name: str, *values: int | str) -> tuple[int, str]:
        assert self._process.stdin
        assert self._process.stdout
        self.called.add(name)
        self._process.stdin.write("\t".join((name, *map(str, values))).encode("gbk") + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{name}: the program ended with {self._process.wait(DEADLINE)}"
        code, _, out = line.decode("gbk").rstrip("\r\n").partition("\t")
        return int(code), out

    def done(self, name: str, *values: int | str) -> str:
        """pOutInfo of a call that works."""
        code, out = self(name, *values)
        assert code == 0, f"{name}: {code} {out}"
        return out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=DEADLINE)
        assert self._process.returncode == 0


def everything(call: Program) -> None:
    """All functions, each with an effect that another one sees."""
    machine = EncryptionMachine()

    def external(request: str) -> str:
        region, history, algorithm, _, address, factor, data, *_ = request.split("|")
        return machine.external(address, machine.card(region, history, algorithm), factor, data)

    def pin(request: str) -> str:
        region, history, algorithm, _, address, factor, header, entered, *_ = request.split("|")
        return machine.pin(address, machine.card(region, history, algorithm), factor, header, entered)

    def enters(*entries: str) -> None:
        assert call("iScriptPad", ",".join(entries)) == (0, "")

    basic = call.done("iReadCardBas", 3).split("|")
    assert basic[4] == "测试甲"
    request = call.done("iReadCardBas_HSM_Step1", 3)
    assert call.done("iReadCardBas_HSM_Step2", machine.basic(request)).split("|")[:9] == basic[:9]

    assert call.done("iWriteCard", 3, MEANT, "SSSEEF06|09|$", "SSSEEF06|欧阳测试|$") == ""
    assert call.done("iReadCard", 3, 2, MEANT, "SSSEEF06|09|$") == "SSSEEF06|欧阳测试|$"
    request = call.done("iWriteCard_HSM_Step1", 3, MEANT, "SSSEEF06|09|$")
    assert call.done("iWriteCard_HSM_Step2", external(request), "SSSEEF06|测试乙|$") == ""
    request = call.done("iReadCard_HSM_Step1", 3, MEANT, "SSSEEF06|09|$")
    assert call.done("iReadCard_HSM_Step2", external(request)) == "SSSEEF06|测试乙|$"

    enters("123456", "246802", "246802")
    assert call.done("iChangePIN", 1) == ""
    enters("246802", "111111", "111111", "111111")
    assert call.done("iVerifyPIN", 1) == ""
    assert [call("iVerifyPIN", 1)[0] for _ in range(3)] == [-51, -51, -52]
    assert call.done("iUnblockPIN", 1, MEANT) == ""
    enters("111111", "111111", "111111")
    assert [call("iVerifyPIN", 1)[0] for _ in range(3)] == [-51, -51, -52]
    request = call.done("iUnblockPIN_HSM_Step1", 1, MEANT)
    request = call.done("iUnblockPIN_HSM_Step2", external(request))
    assert call.done("iUnblockPIN_HSM_Step3", pin(request)) == ""
    enters("864200", "864200", "864200")
    assert call.done("iReloadPIN", 1, MEANT) == ""
    assert call.done("iVerifyPIN", 1) == ""
    enters("135791", "135791", "135791")
    request = call.done("iReloadPIN_HSM_Step1", 1, MEANT)
    request = call.done("iReloadPIN_HSM_Step2", external(request))
    assert call.done("iReloadPIN_HSM_Step3", pin(request)) == ""
    assert call.done("iVerifyPIN", 1) == ""

    enters("135791", "135791", "135791")
    assert call.done("iDoDebit", 1, MEANT, PAID).split("|")[4] == "100"
    request = call.done("iDoDebit_HSM_Step1", 1, MEANT, PAID)
    assert request.split("|")[7] == "00000064"
    assert call("iDoDebit_HSM_Step2", "00000001|20260101120000|00000000|")[0] == -37634, "MAC1 is wrong"
    assert "|100|" in call.done("iReadDebitRecord", 1)
    assert call.called == set(EXPORTED)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        yield


@pytest.mark.usefixtures("place")
def test_every_function(tmp_path: Path) -> None:
    library = native.built(tmp_path / "built") / "libSSCardDriver.so"
    with Program([str(native.compiled(tmp_path / "calls")), str(library)]) as call:
        everything(call)
