"""The form of a scenario: what its document and each of its steps may say. ``schema-1.json`` is generated from here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from harness.verdicts import models
from harness.verdicts.models import Schema, exactly, refers, says

ARTICLE = r"^[0-9]+(\.[0-9]+)?$"
NAME = "^[a-z][a-z0-9_]*$"
Moment: TypeAlias = Annotated[str, refers("moment")]
Name: TypeAlias = Annotated[str, refers("name")]
Reference: TypeAlias = Annotated[str, refers("reference")]
Pin: TypeAlias = Annotated[str, refers("pin")]
Region: TypeAlias = Annotated[str, refers("region")]
Article: TypeAlias = Annotated[str, says(pattern=ARTICLE)]
Perhaps: TypeAlias = Annotated[str | None, exactly(type=["string", "null"])]
"""A text, or null where there is none."""
ANY: Schema = {"minProperties": 1}


# --- people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A made-up person in the short form, and whatever else is to differ."""

    DEFINED: ClassVar[str] = "person"
    OPEN: ClassVar[bool] = True
    SCHEMA: ClassVar[Schema] = {
        "description": "the short form, and whatever else is to differ, by the fields of a request's `person`"
    }

    is_: Annotated[
        Literal["adult", "child", "old", "hkmt", "overseas-chinese", "foreigner"], says(description="the short form")
    ]
    order: Annotated[
        int,
        says(
            minimum=1,
            maximum=999,
            description="the last three digits before the check character of the citizen id; odd for men",
        ),
    ]
    guardian: Annotated[Name, says(description="the guardian, one of these people")] | None = None
    uninsured: (
        Annotated[Literal[True], says(description="no insurance on the card; absent: every insurance")] | None
    ) = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    """As it stands in the document, with whatever else is to differ."""


