"""Where keys come from: the published test roots, and their diversification down to one card.

The roots are test keys, made from their names, known to everyone: no card in circulation carries them.
"""

from __future__ import annotations

from hashlib import sha256

from emulator.crypto import sm3
from emulator.crypto.suite import Suite


def test_root(name: str, version: int = 1) -> bytes:  # noqa: PT028
    """The 16-byte test root of a version of the key ``name`` (``UKSSSE``, ``IRK``…)."""
    text = name if version == 1 else f"{name} version {version}"
    return sha256(f"sscard test root key {text}".encode()).digest()[:16]


# pytest would collect it by its name wherever it is imported.
test_root.__test__ = False  # type: ignore[attr-defined]


def pin_key(pin: str, *, text: bool = False) -> bytes:
    """The 16-byte key that stands for a PIN of the certificate application: the first half of SM3 over it in BCD.
    [S: prog-z390, prog-t10-certificates]

    ``text``: over its digits as text, as older layouts have it, where that PIN was authenticated as a key is.
    """
    return sm3.digest(pin.encode() if text else bytes.fromhex(pin + "F" * (len(pin) % 2)))[:16]


def factors(region: str, chip_factor: bytes, levels: int) -> list[bytes]:
    """The diversification factors, 8 bytes each, in the order they are applied. [S: part9:7.3, prog-huada-usb]

    ``region``: six digits; ``chip_factor``: the ATR's last 8 bytes (T6-TD); ``levels``: 3 province, city and card;
    2 city and card; 1 card only.
    """
    province = region[:2].encode() + b"0000sh"
    city = region.encode() + b"sx"
    return [province, city, chip_factor][3 - levels :]


def card_key(suite: Suite, root: bytes, region: str, chip_factor: bytes, levels: int) -> bytes:
    """The key of one card, 16 bytes: the root diversified level by level. [S: part9:7.1.1, reference:card §6]"""
    key = root
    for factor in factors(region, chip_factor, levels):
        key = suite.derive(key, factor)
    return key
