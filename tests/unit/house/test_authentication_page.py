"""Every number of docs/authentication.md, found again: by openssl as the page says, by the code, and on cards."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip
from emulator.crypto import SUITES
from emulator.crypto.keys import card_key, factors, test_root
from emulator.crypto.suite import Suite, frame, pad_always, xor

PAGES = [Path(__file__).parents[3] / "docs" / name for name in ("authentication.md", "authentication.zh-CN.md")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r" +# .*$", re.MULTILINE)
NUMBER = re.compile(r"\b[0-9A-Fa-f]{8,}\b")
REGION, CHIP = "510100", bytes.fromhex("8684510151010001")
LEVELS = {"IRK": 3, "RKSSSE": 2, "STK": 2, "PUK": 2, "DPK": 2, "DTK": 2}
INTERNAL = bytes.fromhex("0011223344556677"), bytes.fromhex("8899AABBCCDDEEFF")
EXTERNAL = bytes.fromhex("1021324354657687"), bytes.fromhex("98A9BACBDCEDFE0F")
"""The factor and the data of both."""
RELOADING, UNBLOCKING = bytes.fromhex("5A4B3C2D1E0F7869"), bytes.fromhex("0F1E2D3C4B5A6978")
AMOUNTS, TERMINAL, TIME = (bytes.fromhex(one) for one in ("00000000000002BC000005DC", "510100000001", "20261124093000"))
SEQUENCE = bytes.fromhex("00000007")
SELECT = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
CHALLENGE = bytes.fromhex("0084000008")


def blocks(page: Path, kind: str) -> list[str]:
    return [body for name, body in BLOCK.findall(page.read_text(encoding="utf-8")) if name == kind]


def key(suite: Suite, name: str, levels: int = 0) -> bytes:
    return card_key(suite, test_root(name), REGION, CHIP, levels or LEVELS[name])


def computed(suite: Suite) -> set[str]:
    """What the code makes of the page's keys, challenges and messages, in capitals: every step."""
    found: list[bytes] = []
    for name, levels in LEVELS.items():
        one = test_root(name)
        found.append(one)
        for factor in factors(REGION, CHIP, levels):
            one = suite.derive(one, factor)
            found.append(one)
    for name, (factor, data) in (("IRK", INTERNAL), ("RKSSSE", EXTERNAL)):
        process = suite.process_key(key(suite, name), factor)
        found += [process, suite.cryptogram(process, data)]
    process = suite.process_key(key(suite, "STK"), RELOADING)
    cipher = suite.encipher(process, bytes.fromhex("246802"))
    message = bytes((0x84, 0x24, 0x00, 0x01, len(cipher) + 4)) + cipher
    found += [process, cipher, suite.mac(process, message), frame(bytes.fromhex("246802"), suite.block)]
    process = suite.process_key(key(suite, "STK"), UNBLOCKING)
    found += [process, suite.mac(process, bytes.fromhex("8424000004"))]
    process = suite.process_key(key(suite, "DPK"), bytes.fromhex("0102030400040007"))
    head = AMOUNTS + b"\2" + TERMINAL
    found += [process, suite.mac(process, head + TIME), suite.mac(process, AMOUNTS)]
    found.append(suite.tac(key(suite, "DTK"), head + SEQUENCE + TIME))
    messages = (message, bytes.fromhex("8424000004"), head + TIME, AMOUNTS, head + SEQUENCE + TIME)
    found += [pad_always(one, suite.block) for one in messages]
    return {one.hex().upper() for one in found}


@pytest.mark.parametrize("algorithm", SUITES)
def test_every_value_that_the_code_computes_stands_on_the_page(algorithm: str) -> None:
    """But for PUK's, whose steps the page leaves to its reader."""
    suite = SUITES[algorithm]
    told = {one.upper() for one in NUMBER.findall(PAGES[0].read_text(encoding="utf-8"))}
    hidden, one = {test_root("PUK").hex().upper()}, test_root("PUK")
    for factor in factors(REGION, CHIP, 2):
        one = suite.derive(one, factor)
        hidden.add(one.hex().upper())
    assert computed(suite) - hidden <= told


def test_openssl_says_what_the_page_says() -> None:
    (tools,) = blocks(PAGES[0], "sh")
    steps = re.findall(r"^\$ (.+)\n((?:[^$].*\n)*)", "".join(blocks(PAGES[0], "console")), re.MULTILINE)
    assert len(steps) > 60
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tools + "\n".join(command for command, _ in steps)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [line for _, said in steps for line in said.splitlines()]


