"""The programs of examples/pcsc and examples/counter as tests run them: in every language the same, to the byte."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from emulator import catalogue
from harness.readers import pcsc
from harness.serving import control
from tests import native
from tests.kit.served import serving, sscard

EXAMPLES = Path(__file__).parents[2] / "examples"
PCSC, COUNTER = EXAMPLES / "pcsc", EXAMPLES / "counter"
WARNINGS = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
DEADLINE = 60.0
"""Seconds that one program may take: virtual machines start slowly on a busy machine."""
TEST_PIN, ODD_PIN = "123456", "13579"
READERS = ("--persona", "adult-chengdu", "--persona", "pin-one-try", "--slots", "3")
"""What ``a_conversation`` needs of `sscard run`: a card, another with one try left, and a reader without one."""

Command = tuple[str | Path, ...]


def ran(command: Command, environment: dict[str, str]) -> tuple[int, str, str]:
    """The exit code, and what was printed on both outputs, which is UTF-8."""
    done = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        timeout=DEADLINE,
        env={**os.environ, **environment},
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def _failed(why: str) -> str:
    return f"read_card: {why}\n"


def _address(persona: str) -> str:
    return f"registered address 户口所在地地址: {catalogue.persona(persona).values['DF01/EF05']['21']}\n"


def _number(persona: str) -> str:
    return f"card number 卡号: {catalogue.persona(persona).values['SSSE/EF05']['07']}\n"


# --- through PC/SC ---------------------------------------------------------------------------------------------------


def _begun(persona: str, reader: str, tries: int) -> str:
    return f"reader 读卡器: {reader}\n{_number(persona)}PIN tries left 密码剩余次数: {tries}\n"


def a_conversation(program: Command, readers: list[str]) -> None:
    """A program of examples/pcsc with the cards of ``READERS``, and with what cannot be read; both cards are afterwards
    as they were.
    """
    first, second = readers

    def said(*arguments: str, **environment: str) -> tuple[int, str, str]:
        return ran((*program, *arguments), environment)

    whole = _address("adult-chengdu")
    assert said() == (0, _begun("adult-chengdu", first, 3) + whole, ""), "the test card's PIN, the first reader"
    wrong = _failed("PIN 密码: wrong, 2 tries left 错误，剩余2次")
    assert said(first, CARD_PIN="999999") == (1, _begun("adult-chengdu", first, 3), wrong)
    assert said(first, CARD_PIN=TEST_PIN) == (0, _begun("adult-chengdu", first, 2) + whole, "")
    last = _failed("PIN 密码: not tried, too few tries left 剩余次数不足，未验证")
    assert said(second) == (1, _begun("pin-one-try", second, 1), last)
    empty = first.replace(" 00 00", " B 00 00")
    assert said(empty) == (1, "", _failed("no card in a reader 读卡器中没有卡"))
    assert said("nothing of that name") == (1, "", _failed("no such reader 没有这个读卡器"))
    for pin in ("", "123", "12345A", "１２３４５６", "12345678901234567"):
        assert said(CARD_PIN=pin) == (1, "", _failed("CARD_PIN: 4 to 16 digits 4至16位数字")), pin


def passes_an_empty_reader_over(programs: list[Command], folder: Path) -> None:
    """Of two readers the first is empty; the card in the other one has a PIN of an odd number of digits."""
    persona = folder / "odd.toml"
    persona.write_text(f'name = "odd"\nextends = "adult-chengdu"\n[pin]\ndigits = "{ODD_PIN}"\n')
    private = ("--private", "--persona", "pin-changed", "--persona", str(persona))
    with serving(*private, cards=2) as served:
        (socket,) = (line.partition("=")[2] for line in served.seen if line.startswith(f"{pcsc.SOCKET_VARIABLE}="))
        (run,) = (one for one in control.runs() if one.table["pid"] == served.process.pid)
        sscard("card", "remove", "0", "--run", run.id)
        environment = {pcsc.SOCKET_VARIABLE: socket, "CARD_PIN": ODD_PIN}
        whole = _begun("adult-chengdu", served.readers[1], 3) + _address("adult-chengdu")
        for program in programs:
            assert ran(program, environment) == (0, whole, ""), program


def in_c(folder: Path) -> Command:
    """examples/pcsc/read_card.c as a program."""
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libpcsclite"], capture_output=True, text=True, check=True
    ).stdout.split()
    program = folder / "read_card"
    subprocess.run(["gcc", *WARNINGS, str(PCSC / "read_card.c"), *flags, "-o", str(program)], check=True)
    return (program,)


# --- through SSCardDriver --------------------------------------------------------------------------------------------


PADS = {"pin-changed": "142857,142857", "rare-name": "123456,123456,246802,246802,246802"}
"""Cards by what is entered at their pads: one with a PIN of its holder's, and a new one whose PIN is to be changed."""


@contextlib.contextmanager
def _counter(persona: str, pad: str, folder: Path) -> Iterator[dict[str, str]]:
    with native.serving("--persona", persona, "--psam", "--pad", pad, "--socket", str(folder / "s")) as (_, (place,)):
        yield {"SSCARD_DRIVER": place}


def a_counters_work(program: Command, folder: Path, *, rare: str = "䶮", **environment: str) -> None:
    """A program of examples/counter with a new card, with one of a wrong PIN, and where no service is. ``rare``: what
    becomes of a character that only GB 18030-2022 has at its place.
    """
    names = {}
    for persona, pad in PADS.items():
        done = "verified 已验证" if persona == "pin-changed" else "changed 已修改"
        name = catalogue.persona(persona).values["SSSE/EF06"]["09"].replace("䶮", rare)
        names[persona] = f"{_number(persona)}name 姓名: {name}\n"
        with _counter(persona, pad, folder) as there:
            told = ran(program, environment | there)
        assert told == (0, f"{names[persona]}PIN 密码: {done}\n{_address(persona)}", ""), persona
    with _counter("pin-changed", "111111", folder) as there:
        wrong = _failed("iVerifyPIN: -51 密码错误，剩余2次 PIN wrong, 2 tries left")
        assert ran(program, environment | there) == (1, names["pin-changed"], wrong)
    nowhere = {"SSCARD_DRIVER": f"unix:{folder}/nobody", "SSCARD_DRIVER_COMMAND": "/nowhere/sscard"}
    code, printed, why = ran(program, environment | nowhere)
    assert (code, printed) == (1, "")
    assert why.startswith("read_card: iReadCardBas: -5 ")
