"""Verdicts and reports: below conformance, monitor and scenarios alike."""
