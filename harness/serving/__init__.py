"""``sscard run``: cards in readers, served and steered until someone ends it."""
