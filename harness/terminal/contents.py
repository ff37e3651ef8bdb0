"""All that a card lets a terminal read: file by file, and why not where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import Structure
from emulator.security import Never
from harness.keys.access import TerminalError
from harness.keys.roots import UnknownKey
from harness.terminal.refused import Refused
from harness.terminal.terminal import Terminal
from harness.terminal.values import ItemValue


@dataclass(frozen=True, slots=True)
class FileContent:
    """What is in a file: ``items`` of records, or the ``bytes`` of a transparent one. ``unread``: why it was not read,
    in words; empty where it was.
    """

    spec: FileSpec
    items: tuple[ItemValue, ...] = ()
    bytes: bytes = b""
    unread: str = ""


def contents(terminal: Terminal) -> Iterator[FileContent]:
    """Every file of a card's layout as the card gives it, in order. The terminal has begun; rights that it holds or can
    win are used. What the layout lets nobody read is not asked for. PcscError where the card leaves.
    """
    for spec in terminal.layout.files.values():
        if spec.read == Never():
            yield FileContent(spec, unread=str(spec.read))
            continue
        try:
            if spec.structure is Structure.TRANSPARENT:
                yield FileContent(spec, bytes=terminal.read_binary(spec.path))
            else:
                yield FileContent(spec, tuple(terminal.read_file(spec.path)))
        except UnknownKey as error:
            yield FileContent(spec, unread=str(error))
        except TerminalError as error:
            if isinstance(error, Refused):
                terminal.application = ""  # where the card stands after a refused SELECT is not sure
            yield FileContent(spec, unread=str(error))
