"""A card worked on by hand: the words of vectors' steps, one at a time."""
