"""Keys: who holds roots and computes under card keys for a terminal that holds none."""
