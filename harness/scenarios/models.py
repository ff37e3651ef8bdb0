"""The form of a scenario: what its document and each of its steps may say. ``schema-1.json`` is generated from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from harness.office.measures.articles import Citation
from harness.office.vocabulary import AccountState, Life, Loss, Outcome, OutletKind
from harness.scenarios.references import Reference
from harness.verdicts import models
from harness.verdicts.models import UNSAID, Schema, Unsaid, exactly, read_by, refers, says

ARTICLE = r"^[0-9]+(\.[0-9]+)?$"
NAME = "^[a-z][a-z0-9_]*$"
Moment: TypeAlias = Annotated[str, refers("moment")]
Name: TypeAlias = Annotated[str, refers("name")]
Refers: TypeAlias = Annotated[Reference, refers("reference"), read_by(Reference.parse)]
Pin: TypeAlias = Annotated[str, refers("pin")]
Region: TypeAlias = Annotated[str, refers("region")]
Perhaps: TypeAlias = Annotated[str | None, exactly(type=["string", "null"])]
"""A text, or null where there is none."""
ANY: Schema = {"minProperties": 1}
LIVES = [str(one) for one in Life if one is not Life.MAKING]
ACCOUNTS = [*map(str, AccountState), None]
"""What a card's account may be, null where it has none."""
SET_BY_BANKS = [str(one) for one in AccountState if one is not AccountState.LOST]


@dataclass(frozen=True, slots=True)
class ArticleText:
    """An article of the Measures or one of its paragraphs, as ``24`` or ``9.2``."""

    text: str

    @property
    def number(self) -> str:
        """Returns the article's number."""
        return self.text.partition(".")[0]

    @property
    def citation(self) -> Citation:
        """What it cites, the first paragraph where it names none. NotFound for one that the Measures do not have."""
        article, __, paragraph = self.text.partition(".")
        return Citation(int(article), int(paragraph or 1))


Article: TypeAlias = Annotated[ArticleText, read_by(ArticleText), exactly(type="string", pattern=ARTICLE)]


class Ending(StrEnum):
    """How a step may end."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    HALF_WAY = "half-way"
    UNKNOWN = "unknown"
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


class Blocked(StrEnum):
    """What of a card is blocked for ever."""

    NONE = "none"
    ENVIRONMENT = "environment"
    CARD = "card"


class Unit(StrEnum):
    """By what a clock is moved on."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WORKDAY = "workday"


SECONDS = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3600, Unit.DAY: 86400}


@dataclass(frozen=True, slots=True)
class Later:
    """So many units of time later."""

    number: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Later:
        """Returns what ``1 day`` or ``3 workdays`` says."""
        number, __, unit = text.partition(" ")
        return cls(int(number), Unit(unit.removesuffix("s")))

    @property
    def span(self) -> timedelta:
        """As a span of time. KeyError for working days, whose length a calendar says."""
        return timedelta(seconds=self.number * SECONDS[self.unit])


class Blank(StrEnum):
    """A chip that no card was made of yet, as the card of a step."""

    BLANK = "blank"


def card(text: str) -> Reference | Blank:
    """The card that a step has in the reader."""
    return Blank.BLANK if text == Blank.BLANK else Reference.parse(text)


START = "2025-03-03 09:00"


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

    life: Annotated[Life, exactly(enum=LIVES)] | None = None
    loss: Loss | None = None
    usable: bool | None = None
    activated: bool | None = None
    frozen: bool | None = None
    suspended: bool | None = None
    half_way: bool | None = None
    account: Annotated[AccountState | None, exactly(enum=ACCOUNTS)] | Unsaid = UNSAID
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
    blocked: Blocked | None = None
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
    guardian: Perhaps | Unsaid = UNSAID
    electronic: bool | None = None
    cards: Annotated[int, says(description="how many are in use")] | None = None
    helps: tuple[str, ...] | None = None
    erased: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the audit trail."""

    SCHEMA: ClassVar[Schema] = ANY

    operation: str | None = None
    outcome: Outcome | None = None
    clerk: str | None = None
    article: str | None = None
    detail: Annotated[dict[str, Any], exactly(type="object")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """An outlet that there is."""

    SCHEMA: ClassVar[Schema] = ANY

    kind: OutletKind | None = None
    makes_cards: bool | None = None
    helps: tuple[str, ...] | None = None
    public: Annotated[bool, exactly(const=True, description="name, address, phone and hours are told")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A look at what is the case."""

    DEFINED: ClassVar[str] = "then"
    SCHEMA: ClassVar[Schema] = ANY

    card: Annotated[Refers, says(description="which card is looked at; absent: the step's")] | None = None
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

    account: Refers
    state: Annotated[AccountState, exactly(enum=SET_BY_BANKS)]


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


@dataclass(frozen=True, slots=True)
class Do:
    """A request to the office."""

    BARE: ClassVar[bool] = True

    operation: Annotated[str, says(description="one operation of the office")]


@dataclass(frozen=True, slots=True)
class Instant:
    """A card issued at once."""

    BARE: ClassVar[bool] = True

    does: Annotated[
        Literal[True],
        says(description="from application to a card in use in one go; `with`: the application's fields, with_account"),
    ]


