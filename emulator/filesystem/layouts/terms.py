"""The words that layouts choose from, as types. Each stands in TOML as its value."""

from __future__ import annotations

from enum import StrEnum


class Structure(StrEnum):
    """How an EF is built: records in TLV, records of one length of which the newest is the first, or bytes."""

    RECORDS = "records"
    CYCLIC = "cyclic"
    TRANSPARENT = "transparent"


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
