"""Traces: what went between terminal and card, written down, decoded."""
