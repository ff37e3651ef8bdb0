"""The licences of all that is needed: ``write`` makes docs/licences.md and its Chinese twin of scripts/licences.toml
and of the lock; ``check`` says what may not be used as it is, or is not known.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, it is this folder that is searched

from scripts.locked import CORE, brought  # noqa: E402

TABLE = tomllib.loads((ROOT / "scripts" / "licences.toml").read_text(encoding="utf-8"))
PAGES = {"en": ROOT / "docs" / "licences.md", "zh": ROOT / "docs" / "licences.zh-CN.md"}


class Use(StrEnum):
    """How something is used, which is what decides whether its licence allows it."""

    INSIDE = "inside"
    """Distributed within ours."""
    LIBRARY = "library"
    """Imported or loaded, unchanged, installed by whoever uses it, and replaceable."""
    PROGRAM = "program"
    """A process of its own, or a tool of development: nothing of it becomes part of ours."""
    FONT = "font"
    """Glyphs of it stand in documents that are printed."""


PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU"}
    | {"PSF-2.0", "Unlicense", "Zlib"}
)
WEAK = frozenset(
    {"EPL-2.0", "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"}
    | {"MPL-1.1", "MPL-2.0"}
)
STRONG = frozenset({"GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"})
FONTS = frozenset({"Arphic-1999", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "OFL-1.1"})
ALLOWED = {
    Use.INSIDE: PERMISSIVE,
    Use.LIBRARY: PERMISSIVE | WEAK,
    Use.PROGRAM: PERMISSIVE | WEAK | STRONG,
    Use.FONT: PERMISSIVE | FONTS,
}
"""What a program under Apache-2.0 may use so."""

FIELDS = {
    "MIT": "MIT", "MIT License": "MIT", "MIT license": "MIT", "Apache-2.0": "Apache-2.0", "Apache 2.0": "Apache-2.0",
    "BSD-2-Clause": "BSD-2-Clause", "BSD-3-Clause": "BSD-3-Clause", "MPL-2.0": "MPL-2.0",
}  # fmt: skip
"""What the older field License says in short, where it says which."""
CLASSIFIERS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
LICENCE_FILE = re.compile(r"(^|/)(licen[cs]e|copying)[^/]*$", re.IGNORECASE)


@cache
def _spdx() -> Any:
    return get_spdx_licensing()


def normal(expression: str) -> str:
    """An SPDX expression in one form. ValueError for what is none, or names a licence that SPDX has not."""
    try:
        parsed = _spdx().parse(expression, validate=True, strict=True)
    except ExpressionError as error:
        raise ValueError(f"{expression!r} is no SPDX expression: {error}") from None
    if parsed is None:
        raise ValueError("nothing is no SPDX expression")
    return str(parsed.simplify().render())


def fits(expression: str, use: Use) -> bool:
    """Whether what is under this may be used so: all parts of an AND, one of an OR. ValueError as ``normal``."""
    normal(expression)
    return _fits(_spdx().parse(expression), ALLOWED[use])


def _fits(node: Any, allowed: frozenset[str]) -> bool:
    if not node.args:
        return str(node.render()) in allowed
    held = [_fits(one, allowed) for one in node.args]
    return any(held) if node.operator.strip() == "OR" else all(held)


def said(name: str) -> str:
    """The licence that an installed package's metadata name, as an SPDX expression; empty where they leave it open.

    metadata.PackageNotFoundError for one that is not installed.
    """
    about = metadata.metadata(name).json
    named, classifiers = str(about.get("license", "")).strip(), about.get("classifier", [])
    if "license_expression" in about:
        return normal(str(about["license_expression"]))
    if named in FIELDS:
        return FIELDS[named]
    classes = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    if "BSD License" in classes or named == "BSD":
        return _bsd(name)
    known = {CLASSIFIERS[one] for one in classes if one in CLASSIFIERS}
    return known.pop() if len(known) == len(classes) == 1 else ""


def _bsd(name: str) -> str:
    """Which of the two, by whether the third clause stands in the package's text."""
    texts = [
        Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")
        for file in metadata.files(name) or ()
        if LICENCE_FILE.search(file.as_posix())
    ]
    if any("endorse or promote" in text for text in texts):
        return "BSD-3-Clause"
    return "BSD-2-Clause" if any("Redistribution" in text for text in texts) else ""


