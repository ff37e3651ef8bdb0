"""The Measures (四川省社会保障卡经办管理办法), quoted: every rule of the office names the paragraph it rests on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from emulator.errors import NotFound
from emulator.messages import ENGLISH, _, asked

DIGITS = "零一二三四五六七八九"


class Kind(StrEnum):
    """What a paragraph asks, and of whom."""

    OPERATION = "operation"
    DUTY = "duty"
    DEFINITION = "definition"
    PEOPLE_ONLY = "people-only"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph (款): its words, our rendering, and, where it binds people alone, the reason why no program can."""

    zh: str
    en: str
    kind: Kind
    reason: str = ""
    reason_zh: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter (章), its title as printed."""

    number: int
    title: str
    en: str


@dataclass(frozen=True, slots=True)
class Article:
    """An article (条) and its paragraphs."""

    number: int
    chapter: Chapter
    paragraphs: tuple[Paragraph, ...]

    @property
    def citations(self) -> tuple[Citation, ...]:
        """One for each of its paragraphs."""
        return tuple(Citation(self.number, place) for place in range(1, len(self.paragraphs) + 1))


@dataclass(frozen=True, slots=True)
class Annex:
    """The form that an agent signs: its title, and what the agent promises."""

    title: str
    promise: str
    promise_en: str


@dataclass(frozen=True, slots=True)
class Measures:
    """The regulation. ``start`` and ``end`` are its first and its last day in force."""

    title: str
    number: str
    issuer: str
    issued: date
    notice: str
    start: date
    end: date
    repeals: str
    annex: Annex
    chapters: tuple[Chapter, ...]
    articles: tuple[Article, ...]

    def article(self, number: int) -> Article:
        """An article by its number; LookupError if there is none."""
        if not 1 <= number <= len(self.articles):
            raise NotFound(
                _("the Measures have articles 1 to {count}, asked for {number}").format(
                    count=len(self.articles), number=number
                )
            )
        return self.articles[number - 1]

    def in_force(self, day: date) -> bool:
        """Whether they bind on this day (article 34)."""
        return self.start <= day <= self.end


@cache
def measures() -> Measures:
    """Returns the Measures, which are read once."""
    table = tomllib.loads((resources.files(__package__) / "measures.toml").read_text(encoding="utf-8"))
    chapters = tuple(Chapter(**chapter) for chapter in table.pop("chapter"))
    articles = tuple(_article(entry, chapters) for entry in table.pop("article"))
    return Measures(annex=Annex(**table.pop("annex")), chapters=chapters, articles=articles, **table)


def _article(entry: dict[str, Any], chapters: tuple[Chapter, ...]) -> Article:
    paragraphs = tuple(Paragraph(**{**each, "kind": Kind(each["kind"])}) for each in entry["paragraph"])
    return Article(entry["number"], chapters[entry["chapter"] - 1], paragraphs)


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """One paragraph, named. LookupError if the Measures have none such."""

    article: int
    paragraph: int = 1

    def __post_init__(self) -> None:
        count = len(measures().article(self.article).paragraphs)
        if not 1 <= self.paragraph <= count:
            raise NotFound(
                _("article {article} of the Measures has {count} paragraphs, not {paragraph}").format(
                    article=self.article, count=count, paragraph=self.paragraph
                )
            )

    @property
    def text(self) -> Paragraph:
        """Returns the paragraph that is cited."""
        return measures().article(self.article).paragraphs[self.paragraph - 1]

    @property
    def zh(self) -> str:
        """Returns the paragraph's words."""
        return self.text.zh

    @property
    def en(self) -> str:
        """Returns our rendering of the paragraph."""
        return self.text.en

    @property
    def label_zh(self) -> str:
        """第九条第二款; of an article with one paragraph, just 第二十四条."""
        label = f"第{_numeral(self.article)}条"
        return f"{label}第{_numeral(self.paragraph)}款" if self._one_of_several else label

    @property
    def label_en(self) -> str:
        """``article 9, paragraph 2``; of an article with one paragraph, just ``article 24``."""
        label = f"article {self.article}"
        return f"{label}, paragraph {self.paragraph}" if self._one_of_several else label

    @property
    def source(self) -> str:
        """How facts cite it: ``measures:article 9.2``."""
        return f"measures:article {self.article}.{self.paragraph}"

    @property
    def _one_of_several(self) -> bool:
        return len(measures().article(self.article).paragraphs) > 1

    def __str__(self) -> str:
        return self.label_zh


def cited(*citations: Citation) -> str:
    """Articles by name: in Chinese, as the Measures have them, but where English alone is asked for."""
    if asked() == ENGLISH:
        return "; ".join(one.label_en for one in citations)
    return "、".join(one.label_zh for one in citations)


def _numeral(number: int) -> str:
    """Up to 99, as Chinese laws count."""
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else DIGITS[tens]) + ("十" if tens else "") + (DIGITS[ones] if ones or not tens else "")
