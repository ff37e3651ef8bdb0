"""QR codes as pictures. TEST stands under the code in the same black squares: a screenshot cannot lose it."""

from __future__ import annotations

import io
import struct
import zlib
from types import SimpleNamespace
from typing import Any

import segno

TITLE = "测试 TEST"
QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""
SCALE = 6
"""Pixels to a module."""
TEXT = (
    "### ### ### ###",
    " #  #   #    # ",
    " #  ##  ###  # ",
    " #  #     #  # ",
    " #  ### ###  # ",
)
IHDR_END = 33


def svg(text: str) -> str:
    """A QR code of a text as SVG, TEST under it and 测试 TEST as its title."""
    return _drawn(text, "svg", title=TITLE, xmldecl=False, light="#fff").decode()


def png(text: str) -> bytes:
    """Returns a text's QR code as PNG."""
    picture = _drawn(text, "png")
    chunk = b"iTXtTitle\0\0\0zh-CN\0\0" + TITLE.encode()
    # The CRC covers type and data, the length data alone.
    titled = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return picture[:IHDR_END] + titled + picture[IHDR_END:]


def _drawn(text: str, kind: str, **options: Any) -> bytes:
    rows = _captioned([list(row) for row in segno.make_qr(text, error="m").matrix])
    out = io.BytesIO()
    # Documented, but left out of segno's stubs: it draws any rectangle of modules handed to it as a code.
    code = segno.QRCode(SimpleNamespace(matrix=rows, version=None, error=None, mask=0, segments=()))  # type: ignore[call-arg]
    code.save(out, kind=kind, scale=SCALE, border=QUIET, **options)
    return out.getvalue()


def _captioned(rows: list[list[int]]) -> list[list[int]]:
    """The code's rows, white below them, then the letters in the middle, as large as the code lets them be."""
    width = len(rows[0])
    size = width // (len(TEXT[0]) + QUIET)
    letters = [[int(square == "#") for square in line for _ in range(size)] for line in TEXT for _ in range(size)]
    left = (width - len(letters[0])) // 2
    right = width - len(letters[0]) - left
    white = ([0] * width for _ in range(QUIET))
    return [*rows, *white, *([0] * left + line + [0] * right for line in letters)]
