"""A trace as a person reads it: instruction, file and item, status word, reason, and what changed in the card."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.filesystem.layouts.specs import Layout
from emulator.interface import Interface
from emulator.messages import _, chinese_first, deferred
from emulator.messages.reasons import why
from harness.trace import calls
from harness.trace.decode import command_words, meaning, status_apart
from harness.trace.read import Event, EventKind
from harness.trace.words import Follower, Words, time_of_day

CHANGES = {
    "directory": deferred("current DF 当前目录"),
    "file": deferred("current EF 当前文件"),
    "right": deferred("right 权限"),
    "challenge": deferred("challenge 随机数"),
    "tries": deferred("tries left 剩余次数"),
    "state": deferred("state 状态"),
    "written": deferred("written 已写"),
    "key": deferred("key changed 密钥已更改"),
    "pin": deferred("PIN changed 密码已更改"),
    "purse": deferred("purse changed 账户已更改"),
}


class Reader:
    """Puts the events of one trace into words; ``layout`` is that of cards whose reset names none.

    Each begins with its line in the trace, the time of day where the trace has it, the seconds since the first event,
    and the slot.
    """

    def __init__(self, layout: Layout) -> None:
        self._follower = Follower(layout)
        self._began: float | None = None

    def lines(self, event: Event) -> Iterator[str]:
        """One event, in one line or a few; the first begins with its line in the trace, which findings name."""
        if self._began is None:
            self._began = event.t
            if event.time is not None:
                yield _("times of 时间 {time:%Y-%m-%d %z}, since the first event 自首个事件的秒数").format(
                    time=event.time
                )
        clock = f"{time_of_day(event)} " if event.time is not None else ""
        head = f"{event.line:6} {clock}{event.t - self._began:10.4f} {event.slot}  "
        rest = " " * len(head)
        words = self._follower.hear(event)
        if event.kind is EventKind.RESET:
            side = _("contactless 非接触") if words.context.interface is Interface.CONTACTLESS else ""
            told = " ".join(filter(None, (event.told("layout"), event.told("algorithm"), side)))
            yield head + _("reset 复位  ATR {atr}").format(atr=event.told("atr")) + (f"  ({told})" if told else "")
        elif event.kind is EventKind.OFF:
            yield head + _("power off 下电")
        elif event.kind is EventKind.CALL:
            yield f"{head}⇒ {calls.words(event.table)}"
        elif event.kind is EventKind.READER:
            yield f"{head}⊙ {event.told('command')}  {_('the reader, not the card 读卡器应答，未到卡')}"
            yield f"{rest}← {status_apart(event.told('answer'))}  {_meaning(event)}"
        elif event.kind is EventKind.FAULT:
            yield f"{head}⚡ {_faulty(event.told('fault'), event.told('card_answered'))}"
        else:
            yield from _exchange(event, words, head, rest)


def _exchange(event: Event, words: Words, head: str, rest: str) -> Iterator[str]:
    yield f"{head}→ {event.told('command')}  {command_words(event.command)}"
    if words.about:
        yield f"{rest}  {words.about.text}"
    if "plain" in event.table:
        yield f"{rest}  " + _("under secure messaging 安全报文: {command}").format(command=event.told("plain"))
    took = "" if event.latency is None else f"  {milliseconds(event.latency)}"
    yield f"{rest}← {status_apart(event.told('answer')) or '-'}  {_meaning(event)}{took}"
    if words.hidden:
        yield f"{rest}  " + _("value masked 数据已屏蔽")
    for one in words.values:
        yield f"{rest}  {one.label} {chinese_first(one.en, one.zh)}: {one.value}"
    for change in event.table.get("changes", ()):
        yield f"{rest}  • {_change(change)}"
    if event.told("failure"):
        last = event.told("failure").splitlines()[-1]
        yield f"{rest}  " + _("a fault of the emulator's own: {failure}").format(failure=last)


def milliseconds(seconds: float) -> str:
    """Returns a latency in words, like ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"


def _faulty(fault: str, answered: str) -> str:
    """A fault, and what the card itself answered where the fault gave another answer."""
    if not answered:
        return _("fault 故障 {fault}").format(fault=fault)
    return _("fault 故障 {fault}; the card itself answered {answer}").format(fault=fault, answer=answered)


def _meaning(event: Event) -> str:
    if not event.answer:
        return why(event.reason) or _("no answer 无应答")
    if len(event.answer) < 2:
        return _("too short for a status word 应答过短")
    return meaning(event.answer, event.reason)


def _change(change: dict[str, str]) -> str:
    what = " ".join(filter(None, (_(CHANGES.get(change["kind"], change["kind"])), change.get("name", ""))))
    before, after = change.get("from", ""), change.get("to", "")
    if not before and not after:
        return what
    return f"{what}: {before or '-'} → {after or '-'}"
