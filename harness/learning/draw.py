"""The layout of an explored card: the nearest national one, and every difference that was seen, each with its source.

What was not seen stays as the nearest layout has it; nothing here is a guess but where ``Drawing.not_seen`` says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator import ber, catalogue
from emulator.filesystem.layouts import load, text
from emulator.filesystem.layouts.changes import CARD_READING, Difference, differences
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec, ItemSpec, Layout, LayoutError, Table
from emulator.filesystem.layouts.terms import Fci, KeyUse, Structure
from emulator.filesystem.memory import files as trees
from emulator.interface import HISTORICAL, AnswerToReset, Interface, interface_of, maker
from emulator.messages import _
from emulator.security import PIN, Condition
from emulator.sources import GRADES
from harness.learning import known, shapes
from harness.learning.explore import DIRECTORY_TAG, DISCRETIONARY, NAME_TAG, PROPRIETARY, Application, File, Found
from harness.learning.known import HOME, ROOT

SEEN = {"grade": "1", "sources": [CARD_READING]}
NONE = frozenset[str]()
USUAL_ALGORITHM = "3des"
NAME = "learned"
CERTIFICATE_FILES = ("signature", "encryption")
"""Files of the certificate application without which it is one all the same."""
OF_EVERY_DRAWING = ("extends", "schema", "name", "title", "title_zh")


@dataclass(slots=True)
class Drawing:
    """A layout's own table, and the layout that it gives. ``consequences``: keys that had to change with others."""

    base: Layout
    own: Table
    layout: Layout
    not_seen: list[tuple[str, str]] = field(default_factory=list)
    consequences: tuple[str, ...] = ()

    @property
    def differences(self) -> list[Difference]:
        """From the nearest layout; of what went with an application or had to follow, nothing is told."""
        found = differences(self.base.table, self.layout.table)
        gone = {
            where.split(".", 1)[1] for where, __, after in found if where.startswith("application.") and after is None
        }

        def follows(where: str) -> bool:
            section, __, rest = where.partition(".")
            home = rest.strip('"').partition("/")[0]
            of_key = self.base.keys.get(rest.partition(".")[0])
            lost = (section == "file" and home in gone) or (section == "key" and of_key and of_key.application in gone)
            return bool(lost) or where in self.consequences

        return [one for one in found if not follows(one[0])]


def nearest(found: Found, atr: bytes) -> Drawing:
    """The drawing on the national layout that the card differs least from; of several the one of its own version."""
    drawings = [draw(found, atr, layout) for layout in known.layouts()]
    return min(drawings, key=lambda one: (len(one.differences), one.base.version != found.version))


def draw(found: Found, atr: bytes, base: Layout, more: Table | None = None) -> Drawing:
    """The drawing on one layout. ``more``: what was learned beside what is stored, as tables of a layout.

    A card in a field is held against what the layout says of that side.
    """
    pen = _Pen(found, catalogue.found_over(base, interface_of(atr)))
    pen.card(atr)
    pen.applications()
    pen.files()
    own = load.merge(pen.own, more or {})
    layout = pen.settle(own)
    return Drawing(base, own, layout, pen.not_seen, tuple(pen.consequences))


