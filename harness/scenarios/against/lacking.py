"""What an adapter or an office does not have: nothing is judged without it."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError


class Lacking(SscardError):
    """What is missing for a judgement. ``what``: for adapters' ``not_applicable``, as ``clock``, ``chip.pin``."""

    kind = ErrorKind.MISSING

    def __init__(self, what: str, why: str) -> None:
        super().__init__(why)
        self.what = what


class OfficeFault(SscardError):
    """The office did not answer, or not as the adapter says that it does: nothing can be said of the Measures."""
