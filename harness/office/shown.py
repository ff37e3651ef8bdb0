"""The office as it is shown: outlets and services (article 33), the Measures' own words, the rules drawn from them, and
lines of the trail.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.office import roles
from harness.office.measures import Citation, measures
from harness.office.operation import Operation
from harness.office.operations import ALL
from harness.office.register.tables import Audit, Outlet
from harness.office.rule import Rule
from harness.office.rules import BASE, SELF_SERVICE
from harness.office.words import Help

IN_READER = ("CARD-SHOWN", "CARD-AT-HAND")
"""Rules that ask for the card in the reader."""
LINE = "|" + " --- |" * 6 + "\n"


def outlets(session: Session, region: str = "", helps: Help | None = None) -> list[dict[str, Any]]:
    """Outlets of a region, named by the beginning of its code, that offer a special service."""
    rows = session.scalars(select(Outlet).where(Outlet.region.startswith(region, autoescape=True)).order_by(Outlet.id))
    return [
        {
            "name": one.name,
            "kind": str(one.kind),
            "kind_zh": one.kind.zh,
            "bank": one.bank_code,
            "region": one.region,
            "address": one.address,
            "phone": one.phone,
            "hours": one.hours,
            "makes_cards": one.makes_cards,
            "helps": {name: Help(name).zh for name in one.helps},
        }
        for one in rows
        if helps is None or str(helps) in one.helps
    ]


def service(operation: Operation[Any]) -> dict[str, Any]:
    """One operation: its article, who does it, and whether the card must be at hand."""
    return {
        "operation": operation.name,
        "zh": operation.zh,
        "en": operation.en,
        "article": operation.citation.article,
        "paragraph": operation.citation.paragraph,
        "label_zh": operation.citation.label_zh,
        "label_en": operation.citation.label_en,
        "roles": sorted(roles.of(operation)),
        "card": any(rule.id in IN_READER for rule in operation.rules),
        "online": operation.name in SELF_SERVICE,
    }


def services() -> list[dict[str, Any]]:
    """Every operation."""
    return [service(one) for one in ALL.values()]


def article(number: int) -> dict[str, Any]:
    """An article, word for word; LookupError."""
    found = measures().article(number)
    return {
        "article": found.number,
        "chapter": found.chapter.title,
        "chapter_en": found.chapter.en,
        "paragraphs": [
            {"label_zh": one.label_zh, "label_en": one.label_en, "zh": one.zh, "en": one.en, "kind": str(one.text.kind)}
            for one in found.citations
        ],
    }


def line(of: Audit) -> dict[str, Any]:
    """One line of the trail."""
    return {
        "line": of.id,
        "at": of.at.isoformat(),
        "clerk": of.clerk,
        "role": str(of.role),
        "outlet": of.outlet,
        "operation": of.operation,
        "article": of.article,
        "person": of.person_id,
        "card": of.card_id,
        "outcome": str(of.outcome),
        "outcome_zh": of.outcome.zh,
        "detail": json.loads(of.detail),
    }


@dataclass(slots=True)
class Used:
    """A rule and the operations that demand it; none: every one does."""

    rule: Rule
    operations: list[str] = field(default_factory=list)


def rules() -> list[Used]:
    """Every rule once, by article."""
    found: dict[tuple[str, Citation, str], Used] = {(one.id, one.citation, one.zh): Used(one) for one in BASE}
    for operation in ALL.values():
        for rule in operation.rules:
            used = found.setdefault((rule.id, rule.citation, rule.zh), Used(rule)).operations
            if operation.name not in used:
                used.append(operation.name)
    return sorted(found.values(), key=lambda one: one.rule.citation)


def rule_table() -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "rule": one.rule.id,
            "article": one.rule.citation.article,
            "paragraph": one.rule.citation.paragraph,
            "grade": one.rule.grade,
            "zh": one.rule.zh,
            "en": one.rule.en,
            "operations": one.operations or list(ALL),
        }
        for one in rules()
    ]


def operations_markdown() -> str:
    """The table of operations, for docs/office.md."""
    head = f"| operation | 业务 | in English | article | roles | card in the reader |\n{LINE}"
    rows = (
        f"| `{one['operation']}` | {one['zh']} | {one['en']} | {_article(one)} | {', '.join(one['roles'])} "
        f"| {'yes' if one['card'] else ''} |\n"
        for one in services()
    )
    return head + "".join(rows)


def rules_markdown() -> str:
    """The table of rules, for docs/office.md."""
    head = f"| rule | article | grade | 要求 | demand | operations |\n{LINE}"
    rows = (
        f"| `{one.rule.id}` | {one.rule.citation.article}, {one.rule.citation.paragraph} | {one.rule.grade} "
        f"| {one.rule.zh} | {one.rule.en} | {', '.join(one.operations) or 'all'} |\n"
        for one in rules()
    )
    return head + "".join(rows)


def _article(one: dict[str, Any]) -> str:
    return f"{one['article']}, {one['paragraph']}"
