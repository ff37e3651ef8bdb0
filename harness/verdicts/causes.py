"""Why something was not judged, as a closed list, and what would mend each: nothing that was not judged is green."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.verdicts.verdict import Result


class Cause(StrEnum):
    """Why a subject that is for this card was not judged."""

    NOT_ALLOWED = "it would spend tries or change the card"
    NO_KEY = "a key is not at hand"
    NO_PIN = "the PIN is not at hand"
    NO_PSAM = "there is no PSAM"
    KEY_REFUSED = "the card refused a key"
    PIN_REFUSED = "the card refused the PIN"
    FEW_TRIES = "too few tries are left"
    LOCKED = "the card has it locked"
    SPOILED = "an earlier vector used it up"
    OTHER_DATA = "it is written for a card with other data"
    NOT_RECORDED = "the recording does not hold it"
    CARD_LEFT = "the card left the reader"
    NO_ANSWER = "reader or card failed"
    OUR_FAULT = "this program failed"
    OTHER = "something it needs is not there"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A cause in Chinese, and what would mend it, in both languages."""

    cause_zh: str
    en: str
    zh: str


REMEDIES: dict[Cause, Remedy] = {
    Cause.NOT_ALLOWED: Remedy(
        "会消耗次数或改变卡片",
        "a card that you can spare, and --allow-destructive",
        "换一张可以损耗的卡，并加 --allow-destructive",
    ),
    Cause.NO_KEY: Remedy(
        "缺少密钥", "the key's root under [roots] in the file of --keys", "在 --keys 文件的 [roots] 中加入该密钥"
    ),
    Cause.NO_PIN: Remedy("缺少密码", "the card's PIN in $SSCARD_PIN", "在 $SSCARD_PIN 中给出卡密码"),
    Cause.NO_PSAM: Remedy(
        "没有PSAM卡", "a PSAM in a second reader, and --psam-reader", "第二个读卡器中放入PSAM卡，并加 --psam-reader"
    ),
    Cause.KEY_REFUSED: Remedy(
        "卡片拒绝了密钥",
        "the right key in the file of --keys; is it of this card's region?",
        "更正 --keys 文件中的密钥；是否属于本地区",
    ),
    Cause.PIN_REFUSED: Remedy("卡片拒绝了密码", "the right PIN in $SSCARD_PIN", "在 $SSCARD_PIN 中给出正确的密码"),
    Cause.FEW_TRIES: Remedy(
        "剩余次数不足", "set the counter back at a counter that may, or another card", "先恢复剩余次数，或换卡"
    ),
    Cause.LOCKED: Remedy("卡上已锁定", "another card", "换卡"),
    Cause.SPOILED: Remedy(
        "已被先前的用例用掉", "another card, with --cards or --swap-command", "换卡：--cards或--swap-command"
    ),
    Cause.OTHER_DATA: Remedy(
        "所需数据与此卡不符", "a card with the data that the vector names", "换用有该向量所要求数据的卡"
    ),
    Cause.NOT_RECORDED: Remedy(
        "录制中没有", "a recording of it, or --only for what is recorded", "录制相应会话，或用 --only 选择"
    ),
    Cause.CARD_LEFT: Remedy(
        "卡片离开了读卡器", "put the card back and run again with --failed", "放回卡片，用 --failed 重新运行"
    ),
    Cause.NO_ANSWER: Remedy(
        "读卡器或卡片无应答", "look at the reader with `sscard doctor`, then run again", "用 sscard doctor 检查后重试"
    ),
    Cause.OUR_FAULT: Remedy("本程序出错", "tell us: it is a fault of sscard", "请报告：这是 sscard 的故障"),
    Cause.OTHER: Remedy("缺少其他条件", "see each one's reason", "见各项说明"),
}


@dataclass(frozen=True, slots=True)
class NotJudged:
    """What one cause kept from being judged: the ids, each once, in order."""

    cause: Cause
    ids: tuple[str, ...]

    @property
    def remedy(self) -> Remedy:
        """What would mend it."""
        return REMEDIES[self.cause]


def not_judged(results: Iterable[Result]) -> list[NotJudged]:
    """The results that have a cause, by it, the most frequent first."""
    found: dict[Cause, dict[str, None]] = {}
    for one in results:
        if one.cause:
            found.setdefault(Cause(one.cause), {})[one.subject.id] = None
    return sorted((NotJudged(cause, tuple(ids)) for cause, ids in found.items()), key=lambda one: -len(one.ids))
