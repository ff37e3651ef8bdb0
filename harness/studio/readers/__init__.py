"""The Readers part of the page: what is in each slot, and steering it."""
