"""Where two cards differ, in words: structure, access, habits, items and their lengths, ids of keys, states. That a
value is another is said; the value itself only to who asked for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.meanings import in_words
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec
from emulator.filesystem.layouts.terms import Structure
from emulator.messages import _, chinese_first, ngettext
from harness.learning.card_view import FREE, REFUSED, CardView, FileView, RecordView
from harness.terminal.certificates import held_in

CARD, APPLICATION, FILE, ACCESS, ITEM, HABIT, KEY, STATE, VALUE = (
    "card", "application", "file", "access", "item", "habit", "key", "state", "value",
)  # fmt: skip
"""What kind of thing differs."""
NUMBERED = "#"
"""Before the number of a record that has no tag."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One. ``where`` like ``SSSE/EF05/07``; ``before`` and ``after`` in words, None for nothing, and both None where
    they are not to be told.
    """

    kind: str
    where: str
    words: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """All differences, and what was not compared, as one of the cards does not show it; ``gathered``: the same by what
    it is, with the places where it stands, none for what the card has but once.
    """

    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    gathered: Mapping[str, tuple[str, ...]]


def compared(left: CardView, right: CardView, *, show_values: bool = False) -> Compared:
    """The two cards held against each other. ``show_values``: items are told as they are."""
    judge = _Judge(left, right, show_values)
    found = tuple(judge.all())
    gathered = {what: tuple(filter(None, dict.fromkeys(places))) for what, places in judge.unseen.items()}
    return Compared(found, tuple(dict.fromkeys(judge.not_compared)), gathered)


def changed(kind: str, where: str, what: str, before: object, after: object, title: str = "") -> Difference:
    """Something that both have, otherwise. ``title``: what stands there, in words."""
    place = f"{where} {title}".rstrip()
    words = _("{place}: {what} {before} → {after}").format(place=place, what=what, before=before, after=after)
    return Difference(kind, where, words.replace(":  ", ": "), str(before), str(after))


class _Judge:
    def __init__(self, left: CardView, right: CardView, show_values: bool) -> None:
        self.left, self.right, self.show = left, right, show_values
        self.not_compared: list[str] = []
        self.unseen: dict[str, list[str]] = {}
        self.renamed = False
        """Applications differ, so that what a directory file lists of them does."""

    def all(self) -> Iterator[Difference]:
        yield from self._card()
        applications = list(self._applications())
        self.renamed = bool(applications)
        yield from applications
        yield from self._files()
        yield from self._keys()
        yield from self._habits()
        yield from self._states()

    # --- the card as a whole -------------------------------------------------------------------------------------

    def _card(self) -> Iterator[Difference]:
        left, right = self.left, self.right
        for what, one, other in (
            (_("specification version"), left.version, right.version),
            (_("algorithm"), left.algorithm, right.algorithm),
            (_("answer to reset"), left.atr, right.atr),
        ):
            if not (one and other):
                self._unknown(what)
            elif one != other:
                yield changed(CARD, CARD, what, one, other)
        for what, before, after in (
            (_("region in the answer to reset"), left.region, right.region),
            (_("chip's serial number"), left.serial, right.serial),
        ):
            if not (before and after):
                self._unknown(what)
            elif before != after:
                yield self._value(CARD, what, before.hex().upper(), after.hex().upper())
        if left.pin is not None and right.pin is not None and left.pin != right.pin and left.pin and right.pin:
            yield Difference(VALUE, "PIN", _("PIN: another"))

    def _unknown(self, told: str, what: str = "", place: str = "") -> None:
        """Notes what cannot be compared, in words; ``what`` and ``place``: the same apart, where others have it too."""
        self.not_compared.append(told)
        self.unseen.setdefault(what or told, []).append(place)

    def _value(self, where: str, what: str, before: str, after: str) -> Difference:
        """A value that is another: told only to who asked for it."""
        if self.show:
            return changed(VALUE, where, what, before, after)
        return Difference(VALUE, where, _("{where}: {what} differs").format(where=where, what=what).replace("  ", " "))

    def _only(self, kind: str, where: str, name: str, *, left: bool) -> Difference | None:
        """Something that one of them has alone; None where the other does not show all that it has."""
        other = self.right if left else self.left
        if not other.whole:
            self._unknown(where, kind, where)
            return None
        who = _("only A has it") if left else _("only B has it")
        words = f"{where} {name}".rstrip() + f": {who}"
        return Difference(kind, where, words, where if left else None, None if left else where)

    # --- applications --------------------------------------------------------------------------------------------

    def _applications(self) -> Iterator[Difference]:
        for name in _both(self.left.applications, self.right.applications):
            one, other = self.left.applications.get(name), self.right.applications.get(name)
            if one is None or other is None:
                holder = self.left if other is None else self.right
                found = self._only(APPLICATION, name, holder.name_of(name), left=other is None)
                if found:
                    yield found
                continue
            for what, before, after in (
                (_("name"), one.dfname, other.dfname),
                (_("file id"), one.fid, other.fid),
                (_("SELECT answers"), one.sw, other.sw),
            ):
                if before and after and before != after:
                    yield changed(APPLICATION, name, what, before, after)
            if one.fci is None or other.fci is None:
                self._unknown(_("FCI of {name}").format(name=name), "FCI", name)
            elif one.fci != other.fci and one.dfname == other.dfname:
                yield changed(APPLICATION, name, "FCI", one.fci or "-", other.fci or "-")

    # --- files ---------------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[Difference]:
        for path in _both(self.left.files, self.right.files):
            one, other = self.left.files.get(path), self.right.files.get(path)
            if one is not None and other is not None:
                yield from self._file(path, one, other)
                continue
            home = path.partition("/")[0]
            if (home in self.left.applications) != (home in self.right.applications):
                continue  # it went, or came, with its application
            spec = (one or other or FileView(None)).spec
            found = self._only(FILE, path, _title(spec), left=other is None)
            if found:
                yield found

    def _file(self, path: str, one: FileView, other: FileView) -> Iterator[Difference]:
        title = _title(one.spec or other.spec)
        for what, before, after in (
            (_("file id"), one.fid, other.fid),
            (_("structure"), one.structure, other.structure),
            (_("bytes"), one.size, other.size),
        ):
            if before and after and before != after:
                yield changed(FILE, path, what, before, after, title)
        yield from self._access(path, title, one, other)
        if one.structure and other.structure and one.structure != other.structure:
            return
        if one.records is not None and other.records is not None:
            if not (self.renamed and one.spec is not None and one.spec.directory):
                yield from self._records(path, title, one, other)
        elif one.content is not None and other.content is not None and one.size == other.size:
            if one.content != other.content:
                places = [at for at, (a, b) in enumerate(zip(one.content, other.content, strict=False)) if a != b]
                words = ngettext("{place}: {count} byte differs", "{place}: {count} bytes differ", len(places))
                words = words.format(place=f"{path} {title}".rstrip(), count=len(places))
                before, after = (self._certificate(card, path) for card in (self.left, self.right))
                if before and after:
                    words += f" ({before} → {after})"
                yield Difference(VALUE, path, words)
        elif path.partition("/")[0] in self.left.applications:
            self._unknown(_("content of {path}").format(path=path), _("content"), path)

    def _certificate(self, card: CardView, path: str) -> str:
        """How the certificate in a file stands; empty where it is none, or its key is not known."""
        contents = {name: one.content for name, one in card.files.items() if one.content is not None}
        stands = held_in(card.layout, contents).get(path) if card.layout else None
        return f"{stands.lasting}{f' {stands.span}' if self.show else ''}".rstrip() if stands else ""

    def _access(self, path: str, title: str, one: FileView, other: FileView) -> Iterator[Difference]:
        for what, before, after in (
            (_("read"), one.read, other.read),
            (_("update"), one.update, other.update),
        ):
            if before is None or after is None:
                told = _("{what} condition of {path}").format(what=what, path=path)
                self._unknown(told, _("{what} condition").format(what=what), path)
            elif before != after and (REFUSED not in (before, after) or FREE in (before, after)):
                yield changed(ACCESS, path, what, before, after, title)

    # --- records and items ---------------------------------------------------------------------------------------

    def _records(self, path: str, heading: str, one: FileView, other: FileView) -> Iterator[Difference]:
        before, after = one.records or (), other.records or ()
        if Structure.CYCLIC in (one.structure, other.structure):
            yield from self._cyclic(path, heading, one, other)
            return
        left, right = _by_tag(before), _by_tag(after)
        for label in _both(left, right):
            mine, theirs = left.get(label), right.get(label)
            place = f"{path}/{label}"
            item = _item_of(one.spec or other.spec, label)
            title = f"{place} {chinese_first(item.name_en, item.name)}".rstrip() if item else place
            if mine is None or theirs is None:
                if (one if mine is None else other).whole:
                    who = _("only A has it") if theirs is None else _("only B has it")
                    size = (mine or theirs or RecordView("", 0)).length
                    yield Difference(
                        ITEM, place, _("{title}: {who}, {size} bytes").format(title=title, who=who, size=size),
                        None if mine is None else str(size), None if theirs is None else str(size),
                    )  # fmt: skip
            elif mine.length != theirs.length:
                yield Difference(
                    ITEM, place,
                    _("{title}: {before} → {after} bytes").format(
                        title=title, before=mine.length, after=theirs.length
                    ),
                    str(mine.length), str(theirs.length),
                )  # fmt: skip
            elif mine.value is not None and theirs.value is not None and mine.value != theirs.value:
                yield self._item(place, title, one.spec, mine.value, theirs.value, label)
        if one.whole and other.whole and list(left) != list(right) and set(left) == set(right):
            words = _("{path}: the same items in another order").format(path=path)
            yield Difference(ITEM, path, words, " ".join(left), " ".join(right))

    def _item(
        self, place: str, title: str, spec: FileSpec | None, mine: bytes, theirs: bytes, label: str
    ) -> Difference:
        item = _item_of(spec, label)
        if not self.show or (spec is not None and spec.secret):
            return Difference(VALUE, place, _("{title}: differs").format(title=title))
        told = [in_words(item, items.decode(item, value)) if item else value.hex().upper() for value in (mine, theirs)]
        return Difference(
            VALUE, place, _("{title}: {before} → {after}").format(title=title, before=told[0], after=told[1]), *told
        )

    def _cyclic(self, path: str, title: str, one: FileView, other: FileView) -> Iterator[Difference]:
        before, after = one.records or (), other.records or ()
        if before and after and before[0].length != after[0].length:
            yield changed(ITEM, path, _("bytes of a record"), before[0].length, after[0].length, title)
        elif one.whole and other.whole and len(before) != len(after):
            yield changed(STATE, path, _("records"), len(before), len(after), title)
        else:
            count = sum(
                a.value is not None and b.value is not None and a.value != b.value
                for a, b in zip(before, after, strict=False)
            )
            if count:
                words = ngettext("{place}: {count} record differs", "{place}: {count} records differ", count)
                words = words.format(place=f"{path} {title}".rstrip(), count=count)
                yield Difference(VALUE, path, words)

    # --- keys, habits, states ------------------------------------------------------------------------------------

    def _keys(self) -> Iterator[Difference]:
        left, right = self.left, self.right
        if left.keys is None or right.keys is None:
            self._unknown(_("keys"))
            return
        for name in _both(left.keys, right.keys):
            one, other = left.keys.get(name), right.keys.get(name)
            if one is None or other is None:
                found = self._only(KEY, name, "", left=other is None)
                if found:
                    yield found
            elif one != other:
                yield changed(KEY, name, _("key id"), one, other)
        values = set(left.key_values) & set(right.key_values)
        others = sum(left.key_values[name] != right.key_values[name] for name in values)
        if others:
            words = ngettext("keys: {count} has another value", "keys: {count} have other values", others)
            yield Difference(VALUE, "keys", words.format(count=others))

    def _habits(self) -> Iterator[Difference]:
        left, right = self.left.habits, self.right.habits
        if left is None or right is None:
            self._unknown(_("habits"))
            return
        for name in sorted({*left, *right}):
            one, other = left.get(name), right.get(name)
            if one != other:
                told = [_("as usual") if value is None else _habit(value) for value in (one, other)]
                yield changed(HABIT, name, "", *told)

    def _states(self) -> Iterator[Difference]:
        left, right = self.left.states, self.right.states
        for name in _both(left, right):
            one, other = left.get(name), right.get(name)
            if one == other:
                continue
            if (one is None and not self._tells_states(self.left)) or (
                other is None and not self._tells_states(self.right)
            ):
                self._unknown(_("state of {name}").format(name=name), _("state"), name)
                continue
            told = [_("as at first") if value is None else value for value in (one, other)]
            yield changed(STATE, name, _("tries left") if _counted(one, other) else _("state"), *told)

    @staticmethod
    def _tells_states(card: CardView) -> bool:
        """Only an image tells of every counter."""
        return card.keys is not None


def _counted(*values: str | None) -> bool:
    return any(value is not None and value.isdecimal() for value in values)


def _habit(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _both(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    """The names of both, in the order of the first."""
    return [*left, *(name for name in right if name not in left)]


def _title(spec: FileSpec | None) -> str:
    return chinese_first(spec.name_en, spec.name) if spec else ""


def _item_of(spec: FileSpec | None, label: str) -> ItemSpec | None:
    return None if spec is None or label.startswith(NUMBERED) else spec.item(int(label[:2], 16))


def _by_tag(records: tuple[RecordView, ...]) -> dict[str, RecordView]:
    """Records by their tag; one of several with the same by its number among them, one without by its number."""
    seen: Counter[str] = Counter()
    found = {}
    for number, record in enumerate(records, 1):
        tag = record.tag or f"{NUMBERED}{number}"
        seen[tag] += 1
        found[tag if seen[tag] == 1 else f"{tag} ({seen[tag]})"] = record
    return found
