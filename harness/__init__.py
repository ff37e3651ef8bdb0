"""All that tests with the virtual card: connections, terminal, traces, vectors, and the command ``sscard``."""
