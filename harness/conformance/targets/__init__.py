"""Targets: what vectors are run on."""
