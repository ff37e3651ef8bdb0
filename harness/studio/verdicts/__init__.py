"""Verdicts on the page: what can be run, what is run, how far it is, and what came of it."""
