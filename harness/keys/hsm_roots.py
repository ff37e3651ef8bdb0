"""The roots in an encryption machine (加密机): a national or provincial machine's, or those handed down to a city's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.crypto import SUITES, Suite
from emulator.crypto.keys import factors
from emulator.filesystem.layouts.specs import Layout
from harness.keys.root_keys import RootKeys

INTERNAL_KEY = "IRK"
"""The one key without an address that terminals' requests need."""
NATIONAL, HANDED_DOWN = 3, 2
"""Levels that the longest chain of diversification has from a national root, and from a province's."""


class HsmRoots:
    """A root for every key of a layout that has an address, and IRK, as far as ``root`` gives them.

    ``root`` gives a root by name and version, LookupError where there is none. ``region``: two digits for a machine
    with national roots; four or six for a city's, whose 3-level roots the province has diversified before. [D]
    """

    def __init__(self, root: Callable[[str, int], bytes], region: str, layout: Layout) -> None:
        self._region, self._layout = region, layout
        most = NATIONAL if len(region) == 2 else HANDED_DOWN
        self.keys = {
            key.name: replace(key, levels=min(key.levels, most))
            for key in layout.keys.values()
            if (key.hsm or key.name == INTERNAL_KEY) and _has(root, key.name)
        }
        """What the keys are, by name, with the levels that their roots have here; not their values."""
        self._by_suite = {
            suite.name: RootKeys(root if most == NATIONAL else self._handed_down(root, suite))
            for suite in SUITES.values()
        }

    def of(self, suite: Suite) -> RootKeys:
        """The roots as they serve cards of this algorithm."""
        return self._by_suite[suite.name]

    def _handed_down(self, root: Callable[[str, int], bytes], suite: Suite) -> Callable[[str, int], bytes]:
        """Roots as the province gives them to its cities."""
        province = factors(self._region, b"", NATIONAL)[0]

        def given(name: str, version: int) -> bytes:
            national = root(name, version)
            return suite.derive(national, province) if self._layout.keys[name].levels == NATIONAL else national

        return given


def _has(root: Callable[[str, int], bytes], name: str) -> bool:
    try:
        root(name, 1)
    except LookupError:
        return False
    return True
