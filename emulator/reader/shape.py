"""The shape in which a reader shows programs what a card answers."""

from __future__ import annotations

from enum import StrEnum


class ReaderShape(StrEnum):
    """T=0 as the card speaks it, or whole answers, as the reader follows 61xx and 6Cxx by itself."""

    T0 = "t0"
    APDU = "apdu"
