"""A scenario: people, and what is done at counters, step by step, with what must come of it. In YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from emulator.errors import NotFound
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.sources import mark
from harness.office.measures.articles import Citation, measures
from harness.scenarios.checking import PROFILES, USUAL, ambiguous, wrong
from harness.scenarios.models import Person, ScenarioDocument, Step, step
from harness.verdicts import documents, models
from harness.verdicts.documents import Document, DocumentError
from harness.verdicts.subject import Grade, Subject


class ScenarioError(DocumentError):
    """A scenario that cannot be used: file, line, where in it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story. ``cards``: the profiles it is run on; ``people`` in the short form."""

    id: str
    title: str
    title_zh: str
    articles: tuple[Citation, ...]
    grade: Literal["S", "D"]
    source: str
    cards: tuple[str, ...]
    start: datetime
    people: Mapping[str, Person]
    steps: tuple[Step, ...]
    path: str = ""

    def index(self, name: str) -> int:
        """The place of a step in the story, by its name or its number from 1; LookupError."""
        for at, one in enumerate(self.steps):
            if name in (one.around.step, str(at + 1)):
                return at
        named = ", ".join(one.name for one in self.steps if one.name) or "none"
        raise NotFound(
            _("{id} has no step {name!r}: they are numbered 1 to {count}; named: {named}").format(
                id=self.id, name=name, count=len(self.steps), named=named
            )
        )


def as_subject(scenario: Scenario) -> Subject:
    """A scenario as reports tell it."""
    return Subject(
        id=scenario.id,
        title=scenario.title,
        title_zh=scenario.title_zh,
        standard=f"{scenario.articles[0].label_zh} {scenario.articles[0].label_en}",
        grade=Grade.NORMATIVE if scenario.grade == "S" else Grade.OWN,
        source=scenario.source,
        path=scenario.path,
    )


@lru_cache(maxsize=1)
def _validator() -> Any:
    return documents.validator(__package__, "schema-1.json")


def load(path: Path) -> list[Scenario]:
    """The scenarios in a file, one in each YAML document; ScenarioError."""
    try:
        state = path.stat()
    except OSError as error:
        raise ScenarioError(
            _("{path}: cannot be read: {strerror}").format(path=path, strerror=strerror(error))
        ) from None
    return list(_loaded(path, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=128)
def _loaded(path: Path, changed: int, size: int) -> tuple[Scenario, ...]:  # noqa: ARG001
    """A file's scenarios, as long as the file is what it was: holding them against the schema takes a while."""
    try:
        return tuple(_scenario(one) for one in documents.read(path, _validator(), _("the scenario")))
    except DocumentError as error:
        raise ScenarioError(str(error)) from None


def find(paths: list[Path]) -> list[Scenario]:
    """The scenarios of these files, and of all YAML files in these folders; ScenarioError, also where ids repeat."""
    found: dict[str, Scenario] = {}
    for path in paths:
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            for one in load(file):
                if one.id in found:
                    raise ScenarioError(
                        _("{file}: id {id} stands in {path} already").format(
                            file=file, id=one.id, path=found[one.id].path
                        )
                    )
                found[one.id] = one
    return list(found.values())


def _scenario(document: Document) -> Scenario:
    for place, what in ambiguous(document.table["steps"]):
        raise ScenarioError(document.error(place, what, _("the scenario")))
    form = models.build(ScenarioDocument, document.table)
    people, steps = form.people or {}, tuple(map(step, form.steps))
    for place, what in wrong(form, people, steps):
        raise ScenarioError(document.error(place, what, _("the scenario")))
    cited = tuple(one.citation for one in form.articles)
    labels = "、".join(one.label_zh for one in cited)
    source = f"{measures().number}{labels}" + (f": {form.source}" if form.source else "")
    return Scenario(
        id=form.id,
        title=form.title,
        title_zh=form.title_zh,
        articles=cited,
        grade=form.grade,
        source=f"{source} {mark(form.grade, () if form.grade == 'D' else (one.source for one in cited))}",
        cards=form.cards if isinstance(form.cards, tuple) else PROFILES if form.cards else (USUAL,),
        start=form.starts,
        people=people,
        steps=steps,
        path=str(document.path),
    )
