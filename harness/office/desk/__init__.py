"""The desk: requests taken through the office, and what is looked up there."""
