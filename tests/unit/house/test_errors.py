"""One tree of errors: every error of ours is in it, and nobody reads what an error says to decide what to do."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import emulator
import harness
import sscard
from emulator.errors import ErrorKind, SscardError
from harness.web import refusals
from tests.kit.sources import tree

ROOT = Path(__file__).parents[3]
SOURCES = sorted(path for room in ("emulator", "harness", "sscard") for path in (ROOT / room).rglob("*.py"))
SIGNALS = {"Ended"}
"""What ends a program as Ctrl-C does is no error: ``except Exception`` must not hold it up."""


def classes() -> Iterator[type[BaseException]]:
    for package in (emulator, harness, sscard):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." in found.name:  # Alembic runs them, in a context of its own
                continue
            module = importlib.import_module(found.name)
            for one in vars(module).values():
                if inspect.isclass(one) and issubclass(one, BaseException) and one.__module__ == module.__name__:
                    yield one


OURS = sorted(set(classes()), key=lambda one: (one.__module__, one.__name__))


def test_there_is_something_to_hold() -> None:
    assert len(OURS) > 50


@pytest.mark.parametrize("one", OURS, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_every_error_of_ours_is_in_the_tree(one: type[BaseException]) -> None:
    if not issubclass(one, Exception):
        assert one.__name__ in SIGNALS
        return
    assert issubclass(one, SscardError), "derive it from emulator.errors.SscardError"
    assert isinstance(one.kind, ErrorKind)
    assert one.exit_code == 2 or one.kind is not ErrorKind.USAGE, "wrong usage ends with 2"


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_has_a_status_of_http(kind: ErrorKind) -> None:
    assert 400 <= refusals.BY_KIND[kind] < 600


def places(find: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if find.search(line)
    ]


READ = re.compile(
    r"\bin str\(|str\(\w+\)\.(partition|split|rpartition|startswith|endswith|find)"
    r"|\b(error|failure|refusal|refused|why)\.(args|msg|message)\b[^,)]*(==|!=|\bin\b|\.startswith|\.endswith)"
    r"|\b(error|failure|refusal|refused|unknown|missing)\.args\b"
)


def test_nobody_reads_an_errors_text() -> None:
    """Causes are attributes: kind, word, sw, what."""
    assert places(READ) == []


def test_no_list_of_errors_of_ours_is_kept() -> None:
    """``except`` names one class of ours, whose tree says what belongs to it."""
    ours = {one.__name__ for one in OURS}
    found = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
                names = [ast.unparse(one).rpartition(".")[2] for one in node.type.elts]
                if sum(name in ours for name in names) > 1 or any(
                    isinstance(one, ast.Starred) for one in node.type.elts
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {', '.join(names)}")
    assert found == []
