"""Programs proved: run after run, each judged, on this machine or on many."""
