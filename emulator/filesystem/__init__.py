"""What the card stores: files and their items, laid out by TOML files, kept in a non-volatile memory."""
