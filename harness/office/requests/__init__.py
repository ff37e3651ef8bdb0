"""Requests: what is asked of the office, as models, and as people write them in files."""
