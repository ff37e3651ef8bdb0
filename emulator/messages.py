"""What users are told, in their language: one catalogue for emulator and harness, English where it has nothing.

``_("{file}: no such file").format(file=path)``: the English text is the message's name in the catalogue, arguments have
names, so that a translation may turn them round. The language is the first of ``$SSCARD_LANG``, ``$LANGUAGE``,
``$LC_ALL``, ``$LC_MESSAGES`` and ``$LANG`` that says one. Nothing is imported or read until a translation is there for
it; catalogues lie in ``locale/LANGUAGE/LC_MESSAGES/sscard.mo``, and ``make messages`` writes what is to be translated.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gettext

DOMAIN = "sscard"
FOLDER = os.path.join(os.path.dirname(__file__), "locale")  # noqa: PTH118, PTH120 — pathlib is a start-up's third
VARIABLES = ("SSCARD_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
ENGLISH = ("C", "POSIX", "en")


def _(text: str) -> str:
    """A message in the user's language; the text itself where there is no translation."""
    found = _catalogue()
    return found.gettext(text) if found is not None and text else text


def deferred(text: str) -> str:
    """A message of a table, which is made before the language is known: where it is told, ``_`` looks it up."""
    return text


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


@contextlib.contextmanager
def for_libraries() -> Iterator[None]:
    """Within it, libraries that ask gettext for their own texts, as click does, find them in our catalogue, in the
    language that ours are told in; nothing changes where they are told in English.
    """
    language = _language()
    if not language:
        yield
        return
    import gettext

    domain, said = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language  # which gettext asks first; it knows nothing of $SSCARD_LANG
    try:
        yield
    finally:
        gettext.textdomain(domain)
        del os.environ["LANGUAGE"]
        if said is not None:
            os.environ["LANGUAGE"] = said


def _language() -> str:
    """The first of the user's languages that there is a catalogue of; empty where English comes first, or none is."""
    for language in languages():
        if language in ENGLISH:
            return ""
        if os.path.isfile(_file(language)):  # noqa: PTH113
            return language
    return ""


def _file(language: str) -> str:
    return os.path.join(FOLDER, language, "LC_MESSAGES", f"{DOMAIN}.mo")  # noqa: PTH118


@lru_cache(maxsize=1)
def _catalogue() -> gettext.GNUTranslations | None:
    language = _language()
    if not language:
        return None
    import gettext

    with open(_file(language), "rb") as content:  # noqa: PTH123
        return gettext.GNUTranslations(content)
