"""A vector: what is sent to a card, and what must come back. YAML, checked against ``schema-1.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from emulator import catalogue, personas
from emulator.apdu.instructions.response import GetResponse
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.personas.document import is_path
from emulator.reader.shape import ReaderShape
from harness.conformance.models import (
    ACTIONS,
    Apdu,
    Around,
    Driver,
    Follows,
    Match,
    Step,
    Tpdu,
    VectorDocument,
    step,
)
from harness.verdicts import documents, models
from harness.verdicts.documents import Document, DocumentError, Fault, Judged
from harness.verdicts.subject import Grade, Proof, Subject

FETCH = f"{GetResponse.ins:02X}"
FIELD, GENERATED = "field", "generated"
"""The folders whose vectors are of the first and of the last kind."""


class VectorError(SscardError, ValueError):
    """A vector that cannot be used: file, line, where in it, and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Vector(Subject):
    """One case. Empty ``versions`` and ``algorithms`` mean all; ``steps`` follow the schema.

    ``persona`` empty: any card in use will do. ``keys``: what the terminal must know. ``covers``: items of the standard
    besides ``standard``. ``layout`` and ``psam_layout``: what the cards must be, where the layout of the card's version
    will not do. ``needs_pin``: the card's PIN is used. ``shapes`` empty: any will do.
    ``overlay``: the user's own, not this program's.
    """

    versions: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    persona: str = ""
    destructive: bool = False
    costs_tries: bool = False
    steps: tuple[Step, ...] = ()
    covers: tuple[str, ...] = ()
    shapes: tuple[ReaderShape, ...] = ()
    follows: Follows = Follows.READER
    layout: str = ""
    psam_layout: str = ""
    needs_pin: bool = False
    overlay: bool = False

    def applies(self, version: str, algorithm: str) -> bool:
        """True if the case is for cards of this version and algorithm."""
        return (not self.versions or version in self.versions) and (not self.algorithms or algorithm in self.algorithms)

    @property
    def followers(self) -> tuple[Follows, ...]:
        """Who follows 61xx and 6Cxx, as ways to play it: both where nobody knows."""
        return (Follows.READER, Follows.NONE) if self.follows is Follows.UNKNOWN else (self.follows,)

    @property
    def speaks_t0(self) -> bool:
        """True if it is about what T=0 alone has: no other shape is named, a step can but end in 61xx or 6Cxx, or it
        sends GET RESPONSE to the card.
        """
        if "contactless" in self.features:
            return False
        return self.shapes == (ReaderShape.T0,) or any(map(_speaks_t0, self.steps))

    @property
    def needs_psam(self) -> bool:
        """True if any step goes to a PSAM, or may."""
        return any(step.around.card is CardKind.PSAM or isinstance(step.does, Driver) for step in self.steps)

    def layout_for(self, version: str) -> str:
        """The layout that it wants for a card's version: a name, or the path of a file; empty where any will do."""
        return self._beside(self.layout.replace("{version}", version))

    @property
    def layout_of_psam(self) -> str:
        """The PSAM's layout: a name, or the path of a file."""
        return self._beside(self.psam_layout) or personas.PSAM

    def _beside(self, name: str) -> str:
        return str(Path(self.path).parent / name) if name.endswith(".toml") else name

    @property
    def holder(self) -> str:
        """The persona that a virtual card is issued for."""
        return self.persona or personas.DEFAULT


@lru_cache(maxsize=1)
def _validator() -> Any:
    return documents.validator(__package__, "schema-1.json")


