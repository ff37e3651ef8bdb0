"""A file's text, whoever saved it: UTF-8 with or without a byte order mark, lines ended in either way."""

from __future__ import annotations

from pathlib import Path

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred

MOST = 16 * 1024 * 1024
"""Bytes of a file, unless its reader says otherwise. [D]"""
MARK = b"\xef\xbb\xbf"
CUT_OFF = deferred("it ends in the middle: the file is cut off, or something is not closed")
WIDE = {
    b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
}  # fmt: skip


class FormatError(SscardError, ValueError):
    """A text that cannot be read. ``source``: whose; ``line``, from 1, or 0 where no line is to blame; ``what``."""

    kind = ErrorKind.INPUT

    def __init__(self, source: object, what: str, line: int = 0) -> None:
        super().__init__(
            _("{source}, line {line}: {what}").format(source=source, line=line, what=what)
            if line
            else f"{source}: {what}"
        )
        self.source, self.what, self.line = str(source), what, line


def read(path: Path, most: int = MOST) -> str:
    """A file's text, without a byte order mark, lines ended by ``\\n``. FormatError, OSError."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FormatError(path, _("is too large: expected up to {most} bytes").format(most=most))
    return decoded(content, path)


def decoded(content: bytes, source: object) -> str:
    """Returns a file's bytes as text, without its byte order mark. FormatError for what is not UTF-8 text."""
    for mark, name in WIDE.items():
        if content.startswith(mark):
            raise FormatError(source, _("is {name}: save it as UTF-8").format(name=name))
    content = content.removeprefix(MARK)
    if not content.strip():
        raise FormatError(source, _("is empty"))
    if (at := content.find(b"\0")) >= 0:
        if _wide(content):
            raise FormatError(source, _("looks like UTF-16: save it as UTF-8"))
        raise FormatError(source, _("is not text: byte {at} is NUL").format(at=at), _line(content, at))
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        what = _("ends in the middle of a character")
        if error.end != len(content) or not _half(error):
            what = _("expected UTF-8 text, byte {at} is not; if it is GBK or GB 18030, save it as UTF-8").format(
                at=error.start
            )
        raise FormatError(source, what, _line(content, error.start)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _wide(content: bytes) -> bool:
    """True where every second byte of the beginning is NUL."""
    head = content[:64]
    return len(head) > 3 and (not any(head[::2]) or not any(head[1::2]))


def _half(error: UnicodeDecodeError) -> bool:
    return error.reason == "unexpected end of data"


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1
