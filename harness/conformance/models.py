"""The form of a vector: what its document and each of its steps may say. ``schema-1.json`` is generated from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from emulator.filesystem.layouts import paths
from emulator.filesystem.layouts.paths import FilePath, ItemPath
from emulator.filesystem.layouts.terms import CardKind
from emulator.reader.shape import ReaderShape
from harness.conformance.references import Span, Tries, names_in
from harness.verdicts import models
from harness.verdicts.models import Schema, exactly, read_by, refers, says
from harness.verdicts.subject import Grade, Proof

HEX = r"^([0-9A-Fa-f ]|\$\{[a-z0-9_]+(:lv|:[0-9]*:[0-9]*)?\})*$"
SPAN = "^[0-9]*:[0-9]*$"
DIGITS = "^[0-9A-F]+$"
PATTERN = "^[0-9A-Fx]{4}$"
Hex: TypeAlias = Annotated[str, refers("hex")]
TriesLeft: TypeAlias = Annotated[Tries, refers("tries"), read_by(Tries.parse)]
Part: TypeAlias = Annotated[Span, read_by(Span.parse), exactly(type="string", pattern=SPAN)]
Item: TypeAlias = Annotated[ItemPath, read_by(ItemPath.parse), exactly(type="string")]
Sw: TypeAlias = Annotated[str, says(pattern=PATTERN)]
Algorithm: TypeAlias = Literal["3des", "sm4"]


class Given(StrEnum):
    """Whether a step gives the card what is right, or something else in its place."""

    RIGHT = "right"
    WRONG = "wrong"


class By(StrEnum):
    """How a record is asked for."""

    TAG = "tag"
    NUMBER = "number"


class Digest(StrEnum):
    """An algorithm that makes a digest."""

    SM3 = "sm3"
    SHA256 = "sha256"


class Encoding(StrEnum):
    """As what a program takes an answer's bytes: hex digits, or characters of an encoding."""

    HEX = "hex"
    ASCII = "ascii"
    GBK = "gbk"


class OfPersona(StrEnum):
    """What a persona has besides the items of its card."""

    REGION = "region"
    BANK_CARD_NUMBER = "bank_card_number"
    PIN = "pin"


class Follows(StrEnum):
    """Who follows 61xx and 6Cxx after a command; ``UNKNOWN``: nobody knows whether anybody does."""

    READER = "reader"
    PROGRAM = "program"
    NONE = "none"
    ONLY_6C = "only_6C"
    UNKNOWN = "unknown"


# --- what is computed before a step ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderKey:
    """A key of the card, of a version, worked by a process key made from ``factor``; absent: the last challenge."""

    key: str
    version: int = 1
    factor: Hex = "${challenge}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryptogram(UnderKey):
    """What EXTERNAL AUTHENTICATION proves with."""

    data: Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Mac(UnderKey):
    """A MAC."""

    over: Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Encipher(UnderKey):
    """Data enciphered as commands have it."""

    data: Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Tac:
    """A transaction's certificate, under the key itself."""

    key: str
    version: int = 1
    over: Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed(UnderKey):
    """A whole command under secure messaging."""

    SCHEMA: ClassVar[Schema] = {"description": "a whole command under secure messaging"}

    header: Hex
    data: Hex = ""
    cipher: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A cipher with a given key."""

    SCHEMA: ClassVar[Schema] = {"description": "data, filled with 00 to whole blocks, under a key in ECB"}

    algorithm: Algorithm
    key: Hex
    data: Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """A digest."""

    algorithm: Digest
    over: Hex


@dataclass(frozen=True, slots=True)
class Xor:
    """Two values, bit by bit."""

    BARE: ClassVar[bool] = True

    sides: Annotated[tuple[Hex, ...], says(minItems=2, maxItems=2)]


@dataclass(frozen=True, slots=True)
class Join:
    """Values one after another."""

    BARE: ClassVar[bool] = True

    text: Hex


Formula: TypeAlias = Cryptogram | Mac | Encipher | Tac | Sealed | Block | Hash | Xor | Join
FORMULAS: dict[str, Any] = {
    "cryptogram": Cryptogram, "mac": Mac, "encipher": Encipher, "tac": Tac, "sealed": Sealed, "block": Block,
    "hash": Hash, "xor": Xor, "join": Join,
}  # fmt: skip
"""What ``let`` computes, by its names in documents."""


# --- what a step does ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset of the card. Its data are the ATR, as PC/SC shows it; its status word is 9000."""

    BARE: ClassVar[bool] = True

    how: Literal[True, "warm", "cold"]


@dataclass(frozen=True, slots=True)
class Apdu:
    """A command as a program sends it."""

    BARE: ClassVar[bool] = True

    text: Hex


