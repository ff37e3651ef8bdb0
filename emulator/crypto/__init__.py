"""The card's two algorithm suites, 3DES and SM4, and how keys come to be: roots, diversification, process keys."""

from __future__ import annotations

from emulator.crypto.sm4 import SM4Suite
from emulator.crypto.suite import Suite
from emulator.crypto.tripledes import TripleDESSuite
from emulator.errors import Misuse
from emulator.messages import _

SUITES: dict[str, Suite] = {suite.name: suite for suite in (TripleDESSuite(), SM4Suite())}


class AlgorithmError(Misuse):
    """No card can be made with this algorithm, or none of this layout."""


def suite(name: str) -> Suite:
    """The suite of this name, ``3des`` or ``sm4``; AlgorithmError for others."""
    if name == "ssf33":
        raise AlgorithmError(_("SSF33 is not public, so no card can be made with it: choose 3des or sm4"))
    try:
        return SUITES[name]
    except KeyError:
        raise AlgorithmError(_("unknown algorithm {name!r}: choose 3des or sm4").format(name=name)) from None


def suite_of(scheme_algorithm: str, card: Suite) -> Suite:
    """The suite that a messaging scheme says: its own, or the card's for ``card``."""
    return card if scheme_algorithm == "card" else SUITES[scheme_algorithm]


__all__ = ["SUITES", "AlgorithmError", "Suite", "suite", "suite_of"]
