"""A scenario's step in a sentence, in both languages, as reports tell it. No PIN and nothing of a person is in it."""

from __future__ import annotations

from harness.office.operations import ALL
from harness.scenarios.models import (
    Abandon,
    Accepts,
    At,
    AtBank,
    Blank,
    Clock,
    Do,
    Down,
    Ending,
    EnterPin,
    Instant,
    Letter,
    Look,
    Refuses,
    Resume,
    Sets,
    Step,
    Unit,
    Write,
)
from harness.scenarios.models import Bank as BankDeed

UNITS = {
    Unit.SECOND: "秒",
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.DAY: "天",
    Unit.WORKDAY: "个工作日",
}
ENDINGS = {
    Ending.DONE: ("done", "办理成功"),
    Ending.REFUSED: ("refused", "不予办理"),
    Ending.FAILED: ("failed", "办理失败"),
    Ending.HALF_WAY: ("left half-way", "业务中断"),
    Ending.UNKNOWN: ("unknown", "查无此项"),
    Ending.RIGHT: ("right", "密码正确"),
    Ending.WRONG: ("wrong", "密码错误"),
    Ending.LOCKED: ("locked", "密码锁定"),
}
"""How a step must end, in English and Chinese."""


def of(step: Step) -> tuple[str, str]:
    """What the step does, on which card, and how it must end: in English, and in Chinese."""
    (en, zh), (with_en, with_zh), (end_en, end_zh) = _deed(step), _around(step), _end(step)
    return f"{en}{with_en}{end_en}", f"{zh}{with_zh}{end_zh}"


def _deed(step: Step) -> tuple[str, str]:
    match step.does:
        case Do(operation):
            return ALL[operation].en, ALL[operation].zh
        case Instant():
            return "a card issued at once", "即时制卡"
        case Resume():
            return "what was interrupted is finished", "继续办理中断的业务"
        case Abandon():
            return "what was interrupted is undone", "撤销中断的业务"
        case Letter():
            return "a letter of commitment is filled in", "填写代理承诺书"
        case Clock(later):
            unit = f"{later.unit}{'' if later.number == 1 else 's'}"
            return f"{later.number} {unit} later", f"{later.number}{UNITS[later.unit]}后"
        case At(text):
            return f"the clock is set to {text}", f"时间设为{text}"
        case AtBank(deed):
            return _bank(deed)
        case EnterPin():
            return "somebody enters a PIN at a terminal", "在终端输入密码"
        case Write(items):
            return f"another system writes {', '.join(items)}", f"其他系统写入{'、'.join(items)}"
        case Look():
            return "nothing is done, the state is looked at", "不办业务，检查状态"


def _bank(deed: BankDeed) -> tuple[str, str]:
    match deed:
        case Down(code=code, down=down):
            if down:
                return f"{code} cannot be reached", f"{code}线路中断"
            return f"{code} can be reached again", f"{code}线路恢复"
        case Refuses():
            return "the bank refuses to open an account", "银行拒绝开户"
        case Accepts():
            return "the bank opens accounts again", "银行恢复开户"
        case Sets(state=state):
            return f"the bank sets the account: {state.en}", f"银行设置账户：{state.zh}"


def _around(step: Step) -> tuple[str, str]:
    around, en, zh = step.around, "", ""
    if around.for_ is not None:
        en, zh = f" for {around.for_}", f"（{around.for_}）"
    if around.by is not None:
        en, zh = f"{en}, by {around.by}", f"{zh}，经办{around.by}"
    if around.card is Blank.BLANK:
        en, zh = f"{en}, a blank chip in the reader", f"{zh}，读卡器中为空白卡"
    elif around.card is not None:
        en, zh = f"{en}, a card in the reader", f"{zh}，卡在读卡器中"
    if around.tear is not None:
        en += f", torn out after {around.tear.after} writes"
        zh += f"，写{around.tear.after}次后拔卡"
    return en, zh


def _end(step: Step) -> tuple[str, str]:
    if step.expected in (Ending.DONE, Ending.RIGHT):
        return "", ""
    en, zh = ENDINGS[step.expected]
    rule = step.around.rule
    return f": expected {en}{f' by {rule}' if rule else ''}", f"：应{zh}{f'（{rule}）' if rule else ''}"
