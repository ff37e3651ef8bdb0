"""Readers: PC/SC and pcscd on this machine, connections to cards in them, and what is wrong where none is found."""
