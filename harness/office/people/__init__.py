"""People: made-up ones, and the protection of their data."""
