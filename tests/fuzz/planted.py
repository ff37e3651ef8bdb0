"""A target with a fault that chance alone does not find: that coverage leads is tried on it."""

from __future__ import annotations

from emulator import ber


def planted(data: bytes) -> None:
    """Breaks where whole data objects hold one of tag 6F that holds one of tag A5 that is empty."""
    try:
        for tag, value in ber.objects(data):
            if tag == 0x6F:
                _inside(value)
    except ValueError:
        return


def _inside(value: bytes) -> None:
    for tag, own in ber.objects(value):
        if tag == 0xA5 and not own:
            raise AssertionError("planted")


TARGETS = {"planted": planted}
