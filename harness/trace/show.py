"""A trace as a person reads it: instruction, file and item, status word, reason, and what changed in the card."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.apdu.command import is_secured
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.touched import Content
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.meanings import in_words
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.interface import Interface
from emulator.messages import _, deferred
from harness.trace import calls
from harness.trace.context import Context, Place
from harness.trace.decode import command_words, meaning, status_apart
from harness.trace.read import Event, EventKind, slot_layout

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


class Contexts:
    """One context for each slot of a trace, by the layout that its reset names; ``layout`` where none is named."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._slots: dict[int, Context] = {}

    def of(self, event: Event) -> Context:
        """The one of an event's slot, which has heard what came before it, resets themselves included."""
        context = self._slots.get(event.slot)
        layout = slot_layout(event, self._layout) if event.kind is EventKind.RESET or context is None else context.card
        if context is None or context.card is not layout:
            context = self._slots[event.slot] = Context(layout)
        if event.kind in (EventKind.RESET, EventKind.OFF):
            context.reset(bytes.fromhex(event.told("atr")))
        return context


class Names:
    """What each command of a trace is about. Events are told in order."""

    def __init__(self, layout: Layout) -> None:
        self._contexts = Contexts(layout)

    def of(self, event: Event) -> str:
        """The item, file, key or directory in Chinese and English; empty where there is none."""
        context = self._contexts.of(event)
        if event.kind is not EventKind.APDU:
            return ""
        named = _named(context, event.plain, context.place(event.plain))
        context.follow(event.plain, event.sw)
        return named


class Reader:
    """Puts the events of one trace into words; ``layout`` is that of cards whose reset names none.

    Each begins with its line in the trace, the time of day where the trace has it, the seconds since the first event,
    and the slot.
    """

    def __init__(self, layout: Layout) -> None:
        self._contexts = Contexts(layout)
        self._asked: dict[int, tuple[bytes, Place, Context]] = {}
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
        context = self._contexts.of(event)
        if event.kind is EventKind.RESET:
            side = _("contactless 非接触") if context.interface is Interface.CONTACTLESS else ""
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
            yield from self._exchange(event, context, head, rest)

    def _exchange(self, event: Event, context: Context, head: str, rest: str) -> Iterator[str]:
        place = context.place(event.plain)
        context.follow(event.plain, event.sw)
        if not GetResponse.has_ins(event.command):
            self._asked[event.slot] = (event.plain, place, context)
        yield f"{head}→ {event.told('command')}  {command_words(event.command)}"
        if named := _named(context, event.plain, place):
            yield f"{rest}  {named}"
        if "plain" in event.table:
            yield f"{rest}  " + _("under secure messaging 安全报文: {command}").format(command=event.told("plain"))
        took = "" if event.latency is None else f"  {milliseconds(event.latency)}"
        yield f"{rest}← {status_apart(event.told('answer')) or '-'}  {_meaning(event)}{took}"
        for value in self._values(event):
            yield f"{rest}  {value}"
        for change in event.table.get("changes", ()):
            yield f"{rest}  • {_change(change)}"
        if event.told("failure"):
            last = event.told("failure").splitlines()[-1]
            yield f"{rest}  " + _("a fault of the emulator's own: {failure}").format(failure=last)

    def _values(self, event: Event) -> Iterator[str]:
        """The items that an answer or an update holds, decoded, where the trace has them."""
        if event.slot not in self._asked:
            return
        command, place, context = self._asked[event.slot]
        if context is not self._contexts.of(event):  # another card's, before this one came
            return
        kind = context.instruction(command)
        if kind is None or place.file is None or is_secured(command):
            return
        written = kind.data_hold is Content.RECORDS
        if not written and kind.answer_holds is not Content.RECORDS:
            return
        data = command[5:] if written else event.answer[:-2]
        if not data or (written and event.plain != command):
            return
        if event.masked:
            yield _("value masked 数据已屏蔽")
            return
        try:
            records = items.TLVS.parse(data) if place.file.structure is not Structure.CYCLIC else ()
            for record in records:
                if spec := place.file.item(record.tag):
                    meant = items.meant(spec, record.value)
                    words = in_words(meant, items.decode(spec, record.value))
                    yield f"{meant.label} {meant.name} {meant.name_en}: {words}"
        except ValueError:
            return


def time_of_day(event: Event) -> str:
    """By the wall clock, to a millisecond; empty where the trace has no such time."""
    return f"{event.time:%H:%M:%S.%f}"[:-3] if event.time is not None else ""


def milliseconds(seconds: float) -> str:
    """Returns a latency in words, like ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"


def _named(context: Context, raw: bytes, place: Place) -> str:
    """What a command is about, in Chinese and English."""
    kind = context.instruction(raw)
    if place.item is not None:
        return f"{place.path} {place.item.name} {place.item.name_en}"
    if place.file is not None:
        return f"{place.path} {place.file.name} {place.file.name_en}"
    if place.key is not None:
        return f"{place.key.name} {place.key.title} {place.key.title_en}"
    if kind is not None and kind.answer_holds is Content.FCI:
        return f"{place.directory.spec.id} {place.directory.spec.name} {place.directory.spec.name_en}"
    if kind is not None and kind.proves:
        return _("a key that the layout does not have 布局中没有的密钥")
    return ""


def _faulty(fault: str, answered: str) -> str:
    """A fault, and what the card itself answered where the fault gave another answer."""
    if not answered:
        return _("fault 故障 {fault}").format(fault=fault)
    return _("fault 故障 {fault}; the card itself answered {answer}").format(fault=fault, answer=answered)


def _meaning(event: Event) -> str:
    if not event.answer:
        return _(event.reason) or _("no answer 无应答")
    if len(event.answer) < 2:
        return _("too short for a status word 应答过短")
    return meaning(event.answer, _(event.reason))


def _change(change: dict[str, str]) -> str:
    what = " ".join(filter(None, (_(CHANGES.get(change["kind"], change["kind"])), change.get("name", ""))))
    before, after = change.get("from", ""), change.get("to", "")
    if not before and not after:
        return what
    return f"{what}: {before or '-'} → {after or '-'}"
