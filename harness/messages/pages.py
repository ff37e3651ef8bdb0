"""What a page says in both languages: in the one that is asked for, or in both where none is."""

from __future__ import annotations

from html import escape
from typing import Any

from emulator.messages import BOTH, ENGLISH, asked, chinese_first


def speak(environment: Any) -> None:
    """Gives a Jinja environment's templates ``t(chinese, english)``, ``two(chinese, english, before)``, whose English
    is set off by an element, and ``language``, which the page is in.
    """
    environment.globals |= {"t": lambda chinese, english: chinese_first(english, chinese), "two": two}
    environment.globals["language"] = ENGLISH if asked() == ENGLISH else "zh-CN"


def two(chinese: str, english: str, before: str) -> Any:
    """Markup: Chinese, then English in the element with which ``before`` ends; one of them alone where it is asked for,
    without that element.
    """
    from markupsafe import Markup

    if asked() != BOTH or not (chinese and english):
        return chinese_first(english, chinese)
    element = before.rpartition("<")[2].partition(">")[0].partition(" ")[0]
    after = "" if element == "br" else f"</{element}>"
    return Markup(f"{escape(chinese)}{before}{escape(english)}{after}")
