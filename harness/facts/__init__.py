"""Facts about real cards: where each stands, how sure it is, and on whose word (docs/sources.toml)."""
