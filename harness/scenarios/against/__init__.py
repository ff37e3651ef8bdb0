"""Other makers' offices, driven over HTTP by all scenarios through an adapter file."""
