"""What a card shows of the facts that we state: confirmed, contradicted and by what, or not seen and why.

Which facts a card can show, and which part of one, follows from the place where the fact stands: that record shows
``item.SSSE/EF06/09``, that file ``file.SSSE/EF06``; a sentence about an instruction that names a status word is shown
by the questions of that instruction to which our own chip answers with it. What no harmless command can show (keys'
levels, what opens a file for writing) stands in no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from emulator import catalogue
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.filesystem.layouts.specs import Basis, FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.interface import Interface
from emulator.messages import _, deferred
from emulator.security import PIN, Always, Never, names_in
from harness.facts.code import of_packages
from harness.facts.fact import Fact
from harness.facts.layouts import of_layout
from harness.learning.fact_file import Verdict
from harness.learning.observation import Asked, Learning, SeenFile, SeenRecord

STRUCTURES = {Structure.RECORDS: "records", Structure.CYCLIC: "cyclic", Structure.TRANSPARENT: "transparent"}
FOUND = "9000"
STATUS = re.compile(r"\b([69][0-9A-F][0-9A-Fx]{2})\b")
"""A status word as sentences name it: 6A83, 6Cxx, 63Cx."""
OF_STATE = frozenset({"6A82", "6A83", "6A88", "6982", "6983", "6985"})
"""What is answered because of what a card stores and allows, whatever it would say otherwise."""
ROOM = "emulator/apdu"
"""Where the code says what cards answer."""
MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that a fact states. ``seen`` in words, None where the card did not show it; ``why`` not."""

    name: str
    good: bool
    seen: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact of ours and what a card showed of it. ``seen``: what was seen, or why nothing was."""

    fact: Fact
    verdict: Verdict
    seen: str


def of_card(learning: Learning, layout: Layout, ours: Sequence[Asked] = ()) -> Iterator[Evidence]:
    """The evidence on each fact that the card can show. ``layout``: the nearest one, whose facts they are; ``ours``:
    what our own chip of that layout answered to the same questions; without it, nothing is said of facts in the code.
    """
    for fact in of_layout(layout):
        kind, __, place = fact.where.partition(".")
        if judge := LAYOUT_JUDGES.get(kind):
            yield _evidence(fact, list(judge(learning, layout, place)))
    if ours:
        for fact in of_packages(ROOM):
            if STATUS.search(fact.statement) and _asked_of(fact):
                yield _evidence(fact, list(_code(learning, ours, fact)))


def _evidence(fact: Fact, aspects: list[Aspect]) -> Evidence:
    shown = [one for one in aspects if one.seen is not None]
    wrong = [one for one in shown if not one.good]
    if wrong:
        return Evidence(fact, Verdict.CONTRADICTED, "; ".join(_told(one) for one in wrong[:MOST_TOLD]))
    if shown:
        return Evidence(fact, Verdict.CONFIRMED, "; ".join(_told(one) for one in shown[:MOST_TOLD]))
    reasons = dict.fromkeys(one.why for one in aspects if one.why)
    return Evidence(fact, Verdict.NOT_SEEN, "; ".join(reasons))


def _told(one: Aspect) -> str:
    return f"{_(one.name)} {one.seen}".strip()


# ---- facts of layouts, by their places ----------------------------------------------------------------------------


def _atr(learning: Learning, layout: Layout, _place: str) -> Iterator[Aspect]:
    if learning.reader.interface == Interface.CONTACT.value:  # a field's header is PC/SC's, not the card's
        header = layout.atr_header.hex().upper()
        yield Aspect(deferred("header"), learning.atr.header == header, learning.atr.header)
    size = len(learning.atr.historical) // 2
    yield Aspect(deferred("historical bytes"), size == 13, str(size))


def _application(learning: Learning, layout: Layout, name: str) -> Iterator[Aspect]:
    spec, seen = layout.applications[name], learning.application(name)
    if seen is None and spec.contactless_only and learning.reader.interface == Interface.CONTACT.value:
        yield Aspect("", good=True, why=_("by contacts it is not found"))
        return
    if seen is None:
        yield _absent(learning, name, _("this card has no such application"))
        return
    if seen.sw != FOUND:
        yield Aspect(deferred("SELECT"), good=False, seen=seen.sw)
        return
    fid = f"{spec.fid:04X}"
    yield Aspect(deferred("id"), seen.fid == fid, seen.fid or None, _("no id selects it"))
    if spec.dfname:
        names = {one.hex().upper() for one in (spec.dfname, spec.dfname_sm4) if one}
        yield Aspect(deferred("name"), seen.dfname in names, seen.dfname or None, _("it was not selected by name"))


def _file(learning: Learning, layout: Layout, path: str) -> Iterator[Aspect]:
    spec, seen = layout.files[path], learning.file(path)
    if seen is None:
        yield _no_file(learning, spec)
        return
    yield Aspect(deferred("id"), seen.fid == f"{spec.fid:04X}", seen.fid or None, _("no id selects it"))
    unread = not seen.records and seen.size is None  # which of both kinds of records they are is then not seen
    same = seen.structure == STRUCTURES[spec.structure] or (
        unread and "transparent" not in (seen.structure, STRUCTURES[spec.structure])
    )
    yield Aspect(deferred("structure"), same, seen.structure or None, _unread(seen))
    if spec.structure is Structure.TRANSPARENT:
        size = None if seen.size is None else _("{count} bytes").format(count=seen.size)
        yield Aspect(deferred("size"), seen.size == spec.size, size, _unread(seen))
    if spec.structure is Structure.CYCLIC and seen.records is not None and len(seen.records) >= spec.records:
        yield Aspect(deferred("records"), len(seen.records) == spec.records, str(len(seen.records)))
    if spec.access == Basis(spec.grade, spec.sources):  # its access conditions are no fact of their own
        yield from _access(learning, layout, path)


def _access(learning: Learning, layout: Layout, path: str) -> Iterator[Aspect]:
    """Who may read; who may write nobody tries."""
    spec, seen = layout.files[path], learning.file(path)
    if seen is None:
        yield _no_file(learning, spec)
        return
    free, opened = isinstance(spec.read, Always), set(re.split(r" (?:or|and) ", seen.read))
    if seen.read == "free":
        yield Aspect(deferred("read"), free, _("free"))
    elif seen.read == "refused":
        # Refused without rights: of a file that nobody reads freely that is what was expected, and no more is shown.
        yield Aspect(
            deferred("read"),
            not free,
            _("refused without rights ({refusal})").format(refusal=seen.refusal) if seen.refusal else None,
            _("not asked"),
        )
    else:
        known = set() if isinstance(spec.read, Never) else set(names_in(spec.read))
        yield Aspect(deferred("read"), not free and opened <= known, _("after {rights}").format(rights=seen.read))


def _item(learning: Learning, layout: Layout, place: str) -> Iterator[Aspect]:
    """``SSSE/EF06/09``, and ``DF01/EF15/40/57`` of an element; fields of cyclic records have no tag to be seen by."""
    application, file, *tags = place.split("/", 3)
    path = f"{application}/{file}"
    spec, seen = layout.files[path], learning.file(path)
    if seen is None:
        yield _no_file(learning, spec)
        return
    if seen.records is None:
        yield Aspect(deferred("record"), good=True, why=_unread(seen))
        return
    if spec.structure is Structure.CYCLIC:
        lengths = {one.length for one in seen.records}
        whole = spec.record_length
        for length in lengths - {whole}:
            yield Aspect(
                deferred("the record's length"),
                good=False,
                seen=_("{length} bytes, where ours are {whole}").format(length=length, whole=whole),
            )
        if not lengths - {whole}:
            yield Aspect(deferred("field"), good=True, why=_("a field has no tag that shows it"))
        return
    item = next((one for one in spec.items if one.label == tags[0]), None)
    if item is None:
        yield Aspect(deferred("item"), good=True, why=_("its place is not by tags"))
        return
    of_tag = [one for one in seen.records if one.tag == item.label]
    if not of_tag:
        yield Aspect(deferred("record"), good=True, why=_("this card has no record of it"))
        return
    below = tags[1].split("/") if len(tags) > 1 else []
    yield from _lengths(item, of_tag, below)


def _lengths(item: ItemSpec, records: list[SeenRecord], below: list[str]) -> Iterator[Aspect]:
    if not below:
        for length in dict.fromkeys(one.length for one in records):
            good = length <= item.length if item.variable else length == item.length or not item.length
            yield Aspect(deferred("length"), good, _("{count} bytes").format(count=length))
        return
    part = next((one for one in item.elements if one.label == below[0]), None)
    found = [one for record in records for one in record.elements if one.tag == below[0]]
    if part is None or not found or len(below) > 1:
        yield Aspect(deferred("element"), good=True, why=_("no such element was seen"))
        return
    for length in dict.fromkeys(one.length for one in found):
        good = length <= part.length if part.variable else length == part.length
        yield Aspect(deferred("length"), good, _("{count} bytes").format(count=length))


def _key(learning: Learning, layout: Layout, name: str) -> Iterator[Aspect]:
    """That a key is there is shown by what it opened."""
    del layout
    opened = [one.path for one in learning.files if name in re.split(r" (?:or|and) ", one.read)]
    seen = _("opened {path}").format(path=opened[0]) if opened else None
    yield Aspect(deferred("authentication"), good=True, seen=seen, why=_("it was not proved"))


def _pin(learning: Learning, layout: Layout, _place: str) -> Iterator[Aspect]:
    told = learning.counters.get(PIN, "")
    if not told.isdigit():
        yield Aspect(deferred("tries"), good=True, why=_("the card did not tell its tries"))
    elif int(told) < layout.pin.tries:
        yield Aspect(deferred("tries"), good=True, why=_("tries may have been used"))
    else:
        yield Aspect(deferred("tries"), int(told) == layout.pin.tries, told)


def _contactless(learning: Learning, layout: Layout, place: str) -> Iterator[Aspect]:
    """That a card has this side shows where it is read over it; of its files only what was read."""
    if learning.reader.interface == Interface.CONTACT.value:
        yield Aspect("", good=True, why=_("the card was read by its contacts"))
    elif place:
        yield from _access(learning, catalogue.found_over(layout, Interface.CONTACTLESS), place.partition(".")[2])
    else:
        yield Aspect("", good=True, seen=_("read in a field"))


Judge = Callable[[Learning, Layout, str], Iterable[Aspect]]
LAYOUT_JUDGES: dict[str, Judge] = {
    "atr": _atr, "application": _application, "file": _file, "access": _access, "item": _item, "key": _key, "pin": _pin,
    "contactless": _contactless,
}  # fmt: skip
"""By the first word of a fact's place; places of other kinds (messaging, purse …) no harmless command shows."""


