"""Sources: on whose word facts about real cards are said (docs/sources.toml), and whether they bear a grade."""
