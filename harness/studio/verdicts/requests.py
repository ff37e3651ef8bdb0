"""What the page asks to be run: checked before anything is begun, so that a typo stands beside its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from emulator import catalogue
from emulator.errors import ErrorKind, SscardError
from emulator.guess import guess
from emulator.messages import _
from harness.conformance import coverage
from harness.conformance import vector as vectors
from harness.messages.spoken import SpokenError
from harness.proving import plan as plans
from harness.scenarios import model as scenarios
from harness.scenarios.checking import PROFILES as OFFICE_PROFILES
from harness.studio.verdicts.programs import NamedProgram


def _of_command_line(text: str) -> str:
    if "\0" in text:
        raise SpokenError(_("expected a text without the character NUL, which no command line can have"))
    return text


OnCommandLine = AfterValidator(_of_command_line)
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=200), OnCommandLine]
Words: TypeAlias = Annotated[tuple[Word, ...], Field(max_length=500)]
Pattern: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500), OnCommandLine], ...], Field(max_length=20)
]
Product: TypeAlias = Annotated[str, Field(max_length=200), OnCommandLine]


class Model(BaseModel):
    """What all have: no field that is not known, no change afterwards, nothing of a value in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)


class VectorsRequest(Model):
    """Vectors, on virtual cards of these profiles or of a layout, or on the card in a slot; all where none is named.

    ``persona``: whose card the slot's is, where it is a virtual one: its PIN is known then. ``allow_destructive``: for
    a slot's card, what spends tries or changes it too.
    """

    kind: Literal["vectors"] = "vectors"
    slot: Annotated[int, Field(ge=0, le=255)] | None = None
    persona: Annotated[str, Field(max_length=100)] = ""
    allow_destructive: bool = False
    profiles: Words = ()
    layout: Annotated[str, Field(max_length=100)] = ""
    only: Words = ()
    items: Words = ()
    product: Product = ""


class ScenariosRequest(Model):
    """Scenarios of the Measures, all where none is named; each on its own kinds of card, or on these."""

    kind: Literal["scenarios"] = "scenarios"
    only: Words = ()
    profiles: Words = ()


class ProveRequest(Model):
    """A named program, once in each of these situations of the usual plan, all where none is named. ``driver``: it
    calls SSCardDriver alone.
    """

    kind: Literal["prove"] = "prove"
    program: Word
    situations: Words = ()
    driver: bool = False
    seed: Annotated[int, Field(ge=0)] | None = None
    timeout: Annotated[float, Field(ge=0.1, le=86400)] | None = None
    product: Product = ""


