"""Programs that no one here wrote, unmodified, on a card served here: what each must say (docs/clients.md)."""
