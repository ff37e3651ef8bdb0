"""The mark of a card: the same whenever this machine reads it, and nothing that anybody could compute it from.

A serial number has 32 bits: whatever hash of it is published, all of them are tried in minutes. So the mark is made
with a secret of this machine's own, drawn once and kept among what this user's programs must not forget.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from harness.keys.spent import state_folder

FILE = "card-marks.key"
SIZE = 32
DIGITS = 16


def mark(identity: bytes, folder: Path | None = None) -> str:
    """The mark of a card, 16 hex digits. ``identity``: identification code and ATR as the card gave them; empty: it
    gave none, and its mark is chance, as it is where the secret can be neither read nor kept.
    """
    secret = _secret((folder or state_folder()) / FILE) if identity else None
    if secret is None:
        return secrets.token_hex(DIGITS // 2)
    return hmac.new(secret, b"card " + identity, sha256).hexdigest()[:DIGITS]


def _secret(path: Path) -> bytes | None:
    """The secret, drawn where there is none yet; of two that draw it at once, one's counts for both."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                drawn.touch(mode=0o600)
                drawn.write_bytes(secrets.token_bytes(SIZE))
                try:
                    os.link(drawn, path)
                finally:
                    drawn.unlink()
        held = path.read_bytes()
        return held if len(held) == SIZE else None
    return None
