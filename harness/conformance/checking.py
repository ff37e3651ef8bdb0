"""Files of vectors judged before anything is run: every fault at once, with its line and what was probably meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout, LayoutError
from emulator.filesystem.memory.cells import VERSIONS
from emulator.guess import guess
from emulator.messages import _, deferred
from harness.conformance import coverage, names
from harness.conformance.models import Apdu, Authenticate, Secured, Step, Tac, Tpdu, UnderKey, texts
from harness.conformance.names import Kind
from harness.conformance.references import PLACE, names_in
from harness.conformance.vector import ITEMS, Vector, files_in, judged
from harness.sources.register import register
from harness.verdicts.documents import Document

KNOWN_FIRST = frozenset({"chip", "province", "city", "algorithm", "pin", "challenge"})
"""Values that a vector may name without having captured or computed them."""
STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the file, its line from 1 (0 where no line is to blame), the vector where it is known, and what."""

    path: str
    line: int
    id: str
    what: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return ": ".join(filter(None, (where, self.id, self.what)))

    def as_table(self) -> dict[str, Any]:
        """For JSON."""
        return {"path": self.path, "line": self.line, "id": self.id, "what": self.what}


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: how many files and vectors were looked at, and every fault, by file and line."""

    files: int
    vectors: int
    faults: tuple[Fault, ...]


def check(paths: Sequence[Path], home: Path) -> Checked:
    """Judges every file of vectors that these paths mean. ``home``: the program's own vectors, whose list of the
    standard's items holds everywhere.
    """
    files = [file for path in paths for file in files_in(path)]
    known = _Known([*paths, home])
    faults: list[Fault] = []
    first: dict[str, Document] = {}
    count = 0
    for file in files:
        for one in judged(file):
            table = one.document.table if one.document is not None else None
            name = str(table.get("id", "")) if isinstance(table, dict) else ""
            faults += (Fault(str(file), fault.line, name, fault.what) for fault in one.faults)
            count += one.document is not None
            if one.document is None:
                continue
            before = first.setdefault(name, one.document)
            if name and before is not one.document:
                where = f"{before.path}:{before.line(['id'])}"
                told = _("this id stands in {where} already").format(where=where)
                faults.append(Fault(str(file), one.document.line(["id"]), name, told))
            if one.vector is not None:
                faults += _of_vector(one.document, name, one.vector, one.steps, known)
    return Checked(len(files), count, tuple(sorted(faults, key=lambda one: (one.path, one.line))))


class _Known:
    """What vectors may name: layouts by their version, items of the standard, programs."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.layouts = [catalogue.layout(name) for name in catalogue.layouts()]
        self.versions = sorted({one.version for one in self.layouts if one.card == "user"})
        self.items: list[str] = []
        for folder in folders:
            if (folder / ITEMS).is_file():
                self.items += coverage.item_ids(folder)
        self.programs = [one.id for one in register().sources.values() if one.kind == "program"]

        self._of: dict[tuple[tuple[str, ...], tuple[str, ...]], _There] = {}

    def of(self, vector: Vector) -> _There:
        """What the cards that a vector is for have. LayoutError for a layout of its own that is not good."""
        own = tuple(sorted(names.own_layouts(vector)))
        versions = tuple(one for one in vector.versions if one in self.versions)
        if (own, versions) not in self._of:
            fit = [one for one in self.layouts if not versions or one.version in versions]
            self._of[own, versions] = _There([*map(catalogue.layout, own), *fit])
        return self._of[own, versions]


class _There:
    """What some layouts have together: names by their kind, and how many versions of each key."""

    def __init__(self, layouts: Sequence[Layout]) -> None:
        known = [names.known(one) for one in layouts]
        self.names = {kind: {name for one in known for name in one[kind]} for kind in Kind}
        self.versions: dict[str, int] = {}
        for one in layouts:
            for key in one.keys.values():
                self.versions[key.name] = max(key.versions, self.versions.get(key.name, 0))


def _of_vector(document: Document, name: str, vector: Vector, steps: Sequence[int], known: _Known) -> Iterator[Fault]:
    """``steps``: where in the document each step of the vector stands."""
    for place, what in _faults(vector, known):
        there = (STEPS, steps[int(place[1])], *place[2:]) if place[0] == STEPS else place
        yield Fault(str(document.path), document.line(there), name, what)


Place = tuple[str | int, ...]


