"""Facts that stand in code, in layouts' comments and in vectors' texts: every mark like ``[T: part5:6.14]``."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emulator.sources import MARK, marks
from harness.facts.fact import Fact
from harness.sources.register import SourceError

PACKAGES = ("emulator", "harness")
ROOT = Path(__file__).parents[2]
"""What the packages lie in."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may bear marks: a string, or comments on lines that follow each other."""

    file: str
    line: int
    name: str
    text: str


@cache
def of_packages(*folders: str) -> tuple[Fact, ...]:
    """The facts in the code, and in comments of the TOML files, of both packages or of folders in them
    (``emulator/apdu``); read once, as the code is.
    """
    return tuple(
        fact
        for folder in folders or PACKAGES
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".toml")
        for fact in of_file(path, path.relative_to(ROOT).as_posix())
    )


def of_file(path: Path, name: str) -> Iterator[Fact]:
    """The facts in one file of Python or TOML, called ``name``; SourceError where a mark cannot be read."""
    text = path.read_text(encoding="utf-8")
    passages = _python(text, name) if path.suffix == ".py" else _comments(_toml(text), name)
    for one in sorted(passages, key=lambda one: one.line):
        yield from of_text(one.text, f"{one.file}:{one.line}", one.name, _kind(name))


def of_text(text: str, where: str, name: str, kind: str) -> Iterator[Fact]:
    """A fact for each mark in a text; ``name`` says what it is about where the text does not.

    What stands between double backticks shows how a mark is written, and is not one.
    """
    last, end = 0, len(text)
    try:
        found = list(marks(re.sub(r"``.*?``", lambda shown: "`" * len(shown[0]), text, flags=re.DOTALL)))
    except ValueError as error:
        raise SourceError(f"{where}: {error}") from None
    for n, one in enumerate(found):
        said = _sentence(text[last : one.start])
        if not said:
            said = _sentence(text[one.end : found[n + 1].start if n + 1 < len(found) else end])
        last = one.end
        yield Fact(kind, where, f"{name}: {said}" if name and said else said or name, one.grade, one.citations)


def _sentence(text: str) -> str:
    """The last paragraph of a text, on one line, without what merely joins it to its neighbours."""
    return " ".join(text.strip().rpartition("\n\n")[2].split()).strip(" ;,.—–-")


def _kind(name: str) -> str:
    if name.endswith(".toml"):
        return "layout"
    if name.startswith("emulator/apdu/instructions/"):
        return "instruction"
    return "rule" if name.startswith("harness/monitor/rules/") else "code"


def _python(text: str, file: str) -> Iterator[Passage]:
    yield from _strings(ast.parse(text), file, "")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = ((one.start[0], one.line[: one.start[1]], one.string) for one in tokens if one.type == tokenize.COMMENT)
    yield from _comments(found, file)


def _strings(node: ast.AST, file: str, name: str) -> Iterator[Passage]:
    """Strings with marks, each under the name of the class or function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{name}.{child.name}".lstrip(".")
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            if MARK.search(child.value):
                yield Passage(file, child.lineno, name, child.value)
        elif isinstance(child, ast.JoinedStr):
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in child.values)
            if MARK.search(text):
                yield Passage(file, child.lineno, name, text)
        else:
            yield from _strings(child, file, inner)


def _toml(text: str) -> Iterator[tuple[int, str, str]]:
    """Comments of a TOML file: line, what stands before, comment; a comment begins at a # that no string holds."""
    for number, line in enumerate(text.splitlines(), 1):
        quoted = False
        for at, character in enumerate(line):
            if character == '"':
                quoted = not quoted
            elif character == "#" and not quoted:
                yield number, line[:at], line[at:]
                break


def _comments(found: Iterable[tuple[int, str, str]], file: str) -> Iterator[Passage]:
    """Comments with marks: on lines of their own that follow each other they are one; beside code each for itself."""
    first, last, lines = 0, -1, [""]
    for number, before, text in (*found, (0, "", "")):
        beside = before.strip()
        if beside or number != last + 1:
            if MARK.search("\n".join(lines)):
                yield Passage(file, first, "", "\n".join(lines))
            first, lines = number, []
        last = number
        if beside:
            if MARK.search(text):
                yield Passage(file, number, beside.partition("=")[0].strip(), text.lstrip("#").strip())
            last = -1
        else:
            lines.append(text.lstrip("#").strip())
