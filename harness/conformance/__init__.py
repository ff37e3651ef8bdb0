"""Conformance: vectors are data, run alike against any connection."""
