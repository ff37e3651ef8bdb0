"""Writing: read back, never blindly, an insurance's region whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.messages import _
from harness.monitor.rule import ERROR, WARNING, Rule, Situation
from harness.monitor.rules.rights import READING, UPDATING
from harness.monitor.view import CardView, Step
from harness.trace.mask import HEAD

MEASURES = "the region moves in the card [S: measures:article 24]"


class _PerItem(Rule):
    """Remembers items by path."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._items: dict[str, str] = {}
        self._regions = {binding.item for binding in self.layout.insurance_region}


class ReadBack(_PerItem):
    """Written is what reads back."""

    id = "WRITE-READ-BACK"
    title = "What was written is read back before the card is done with"
    title_zh = "写入后回读核对，再结束对该卡的操作"
    source = "an interrupted or garbled write shows only when read [D]"
    severity = WARNING

    def step(self, step: Step) -> str | None:
        if step.kind in UPDATING and step.done:
            readable = step.place.file is not None and not step.place.file.secret
            for path in filter(self._mine, _touched(step) if readable else ()):
                self.seen = True
                self._items[path] = ""
        elif step.kind in READING and step.ok:
            for path in _touched(step):
                self._items.pop(path, None)
        return None

    def _mine(self, path: str) -> bool:
        return path not in self._regions

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        del view, powered, at
        left, self._items = sorted(self._items), {}
        return _("written and not read back: {left}").format(left=", ".join(left)) if left else None


class RegionReadBack(ReadBack):
    """The flow of a move ends with reading."""

    id = "REGION-READ-BACK"
    title = "A moved insurance region is read back"
    title_zh = "参保地变更后应回读核对"
    source = f"{MEASURES}; read all, write in order, read back [D]"
    severity = ERROR

    def _mine(self, path: str) -> bool:
        return path in self._regions


class FailedWrite(Rule):
    """A write that failed may be half done."""

    id = "WRITE-FAILED"
    title = "After a write that failed in memory the item is read, written again, or the card reset"
    title_zh = "写入失败（存储器错误）后，应回读、重写或复位"
    source = "UPDATE RECORD, 6581 [T: part5:6.13]; what follows [D]"
    _failed = ""

    def step(self, step: Step) -> str | None:
        failed, self._failed = self._failed, ""
        if step.kind in UPDATING:
            self.seen = True
            self._failed = step.path if step.sw == SW.MEMORY_FAILURE else ""
        if failed and not (step.kind in (*READING, *UPDATING) and (step.path == failed or failed in step.items())):
            return _("writing {failed} failed, and the session went on").format(failed=failed)
        return None

    def reset(self) -> str | None:
        self._failed = ""
        return None


class RegionChecked(_PerItem):
    """A region is moved from somewhere."""

    id = "REGION-UNCHECKED"
    title = "The old insurance region is read before a new one is written"
    title_zh = "写入新参保地前先读取并核对原参保地"
    source = f"{MEASURES}; that it is checked first [D]"

    def step(self, step: Step) -> str | None:
        regions = self._regions & _touched(step)
        if step.kind is ReadRecord and step.ok:
            self._items.update(dict.fromkeys(regions, ""))
        if step.kind is not UpdateRecord or not step.done or not regions:
            return None
        self.seen = True
        unread = sorted(regions - set(self._items))
        return _("{unread} was written, and not read before").format(unread=", ".join(unread)) if unread else None


@dataclass(slots=True)
class _Field:
    """One item of an insurance's region. ``record``: as last read or written, None where that is not known."""

    record: bytes | None = None
    written: bool = False
    unanswered: bool = False
    """Its last write had no answer, and it was neither read nor written since."""


class RegionWhole(Rule):
    """A person is insured in one place by each insurance: half of a move is not a move."""

    id = "REGION-PART"
    title = "An insurance's region moves whole or not at all; one insurance may move without the others"
    title_zh = "一个险种的参保地要么全部变更，要么不变更；各险种可分别变更"
    source = f"{MEASURES}; each insurance has its own region, and is moved whole [D]"

    def __init__(self, layout: Layout, situation: Situation) -> None:
        super().__init__(layout, situation)
        self._insurances: dict[str, list[str]] = {}
        for binding in layout.insurance_region:
            self._insurances.setdefault(binding.insurance, []).append(binding.item)
        self._names = {binding.insurance: binding.insurance_en for binding in layout.insurance_region}
        self._bound = {binding.item for binding in layout.insurance_region}
        self._fields: dict[str, _Field] = {}

    def step(self, step: Step) -> str | None:
        for path in self._bound & _touched(step):
            writing = step.kind is UpdateRecord and step.done
            if not writing and not (step.kind is ReadRecord and step.sw == SW.OK):
                continue
            field = self._fields.setdefault(path, _Field())
            field.record = None if step.event.masked else step.items().get(path)
            field.written, field.unanswered = field.written or writing, step.unanswered
            self.seen = self.seen or writing
        return None

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        del view, powered, at
        told = [text for insurance in self._insurances if (text := self._of(insurance))]
        self._fields.clear()
        return "; ".join(told) or None

    def _of(self, insurance: str) -> str:
        """What is wrong with one insurance; empty if nothing is."""
        fields = {path: self._fields[path] for path in self._insurances[insurance] if path in self._fields}
        name = self._names[insurance] or insurance
        torn = [path for path, field in fields.items() if field.unanswered]
        if torn:
            return _("{name}: the write of {torn} had no answer, and nobody looked what became of it").format(
                name=name, torn=", ".join(torn)
            )
        moved = [path for path, field in fields.items() if field.written]
        codes = {_code(fields[path]) for path in moved}
        left = [path for path, field in fields.items() if not field.written and _code(field) not in codes - {b""}]
        if not moved or not left:
            return ""
        if any(field.record is None for field in fields.values()):
            self.blind = _("the trace hides the regions that were not written: record it with --personal-data")
            return ""
        return _("{name}: moved {moved}, left {left}").format(name=name, moved=", ".join(moved), left=", ".join(left))


def _code(field: _Field) -> bytes:
    return (field.record or b"")[HEAD:]


def _touched(step: Step) -> set[str]:
    """Paths of what a reading or writing is about: items, as they themselves say; a transparent file whole.

    What secure messaging hides is the item that the command names. A cyclic file's newest record has no path.
    """
    file = step.place.file
    if file is None or step.kind not in (*READING, *UPDATING):
        return set()
    if file.structure is Structure.TRANSPARENT:
        return {file.path}
    named = {step.path} if step.place.tag and (step.secured or step.kind is UpdateRecord) else set()
    return set() if file.structure is Structure.CYCLIC else {*step.items(), *named}


RULES = (ReadBack, FailedWrite, RegionChecked, RegionReadBack, RegionWhole)
