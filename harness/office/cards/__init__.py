"""Cards: what a chip is to hold, where cards are kept, the one in the reader, and what is written on it."""
