"""The catalogue: layouts, personas, file trees and cards by name. Each is loaded once, here and by nobody else.

What it hands out is frozen and shared by all who ask; only cards are one's own: each is a fork of one that was issued
once. A file of one's own is loaded again as soon as it, or one that it extends, is another than it was.
"""

from __future__ import annotations

import copyreg
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from emulator import personas as people
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts import interfaces
from emulator.filesystem.layouts import load as plans
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.image import Image
from emulator.frozen import frozen
from emulator.interface import Interface
from emulator.kept import keep
from emulator.messages import _
from emulator.personas import BLANK, DEFAULT, Persona, document
from emulator.personas.issue import issue

__all__ = [
    "NoSuchInterface",
    "base_of",
    "card",
    "found_over",
    "layout",
    "layouts",
    "over",
    "persona",
    "personas",
    "tree",
]

KEPT = 128
"""Of each kind, the oldest going first: tests make files by the hundred."""
SETTLED = 2.0
"""Seconds after which a file that changes again has another time, on any file system."""

T = TypeVar("T")
Stamp = tuple[int, int, int]


class _Shelf(Generic[T]):
    """What was read from files, by name, for as long as those files are what they were."""

    def __init__(self, read: Callable[[str], tuple[T, tuple[Path, ...]]]) -> None:
        """``read`` gives a thing by name, and the files of one's own that it was read from."""
        self._read = read
        self._kept: dict[str, tuple[T, tuple[tuple[Path, Stamp | None], ...]]] = {}

    def get(self, name: str) -> T:
        # A relative path means another file in another folder.
        key = str(Path(name).absolute()) if name.endswith(".toml") else name
        found = self._kept.get(key)
        if found is not None and all(_stamp(path) == stamp for path, stamp in found[1]):
            return found[0]
        began = time.time()
        thing, files = self._read(name)
        stamps = tuple((path.absolute(), _stamp(path)) for path in files)
        if all(stamp is not None and stamp[0] < (began - SETTLED) * 1e9 for _, stamp in stamps):
            keep(self._kept, key, (thing, stamps), KEPT)
        return thing


def _stamp(path: Path) -> Stamp | None:
    """What tells a file from one that was written later; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _read_persona(name: str) -> tuple[Persona, tuple[Path, ...]]:
    person, files = people.read(name)
    return replace(
        person, values=frozen(person.values), purse=frozen(person.purse), versions=frozen(person.versions)
    ), files


_layouts = _Shelf(plans.read)
_personas = _Shelf(_read_persona)
_cards: dict[str, tuple[Persona, Image]] = {}


def layouts() -> tuple[str, ...]:
    """The names of the layouts that come with the package, sorted."""
    return plans.names()


def layout(name_or_path: str | Path) -> Layout:
    """A layout by name (``2.00``, ``3.00``) or by the path of a TOML file; LayoutError if it is not good."""
    return _layouts.get(str(name_or_path))


def _pickled(one: Layout) -> Any:
    """One that comes with the package goes to other processes by its name: it is shared there, and little to send."""
    if one.name in layouts() and layout(one.name) is one:
        return layout, (one.name,)
    return object.__reduce_ex__(one, pickle.HIGHEST_PROTOCOL)


copyreg.pickle(Layout, _pickled)


def base_of(name_or_path: str | Path) -> Layout | None:
    """The layout that another extends, None for one that stands alone. LayoutError."""
    return plans.base_of(str(name_or_path))


class NoSuchInterface(SscardError, ValueError):
    """A card is asked for over an interface that cards of its layout do not have."""

    kind = ErrorKind.USAGE
    exit_code = 2

    def __init__(self, plan: Layout) -> None:
        having = [name for name in layouts() if layout(name).contactless is not None]
        super().__init__(
            _(
                "layout {name} has no contactless interface: choose {names}, or a layout of your own with a table "
                "[contactless]"
            ).format(name=plan.name, names=", ".join(having))
        )


def over(plan: Layout, interface: Interface) -> Layout:
    """A layout as a terminal finds it over this interface. NoSuchInterface, which names the layouts that have it."""
    if interface is Interface.CONTACTLESS and plan.contactless is None:
        raise NoSuchInterface(plan)
    return interfaces.over(plan, interface)


def found_over(plan: Layout, interface: Interface) -> Layout:
    """As ``over``, of a card that is there, whatever its layout says: the layout itself where that says nothing of the
    interface.
    """
    return plan if plan.contactless is None else interfaces.over(plan, interface)


@cache
def personas(kind: CardKind = CardKind.USER) -> tuple[str, ...]:
    """The names of the personas of a kind of card (``user`` or ``psam``) that come with the package, default first."""
    fit = [name for name in document.names() if persona(name).card == kind]
    return tuple(sorted(fit, key=lambda name: name != DEFAULT))


def persona(name_or_path: str | Path) -> Persona:
    """A persona by name, or by the path of a TOML file.

    PersonaError, in one sentence, for a file that is not a persona; UnknownPersonaError, naming those there are, for an
    unknown name.
    """
    return _personas.get(str(name_or_path))


def tree(plan: str | Path | Layout, algorithm: str = "") -> Image:
    """The file tree of a layout's user cards as the maker delivers it: files without records, a transport key and no
    other. One's own; errors as of ``card``.
    """
    return card(BLANK, plan, algorithm)


def card(holder: str | Path | Persona, plan: str | Path | Layout, algorithm: str = "") -> Image:
    """A fresh card, one's own, tied to no file. ``plan`` and ``holder``: the name of a layout and a persona, the path
    of a TOML file, or the thing itself; ``algorithm`` ``3des`` or ``sm4``, empty for the layout's first.

    LookupError for an unknown persona, LayoutError for a layout that is not good, ValueError (ItemError among them)
    where the three do not go together.
    """
    of = plan if isinstance(plan, Layout) else layout(plan)
    algorithm = algorithm or of.algorithms[0]
    if isinstance(holder, Persona):
        return issue(holder, of, algorithm)
    person = persona(holder)
    key = f"{person.name}\0{of.fingerprint}\0{algorithm}"
    known, image = _cards.get(key, (None, None))
    if image is None or known != person:  # two files may call a persona the same
        image = issue(person, of, algorithm)
        keep(_cards, key, (person, image), KEPT)
    return image.fork()