def load(path: Path) -> list[Vector]:
    """The vectors in a file, one in each YAML document; VectorError."""
    try:
        state = path.stat()
    except OSError as error:
        raise VectorError(_("{path}: cannot be read: {strerror}").format(path=path, strerror=strerror(error))) from None
    return list(_loaded(path, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=128)
def _loaded(path: Path, changed: int, size: int) -> tuple[Vector, ...]:  # noqa: ARG001
    """A file's vectors, as long as the file is what it was: holding them against the schema takes a while."""
    try:
        return tuple(_vector(one) for one in documents.read(path, _validator(), _("the vector")))
    except DocumentError as error:
        raise VectorError(str(error)) from None


@dataclass(frozen=True, slots=True)
class JudgedVector:
    """A document with all that its form has against it, and the vector that it is as far as its form is good: without
    the steps and words that are not. ``steps``: where in the document each of its steps stands. None: nothing is left.
    """

    document: Document | None
    faults: tuple[Fault, ...]
    vector: Vector | None = None
    steps: tuple[int, ...] = ()


def judged(path: Path) -> Iterator[JudgedVector]:
    """Every document of a file, judged by its form alone."""
    for one in documents.judged(path, _validator(), _("the vector")):
        yield _judged(one)


def _judged(one: Judged) -> JudgedVector:
    document = one.document
    if document is None or not isinstance(document.table, dict):
        return JudgedVector(document, one.faults)
    faults = [*one.faults, *_of_actions(document, {fault.place[:2] for fault in one.faults})]
    table, steps = _without(document.table, {fault.place[:2] for fault in faults})
    if not steps or not _validator().is_valid(table):
        return JudgedVector(document, tuple(faults))
    try:
        return JudgedVector(document, tuple(faults), _vector(replace(document, table=table)), steps)
    except VectorError as error:
        said = str(error).removeprefix(f"{document.path}: ").removeprefix(f"{table['id']}: ")
        faults.append(Fault(document.line(("persona",)), said, ("persona",)))
    table.pop("persona", None)
    return JudgedVector(document, tuple(faults), _vector(replace(document, table=table)), steps)


def _of_actions(document: Document, told: Set[tuple[str | int, ...]]) -> Iterator[Fault]:
    """Steps that do nothing, or several things; but for those of which something is told already."""
    steps = document.table.get("steps")
    for at, one in enumerate(steps if isinstance(steps, list) else ()):
        named = [name for name in ACTIONS if isinstance(one, dict) and name in one]
        if len(named) != 1 and ("steps", at) not in told:
            what = _("a step does one thing of {actions}, found {named}").format(
                actions=", ".join(ACTIONS), named=named
            )
            yield Fault(document.line(("steps", at)), what, ("steps", at))


def _without(table: dict[str, Any], places: Set[tuple[str | int, ...]]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """A document without what stands at these places, filled where something must stand; where its steps stood."""
    written = table.get("steps")
    steps = written if isinstance(written, list) else []
    kept = tuple(at for at in range(len(steps)) if ("steps", at) not in places)
    bad = {place[0] for place in places if place}
    head = {name: value for name, value in table.items() if name not in bad}
    return {**FILLING, **head, "steps": [steps[at] for at in kept]}, kept


def home() -> Path:
    """The vectors that come with the program: beside it in a checkout, inside the package where it is installed."""
    inside = Path(__file__).parents[1] / "vectors"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "vectors"


def files_in(path: Path) -> list[Path]:
    """The files of vectors that a path means: itself, or those in the folder."""
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return [one for one in files if holds_vectors(one, path)]


def find(paths: list[Path], overlay: Sequence[Path] = ()) -> list[Vector]:
    """The vectors of all these files, and of all YAML files in these folders but the office's; VectorError, also where
    ids repeat. ``overlay``: the same, but the user's own.
    """
    found: dict[str, Vector] = {}
    for path in (*paths, *overlay):
        for file in files_in(path):
            for one in load(file):
                if one.id in found:
                    raise VectorError(
                        _("{file}: id {id} stands in {path} already").format(
                            file=file, id=one.id, path=found[one.id].path
                        )
                    )
                found[one.id] = replace(one, overlay=True) if path in overlay else one
    return list(found.values())


def holds_vectors(file: Path, under: Path) -> bool:
    """Whether a YAML file under this path is one of vectors: no list of items, no scenario of the office."""
    return file.name != ITEMS and OFFICE not in file.relative_to(under).parts


def _speaks_t0(one: Step) -> bool:
    """True for a step to the user's card that only T=0 can answer as it expects, or only T=0 has."""
    if one.around.card is not CardKind.USER:
        return False
    if isinstance(one.does, Apdu | Tpdu) and "".join(one.does.text.split())[2:4].upper() == FETCH:
        return True
    wanted = [told for told in _expected(one.around) if told]
    return bool(wanted) and all(isinstance(told, str) and told[:2].upper() in ("61", "6C") for told in wanted)


def _expected(around: Around) -> Iterator[Match | None]:
    """What will do as an answer, each of several."""
    for told in (around.accept, around.expect.sw if around.expect else None):
        yield from told if isinstance(told, tuple) else (told,)


FILLING = {"schema": 1, "id": "X", "title": "", "title_zh": "", "grade": "own", "source": "[D]"}
"""What stands for words that a document must have and has not, where the rest of it is judged all the same."""
ITEMS = "items.yaml"
"""The standard's own list of items, beside the vectors."""
OFFICE = "office"
"""The folder beside the vectors that holds the office's scenarios."""


def _vector(document: Document) -> Vector:
    path, table = document.path, document.table
    for one in table["steps"]:
        named = [name for name in ACTIONS if name in one]
        if len(named) != 1:
            raise VectorError(
                _("{path}: {table}: a step does one thing of {actions}, found {named}").format(
                    path=path, table=table["id"], actions=", ".join(ACTIONS), named=named
                )
            )
    told = models.build(VectorDocument, table)
    steps = tuple(map(step, told.steps))
    return Vector(
        id=told.id,
        title=told.title,
        title_zh=told.title_zh,
        standard=told.standard,
        grade=told.grade,
        source=told.source,
        versions=told.versions,
        algorithms=told.algorithms,
        features=frozenset(told.features),
        keys=frozenset(_keys(steps) if told.keys is None else told.keys),
        persona=_persona(document),
        destructive=told.destructive,
        costs_tries=told.costs_tries,
        steps=steps,
        path=str(path),
        proof=told.proof or _proof(path, told.grade),
        covers=told.covers,
        origin=told.origin.source if told.origin else "",
        shapes=told.shapes,
        follows=told.follows,
        layout=told.layout,
        psam_layout=told.psam_layout,
        needs_pin=any(one.uses_pin for one in steps),
    )


def _persona(document: Document) -> str:
    """The persona that a vector names; a file of one's own by its path from the vector's folder. VectorError."""
    name: str = document.table.get("persona", "")
    if is_path(name):
        name = str(document.path.parent / name)
    try:
        if name:
            catalogue.persona(name)
    except personas.PersonaError as error:
        raise VectorError(
            _("{path}: {table}: persona: {error}").format(path=document.path, table=document.table["id"], error=error)
        ) from None
    return name


def _proof(path: Path, grade: Grade) -> Proof:
    """What a vector that does not say it shows the card against."""
    if path.parent.name == FIELD:
        return Proof.FIELD
    return Proof.OWN if path.parent.name == GENERATED or grade is Grade.OWN else Proof.TEXT


def _keys(steps: Sequence[Step]) -> set[str]:
    """The card's keys that steps work with."""
    return {name for one in steps for name in one.keys}
