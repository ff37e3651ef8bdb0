"""The letter as PDF, set by WeasyPrint in fonts that have every character of it, and are embedded."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.office.letter.form import Letter, LetterError, html

FOLDER = Path("/usr/share/fonts/truetype")
FONTS = (FOLDER / "arphic-gbsn00lp" / "gbsn00lp.ttf", FOLDER / "babelstone" / "BabelStoneHan.ttf")
"""Two of one Song design: the mainland's punctuation and common characters, then the rare ones that names have."""


class CannotPrint(SscardError, RuntimeError):
    """What a PDF needs is not installed."""

    kind = ErrorKind.MISSING
    word = "printer"


def pdf(letter: Letter, fonts: Sequence[Path] = FONTS) -> bytes:
    """The letter as PDF, each character in the first font that has it.

    CannotPrint if WeasyPrint, Pango or a font is not there. LetterError if no font has a character: a box in place of a
    name would be signed unseen.
    """
    weasyprint = _weasyprint()
    page = html(letter)
    _check(page, fonts)
    names = [f"Letter-{place}" for place in range(len(fonts))]
    rules = [
        f"@font-face {{ font-family: {name}; src: url({font.resolve().as_uri()}) }}"
        for name, font in zip(names, fonts, strict=True)
    ]
    config = weasyprint.text.fonts.FontConfiguration()
    style = weasyprint.CSS(
        string="\n".join([*rules, f"body {{ font-family: {', '.join(names)} }}"]), font_config=config
    )
    printed = weasyprint.HTML(string=page).write_pdf(stylesheets=[style], font_config=config)
    return bytes(printed)


def _weasyprint() -> Any:
    # Where Pango is missing, WeasyPrint prints advice of its own before it raises.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            import weasyprint
            import weasyprint.text.fonts
        except ImportError:
            raise CannotPrint(_("a letter as PDF needs WeasyPrint: pip install 'sscard[office]'")) from None
        except OSError as error:
            raise CannotPrint(
                _("a letter as PDF needs Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0 ({error})").format(
                    error=error
                )
            ) from None
    return weasyprint


def _check(page: str, fonts: Sequence[Path]) -> None:
    known = frozenset().union(*map(_characters, fonts))
    missing = sorted(character for character in set(page) - known if not character.isspace())
    if missing:
        where = " or ".join(font.name for font in fonts)
        raise LetterError(
            _("no glyph for {missing} in {where}: write it otherwise, or add a font").format(
                missing=", ".join(map(_named, missing)), where=where
            )
        )


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() else code


@cache
def _characters(font: Path) -> frozenset[str]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(font, fontNumber=0, lazy=True) as opened:
            return frozenset(map(chr, opened.getBestCmap()))
    except FileNotFoundError:
        raise CannotPrint(
            _(
                "a letter as PDF needs Chinese fonts, {font} is not there: apt-get install "
                "fonts-arphic-gbsn00lp fonts-babelstone-han, or name others"
            ).format(font=font)
        ) from None
    except (OSError, TTLibError) as error:
        raise CannotPrint(_("{font} cannot be used as a font: {error}").format(font=font, error=error)) from None
