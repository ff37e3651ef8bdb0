"""What a shell completes: names of cards, layouts, readers, vectors, as they are now; and how each shell asks.

A command's own words come from click and the table of commands. Names are looked up only while a shell completes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from functools import partial

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from emulator.errors import SscardError
from emulator.messages import languages

FILE = "file"
Names = Iterable[tuple[str, str]]
"""Names and what is said of each, empty where nothing is."""

# click's own takes a name with a blank for several words, and forgets names where a file may be named as well.
_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' kind value word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS=',' read -r kind value; do
        if [[ $kind == dir ]]; then
            compopt -o dirnames
        elif [[ $kind == file ]]; then
            compopt -o default
        elif [[ $kind == plain && $word == [\"\']* ]]; then
            COMPREPLY+=("$value")
        elif [[ $kind == plain ]]; then
            COMPREPLY+=("$(printf '%%q' "$value")")
        fi
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Bash, with names that have blanks in them, and after ``--option=``, which bash hands over as three words."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, and the one that is completed."""
        words, begun = super().get_completion_args()
        return [one for one in words if one != "="], begun


class _Joined(ShellComplete):
    """A shell that takes ``--option=value`` for one word, and replaces all of it."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """As click has them, the option before each name where it was joined to it."""
        option, joined, __ = incomplete.partition("=")
        found = super().get_completions(args, incomplete)
        if not joined or not option.startswith("-"):
            return found
        return [
            item if item.type == FILE else CompletionItem(f"{option}={item.value}", item.type, item.help)
            for item in found
        ]


class Zsh(_Joined, ZshComplete):
    """Zsh, with names after ``--option=`` too."""


class Fish(_Joined, FishComplete):
    """Fish, with names after ``--option=`` too."""


class Named(click.types.StringParamType):
    """A text that is one of these names, or the path of a file where ``files`` may be named too."""

    def __init__(self, names: Callable[[], Names], *, files: bool = False) -> None:
        self._names, self._files = names, files

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that begin so; what cannot be looked up now completes nothing."""
        del ctx, param
        found = []
        with contextlib.suppress(SscardError, OSError, ModuleNotFoundError):
            found = [
                CompletionItem(name, help=said or None) for name, said in self._names() if name.startswith(incomplete)
            ]
        if self._files and not found:
            return [CompletionItem(incomplete, type=FILE)]
        return found


def known() -> None:
    """Makes these ways of shells known to click."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)


def fill(path: str, command: click.Command) -> None:
    """Gives the parameters of a command, by its path, the names that they may have."""
    for one in command.params:
        if type(one.type) is click.types.StringParamType:
            known = _of(path, one)
            if known is not None:
                one.type = known


# --- which parameter has which names -----------------------------------------------------------------------------


def _of(path: str, parameter: click.Parameter) -> Named | None:
    if isinstance(parameter, click.Option):
        return next((OPTIONS[name] for name in parameter.opts if name in OPTIONS), None) or _of_command(path, parameter)
    return ARGUMENTS.get((path, parameter.name or ""))


def _of_command(path: str, parameter: click.Option) -> Named | None:
    if not {"--only", "--require"} & set(parameter.opts):
        return None
    return SCENARIOS if path.startswith("scenarios") else VECTORS


def _personas(*, psam: bool) -> Names:
    from emulator import catalogue
    from emulator.filesystem.layouts.terms import CardKind

    for name in catalogue.personas(CardKind.PSAM if psam else CardKind.USER):
        one = catalogue.persona(name)
        yield name, one.title_zh if _chinese() else one.title


def _layouts() -> Names:
    from emulator import catalogue

    for name in catalogue.layouts():
        yield name, ""


def _readers() -> Names:
    from harness.readers import pcsc

    for one in pcsc.states():
        yield one.name, ""


def _runs() -> Names:
    from harness.serving import control

    for one in control.runs():
        yield one.id, one.told


def _dialects() -> Names:
    from harness.driver.dialects import dialect

    for name in dialect.names():
        yield name, ""


def _faults() -> Names:
    from harness.faults.kinds import KINDS

    for name in KINDS:
        yield f"{name},", ""


def _profiles() -> Names:
    from harness.conformance.coverage import PROFILES

    for version, algorithm in PROFILES:
        yield f"{version}-{algorithm}", ""


def _chinese() -> bool:
    return next(languages(), "").startswith("zh")


WORD = re.compile(r"^(id|title|title_zh): *[\"']?(.*?)[\"']?$", re.MULTILINE)


def _ids(scenarios: bool) -> Names:
    """Of shipped vectors or scenarios: read as text, since reading them as what they are takes seconds."""
    from harness.conformance.vector import OFFICE, home

    office = home() / OFFICE
    for file in sorted(home().rglob("*.yaml")):
        if (office in file.parents) is not scenarios:
            continue
        for document in file.read_text(encoding="utf-8").split("\n---\n"):
            words = dict(WORD.findall(document))
            if "id" in words:
                yield words["id"], words.get("title_zh" if _chinese() else "title", "")


def _situations() -> Names:
    from harness.proving import plan

    for planned in plan.default().cases:
        one = planned.situation
        yield one.name, one.title_zh if _chinese() else one.title


def _words(*words: str) -> Names:
    return [(word, "") for word in words]


PERSONAS, LAYOUTS = Named(partial(_personas, psam=False), files=True), Named(_layouts, files=True)
READERS, VECTORS, SCENARIOS = Named(_readers), Named(partial(_ids, False)), Named(partial(_ids, True))
TEST_KEYS = Named(partial(_words, "test"), files=True)
OPTIONS: dict[str, Named] = {
    "--persona": PERSONAS, "--as": PERSONAS, "--extends": PERSONAS,
    "--psam": Named(partial(_personas, psam=True), files=True),
    "--layout": LAYOUTS,
    "--reader": READERS, "--psam-reader": READERS, "--contactless-reader": READERS, "--office-reader": READERS,
    "--run": Named(_runs), "--dialect": Named(_dialects), "--fault": Named(_faults), "--profile": Named(_profiles),
    "--situation": Named(_situations), "--keys": TEST_KEYS, "--roots": TEST_KEYS,
}  # fmt: skip
ARGUMENTS: dict[tuple[str, str], Named] = {
    ("personalise", "holder"): PERSONAS,
    ("persona check", "name"): PERSONAS,
    ("compare", "left"): PERSONAS,
    ("compare", "right"): PERSONAS,
    ("layout show", "name"): LAYOUTS,
    ("layout check", "file"): LAYOUTS,
    ("layout diff", "before"): LAYOUTS,
    ("layout diff", "after"): LAYOUTS,
    ("scenarios card", "name"): SCENARIOS,
    ("scenarios judge", "name"): SCENARIOS,
}
