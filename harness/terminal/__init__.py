"""The reference terminal: what counter software does with a card."""
