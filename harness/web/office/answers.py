"""How requests end: the shape of what was done, and which status each of the office's errors has."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from harness.office.case.operation import Operation


class Told(BaseModel):
    """What the holder must be told, and by which article."""

    article: int
    zh: str
    en: str


class Written(BaseModel):
    """登记库的变化 What became of a row of the register (new, changed, gone), or of one of its columns; ``before`` and
    ``after`` where that is a state or a moment: people's data are named, not quoted.
    """

    table: str
    zh: str
    en: str
    row: str
    how: str
    column: str | None = None
    before: str | None = None
    after: str | None = None


class OnCard(BaseModel):
    """卡的变化 What was written on the chip, into which items."""

    zh: str
    en: str
    items: list[str]


class Changes(BaseModel):
    """What a request changed; both are empty where it only looked."""

    register_: list[Written] = Field(alias="register")
    card: list[OnCard]


class Done(BaseModel):
    """What came of a request; what the operation found or made stands beside these."""

    operation: str
    article: int
    person: int | None = Field(description="The register's number of the person.")
    card: str
    notices: list[Told]
    changes: Changes


class AnyDone(Done):
    """What came of an operation that was begun before, whichever it is."""

    model_config = ConfigDict(extra="allow")


def of(operation: Operation[Any, Any]) -> type[BaseModel]:
    """What HTTP answers of an operation: its result beside what all have."""
    name = f"{type(operation).__name__.removesuffix('Operation')}Done"
    return create_model(name, __base__=(operation.result, Done), __doc__=f"{operation.zh} {operation.en}")


class Error(BaseModel):
    """Why not. ``kind`` is for programs."""

    model_config = ConfigDict(extra="allow")
    kind: str
    text: str
    rule: str | None = Field(None, description="refused: the rule")
    formerly: str | None = Field(None, description="refused: the id that the rule had while it shared one with another")
    article: int | None = Field(None, description="refused: the article of the Measures")
    paragraph: int | None = None
    zh: str | None = None
    en: str | None = None
    pending: int | None = Field(None, description="half-way: the number to resume or abandon")


class Refused(BaseModel):
    """Every refusal's shape."""

    error: Error


PUBLIC: dict[int | str, dict[str, Any]] = {422: {"model": Refused, "description": "输入有误 the input is not right"}}
GUARDED: dict[int | str, dict[str, Any]] = PUBLIC | {
    401: {"model": Refused, "description": "无令牌或令牌无效 no token, or not a good one"},
    403: {"model": Refused, "description": "角色不允许 not for this role or reader"},
    429: {"model": Refused, "description": "请求过多 too many requests"},
}
WORKING: dict[int | str, dict[str, Any]] = GUARDED | {
    404: {"model": Refused, "description": "查无此人、此卡 no such person, card or number"},
    409: {"model": Refused, "description": "不予办理（依条款），或中断待续办 refused by an article, or half-way"},
    502: {"model": Refused, "description": "卡或银行未完成，未作改动 chip or bank did not do it, nothing has changed"},
    503: {"model": Refused, "description": "卡或登记库正被使用 card or register in use: try again"},
}