@dataclass(frozen=True, slots=True)
class Tpdu:
    """A command as a reader sends it: nobody follows 61xx and 6Cxx."""

    BARE: ClassVar[bool] = True

    text: Hex


@dataclass(frozen=True, slots=True)
class Select:
    """An application."""

    BARE: ClassVar[bool] = True

    application: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge of so many bytes."""

    BARE: ClassVar[bool] = True

    size: Literal[4, 8, 16]


@dataclass(frozen=True, slots=True)
class VerifyPin:
    """VERIFY with the card's PIN, or with another."""

    BARE: ClassVar[bool] = True

    which: Given


@dataclass(frozen=True, slots=True)
class AskPin:
    """VERIFY without data."""

    BARE: ClassVar[bool] = True

    asks: Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePin:
    """CHANGE PIN."""

    old: Given
    new: Annotated[str, says(pattern="^[0-9]{0,16}$")]


@dataclass(frozen=True, slots=True)
class Authenticate:
    """EXTERNAL AUTHENTICATION, or VERIFY of a PIN that is proved as a key."""

    SHORT: ClassVar[bool] = True

    key: str
    version: int | None = None
    cryptogram: Given = Given.RIGHT


@dataclass(frozen=True, slots=True)
class Read:
    """An item, by its tag or by its record's number."""

    SHORT: ClassVar[bool] = True

    item: Item
    by: By = By.TAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An item: a value, nothing, or what is there."""

    item: Item
    value: str | None = None
    same: Literal[True] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A command under secure messaging."""

    header: Hex
    data: Hex = ""
    key: str
    cipher: bool = False
    mac: Given = Given.RIGHT


@dataclass(frozen=True, slots=True)
class Tear:
    """What is done, with power cut after each of its writes in turn."""

    BARE: ClassVar[bool] = True

    does: Annotated[Any, refers("action")]
    """An ``Action``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A function of the driver."""

    SCHEMA: ClassVar[Schema] = {
        "description": "calls a function of SSCardDriver in this process, over the card and the PSAM"
    }

    function: str
    arguments: Annotated[
        dict[str, Annotated[str | int, models.exactly(type=["string", "integer"])]],
        says(description="by the names in C; texts may hold ${name}"),
    ] = field(default_factory=dict)
    pad: Annotated[
        tuple[Annotated[str, says(pattern="^(right|wrong|cancel|timeout|[0-9]*)$")], ...],
        says(description="what the cardholder enters"),
    ] = ()
    machine: (
        Annotated[
            Literal[True],
            says(
                description="the function's steps, each answered by an encryption machine with the published test roots"
            ),
        ]
        | None
    ) = None


Action: TypeAlias = (
    Reset | Apdu | Tpdu | Select | Challenge | VerifyPin | AskPin | ChangePin | Authenticate | Read | Update | Secured
    | Tear | Driver
)  # fmt: skip
ACTIONS: dict[str, Any] = {
    "reset": Reset, "apdu": Apdu, "tpdu": Tpdu, "select": Select, "challenge": Challenge, "verify_pin": VerifyPin,
    "ask_pin": AskPin, "change_pin": ChangePin, "authenticate": Authenticate, "read": Read, "update": Update,
    "secured": Secured, "tear": Tear, "driver": Driver,
}  # fmt: skip
"""What a step does, by its names in documents: each step one of them."""


# --- what must come back ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A test of the whole answer, one of these."""

    SCHEMA: ClassVar[Schema] = {
        "minProperties": 1,
        "maxProperties": 1,
        "description": "the whole answer, status word included",
    }

    is_: Hex | None = None
    starts: Hex | None = None
    ends: Hex | None = None
    contains: Hex | None = None
    lacks: Hex | None = None


