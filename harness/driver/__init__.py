"""SSCardDriver, the library that counter software calls: its functions, formats and codes over any cards."""