class _Pen:
    """Draws one layout's own table."""

    def __init__(self, found: Found, base: Layout) -> None:
        self.found, self.base = found, base
        self.own: Table = {
            "extends": base.name,
            "schema": 1,
            "name": NAME,
            "title": f"a card as it was read, nearest to {base.name}",
            "title_zh": f"按读卡结果得出的卡，最接近{base.name}",
        }
        self.not_seen: list[tuple[str, str]] = []
        self.consequences: list[str] = []

    # --- writing -------------------------------------------------------------------------------------------------

    def _table(self, *keys: str) -> Table:
        here = self.own
        for key in keys:
            here = here.setdefault(key, {})
        return here

    def _say(self, *keys: str, **values: Any) -> None:
        """Values of a table, on this card's word."""
        self._table(*keys).update(values | SEEN)

    def _remove(self, section: str, *names: str) -> None:
        gone = self._table("remove").setdefault(section, [])
        gone += [name for name in names if name not in gone]

    def settle(self, own: Table) -> Layout:
        """The layout. What no layout can say of one file or application is left out, and said to be."""
        for __ in range(len(self.found.files) + 8):
            try:
                return load.extending(own, NAME)
            except LayoutError as error:
                self._leave_out(own, error)
        return self.base

    def _leave_out(self, own: Table, error: LayoutError) -> None:
        where = error.key.partition(".")[0]
        for section, name in self._named(own):
            quoted = f'{section}."{name}"' if "/" in name else f"{section}.{name}"
            if error.key.startswith(quoted):
                del own[section][name]
                self.not_seen.append((quoted, _("no layout can say it: {error}").format(error=error)))
                return
        if where in load.OPTIONAL:
            own.setdefault("remove", {}).setdefault("table", []).append(where)
            self.consequences.append(where)
            return
        if where == "roles":
            bound = (own.get("roles") or self.base.table["roles"])["insurance_region"]
            wrong = [error.key.startswith(f"roles.insurance_region[{number}].") for number in range(len(bound))]
            if any(wrong):
                own["roles"] = {"insurance_region": [one for one, bad in zip(bound, wrong, strict=True) if not bad]}
                return
        if where in own and where not in ("extends", "schema", "name"):
            del own[where]
            self.not_seen.append((where, _("no layout can say it: {error}").format(error=error)))
            return
        # What is wrong follows from what was drawn elsewhere: a card of which nothing fits a layout of ours.
        for key in [one for one in own if one not in OF_EVERY_DRAWING]:
            del own[key]
        self.not_seen.append((NAME, _("no layout can say it: {error}").format(error=error)))

    @staticmethod
    def _named(own: Table) -> list[tuple[str, str]]:
        return [(section, name) for section in ("file", "application") for name in own.get(section, {})]

    # --- the card as a whole -------------------------------------------------------------------------------------

    def card(self, atr: bytes) -> None:
        """Version, algorithm, ATR, PIN."""
        found, base = self.found, self.base
        if found.version and found.version != base.version:
            self.own["version"] = found.version
        if found.algorithm and found.algorithm != _usual(base):
            self.own["algorithms"] = [found.algorithm]
        self._answer_to_reset(atr)
        self._pin()

    def _answer_to_reset(self, atr: bytes) -> None:
        """Header and maker; of a card in a field its makers alone, and that it has this side."""
        base, told = self.base, AnswerToReset.parse(atr)
        if told is None or len(told.historical) != HISTORICAL:
            size = len(told.historical) if told else 0
            self.not_seen.append(("atr", _("no layout can say it: {size} historical bytes").format(size=size)))
            return
        own = {"header": (told.header, base.atr_header), "maker": (maker(atr), base.atr_maker)}
        if told.interface is Interface.CONTACTLESS:
            del own["header"]
            why = _("the card was read contactless: what it answers by its contacts was not asked")
            self.not_seen.append(("atr.header", why))
            if base.contactless is None:
                self._say("contactless")
        for key, (value, before) in own.items():
            if value != before:
                self._say("atr", **{key: value.hex(" ").upper()})

    def _pin(self) -> None:
        told = self.found.counters.get(PIN, "")
        if told.isdecimal():
            left = int(told)
            if left > self.base.pin.tries:
                self._say("pin", tries=left)
            elif left < self.base.pin.tries:
                why = _("{left} are left: whether more were there at first, the card does not tell").format(left=left)
                self.not_seen.append((_("how many tries the PIN has"), why))

    # --- applications --------------------------------------------------------------------------------------------

    def applications(self) -> None:
        """Missing ones, new ones, and what is otherwise in those that are there."""
        found = self.found.applications
        for name, spec in self.base.applications.items():
            if name not in found and spec.parent:
                if self._within_blocked(spec) or name in self.base.hidden:
                    continue
                self._without_application(name)
        for name, one in found.items():
            known_as = self.base.applications.get(name)
            if known_as is None:
                self._new_application(one)
            elif one.open:
                self._changed_application(one, known_as)
            else:
                self.not_seen.append((name, _("SELECT answers {sw:04X}").format(sw=one.sw)))

    def _within_blocked(self, spec: ApplicationSpec) -> bool:
        home = self.found.applications.get(spec.parent)
        return home is not None and not home.open

    def _without_application(self, name: str) -> None:
        children = [one.id for one in self.base.applications.values() if one.parent == name]
        for child in children:
            self._without_application(child)
        self._remove("application", name)
        files = [path for path, spec in self.base.files.items() if spec.application == name]
        keys = [key for key, one in self.base.keys.items() if one.application == name]
        if files:
            self._remove("file", *files)
        if keys:
            self._remove("key", *keys)
        for whole, spec in (("purse", self.base.purse), ("certificate", self.base.certificate)):
            if spec is not None and spec.application == name:
                self._remove("table", whole)
                self.consequences.append(whole)
        regions = [one for one in self._regions() if one["item"].partition("/")[0] != name]
        if len(regions) != len(self._regions()):
            self.own["roles"] = {"insurance_region": regions}
            self.consequences.append("roles.insurance_region")

    def _regions(self) -> list[Table]:
        roles: Table = self.own.get("roles") or self.base.table.get("roles") or {}
        return [dict(one) for one in roles.get("insurance_region", ())]

    def _new_application(self, one: Application) -> None:
        inner = shapes.shown_fci(one.fci)
        shown = Application(one.name, one.parent, False, fci=inner)
        spec: Table = {"parent": one.parent or ROOT, "fid": f"{one.fid or self._free_fid():04X}"}
        if one.fid is None:
            self.not_seen.append((f"application.{one.name}.fid", _("no file id that was tried selects it")))
        if one.dfname:
            spec["dfname"] = one.dfname.hex(" ").upper()
        if one.fci and one.dfname:
            spec["fci"] = "adf"
            spec |= {
                key: value.hex(" ").upper()
                for key, tag in (("proprietary", PROPRIETARY), ("discretionary", DISCRETIONARY))
                if (value := shown.objects(tag))
            }
        known_one = known.applications().get(one.name)
        if known_one is not None:  # as another national layout has it
            names = {"name": known_one.spec.name, "name_en": known_one.spec.name_en}
            spec |= {key: value for key, value in names.items() if value}
        self._say("application", one.name, **spec)

    def _free_fid(self) -> int:
        taken = {one.fid for one in self.found.applications.values()} | {one.fid for one in self.found.files.values()}
        return next(fid for fid in range(0x7F01, 0x7FFF) if fid not in taken)

    def _changed_application(self, one: Application, spec: ApplicationSpec) -> None:
        if one.fid is not None and one.fid != spec.fid:
            self._say("application", one.name, fid=f"{one.fid:04X}")
        if one.dfname and one.dfname != spec.dfname:
            self._say("application", one.name, dfname=one.dfname.hex(" ").upper())
        label = text.encode(spec.label) if spec.label else b""
        selects = "label" in one.ways
        if label and selects != spec.by_label and len(label) >= known.SHORTEST_NAME:
            self._say("application", one.name, by_label=selects)
        self._fci(one, spec)

    def _fci(self, one: Application, spec: ApplicationSpec) -> None:
        """The template of the FCI, where it can be said in parts."""
        if not spec.fci and not one.fci:
            return
        if not one.fci:
            self._say("application", one.name, fci="")
            return
        if not spec.fci:
            if one.objects(NAME_TAG):
                self._say("application", one.name, fci="adf", dfname=(one.objects(NAME_TAG) or b"").hex(" ").upper())
            return
        if spec.fci is Fci.DDF:
            self._environment(one, spec)
            return
        shown = Application(one.name, one.parent, True, fci=shapes.shown_fci(one.fci))
        for key, tag, before in (
            ("proprietary", PROPRIETARY, spec.proprietary),
            ("discretionary", DISCRETIONARY, spec.discretionary),
        ):
            value = one.objects(tag)
            if (value or b"") != before and _good_objects(value or b""):
                self._say("application", one.name, **{key: (shown.objects(tag) or b"").hex(" ").upper()})

    def _environment(self, one: Application, spec: ApplicationSpec) -> None:
        tells = one.algorithm is not None
        if tells != spec.tells_algorithm:
            self._say("application", one.name, tells_algorithm=tells)
        named = one.objects(PROPRIETARY, DIRECTORY_TAG) or b""
        if len(named) != 1:
            return
        path = f"{spec.parent}/EF{named[0]:02X}"
        there = path in self.found.files
        before = spec.directory
        after = path if there else ""
        if after != before and (there or named[0] == trees.UNLISTED):
            self._say("application", one.name, directory=after)

    # --- files ---------------------------------------------------------------------------------------------------

    def files(self) -> None:
        """Missing ones, new ones, and what is otherwise in those that are there."""
        found = self.found
        directories = {one.get("directory") for one in self.own.get("application", {}).values()}
        for path, spec in self.base.files.items():
            home = found.applications.get(spec.application)
            if home is not None and home.open and path not in found.files:
                self._remove("file", path)
                self._without_file(path)
        for path, file in found.files.items():
            base = self.base.files.get(path)
            if base is None or (file.structure == "transparent") != (base.structure is Structure.TRANSPARENT):
                if base is not None and not file.structure:
                    continue
                if base is not None:
                    self._remove("file", path)
                self._new_file(file, directory=path in directories)
            else:
                self._changed_file(file, base)

    def _without_file(self, path: str) -> None:
        for whole, used in (
            ("purse", self.base.purse and (self.base.purse.log, str(self.base.purse.switch or "").rpartition("/")[0])),
            ("certificate", self.base.certificate and (self.base.certificate.public, self.base.certificate.private)),
        ):
            if used and path in used:
                self._remove("table", whole)
                self.consequences.append(whole)
        plan = self.base.certificate
        for name in CERTIFICATE_FILES if plan is not None else ():
            if getattr(plan, name) == path:
                self._table("certificate")[name] = ""
        if plan is not None and path in (plan.encryption_public, plan.encryption_private):
            # One half of a pair is no pair.
            self._table("certificate").update(encryption_public="", encryption_private="", imports="never")
        for name, app in self.base.applications.items():
            drawn = self.own.get("application", {}).get(name, {})
            if app.directory == path and "directory" not in drawn and name in self.found.applications:
                self._say("application", name, directory="")
            if app.directory == path:
                self.consequences.append(f"application.{name}.directory")
        regions = [one for one in self._regions() if one["item"].rpartition("/")[0] != path]
        if len(regions) != len(self._regions()):
            self.own["roles"] = {"insurance_region": regions}
            self.consequences.append("roles.insurance_region")

    def _new_file(self, file: File, *, directory: bool) -> None:
        spec: Table = {"structure": file.structure or "records", "fid": f"{file.fid or file.sfi:04X}"}
        model = known.files().get(file.path)
        there = self.base.files.get(file.path)
        if model is not None:
            names = {"name": model.name, "name_en": model.name_en, "class": model.usage}
            spec |= {key: value for key, value in names.items() if value}
        if directory or (model is not None and model.directory):
            spec["directory"] = True
        spec["read"] = self._condition(file, there.read if there else None)
        spec["update"] = str(there.update) if there else "never"
        if file.fid is None:
            self.not_seen.append((f'file."{file.path}".fid', _("no file id that was tried selects it")))
        if not spec.get("directory"):
            self.not_seen.append((f'file."{file.path}".update', _("nothing is written to learn it")))
            spec |= self._new_content(file)
        self._say("file", file.path, **spec)
        if there is None:
            self._table("file", file.path)["access_grade"] = "D"

    def _new_content(self, file: File) -> Table:
        if file.structure == "transparent":
            if file.content is None:
                self.not_seen.append((f'file."{file.path}".size', _("it could not be read")))
            return {"size": len(file.content or b"\0")}
        if file.structure == "cyclic" and file.records:
            length = max(map(len, file.records))
            return {"records": len(file.records), "fields": [{"format": "b", "length": length, **SEEN}]}
        if not file.records:
            self.not_seen.append((f'file."{file.path}".items', _("it could not be read, or is empty")))
            return {"items": []}
        counts = Counter(record[0] for record in file.records)
        firsts = {record[0]: record for record in reversed(file.records)}
        return {
            "items": [
                self._new_item(tag, firsts[tag], counts[tag]) for tag in dict.fromkeys(r[0] for r in file.records)
            ]
        }

    @staticmethod
    def _new_item(tag: int, record: bytes, count: int) -> Table:
        entry: Table = {"tag": f"{tag:02X}", "format": _format(record[2:]), "length": max(1, len(record) - 2)}
        return entry | ({"count": count} if count > 1 else {})

    def _changed_file(self, file: File, spec: FileSpec) -> None:
        if file.fid is not None and file.fid != spec.fid:
            self._say("file", file.path, fid=f"{file.fid:04X}")
        read = self._condition(file, spec.read)
        if read != str(spec.read):
            grade = max(spec.access.grade, "1", key=GRADES.index)
            self._table("file", file.path).update(read=read, access_grade=grade, access_sources=[CARD_READING])
        if file.content is not None and file.whole and len(file.content) != spec.size:
            self._say("file", file.path, size=len(file.content))
        if file.records and not spec.directory:
            if spec.structure is Structure.CYCLIC:
                self._cyclic(file, spec)
            elif file.structure == "cyclic":
                self._remove("file", file.path)
                self._new_file(file, directory=False)
            else:
                self._items(file, spec)

    def _cyclic(self, file: File, spec: FileSpec) -> None:
        records = file.records or []
        if len(records) > spec.records:
            self._say("file", file.path, records=len(records))
        lengths = set(map(len, records))
        if lengths != {spec.record_length} and len(lengths) == 1:
            more = lengths.pop() - spec.record_length
            number = _longer_field(spec, more, records)
            if number:
                length = spec.items[number - 1].length + more
                self._say("file", file.path, "field", str(number), length=length)

    def _items(self, file: File, spec: FileSpec) -> None:
        """Items of other lengths one by one; the list anew where some are missing, more, or in another order."""
        records = file.records or []
        counts = Counter(record[0] for record in records)
        firsts: dict[int, bytes] = {}
        for record in records:
            firsts.setdefault(record[0], record)
        edits: dict[str, Table] = {}
        for item in spec.items:
            if item.tag not in firsts:
                continue
            change = _changed_item(item, firsts[item.tag][2:])
            if counts[item.tag] != item.count:
                change["count"] = counts[item.tag]
            if change:
                edits[item.label] = change | SEEN
        order = [f"{tag:02X}" for tag in firsts]
        if order == [item.label for item in spec.items]:
            if edits:
                self._table("file", file.path)["item"] = edits
            return
        entries = {str(one["tag"]).upper(): dict(one) for one in self.base.table["file"][file.path]["items"]}
        drawn = []
        for label in order:
            entry = entries.get(label)
            if entry is None:
                tag = int(label, 16)
                drawn.append(self._new_item(tag, firsts[tag], counts[tag]) | SEEN)
            else:
                drawn.append(_merged_item(entry, edits.get(label, {})))
        drawn = _with_continuations(drawn)
        self._table("file", file.path)["items"] = drawn
        kept = {one["item"] for one in self._regions()}
        lost = {f"{file.path}/{item.label}" for item in spec.items} - {f"{file.path}/{label}" for label in order}
        if kept & lost:
            self.own["roles"] = {"insurance_region": [one for one in self._regions() if one["item"] not in lost]}
            self.consequences.append("roles.insurance_region")
        purse = self.base.purse
        if purse is not None and str(purse.switch) in lost:
            self.consequences.append("purse")

    # --- access --------------------------------------------------------------------------------------------------

    def _condition(self, file: File, before: Condition | None) -> str:
        """Who may read: as the layout has it where nothing that was tried says otherwise."""
        tried = file.opened
        if not tried:
            return str(before or "never")
        if before is not None and all(before.satisfied(rights) == granted for rights, granted in tried.items()):
            return str(before)
        opening = sorted((rights for rights, granted in tried.items() if granted), key=len)
        if opening and not opening[0]:
            return "free"
        if opening:
            single = sorted({name for rights in opening if len(rights) == 1 for name in rights}, key=_pin_first)
            return " or ".join(single) if single else " and ".join(sorted(opening[0], key=_pin_first))
        guess = next(iter(self._untried(file)), "never")
        self.not_seen.append((
            f'file."{file.path}".read',
            _("nothing that was tried opens it; {guess} stands for what does").format(guess=guess),
        ))  # fmt: skip
        return guess

    def _untried(self, file: File) -> Iterable[str]:
        """What may yet open a file, the likeliest first."""
        tried = set[str]().union(*file.opened)
        home = file.application
        line = _ancestry(home, self.base.applications)
        if PIN not in tried and self.base.pin.application in line:
            yield PIN
        for prefix in ("RK", "UK"):
            for key in self.base.keys.values():
                reach = key.application in line and key.use is KeyUse.EXTERNAL
                if reach and key.name.startswith(prefix) and key.name not in tried:
                    yield key.name