Match: TypeAlias = (
    Annotated[Literal["any"], says(description="anything that came")]
    | Annotated[str, says(pattern=PATTERN, description="a status word; x is any digit")]
    | Whole
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What an answer must be."""

    SCHEMA: ClassVar[Schema] = {"minProperties": 1}

    sw: Annotated[Sw | Annotated[tuple[Sw, ...], says(minItems=1)], says(description="x is any digit")] | None = None
    data: (
        Annotated[
            str,
            says(
                pattern=r"^([0-9A-Fa-f]{2}|\.\.| |\$\{[a-z0-9_]+(:lv|:[0-9]*:[0-9]*)?\})*$",
                description=".. is any byte",
            ),
        ]
        | None
    ) = None
    length: Annotated[int, says(minimum=0, description="bytes of data")] | None = None
    value: str | None = None
    tries_left: (
        Annotated[
            Annotated[int, says(minimum=0, maximum=15)] | TriesLeft,
            says(
                description="PIN or a key's name stands for its tries in the layout, n for the repetition of the step"
            ),
        ]
        | None
    ) = None
    code: (
        Annotated[
            int | Annotated[tuple[int, ...], says(minItems=1)], says(description="a driver function's return code")
        ]
        | None
    ) = None
    out: (
        Annotated[
            str,
            says(
                description="its pOutInfo; * stands for anything, ${name} for hex, ${item:PATH} for the persona's value"
            ),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parse:
    """What a program takes out of an answer, and what that must be."""

    DEFINED: ClassVar[str] = "parse"
    SCHEMA: ClassVar[Schema] = {"minProperties": 1}

    length: Annotated[int, says(minimum=0, description="bytes of data; stands alone")] | None = None
    bytes_: Annotated[Part, says(description="of the data")] | None = None
    digits: Annotated[Part, says(description="of the whole answer as hex text, status word included")] | None = None
    after: (
        Annotated[
            str,
            says(
                pattern=DIGITS,
                description="what follows these digits where they first stand in the answer: a value after its length",
            ),
        ]
        | None
    ) = None
    size: (
        Annotated[int, says(minimum=1, description="with after: so many bytes instead of a value after its length")]
        | None
    ) = None
    default: Annotated[str, says(description="with after: what the program takes where they do not stand")] = ""
    without: Annotated[
        tuple[Annotated[str, says(pattern=DIGITS)], ...],
        says(minItems=1, description="taken out of the text first, wherever they stand"),
    ] = ()
    odd: Annotated[Literal[True], says(description="every second digit only, from the second")] | None = None
    unpadded: Annotated[str, says(minLength=1, description="these characters are taken off the end")] = ""
    as_: Encoding = Encoding.HEX
    is_: (
        Annotated[
            str | Annotated[dict[str, str], says(minProperties=1)],
            says(description="the right value, ${name} a captured or known one; or one for each algorithm or version"),
        ]
        | None
    ) = None
    item: (
        Annotated[
            ItemPath | FilePath,
            read_by(paths.path),
            exactly(
                type="string",
                description="the right value is what the persona has there: SSSE/EF05/07; of a PSAM's file the bytes: "
                "MF/EF16",
            ),
        ]
        | None
    ) = None
    person: Annotated[OfPersona, says(description="the right value is this of the persona")] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    """As it stands in the document, for reports."""


# --- a step ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a step says besides what it does."""

    card: Annotated[CardKind, says(description="which card an apdu, tpdu or reset goes to; absent: the user's")] = (
        CardKind.USER
    )
    times: Annotated[
        Annotated[int, says(minimum=1, maximum=15)] | TriesLeft,
        says(description="does the step so often; PIN or a key's name stands for its tries in the layout"),
    ] = 1
    grade: Annotated[Literal["own"], says(description="what this step expects is our decision alone")] | None = None
    let: Annotated[
        dict[str, Annotated[Any, refers("computed")]], says(description="computed before the step, in order")
    ] = field(default_factory=dict)
    capture: Annotated[dict[str, Part], says(description="bytes of the answer's data by name: from:to")] = field(
        default_factory=dict
    )
    expect: Expect | None = None
    accept: (
        Annotated[
            Annotated[Match, refers("match")]
            | Annotated[tuple[Annotated[Match, refers("match")], ...], says(minItems=1)],
            says(description="any of these will do; instead of expect"),
        ]
        | None
    ) = None
    parse: Annotated[
        tuple[Parse, ...],
        says(
            minItems=1,
            description="what a program takes out of the answer, and what that must be on the persona; not judged on a "
            "card in a reader, unless its persona is named",
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it does, and all around that. ``raw``: the argument of what it does, as it stands."""

    name: str
    does: Action
    around: Around
    let: Mapping[str, Formula]
    raw: Any

    @property
    def ours(self) -> bool:
        """True if nothing but our own decision asks for what it expects."""
        return bool(self.around.grade)

    @property
    def deeds(self) -> Iterator[Action]:
        """What it does, and what it does while power is cut."""
        does = self.does
        yield does
        while isinstance(does, Tear):
            does = does.does
            yield does

    @property
    def keys(self) -> Iterator[str]:
        """The card's keys that it works with, in what it computes first and then does."""
        for one in (*self.let.values(), *self.deeds):
            if isinstance(one, UnderKey | Tac | Authenticate | Secured):
                yield one.key

    @property
    def uses_pin(self) -> bool:
        """True if it uses the card's PIN: by what it does, or by its name in what is sent or expected."""
        return any(
            isinstance(one, VerifyPin | AskPin | ChangePin) or (isinstance(one, Driver) and bool(one.pad))
            for one in self.deeds
        ) or any("pin" in names_in(text) for text in texts((self.let, self.does, self.around)))


def texts(value: Any) -> Iterator[str]:
    """Every text in a model, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from texts(one)
    elif is_dataclass(value):
        for of in fields(value):
            yield from texts(getattr(value, of.name))


def step(table: Mapping[str, Any]) -> Step:
    """A step that the schema let through and that does one thing."""
    name = next(one for one in ACTIONS if one in table)
    around = models.build(Around, {key: value for key, value in table.items() if key not in ACTIONS})
    let = {key: _formula(value) for key, value in table.get("let", {}).items()}
    return Step(name, action({name: table[name]}), around, let, table[name])


def action(table: Mapping[str, Any]) -> Action:
    """What a step does: ``{name: argument}``."""
    ((name, argument),) = table.items()
    does: Action = Tear(action(argument)) if name == "tear" else models.build(ACTIONS[name], argument)
    return does


def _formula(table: Mapping[str, Any]) -> Formula:
    ((name, arguments),) = table.items()
    made: Formula = models.build(FORMULAS[name], arguments)
    return made


# --- the document ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose flow a vector is."""

    SCHEMA: ClassVar[Schema] = {
        "description": "the public program that the flow is of, by its id in docs/sources.toml, which says what kind "
        "of program it is, its language and year where known; flows whose sources have one origin are not "
        "independent of each other"
    }

    source: Annotated[str, says(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    partial: Annotated[str, says(description="what of the program's flow is left out or filled in")] = ""


Feature: TypeAlias = Literal[
    "activation", "bank", "blocking", "certificate", "contactless", "pin", "purse", "t0", "temporary", "virtual"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorDocument:
    """A vector's document."""

    schema: Literal[1]
    id: Annotated[str, says(pattern="^[A-Z0-9_]+(-[A-Z0-9_]+)*$")]
    standard: Annotated[
        str,
        says(description="item of LD/T 6001-2023 that it belongs to, where one exists; see vectors/items.yaml"),
    ] = ""
    covers: Annotated[tuple[str, ...], says(minItems=1, description="further items that it shows something of")] = ()
    title: str
    title_zh: str
    grade: Grade
    source: Annotated[str, says(description="what it rests on, with the grade of that fact")]
    proof: (
        Annotated[
            Proof,
            says(
                description="what it shows the card against: what programs send, what the text says, our own layouts; "
                "absent: field in a folder field, own in a folder generated and for the grade own, else text"
            ),
        ]
        | None
    ) = None
    origin: Origin | None = None
    versions: Annotated[tuple[str, ...], says(minItems=1, description="absent: all")] = ()
    algorithms: Annotated[tuple[Algorithm, ...], says(minItems=1, description="absent: all")] = ()
    shapes: Annotated[
        tuple[ReaderShape, ...],
        says(
            minItems=1,
            uniqueItems=True,
            description="reader shapes that it is played in, each in turn; absent: t0",
        ),
    ] = ()
    follows: Annotated[
        Follows,
        says(
            description="who follows 61xx and 6Cxx after an apdu; nobody with none; unknown: played both ways. Absent: "
            "reader"
        ),
    ] = Follows.READER
    layout: Annotated[
        str,
        says(description="a layout's name, or the path of one beside this file; {version} is the card's version"),
    ] = ""
    psam_layout: Annotated[str, says(description="the same for the PSAM; absent: psam")] = ""
    persona: str = ""
    destructive: bool = False
    costs_tries: bool = False
    steps: Annotated[tuple[Annotated[dict[str, Any], refers("step")], ...], says(minItems=1)]
    features: Annotated[tuple[Feature, ...], says(minItems=1, description="what a card, or its reader, must have")] = ()
    keys: (
        Annotated[
            tuple[str, ...], says(description="keys that the terminal must know; found in the steps where left out")
        ]
        | None
    ) = None


def schema() -> Schema:
    """Returns the published schema of vectors."""
    actions = {name: {"$ref": f"#/$defs/actions/{name}"} for name in ACTIONS}
    around = models.written_out(Around)
    return {
        **models.published(VectorDocument, "sscard vector, schema 1"),
        "$defs": {
            "hex": {
                "type": "string",
                "pattern": HEX,
                "description": "hex, ${name} a captured, computed or known value, ${name:2:4} some of its bytes, "
                "${name:lv} its length and the value",
            },
            "computed": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {name: models.written_out(one) for name, one in FORMULAS.items()},
            },
            "action": {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": actions},
            "step": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {**actions, **around["properties"]},
            },
            "actions": {name: models.written_out(one) for name, one in ACTIONS.items()},
            "tries": {"type": "string", "pattern": "^[A-Z0-9]+(-([0-9]+|n))?$"},
            "match": models.of(Match),
            "parse": models.written_out(Parse),
        },
    }


def text() -> str:
    """Returns the content of ``schema-1.json``."""
    return models.as_text(schema())
