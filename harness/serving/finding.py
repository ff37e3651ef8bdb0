"""What one check of ``sscard doctor`` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``level``: ok, warning (works, but know this) or fault."""

    check: str
    level: str
    detail: str
    remedy: str = ""