def _absent(learning: Learning, name: str, words: str) -> Aspect:
    asked = any(one.probe.split("/")[1:2] == [name] for one in learning.asked)
    if asked or learning.complete:
        return Aspect("", good=False, seen=words)
    return Aspect("", good=True, why=_("it was not asked for"))


def _no_file(learning: Learning, spec: FileSpec) -> Aspect:
    within = learning.application(spec.application)
    if within is None or within.sw != FOUND:
        return Aspect("", good=True, why=_("{application} could not be entered").format(application=spec.application))
    if spec.secret:
        return Aspect("", good=True, why=_("no command may read it"))
    return _absent(learning, spec.application, _("this card has no such file"))


def _unread(seen: SeenFile) -> str:
    return _("reading was refused ({refusal})").format(refusal=seen.refusal) if seen.refusal else _("it was not read")


# ---- facts of the code, by the instruction that they stand in -----------------------------------------------------


def _code(learning: Learning, ours: Sequence[Asked], fact: Fact) -> Iterator[Aspect]:
    """Where our chip answers with a status word that the sentence names, the card should."""
    asked_of = _asked_of(fact)
    patterns = [re.compile(one.replace("x", "[0-9A-F]")) for one in STATUS.findall(fact.statement)]
    good: Asked | None = None
    for own in ours:
        if own.command[2:4] not in asked_of or not (named := [one for one in patterns if one.fullmatch(own.sw)]):
            continue
        its = learning.answer(own.probe)
        if its is None or not its.sw:
            continue
        if its.sw in OF_STATE and own.sw not in OF_STATE:
            continue
        if not any(one.fullmatch(its.sw) for one in named):
            yield Aspect(
                "",
                good=False,
                seen=_("{sw} where ours says {own} ({probe})").format(sw=its.sw, own=own.sw, probe=own.probe),
            )
        else:
            good = good or its
    if good is not None:
        yield Aspect("", good=True, seen=f"{good.sw} ({good.probe})")
    yield Aspect("", good=True, why=_("no question of this run shows it"))


@cache
def _asked_of(fact: Fact) -> frozenset[str]:
    """The instruction bytes, in hex, that a fact's class stands for; none where it stands in no instruction."""
    called = fact.statement.partition(":")[0].partition(".")[0]
    return frozenset(f"{one.ins:02X}" for one in INSTRUCTIONS if one.__name__ == called)
