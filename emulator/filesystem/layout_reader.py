"""From a layout's merged table to its ``Layout``: checks every key, and says what is wrong where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import TypeVar

from emulator.filesystem.specs import (
    ApplicationSpec,
    FileSpec,
    ItemSpec,
    KeySpec,
    Layout,
    LayoutError,
    PinSpec,
    RegionBinding,
    Table,
)
from emulator.security import PIN, Never, names_in, parse_condition

SCHEMA = 1
GRADES = ("S", "T", "1", "P", "D")
FORMATS = ("an", "cn", "b", "dec", "hex", "B-TLV")
STRUCTURES = ("records", "cyclic", "transparent")
KEY_USES = ("internal-authentication", "external-authentication", "messaging", "purse")

T = TypeVar("T")


class _Node:
    """One table of the layout: takes its keys one by one, and complains of what is left."""

    def __init__(self, source: str, key: str, table: object) -> None:
        if not isinstance(table, Mapping):
            raise LayoutError(source, key, f"expected a table, found {table!r}")
        self.source, self.key, self.rest = source, key, dict(table)

    def error(self, key: str, problem: str) -> LayoutError:
        return LayoutError(self.source, f"{self.key}.{key}" if self.key else key, problem)

    def take(self, key: str, kind: type[T], expected: str, default: T | None = None) -> T:
        value = self.rest.pop(key, default)
        if value is None:
            raise self.error(key, f"missing, expected {expected}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"expected {expected}, found {value!r}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        return self.take(key, str, "a text", default)

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.take(key, int, f"a number from {low} to {high}", default)
        if not low <= value <= high:
            raise self.error(key, f"expected a number from {low} to {high}, found {value}")
        return value

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        options = tuple(options)
        value = self.text(key, default)
        if value not in options:
            raise self.error(key, f"expected one of {', '.join(options)}, found {value!r}")
        return value

    def hexadecimal(self, key: str, sizes: range, default: str | None = None) -> bytes:
        size = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        expected = f"{size} bytes in hex"
        value = self.take(key, str, expected, default)
        try:
            result = bytes.fromhex(value)
        except ValueError:
            raise self.error(key, f"expected {expected}, found {value!r}") from None
        if len(result) not in sizes:
            raise self.error(key, f"expected {expected}, found {len(result)}")
        return result

    def parsed(self, key: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.text(key))
        except ValueError as error:
            raise self.error(key, str(error)) from None

    def nodes(self, key: str) -> list[_Node]:
        rows = self.take(key, list, "an array of tables")
        return [_Node(self.source, f"{self.key}.{key}[{n}]".lstrip("."), row) for n, row in enumerate(rows)]

    def done(self) -> None:
        for key in self.rest:
            raise self.error(key, "not a key of this table")


class LayoutReader:
    """Reads one merged table, section by section."""

    def __init__(self, source: str, table: Table) -> None:
        self.source = source
        self.table = table
        self.root = _Node(source, "", table)

    def layout(self) -> Layout:
        """The layout; LayoutError."""
        root = self.root
        schema = root.number("schema", 0, 10**6)
        if schema != SCHEMA:
            raise root.error("schema", f"this program reads schema {SCHEMA}, found {schema}")
        name, version = root.text("name"), root.text("version")
        title = root.text("title", "")
        title_zh = root.text("title_zh", title)
        algorithms = self._algorithms()
        atr = _Node(self.source, "atr", root.take("atr", dict, "a table"))
        header = atr.hexadecimal("header", range(4, 5))
        maker = atr.hexadecimal("maker", range(7, 8))
        atr.choice("grade", GRADES, "D")
        atr.done()
        if header[0] not in (0x3B, 0x3F) or header[1] & 0x0F != 13:
            raise atr.error(
                "header", f"expected TS and a T0 announcing 13 historical bytes, found {header.hex().upper()}"
            )
        applications = self._applications()
        keys = {key: self._key(node, key, applications) for key, node in self._section("key")}
        files = {path: self._file(node, path, applications, keys) for path, node in self._section("file")}
        pin = self._pin(applications, keys)
        regions = self._regions(files)
        root.done()
        text = json.dumps(self.table, ensure_ascii=False, sort_keys=True)
        return Layout(
            name, version, title, title_zh, algorithms, header, maker, applications, files, keys, pin, regions,
            self.table, sha256(text.encode()).hexdigest(),
        )  # fmt: skip

    def _algorithms(self) -> tuple[str, ...]:
        values = self.root.take("algorithms", list, "a list of algorithms")
        for value in values:
            if value == "ssf33":
                raise self.root.error("algorithms", "SSF33 is not public, so no card can be made with it")
            if value not in ("3des", "sm4"):
                raise self.root.error("algorithms", f"expected '3des' or 'sm4', found {value!r}")
        if not values:
            raise self.root.error("algorithms", "expected at least one of '3des', 'sm4'")
        return tuple(values)

    def _section(self, name: str) -> Iterable[tuple[str, _Node]]:
        for key, table in self.root.take(name, dict, "tables", {}).items():
            yield key, _Node(self.source, f'{name}."{key}"' if "/" in key else f"{name}.{key}", table)

    def _applications(self) -> dict[str, ApplicationSpec]:
        result: dict[str, ApplicationSpec] = {}
        for key, node in self._section("application"):
            result[key] = ApplicationSpec(
                id=key,
                parent=node.text("parent", ""),
                fid=int.from_bytes(node.hexadecimal("fid", range(2, 3)), "big"),
                dfname=node.hexadecimal("dfname", range(17), ""),
                fci=node.choice("fci", ("ddf", "adf", ""), ""),
                name=node.text("name", ""),
                name_en=node.text("name_en", ""),
                grade=node.choice("grade", GRADES, "D"),
                spare=node.number("spare", 0, 65535, 0),
            )
            if result[key].fci and not result[key].dfname:
                raise node.error("dfname", "missing: an FCI carries the name")
            if result[key].parent and result[key].parent not in result:
                raise node.error("parent", f"expected an application declared above, found {result[key].parent!r}")
            node.done()
        roots = [app.id for app in result.values() if not app.parent]
        if len(roots) != 1:
            raise LayoutError(self.source, "application", f"expected one application without a parent, found {roots}")
        return result

    def _key(self, node: _Node, name: str, applications: Mapping[str, ApplicationSpec]) -> KeySpec:
        if name == PIN:
            raise LayoutError(self.source, node.key, "PIN is no key's name")
        key = KeySpec(
            name=name,
            application=node.choice("application", applications),
            id=node.hexadecimal("id", range(1, 2))[0],
            use=node.choice("use", KEY_USES),
            levels=node.number("levels", 1, 3),
            tries=node.number("tries", 1, 15, 3),
            psam=node.text("psam", ""),
            hsm=node.text("hsm", ""),
            title=node.text("name", ""),
            title_en=node.text("name_en", ""),
            grade=node.choice("grade", GRADES, "D"),
        )
        node.done()
        return key

    def _file(
        self, node: _Node, path: str, applications: Mapping[str, ApplicationSpec], keys: Mapping[str, KeySpec]
    ) -> FileSpec:
        application, _, name = path.partition("/")
        if application not in applications or not re.fullmatch(r"EF(0[1-9A-F]|1[0-9A-E])", name):
            raise LayoutError(self.source, node.key, "expected APPLICATION/EFnn, nn from 01 to 1E in hex")
        structure = node.choice("structure", STRUCTURES)
        grade = node.choice("grade", GRADES, "D")
        conditions = []
        for right in ("read", "update"):
            condition = node.parsed(right, parse_condition)
            for key in names_in(condition):
                if key != PIN and key not in keys:
                    raise node.error(right, f"key {key!r} is not declared under key.")
                if key != PIN and keys[key].application not in self._ancestry(application, applications):
                    raise node.error(
                        right, f"key {key!r} lies in {keys[key].application}, out of reach of {application}"
                    )
            conditions.append(condition)
        items: tuple[ItemSpec, ...] = ()
        size = records = 0
        if structure == "records":
            items = tuple(self._item(child, grade, tagged=True) for child in node.nodes("items"))
            self._distinct(node, items)
        elif structure == "cyclic":
            records = node.number("records", 1, 254)
            items = tuple(self._item(child, grade, tagged=False) for child in node.nodes("fields"))
            length = sum(item.length for item in items)
            if not 1 <= length <= 255:
                raise node.error("fields", f"expected 1 to 255 bytes in all, found {length}")
        else:
            size = node.number("size", 1, 32768)
        spec = FileSpec(
            path=path,
            name=node.text("name", ""),
            name_en=node.text("name_en", ""),
            structure=structure,
            read=conditions[0],
            update=conditions[1],
            grade=grade,
            usage=node.choice("class", ("in use", "defined", "reserve"), "in use"),
            items=items,
            size=size,
            records=records,
        )
        node.done()
        return spec

    @staticmethod
    def _ancestry(application: str, applications: Mapping[str, ApplicationSpec]) -> list[str]:
        line = []
        while application:
            line.append(application)
            application = applications[application].parent
        return line

    def _item(self, node: _Node, grade: str, *, tagged: bool, element: bool = False) -> ItemSpec:
        tag = node.hexadecimal("tag", range(1, 2))[0] if tagged else None
        formats = FORMATS[:-1] if element or not tagged else FORMATS
        kind = node.choice("format", formats)
        elements: tuple[ItemSpec, ...] = ()
        if kind == "B-TLV":
            elements = tuple(self._item(child, grade, tagged=True, element=True) for child in node.nodes("elements"))
            self._distinct(node, elements)
            length = sum(2 + part.length for part in elements)
            if not 1 <= length <= 253:
                raise node.error("elements", f"expected 1 to 253 bytes in all, found {length}")
        else:
            length = node.number("length", 1, 253)
        item = ItemSpec(
            tag=tag,
            format=kind,
            length=length,
            name=node.text("name", ""),
            name_en=node.text("name_en", ""),
            grade=node.choice("grade", GRADES, grade),
            count=node.number("count", 1, 254, 1) if tagged and not element else 1,
            elements=elements,
        )
        node.done()
        return item

    @staticmethod
    def _distinct(node: _Node, items: Iterable[ItemSpec]) -> None:
        seen: set[int | None] = set()
        for item in items:
            if item.tag in seen:
                raise node.error("items", f"tag {item.label} is declared twice")
            seen.add(item.tag)

    def _pin(self, applications: Mapping[str, ApplicationSpec], keys: Mapping[str, KeySpec]) -> PinSpec:
        node = _Node(self.source, "pin", self.root.take("pin", dict, "a table"))
        minimum = node.number("min_digits", 1, 16)
        pin = PinSpec(
            application=node.choice("application", applications),
            min_digits=minimum,
            max_digits=node.number("max_digits", minimum, 16),
            tries=node.number("tries", 1, 15),
            initial=node.text("initial", ""),
            unblock_key=node.choice("unblock_key", keys),
            messaging_key=node.choice("messaging_key", keys),
            grade=node.choice("grade", GRADES, "D"),
        )
        if pin.initial and not (pin.initial.isdecimal() and minimum <= len(pin.initial) <= pin.max_digits):
            raise node.error("initial", f"expected {minimum} to {pin.max_digits} digits, or nothing for no PIN")
        node.done()
        return pin

    def _regions(self, files: Mapping[str, FileSpec]) -> tuple[RegionBinding, ...]:
        roles = _Node(self.source, "roles", self.root.take("roles", dict, "a table", {}))
        bindings = []
        for node in roles.nodes("insurance_region") if "insurance_region" in roles.rest else ():
            item = node.text("item")
            path, _, label = item.rpartition("/")
            spec = files.get(path)
            found = spec.item(int(label, 16)) if spec and re.fullmatch("[0-9A-F]{2}", label) else None
            if spec is None or found is None:
                raise node.error("item", f"expected an item of this layout like DF03/EF05/61, found {item!r}")
            if (found.format, found.length) != ("cn", 3):
                raise node.error("item", f"a region is cn of 3 bytes, {item} is {found.format} of {found.length}")
            if isinstance(spec.update, Never):
                raise node.error("item", f"nothing may update {path}")
            bindings.append(RegionBinding(path, int(label, 16), node.text("insurance"), node.text("insurance_en", "")))
            node.done()
        roles.done()
        return tuple(bindings)
