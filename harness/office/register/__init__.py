"""The register: persons, outlets, cards and their life, pending work and the audit trail, in one SQLite database."""
