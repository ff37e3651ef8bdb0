"""The words that layouts choose from, as types. Each stands in TOML as its value."""

from __future__ import annotations

from enum import StrEnum


class CardKind(StrEnum):
    """Whose card it is: a person's, or the terminal's own (PSAM)."""

    USER = "user"
    PSAM = "psam"


class IssuedState(StrEnum):
    """What a card is that a persona is issued: in use, blank and to be personalised, or blocked for ever."""

    IN_USE = "in use"
    BLANK = "blank"
    BLOCKED = "blocked"


class Structure(StrEnum):
    """How an EF is built: records in TLV, records of one length of which the newest is the first, or bytes."""

    RECORDS = "records"
    CYCLIC = "cyclic"
    TRANSPARENT = "transparent"


class ItemFormat(StrEnum):
    """How an item's value is written: characters, digits in BCD, bits, a number, hex, or elements of their own."""

    AN = "an"
    CN = "cn"
    B = "b"
    DEC = "dec"
    HEX = "hex"
    B_TLV = "B-TLV"
    BER_TLV = "BER-TLV"


class KeyUse(StrEnum):
    """What a key is for. ``PIN``: it is made from a PIN of an application's own, and proved by VERIFY."""

    INTERNAL = "internal-authentication"
    EXTERNAL = "external-authentication"
    MESSAGING = "messaging"
    PURSE = "purse"
    DELIVERY = "delivery"
    PIN = "pin"


class Messaging(StrEnum):
    """What secure messaging a command comes under, or must: none, a MAC, or MAC and cipher."""

    NONE = ""
    MAC = "mac"
    CIPHER = "cipher"


class Fci(StrEnum):
    """What SELECT answers: nothing, or the FCI of an environment (DDF) or of an application (ADF)."""

    NONE = ""
    DDF = "ddf"
    ADF = "adf"


class MessagingKey(StrEnum):
    """Which key seals: one made from the card's key and the challenge, or the card's key itself."""

    PROCESS = "process"
    CARD = "card"


class MacStart(StrEnum):
    """What a MAC starts from."""

    ZERO = "zero"
    CHALLENGE = "challenge"


class AskedWhenLocked(StrEnum):
    """What VERIFY without data answers once the PIN is locked: that it is, or that no try is left."""

    LOCKED = "6983"
    NO_TRIES = "63C0"


class Check(StrEnum):
    """What a card looks at before it carries a command out; ours in this order.

    ``STRUCTURE``: whether the bytes' own lengths agree. ``FILE``: whether it is there, or current. ``KIND``: whether it
    holds what the command reads. ``RECORD``: the record, or the offset. ``LE``: whether the answer is as long as asked.
    """

    STRUCTURE = "structure"
    CLASS = "class"
    INSTRUCTION = "instruction"
    PARAMETERS = "parameters"
    LENGTH = "length"
    FILE = "file"
    KIND = "kind"
    SECURITY = "security"
    RECORD = "record"
    LE = "le"


class Asked(StrEnum):
    """How Le stands to what an answer has: left out, 00, less, or more."""

    ABSENT = "absent"
    ZERO = "zero"
    SHORT = "short"
    LONG = "long"


class Waiting(StrEnum):
    """Where an answer's data go under T=0: behind 61xx, at once, or at once where the command has an Le."""

    ANNOUNCED = "61xx"
    AT_ONCE = "at once"
    WITH_LE = "with Le"


class UidForm(StrEnum):
    """The number by which a reader tells cards in its field apart: four bytes drawn each time that the card comes into
    one, or the same four or seven always. [P: iso14443-3]
    """

    RANDOM = "random"
    FOUR = "4"
    SEVEN = "7"


class Addressing(StrEnum):
    """How a read command names what it reads: by SFI or in the current EF; a record by its number or by its tag (the
    first, or in another mode); bytes from an offset.
    """

    NUMBER_SFI = "number-sfi"
    NUMBER_CURRENT = "number-current"
    TAG_SFI = "tag-sfi"
    TAG_CURRENT = "tag-current"
    LAST = "last"
    NEXT = "next"
    PREVIOUS = "previous"
    TO_LAST = "to-last"
    FROM_LAST = "from-last"
    BINARY_SFI = "binary-sfi"
    BINARY_CURRENT = "binary-current"


class Selection(StrEnum):
    """How SELECT names what it finds: by its name, the beginning of it, or the next one; by file id (P1 00) the MF, the
    current DF itself, one below, above or beside it, or an EF; with P1 01 a DF below, with P1 02 an EF.
    """

    NAME = "name"
    PART = "part-of-name"
    NEXT = "next-name"
    MF = "mf"
    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    SIBLING = "sibling"
    EF = "ef"
    CHILD_01 = "child-01"
    EF_02 = "ef-02"
