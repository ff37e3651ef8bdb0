"""How long a card that another program uses is waited for: the bounds, and the variable that says otherwise."""

from __future__ import annotations

READER_WAIT, WAIT_VARIABLE = 3.0, "SSCARD_READER_WAIT"
"""Seconds to wait for a card that another program uses, and the variable that says otherwise. [D]"""
LONGEST_WAIT = 600.0
