"""The letter as PDF: a box in place of a name would be signed unseen, so every character must be in its fonts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emulator.messages import _
from harness.messages import printed
from harness.messages.printed import CannotPrint
from harness.office.letter.form import Letter, LetterError, html

__all__ = ["FONTS", "CannotPrint", "pdf"]
FONTS = printed.SONG


def pdf(letter: Letter, fonts: Sequence[Path] = FONTS) -> bytes:
    """The letter as PDF, each character in the first font that has it.

    CannotPrint if WeasyPrint, Pango or a font is not there. LetterError if no font has a character.
    """
    printed.check()
    page = html(letter)
    _check(page, fonts)
    return printed.pdf(page, fonts)


def _check(page: str, fonts: Sequence[Path]) -> None:
    if missing := printed.missing(page, fonts):
        where = " or ".join(font.name for font in fonts)
        raise LetterError(
            _("no glyph for {missing} in {where}: write it otherwise, or add a font").format(
                missing=", ".join(map(_named, missing)), where=where
            )
        )


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() else code
