"""Numbers of made-up people and cards: their check characters, and the range that no real person can have."""

from __future__ import annotations

FICTITIOUS_CITIZEN = "519900"
"""Citizen ids of ours begin so: GB/T 2260 gives this address code to no place."""
CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def card_check(body: str) -> str:
    """The check character of a card number's first 8 characters, of which the first is a capital.
    [S: reference:card §3] ValueError.
    """
    if len(body) != len(CARD_WEIGHTS) or not (body[0].isupper() and body.isascii() and body.isalnum()):
        raise ValueError(f"a card number begins with a capital and 7 characters, found {len(body)} characters")
    rest = 11 - sum(int(one, 36) * weight for one, weight in zip(body, CARD_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def card_number(district: str, count: int) -> str:
    """The card number of the ``count``-th card of a district, a capital. [S: reference:card §3]"""
    body = f"{district}{count:07}"
    return body + card_check(body)


def citizen_check(body: str) -> str:
    """The check character of a citizen id's first 17 digits (GB 11643). ValueError."""
    if len(body) != len(CITIZEN_WEIGHTS) or not (body.isascii() and body.isdigit()):
        raise ValueError(f"a citizen id begins with 17 digits, found {len(body)} characters")
    total = sum(int(one) * weight for one, weight in zip(body, CITIZEN_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def citizen_id(birth: str, order: int) -> str:
    """A made-up citizen id: ``birth`` as YYYYMMDD, ``order`` 0-999, odd for men."""
    body = f"{FICTITIOUS_CITIZEN}{birth}{order:03}"
    return body + citizen_check(body)
