"""Rules as data beside their code: what must be so, by which article, and what is said where it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from emulator.errors import ErrorKind
from emulator.messages import chinese_first
from harness.office.case.case import Case
from harness.office.case.failed import NotDone
from harness.office.measures.articles import Citation

Check = Callable[[Case[Any]], bool]


class Refusal(NotDone):
    """What the office may not do, and by which article. ``rule`` is for programs. ``keep``: what the operation had
    written before stays (a try that was spent). ``formerly``: the rule's older id, if it had one.
    """

    kind = ErrorKind.REFUSED
    word = "refused"

    def __init__(
        self, rule: str, citation: Citation, zh: str, en: str, *, keep: bool = False, formerly: str = ""
    ) -> None:
        super().__init__(chinese_first(f"{citation.label_en}: {en}", f"{citation.label_zh}：{zh}"))
        self.rule, self.citation, self.zh, self.en = rule, citation, zh, en
        self.keep, self.formerly = keep, formerly

    @property
    def details(self) -> dict[str, Any]:
        """The rule, and the article that it is from."""
        cited = {"article": self.citation.article, "paragraph": self.citation.paragraph}
        older = {"formerly": self.formerly} if self.formerly else {}
        return {"rule": self.rule, **older, **cited, "zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand of the Measures. ``holds`` looks at a case; where it is false, ``zh`` and ``en`` say what is demanded.

    ``id`` is this demand's alone, whoever makes it; ``grade``: S where the article says so, D where it is our reading
    of it.
    """

    id: str
    citation: Citation
    zh: str
    en: str
    holds: Check
    grade: str = "S"
    formerly: str = ""
    """The id that it shared with another rule before ids were unique."""

    def under(self, citation: Citation, grade: str = "S") -> Self:
        """The same demand, as another article makes it."""
        return replace(self, citation=citation, grade=grade)

    def demand(self, case: Case[Any]) -> None:
        """Raises Refusal unless the rule holds."""
        if not self.holds(case):
            raise self.refusal()

    def refusal(self) -> Refusal:
        """What is said where it does not hold."""
        return Refusal(self.id, self.citation, self.zh, self.en, formerly=self.formerly)
