"""What the register holds, row by row, and which rows a step changed; of people no more than the office shows a clerk.

A column is told as it is only where it stands in ``PLAIN``: of every other, one that comes tomorrow too, a report says
that it changed and not into what.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session

from harness.office.people.protection import masked_name, masked_number, masked_phone
from harness.office.register.base import Base, Moment, moment
from harness.verdicts.steps import Change

TABLES = {
    "person": ("person", "人员"),
    "guardian": ("guardian", "监护人"),
    "agency": ("agent", "代理人"),
    "batch": ("batch", "批次"),
    "card": ("card", "卡"),
    "application": ("application", "申请"),
    "electronic_card": ("electronic card", "电子社保卡"),
    "credential": ("credential", "电子凭证"),
    "account": ("bank account", "银行账户"),
    "account_refusal": ("account refused", "拒绝开户"),
    "push": ("notice to the bank", "推送银行"),
    "pending": ("work on a card", "卡上业务"),
    "anomaly": ("anomaly", "异常"),
    "audit": ("trail", "留痕"),
    "bank": ("bank", "银行"),
    "outlet": ("outlet", "网点"),
    "clerk": ("clerk", "经办人员"),
}
"""What a row of a table is called. The register's own settings are left out: every line of the trail moves its seal."""
TRAIL = "audit"

PLAIN = {
    "accepted_at": "受理时间",
    "activated_at": "启用时间",
    "algorithm": "算法",
    "applied_at": "申领时间",
    "article": "条款",
    "batch_id": "批次",
    "at": "时间",
    "attempts": "推送次数",
    "bank_code": "银行",
    "begun_at": "开始时间",
    "card_id": "卡",
    "cards": "已发卡号数",
    "cause": "代理原因",
    "clerk": "经办人员",
    "clerk_id": "经办人员",
    "created_at": "产生时间",
    "delay_days": "延期天数",
    "delay_reason": "延期原因",
    "died_at": "死亡登记时间",
    "document_type": "证件类型",
    "down": "线路中断",
    "electronic_goes_on": "电子社保卡继续使用",
    "ended_at": "结束时间",
    "erased_at": "删除时间",
    "failed_deliveries": "发放失败次数",
    "fee": "费用（分）",
    "found_at": "发现时间",
    "frozen_at": "冻结时间",
    "full_capacity": "完全民事行为能力",
    "helps": "协助",
    "issued_at": "发放时间",
    "kind": "类别",
    "layout": "布局",
    "life": "状态",
    "loss": "挂失",
    "lost_at": "挂失时间",
    "made_at": "制卡时间",
    "makes_cards": "可制卡",
    "old_card_id": "原卡",
    "operation": "业务",
    "outcome": "结果",
    "outlet_id": "网点",
    "person_id": "人员",
    "progress": "进度",
    "region": "地区",
    "relation": "关系",
    "role": "角色",
    "sent_at": "推送时间",
    "settled_at": "处理时间",
    "state": "状态",
    "suspended_at": "暂停时间",
    "tries": "剩余次数",
    "used_at": "使用时间",
    "valid_until": "有效期",
}
"""Columns that are told as they are, in Chinese: they say what is the case with a card, and nothing of who has it."""

MASKED: dict[str, tuple[Callable[[str], str], str]] = {
    "agent_name": (masked_name, "经办人姓名"),
    "name": (masked_name, "姓名"),
    "phone": (masked_phone, "电话"),
    "document_number": (masked_number, "证件号码"),
    "agent_document_number": (masked_number, "证件号码"),
    "number": (masked_number, "卡号"),
    "card_number": (masked_number, "卡号"),
}
"""Columns that are told as a clerk sees them."""

UNTOLD = {
    "address": "地址",
    "birth": "出生日期",
    "country": "国家或地区",
    "detail": "详情",
    "document_until": "证件有效期",
    "ended_why": "结束原因",
    "ethnic_group": "民族",
    "frozen_why": "冻结原因",
    "hours": "服务时间",
    "institution": "单位",
    "insured": "参保地",
    "job": "卡上业务进度",
    "occupation": "职业",
    "photo": "照片",
    "pin_hash": "密码",
    "reason": "原因",
    "request": "业务请求",
    "sex": "性别",
    "suspended_why": "暂停原因",
    "what": "内容",
}
"""What a column that is not told is called in Chinese; one that is not here goes by its own name."""

HIDDEN = "***"
"""What stands for a value that is not told."""
Row = Mapping[str, Any]
Rows = Mapping[str, Mapping[int, Row]]
"""Rows by their numbers, by table."""


@cache
def _questions() -> tuple[tuple[Table, str], ...]:
    """Each table and the SELECT of all its rows, the row's number first."""
    tables = (Base.metadata.tables[name] for name in TABLES)
    return tuple(
        (one, f"SELECT rowid, {', '.join(map(_quoted, one.columns.keys()))} FROM {one.name}") for one in tables
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def of(session: Session) -> Rows:
    """All rows as the database keeps them, past the ORM: they are compared, and few are ever told."""
    connection: Any = session.connection().connection.driver_connection
    return {
        table.name: {
            number: dict(zip(table.columns.keys(), values, strict=True))
            for number, *values in connection.execute(question)
        }
        for table, question in _questions()
    }


def changes(before: Rows, after: Rows, *, trail: bool = True) -> Iterator[Change]:
    """What is otherwise, table by table: a row that is new or gone as one change, else each column that changed.
    Without ``trail`` the audit trail's lines are left out.
    """
    for name, (en, zh) in TABLES.items():
        if name == TRAIL and not trail:
            continue
        old, new = before.get(name, {}), after.get(name, {})
        if old == new:
            continue
        table = Base.metadata.tables[name]
        for number in sorted({*old, *new}):
            was, now = old.get(number), new.get(number)
            if was == now:
                continue
            what, what_zh = f"{en} {number}", f"{zh} {number}"
            if was is None or now is None:
                yield Change(f"{name}/{number}", what, what_zh, _summary(table, was), _summary(table, now))
                continue
            for column in now:
                if was[column] != now[column]:
                    yield Change(
                        f"{name}/{number}/{column}", f"{what}: {_english(column)}",
                        f"{what_zh}：{_chinese(column)}",
                        _told(table, column, was[column]), _told(table, column, now[column]),
                    )  # fmt: skip


def _english(column: str) -> str:
    return column.removesuffix("_id").replace("_", " ")


def _chinese(column: str) -> str:
    return PLAIN.get(column) or (MASKED[column][1] if column in MASKED else UNTOLD.get(column, column))


def _summary(table: Table, row: Row | None) -> str:
    """A whole row in a line: what is told of it as it is or as a clerk sees it."""
    if row is None:
        return ""
    told = (
        f"{_english(column)} {_told(table, column, value)}"
        for column, value in row.items()
        if value not in (None, "", 0, "[]") and (column in PLAIN or column in MASKED)
    )
    return ", ".join(told) or HIDDEN


def _told(table: Table, column: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if column in MASKED:
        return MASKED[column][0](str(value)) if table.name != "bank" else str(value)
    if column not in PLAIN:
        return HIDDEN
    kind = table.columns[column].type
    if isinstance(kind, Moment):
        return f"{moment(value):%Y-%m-%d %H:%M:%S}"
    if kind.python_type is bool:
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in "[{":
        return ", ".join(map(str, json.loads(value)))
    return str(value)
