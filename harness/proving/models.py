"""The form of a plan of proving: which situations, and what is expected. ``schema-1.json`` is generated from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from emulator.interface import Interface
from emulator.reader.shape import ReaderShape
from harness.serving.reader_profiles import SYSTEMS
from harness.verdicts import models
from harness.verdicts.models import Schema, exactly, says

CODE: Schema = {"type": "integer", "minimum": 0, "maximum": 255}
TEXT: Schema = {"type": "string"}
Name: TypeAlias = Annotated[str, says(pattern="^[a-z0-9][a-z0-9.-]*$")]
Seconds: TypeAlias = Annotated[float, says(exclusiveMinimum=0, maximum=86400)]
Codes: TypeAlias = Annotated[
    int | tuple[int, ...], exactly(oneOf=[CODE, {"type": "array", "items": CODE, "minItems": 1}])
]
Texts: TypeAlias = Annotated[str | tuple[str, ...], exactly(oneOf=[TEXT, {"type": "array", "items": TEXT}])]
Pin: TypeAlias = Annotated[str, says(pattern="^(initial|[0-9]+)$")]
System: TypeAlias = Annotated[str, exactly(enum=list(SYSTEMS))]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run must be like; of what is not said, nothing is judged."""

    DEFINED: ClassVar[str] = "expected"

    exit: Codes | None = None
    prints: Texts | None = None
    prints_not: Texts | None = None
    changes: Texts | None = None
    seconds: Seconds | None = None
    require: Texts | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One situation, as a plan writes it."""

    DEFINED: ClassVar[str] = "situation"

    name: Name
    title: str = ""
    title_zh: str = ""
    persona: str | None = None
    layout: str | None = None
    algorithm: Literal["3des", "sm4", "ssf33"] | None = None
    interface: Interface | None = None
    shape: ReaderShape | None = None
    system: System | None = None
    slow: bool = False
    psam: str | None = None
    lost: bool = False
    pin: Pin | None = None
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] | None = None
    expect: Expected | None = None


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A plan. ``require``: rules that must have come up in one of the runs at least."""

    proving: Literal[1]
    situations: Annotated[tuple[Case, ...], says(minItems=1)]
    title: str = ""
    title_zh: str = ""
    timeout: Seconds | None = None
    require: Texts | None = None
    pin: Pin | None = None
    environment: dict[str, str] | None = None
    expect: Expected | None = None


def schema() -> Schema:
    """Returns the published schema of plans."""
    return {
        **models.published(PlanDocument, "sscard prove, plan, format 1"),
        "$defs": {"expected": models.written_out(Expected), "situation": models.written_out(Case)},
    }


def text() -> str:
    """Returns the content of ``schema-1.json``."""
    return models.as_text(schema())
