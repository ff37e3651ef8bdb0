"""At which line of a TOML text each value stands, which the standard library's reader does not say.

For texts that ``tomllib`` has taken: nothing is checked here, only found again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys, and places in arrays, from the top of the document."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<text>\"\"\"(?:\\[\s\S]|[^\\])*?\"\"\"\"{0,2}|'''[\s\S]*?''''{0,2}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\[\]{}=,."'\#]+)
    """,
    re.VERBOSE,
)


class _Kind(StrEnum):
    """What a piece of the text is, by the groups of the pattern; END: nothing follows."""

    SPACE = "space"
    NEWLINE = "newline"
    TEXT = "text"
    MARK = "mark"
    BARE = "bare"
    END = "end"


class _Token(NamedTuple):
    kind: _Kind
    text: str
    line: int


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and array element of a valid document, by its path."""
    return _Scan(text).found


class _Scan:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        within: Path = ()
        while self._next.kind is not _Kind.END:
            if self._next.kind is _Kind.NEWLINE:
                self._take()
            elif self._next.text == "[":
                within = self._header()
            else:
                self._pair(within)

    def _take(self) -> _Token:
        token, self._next = self._next, next(self._tokens)
        return token

    def _skip(self, *texts: str) -> None:
        while self._next.kind is _Kind.NEWLINE or (self._next.kind is _Kind.MARK and self._next.text in texts):
            self._take()

    def _keys(self) -> tuple[list[str], int]:
        """A dotted key and its line."""
        line, keys = self._next.line, []
        while self._next.kind in (_Kind.TEXT, _Kind.BARE) or self._next.text == ".":
            token = self._take()
            if token.kind is _Kind.TEXT:
                keys.append(str(tomllib.loads(f"key = {token.text}")["key"]))
            elif token.kind is _Kind.BARE:
                keys.append(token.text)
        return keys, line

    def _header(self) -> Path:
        self._take()
        repeated = self._next.text == "["
        if repeated:
            self._take()
        keys, line = self._keys()
        path: Path = ()
        for at, key in enumerate(keys, 1):
            path = (*path, key)
            self._note(path, line)
            if path in self._counts and not (repeated and at == len(keys)):
                path = (*path, self._counts[path])
        if repeated:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = (*path, self._counts[path])
            self._note(path, line)
        while self._next.text == "]":
            self._take()
        return path

    def _pair(self, within: Path) -> None:
        keys, line = self._keys()
        path = within
        for key in keys:
            path = (*path, key)
            self._note(path, line)
        self._take()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._next
        if opening.text == "[" and opening.kind is _Kind.MARK:
            self._take()
            self._skip(",")
            at = 0
            while self._next.text != "]":
                self._note((*path, at), self._next.line)
                self._value((*path, at))
                self._skip(",")
                at += 1
            self._take()
        elif opening.text == "{" and opening.kind is _Kind.MARK:
            self._take()
            self._skip(",")
            while self._next.text != "}":
                self._pair(path)
                self._skip(",")
            self._take()
        else:
            while self._next.kind not in (_Kind.NEWLINE, _Kind.END) and self._next.text not in (",", "]", "}"):
                self._take()

    def _note(self, path: Path, line: int) -> None:
        self.found.setdefault(path, line)


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind, found = _Kind(match.lastgroup or ""), match.group()
        if kind is not _Kind.SPACE:
            yield _Token(kind, found, line)
        line += found.count("\n")
    while True:
        yield _Token(_Kind.END, "", line)
