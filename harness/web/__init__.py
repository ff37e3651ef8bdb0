"""What the harness serves over HTTP: the same guards, errors and pages for every service."""
