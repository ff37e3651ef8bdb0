"""Pages as PDF, set by WeasyPrint in fonts that have the characters, Chinese ones among them, and are embedded."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.extras import brought

FOLDER = Path("/usr/share/fonts/truetype")
SONG = (FOLDER / "arphic-gbsn00lp" / "gbsn00lp.ttf", FOLDER / "babelstone" / "BabelStoneHan.ttf")
"""Two of one Song design: the mainland's punctuation and common characters, then the rare ones that names have."""


class CannotPrint(SscardError, RuntimeError):
    """What a PDF needs is not installed."""

    kind = ErrorKind.MISSING
    word = "printer"


def pdf(page: str, fonts: Sequence[Path] = SONG, before: Iterable[str] = ()) -> bytes:
    """A page as PDF, each character in the first font that has it: those ``before`` by their names, where they are
    installed, then the files.

    CannotPrint if WeasyPrint, Pango or a font is not there.
    """
    weasyprint = _weasyprint()
    for font in fonts:
        characters(font)
    names = [f"Printed-{place}" for place in range(len(fonts))]
    rules = [
        f"@font-face {{ font-family: {name}; src: url({font.resolve().as_uri()}) }}"
        for name, font in zip(names, fonts, strict=True)
    ]
    families = ", ".join([*(f'"{name}"' for name in before), *names])
    config = weasyprint.text.fonts.FontConfiguration()
    style = weasyprint.CSS(string="\n".join([*rules, f"body {{ font-family: {families} }}"]), font_config=config)
    printed = weasyprint.HTML(string=page).write_pdf(stylesheets=[style], font_config=config)
    return bytes(printed)


def check() -> None:
    """CannotPrint if WeasyPrint or Pango is not there."""
    _weasyprint()


def missing(page: str, fonts: Sequence[Path] = SONG) -> list[str]:
    """The characters of a page that none of the fonts has, each once. CannotPrint for a font that is not there."""
    known = frozenset().union(*map(characters, fonts))
    return sorted(character for character in set(page) - known if not character.isspace())


def _weasyprint() -> Any:
    # Where Pango is missing, WeasyPrint prints advice of its own before it raises.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            import weasyprint
            import weasyprint.text.fonts
        except ImportError:
            raise CannotPrint(_("a PDF needs WeasyPrint: {command}").format(command=brought("office"))) from None
        except OSError as error:
            raise CannotPrint(
                _("a PDF needs Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0 ({error})").format(error=error)
            ) from None
    return weasyprint


@cache
def characters(font: Path) -> frozenset[str]:
    """What a font has. CannotPrint where it is not there or is none."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(font, fontNumber=0, lazy=True) as opened:
            return frozenset(map(chr, opened.getBestCmap()))
    except FileNotFoundError:
        raise CannotPrint(
            _(
                "a PDF needs Chinese fonts, {font} is not there: apt-get install "
                "fonts-arphic-gbsn00lp fonts-babelstone-han, or name others"
            ).format(font=font)
        ) from None
    except (OSError, TTLibError) as error:
        raise CannotPrint(_("{font} cannot be used as a font: {error}").format(font=font, error=error)) from None
