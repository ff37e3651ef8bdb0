"""How local services for web counters talk, as data: one TOML file for each dialect, or one of the user's own."""
