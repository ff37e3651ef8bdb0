"""Layouts: what a kind of card holds, as data (TOML), with its items, code tables and their meanings."""