@pytest.mark.parametrize("number", range(10))
def test_cards_answer_what_the_page_says(number: int) -> None:
    """Each session of the page, on a fresh card or PSAM that draws the page's challenges."""
    session = blocks(PAGES[0], "text")[number]
    pairs = re.findall(r"^→ (\w+)\n← (.+)$", session, re.MULTILINE)
    assert len(pairs) * 2 == len(session.splitlines())
    drawn = [bytes.fromhex(answer)[:-2] for command, answer in pairs if command.startswith("0084")]
    drawn += [bytes.fromhex(answer)[18:22] for command, answer in pairs if command.startswith("B028")]
    algorithm = "sm4" if "0C03860103" in session.replace(" ", "") else "3des"
    image = catalogue.card("psam", "psam") if session.startswith("→ BF") else catalogue.card(
        "adult-chengdu", "3.00", algorithm
    )  # fmt: skip
    chip = Chip(image, apdu_shape=True, random=lambda _: drawn.pop(0))
    chip.power_on()
    for command, answer in pairs:
        assert chip.transmit(bytes.fromhex(command)) == bytes.fromhex(answer), command


def test_the_page_has_ten_sessions_the_same_in_both_languages() -> None:
    """And every other block but for its comments, and every number that its text names."""
    assert len(blocks(PAGES[0], "text")) == 10
    english, chinese = (page.read_text(encoding="utf-8") for page in PAGES)
    assert BLOCK.findall(COMMENT.sub("", english)) == BLOCK.findall(COMMENT.sub("", chinese))
    assert sorted(NUMBER.findall(english)) == sorted(NUMBER.findall(chinese))


def test_every_number_in_the_text_stands_in_a_block_too() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    within = "".join(body for _, body in BLOCK.findall(text)).upper()
    for number in NUMBER.findall(BLOCK.sub("", text)):
        assert number.upper() in within, number


Wrong = Callable[[Suite, bytes, bytes], bytes]
"""A terminal's mistake: of the first and the second challenge, what it proves RKSSSE with."""


def right(suite: Suite, data: bytes, factor: bytes) -> bytes:
    return suite.cryptogram(suite.process_key(key(suite, "RKSSSE"), factor), data) + data


def first_as_factor(suite: Suite, first: bytes, second: bytes) -> bytes:
    return right(suite, second, first)


def exchanged(suite: Suite, data: bytes, factor: bytes) -> bytes:
    return suite.cryptogram(suite.process_key(key(suite, "RKSSSE"), data), factor) + data


def one_level_more(suite: Suite, data: bytes, factor: bytes) -> bytes:
    return suite.cryptogram(suite.process_key(key(suite, "RKSSSE", 3), factor), data) + data


def one_level_less(suite: Suite, data: bytes, factor: bytes) -> bytes:
    return suite.cryptogram(suite.process_key(key(suite, "RKSSSE", 1), factor), data) + data


def left_half(suite: Suite, data: bytes, factor: bytes) -> bytes:
    return suite.crypt(suite.process_key(key(suite, "RKSSSE"), factor), data.ljust(16, b"\0"))[:8] + data


def begun(algorithm: str) -> Chip:
    chip = Chip(catalogue.card("adult-chengdu", "3.00", algorithm), apdu_shape=True)
    chip.power_on()
    assert chip.transmit(SELECT)[-2:] == b"\x90\x00"
    return chip


def prove(chip: Chip, proof: bytes, identifier: str = "0A") -> str:
    return chip.transmit(bytes.fromhex(f"008200{identifier}10") + proof)[-2:].hex().upper()


MISTAKES = [(wrong, name) for wrong in (first_as_factor, exchanged, one_level_more, one_level_less) for name in SUITES]


@pytest.mark.parametrize(("mistake", "algorithm"), [*MISTAKES, (left_half, "sm4")])
def test_a_wrong_computation_costs_a_try_as_the_page_says(mistake: Wrong, algorithm: str) -> None:
    chip = begun(algorithm)
    challenges = [chip.transmit(CHALLENGE)[:-2] for _ in range(2)]
    assert prove(chip, mistake(SUITES[algorithm], challenges[0], challenges[1])) == "63C2"


@pytest.mark.parametrize("algorithm", SUITES)
def test_a_challenge_serves_once_and_in_its_application_as_the_page_says(algorithm: str) -> None:
    chip, suite = begun(algorithm), SUITES[algorithm]
    data, factor = (chip.transmit(CHALLENGE)[:-2] for _ in range(2))
    assert [prove(chip, right(suite, data, factor)) for _ in range(2)] == ["9000", "6984"]
    data, factor = (chip.transmit(CHALLENGE)[:-2] for _ in range(2))
    chip.transmit(bytes.fromhex("00A4000002DF01"))
    chip.transmit(SELECT)
    assert prove(chip, right(suite, data, factor)) == "6984"
    chip.transmit(CHALLENGE)
    assert prove(chip, right(suite, data, factor), "8F") == "6A88"


def test_the_halves_of_the_psam_are_folded_by_the_terminal() -> None:
    halves = bytes.fromhex("6C8E5DC315B25AE9"), bytes.fromhex("819399546AE98BF1")
    factor, data = EXTERNAL
    assert xor(*halves) == right(SUITES["sm4"], data, factor)[:8]
