"""Manual pages of the program and of each of its commands: ``python -m harness.cli.man_pages FOLDER``.

They are made from what help is made from, the table of commands and the catalogue of messages, so that a page says
what ``--help`` says, in the language of ``$SSCARD_LANG``. ``sscard(1)`` has besides what holds for every command: exit
codes, environment variables, files.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from emulator.messages import _, deferred
from emulator.version import VERSION
from harness.cli import main
from harness.cli.table import AS_IT_IS, HELP, Context, Formatter, Table, Told, brief, children, records

PROGRAM = "sscard"
SECTION = 1
LAID_OUT = ".nh\n.ad l\n.ds wb \\:\n"
"""No word is broken, as commands and options are copied from a page, and none is spread; the string is NAME_END."""
NAME_END = r"\\*(wb"
"""Where a line of NAME may end: lexgrog, which indexes it for whatis, reads \\: as a colon, and leaves strings out."""
MOST_IN_LINE = 80
"""Characters of a page's source; what has no blanks is not broken."""
DATE_VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 of the date on the pages, as reproducible builds have it; today without it."""


class Explained(NamedTuple):
    """An exit code, a variable or a file, and what it means, as the catalogue has it."""

    name: str
    meaning: str


EXIT_CODES = (
    Explained("0", deferred("It worked.")),
    Explained("1", deferred("It failed, or the card refused.")),
    Explained("2", deferred("Wrong usage: an option, an argument or a file that is not as it should be.")),
    Explained("3", deferred("No PC/SC reader to be had.")),
    Explained("4", deferred("Not judged: something was not read, sent or run.")),
    Explained(
        "5",
        deferred(
            "A program could not be run at all, or a file that was to be written would have held a person's data."
        ),
    ),
    Explained("130", deferred("Ctrl-C came before the end; what was done stays, and is told.")),
)
VARIABLES = (
    Explained("SSCARD_LANG", deferred("The language of help and messages; else LANGUAGE, LC_ALL, LC_MESSAGES, LANG.")),
    Explained("SSCARD_CONFIG", deferred("The file of defaults, instead of the one below; empty: none.")),
    Explained("NO_COLOR", deferred("Set and not empty: no colours.")),
    Explained("SSCARD_READER_WAIT", deferred("Seconds to wait for a card in a reader that another program uses.")),
    Explained("SSCARD_PIN", deferred("The card's PIN, where a command needs it.")),
    Explained("SSCARD_NEW_PIN", deferred("The new PIN, where a command sets one.")),
    Explained("SSCARD_ELECTRONIC_PIN", deferred("The PIN of the electronic card.")),
    Explained("SSCARD_NEW_ELECTRONIC_PIN", deferred("The new PIN of the electronic card.")),
    Explained("SSCARD_STATE", deferred("The folder of what must not be forgotten, instead of the one below.")),
    Explained("SSCARD_OFFICE", deferred("The register of the office, where `--register` names none.")),
    Explained("SSCARD_OFFICE_SECRET", deferred("The file of the office's secret, where `--secret` names none.")),
    Explained("SSCARD_PDF", deferred("0: write no report.pdf beside report.html.")),
    Explained("SSCARD_DRIVER", deferred("The place where `sscard driver serve` is found by the C library.")),
    Explained("SSCARD_DRIVER_COMMAND", deferred("The program that the C library starts where nothing answers there.")),
    Explained("SSCARD_DRIVER_ARGS", deferred("Options for what it starts.")),
    Explained("SSCARD_DRIVER_TIMEOUT", deferred("Seconds that the C library waits for an answer.")),
    Explained("SSCARD_DRIVER_PAD", deferred("What each client's PIN pad is given, as by `--pad` of that command.")),
    Explained("SSCARD_METRICS_TOKEN", deferred("The token with which /metrics of a service is read from elsewhere.")),
    Explained("SSCARD_SOCKETS", deferred("tcp: runs are reached by ports of loopback, as on Windows.")),
    Explained("SSCARD_RUN_FOLDER", deferred("Set for a program that is proven: a folder of that run's own.")),
    Explained("PCSCLITE_CSOCK_NAME", deferred("The socket of pcscd; `sscard run --private` prints one.")),
)
FILES = (
    Explained(
        "$XDG_RUNTIME_DIR/sscard",
        deferred("Sockets by which `sscard card` reaches a run; in /tmp/sscard-UID without that variable."),
    ),
    Explained(
        "~/.local/state/sscard",
        deferred("What must not be forgotten: tries and keys spent on real cards, and what the page keeps."),
    ),
    Explained("~/.config/sscard/config.toml", deferred("Defaults of options; see `sscard config`.")),
    Explained(
        "office.db, office-cards",
        deferred("The office's register and its virtual cards, in the folder where `sscard office init` was run."),
    ),
)


class _Roff(click.HelpFormatter):
    """Writes help as man(7) has it instead of laying it out."""

    def __init__(self) -> None:
        super().__init__(width=100_000)  # nothing is cut or broken: man does that

    @contextlib.contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A section under its heading."""
        self.write(f".SH {_quoted(name.upper())}\n")
        yield

    @contextlib.contextmanager
    def indentation(self) -> Iterator[None]:
        """Nothing: man indents."""
        yield

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002
        """The line under the heading SYNOPSIS."""
        with self.section(deferred("Synopsis")):
            self.write(f".B {_escaped(prog)}\n")
            self.write(_running(args))

    def write_paragraph(self) -> None:
        """Nothing: sections stand apart by themselves."""

    def write_text(self, text: str) -> None:
        """Paragraphs; several lines that click is to leave as they are, as they are. Chinese is one long line here."""
        for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
            if number:
                self.write(".PP\n")
            lines = paragraph.removeprefix(AS_IT_IS).splitlines()
            if paragraph.startswith(AS_IT_IS) and len(lines) > 1:
                self.write(".nf\n" + "".join(f"{_inline(line)}\n" for line in lines) + ".fi\n")
            else:
                self.write(_running(" ".join(lines)))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        """Words and what is said of each."""
        for name, text in rows:
            choices = _escaped(name).replace("|", r"|\:")
            self.write(f".TP\n.B {choices}\n{_running(text.replace(AS_IT_IS, ''))}")


