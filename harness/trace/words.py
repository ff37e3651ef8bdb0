"""What the events of a trace are about, in words of either language; how they are laid out is another's business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.apdu.command import is_secured
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.touched import Content
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.meanings import in_words
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.messages import _, chinese_first, deferred
from harness.trace.context import Context, Place
from harness.trace.read import Event, EventKind, slot_layout

UNKNOWN_KEY = deferred("a key that the layout does not have 布局中没有的密钥")


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


@dataclass(frozen=True, slots=True)
class Named:
    """What a command is about: an item, file, directory or key. ``label`` is its path, or a key's name; empty for a key
    that the layout does not have.
    """

    label: str
    zh: str
    en: str

    @property
    def text(self) -> str:
        """Label and names, in one line."""
        return f"{self.label} {chinese_first(self.en, self.zh)}" if self.label else _(UNKNOWN_KEY)


@dataclass(frozen=True, slots=True)
class ItemValue:
    """An item and what an answer or an update has in it, decoded, its code in words."""

    label: str
    zh: str
    en: str
    value: str


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of one event: what its command is about, and the items that came or went with it.

    ``context`` is that of the slot after the event. ``hidden``: items came or went, and the trace has none of them.
    """

    context: Context
    about: Named | None = None
    values: tuple[ItemValue, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    command: bytes
    place: Place
    context: Context


class Follower:
    """Takes in a trace's events in order. ``layout`` is that of cards whose reset names none."""

    def __init__(self, layout: Layout) -> None:
        self._contexts = Contexts(layout)
        self._asked: dict[int, _Asked] = {}

    def hear(self, event: Event) -> Words:
        """What is to be said of the next event."""
        context = self._contexts.of(event)
        if event.kind is not EventKind.APDU:
            return Words(context)
        place = context.place(event.plain)
        context.follow(event.plain, event.sw)
        # GET RESPONSE brings what the command before it asked for.
        if not GetResponse.has_ins(event.command):
            self._asked[event.slot] = _Asked(event.plain, place, context)
        values, hidden = self._values(event, context)
        return Words(context, _named(context, event.plain, place), values, hidden)

    def _values(self, event: Event, now: Context) -> tuple[tuple[ItemValue, ...], bool]:
        """The items that an answer or an update holds, and whether the trace keeps them back."""
        asked = self._asked.get(event.slot)
        if asked is None or asked.context is not now:  # another card's, before this one came
            return (), False
        command, file = asked.command, asked.place.file
        kind = now.instruction(command)
        if kind is None or file is None or is_secured(command):
            return (), False
        written = kind.data_hold is Content.RECORDS
        if not written and kind.answer_holds is not Content.RECORDS:
            return (), False
        data = command[5:] if written else event.answer[:-2]
        if not data or (written and event.plain != command):
            return (), False
        if event.masked:
            return (), True
        return tuple(_decoded(asked.place, data)), False


def _decoded(place: Place, data: bytes) -> Iterator[ItemValue]:
    """The items of a row of records, up to the first that is none."""
    file = place.file
    if file is None or file.structure is Structure.CYCLIC:
        return
    try:
        for record in items.TLVS.parse(data):
            if spec := file.item(record.tag):
                meant = items.meant(spec, record.value)
                words = in_words(meant, items.decode(spec, record.value))
                yield ItemValue(meant.label, meant.name, meant.name_en, words)
    except ValueError:
        return


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
        return named.text if named else ""


def _named(context: Context, raw: bytes, place: Place) -> Named | None:
    """What a command is about; None where it is about nothing."""
    kind = context.instruction(raw)
    if place.item is not None:
        return Named(place.path, place.item.name, place.item.name_en)
    if place.file is not None:
        return Named(place.path, place.file.name, place.file.name_en)
    if place.key is not None:
        return Named(place.key.name, place.key.title, place.key.title_en)
    if kind is not None and kind.answer_holds is Content.FCI:
        spec = place.directory.spec
        return Named(spec.id, spec.name, spec.name_en)
    return Named("", "布局中没有的密钥", "a key that the layout does not have") if kind and kind.proves else None


def time_of_day(event: Event) -> str:
    """By the wall clock, to a millisecond; empty where the trace has no such time."""
    return f"{event.time:%H:%M:%S.%f}"[:-3] if event.time is not None else ""
