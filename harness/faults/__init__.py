"""Faults put into a card's session on purpose: which, when and where, and the chip that has them."""
