"""SELECT: by name, by file id, and the EFs under the current DF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import WHOLE, Instruction, check_declared
from emulator.apdu.instructions.touched import Content
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import ApplicationSpec, FileSpec
from emulator.filesystem.layouts.terms import CardKind, Selection
from emulator.filesystem.memory import files
from emulator.filesystem.memory.cells import ApplicationLife
from emulator.filesystem.memory.files import Directory
from emulator.messages import because

ANY, CHILD, EF, BY_NAME = 0x00, 0x01, 0x02, 0x04
"""P1: what is named, and how."""
FOLLOWING = 0x02
"""P2 of the next one by the same name."""


@dataclass(slots=True)
class Select(Instruction):
    """Makes a DF or EF current. An EF answers no data and keeps the DF's security state.
    [S: part5:6.11.1, prog-z390, prog-yx]
    """

    name = "SELECT"
    name_zh = "选择文件"
    cla = 0x00
    ins = 0xA4
    source = "[T: part5:6.11]"
    p1p2 = {
        0x0000: "MF, DF or EF by file id; no data: MF",
        0x0100: "DF under the current DF",
        0x0200: "EF under the current DF",
        0x0202: "EF under the current DF",
        0x0400: "by name, first",
        0x0402: "by name, next",
    }
    lengths = frozenset(range(17))
    answers = "FCI"
    answer_holds = Content.FCI
    harmless_data = WHOLE  # a file's id or an application's name
    case4 = True
    status: ClassVar[tuple[int, ...]] = (0x6283, 0x6700, 0x6A81, 0x6A82, 0x6A86, 0x9303)
    anywhere = True
    when_blocked = True

    by_file_id: ClassVar[frozenset[int]] = frozenset({ANY})
    """P1 by which a file id may be a DF's too."""

    by: int
    following: bool
    target: bytes

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """By name 5 to 16 bytes, by id 2 (or none, for the MF)."""
        check_declared(cls, command)
        size = len(command.data)
        if command.p1 == BY_NAME:
            if size < 5:
                raise CardError(SW.WRONG_LENGTH, f"a name has 5 to 16 bytes, {size} came")
        elif size != 2 and (command.p1 or size or command.le):
            raise CardError(SW.WRONG_LENGTH, f"a file id has 2 bytes, {size} came")

    @classmethod
    def command(cls, name: bytes, *, following: bool = False) -> CommandAPDU:
        """By name, the first or the one after the current DF."""
        return cls.apdu(name, BY_NAME << 8 | (FOLLOWING if following else 0))

    @classmethod
    def by_id(cls, fid: int, by: int = ANY) -> CommandAPDU:
        """By file id: a DF or EF, or with ``CHILD`` a DF and with ``EF`` an EF under the current DF."""
        return cls.apdu(fid.to_bytes(2, "big"), by << 8)

    @classmethod
    def application(cls, spec: ApplicationSpec) -> CommandAPDU:
        """By its name, or by its file id where it has none."""
        return cls.command(spec.dfname) if spec.dfname else cls.by_id(spec.fid)

    @classmethod
    def touches(cls, command: CommandAPDU) -> Select:
        """Returns what is to be found: itself, parsed."""
        return cls.parse(command)

    @classmethod
    def way(cls, card: CardState, command: CommandAPDU) -> Selection | None:
        """By name, by part of one, or by the id of what lies where; None where nothing is found."""
        here = card.session.directory
        select = cls.parse(command)
        found = select.meant(card.directories, here)
        if found is None:
            return None
        if select.by == BY_NAME:
            whole = isinstance(found, Directory) and select.target in found.spec.names
            return Selection.NEXT if select.following else Selection.NAME if whole else Selection.PART
        if isinstance(found, FileSpec):
            return Selection.EF if select.by == ANY else Selection.EF_02
        if select.by == CHILD:
            return Selection.CHILD_01
        near = {
            Selection.MF: found.parent is None,
            Selection.SELF: found is here,
            Selection.CHILD: found.parent is here,
            Selection.PARENT: found is here.parent,
        }
        return next((way for way, so in near.items() if so), Selection.SIBLING)

    @classmethod
    def parse(cls, command: CommandAPDU) -> Select:
        """From P1 (how), P2 (first or next) and the data."""
        return cls(command.p1, command.p2 == FOLLOWING, command.data)

    def meant(self, directories: list[Directory], here: Directory) -> Directory | FileSpec | None:
        """The DF or EF, from the current DF; None if there is none. ``directories``: all there are, the MF first."""
        if self.by == BY_NAME:
            return files.by_name(directories, self.target, here if self.following else None)
        fid = int.from_bytes(self.target, "big")
        if self.by == CHILD:
            return next((one for one in here.children if one.spec.fid == fid), None)
        found = files.by_id(directories[0], here, self.target) if self.by in self.by_file_id else None
        return found or here.ids.get(fid)

    def execute(self, card: CardState) -> bytes:
        """The FCI of a DF, nothing for an EF or the MF; 6A82."""
        here = card.session.directory
        found = self.meant(card.directories, here)
        if isinstance(found, Directory):
            return self._enter(card, found, self.target if self.by == BY_NAME else b"")
        if self.by not in (BY_NAME, CHILD) and card.blocked(here) is ApplicationLife.PERMANENT:
            raise CardError(SW.APPLICATION_BLOCKED, f"{here.spec.id} is blocked for ever, its files too")
        if found is None:
            raise CardError(SW.FILE_NOT_FOUND, self._missing(here))
        card.session.open(found)
        return b""

    def _missing(self, here: Directory) -> str:
        target = self.target.hex().upper()
        if self.by == BY_NAME:
            return because(
                f"no further application named {target}" if self.following else f"no application named {target}"
            )
        return because(
            f"no DF {target} in {here.spec.id}" if self.by == CHILD else f"no file {target} from {here.spec.id}"
        )

    @staticmethod
    def _enter(card: CardState, directory: Directory, name: bytes = b"") -> bytes:
        block = card.blocked(directory)
        card.session.enter(directory)
        if block is ApplicationLife.PERMANENT:
            raise CardError(SW.APPLICATION_BLOCKED, f"{directory.spec.id} is current, but blocked for ever")
        if block:
            raise CardError(SW.APPLICATION_BLOCKED_TEMPORARILY, f"{directory.spec.id} is current, but blocked")
        return directory.fci_under(name)


class SelectOnPsam(Select):
    """Makes a DF or EF of the terminal's own card current: by id or by name, with no next one. [T: part9:9.1]"""

    source = "[T: part9:9.1]"
    p1p2 = {
        0x0000: "MF, DF or EF by file id; no data: MF",
        # Terminals select the ADF so too. [S: prog-huada-usb, reference:field]
        0x0200: "EF under the current DF, or the ADF",
        0x0400: "by name",
    }
    by_file_id = frozenset({ANY, EF})
    status = (0x6700, 0x6985, 0x6A81, 0x6A82, 0x6A86)
    cards = (CardKind.PSAM,)

    __slots__ = ()