class _Page(Formatter, _Roff):
    """The same, in the user's language."""

    def explained(self, title: str, rows: Iterable[Explained]) -> None:
        """A section of words with their meanings."""
        with self.section(title):
            self.write_dl([(row.name, row.meaning) for row in rows])


def name_of(path: str) -> str:
    """The name of a command's page: ``sscard-office-apply`` of ``office apply``; the program's own has the path ''."""
    return "-".join([PROGRAM, *path.split()])


def date() -> str:
    """The date on the pages, YYYY-MM-DD in UTC. ValueError where the variable that names it is no number."""
    given = os.environ.get(DATE_VARIABLE)
    return (datetime.fromtimestamp(int(given), UTC) if given else datetime.now(UTC)).strftime("%Y-%m-%d")


def page(path: str) -> str:
    """A command's page in man(7), in the user's language. ``path``: as the table has it. KeyError where it has none."""
    command = _told(path)
    written = _Page()
    written.write(
        f'.TH {_quoted(name_of(path).upper())} {SECTION} {date()} "{PROGRAM} {VERSION}" {PROGRAM}\n{LAID_OUT}'
    )
    with written.section(deferred("Name")):
        written.write(f"{_escaped(name_of(path))} \\- {_MAY_END.sub(NAME_END, _inline(_short(path)))}\n")
    ctx = _context(path, command)
    command.format_usage(ctx, written)
    with written.section(deferred("Description")):
        command.format_help_text(ctx, written)
    command.format_options(ctx, written)
    if path in records() and records()[path]["group"]:
        below = Table(path)
        below.path = path
        below.format_commands(ctx, written)
    if not path:
        written.explained(deferred("Exit status"), EXIT_CODES)
        written.explained(deferred("Environment"), VARIABLES)
        written.explained(deferred("Files"), FILES)
    command.format_epilog(ctx, written)
    _see_also(path, written)
    return written.getvalue()


def _told(path: str) -> click.Command:
    return Told(path.rpartition(" ")[2], records()[path]) if path else main


def _short(path: str) -> str:
    """One line, without the full stop that a NAME has not."""
    whole = brief(records()[path]) if path else brief({"help": main.help, "short": None})
    return _(whole).rstrip(".。")


def _context(path: str, command: click.Command) -> click.Context:
    parent: click.Context | None = None
    *above, name = [PROGRAM, *path.split()]
    for one in above:
        parent = Context(click.Group(one), info_name=one, parent=parent)
    return Context(command, info_name=name, parent=parent, help_option_names=HELP["help_option_names"])


def _see_also(path: str, written: _Page) -> None:
    """The page above, and those below."""
    above = [path.rpartition(" ")[0]] if path else []
    near = [*above, *(f"{path} {name}".strip() for name in children(path))]
    with written.section(deferred("See also")):
        rows = [f".BR {_escaped(name_of(one))} ({SECTION})" for one in near]
        outside = [] if path else [".BR pcscd (8)"]
        written.write(" ,\n".join([*rows, *outside]) + "\n")


# --- man(7) ---------------------------------------------------------------------------------------------------------

_GLYPHS = {"\\": "\\e", "-": "\\-", "~": "\\(ti", "^": "\\(ha", "`": "\\(ga", "'": "\\(aq", '"': "\\(dq"}


_MAY_END = re.compile(
    "(?<=[\u3000-\u9fff\uff01-\uff5e”])(?<![（《【“])(?=[\u3400-\u9fff（《【“\\[A-Za-z0-9\\\\])|(?<=[A-Za-z0-9])(?=[\u3400-\u9fff（《【“])"
)
"""Where a line with Chinese may end: beside a character or a mark, not after an opening nor before a closing one."""


def _escaped(text: str) -> str:
    """Text that man shows as it stands, wherever a line has it."""
    return "".join(_GLYPHS.get(one, one) for one in text)


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _inline(text: str) -> str:
    """One line of man: in bold what stands between backticks; a full stop at its beginning is no request."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick that nothing closes is one
        parts = [text]
    return _guarded("".join(f"\\fB{_escaped(part)}\\fR" if at % 2 else _escaped(part) for at, part in enumerate(parts)))


def _running(text: str) -> str:
    """Running text in lines that are not too long, at least one: an empty one would be a gap."""
    lines = [""]
    for word in _MAY_END.sub(r"\:", _inline(text)).split():
        if lines[-1] and len(lines[-1]) + len(word) >= MOST_IN_LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "".join(f"{_guarded(line)}\n" for line in lines)


def _guarded(line: str) -> str:
    return f"\\&{line}" if not line or line.startswith(".") else line


# --- all of them ----------------------------------------------------------------------------------------------------


def paths() -> list[str]:
    """Every command's path, the program's own first."""
    return ["", *records()]


def write_all(folder: Path) -> None:
    """Writes every page into this folder, which is made if it is not there. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths():
        (folder / f"{name_of(path)}.{SECTION}").write_text(page(path), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(_("usage: python -m harness.cli.man_pages FOLDER"))
    write_all(Path(sys.argv[1]))
