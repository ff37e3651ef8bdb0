"""What the letter says, and the letter as one HTML page that needs nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import jinja2

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.office.measures.articles import Citation, measures

MARK = "测试用，人员信息均为虚构"
"""At the foot of every letter: nobody may take it for a real person's."""


class LetterError(SscardError, ValueError):
    """A letter that cannot be written so: what is missing, or what does not fit."""

    kind = ErrorKind.INPUT
    word = "input"


@dataclass(frozen=True, slots=True)
class Party:
    """The principal (委托人) or the agent (代理人); all four are asked for."""

    name: str
    document_type: str
    document_number: str
    phone: str

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Returns what the form says of the party, each with its name there."""
        return (
            ("姓名", self.name),
            ("证件类型", self.document_type),
            ("证件号码", self.document_number),
            ("联系电话", self.phone),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, complete. LetterError if anything is missing, or if another than the agent signs."""

    principal: Party
    agent: Party
    relation: str
    operation: str
    reason: str
    signer: str
    day: date

    def __post_init__(self) -> None:
        fields = [
            *((f"委托人{label}", value) for label, value in self.principal.rows),
            *((f"代理人{label}", value) for label, value in self.agent.rows),
            ("委托人与代理人关系", self.relation),
            ("代理业务", self.operation),
            ("代理原因", self.reason),
            ("承诺人（代理人）签字", self.signer),
        ]
        missing = [label for label, value in fields if not value.strip()]
        if missing:
            raise LetterError(
                _("{title}: not filled in: {missing}").format(title=measures().annex.title, missing="、".join(missing))
            )
        if self.signer != self.agent.name:
            rule = Citation(32, 2)
            raise LetterError(
                _("{title}: 应由代理人本人签署（{label_zh}） / signed by another than the agent ({label_en})").format(
                    title=measures().annex.title, label_zh=rule.label_zh, label_en=rule.label_en
                )
            )

    @property
    def date_zh(self) -> str:
        """Returns the day as Chinese forms write it: 2026年3月5日."""
        return f"{self.day.year}年{self.day.month}月{self.day.day}日"


def html(letter: Letter) -> str:
    """The letter as a page of its own."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(str(__package__), "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pairs = tuple(zip(letter.principal.rows, letter.agent.rows, strict=True))
    return environment.get_template("letter.html.jinja").render(
        letter=letter, pairs=pairs, annex=measures().annex, mark=MARK
    )
