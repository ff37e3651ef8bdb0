"""Personas of one's own: made anew, and every value checked."""
