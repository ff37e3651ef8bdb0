"""Learning a real card: what it is, where it differs from the nearest layout, and a virtual twin of it."""
