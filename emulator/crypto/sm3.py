"""SM3 (GB/T 32905)."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

SIZE = 32


def digest(data: bytes) -> bytes:
    """Returns the SM3 digest, 32 bytes."""
    context = hashes.Hash(hashes.SM3())
    context.update(data)
    return context.finalize()
