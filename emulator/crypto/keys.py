"""Where keys come from: the published test roots, and their diversification down to one card.

The roots are test keys, made from their names, known to everyone: no card in circulation carries them.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives import hashes

from emulator.crypto.suite import Suite


def test_root(name: str, version: int = 1) -> bytes:  # noqa: PT028
    """The 16-byte test root of a version of the key ``name`` (``UKSSSE``, ``IRK``…)."""
    text = name if version == 1 else f"{name} version {version}"
    return sha256(f"sscard test root key {text}".encode()).digest()[:16]


# pytest would collect it by its name wherever it is imported.
test_root.__test__ = False  # type: ignore[attr-defined]


def pin_key(pin: str) -> bytes:
    """The 16-byte key that stands for the certificate application's PIN: the first half of SM3 over its digits. [D]"""
    digest = hashes.Hash(hashes.SM3())
    digest.update(pin.encode())
    return digest.finalize()[:16]


def factors(region: str, chip_factor: bytes, levels: int) -> list[bytes]:
    """The diversification factors, 8 bytes each, in the order they are applied. [S]

    ``region``: six digits; ``chip_factor``: the ATR's last 8 bytes (T6-TD); ``levels``: 3 province, city and card;
    2 city and card; 1 card only.
    """
    province = region[:2].encode() + b"0000sh"
    city = region.encode() + b"sx"
    return [province, city, chip_factor][3 - levels :]


def card_key(suite: Suite, root: bytes, region: str, chip_factor: bytes, levels: int) -> bytes:
    """The key of one card, 16 bytes: the root diversified level by level. [S]"""
    key = root
    for factor in factors(region, chip_factor, levels):
        key = suite.derive(key, factor)
    return key
