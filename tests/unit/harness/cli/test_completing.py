"""What a shell completes: names as they are now, also those with blanks, in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from harness.cli import completing, main
from harness.cli.completing import ARGUMENTS, OPTIONS, Named
from harness.cli.completion import SHELLS
from harness.cli.table import COMPLETE
from harness.cli.table_maker import walk
from harness.readers import pcsc
from harness.readers.pcsc import PcscError, ReaderState


def completed(*words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the last word may become."""
    monkeypatch.setenv(COMPLETE, "bash_complete")
    told = ShellComplete(main, {}, "sscard", COMPLETE).get_completions(list(words[:-1]), words[-1])
    return [one.value if one.type == "plain" else one.type for one in told]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("show", "--persona", "pin-"), ["pin-changed", "pin-locked", "pin-one-try"]),
        (("run", "--psam", "psam-c"), ["psam-city"]),
        (("vectors", "run", "--layout", "reg"), ["regional"]),
        (("layout", "diff", "2.00", "3."), ["3.00"]),
        (("vectors", "run", "--only", "VERIFY-LOCK"), ["VERIFY-LOCK_SURVIVES_RESET"]),
        (("vectors", "run", "--only", "OFFICE-"), []),
        (("scenarios", "judge", "OFFICE-24-TORN"), ["OFFICE-24-TORN"]),
        (("prove", "--situation", "certificate-e"), ["certificate-expired"]),
        (("run", "--fault", "mut"), ["mute,"]),
        (("driver", "serve", "--dialect", "o"), ["own"]),
        (("show", "--persona", "./my"), ["file"]),
        (("configg",), []),
        (("comp",), ["compare", "completion"]),
    ],
)
def test_names_are_completed(line: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(completed(*line, monkeypatch=monkeypatch)) == expected


def test_every_option_that_takes_a_known_name_completes_it() -> None:
    lacking = []
    for path, command in walk():
        completing.fill(path, command)
        for one in command.params:
            named = isinstance(one, click.Option) and set(one.opts) & {*OPTIONS, "--only", "--require"}
            if named and type(one.type) is click.types.StringParamType:
                lacking.append((path, one.opts))
    assert lacking == []
    known = {(path, one.name) for path, command in walk() for one in command.params}
    assert set(ARGUMENTS) <= known


def test_readers_are_those_of_now_and_none_where_pcsc_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [ReaderState("Virtual PCD 00 00", card=False, atr=b"", mute=False, exclusive=False, used=False)]
    monkeypatch.setattr(pcsc, "states", lambda: there)
    assert completed("readers", "--", "", monkeypatch=monkeypatch) == []
    assert completed("show", "--reader", "Virt", monkeypatch=monkeypatch) == ["Virtual PCD 00 00"]

    def none() -> list[ReaderState]:
        raise PcscError("no PC/SC")

    monkeypatch.setattr(pcsc, "states", none)
    assert completed("show", "--reader", "", monkeypatch=monkeypatch) == []


def test_a_name_is_told_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_LANG", "zh_CN")
    named = OPTIONS["--persona"]
    context = click.Context(main)
    (told,) = named.shell_complete(context, main.params[0], "pin-locked")
    assert told.help is not None
    assert "密码" in told.help


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_a_real_bash_completes_a_name_with_blanks(tmp_path: Path) -> None:
    """As bash calls it: the function that the script declares, with the words of the line."""
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    program = tmp_path / "sscard"
    answers = "plain,Virtual PCD 00 00\\nplain,two words\\n"
    program.write_text(f"#!/bin/sh\nprintf '{answers}'\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "completion.bash").write_text(script, encoding="utf-8")
    lines = (
        f"source {tmp_path}/completion.bash; COMP_WORDS=(sscard show --reader %s); COMP_CWORD=3; "
        "_sscard_completion sscard; printf '%%s\\n' \"${COMPREPLY[@]}\""
    )
    for word, expected in (("V", r"Virtual\ PCD\ 00\ 00"), ("'\"V'", "Virtual PCD 00 00")):
        told = subprocess.run(
            ["bash", "--norc", "-c", lines % word], capture_output=True, text=True, check=True, timeout=30,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        ).stdout.splitlines()  # fmt: skip
        assert told[0] == expected


@pytest.mark.parametrize(
    ("shell", "words", "at", "expected"),
    [
        ("bash", "sscard\nrun\n--layout\n=\n3", "4", "plain,3.00"),
        ("bash", "sscard\nrun\n--layout\n=", "3", "plain,1.00"),
        ("zsh", "sscard run --layout=3", "2", "plain\n--layout=3.00\n_"),
        ("fish", "sscard run --layout=3", "--layout=3", "plain,--layout=3.00"),
        ("fish", "sscard run --layout 3", "3", "plain,3.00"),
    ],
)
def test_a_name_is_completed_after_an_equals_sign(
    shell: str, words: str, at: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As each shell hands the line over: bash splits at the sign, the others replace the whole word."""
    for name, value in (("COMP_WORDS", words), ("COMP_CWORD", at), (COMPLETE, f"{shell}_complete")):
        monkeypatch.setenv(name, value)
    told = SHELLS[shell](main, {}, "sscard", COMPLETE).complete()
    assert told.startswith(expected)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0, result.output
    assert f"{COMPLETE}={shell}_complete" in result.output
    if shutil.which(shell) and shell != "fish":
        subprocess.run([shell, "-n"], input=result.output, text=True, check=True, timeout=30)


def test_names_that_cannot_be_looked_up_complete_nothing() -> None:
    def broken() -> list[tuple[str, str]]:
        raise OSError(5, "gone")

    assert Named(broken).shell_complete(click.Context(main), main.params[0], "x") == []
    assert sys.modules[Named.__module__] is completing