def uses() -> dict[str, set[str]]:
    """Each locked package, and the extras that bring it."""
    found: dict[str, set[str]] = {}
    for extra, names in brought().items():
        for name in names:
            found.setdefault(name, set()).add(extra)
    return found


def use_of(extras: set[str]) -> Use:
    """A package that development alone brings is a tool, any other a library."""
    return Use.PROGRAM if extras == {"dev"} else Use.LIBRARY


def wrong() -> Iterator[str]:
    """What is needed and not known, known and not needed, or may not be used as it is used."""
    needed = uses()
    known: dict[str, str] = TABLE["python"]
    yield from (
        f"{name}: its licence is not known: enter it in scripts/licences.toml" for name in needed.keys() - known
    )
    yield from (f"{name}: in scripts/licences.toml, and not locked" for name in known.keys() - needed)
    for name, extras in sorted(needed.items()):
        if name in known:
            yield from _judged(name, known[name], use_of(extras))
    for one in TABLE["inside"]:
        yield from _judged(one["name"], one["licence"], Use.INSIDE)
    for name, one in TABLE["debian"].items():
        yield from _judged(name, one["licence"], Use(one["use"]))
    for name, licence in TABLE["tools"].items():
        yield from _judged(name, licence, Use.PROGRAM)


def _judged(name: str, licence: str, use: Use) -> Iterator[str]:
    try:
        if not fits(licence, use):
            yield f"{name}: {licence} may not be used as {use} in a program under Apache-2.0"
    except ValueError as error:
        yield f"{name}: {error}"


def page(language: str) -> str:
    """The page in one language, as Markdown."""
    text: dict[str, Any] = TABLE["texts"][language]
    needed, licence = uses(), TABLE["python"]
    groups: dict[str, list[str]] = {"core": [], "extras": [], "dev": []}
    for name, extras in sorted(needed.items()):
        group = "core" if CORE in extras else "dev" if extras == {"dev"} else "extras"
        named = f" {', '.join(f'`[{one}]`' for one in sorted(extras - {CORE, 'dev'}))} |" if group == "extras" else ""
        groups[group].append(f"| {name} | {licence.get(name, '?')} |{named}")
    parts = [text["head"], f"## {text['inside']}\n", text["inside_head"], "| --- | --- | --- | --- |"]
    parts += [
        f"| {' '.join(filter(None, (one['name'], one.get('version'))))} | {one['licence']} "
        f"| [{Path(one['file']).name}](../{one['file']}) | [{Path(one['text']).name}](../{one['text']}) |"
        for one in TABLE["inside"]
    ]
    for group, rows in groups.items():
        columns = 3 if group == "extras" else 2
        parts += [
            f"\n## {text[group]}\n",
            text["head_row" if columns == 3 else "short_row"],
            "|" + " --- |" * columns,
            *rows,
        ]
    tools = ", ".join(f"{name} ({one})" for name, one in TABLE["tools"].items())
    seen = "; ".join(f"{name}: {one}" for name, one in TABLE["seen"].items())
    parts += ["", text["tools"].format(tools=tools), "", text["seen"].format(seen=seen)]
    parts += [f"\n## {text['debian']}\n", text["debian_text"], "", text["debian_row"], "| --- | --- | --- |"]
    parts += [f"| {name} | {one['licence']} | {text['use'][one['use']]} |" for name, one in TABLE["debian"].items()]
    return "\n".join(parts) + "\n"


def main() -> None:
    """One of the two, by its name."""
    if sys.argv[1:] == ["write"]:
        for language, path in PAGES.items():
            path.write_text(page(language), encoding="utf-8")
    elif sys.argv[1:] == ["check"]:
        if found := list(wrong()):
            raise SystemExit("\n".join(found))
        print(f"{len(uses())} packages, each under a licence that may be used so")
    else:
        raise SystemExit("expected write or check")


if __name__ == "__main__":
    main()
