"""What users are told, in their language: one catalogue for emulator and harness, English where it has nothing.

``_("{file}: no such file").format(file=path)``: the English text is the message's name in the catalogue, arguments have
names, so that a translation may turn them round. The language is the first of ``$SSCARD_LANG``, ``$LANGUAGE``,
``$LC_ALL``, ``$LC_MESSAGES`` and ``$LANG`` that says one. Nothing is imported or read until a translation is there for
it; catalogues lie in ``locale/LANGUAGE/LC_MESSAGES/sscard.mo``, and ``make messages`` writes what is to be translated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gettext

DOMAIN = "sscard"
FOLDER = Path(__file__).with_name("locale")
VARIABLES = ("SSCARD_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
ENGLISH = ("C", "POSIX", "en")


def _(text: str) -> str:
    """A message in the user's language; the text itself where there is no translation."""
    found = _catalogue()
    return text if found is None else found.gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """A message about so many things, in the form that the user's language has for that number."""
    found = _catalogue()
    if found is None:
        return one if number == 1 else many
    return found.ngettext(one, many, number)


def languages() -> Iterator[str]:
    """What the user reads, the best first: ``zh_CN.UTF-8`` means zh_CN, then zh."""
    said = next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "")
    for one in said.split(":"):
        name = one.partition(".")[0].partition("@")[0].replace("-", "_")
        if name.replace("_", "").isalnum():  # it becomes a folder's name
            yield from dict.fromkeys((name, name.partition("_")[0]))


def forget() -> None:
    """The language is looked for anew, as after a change of the environment."""
    _catalogue.cache_clear()


@lru_cache(maxsize=1)
def _catalogue() -> gettext.GNUTranslations | None:
    for language in languages():
        if language in ENGLISH:
            return None
        file = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if file.is_file():
            import gettext

            with file.open("rb") as content:
                return gettext.GNUTranslations(content)
    return None
