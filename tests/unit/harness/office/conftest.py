from __future__ import annotations

from tests.kit.postgres import cluster, database, either, in_a_file, wherever_said

__all__ = ["cluster", "database", "either", "in_a_file", "wherever_said"]
