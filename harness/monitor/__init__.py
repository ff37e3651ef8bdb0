"""Judges a terminal by what it sends: rules over a session, live or recorded."""
