"""What the wheel holds: ``emulator`` and ``harness`` inside ``sscard``, so that a user's own packages of these names
neither break it nor are hidden by it. A hook of hatchling's.

In the tree both stand at the top. On their way into the wheel they move, and their imports of one another are written
anew, line for line; at the top stay two packages that stand for them (``sscard/alias.py``).
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MOVED = ("emulator", "harness")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.mo*", "*.pot")
IMPORTED = re.compile(rf"\b(from|import)(\s+)({'|'.join(MOVED)})\b")
STAND_IN = """\"\"\"Another name of ``sscard.{name}``, unless the user has a package called {name}.\"\"\"

from sscard.alias import stand_in

stand_in(__name__)
"""


class WheelHook(BuildHookInterface[Any]):
    """Lays the wheel out before it is packed; what is installed as editable stays the tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the moved packages to what is packed."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory(prefix="sscard-wheel-")
        laid_out = Path(self._folder.name)
        lay_out(Path(self.root), laid_out)
        for entry in sorted(laid_out.iterdir()):
            build_data["force_include"][str(entry)] = entry.name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Removes what was laid out."""
        if version != "editable":
            self._folder.cleanup()


def lay_out(root: Path, to: Path) -> None:
    """The wheel's packages, of this tree, into a folder."""
    shutil.copytree(root / "sscard", to / "sscard", ignore=LEFT_OUT)
    for name in MOVED:
        shutil.copytree(root / name, to / "sscard" / name, ignore=LEFT_OUT)
        (to / name).mkdir()
        (to / name / "__init__.py").write_text(STAND_IN.format(name=name), encoding="utf-8")
    shutil.copytree(root / "vectors", to / "sscard" / "harness" / "vectors")
    shutil.copyfile(root / "docs" / "sources.toml", to / "sscard" / "harness" / "sources" / "sources.toml")
    compile_catalogues(to / "sscard" / "emulator")
    for path in (to / "sscard").rglob("*.py"):
        path.write_text(moved(path.read_text(encoding="utf-8")), encoding="utf-8")


def compile_catalogues(emulator: Path) -> None:
    """Each catalogue of messages as programs read it, in the place of its source: by the tree's own code, which needs
    nothing that must be installed.
    """
    spec = importlib.util.spec_from_file_location("sscard_po", emulator / "messages" / "po.py")
    assert spec is not None
    assert spec.loader is not None
    po = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = po  # where dataclasses look their own module up
    try:
        spec.loader.exec_module(po)
    finally:
        del sys.modules[spec.name]
    for path in (emulator / "locale").rglob("*.po"):
        path.with_suffix(".mo").write_bytes(po.compiled(path.read_text(encoding="utf-8")))
        path.unlink()


def moved(source: str) -> str:
    """A module's text with its absolute imports of what moves as they are in the wheel. ValueError for one that binds
    the top-level name, which would be another there.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names if one.name.partition(".")[0] in MOVED]
            if any(one.asname is None for one in node.names if one.name in names):
                raise ValueError(f"line {node.lineno}: import {names[0]} binds a name that the wheel moves: use from")
        elif not isinstance(node, ast.ImportFrom) or node.level or str(node.module).partition(".")[0] not in MOVED:
            continue
        else:
            names = [str(node.module)]
        if names:
            at = node.lineno - 1
            lines[at] = IMPORTED.sub(r"\1\2sscard.\3", lines[at])
    return "".join(lines)
