"""Scenarios: what the Measures ask of an office, played and judged."""
