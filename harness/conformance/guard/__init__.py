"""What keeps a card in a reader from harm: which commands a card counts, what vectors cost, and when to stop."""
