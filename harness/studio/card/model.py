"""The card as the page gets it: plain values, each text in Chinese and in English beside each other.

Nothing in here ever holds a key, a PIN, or the content of a file that nobody may read. People's values are None, and
their bytes asterisks, where they are masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.filesystem.layouts.codes import Words


@dataclass(frozen=True, slots=True)
class Basis:
    """How sure a fact is, and on whose word: citations, which ``Card.sources`` explains."""

    grade: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceTold:
    """A citation in words: ``V2.0 table 9``, and the title of what is cited."""

    words: Words
    title: Words


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do something. ``condition`` as layouts write it; ``messaging``: what secure messaging it must come under,
    empty, ``mac`` or ``cipher``. ``now``: the session could do it at this moment, in the file's own DF; ``refusal``:
    what the card would answer instead, and its reason.
    """

    condition: str
    words: Words
    messaging: str
    now: bool
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Tries:
    """``left`` of ``limit``; locked where none is left."""

    left: int
    limit: int


@dataclass(frozen=True, slots=True)
class Life:
    """A state of a life cycle. ``normal``: simply in use."""

    normal: bool
    words: Words


@dataclass(frozen=True, slots=True)
class Table:
    """The code table that an item's value is from."""

    id: str
    name: Words


@dataclass(frozen=True, slots=True)
class Item:
    """An item, an element of one, or a field of a cyclic record. ``length`` in bytes. ``present``: the card has it;
    what it has not is declared by the layout alone. ``value`` decoded, ``meaning`` of a code, date or amount in words.
    """

    id: str
    tag: str
    name: Words
    format: str
    length: int
    value: str | None
    meaning: Words | None
    hex: str
    masked: bool
    empty: bool
    basis: Basis
    usage: Words | None = None
    codes: Table | None = None
    elements: tuple[Item, ...] = ()
    present: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a cyclic file, 1 the newest."""

    id: str
    number: int
    fields: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class CertificateTold:
    """How the certificate in a file stands. ``span``: its first and last day, empty where masked or unknown."""

    state: str
    words: Words
    span: str


@dataclass(frozen=True, slots=True)
class File:
    """An EF. ``size`` in bytes, ``used`` without what fills it up; ``capacity``: records at most, of a cyclic one."""

    id: str
    fid: str
    sfi: int
    name: Words
    structure: str
    usage: Words | None
    size: int
    used: int
    capacity: int
    read: Access
    update: Access
    access: Basis
    basis: Basis
    secret: bool
    current: bool
    items: tuple[Item, ...] = ()
    records: tuple[Record, ...] = ()
    hex: str = ""
    masked: bool = False
    certificate: CertificateTold | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key: never its value. ``reference`` is the P2 that names it; ``versions`` that are loaded; ``tries`` None: it
    never locks. ``held``: the session has won its right. ``psam``: usage and id of its root in a PSAM; ``hsm``: its
    address in an encryption machine; both empty where none is known.
    """

    id: str
    name: str
    reference: str
    use: Words
    title: Words
    levels: int
    versions: tuple[int, ...]
    tries: Tries | None
    held: bool
    psam: str
    hsm: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Pin:
    """The cardholder's PIN: never its digits. ``initial``: still the layout's published one. ``unblockings``: of the
    key that resets it, None where any number may fail.
    """

    id: str
    tries: Tries
    set: bool
    initial: bool
    digits: tuple[int, int]
    unblock_key: str
    unblockings: Tries | None
    verified: bool
    basis: Basis


@dataclass(frozen=True, slots=True)
class Part:
    """A value that lies in no file: of the medical account, or a data object of GET DATA."""

    id: str
    name: Words
    value: str | None
    meaning: Words | None
    masked: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """The medical account. ``in_use``: the item that turns it on says so."""

    id: str
    in_use: bool
    parts: tuple[Part, ...]
    load: Access
    purchase: Access
    balance: Access
    basis: Basis


@dataclass(frozen=True, slots=True)
class Application:
    """A DF. ``life``: its own; ``children``: the DFs in it."""

    id: str
    fid: str
    dfname: str
    label: str
    name: Words
    life: Life
    fci: str
    current: bool
    basis: Basis
    files: tuple[File, ...]
    keys: tuple[Key, ...]
    pin: Pin | None
    purse: Purse | None
    data: tuple[Part, ...]
    children: tuple[Application, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the card's session has come to: current DF and EF, empty for none; the current record's number, 0 for none;
    rights won, in words by name. ``challenge``: one was given and not used yet; ``transaction``: one was begun.
    """

    application: str
    file: str
    record: int
    rights: dict[str, Words]
    challenge: bool
    transaction: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A card at one moment. ``masked``: people's values are not shown. ``sources``: every citation in it, explained."""

    layout: str
    title: Words
    version: str
    kind: str
    algorithm: str
    atr: str
    interface: str
    masked: bool
    life: Life
    activation: Life | None
    standing: Standing
    root: Application
    sources: dict[str, SourceTold]


def as_json(value: Any) -> Any:
    """Anything of this room's as JSON has it: objects, arrays, texts, numbers. Much quicker than ``asdict``, which
    copies what nobody changes.
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    return {name: as_json(getattr(value, name)) for name in value.__dataclass_fields__}
