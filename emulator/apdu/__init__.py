"""Commands and answers: their bytes, their meaning, and what the card does with them."""
