"""Every fault at every command of a program, each in a run of its own, and what the program made of it."""
