"""YAML from elsewhere, looked over event by event before anything is built of it.

The look costs time and memory by the text's own length: aliases are followed by counting, never by copying. Dates are
text here; tags beyond YAML's own resolution are not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emulator.messages import _
from emulator.textfiles.text import CUT_OFF, FormatError, read

DEEPEST = 32
"""Collections within one another. [D]"""
REPEATED = 50_000
"""Nodes that aliases may stand for in one file. [D]"""
SHOWN = 40
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
DATE = "tag:yaml.org,2002:timestamp"


class Loader(_BASE):  # type: ignore[misc]
    """Texts, numbers, truth values, null, lists and mappings, whose keys are texts whatever they look like."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != DATE]
        for first, known in _BASE.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        """A mapping's keys and values, what it merges (``<<``) among them."""
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep) for key, value in node.value}


def load(path: Path, loader: Any = Loader) -> Any:
    """The one document of a file, None for an empty one. FormatError, OSError."""
    return _only(load_all(path, loader), path)


def loads_one(text: str, source: object, loader: Any = Loader) -> Any:
    """The one document of a text, None for an empty one. FormatError."""
    return _only(loads(text, source, loader), source)


def _only(found: list[Any], source: object) -> Any:
    if len(found) > 1:
        raise FormatError(source, _("expected one document, found {count}").format(count=len(found)))
    return found[0] if found else None


def load_all(path: Path, loader: Any = Loader) -> list[Any]:
    """The documents of a file. FormatError, OSError."""
    return loads(read(path), path, loader)


def loads(text: str, source: object, loader: Any = Loader) -> list[Any]:
    """The documents of a text. FormatError."""
    try:
        _look(text, source)
        return list(yaml.load_all(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        if mark and mark.line >= text.rstrip().count("\n") + 1:
            raise FormatError(source, _("not YAML: {cut_off}").format(cut_off=_(CUT_OFF))) from None
        raise FormatError(source, _("not YAML: {value}").format(value=error.problem or error.context), line) from None
    except yaml.YAMLError as error:
        what = getattr(error, "reason", None) or _("it cannot be read")
        raise FormatError(source, _("not YAML: {what}").format(what=what)) from None
    except RecursionError:
        raise FormatError(source, _("nested too deeply")) from None
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            source, _("not YAML: a value is not of the kind it looks like, as a number too long")
        ) from None


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come. ``size``: nodes in it so far, those that aliases stand for among them."""

    anchor: str | None
    mapping: bool
    size: int = 1
    key_next: bool = True
    keys: dict[str, int] = field(default_factory=dict)


class _Look:
    """Counts, and refuses what would cost more than it says."""

    def __init__(self, source: object) -> None:
        self.source = source
        self.open: list[_Open] = []
        self.sizes: dict[str, int] = {}
        self.repeated = 0

    def events(self, events: Iterator[Any]) -> None:
        """Looks at every event of a YAML text. FormatError for what may not be in it."""
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.sizes.clear()
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)

    def _wrong(self, event: Any, what: str) -> FormatError:
        return FormatError(self.source, what, _line(event))

    def _node(self, event: Any) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and top.mapping:
            if top.key_next:
                self._key(top, event)
            top.key_next = not top.key_next
        if getattr(event, "tag", None) is not None and not _own(event.tag):
            raise self._wrong(event, _("a tag is not taken here: write plain texts, numbers, lists and mappings"))
        if isinstance(event, yaml.AliasEvent):
            self._alias(event, top)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self.open) >= DEEPEST:
                raise self._wrong(
                    event, _("nested too deeply: expected up to {deepest} levels").format(deepest=DEEPEST)
                )
            self.open.append(_Open(event.anchor, isinstance(event, yaml.MappingStartEvent)))
        else:
            self._ended(event.anchor, 1)

    def _key(self, top: _Open, event: Any) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._wrong(event, _("a key is expected to be a plain text"))
        if event.value in top.keys:
            shown = event.value[:SHOWN]
            raise self._wrong(
                event, _("{key!r} stands twice, first in line {line}").format(key=shown, line=top.keys[event.value])
            )
        top.keys[event.value] = _line(event)

    def _alias(self, event: Any, top: _Open | None) -> None:
        size = self.sizes.get(event.anchor)
        if size is None:
            inside = any(one.anchor == event.anchor for one in self.open)
            raise self._wrong(
                event, _("an alias stands for what it is in") if inside else _("an alias stands for nothing")
            )
        self.repeated += size
        if self.repeated > REPEATED:
            raise self._wrong(
                event, _("aliases stand for too much: expected up to {repeated} values").format(repeated=REPEATED)
            )
        if top is not None:
            top.size += size

    def _close(self) -> None:
        ended = self.open.pop()
        self._ended(ended.anchor, ended.size)

    def _ended(self, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self.sizes[anchor] = size
        if self.open:
            self.open[-1].size += size


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _own(tag: str) -> bool:
    """True for ``!``, which says that a text is one, and for ``!!str``."""
    return tag in ("!", "tag:yaml.org,2002:str")


def _look(text: str, source: object) -> None:
    _Look(source).events(yaml.parse(text, Loader=_PARSER))
