"""Cases: one request with all that rules look at and operations act on."""