@dataclass(frozen=True, slots=True)
class Clock:
    """Time that passes."""

    BARE: ClassVar[bool] = True

    later: Annotated[
        Later,
        read_by(Later.parse),
        exactly(
            type="string",
            pattern="^[0-9]+ (seconds?|minutes?|hours?|days?|workdays?)$",
            description="so much later; after working days at the same time of day",
        ),
    ]


@dataclass(frozen=True, slots=True)
class At:
    """The clock set."""

    BARE: ClassVar[bool] = True

    text: Annotated[Moment, says(description="the clock set to a moment")]

    @property
    def moment(self) -> datetime:
        """When that is, in China's time. ValueError for a day or an hour that there is none of."""
        return datetime.fromisoformat(self.text)


@dataclass(frozen=True, slots=True)
class AtBank:
    """What a bank does by itself."""

    BARE: ClassVar[bool] = True

    deed: Annotated[Bank, says(description="the bank's own doing")]


@dataclass(frozen=True, slots=True)
class EnterPin:
    """A PIN entered at a terminal."""

    BARE: ClassVar[bool] = True

    pin: Annotated[Pin, says(description="somebody enters this at a terminal; expect right, wrong, locked or refused")]


@dataclass(frozen=True, slots=True)
class Write:
    """Items written by another system."""

    BARE: ClassVar[bool] = True

    items: Annotated[dict[str, str], says(minProperties=1, description="another system writes items on the card")]


@dataclass(frozen=True, slots=True)
class Resume:
    """An interrupted job finished."""

    BARE: ClassVar[bool] = True

    job: Annotated[Refers, says(description="what was interrupted is finished; `with: {pin}` where it takes one")]


@dataclass(frozen=True, slots=True)
class Abandon:
    """An interrupted job undone."""

    BARE: ClassVar[bool] = True

    job: Annotated[Refers, says(description="what was interrupted is undone")]


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing done."""

    BARE: ClassVar[bool] = True

    looks: Annotated[Literal[True], says(description="nothing is done, `then` looks")]


Deed: TypeAlias = (
    Do | Instant | Clock | At | AtBank | EnterPin | Write | Resume | Abandon | Letter | Look
)  # fmt: skip
ACTIONS: dict[str, Any] = {
    "do": Do, "instant": Instant, "clock": Clock, "at": At, "bank": AtBank, "enter_pin": EnterPin, "write": Write,
    "resume": Resume, "abandon": Abandon, "letter": Letter, "look": Look,
}  # fmt: skip
"""What a step does, by its names in documents: each step one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a step says besides what it does: for whom, by whom, and what must come of it."""

    step: Annotated[Name, says(description="its name; others refer to what it told")] | None = None
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
    card: Annotated[Reference | Blank, refers("card"), read_by(card)] | None = None
    tear: Torn | None = None
    expect: Annotated[Ending, says(description="absent: done, of enter_pin right")] | None = None
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


@dataclass(frozen=True, slots=True)
class Step:
    """A step: one thing that is done, called ``action`` in documents, and all around that."""

    action: str
    does: Deed
    around: Around

    @property
    def operation(self) -> str:
        """The operation of the office that it asks for; empty where it asks for none."""
        return self.does.operation if isinstance(self.does, Do) else ""

    @property
    def name(self) -> str:
        """What others refer to it by; empty for one without a name."""
        return self.around.step or ""

    @property
    def asks(self) -> bool:
        """True if it is a request, which rules may refuse."""
        return isinstance(self.does, Do | Instant)

    @property
    def for_software(self) -> bool:
        """True if other software can be given it: an operation with a card in the reader, not torn out."""
        return isinstance(self.does, Do) and self.around.card is not None and self.around.tear is None

    @property
    def expected(self) -> Ending:
        """Returns how the step must end."""
        return self.around.expect or (Ending.RIGHT if isinstance(self.does, EnterPin) else Ending.DONE)

    @property
    def request_fields(self) -> dict[str, Any]:
        """What it says of its request, references as they stand."""
        return self.around.with_ or {}

    @property
    def looks(self) -> tuple[Then, ...]:
        """What must be the case afterwards."""
        looks = self.around.then
        return looks if isinstance(looks, tuple) else () if looks is None else (looks,)


def step(table: Mapping[str, Any]) -> Step:
    """A step that the schema let through and that does one thing."""
    name = next(one for one in ACTIONS if one in table)
    around = models.build(Around, {key: value for key, value in table.items() if key not in ACTIONS})
    does: Deed = models.build(ACTIONS[name], table[name])
    return Step(name, does, around)


def _step_schema() -> Schema:
    around: Schema = models.written_out(Around)["properties"]
    actions = {name: models.written_out(one) for name, one in ACTIONS.items()}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"step": around.pop("step"), **actions, **around},
    }


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
    steps: Annotated[tuple[Annotated[dict[str, Any], refers("step")], ...], says(minItems=1)]

    @property
    def starts(self) -> datetime:
        """When it begins, in China's time. ValueError for a day or an hour that there is none of."""
        return datetime.fromisoformat(self.start or START)


def schema() -> Schema:
    """Returns the published schema of scenarios."""
    defined = (Person, Then, Register, OnChip, Holder)
    return {
        **models.published(ScenarioDocument, "sscard scenario, format 1"),
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
            **{one.DEFINED: models.written_out(one) for one in defined},
            "step": _step_schema(),
        },
    }


def text() -> str:
    """Returns the content of ``schema-1.json``."""
    return models.as_text(schema())
