"""Ages, as the Measures ask for them."""

from __future__ import annotations

from datetime import date

ADULT = 18


def age(birth: date, day: date) -> int:
    """Full years; one born on 29 February has the birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
