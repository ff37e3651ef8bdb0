"""What users are told: worded once, and fit to be shown."""
