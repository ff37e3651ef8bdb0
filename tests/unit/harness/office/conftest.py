from __future__ import annotations

from tests.kit.postgres import cluster, database, either

__all__ = ["cluster", "database", "either"]
