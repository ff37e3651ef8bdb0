"""Ready cards by persona, layout and algorithm: each is made once, and handed out as a fork."""

from __future__ import annotations

from pathlib import Path

from emulator import personas
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.personas import Persona
from emulator.personas.issue import issue

KEPT = 128
_made: dict[tuple[str, str, str], tuple[Persona, Image]] = {}


def card(persona: str | Path, layout: str | Path, algorithm: str = "") -> Image:
    """A fresh card, tied to no file. ``layout`` and ``persona``: a name, or the path of a TOML file; ``algorithm``
    ``3des`` or ``sm4``, empty for the layout's first.

    LookupError for an unknown persona, LayoutError for a layout that is not good, ValueError (ItemError among them)
    where the three do not go together.
    """
    plan = layouts.load(layout)
    return _card(personas.load(str(persona)), plan, algorithm or plan.algorithms[0])


def _card(person: Persona, layout: Layout, algorithm: str) -> Image:
    key = (person.name, layout.fingerprint, algorithm)
    known, image = _made.get(key, (None, None))
    if image is None or known != person:  # two files may call a persona the same
        while len(_made) >= KEPT:
            del _made[next(iter(_made))]
        image = issue(person, layout, algorithm)
        _made[key] = (person, image)
    return image.fork()
