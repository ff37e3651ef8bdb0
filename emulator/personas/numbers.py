"""Numbers of made-up people and cards: their check characters, and the range that no real person can have."""

from __future__ import annotations

from emulator.messages import _

FICTITIOUS_CITIZEN = "519900"
"""Citizen ids of ours begin so: no citizen id does."""
FICTITIOUS_RESIDENT = "999"
"""Permanent residence numbers of ours begin so: 9, and a province that there is not."""
LENGTH = 18
BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
"""Of the eight characters of a card number [S: reference:card §3] and of an organisation code, by the same formula.
[S: reference:code-tables.json GB11714]"""
CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def fictitious() -> str:
    """How numbers that no real person can have begin, in words."""
    return _("{citizen}, or {resident} in the form of a permanent residence card").format(
        citizen=FICTITIOUS_CITIZEN, resident=FICTITIOUS_RESIDENT
    )


def organisation_check(body: str) -> str:
    """The check character of an organisation code's first 8 characters, digits and capitals (GB 11714). ValueError."""
    if len(body) != len(BODY_WEIGHTS) or not (body.isascii() and body.isalnum() and body == body.upper()):
        raise ValueError(_("expected 8 digits and capitals, found {count} characters").format(count=len(body)))
    rest = 11 - sum(int(one, 36) * weight for one, weight in zip(body, BODY_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def card_check(body: str) -> str:
    """The check character of a card number's first 8 characters, of which the first is a capital.
    [S: reference:card §3] ValueError.
    """
    if len(body) != len(BODY_WEIGHTS) or not (body[0].isupper() and body.isascii() and body.isalnum()):
        raise ValueError(
            _("a card number begins with a capital and 7 characters, found {count} characters").format(count=len(body))
        )
    return organisation_check(body.upper())


def card_number(district: str, count: int) -> str:
    """The card number of the ``count``-th card of a district, a capital. [S: reference:card §3]"""
    body = f"{district}{count:07}"
    return body + card_check(body)


def citizen_check(body: str) -> str:
    """The check character of a citizen id's first 17 digits (GB 11643). ValueError."""
    if len(body) != len(CITIZEN_WEIGHTS) or not (body.isascii() and body.isdigit()):
        raise ValueError(_("a citizen id begins with 17 digits, found {count} characters").format(count=len(body)))
    total = sum(int(one) * weight for one, weight in zip(body, CITIZEN_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def citizen_id(birth: str, order: int) -> str:
    """A made-up citizen id: ``birth`` as YYYYMMDD, ``order`` 0-999, odd for men."""
    body = f"{FICTITIOUS_CITIZEN}{birth}{order:03}"
    return body + citizen_check(body)


def is_fictitious(number: str) -> bool:
    """True for a citizen id or permanent residence number that no one can have."""
    return number.startswith((FICTITIOUS_CITIZEN, FICTITIOUS_RESIDENT))


def luhn_check(body: str) -> str:
    """The check digit of a bank card number's other digits (ISO/IEC 7812-1)."""
    total = sum(int(one) if at % 2 else sum(divmod(2 * int(one), 10)) for at, one in enumerate(reversed(body)))
    return str(-total % 10)
