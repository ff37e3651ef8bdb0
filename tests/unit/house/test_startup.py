"""What is not imported where it is not needed: the guard of start-up's figures, which ``make bench`` measures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from harness.cli import main, table_maker
from harness.cli.table import FILE, Told, records
from tests.kit.languages import forget_help

ROOT = Path(__file__).parents[3]
HEAVY = {
    "alembic", "chinese_calendar", "construct", "cryptography", "fastapi", "jinja2", "jsonschema", "pydantic", "segno",
    "smartcard", "sqlalchemy", "uvicorn", "websockets", "yaml",
}  # fmt: skip
COMMAND = """
import sys
sys.argv[0] = "sscard"
from harness.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def run(program: str, *arguments: str) -> tuple[str, set[str]]:
    """What a Python program says, and the modules that it had in the end."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}, cwd=ROOT,
    )  # fmt: skip
    return done.stdout, set(done.stderr.split())


def ours(modules: set[str]) -> set[str]:
    return {one for one in modules if one.partition(".")[0] in ("emulator", "harness", "sscard")}


def test_the_version_needs_neither_commands_nor_the_packages_metadata() -> None:
    said, modules = run(COMMAND, "--version")
    assert re.fullmatch(r"sscard, version \d+\.\d+\.\d+\n", said)
    assert not modules & (HEAVY | {"importlib.metadata", "subprocess", "socket", "asyncio", "json", "pathlib"})
    assert len(ours(modules)) <= 16


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["office", "--help"], ["office", "apply", "--help"], ["vectors", "-h"], ["vectors", "run", "--help"]],
)
def test_help_imports_no_command(arguments: list[str]) -> None:
    said, modules = run(COMMAND, *arguments)
    assert said.startswith("Usage: sscard")
    assert not modules & (HEAVY | {"importlib.metadata", "subprocess", "asyncio"})
    assert len(ours(modules)) < 21  # with `columns`, where there is Chinese to lay out
    commands = {one for one in ours(modules) if one.startswith("harness.cli.")}
    assert commands <= {
        "harness.cli.interrupt", "harness.cli.places", "harness.cli.table", "harness.cli.office",
        "harness.cli.office.common",
    }  # fmt: skip


def test_a_run_of_pytest_without_a_card_imports_neither_chip_nor_harness(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    program = (
        "import sys, pytest; pytest.main(['-q', '--collect-only', '-p', 'no:cacheprovider', *sys.argv[1:]]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    own = ["-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    said, modules = run(program, *own)
    assert "test_nothing" in said
    without, bare = run(program, "-p", "no:sscard", *own)
    assert "test_nothing" in without
    added = modules - bare
    plugin = {"emulator", "emulator.guess", "emulator.messages", "harness", "harness.plugin"}
    assert ours(added) <= plugin | {"sscard", "sscard.pytest_plugin", "emulator.version"}
    assert len(added) < 15, added


@pytest.fixture
def _as_it_began() -> None:
    forget_help()


@pytest.mark.usefixtures("_as_it_began")
def test_the_table_of_commands_is_that_of_the_commands() -> None:
    assert json.loads(Path(FILE).read_text(encoding="utf-8")) == json.loads(table_maker.made()), (
        "a command has changed: python -m harness.cli.table_maker"
    )


@pytest.mark.usefixtures("_as_it_began")
def test_help_is_what_the_commands_themselves_would_say() -> None:
    parent = click.Context(main, info_name="sscard", help_option_names=["-h", "--help"])
    for path, command in table_maker.walk():
        if not isinstance(command, click.Group):
            own, told = (
                one.get_help(click.Context(one, info_name=path, parent=parent))
                for one in (command, Told(path, records()[path]))
            )
            assert told == own


def test_every_command_can_be_asked_for_help_at_its_place() -> None:
    """In this process, as there are a hundred: each path is found, and none is told of twice."""
    paths = [path for path, record in records().items() if not record["group"]]
    assert len(paths) > 100
    for path in paths:
        *groups, name = path.split(" ")
        context, group = click.Context(main, info_name="sscard"), main
        for one in groups:
            found = group.get_command(context, one)
            assert isinstance(found, click.Group), path
            context, group = click.Context(found, info_name=one, parent=context), found  # type: ignore[assignment]
        assert name in group.list_commands(context)
