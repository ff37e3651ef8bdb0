"""What users are told, in their language: one catalogue for emulator and harness, English where it has nothing.

``_("{file}: no such file").format(file=path)``: the English text is the message's name in the catalogue, arguments have
names, so that a translation may turn them round. The language is the one that is asked for (``in_language``), else the
first of ``$SSCARD_LANG``, ``$LANGUAGE``, ``$LC_ALL``, ``$LC_MESSAGES`` and ``$LANG`` that says one. Catalogues lie in
``locale/LANGUAGE/LC_MESSAGES``: ``sscard.po`` is written by translators, ``sscard.mo`` is made of it where it is
missing or older. ``make messages`` brings them up to date with the sources.

Some messages are in both languages at once, ``serving; Ctrl-C ends 服务中，按Ctrl-C结束``: they are told so where
nobody says which is wanted. Whoever asks for English has it alone, from a catalogue of its own; what the system says of
English is often a server's default and no wish, so it leaves both.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gettext

DOMAIN = "sscard"
FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "locale")  # noqa: PTH118, PTH120 — pathlib is slow
OWN = "SSCARD_LANG"
VARIABLES = (OWN, "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
ENGLISH, CHINESE, BOTH = "en", "zh", "both"
CHOICES = (CHINESE, ENGLISH, BOTH)
"""What may be asked for: one language, or English with Chinese beside it where there are both."""
NO_LANGUAGE = ("C", "POSIX", ENGLISH, BOTH)
FOLDERS = {CHINESE: "zh_CN"}
"""Where a language's catalogue lies if it has none of its own: every place's Chinese reads the mainland's."""
_asked: ContextVar[str] = ContextVar("language that is asked for", default="")


def _(text: str) -> str:
    """A message in the user's language; the text itself where there is no translation."""
    found = _catalogue(_asked.get())
    return found.gettext(text) if found is not None and text else text


def deferred(text: str) -> str:
    """A message of a table, which is made before the language is known: where it is told, ``_`` looks it up."""
    return text


def because(text: str) -> str:
    """A reason of the card's, or a part of one, in English: whoever tells it asks ``reasons.why``."""
    return text


def ngettext(one: str, many: str, number: int) -> str:
    """A message about so many things, in the form that the user's language has for that number."""
    found = _catalogue(_asked.get())
    if found is None:
        return one if number == 1 else many
    return found.ngettext(one, many, number)


def told(english: str, chinese: str) -> list[str]:
    """Of a text that is there in both languages the one that is asked for; both, Chinese first, where none is."""
    language = asked()
    if language == BOTH:
        return [one for one in (chinese, english) if one]
    return [(chinese or english) if language == CHINESE else (english or chinese)]


def both(english: str, chinese: str, between: str = " ") -> str:
    """The same in one line, English first."""
    return between.join(reversed(told(english, chinese)))


def chinese_first(english: str, chinese: str, between: str = " ") -> str:
    """The same in one line, Chinese first."""
    return between.join(told(english, chinese))


def asked() -> str:
    """One of ``CHOICES``: which language texts that there are in both are told in."""
    return _choice(_asked.get())


@contextlib.contextmanager
def in_language(language: str) -> Iterator[None]:
    """Within it, in this thread or task alone, users are told in this language; empty: in the program's own."""
    before = _asked.set(language)
    try:
        yield
    finally:
        _asked.reset(before)


@contextlib.contextmanager
def spoken(language: str) -> Iterator[None]:
    """Within it, this program and those that it starts tell users in this language; empty: as the system says."""
    if not language:
        yield
        return
    before = os.environ.get(OWN)
    os.environ[OWN] = language
    forget()
    try:
        yield
    finally:
        if before is None:
            del os.environ[OWN]
        else:
            os.environ[OWN] = before
        forget()


def languages(asked_for: str = "") -> Iterator[str]:
    """What is read, the best first, as catalogues' folders are named: ``zh_SG.UTF-8`` means zh_SG, zh, then zh_CN."""
    said = asked_for or next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "")
    for one in said.split(":"):
        name = one.partition(".")[0].partition("@")[0].replace("-", "_")
        if name.replace("_", "").isalnum():  # it becomes a folder's name
            stem = name.partition("_")[0]
            yield from dict.fromkeys((name, stem, FOLDERS.get(stem, stem)))


def forget() -> None:
    """The language is looked for anew, as after a change of the environment."""
    _catalogue.cache_clear()
    _choice.cache_clear()


@contextlib.contextmanager
def for_libraries() -> Iterator[None]:
    """Within it, libraries that ask gettext for their own texts, as click does, find them in our catalogue, in the
    language that ours are told in; nothing changes where they are told in English.
    """
    language = _language()
    if language in NO_LANGUAGE or not _made(language):
        yield
        return
    import gettext

    domain, said = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, FOLDER)
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language  # which gettext asks first; it knows nothing of $SSCARD_LANG
    try:
        yield
    finally:
        gettext.textdomain(domain)
        del os.environ["LANGUAGE"]
        if said is not None:
            os.environ["LANGUAGE"] = said


@contextlib.contextmanager
def libraries_in_english() -> Iterator[None]:
    """Within ``for_libraries`` the contrary, for what is declared once and told in any language later."""
    import gettext

    domain = gettext.textdomain()
    gettext.textdomain("messages")  # gettext's own default
    try:
        yield
    finally:
        gettext.textdomain(domain)


def _language(asked_for: str = "") -> str:
    """The first of the user's languages that there is a catalogue of. ``both`` where none is, or the system says
    English; ``en`` where somebody asks for it.
    """
    for language in languages(asked_for):
        if language in NO_LANGUAGE:
            wished = asked_for or os.environ.get(OWN)
            return ENGLISH if language == ENGLISH and wished else BOTH
        if any(os.path.isfile(_file(language, kind)) for kind in ("mo", "po")):  # noqa: PTH113
            return language
    return BOTH


def _file(language: str, kind: str) -> str:
    return os.path.join(FOLDER, language, "LC_MESSAGES", f"{DOMAIN}.{kind}")  # noqa: PTH118


@lru_cache(maxsize=len(CHOICES) + 1)
def _choice(asked_for: str) -> str:
    language = _language(asked_for)
    return CHINESE if language.partition("_")[0] == CHINESE else language


@lru_cache(maxsize=len(CHOICES) + 1)
def _catalogue(asked_for: str) -> gettext.GNUTranslations | None:
    language = _language(asked_for)
    if language == BOTH or not _made(language):
        return None
    import gettext

    # gettext keeps what it has read: libraries that ask it find the same.
    found = gettext.translation(DOMAIN, FOLDER, [language], fallback=True)
    return found if isinstance(found, gettext.GNUTranslations) else None


def _made(language: str) -> bool:
    """Whether there is an .mo of a language; made here where there is none, or the .po is newer. Where it cannot be
    written, the one that is there is used.
    """
    made, source = _file(language, "mo"), _file(language, "po")
    stands = os.path.isfile(made)  # noqa: PTH113
    with contextlib.suppress(OSError):
        if not stands or os.stat(made).st_mtime_ns < os.stat(source).st_mtime_ns:  # noqa: PTH116
            from emulator.messages import po

            with open(source, encoding="utf-8") as file:  # noqa: PTH123
                content = po.compiled(file.read())
            aside = f"{made}.{os.getpid()}"
            with open(aside, "wb") as out:  # noqa: PTH123
                out.write(content)
            os.replace(aside, made)  # noqa: PTH105
            stands = True
    return stands
