"""Image files dropped on the page: judged as any card image, and kept as copies that a run can hold."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

from emulator.errors import SscardError
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.textfiles.text import FormatError, decoded
from harness.keys.spent import state_folder
from harness.studio.readers import kept_files
from harness.web.refusals import Problem

LARGEST = 8 * 1024 * 1024
"""Bytes of an image; one with a photograph is a few hundred thousand. [D]"""
NAME = re.compile(r"[0-9a-f]{16}")
SOURCE = "image"
"""What the file is called in messages: its own name is the user's affair."""


def folder() -> Path:
    """Where the copies are kept."""
    return state_folder() / "studio" / "images"


def kept(name: str) -> Path:
    """The copy that ``keep`` gave this name. Problem where there is none."""
    path = folder() / f"{name}.json"
    if not NAME.fullmatch(name) or not path.is_file():
        raise Problem(404, "missing", _("no such image: drop the file once more"))
    return path


def keep(content: bytes) -> dict[str, Any]:
    """Judges a file's bytes and keeps them; what card it is, and the copy's name and path. Problem."""
    if len(content) > LARGEST:
        raise Problem(413, "size", _("expected an image of at most {count} bytes").format(count=LARGEST))
    try:
        image = Image.from_text(decoded(content, SOURCE), SOURCE)
    except FormatError as error:
        raise Problem(422, "input", _("{what}; damaged, or no card image").format(what=error.what)) from None
    except SscardError as error:
        raise Problem(422, "input", str(error)) from None
    name = secrets.token_hex(8)
    path = folder() / f"{name}.json"
    kept_files.keep(path, content)
    return {
        "image": name,
        "path": str(path),
        "layout": image.layout.name,
        "algorithm": image.algorithm,
        "atr": image.atr.hex().upper(),
        "card": str(image.layout.card),
    }
