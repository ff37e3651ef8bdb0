"""A persona as a TOML file to edit: every item there is, with its name in both languages and what may stand in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.personas.issue import COMPUTED

WIDTH = 112
"""Hex digits a line."""


def text(table: Mapping[str, Any], layouts: Iterable[Layout], *, heading: str = "", hints: bool = True) -> str:
    """The file: keys, then every file and item of the layouts in their order. Of several layouts of a version the first
    that has a file describes it; files of an older version that the table gives stand under that version.

    ``hints``: format, length and meaning beside each item.
    """
    known = list(layouts)
    lines = [*(f"# {line}".rstrip() for line in heading.splitlines()), *([""] if heading else [])]
    lines += [f"{key} = {_scalar(table[key])}" for key in ("name", "title", "title_zh", "card") if key in table]
    if table.get("remove"):
        lines += ["# 卡上没有的记录 records that the card does not have", *_list("remove", list(table["remove"]))]
    for key in ("chip", "pin", "state", "purse"):
        if key in table:
            lines += ["", f"[{key}]   # {SECTIONS[key]}"]
            lines += [f"{name} = {_scalar(value)}{_note(key, name)}" for name, value in table[key].items()]
    files: dict[str, FileSpec] = {}
    versions = table.get("versions", {})
    for layout in known:
        if layout.version not in versions:
            files |= {path: spec for path, spec in layout.files.items() if path not in files and not spec.directory}
        else:
            files |= {
                path: spec for path, spec in layout.files.items() if path not in files and path in table["values"]
            }
    for path, spec in files.items():
        lines += _file(("values", path), table["values"].get(path, {}), spec, hints=hints)
    for version, own in versions.items():
        specs = {path: spec for layout in known if layout.version == version for path, spec in layout.files.items()}
        lines += [
            "",
            f"# {version}: 该版本中相同标签的数据项含义不同 where the same tags mean other things in that version",
        ]
        for path, values in own.items():
            lines += _file(("versions", version, path), values, specs[path], hints=hints)
    return "\n".join(lines) + "\n"


def extending(table: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]], layout: Layout) -> str:
    """A file that extends another persona: its keys, and of some files the items that differ."""
    lines = [f"{key} = {_scalar(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    for key, section in table.items():
        if isinstance(section, Mapping):
            lines += ["", f"[{key}]   # {SECTIONS[key]}"]
            lines += [f"{name} = {_scalar(value)}{_note(key, name)}" for name, value in section.items()]
    for path, held in values.items():
        spec = layout.files[path]
        lines += ["", f"[{_key(('values', path))}]   # {spec.name} {spec.name_en}"]
        for item in spec.items:
            if item.label in held:
                lines += _item(item, held[item.label], hints=True)
    return "\n".join(lines) + "\n"


def _key(path: tuple[str, ...]) -> str:
    return ".".join(part if part.isalpha() else _scalar(part) for part in path)


SECTIONS = {
    "chip": "芯片 the chip",
    "pin": "密码 the PIN",
    "state": "卡片状态 the card's state",
    "purse": "医疗账户 the medical account, in fen, as the log leaves it",
}
NOTES = {
    "chip.region": "发卡地区 region of issue, GB/T 2260",
    "chip.serial": "芯片序列号 TA-TD of the ATR, 4 bytes, one for each card",
    "pin.digits": "4 to 16 digits",
}


def _note(section: str, key: str) -> str:
    note = NOTES.get(f"{section}.{key}")
    return f"   # {note}" if note else ""


def _file(path: tuple[str, ...], values: Mapping[str, Any], spec: FileSpec, *, hints: bool) -> Iterator[str]:
    yield ""
    yield f"[{_key(path)}]   # {spec.name} {spec.name_en}".rstrip(" #")
    if spec.structure is Structure.TRANSPARENT:
        if hints:
            yield f"# 至多{spec.size}字节 at most {spec.size} bytes, in hex"
        yield from _hex(values.get("hex", ""))
    elif spec.structure is Structure.CYCLIC:
        yield "# 最新的在前，每条依次为 newest first, each with these:"
        yield from (f"#   {_described(item, hints=hints)}" for item in spec.items)
        yield from _list("records", values.get("records", []))
    else:
        for item in spec.items:
            if f"{spec.path}/{item.label}" not in COMPUTED:
                yield from _item(item, values.get(item.label), hints=hints)


def _item(item: ItemSpec, value: Any, *, hints: bool) -> Iterator[str]:
    if item.elements:
        yield f"# {item.label} {item.name} {item.name_en}:".replace("  ", " ")
        yield from (f"#   {part}" for part in _parts(item, hints=hints))
    if item.elements and item.count > 1:
        held = [one for one in (value if isinstance(value, list) else [value]) if one]
        yield from _list(item.label, held)
    elif item.elements:
        yield f"{item.label} = {_scalar(value or {})}"
    else:
        yield f"{item.label} = {_scalar(value or '')}   # {_described(item, hints=hints)}"


def _parts(item: ItemSpec, *, hints: bool) -> Iterator[str]:
    for part in item.elements:
        if part.elements:
            yield from _parts(part, hints=hints)
        else:
            yield f"{part.label} {_described(part, hints=hints)}"


def _described(item: ItemSpec, *, hints: bool) -> str:
    named = f"{item.name} {item.name_en}".strip()
    if not hints:
        return named
    size = f"{item.format} {item.length}" + (f", {item.kind}" if item.kind not in ("", "text") else "")
    table = f" {item.codes}" if item.codes and item.kind == "code" else ""
    return f"{named} [{size}{table}]".strip()


def _list(key: str, values: list[Any]) -> Iterator[str]:
    if not values:
        yield f"{key} = []"
        return
    yield f"{key} = ["
    for value in values:
        yield f"    {_scalar(value)},"
    yield "]"


def _hex(content: str) -> Iterator[str]:
    digits = "".join(content.split())
    if len(digits) <= WIDTH:
        yield f'hex = "{digits}"'
        return
    yield 'hex = """'
    yield from (digits[at : at + WIDTH] for at in range(0, len(digits), WIDTH))
    yield '"""'


def _scalar(value: Any) -> str:
    """A value on one line of TOML."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {_scalar(held)}" for key, held in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, bool | int):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
