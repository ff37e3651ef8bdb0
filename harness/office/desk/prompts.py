"""What holders are told whatever they came for."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from harness.office.case.case import Case
from harness.office.case.notice import Notice
from harness.office.measures.ages import ADULT, age
from harness.office.measures.articles import Citation
from harness.office.register import queries
from harness.office.vocabulary import Help, Life


def prompt(case: Case[Any]) -> None:
    """Who has come of age is to replace a card made before (article 21, paragraph 2); who needs a service that this
    outlet lacks hears where it is to be had (33).
    """
    card, person = case.card, case.person
    lacking = set(person.helps if person else ()) - set(case.clerk.outlet.helps)
    if lacking:
        case.tell(_elsewhere(case.session, lacking))
    if card is None or person is None or card.life is not Life.ISSUED:
        return
    if age(person.birth, case.today) >= ADULT > age(person.birth, card.made_at.date()):
        case.tell(
            Notice(
                Citation(21, 2),
                "持卡人已年满18周岁，应及时换领社会保障卡",
                "the holder is eighteen: the card is to be replaced soon",
            )
        )


def _elsewhere(session: Session, lacking: set[str]) -> Notice:
    outlets = [one.name for one in queries.outlets(session) if lacking & set(one.helps)]
    helps = [Help(one) for one in sorted(lacking)]
    there = "、".join(outlets)
    return Notice(
        Citation(33),
        f"持卡人需要{'、'.join(one.zh for one in helps)}，本网点不提供；可提供的网点：{there or '无'}",
        f"the holder needs {', '.join(one.en for one in helps)}, which this outlet lacks; see {there or 'none'}",
    )
