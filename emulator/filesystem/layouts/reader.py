"""From a layout's merged table to its ``Layout``: checks every key, and says what is wrong where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from emulator.filesystem.layouts import contactless as contactless_table
from emulator.filesystem.layouts import features as features
from emulator.filesystem.layouts import habits as habits_table
from emulator.filesystem.layouts import item_tables
from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.paths import FilePath, PsamKey
from emulator.filesystem.layouts.specs import (
    ApplicationSpec,
    Basis,
    FileSpec,
    ItemSpec,
    KeySpec,
    Layout,
    LayoutError,
    Table,
)
from emulator.filesystem.layouts.terms import CardKind, Fci, ItemFormat, KeyUse, Messaging, Structure
from emulator.filesystem.memory import directory as directory_file
from emulator.messages import _
from emulator.security import PIN, Condition, Never, names_in, parse_condition

SCHEMA = 1
DATA_TAG = re.compile("[0-9A-F]{4}")
DATA_TAG = re.compile("[0-9A-F]{4}")
PIN_DIGITS = re.compile("[0-9]{4,16}")


def fingerprint_of(table: Table) -> str:
    """SHA-256 of a merged table, in hex. TypeError for values that JSON has not."""
    return sha256(json.dumps(table, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class LayoutReader:
    """Reads one merged table, section by section."""

    def __init__(self, source: str, table: Table) -> None:
        self.source = source
        self.table = table
        self.root = Node(source, "", table)
        self.card = ""
        self.whole = False

    def layout(self) -> Layout:
        """Returns the layout that the table describes. LayoutError naming file and key."""
        root = self.root
        schema = root.number("schema", 0, 10**6)
        if schema != SCHEMA:
            raise root.error(
                "schema", _("this program reads schema {ours}, found {found}").format(ours=SCHEMA, found=schema)
            )
        name, version = root.text("name"), root.text("version")
        title = root.text("title", "")
        title_zh = root.text("title_zh", title)
        algorithms = self._algorithms()
        self.whole = root.choice("continuations", item_tables.CONTINUATIONS, "split") == "whole"
        follows_class = root.choice("get_response_class", ("00", "any"), "00") == "any"
        header, maker, basis = self._atr()
        card = self.card = root.member("card", CardKind, CardKind.USER)
        schemes = {key: features.messaging(node, key) for key, node in self._section("messaging")}
        applications = self._applications(schemes)
        keys = {key: self._key(node, key, applications) for key, node in self._section("key")}
        self._check_applications(applications, keys)
        self._check_keys(keys)
        pin = features.pin(root, applications, keys)
        files = {
            path: self._file(node, path, applications, keys, pin.application) for path, node in self._section("file")
        }
        self._check_files(applications, files)
        regions = features.insurance_region(root, files)
        blocking = features.blocking(root, keys)
        activation = features.activation(root, keys)
        personalisation = features.personalisation(root, keys)
        purse = features.purse(root, applications, files, keys)
        certificate = features.certificate(root, applications, files, keys)
        key_files = features.key_files(root, applications, keys)
        habits = habits_table.habits(root, {*applications, *files})
        within_reach = self._conditions(applications, keys, pin.application)
        contactless = contactless_table.contactless(root, card, applications, files, within_reach)
        root.done()
        return Layout(
            name, version, title, title_zh, card, algorithms, header, maker, basis, applications, files, keys, pin,
            regions, schemes, blocking, activation, personalisation, purse, certificate, key_files, self.table,
            fingerprint_of(self.table), follows_class, habits, contactless,
            frozenset(app.id for app in applications.values() if app.contactless_only),
        )  # fmt: skip

    def _atr(self) -> tuple[bytes, bytes, Basis]:
        """TS, T0 and interface bytes, held against ISO/IEC 7816-3; and T1-T7, of the 13 historical bytes."""
        atr = Node(self.source, "atr", self.root.take("atr", dict, "a table"))
        header = atr.hexadecimal("header", range(2, 18))
        maker = atr.hexadecimal("maker", range(7, 8))
        basis = Basis(atr.grade(), atr.sources())
        atr.done()
        shown = header.hex().upper()
        if header[0] not in (0x3B, 0x3F) or header[1] & 0x0F != 13:
            raise atr.error(
                "header", _("expected TS and a T0 announcing 13 historical bytes, found {shown}").format(shown=shown)
            )
        at, announced = 2, header[1] >> 4
        while announced:
            size = announced.bit_count()
            if at + size > len(header):
                raise atr.error(
                    "header",
                    _("expected {at} interface bytes more, found {shown}").format(
                        at=at + size - len(header), shown=shown
                    ),
                )
            at += size
            last = header[at - 1] if announced & 8 else 0
            if last & 0x0F:
                raise atr.error(
                    "header",
                    _(
                        "TD {byte:02X} offers T={protocol}: such an ATR ends with TCK, and this card speaks T=0 alone"
                    ).format(byte=last, protocol=last & 0x0F),
                )  # fmt: skip
            announced = last >> 4
        if at != len(header):
            raise atr.error(
                "header",
                _("T0 and TD announce {at} interface bytes, {count} stand in {shown}").format(
                    at=at - 2, count=len(header) - 2, shown=shown
                ),
            )
        return header, maker, basis

    def _algorithms(self) -> tuple[str, ...]:
        values = self.root.take("algorithms", list, _("a list of algorithms"))
        for value in values:
            if value == "ssf33":
                raise self.root.error("algorithms", _("SSF33 is not public, so no card can be made with it"))
            if value not in ("3des", "sm4"):
                raise self.root.error("algorithms", _("expected '3des' or 'sm4', found {value!r}").format(value=value))
        if not values:
            raise self.root.error("algorithms", _("expected at least one of '3des', 'sm4'"))
        return tuple(values)

    def _section(self, name: str) -> Iterable[tuple[str, Node]]:
        for key, table in self.root.take(name, dict, "tables", {}).items():
            yield key, Node(self.source, f'{name}."{key}"' if "/" in key else f"{name}.{key}", table)

    def _applications(self, schemes: Iterable[str]) -> dict[str, ApplicationSpec]:
        result: dict[str, ApplicationSpec] = {}
        for key, node in self._section("application"):
            if not re.fullmatch("[A-Za-z0-9]+", key):
                raise LayoutError(self.source, node.key, _("expected a name of letters and digits"))
            result[key] = ApplicationSpec(
                id=key,
                parent=node.text("parent", ""),
                fid=int.from_bytes(node.hexadecimal("fid", range(2, 3)), "big"),
                dfname=node.hexadecimal("dfname", range(17), ""),
                fci=node.member("fci", Fci, Fci.NONE),
                name=node.text("name", ""),
                name_en=node.text("name_en", ""),
                grade=node.grade(),
                spare=node.number("spare", 0, 65535, 0),
                proprietary=node.objects("proprietary", range(120)),
                discretionary=node.objects("discretionary", range(120)),
                processing=node.hexadecimal("processing", range(120), ""),
                messaging=node.choice("messaging", ("", *schemes), ""),
                messaging_key=node.text("messaging_key", ""),
                block=node.parsed("block", parse_condition, "free"),
                label=node.gbk("label", 16),
                by_label=node.truth("by_label", False),
                dfname_sm4=node.hexadecimal("dfname_sm4", range(17), ""),
                directory=node.text("directory", ""),
                tells_algorithm=node.truth("tells_algorithm", True),
                sources=node.sources(),
                data=self._data(node),
                contactless_only=node.truth("contactless_only", False),
            )
            try:
                __ = result[key].options
            except ValueError as error:
                raise node.error("proprietary", _("9F38 is no data object list: {error}").format(error=error)) from None
            if result[key].by_label and not result[key].label:
                raise node.error("label", _("missing: by_label is true"))
            if result[key].fci and not result[key].dfname:
                raise node.error("dfname", _("missing: an FCI carries the name"))
            if result[key].parent and result[key].parent not in result:
                raise node.error(
                    "parent",
                    _("expected an application declared above, found {parent!r}").format(parent=result[key].parent),
                )
            node.done()
        roots = [app.id for app in result.values() if not app.parent]
        if len(roots) != 1:
            raise LayoutError(
                self.source,
                "application",
                _("expected one application without a parent, found {roots}").format(roots=roots),
            )
        return result

    @staticmethod
    def _data(node: Node) -> dict[int, bytes]:
        """The data objects of an application: values by tag, less those that a layout has emptied."""
        table = Node(node.source, f"{node.key}.data", node.take("data", dict, _("a table of values by tag"), {}))
        found: dict[int, bytes] = {}
        for tag in list(table.rest):
            if not DATA_TAG.fullmatch(tag):
                raise table.error(tag, _("expected a tag of four hex digits, as GET DATA names it in P1 and P2"))
            if value := table.hexadecimal(tag, range(64)):
                found[int(tag, 16)] = value
        return found

    def _check_applications(self, applications: Mapping[str, ApplicationSpec], keys: Mapping[str, KeySpec]) -> None:
        """What applications say of keys, once those are known."""
        for app in applications.values():
            where = f"application.{app.id}"
            for name in (*names_in(app.block), *filter(None, (app.messaging_key,))):
                if name != PIN and name not in keys:
                    raise LayoutError(
                        self.source, where, _("key {name!r} is not declared under key.").format(name=name)
                    )

    def _check_keys(self, keys: Mapping[str, KeySpec]) -> None:
        """No two keys of one place, id and use: P2 could mean either."""
        seen: dict[tuple[str, int, str], str] = {}
        for key in keys.values():
            if key.use is KeyUse.DELIVERY:  # told apart by usage as well
                continue
            other = seen.setdefault((key.application, key.id, key.use), key.name)
            if other != key.name:
                raise LayoutError(
                    self.source,
                    f"key.{key.name}.id",
                    _("{application} has {other} under id {id:02X} for {use} already").format(
                        application=key.application, other=other, id=key.id, use=key.use
                    ),
                )

    def _check_files(self, applications: Mapping[str, ApplicationSpec], files: Mapping[str, FileSpec]) -> None:
        """File ids are unique where SELECT looks; a directory lies in the application or above it."""
        taken: dict[tuple[str, int], str] = {(app.parent, app.fid): app.id for app in applications.values()}
        for spec in files.values():
            other = taken.setdefault((spec.application, spec.fid), spec.path)
            if other != spec.path:
                raise LayoutError(
                    self.source,
                    f'file."{spec.path}".fid',
                    _("{fid:04X} is {other}'s already in {application}").format(
                        fid=spec.fid, other=other, application=spec.application
                    ),
                )
        for app in applications.values():
            if app.directory and not (
                app.directory in files
                and files[app.directory].directory
                and files[app.directory].application in self._ancestry(app.id, applications)
            ):
                raise LayoutError(
                    self.source,
                    f"application.{app.id}.directory",
                    _("expected a directory file of {id} or above it, found {directory!r}").format(
                        id=app.id, directory=app.directory
                    ),
                )

    def _key(self, node: Node, name: str, applications: Mapping[str, ApplicationSpec]) -> KeySpec:
        if name == PIN:
            raise LayoutError(self.source, node.key, _("PIN is not the name of a key"))
        psam = node.text("psam", "")
        try:
            root = PsamKey.parse(psam) if psam else None
        except ValueError as error:
            raise node.error("psam", str(error)) from None
        key = KeySpec(
            name=name,
            application=node.choice("application", applications),
            id=node.hexadecimal("id", range(1, 2))[0],
            use=node.member("use", KeyUse),
            levels=node.number("levels", 1, 3),
            tries=node.number("tries", 0, 15, 3),
            versions=node.number("versions", 1, 3, 1),
            pin=node.text("pin", ""),
            psam=root,
            hsm=node.text("hsm", ""),
            title=node.text("name", ""),
            title_en=node.text("name_en", ""),
            grade=node.grade(),
            sources=node.sources(),
        )
        if root and root.levels > key.levels:
            raise node.error(
                "psam",
                _("usage {usage:02X} has {levels} levels, the key {own}").format(
                    usage=root.usage, levels=root.levels, own=key.levels
                ),
            )
        if (key.use is KeyUse.PIN) > bool(PIN_DIGITS.fullmatch(key.pin)):
            raise node.error("pin", _("expected 4 to 16 digits, found {count} characters").format(count=len(key.pin)))
        node.done()
        return key

    def _file(
        self,
        node: Node,
        path: str,
        applications: Mapping[str, ApplicationSpec],
        keys: Mapping[str, KeySpec],
        pin_home: str,
    ) -> FileSpec:
        application, name = FilePath.parse(path)
        if application not in applications or not re.fullmatch(r"EF(0[1-9A-F]|1[0-9A-E])", name):
            raise LayoutError(self.source, node.key, _("expected APPLICATION/EFnn, nn from 01 to 1E in hex"))
        structure = node.member("structure", Structure)
        fid = int.from_bytes(node.hexadecimal("fid", range(2, 3), self._usual_fid(application, name)), "big")
        directory = node.truth("directory", False)
        grade, sources = node.grade(), node.sources()
        access = node.sources(() if "access_grade" in node.rest else sources, "access_sources")
        usage = node.choice("class", item_tables.CLASSES, "")
        parent = ItemSpec(None, ItemFormat.HEX, 0, "", "", grade, usage=usage, sources=sources)
        within_reach = self._conditions(applications, keys, pin_home)
        conditions = [within_reach(node, right, application, None) for right in ("read", "update")]
        items: tuple[ItemSpec, ...] = ()
        size = records = 0
        if directory:
            if structure is not Structure.RECORDS or conditions[1] != Never():
                raise node.error("directory", _("expected a file of records that nothing may update"))
            items = directory_file.ITEMS
        elif structure is Structure.RECORDS:
            items = item_tables.records(node, parent, whole=self.whole)
        elif structure is Structure.CYCLIC:
            records = node.number("records", 1, 254)
            items = item_tables.fields(node, parent)
            length = sum(item.length for item in items)
            if not 1 <= length <= 255:
                raise node.error("fields", _("expected 1 to 255 bytes in all, found {length}").format(length=length))
        else:
            size = node.number("size", 1, 32768)
        spec = FileSpec(
            path=path,
            fid=fid,
            name=node.text("name", ""),
            name_en=node.text("name_en", ""),
            structure=structure,
            read=conditions[0],
            update=conditions[1],
            access=Basis(node.grade(grade, "access_grade"), access),
            grade=grade,
            usage=usage,
            items=items,
            size=size,
            records=records,
            read_messaging=node.member("read_messaging", Messaging, Messaging.NONE),
            update_messaging=node.member("update_messaging", Messaging, Messaging.NONE),
            rewrite=node.truth("rewrite", False),
            directory=directory,
            sources=sources,
        )
        node.done()
        return spec

    def _conditions(
        self, applications: Mapping[str, ApplicationSpec], keys: Mapping[str, KeySpec], pin_home: str
    ) -> contactless_table.ReadsCondition:
        """Reads access conditions, whose keys must be found from where their file lies."""

        def within_reach(node: Node, right: str, application: str, default: str | None) -> Condition:
            condition = node.condition(right, keys, default)
            for name in names_in(condition):
                home = pin_home if name == PIN else keys[name].application
                if home not in self._ancestry(application, applications):
                    what = (
                        _("key {name!r} lies in {home}").format(name=name, home=home)
                        if home
                        else _("this card has no PIN")
                    )
                    raise node.error(
                        right, _("{what}, out of reach of {application}").format(what=what, application=application)
                    )
            return condition

        return within_reach

    def _usual_fid(self, application: str, name: str) -> str:
        """The file id where a layout names none: EF and the SFI, or 00 and the SFI in a PSAM, and where certificates
        and bank are.
        """
        national = self.card is CardKind.USER and (
            application in ("MF", "SSSE") or re.fullmatch("DF[0-9A-F]{2}", application)
        )
        return ("EF" if national else "00") + name[2:]

    @staticmethod
    def _ancestry(application: str, applications: Mapping[str, ApplicationSpec]) -> list[str]:
        line = []
        while application:
            line.append(application)
            application = applications[application].parent
        return line
