"""The page's modules as one script, for a page that is one file: a file's scripts may load no others.

It understands the forms in which the modules of ``static`` import and export, and refuses every other; a module is a
function that returns what it exports. It is no build step: nothing of it is kept.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

IMPORT = re.compile(r'^import\s+(?:(\*\s+as\s+(?P<all>\w+)|(?P<default>\w+)|\{(?P<some>[^}]*)\})\s+from\s+)?"(?P<path>[^"]+)";$', re.M)  # fmt: skip # noqa: E501
DECLARED = re.compile(
    r"^export (?P<default>default )?(?P<what>(?:async )?function|class|const|let) (?P<name>\w+)", re.M
)
LISTED = re.compile(r"(?:(?<=^)|(?<=[;}\n]))export ?\{(?P<some>[^}]*)\};?")
LEFT = re.compile(r"^(?:import|export)\b|\bimport\(", re.M)
SCRIPT_END = re.compile(r"<(?=/script|!--)", re.I)


class BundleError(SscardError, ValueError):
    """A module that imports or exports in a form that is not understood, or in a circle."""

    kind = ErrorKind.BROKEN


def bundle(entry: str, read: Callable[[str], str]) -> str:
    """One script of a module and all that it imports. ``read`` gives a module's text by its path from the folder.

    BundleError.
    """
    names: dict[str, str] = {}
    parts: list[str] = []

    def take(path: str, above: tuple[str, ...]) -> str:
        if path in above:
            raise BundleError(_("{path}: it imports itself in a circle").format(path=path))
        if path not in names:
            text = read(path)
            used = {one: take(_beside(path, one), (*above, path)) for one in _imported(text)}
            names[path] = f"module{len(names)}"
            parts.append(f"const {names[path]} = (() => {{\n{_as_function(path, text, used)}\n}})();\n")
        return names[path]

    take(entry, ())
    # Only in strings and regular expressions may these stand, where the backslash changes nothing.
    return SCRIPT_END.sub(r"\\x3c", '"use strict";\n' + "".join(parts))


def _beside(path: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))


def _imported(text: str) -> Iterator[str]:
    return (found["path"] for found in IMPORT.finditer(text))


def _as_function(path: str, text: str, used: dict[str, str]) -> str:
    exported: list[str] = []

    def imported(found: re.Match[str]) -> str:
        module = used[found["path"]]
        if found["all"]:
            return f"const {found['all']} = {module};"
        if found["default"]:
            return f"const {found['default']} = {module}.default;"
        if found["some"]:
            return f"const {{ {', '.join(f'{a}: {b}' for a, b in _pairs(found['some']))} }} = {module};"
        return ""

    def declared(found: re.Match[str]) -> str:
        exported.append(f"default: {found['name']}" if found["default"] else found["name"])
        return f"{found['what']} {found['name']}"

    def listed(found: re.Match[str]) -> str:
        exported.extend(f"{b}: {a}" for a, b in _pairs(found["some"]))
        return ""

    body = LISTED.sub(listed, DECLARED.sub(declared, IMPORT.sub(imported, text)))
    if (left := LEFT.search(body)) is not None:
        line = body.count("\n", 0, left.start()) + 1
        raise BundleError(_("{path}: line {line}: not one of the forms of import and export that are understood").format(path=path, line=line))  # fmt: skip # noqa: E501
    return f"{body}\nreturn {{ {', '.join(exported)} }};"


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """``a as b, c`` as pairs: what it is called there, and here."""
    for one in filter(None, (part.strip() for part in names.split(","))):
        there, __, here = one.partition(" as ")
        yield there.strip(), (here or there).strip()