def _faults(vector: Vector, known: _Known) -> Iterator[tuple[Place, str]]:
    """Every fault of a vector whose form is good, and where in its document it is."""
    yield from _of_head(vector, known)
    try:
        there = known.of(vector)
    except LayoutError as error:
        yield ("layout",), str(error)
        return
    for at, name in enumerate(sorted(vector.keys)):
        if name not in there.names[Kind.KEY] and not any(name in step.keys for step in vector.steps):
            yield ("keys", at), _unknown(Kind.KEY, name, there.names[Kind.KEY])
    named = set(KNOWN_FIRST)
    for at, step in enumerate(vector.steps):
        place: Place = (STEPS, at, step.name)
        used = [*names.used_in(step), *((Kind.KEY, name) for name in step.keys)]
        for kind, name in dict.fromkeys(used):
            if name not in there.names[kind]:
                yield place, _unknown(kind, name, there.names[kind])
        yield from ((place, what) for what in _of_versions(step, there.versions))
        yield from ((place, what) for what in _of_hex(step))
        yield from ((place, what) for what in _of_names(step, named))


def _of_head(vector: Vector, known: _Known) -> Iterator[tuple[Place, str]]:
    for at, version in enumerate(vector.versions):
        if version not in known.versions:
            yield ("versions", at), _unknown(deferred("version"), version, known.versions)
    told = [(("standard",), vector.standard), *((("covers", at), item) for at, item in enumerate(vector.covers))]
    for place, item in told if known.items else ():
        if item and item not in known.items:
            yield place, _unknown(deferred("item of the standard"), item, known.items)
    if vector.origin and vector.origin not in known.programs:
        yield ("origin", "source"), _unknown(deferred("source"), vector.origin, known.programs)


def _unknown(kind: str, name: str, there: Collection[str]) -> str:
    return _("unknown {kind} {name!r}{guess}").format(kind=_(kind), name=name, guess=guess(name, sorted(there)))


def _of_versions(step: Step, versions: dict[str, int]) -> Iterator[str]:
    """Versions of keys that no card of these layouts has, where the step wants the proof to be right."""
    for one in (*step.let.values(), *step.deeds):
        if isinstance(one, UnderKey | Tac):
            wanted, right = one.version, True
        elif isinstance(one, Authenticate):
            wanted, right = one.version or 1, _wants_success(step)
        else:
            continue
        most = versions.get(one.key, max(VERSIONS))
        if right and not 1 <= wanted <= most:
            yield _("{key} has {count} versions, not {version}").format(key=one.key, count=most, version=wanted)


def _wants_success(step: Step) -> bool:
    """True where a step is to end in 9000, or may."""
    sw = step.around.expect.sw if step.around.expect is not None else None
    return sw is None or "9000" in (sw if isinstance(sw, tuple) else (sw,))


def _of_hex(step: Step) -> Iterator[str]:
    """Hex that is no whole number of bytes, in what is sent, computed and expected."""
    sent = [does.text for does in step.deeds if isinstance(does, Apdu | Tpdu)]
    sent += [text for does in step.deeds if isinstance(does, Secured) for text in (does.header, does.data)]
    data = step.around.expect.data if step.around.expect is not None and step.around.expect.data else ""
    computed = [text for one in step.let.values() for text in texts(one) if PLACE.search(text) or _is_hex(text)]
    for text in (*sent, data.replace("..", "00"), *computed):
        for part in PLACE.sub("|", text).replace(" ", "").split("|"):
            if len(part) % 2:
                yield _("odd number of hex digits: {part}").format(part=part)


def _is_hex(text: str) -> bool:
    return text.replace(" ", "").isalnum() and all(one in "0123456789abcdefABCDEF " for one in text)


def _of_names(step: Step, named: set[str]) -> Iterator[str]:
    """Names of values that nothing gave before. ``named``: those there are, to which the step adds its own."""
    for name, formula in step.let.items():
        for text in texts(formula):
            yield from _nobody_gave(text, named)
        named.add(name)
    for text in texts((step.does, step.around.accept, step.around.parse)):
        yield from _nobody_gave(text, named)
    named |= set(step.around.capture)
    for text in texts(step.around.expect):
        yield from _nobody_gave(text, named)


def _nobody_gave(text: str, named: Collection[str]) -> Iterator[str]:
    for name in names_in(text):
        if name not in named:
            yield _("nothing was captured or computed as {name!r} before this step{guess}").format(
                name=name, guess=guess(name, sorted(named))
            )
