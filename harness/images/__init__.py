"""Images: two states of a card compared, and power cut at every write."""
