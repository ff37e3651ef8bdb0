"""How a card answers, apart from what it stores: Le, 61xx and 6Cxx, challenges, ways to select, what it says to what is
wrong, and of two faults which first.

Each question is asked in a state that it names itself, so that its answer means the same on every card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.pin import Verify
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import CHILD, EF, Select
from emulator.apdu.status import SW
from emulator.messages import _
from harness.learning import known, shapes
from harness.learning.explore import LIST, Explorer, File
from harness.learning.harmless import (
    GET_DATA,
    PUBLIC_DATA,
    RESPONSE_CLASSES,
    UNKNOWN_CLASSES,
    UNKNOWN_INSTRUCTIONS,
)
from harness.learning.known import HOME, ISSUER

CHALLENGES = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20)
ALL_CHALLENGES = tuple(range(1, 256))
NO_RECORD, NO_TAG, NO_SFI, NO_MODE = 0xFE, 0xFE, 0x1D, 0x07
NO_P1 = 0x03
ABSENT, ZERO, SHORT, EXACT, LONG = "absent", "zero", "short", "exact", "long"
CLOSED = "a file that may not be read"


class Manners:
    """Asks an explored card."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self.found = explorer.found
        self.prober = explorer.prober

    def all(self) -> None:
        """Every question. PcscError, Endless."""
        self._lengths()
        self._binary_lengths()
        self._responses()
        self._challenges()
        self._ways()
        self._nothing_current()
        self._unknown()
        self._wrong()
        for file in self._files_to_ask():
            self._order(file)
        self._data_objects()

    def _begin(self, application: str = HOME) -> None:
        self.prober.reset()
        self.explorer.enter(self.found.applications[application])

    def _raw(self, probe: str, command: CommandAPDU | bytes, shape: shapes.Shaper | None = None) -> None:
        self.prober.ask(probe, command, shape, followed=False)

    # --- Le ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _with_le(header: bytes, right: int) -> Iterable[tuple[str, bytes]]:
        """A command with each Le there is, to an answer of so many bytes."""
        yield ABSENT, header
        yield ZERO, header + b"\0"
        if right > 1:
            yield SHORT, header + bytes((right - 1,))
        if right < 256:
            yield EXACT, header + bytes((right,))
        if right < 255:
            yield LONG, header + bytes((right + 1,))

    def _lengths(self) -> None:
        """READ RECORD of the issuer's first record."""
        file = self.found.files.get(ISSUER)
        if file is None or not file.records:
            self.found.not_seen.append((_("Le of READ RECORD"), _("{path} could not be read").format(path=ISSUER)))
            return
        self._begin()
        header = ReadRecord.command(file.sfi, number=1).header
        for name, command in self._with_le(header, len(file.records[0])):
            self._raw(f"le/record/{name}", command, shapes.Shaper())

    def _binary_lengths(self) -> None:
        """READ BINARY of the last four bytes of the first transparent file that is free."""
        free = (one for one in self.found.files.values() if one.content and one.opened.get(frozenset()) and one.whole)
        file = next(free, None)
        if file is None or file.content is None:
            self.found.not_seen.append((_("Le of READ BINARY"), _("no transparent file is free")))
            return
        offset = max(0, len(file.content) - 4)
        self._begin(file.application)
        self.prober.go(ReadBinary.command(file.sfi))
        header = ReadBinary.command(0, offset).header
        for name, command in self._with_le(header, len(file.content) - offset):
            self._raw(f"le/binary/{name}", command)
        self._raw("wrong/offset", ReadBinary.command(0, len(file.content)))

    def _responses(self) -> None:
        """SELECT as it is answered without being followed, and GET RESPONSE of what it announced."""
        self._begin()
        select = self._home()
        self._raw("waiting/select", select)
        self._raw("waiting/select-le", replace(select, le=0))
        announced = len(self.found.applications[HOME].fci)
        for name, command in self._with_le(GetResponse.command(0).header, announced):
            self.prober.ask(f"le/response/{name}/select", select, shapes.fci, followed=False)
            self._raw(f"le/response/{name}", command)
        for cla in RESPONSE_CLASSES[1:]:
            self.prober.ask(f"response/class-{cla:02X}/select", select, shapes.fci, followed=False)
            self._raw(f"response/class-{cla:02X}", replace(GetResponse.command(announced), cla=cla))
        self.prober.ask("response/late/select", select, shapes.fci, followed=False)
        self._raw("response/late/challenge", GetChallenge.command())
        self._raw("response/late", GetResponse.command(announced))
        self.prober.reset()
        self._raw("response/none", GetResponse.command(0x10))

    def _challenges(self) -> None:
        self._begin()
        header = GetChallenge.command().header
        self._raw("challenge/absent", header)
        self._raw("challenge/00", header + b"\0")
        for size in ALL_CHALLENGES if self.explorer.deep else CHALLENGES:
            self._raw(f"challenge/{size:02X}", GetChallenge.command(size))

    # --- selecting -----------------------------------------------------------------------------------------------

    def _home(self) -> CommandAPDU:
        return Select.command(known.applications()[HOME].spec.dfname)

    def _ways(self) -> None:
        """SELECT in every way that ISO has, each from the environment or from its first application."""
        fid = {name: one.spec.fid for name, one in known.applications().items()}
        ef = 0xEF00 | int(ISSUER[-2:], 16)
        first = self.found.applications.get("DF01")
        ways: list[tuple[str, str, CommandAPDU]] = [
            ("mf", HOME, Select.by_id(fid["MF"])),
            ("self", HOME, Select.by_id(fid[HOME])),
            ("child", HOME, Select.by_id(fid["DF01"])),
            ("child-01", HOME, Select.by_id(fid["DF01"], CHILD)),
            ("ef", HOME, Select.by_id(ef)),
            ("ef-02", HOME, Select.by_id(ef, EF)),
            ("part-of-name", HOME, Select.command(known.applications()[HOME].spec.dfname[:5])),
            ("parent", "DF01", Select.by_id(fid[HOME])),
            ("sibling", "DF01", Select.by_id(fid["DF02"])),
            ("next-name", "DF01", Select.command(LIST, following=True)),
        ]
        for way, where, command in ways:
            if where != "DF01" or (first and first.open):
                self._begin(where)
                self.prober.ask(f"way/{way}", command, shapes.fci)
        self._begin()
        self._raw("way/nothing", Select.command(b""))
        self.prober.ask("way/empty", bytes.fromhex("00A4000000"), shapes.fci)

    # --- what is wrong -------------------------------------------------------------------------------------------

    def _nothing_current(self) -> None:
        """No EF is current after a DF was selected."""
        self._begin()
        self._raw("wrong/no-current/record", ReadRecord.command(0, number=1))
        self._raw("wrong/no-current/binary", ReadBinary.command(0, 0))

    def _unknown(self) -> None:
        self._begin()
        for ins in UNKNOWN_INSTRUCTIONS:
            self._raw(f"unknown/instruction-{ins:02X}", bytes((0, ins, 0, 0)))
        self._raw("order/class-instruction", bytes.fromhex("20A60000"))
        for cla in UNKNOWN_CLASSES:
            self._begin()
            self._raw(f"unknown/class-{cla:02X}", bytes((cla,)) + bytes(Select.by_id(0x3F00))[1:])

    def _wrong(self) -> None:
        """One fault each, in the environment."""
        self._begin()
        sfi = int(ISSUER[-2:], 16)
        header = bytes.fromhex
        one_byte = b"\x01\x00"
        wrong: dict[str, CommandAPDU | bytes] = {
            "parameters/select": bytes(Select.by_id(0x3F00, NO_P1)),
            "parameters/select-p2": header("00A4000102") + b"\x3f\x00",
            "parameters/record": header(f"00B201{sfi << 3 | NO_MODE:02X}00"),
            "parameters/record-number": header(f"00B2FF{sfi << 3 | 4:02X}00"),
            "parameters/binary": header("00B0E50004"),
            "parameters/challenge": header("0084010008"),
            "parameters/response": header("00C0010010"),
            "length/select-name": Select.command(b"sx1."),
            "length/select-id": header("00A400000101"),
            "length/select-id-3": header("00A40000033F0000"),
            "length/record": ReadRecord.command(sfi, number=1).header + one_byte,
            "length/binary": ReadBinary.command(sfi).header + one_byte,
            "length/challenge": GetChallenge.command().header + one_byte,
            "file/record": ReadRecord.command(NO_SFI, number=1),
            "file/binary": ReadBinary.command(NO_SFI),
            "file/select": Select.by_id(0x5E5E, EF),
            "file/select-00": Select.by_id(0x5E5E),
            "file/select-01": Select.by_id(0x5E5E, CHILD),
            "record/number": ReadRecord.command(sfi, number=NO_RECORD),
            "record/tag": ReadRecord.command(sfi, tag=NO_TAG),
            "record/zero": ReadRecord.command(sfi, number=0),
            "record/to-last": ReadRecord.command(sfi, number=NO_RECORD, mode=5),
            "kind/binary": ReadBinary.command(sfi),
            "order/parameters-length/select": header(f"00A4{NO_P1:02X}000101"),
            "order/parameters-length/record": header(f"00B201{sfi << 3 | NO_MODE:02X}") + one_byte,
            "order/parameters-length/challenge": header("0084010005"),
            "order/parameters-length/binary": header("00B0E500") + one_byte,
            "order/parameters-file/record": header(f"00B201{NO_SFI << 3 | NO_MODE:02X}00"),
            "order/length-file/record": ReadRecord.command(NO_SFI, number=1).header + one_byte,
            "order/length-file/binary": ReadBinary.command(NO_SFI).header + one_byte,
        }  # fmt: skip
        for probe, command in wrong.items():
            self._raw(probe if probe.startswith("order/") else f"wrong/{probe}", command)
        if not self.found.asking_is_free:
            self.found.not_seen.append((_("VERIFY of other references"), _("few tries are left, or asking costs one")))
            return
        for p2 in (0x01, 0x80, 0x81):
            self._raw(f"wrong/verify-{p2:02X}", replace(Verify.command(), p2=p2))

    # --- of two faults, which first ------------------------------------------------------------------------------

    def _files_to_ask(self) -> list[File]:
        """The first file of each kind that is free, and the first that is not."""
        found: dict[tuple[str, bool], File] = {}
        for file in self.found.files.values():
            free = file.opened.get(frozenset(), False)
            if file.structure and (file.structure != "transparent" or file.content or not free):
                found.setdefault((file.structure, free), file)
        return list(found.values())

    def _order(self, file: File) -> None:
        """Two faults at once, at one file: the kind of it, rights, record, Le, lengths and parameters."""
        self._begin(file.application)
        free = "free" if file.opened.get(frozenset()) else "closed"
        where = f"{file.structure}-{free}"
        sfi = file.sfi
        beyond = ReadBinary.command(sfi, 0xFF)
        questions: dict[str, CommandAPDU | bytes] = {
            "binary": ReadBinary.command(sfi),
            "binary-le": ReadBinary.command(sfi, le=1),
            "binary-offset": beyond,
            "binary-length": ReadBinary.command(sfi).header + b"\x01\x00",
            "record-number": ReadRecord.command(sfi, number=NO_RECORD),
            "record-tag": ReadRecord.command(sfi, tag=NO_TAG),
            "record-le": ReadRecord.command(sfi, number=1, le=1),
            "record-number-le": ReadRecord.command(sfi, number=NO_RECORD, le=1),
            "record-length": ReadRecord.command(sfi, number=1).header + b"\x01\x00",
            "record-mode": bytes.fromhex(f"00B201{sfi << 3 | NO_MODE:02X}00"),
            "record-mode-number": bytes.fromhex(f"00B2FF{sfi << 3 | NO_MODE:02X}00"),
        }
        shape = self.explorer.shape(file.path)
        for name, command in questions.items():
            self._raw(f"order/{where}/{name}", command, shape if name.startswith("record") else None)

    # --- GET DATA ------------------------------------------------------------------------------------------------

    def _data_objects(self) -> None:
        for name in (HOME, "BANK"):
            one = self.found.applications.get(name)
            if one is None or one.sw != SW.OK:
                continue
            self._begin(name)
            for tag in PUBLIC_DATA:
                command = bytes((0x80, GET_DATA)) + tag.to_bytes(2, "big") + b"\0"
                self.prober.ask(f"data/{name}/{tag:04X}", command)
            command = bytes((0x00, GET_DATA)) + PUBLIC_DATA[-1].to_bytes(2, "big") + b"\0"
            self.prober.ask(f"data/{name}/{PUBLIC_DATA[-1]:04X}-00", command)
