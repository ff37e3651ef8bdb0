"""Text from elsewhere made fit to be shown: what a terminal or a reader of reports would obey is seen instead.

Cards, titles, layouts, traces and readers' names may hold escape sequences, which move the cursor, name windows or set
the clipboard, and marks that turn the order of writing around, so that one line looks like another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TextIO, cast

from emulator.textfiles import writing

OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction
    r"\u00ad\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # nothing to be seen
    r"\u2028\u2029"  # ends of lines
    r"\ud800-\udfff\ufffe\uffff"  # no characters
    r"\U000e0000-\U000e0fff]"  # tags
)


def visible(text: str) -> str:
    r"""The text, each character that would be obeyed or not be seen as ``\x1b`` or ``\u202e``; tabs and lines stay."""
    return OBEYED.sub(lambda found: _escaped(found.group()), text)


def visible_line(text: str) -> str:
    """The same, its ends of lines too: what a card says makes no line of its own."""
    return visible(text).replace("\n", "\\x0a")


def visible_in(value: Any) -> Any:
    """The same of every text in lists and mappings, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible_in(name): visible_in(one) for name, one in value.items()}
    return [visible_in(one) for one in value] if isinstance(value, list | tuple) else value


def _escaped(letter: str) -> str:
    """As JSON and Python read it too: what is shown of a program's JSON is the same JSON."""
    if letter < " ":
        return f"\\x{ord(letter):02x}"
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


PRINTED = "what is printed"


class FittingStream:
    """A text stream that takes everything: what the terminal's encoding lacks is escaped, as a name in Chinese is no
    reason to fail.
    """

    encoding = "utf-8"  # of what is taken: click would go around a stream that says ASCII

    def __init__(self, stream: TextIO, shown: Callable[[str], str] = str) -> None:
        """``shown``: what is printed of a text."""
        self._stream, self._shown = stream, shown

    def write(self, text: str) -> int:
        """Writes it; the number of characters taken."""
        if not isinstance(text, str):
            raise TypeError(f"expected str, found {type(text).__name__}")
        shown = self._shown(text)
        own = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            shown.encode(own)
        except UnicodeEncodeError:
            shown = "".join(letter if _holds(own, letter) else _escaped(letter) for letter in shown)
        with writing.named(PRINTED):
            self._stream.write(shown)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes each line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Writes on what is held back; OSError says that it is about what is printed."""
        with writing.named(PRINTED):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class VisibleStream(FittingStream):
    """The same, on which everything is visible."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, visible)

    @property
    def controlled(self) -> FittingStream:
        """The stream for what this program itself has a terminal obey: a bar that moves. Nothing from elsewhere goes
        there but what ``visible_line`` gave.
        """
        return FittingStream(self._stream)


def controlled(stream: TextIO) -> TextIO:
    """What a terminal's own controls are written to: see ``VisibleStream.controlled``."""
    return cast(TextIO, stream.controlled) if isinstance(stream, VisibleStream) else stream


def _holds(encoding: str, letter: str) -> bool:
    return bool(letter.encode(encoding, "ignore"))
