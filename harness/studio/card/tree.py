"""The tree of a card, made of its memory and its session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.purse import GetBalance
from emulator.apdu.instructions.transactions import InitializeForLoad, InitializeForPurchase
from emulator.filesystem.layouts import codes, items, meanings
from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ApplicationSpec, ItemSpec, KeySpec
from emulator.filesystem.layouts.terms import ItemFormat, Structure
from emulator.filesystem.memory.cells import PIN_CELL, PURSE_CELL, UNBLOCKINGS_CELL, data_cell, tries_cell
from emulator.filesystem.memory.directory import listed
from emulator.filesystem.memory.purse import Purse as PurseHeld
from emulator.security import PIN, Condition
from emulator.sources import citation
from harness.clock import Clock
from harness.images.contents import KeyHeld, keys_of, of_image
from harness.keys.uses import KEY_USES
from harness.readers.atr import masked as masked_atr
from harness.sources.register import register
from harness.studio.card import words
from harness.studio.card.held import PERMITTED, HeldCard
from harness.studio.card.model import (
    Access,
    Application,
    Basis,
    Card,
    CertificateTold,
    File,
    Item,
    Key,
    Life,
    Part,
    Pin,
    Purse,
    Record,
    SourceTold,
    Standing,
    Table,
    Tries,
)
from harness.terminal.certificates import Held, held_in
from harness.terminal.contents import FileContent
from harness.terminal.values import ItemValue
from harness.trace.mask import ITEMS

HEAD = 2
"""Bytes before the value of a record: tag and length."""
AMOUNTS = ("balance", "own", "pooled")
"""What of the account is in fen."""


def tree(card: HeldCard, *, show_values: bool, now: datetime | None = None) -> Card:
    """The card as it may be shown. ``show_values``: people's values too; keys, PINs and what nobody may read never."""
    return _Maker(card, show_values, now or Clock().now()).card()


@dataclass(frozen=True, slots=True)
class _Bytes:
    """The value part of an item, and what it is; ``shown``: it may be seen. ``spec`` in its meaning on this card."""

    id: str
    spec: ItemSpec
    value: Value
    data: bytes
    shown: bool