def _usual(base: Layout) -> str:
    """The algorithm of a card that is made of a layout where nobody names one."""
    return USUAL_ALGORITHM if USUAL_ALGORITHM in base.algorithms else base.algorithms[0]


def _pin_first(name: str) -> tuple[bool, str]:
    return name != PIN, name


def _ancestry(application: str, applications: Mapping[str, ApplicationSpec]) -> list[str]:
    line = []
    while application:
        line.append(application)
        application = applications[application].parent if application in applications else HOME * (application != HOME)
        if len(line) > len(applications) + 2:
            break
    return line


def _good_objects(value: bytes) -> bool:
    try:
        ber.objects(value)
    except ValueError:
        return False
    return len(value) < 120


def _format(value: bytes) -> str:
    """What a value of an unknown item may be: text, digits, or bytes."""
    body = value.rstrip(b"\0")
    if body and all(0x20 <= one < 0x7F for one in body):
        return "an"
    digits = value.hex().upper().rstrip("F")
    return "cn" if digits.isdecimal() else "b"


def _changed_item(item: ItemSpec, value: bytes) -> Table:
    """What is otherwise in an item that is there: its length, or those of its elements."""
    if item.variable or (not item.elements and len(value) == item.length):
        return {}
    if not item.elements:
        return {"length": len(value)}
    inner = shapes.elements(value)
    if inner is None or [tag for tag, __ in inner] != [one.tag for one in item.elements]:
        return {}
    pairs = zip(inner, item.elements, strict=True)
    changed = {one.label: {"length": size} | SEEN for (__, size), one in pairs if size != one.length}
    return {"element": changed} if changed else {}


