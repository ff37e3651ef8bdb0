"""Which vectors stand for which item of the standard, on which versions and algorithms; gaps shown, not hidden."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emulator.messages import _, chinese_first
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError
from harness.conformance.vector import ITEMS, Vector, VectorError
from harness.verdicts.matrix import Row
from harness.verdicts.subject import Proof

PROFILES = (("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4"))


def matrix(vectors: Iterable[Vector], folder: Path) -> list[Row]:
    """Every item of ``items.yaml`` in this folder; VectorError where a vector names an item that is not there."""
    path = folder / ITEMS
    items = _items(path) if path.exists() else []
    vectors = list(vectors)
    known = {one["id"] for one in items}
    for vector in vectors:
        for item in (vector.standard, *vector.covers) if items else ():
            if item not in known:
                nearest = get_close_matches(item, known, n=1)
                hint = _("; did you mean {names}?").format(names=nearest[0]) if nearest else ""
                raise VectorError(
                    _("{path}: {id}: standard {item!r} is not in {path_2}{hint}").format(
                        path=vector.path, id=vector.id, item=item, path_2=path, hint=hint
                    )
                )
    rows = []
    for one in items:
        mine = [vector for vector in vectors if one["id"] in (vector.standard, *vector.covers)]
        cells = {
            f"{version}-{algorithm}": tuple(vector.id for vector in mine if vector.applies(version, algorithm))
            for version, algorithm in PROFILES
        }
        proof = {str(kind): tuple(vector.id for vector in mine if vector.proof == kind) for kind in Proof}
        rows.append(
            Row(one["id"], one["part"], one["title"], one["title_zh"], one.get("gap", ""), cells, proof=proof,
                gap_zh=one.get("gap_zh", ""))
        )  # fmt: skip
    return rows


def item_ids(folder: Path) -> list[str]:
    """The ids of the standard's items that a folder lists; VectorError."""
    return [one["id"] for one in _items(folder / ITEMS)]


def _items(path: Path) -> list[dict[str, Any]]:
    try:
        items = as_yaml.load(path)
    except FormatError as error:
        raise VectorError(str(error)) from None
    expected = {"id": str, "part": int, "title": str, "title_zh": str}
    for number, one in enumerate(items if isinstance(items, list) else [None], 1):
        if not isinstance(one, dict) or not all(isinstance(one.get(name), kind) for name, kind in expected.items()):
            raise VectorError(
                _("{path}: item {number}: expected a list of items, each with {expected}").format(
                    path=path, number=number, expected=", ".join(expected)
                )
            )
    return list(items)


def markdown(rows: Iterable[Row]) -> str:
    """The matrix as a table of numbers of vectors: by what they show a card against, then by profile."""
    profiles = [f"{version}-{algorithm}" for version, algorithm in PROFILES]
    columns = [*Proof, *profiles]
    lines = [f"| LD/T 6001 | {_('item')} | " + " | ".join(columns) + " |", "| --- | --- |" + " --- |" * len(columns)]
    for row in rows:
        part = _("part {part}").format(part=row.part) if row.part else _("ours")
        named = " ".join(dict.fromkeys((row.id, chinese_first(row.title, row.title_zh))))
        gap = f"– {chinese_first(row.gap, row.gap_zh, '；')}".rstrip()
        proof = [str(len(row.proof[kind]) or "–") for kind in Proof]
        numbers = [str(len(row.cells[name])) if row.cells[name] else gap for name in profiles]
        lines.append(f"| {part} | {named} | " + " | ".join([*proof, *numbers]) + " |")
    return "\n".join(lines) + "\n"
