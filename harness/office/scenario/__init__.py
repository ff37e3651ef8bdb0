"""Scenarios: what the Measures ask, told as steps at a counter; run on the office, and to judge other software by."""
