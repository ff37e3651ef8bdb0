"""The live page: readers, the session, the card, verdicts and the office, seen in a browser."""
