"""One file per step of the schema, never changed once it is out."""