def _merged_item(entry: Table, edit: Table) -> Table:
    """An item's own table with what is otherwise."""
    edit = dict(edit)
    elements = edit.pop("element", {})
    if elements:
        entry["elements"] = [
            one | elements.get(str(one["tag"]).upper(), {}) for one in map(dict, entry.get("elements", []))
        ]
    return entry | edit


def _with_continuations(drawn: list[Table]) -> list[Table]:
    """A list in which nothing continues what is gone."""
    labels = {str(one["tag"]).upper() for one in drawn}
    return [
        {key: value for key, value in one.items() if key != "continues" or str(value).upper() in labels}
        for one in drawn
    ]


def _longer_field(spec: FileSpec, more: int, records: Sequence[bytes]) -> int:
    """Which field of a cyclic record is longer or shorter, from 1: the one with which dates and texts come out right;
    0 where none can be.
    """
    best, fits = 0, -1
    for number, one in enumerate(spec.items, 1):
        if one.length + more < 1:
            continue
        lengths = [two.length + (more if at == number else 0) for at, two in enumerate(spec.items, 1)]
        score = sum(_plausible(spec.items, lengths, record) for record in records) * 4 + (one.format == "an")
        if score > fits:
            best, fits = number, score
    return best


def _plausible(fields: Sequence[ItemSpec], lengths: Sequence[int], record: bytes) -> int:
    """How many fields of a record look like what they are, cut so."""
    at = score = 0
    for one, length in zip(fields, lengths, strict=True):
        value, at = record[at : at + length], at + length
        digits = value.hex().upper().rstrip("F")
        if one.format == "cn":
            score += digits.isdecimal() and (one.kind != "date" or digits[:2] in ("19", "20"))
        elif one.format == "an":
            body = value.rstrip(b"\0")
            score += bool(body) and 0 not in body
        else:
            score += 1
    return score
