"""Python sources as trees, each parsed once in a process: many tests read all of them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def tree(path: Path) -> ast.Module:
    """A source's tree, to be read alone: others are given the same."""
    return ast.parse(path.read_text(encoding="utf-8"))
