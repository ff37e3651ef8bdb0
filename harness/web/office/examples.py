"""Requests that work, one after the other, on a fresh register: shown on the service's page, and tried by a test."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from emulator.personas import numbers
from harness.office.cards import content
from harness.office.people.made_up import PHOTO
from harness.office.register import seed

FIRST, SECOND = numbers.card_number("A", 1), numbers.card_number("A", 2)
SURPLUS = numbers.card_number("Z", 1)
"""The cards of the story, as bank A counts them; the last one is from an older system."""


def _document(birth: str, order: int) -> dict[str, str]:
    return {"type": "id-card", "number": numbers.citizen_id(birth, order)}


def _person(name: str, birth: str, order: int) -> dict[str, Any]:
    return {
        "name": name,
        "sex": "1" if order % 2 else "2",
        "ethnic_group": "01",
        "birth": f"{birth[:4]}-{birth[4:6]}-{birth[6:]}",
        "country": "CHN",
        "occupation": "none",
        "document_until": "long-term",
        "phone": f"0000000{order:04}",
        "address": "四川省成都市虚构区测试路1号",
        "document": _document(birth, order),
        "photo": base64.b64encode(PHOTO).decode(),
        "region": "510100",
        "insured": content.insurances(),
    }


ME = _document("19900307", 11)
AGENT = {"name": "测试代理人", "document": _document("19900307", 13), "phone": "00000000013"}
WHO = {"holder": ME, "shown": [ME]}
YOU = _document("19850601", 28)
APPLY = {
    "person": _person("测试甲", "19900307", 11),
    "bank": seed.BANK,
    "shown": [ME],
    "electronic_pin": "135790",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One request. ``card``: the drawer's card in the reader, by number; ``title`` where an operation has several."""

    operation: str
    body: dict[str, Any] = field(default_factory=dict)
    card: str = ""
    title: str = ""


STORY = (
    Example("apply", APPLY),
    Example("make", {"application": 1}),
    Example("hand-out", {"application": 1, "shown": [ME]}),
    Example("activate", {"shown": [ME], "with_account": True}, FIRST),
    Example("change-pin", {"old": "123456", "new": "246810"}, FIRST),
    Example("reset-pin", {"shown": [ME], "new": "135792"}, FIRST, "密码重置 a new PIN"),
    Example("reset-pin", {"shown": [ME]}, FIRST, "密码解锁 the tries back"),
    Example("query", WHO),
    Example("change-information", {"phone": "00000000099", "address": "四川省成都市虚构区测试路2号"}, FIRST),
    Example("transfer", {"to": "510700", "insurance": ["all"]}, FIRST),
    Example("electronic-pin", {"holder": ME, "old": "135790", "new": "975310"}),
    Example("show-credential", {"holder": ME, "pin": "975310"}),
    Example("verify-credential", {"text": "SSCARD-TEST:…"}),
    Example("export", WHO),
    Example("report-loss", {**WHO, "kind": "temporary"}, title="临时挂失 temporary"),
    Example("lift-loss", {"shown": [ME]}, FIRST),
    Example("suspend", {"card": FIRST, "why": "信息待核查"}),
    Example("unsuspend", {"card": FIRST}),
    Example("freeze", {"card": FIRST, "why": "数据异常"}),
    Example("unfreeze", {"card": FIRST}),
    Example("replace", {"shown": [ME], "reason": "looks-changed"}, FIRST),
    Example("extend", {"application": 2, "days": 10, "reason": "traffic"}),
    Example("make", {"application": 2, "algorithm": "sm4"}),
    Example("delivery-failed", {"application": 2}),
    Example("hand-out", {"application": 2, "shown": [ME]}),
    Example("withdraw", {"why": "换领后收回"}, FIRST),
    Example("close-account", {"card": FIRST}),
    Example("bank-business", {"card": SECOND, "deed": "activate"}),
    Example("report-loss", {**WHO, "kind": "formal"}, title="正式挂失 formal"),
    Example("reissue", WHO),
    Example("make", {"application": 3}),
    Example("delivery-failed", {"application": 3}),
    Example("delivery-failed", {"application": 3}),
    Example("dispose", {"application": 3, "reason": "undelivered-twice"}),
    Example(
        "record-surplus",
        {"holder": ME, "number": SURPLUS, "bank": seed.BANK, "chip": "0011223344556677", "identification": "51" * 16},
    ),
    Example("cancel", {**WHO, "card": SURPLUS, "reason": "surplus"}),
    Example(
        "apply-batch",
        {
            "institution": "虚构科技有限公司",
            "letter": "虚构介字第1号",
            "clerk_name": "测试经办",
            "clerk_document": AGENT["document"],
            "shown": [AGENT["document"]],
            "bank": seed.OTHER_BANK,
            "people": [_person("测试乙", "19850601", 28), _person("测试丙", "19991231", 31)],
        },
    ),
    Example("make", {"application": 4}),
    Example("hand-out", {"application": 4, "shown": [YOU]}),
    Example("apply-electronic", {"holder": YOU, "shown": [YOU], "pin": "135790"}),
    Example("tell-banks"),
    Example("reconcile"),
    Example("erase"),
    Example(
        "issue",
        {
            "request": {
                "person": _person("测试丁", "20000229", 44),
                "bank": seed.BANK,
                "shown": [_document("20000229", 44)],
                "electronic_pin": "135790",
            },
            "with_account": True,
        },
    ),
    Example(
        "letter",
        {
            "holder": ME,
            "agent": AGENT,
            "relation": "relative",
            "operations": ["report-loss", "reissue"],
            "cause": "other",
        },
    ),
)
"""In this order, from the first application to what supervision does."""


def _first(operation: str) -> dict[str, Example]:
    """An operation's examples by their titles: the first of each kind."""
    found = {one.title or operation: one for one in reversed(STORY) if one.operation == operation}
    return dict(reversed(found.items()))


def of(operation: str) -> dict[str, Any]:
    """An operation's examples as OpenAPI takes them."""
    return {
        title: {"summary": title, "value": one.body} | ({"description": f"`drawer={one.card}`"} if one.card else {})
        for title, one in _first(operation).items()
    }


def for_form(operation: str) -> list[dict[str, Any]]:
    """An operation's examples as a form takes them: ``drawer`` is the number of the card in the reader, or empty."""
    return [{"title": title, "value": one.body, "drawer": one.card} for title, one in _first(operation).items()]
