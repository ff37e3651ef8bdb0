"""A card to look at: its tree, what is in it, who may do what, and how two moments of it differ."""
