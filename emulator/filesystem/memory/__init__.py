"""Memory: what a card holds now, written so that a power cut leaves old or new, and its image in a file."""
