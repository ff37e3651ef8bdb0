"""Names that vectors use of layouts, programs and the driver: what is not there anywhere is a slip, and told as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum

from emulator import catalogue
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import Layout, LayoutError
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _, deferred
from emulator.security import PIN
from harness.conformance.models import Action, Driver, Read, Select, Step, Update
from harness.conformance.references import Tries
from harness.conformance.vector import Vector, VectorError
from harness.driver.interface import FUNCTIONS
from harness.sources.register import register


class Kind(StrEnum):
    """What a name in a vector is the name of."""

    APPLICATION = deferred("application")
    KEY = deferred("key")
    ITEM = deferred("item")
    FUNCTION = deferred("function")


Name = tuple[Kind, str]


def used(vector: Vector) -> Iterator[Name]:
    """Every name of an application, a key, an item, a file or a function that the steps of a vector hold."""
    for step in vector.steps:
        yield from used_in(step)
    yield from ((Kind.KEY, name) for name in sorted(vector.keys))


def used_in(step: Step) -> Iterator[Name]:
    """Every name of these kinds that a step holds, but the keys that it works with."""
    around = step.around
    for does in step.deeds:
        yield from _of_action(does)
    for tries in (around.times, around.expect.tries_left if around.expect else None):
        if isinstance(tries, Tries) and tries.key != PIN:
            yield Kind.KEY, tries.key
    if around.card is CardKind.USER:
        yield from ((Kind.ITEM, str(rule.item)) for rule in around.parse if rule.item is not None)


def _of_action(does: Action) -> Iterator[Name]:
    match does:
        case Select(application):
            yield Kind.APPLICATION, application
        case Driver(function=function):
            yield Kind.FUNCTION, function
        case Read(item=item) | Update(item=item):
            yield Kind.ITEM, str(item)


def known(layout: Layout) -> dict[Kind, list[str]]:
    """What a layout has on any side of its card, by kind of name."""
    return {
        Kind.APPLICATION: list(layout.applications),
        Kind.KEY: list(layout.keys),
        Kind.ITEM: [
            *(str(ItemPath(spec.path, item.label)) for spec in layout.files.values() for item in spec.items),
            *layout.files,
        ],
        Kind.FUNCTION: list(FUNCTIONS),
    }


def lacking(vector: Vector, layout: Layout) -> str:
    """Why a vector cannot be run on cards of this layout; empty where it can."""
    for kind, name in used(vector):
        if not has(layout, kind, name):
            return _("the card's layout has no {kind} {name}").format(kind=_(kind), name=name)
    return ""


def has(layout: Layout, kind: Kind, name: str) -> bool:
    """True if ``known`` has the name, and it is reached over the interface that the layout is of."""
    match kind:
        case Kind.APPLICATION:
            return name in layout.applications and name not in layout.hidden
        case Kind.KEY:
            return name in layout.keys and layout.keys[name].application not in layout.hidden
        case Kind.FUNCTION:
            return name in FUNCTIONS
        case Kind.ITEM:
            found = layout.item(ItemPath.parse(name))
            spec = found[0] if found else layout.files.get(name)
            return spec is not None and spec.application not in layout.hidden


def check(vectors: Iterable[Vector], run_on: Iterable[Layout] = ()) -> None:
    """Holds every name against the layouts that come with the program, those of the run and the vector's own;
    VectorError, with the nearest name there is, for one that none of them has.
    """
    everywhere: dict[Kind, set[str]] = {}
    for layout in (*map(catalogue.layout, catalogue.layouts()), *run_on):
        _add(everywhere, layout)
    programs = {one.id for one in register().sources.values() if one.kind == "program"}
    for vector in vectors:
        here = everywhere
        for name in own_layouts(vector):
            here = {kind: set(names) for kind, names in here.items()}
            try:
                _add(here, catalogue.layout(name))
            except LayoutError as error:
                raise VectorError(f"{vector.path}: {vector.id}: {error}") from None
        for kind, name in used(vector):
            if name not in here[kind]:
                raise VectorError(_slip(vector, kind, name, here[kind]))
        if vector.origin and vector.origin not in programs:
            raise VectorError(_slip(vector, deferred("source"), vector.origin, programs))


def _add(names: dict[Kind, set[str]], layout: Layout) -> None:
    for kind, more in known(layout).items():
        names.setdefault(kind, set()).update(more)


def own_layouts(vector: Vector) -> set[str]:
    """The layouts that a vector asks for, for each version that it is for."""
    return {vector.layout_for(version) for version in vector.versions} - {""} if vector.layout else set()


def _slip(vector: Vector, kind: str, name: str, there: Iterable[str]) -> str:
    nearest = get_close_matches(name, there, n=1)
    hint = _("; did you mean {names}?").format(names=nearest[0]) if nearest else ""
    return _("{path}: {id}: unknown {kind} {name!r}{hint}").format(
        path=vector.path, id=vector.id, kind=_(kind), name=name, hint=hint
    )