class _Maker:
    def __init__(self, card: HeldCard, show: bool, now: datetime) -> None:
        self._card, self._show, self._now = card, show, now
        self._image, self._layout, self._memory = card.image, card.layout, card.image.memory
        self._cited: dict[str, None] = {}
        contents = list(of_image(card.image, card.layout, show_secrets=False))
        self._contents = {one.spec.path: one for one in contents}
        bytes_of = {one.spec.path: one.bytes for one in contents if one.spec.structure is Structure.TRANSPARENT}
        self._certificates = held_in(card.layout, bytes_of)
        self._keys = {one.spec.name: one for one in keys_of(card.image)}

    def card(self) -> Card:
        image, layout = self._image, self._layout
        atr = image.atr_over(self._card.interface)
        root = next(app for app in layout.applications.values() if not app.parent)
        life, active = self._memory.card_life, self._memory.activation
        made = self._application(root)
        return Card(
            layout=layout.name,
            title=Words(layout.title_zh, layout.title),
            version=layout.version,
            kind=layout.card,
            algorithm=image.algorithm,
            atr=(atr if self._show else masked_atr(atr)).hex().upper(),
            interface=self._card.interface,
            masked=not self._show,
            life=Life(not life, words.CARD_LIVES[life]),
            activation=Life(not active, words.ACTIVATIONS[active]) if layout.activation is not None else None,
            standing=self._standing(),
            root=made,
            sources=dict(_explained(self._cited)),
        )

    def _standing(self) -> Standing:
        stands = self._card.standing
        return Standing(
            self._card.current,
            stands.file,
            stands.record,
            {one: words.right(self._layout, one) for one in sorted(stands.rights)},
            stands.challenge,
            stands.transaction,
        )

    def _basis(self, grade: str, sources: Iterable[str]) -> Basis:
        told = tuple(sources)
        self._cited.update(dict.fromkeys(told))
        return Basis(grade, told)

    # --- applications ----------------------------------------------------------------------------------------------

    def _application(self, spec: ApplicationSpec) -> Application:
        layout, directory = self._layout, self._card.directories[spec.id]
        life = self._memory.life(spec.id) if spec.parent else None
        inside = [
            app for app in layout.applications.values() if app.parent == spec.id and app.id in self._card.directories
        ]
        return Application(
            id=spec.id,
            fid=f"{spec.fid:04X}",
            dfname=spec.dfname.hex().upper(),
            label=spec.label,
            name=Words(spec.name, spec.name_en),
            life=Life(not life, words.APPLICATION_LIVES[life]) if life is not None else self._of_the_card(),
            fci=directory.fci.hex().upper(),
            current=spec.id == self._card.current,
            basis=self._basis(spec.grade, spec.sources),
            files=tuple(self._file(one) for one in self._contents.values() if one.spec.application == spec.id),
            keys=tuple(self._key(one) for one in self._keys.values() if one.spec.application == spec.id),
            pin=self._pin() if layout.pin.application == spec.id else None,
            purse=self._purse() if layout.purse is not None and layout.purse.application == spec.id else None,
            data=tuple(self._data(spec, tag) for tag in spec.data),
            children=tuple(map(self._application, inside)),
        )

    def _of_the_card(self) -> Life:
        life = self._memory.card_life
        return Life(not life, words.CARD_LIVES[life])

    def _access(self, condition: Condition, messaging: str, refusal: str) -> Access:
        return Access(
            str(condition), words.condition(self._layout, condition), messaging, refusal == PERMITTED, refusal
        )

    def _by_right(self, condition: Condition, application: str, kind: type[Instruction]) -> Access:
        return self._access(condition, "", self._card.lacking(condition, application, kind))

    # --- files -----------------------------------------------------------------------------------------------------

    def _file(self, content: FileContent) -> File:
        spec = content.spec
        records = self._memory.records(spec.path)
        used = len(records[0].rstrip(bytes(1))) if spec.structure is Structure.TRANSPARENT else sum(map(len, records))
        shown = not spec.secret and (self._show or (spec.directory and records == listed(self._layout)))
        held = self._certificates.get(spec.path)
        transparent, cyclic = (spec.structure is one for one in (Structure.TRANSPARENT, Structure.CYCLIC))
        return File(
            id=spec.path,
            fid=f"{spec.fid:04X}",
            sfi=spec.sfi,
            name=Words(spec.name, spec.name_en),
            structure=spec.structure,
            usage=words.USAGES.get(spec.usage),
            size=used if spec.directory else spec.size or self._card.directories[spec.application].capacity[spec.path],
            used=used,
            capacity=spec.records,
            read=self._access(spec.read, spec.read_messaging, self._card.refusal(spec, update=False)),
            update=self._access(spec.update, spec.update_messaging, self._card.refusal(spec, update=True)),
            access=self._basis(spec.access.grade, spec.access.sources),
            basis=self._basis(spec.grade, spec.sources),
            secret=spec.secret,
            current=spec.path == self._card.standing.file,
            items=() if transparent or cyclic else tuple(self._items(content, records, shown=shown)),
            records=tuple(self._records(content, records, shown=shown)) if cyclic else (),
            hex=_hex(records[0], shown=shown) if transparent else "",
            masked=not shown,
            certificate=self._certificate(held) if held is not None else None,
        )

    def _certificate(self, held: Held) -> CertificateTold:
        state = held.state(self._now)
        return CertificateTold(state, words.CERTIFICATES[state], held.span if self._show else "")

    def _items(self, content: FileContent, records: tuple[bytes, ...], *, shown: bool) -> Iterator[Item]:
        spec, seen = content.spec, dict[str, int]()
        for one, record in zip(content.items, records, strict=True):
            label = f"{record[0]:02X}" if record else ""
            seen[label] = number = seen.get(label, 0) + 1
            path = f"{spec.path}/{label}"
            yield self._item(
                _Bytes(path if number == 1 else f"{path}#{number}", one.spec, one.value, record[HEAD:],
                       shown or path in ITEMS)
            )  # fmt: skip
        for item in spec.items:
            for number in range(seen.get(item.label, 0) + 1, item.count + 1):
                path = f"{spec.path}/{item.label}"
                yield self._absent(path if number == 1 else f"{path}#{number}", item)

    def _records(self, content: FileContent, records: tuple[bytes, ...], *, shown: bool) -> Iterator[Record]:
        by_number: dict[int, list[ItemValue]] = {}
        for one in content.items:
            by_number.setdefault(one.number, []).append(one)
        for number, record in enumerate(records, 1):
            at, told = 0, []
            for place, one in enumerate(by_number.get(number, ())):
                data = record[at : at + one.spec.length]
                at += one.spec.length
                path = f"{content.spec.path}/#{number}/{one.spec.label or place + 1}"
                told.append(self._item(_Bytes(path, one.spec, one.value, data, shown)))
            yield Record(f"{content.spec.path}/#{number}", number, tuple(told))

    def _item(self, one: _Bytes) -> Item:
        spec, value = one.spec, one.value
        plain = value if isinstance(value, str) else None
        meant = meanings.told(spec, plain) if plain and one.shown else None
        return Item(
            id=one.id,
            tag=spec.label,
            name=Words(spec.name, spec.name_en),
            format=spec.format,
            length=len(one.data),
            value=plain if one.shown else None,
            meaning=meant.apart if meant is not None else None,
            hex=_hex(one.data, shown=one.shown),
            masked=not one.shown,
            empty=not plain if plain is not None else not one.value,
            basis=self._basis(spec.grade, spec.sources),
            usage=words.USAGES.get(spec.usage),
            codes=_table(spec),
            elements=tuple(self._elements(one)) if not isinstance(value, str) else (),
        )

    def _elements(self, one: _Bytes) -> Iterator[Item]:
        assert not isinstance(one.value, str)
        parts = {part.label: part for part in one.spec.elements}
        data = {f"{tag:0{4 if tag > 0xFF else 2}X}": raw for tag, raw in items.elements(one.spec.format, one.data)}
        for label, value in one.value.items():
            spec = parts.get(label) or ItemSpec(int(label, 16), ItemFormat.HEX, 0, "", "", "D")
            yield self._item(_Bytes(f"{one.id}.{label}", spec, value, data[label], one.shown))

    def _absent(self, path: str, spec: ItemSpec) -> Item:
        return Item(
            id=path,
            tag=spec.label,
            name=Words(spec.name, spec.name_en),
            format=spec.format,
            length=spec.length,
            value=None,
            meaning=None,
            hex="",
            masked=False,
            empty=True,
            basis=self._basis(spec.grade, spec.sources),
            usage=words.USAGES.get(spec.usage),
            codes=_table(spec),
            present=False,
        )

    # --- keys, PIN, account ----------------------------------------------------------------------------------------

    def _key(self, held: KeyHeld) -> Key:
        spec: KeySpec = held.spec
        return Key(
            id=f"{spec.application}/key/{spec.name}",
            name=spec.name,
            reference=f"{spec.id:02X}",
            use=KEY_USES[spec.use],
            title=Words(spec.title, spec.title_en),
            levels=spec.levels,
            versions=held.versions,
            tries=Tries(held.tries, spec.tries) if spec.tries else None,
            held=spec.name in self._card.standing.rights,
            psam=str(spec.psam or ""),
            hsm=spec.hsm,
            basis=self._basis(spec.grade, spec.sources),
        )

    def _pin(self) -> Pin:
        spec, memory = self._layout.pin, self._memory
        digits, most = memory.text(PIN_CELL), self._layout.unblockings
        return Pin(
            id=f"{spec.application}/pin",
            tries=Tries(memory.counter(tries_cell(PIN)), spec.tries),
            set=bool(digits),
            initial=bool(digits) and digits == spec.initial,
            digits=(spec.min_digits, spec.max_digits),
            unblock_key=spec.unblock_key,
            unblockings=Tries(memory.counter(UNBLOCKINGS_CELL), most) if most else None,
            verified=PIN in self._card.standing.rights,
            basis=self._basis(spec.grade, spec.sources),
        )

    def _purse(self) -> Purse:
        spec = self._layout.purse
        assert spec is not None
        held = PurseHeld.read(self._memory.parts(PURSE_CELL))
        return Purse(
            id=f"{spec.application}/account",
            in_use=spec.switch is None or self._switched(spec.switch.file, spec.switch.label, spec.value),
            parts=tuple(
                self._part(
                    f"{spec.application}/account/{one.name}", words.PURSE[one.name], getattr(held, one.name), one.name
                )
                for one in fields(PurseHeld)
            ),
            load=self._by_right(spec.load, spec.application, InitializeForLoad),
            purchase=self._by_right(spec.purchase, spec.application, InitializeForPurchase),
            balance=self._by_right(spec.balance, spec.application, GetBalance),
            basis=self._basis(spec.grade, spec.sources),
        )

    def _switched(self, file: str, label: str, value: str) -> bool:
        path = f"{file}/{label}"
        return any(one.path == path and one.value == value for one in self._contents[file].items)

    def _part(self, path: str, name: Words, value: int | bytes, kind: str) -> Part:
        text = value.hex().upper() if isinstance(value, bytes) else str(value)
        meant = meanings.fen(value).apart if kind in AMOUNTS and isinstance(value, int) else None
        return Part(path, name, text if self._show else None, meant if self._show else None, not self._show)

    def _data(self, spec: ApplicationSpec, tag: int) -> Part:
        held = self._memory.get(data_cell(spec.id, tag))
        value = held if isinstance(held, bytes) else spec.data[tag]
        name = words.DATA_OBJECTS.get(tag, Words("", ""))
        return self._part(f"{spec.id}/data/{tag:04X}", name, value, "")


def _hex(data: bytes, *, shown: bool) -> str:
    return data.hex().upper() if shown else "**" * len(data)


def _table(spec: ItemSpec) -> Table | None:
    if not spec.codes or spec.codes not in codes.ids():
        return None
    table = codes.table(spec.codes)
    return Table(table.id, Words(table.name, table.name_en))


def _explained(cited: Iterable[str]) -> Iterator[tuple[str, SourceTold]]:
    known = register()
    for text in cited:
        try:
            one = citation(text)
        except ValueError:
            yield text, SourceTold(Words(text, text), Words("", ""))
            continue
        source = known.sources.get(one.source)
        title = Words(source.title_zh, source.title) if source is not None else Words("", "")
        yield text, SourceTold(words.citation(source, one, known.words(one)), title)
