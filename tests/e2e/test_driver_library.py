"""libSSCardDriver.so as counter software has it: loaded from C and Python."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from harness.driver.codes import ERROR_MOST, Code, words
from harness.driver.interface import EXPORTED, IN_MOST, OUT_MOST, WHOLE_MOST
from tests import native
from tests.kit.served import DEADLINE
from tests.native import NUMBER, Library, basic

ADDRESS = "SSSEEF05|07|$"
READ = (0, f"SSSEEF05|{NUMBER}|$")


# --- its interface -------------------------------------------------------------------------------------------------


def test_the_header_declares_what_the_interface_says(built: Path) -> None:
    header = (built / "SSCardDriver.h").read_text(encoding="utf-8")
    declared = re.findall(r"^SSCARD_API (.+?);$", header, re.MULTILINE)
    assert [one.replace("SSCARD_CALL ", "") for one in declared] == [one.declared for one in EXPORTED.values()]
    assert f"SSCARD_OUT_MAX {OUT_MOST}\n" in header
    assert f"SSCARD_WHOLE_MAX {WHOLE_MOST}\n" in header
    assert f"SSCARD_IN_MAX {IN_MOST}\n" in header
    assert f"SSCARD_ERROR_MAX {ERROR_MOST + 1}\n" in header


def test_it_exports_the_real_names_and_no_other(built: Path) -> None:
    told = subprocess.run(
        ["nm", "-D", "--defined-only", str(built / "libSSCardDriver.so")], capture_output=True, text=True, check=True
    )
    assert {line.split()[-1] for line in told.stdout.splitlines()} == set(EXPORTED)


# --- calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_strings_are_gbk_both_ways(library: Library) -> None:
    assert "测试甲".encode("gbk") in library.raw("iReadCardBas", 3)[1]
    meant, address, data = b"||", b"SSSEEF06|09|$", "SSSEEF06|欧阳测试|$".encode("gbk")
    assert library.raw("iWriteCard", 3, meant, address, data) == (0, b"")
    assert library.raw("iReadCard", 3, 2, meant, address) == (0, data)
    assert library.raw("iReadCard", 3, 2, meant, b"\xff\xff") == (-41, words(Code.ILLEGAL_CHARACTER).encode("gbk"))


@pytest.mark.usefixtures("server")
def test_what_is_no_string_or_too_long_is_refused(library: Library) -> None:
    refused = (-14, words(Code.BAD_PARAMETER).encode("gbk"))
    assert library.raw("iReadCard", 3, 2, None, ADDRESS.encode()) == refused
    assert library.raw("iReadCard", 3, 2, b"||", b"x" * IN_MOST) == refused
    assert library.raw("iReadCard", 3, 2, b"||", b"x" * (IN_MOST - 1))[0] == -23
    assert library.without_out("iReadCardBas", 3) == -14
    assert library.raw("iScriptPad", None)[0] == -14
    assert library("iReadCard", 3, 2, "||", ADDRESS) == READ, "it lives on"


@pytest.mark.usefixtures("server")
def test_an_answer_that_does_not_fit_is_empty(library: Library) -> None:
    def wanted(count: int) -> tuple[int, str]:
        return library("iReadCard", 3, 2, "||", f"SSSEEF05|{'07|' * count}$")

    fits = (OUT_MOST - len("SSSEEF05|$") - 1) // len(f"{NUMBER}|")
    code, out = wanted(fits)
    assert (code, len(out)) == (0, len("SSSEEF05|$") + fits * len(f"{NUMBER}|"))
    assert wanted(fits + 1) == (-42, "")


@pytest.mark.usefixtures("server")
def test_the_pin_is_entered_at_the_pad_of_this_client(library: Library, built: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Library(built, tmp_path / "other")
    assert library("iScriptPad", "999999,cancel")[0] == 0
    assert other("iVerifyPIN", 1)[0] == -32
    assert library("iVerifyPIN", 1) == (-51, words(Code.PIN_WRONG, 2))
    assert library("iVerifyPIN", 1)[0] == -31
    other.close()


@pytest.mark.usefixtures("server")
def test_eight_threads(library: Library) -> None:
    expected, wrong = library("iReadCardBas", 3), []

    def work(number: int) -> None:
        for _ in range(25):
            if number % 2 and library("iReadCardBas", 3) != expected:
                wrong.append(number)
            if not number % 2 and library("iReadCard", 3, 2, "||", ADDRESS) != READ:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.usefixtures("server")
def test_threads_of_a_c_program(built: Path, library: Library, tmp_path: Path) -> None:
    del library  # for its environment
    program = native.compiled(tmp_path / "calls", "-pthread")
    done = subprocess.run(
        [program, built / "libSSCardDriver.so", "8", "25"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "the same each time\n")


@pytest.mark.usefixtures("server")
def test_a_forked_child_has_a_connection_of_its_own(library: Library) -> None:
    expected = basic(library)
    child = os.fork()
    if child == 0:
        os._exit(0 if library("iReadCardBas", 3)[1].split("|") == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert basic(library) == expected