class SweepRequest(Model):
    """A named program in one situation, every fault at every command; ``limit`` cells by ``seed``, none begun after
    ``minutes``.
    """

    kind: Literal["sweep"] = "sweep"
    program: Word
    situation: Annotated[str, Field(max_length=100)] = ""
    driver: bool = False
    limit: Annotated[int, Field(ge=1)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    prints: Pattern = ()
    prints_not: Pattern = ()
    product: Product = ""


class SessionRequest(Model):
    """A session that the page shows, judged by the monitor's rules: the run's own, or a recording that was opened."""

    kind: Literal["session"] = "session"
    session: Annotated[str, Field(pattern="^(live|r[0-9]{1,9})$")] = "live"
    product: Product = ""


Asked: TypeAlias = VectorsRequest | ScenariosRequest | ProveRequest | SweepRequest | SessionRequest
AnyRequest: TypeAlias = Annotated[Asked, Field(discriminator="kind")]


class RequestError(SscardError, ValueError):
    """A request that cannot be run: the field, and what was expected. It quotes nothing of what was sent."""

    kind = ErrorKind.INPUT
    exit_code = 2
    word: str = "input"

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field

    @property
    def details(self) -> dict[str, Any]:
        """The field, for a form."""
        return {"field": self.field}


class Checker:
    """Says whether a request names what there is, by the rules of the command line. ``programs``: those named."""

    profiles: ClassVar[tuple[str, ...]] = tuple("-".join(one) for one in coverage.PROFILES)

    def __init__(self, programs: Sequence[NamedProgram]) -> None:
        self.programs = {one.name: one for one in programs}

    def check(self, asked: Asked) -> None:
        """RequestError for the first thing that is wrong."""
        match asked:
            case VectorsRequest():
                self._vectors(asked)
            case ScenariosRequest():
                _known("profiles", asked.profiles, OFFICE_PROFILES, _("no such profile{guess}"))
                _ids(asked.only, [one.id for one in scenarios.find([vectors.home() / vectors.OFFICE])])
            case ProveRequest():
                self._program(asked.program)
                _known("situations", asked.situations, situations(), _("no such situation{guess}"))
            case SweepRequest():
                self._program(asked.program)
                _known(
                    "situation",
                    [asked.situation] if asked.situation else [],
                    situations(),
                    _("no such situation{guess}"),
                )
                _patterns("prints", asked.prints)
                _patterns("prints_not", asked.prints_not)
            case SessionRequest():
                pass

    def _vectors(self, asked: VectorsRequest) -> None:
        if asked.slot is None:
            if asked.persona or asked.allow_destructive:
                field = "persona" if asked.persona else "allow_destructive"
                raise RequestError(_("it is about the card in a slot: name the slot"), field)
            if asked.layout:
                _known("layout", [asked.layout], catalogue.layouts(), _("no such layout{guess}"))
                layout = catalogue.layout(asked.layout)
                there = [f"{layout.version}-{one}" for one in layout.algorithms]
                _known("profiles", asked.profiles, there, _("the layout has no such profile{guess}"))
            else:
                _known("profiles", asked.profiles, self.profiles, _("no such profile{guess}"))
        elif asked.profiles or asked.layout:
            field = "profiles" if asked.profiles else "layout"
            raise RequestError(_("the card in a slot says itself what it is: leave this out"), field)
        if asked.persona:
            _known("persona", [asked.persona], catalogue.personas(), _("no such persona{guess}"))
        _known("items", asked.items, coverage.item_ids(vectors.home()), _("no such item of the standard{guess}"))
        if asked.only:  # which takes reading all vectors
            found = vectors.find([vectors.home()])
            _ids(asked.only, [one.id for one in found])
            if not any(_meant(one, asked) for one in found):
                raise RequestError(_("no vector of these items has such an id"), "only")

    def _program(self, name: str) -> None:
        if not self.programs:
            raise RequestError(_("no program was named when the page was started: --program NAME=COMMAND"), "program")
        _known("program", [name], self.programs, _("no such program was named when the page was started{guess}"))


def pin_of(persona: str) -> str:
    """The PIN of a persona that comes with the program, as `sscard personas` tells it."""
    return catalogue.persona(persona).pin


def situations() -> list[str]:
    """The names of the usual plan's situations, in its order."""
    return [one.situation.name for one in plans.default().cases]


def _meant(one: vectors.Vector, asked: VectorsRequest) -> bool:
    return any(fnmatchcase(one.id, each) for each in asked.only) and (
        not asked.items or not set(asked.items).isdisjoint((one.standard, *one.covers))
    )


def _known(field: str, said: Iterable[str], there: Iterable[str], wrong: str) -> None:
    """RequestError for what is not there. ``wrong``: what is said then, ``{guess}`` in it for what may be meant."""
    every = list(there)
    for one in said:
        if one not in every:
            raise RequestError(wrong.format(guess=guess(one, every)), field)


def _ids(said: Iterable[str], there: Sequence[str]) -> None:
    for one in said:
        if not any(fnmatchcase(each, one) for each in there):
            raise RequestError(_("no id is like this{guess}").format(guess=guess(one, there)), "only")


def _patterns(field: str, said: Iterable[str]) -> None:
    for one in said:
        try:
            re.compile(one)
        except re.error as error:
            # What python says of it names places and forms, and nothing of the text but single letters.
            raise RequestError(_("not a regular expression: {error}").format(error=error.msg), field) from None