# --- what must be the case --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What the register says of a card."""

    DEFINED: ClassVar[str] = "register"
    SCHEMA: ClassVar[Schema] = {**ANY, "description": "what the register says of the card"}

    life: Literal["made", "issued", "replaced", "cancelled", "ended", "surplus"] | None = None
    loss: Literal["none", "temporary", "formal"] | None = None
    usable: bool | None = None
    activated: bool | None = None
    frozen: bool | None = None
    suspended: bool | None = None
    half_way: bool | None = None
    account: (
        Annotated[
            Literal["opened", "active", "lost", "controlled", "closed"] | None,
            exactly(enum=["opened", "active", "lost", "controlled", "closed", None]),
        ]
        | None
    ) = None
    bank: str | None = None
    valid_until: str | None = None
    told_bank: Annotated[bool, says(description="the bank was told that the social security function ended")] | None = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnChip:
    """What a card itself holds."""

    DEFINED: ClassVar[str] = "chip"
    SCHEMA: ClassVar[Schema] = {**ANY, "description": "what the card itself holds"}

    activated: bool | None = None
    blocked: Literal["none", "environment", "card"] | None = None
    pin: Pin | None = None
    tries: Annotated[int, says(minimum=0)] | None = None
    regions: (
        Annotated[
            Region | tuple[Region, ...],
            says(description="one code: all insurances; several: those found, sorted"),
        ]
        | None
    ) = None
    items: (
        Annotated[
            dict[str, Perhaps],
            says(minProperties=1, description="values by path; null: the card has no such item"),
        ]
        | None
    ) = None
    unchanged: Annotated[Literal[True], says(description="just as before the step")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What the register says of a person."""

    DEFINED: ClassVar[str] = "holder"
    SCHEMA: ClassVar[Schema] = {**ANY, "description": "what the register says of the step's person"}

    known: bool | None = None
    name: str | None = None
    document_number: str | None = None
    phone: str | None = None
    address: str | None = None
    region: str | None = None
    insured: Annotated[dict[str, Region], says(description="each insurance's region, by the card's item")] | None = None
    dead: bool | None = None
    sex: str | None = None
    ethnic_group: str | None = None
    birth: str | None = None
    occupation: str | None = None
    guardian: Annotated[Perhaps, exactly(type=["string", "null"])] | None = None
    electronic: bool | None = None
    cards: Annotated[int, says(description="how many are in use")] | None = None
    helps: tuple[str, ...] | None = None
    erased: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the audit trail."""

    SCHEMA: ClassVar[Schema] = ANY

    operation: str | None = None
    outcome: Literal["done", "refused", "failed", "half-way", "resumed", "abandoned"] | None = None
    clerk: str | None = None
    article: str | None = None
    detail: Annotated[dict[str, Any], exactly(type="object")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """An outlet that there is."""

    SCHEMA: ClassVar[Schema] = ANY

    kind: Literal["office", "grassroots", "bank"] | None = None
    makes_cards: bool | None = None
    helps: tuple[str, ...] | None = None
    public: Annotated[Literal[True], says(description="name, address, phone and hours are told")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A look at what is the case."""

    DEFINED: ClassVar[str] = "then"
    SCHEMA: ClassVar[Schema] = ANY

    card: Annotated[Reference, says(description="which card is looked at; absent: the step's")] | None = None
    register: Register | None = None
    chip: OnChip | None = None
    person: Holder | None = None
    trail: (
        Annotated[
            tuple[Line, ...],
            says(
                minItems=1,
                description="lines of the audit trail about the step's person or card, in this order, others between "
                "them",
            ),
        ]
        | None
    ) = None
    outlets: Annotated[tuple[Outlet, ...], says(minItems=1, description="outlets that there are")] | None = None
    unwritten: (
        Annotated[
            tuple[Annotated[str, says(minLength=1)], ...],
            says(minItems=1, description="texts that stand nowhere in the register"),
        ]
        | None
    ) = None


# --- what is done -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A bank cannot be reached, or can again."""

    code: str
    down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuses:
    """A bank opens no account for a person."""

    refuses: Name
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepts:
    """A bank opens accounts for a person again."""

    accepts: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """A bank sets an account's state."""

    account: Reference
    state: Literal["opened", "active", "controlled", "closed"]


Bank: TypeAlias = Down | Refuses | Accepts | Sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An agent's letter."""

    SCHEMA: ClassVar[Schema] = {"description": "the annex, filled and signed"}

    principal: Name
    agent: Name
    relation: str
    operation: str
    reason: str
    signer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """A card is torn out of its reader."""

    SCHEMA: ClassVar[Schema] = {"description": "the card is torn out after so many non-volatile writes"}

    after: Annotated[int, says(minimum=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: one thing that is done, for whom, by whom, and what must come of it."""

    DEFINED: ClassVar[str] = "step"

    step: Annotated[Name, says(description="its name; others refer to what it told")] | None = None
    do: Annotated[str, says(description="one operation of the office")] | None = None
    instant: (
        Annotated[
            Literal[True],
            says(
                description="from application to a card in use in one go; `with`: the application's fields, "
                "with_account"
            ),
        ]
        | None
    ) = None
    clock: (
        Annotated[
            str,
            says(
                pattern="^[0-9]+ (seconds?|minutes?|hours?|days?|workdays?)$",
                description="so much later; after working days at the same time of day",
            ),
        ]
        | None
    ) = None
    at: Annotated[Moment, says(description="the clock set to a moment")] | None = None
    bank: Annotated[Bank, says(description="the bank's own doing")] | None = None
    enter_pin: (
        Annotated[
            Pin,
            says(description="somebody enters this at a terminal; expect right, wrong, locked or refused"),
        ]
        | None
    ) = None
    write: (
        Annotated[dict[str, str], says(minProperties=1, description="another system writes items on the card")] | None
    ) = None
    resume: (
        Annotated[Reference, says(description="what was interrupted is finished; `with: {pin}` where it takes one")]
        | None
    ) = None
    abandon: Annotated[Reference, says(description="what was interrupted is undone")] | None = None
    letter: Letter | None = None
    look: Annotated[Literal[True], says(description="nothing is done, `then` looks")] | None = None
    for_: (
        Annotated[
            Name,
            says(description="whose matter it is: gives `holder` and `shown`, of an application `person` and `shown`"),
        ]
        | None
    ) = None
    with_: (
        Annotated[
            dict[str, Any],
            exactly(
                type="object",
                minProperties=1,
                description="the request's fields; `agent: {is: …, relation, cause, shown: [document types]}` is short "
                "for an agent",
            ),
        ]
        | None
    ) = None
    by: Annotated[str, says(description="the clerk who acts")] | None = None
    card: Annotated[str, refers("card")] | None = None
    tear: Torn | None = None
    expect: (
        Annotated[
            Literal["done", "refused", "failed", "half-way", "unknown", "right", "wrong", "locked"],
            says(description="absent: done, of enter_pin right"),
        ]
        | None
    ) = None
    rule: Annotated[str, says(description="which rule refuses")] | None = None
    article: Annotated[Article, says(description="which article refuses")] | None = None
    told: (
        Annotated[
            dict[str, Any],
            exactly(type="object", minProperties=1, description="what came of it: at least this"),
        ]
        | None
    ) = None
    hidden: Annotated[tuple[str, ...], says(minItems=1, description="texts that nothing told may hold")] | None = None
    notices: (
        Annotated[tuple[Article, ...], says(description="articles that the holder is told of; [] for none")] | None
    ) = None
    then: Then | Annotated[tuple[Then, ...], says(minItems=1)] | None = None


def bank(table: Mapping[str, Any]) -> Bank:
    """What a bank does, from what the schema let through."""
    does: Bank = models.build_any(Bank, table)
    return does


def letter(table: Mapping[str, Any]) -> Letter:
    """An agent's letter, from what the schema let through."""
    return models.build(Letter, table)


# --- the document -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioDocument:
    """A scenario's document."""

    scenario: Annotated[Literal[1], says(description="the format")]
    id: Annotated[
        str,
        says(pattern="^OFFICE-[0-9]+(-[A-Z0-9_]+)+$", description="OFFICE, the main article, a name"),
    ]
    title: Annotated[str, says(minLength=1)]
    title_zh: Annotated[str, says(minLength=1)]
    articles: Annotated[
        tuple[Article, ...],
        says(
            minItems=1,
            uniqueItems=True,
            description='what it shows: an article ("18"), or one of its paragraphs ("9.2")',
        ),
    ]
    grade: Annotated[Literal["S", "D"], says(description="S: the article says so; D: our reading of it")]
    source: Annotated[str, says(description="what our reading rests on, where it is one")] = ""
    cards: (
        Annotated[
            Annotated[Literal["all"], says(description="every layout and algorithm")]
            | Annotated[
                tuple[Literal["1.00-3des", "2.00-3des", "3.00-3des", "3.00-sm4"], ...],
                says(minItems=1, uniqueItems=True),
            ],
            says(description="the cards it is run on; absent: 3.00-3des, as what it shows does not lie in the card"),
        ]
        | None
    ) = None
    start: Annotated[Moment, says(description="when it begins, in China's time; absent: 2025-03-03 09:00")] | None = (
        None
    )
    people: (
        Annotated[
            dict[str, Person],
            says(
                minProperties=1,
                propertyNames={"pattern": NAME},
                description="made-up people, by the names that steps call them",
            ),
        ]
        | None
    ) = None
    steps: Annotated[tuple[Step, ...], says(minItems=1)]


def schema() -> Schema:
    """The published schema of scenarios."""
    told = (Person, Then, Register, OnChip, Holder, Step)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sscard scenario, format 1",
        **models.document(ScenarioDocument),
        "$defs": {
            "moment": {
                "type": "string",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
            },
            "name": {"type": "string", "pattern": NAME},
            "reference": {
                "type": "string",
                "pattern": r"^\$[a-z][a-z0-9_]*(\.[a-z0-9_-]+)*$",
                "description": "$made.card: what step `made` told; $a.document: of person a",
            },
            "pin": {"type": "string", "pattern": "^[0-9]{4,12}$"},
            "region": {"type": "string", "pattern": "^[0-9]{6}$"},
            "card": {
                "oneOf": [
                    {"$ref": "#/$defs/reference"},
                    {"const": "blank", "description": "an empty chip as its maker delivers it"},
                ],
                "description": "the card in the reader",
            },
            **{one.DEFINED: models.written_out(one) for one in told},
        },
    }


def text() -> str:
    """The content of ``schema-1.json``."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
