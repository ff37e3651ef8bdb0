"""The annex of the Measures: the letter of commitment that an agent signs (article 32), filled, as HTML and as PDF."""

from harness.office.letter.form import Letter, LetterError, Party, html
from harness.office.letter.typeset import CannotPrint, pdf

__all__ = ["CannotPrint", "Letter", "LetterError", "Party", "html", "pdf"]
