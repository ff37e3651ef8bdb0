"""Writing: read back, never blindly, the insurance region all or none."""

from __future__ import annotations

from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW
from harness.monitor.rule import ERROR, WARNING, Rule
from harness.monitor.rules.rights import READING, UPDATING
from harness.monitor.session import Session, Step
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

    def end(self, session: Session, *, powered: bool, at: float) -> str | None:
        del session, powered, at
        left, self._items = sorted(self._items), {}
        return f"written and not read back: {', '.join(left)}" if left else None


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
            return f"writing {failed} failed, and the session went on"
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
        return f"{', '.join(unread)} was written, and not read before" if unread else None


class RegionWhole(_PerItem):
    """One person is insured in one place."""

    id = "REGION-PART"
    title = "The insurance region moves for every insurance that the card holds, or for none"
    title_zh = "参保地变更时，卡内各险种一并变更或均不变更"
    source = f"{MEASURES}; that all items move [D]"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._values: dict[str, bytes] = {}

    def step(self, step: Step) -> str | None:
        for path in self._regions & _touched(step):
            if step.kind is ReadRecord and step.sw == SW.OK:
                self._items.setdefault(path, "held")
            elif step.kind is UpdateRecord and step.done:
                self.seen = True
                self._items[path] = "written"
            else:
                continue
            record = step.items().get(path)
            if step.event.masked or record is None:
                self._values.pop(path, None)
            else:
                self._values[path] = record
        return None

    def end(self, session: Session, *, powered: bool, at: float) -> str | None:
        del session, powered, at
        written = [path for path, what in self._items.items() if what == "written"]
        held = [path for path, what in self._items.items() if what == "held"]
        hidden = not all(path in self._values for path in (*written, *held))
        moved = {self._values[path][HEAD:] for path in written if path in self._values}
        left = [path for path in held if self._values.get(path, b"")[HEAD:] not in moved]
        self._items.clear()
        self._values.clear()
        if not written or not left:
            return None
        if hidden:
            self.blind = "the trace hides the regions that were not written: record it with --personal-data"
            return None
        return f"moved {', '.join(written)}, left {', '.join(left)}"


def _touched(step: Step) -> set[str]:
    """Paths of what a reading or writing is about: items, as they themselves say; a transparent file whole.

    What secure messaging hides is the item that the command names. A cyclic file's newest record has no path.
    """
    file = step.place.file
    if file is None or step.kind not in (*READING, *UPDATING):
        return set()
    if file.structure == "transparent":
        return {file.path}
    named = {step.path} if step.place.tag and (step.secured or step.kind is UpdateRecord) else set()
    return set() if file.structure == "cyclic" else {*step.items(), *named}


RULES = (ReadBack, FailedWrite, RegionChecked, RegionReadBack, RegionWhole)
