"""What docs/counter.md tells is what the driver library does: examples run, machine's answers are computed again."""

from __future__ import annotations

import inspect
import itertools
import re
import shlex

import pytest

from harness.cli.terminal import codes_markdown
from harness.driver.library import SSCardDriver
from harness.hsm.machine import EncryptionMachine
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.monitor.test_docs import DOCS, text

pytest_plugins = ["pytester"]
BOTH = pytest.mark.parametrize("name", ["counter.md", "counter.zh-CN.md"])


def test_the_return_codes_in_the_docs_are_the_code() -> None:
    assert text("reference/return-codes.md") == codes_markdown(), "sscard terminal codes --markdown"


@BOTH
def test_every_function_and_its_arguments_are_told(name: str) -> None:
    told = set(re.findall(r"`((?:i[A-Z]|PKI_)\w+)\(([^)]*)\)`", text(name)))
    functions = [one for one in dir(SSCardDriver) if one.startswith(("i", "PKI_"))]
    taken = {one: list(inspect.signature(getattr(SSCardDriver, one)).parameters)[1:] for one in functions}
    assert told == {(one, ", ".join(arguments)) for one, arguments in taken.items()}


@BOTH
def test_the_commands_give_what_is_told(name: str) -> None:
    (console,) = re.findall(r"```console\n(.*?)```", text(name), re.DOTALL)
    commands = console.split("$ sscard ")[1:]
    assert len(commands) == 5
    for command in commands:
        line, _, output = command.partition("\n")
        assert run(*shlex.split(line)).stdout == output


@BOTH
def test_the_machine_answers_what_is_told(name: str) -> None:
    runs = [one.splitlines() for one in re.findall(r"```text\n(.*?)```", text(name), re.DOTALL)]
    assert len(runs) == 4
    answered = 0
    for lines in runs:
        told = [line.split(" ", 2) for line in lines]
        for (_, gave, request), (_, took, key) in itertools.pairwise(told):
            if (gave, took) == ("→", "←"):
                answered += 1
                assert answer(request, key) == key
    assert answered == 6


def answer(request: str, key: str) -> str:
    """The machine's to one request; the terminal's sequence and time are the back end's."""
    machine, parts = EncryptionMachine(), request.split("|")[:-1]
    card = machine.card(*parts[:3])
    if len(parts) == 12:
        sequence, time, _ = key[:-1].split("|")
        random, own, paid, pooled, when, terminal = parts[5:11]
        mac1 = machine.debit(parts[4], card, random, own, paid, pooled, when, terminal, sequence)
        return f"{sequence}|{time}|{mac1}|"
    if len(parts[4]) == 16:
        return machine.basic(request)
    if parts[6].startswith("8424"):
        return machine.pin(parts[4], card, *parts[5:8])
    return machine.external(parts[4], card, *parts[5:7])


@BOTH
def test_links(name: str) -> None:
    body = text(name)
    for link in re.findall(r"\]\(([^)]+)\)", body):
        file, _, anchor = link.partition("#")
        assert (DOCS / file).exists(), link
        there = text(file) if file else body
        assert not anchor or f"## {anchor.replace('-', ' ')}" in there.lower()


def test_the_python_example(pytester: pytest.Pytester) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", text("counter.md"), re.DOTALL)
    pytester.makepyfile("def test():\n" + "".join(f"    {line}\n" for line in example.splitlines()))
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
