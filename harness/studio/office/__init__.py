"""The office on the page: the office's own service below /office, and what the page knows of it without a token."""
