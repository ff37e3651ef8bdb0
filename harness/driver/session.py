"""One call's work with the card in the reader: opened, identified, items read and written, keys used by the PSAM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from emulator.apdu.command import CommandAPDU
from emulator.apdu.status import SW
from emulator.filesystem import items
from emulator.filesystem.specs import FileSpec, ItemSpec
from emulator.security import names_in
from harness import pcsc
from harness.connection import Connection
from harness.driver.codes import Code, DriverError, negated, words
from harness.driver.formats import Wanted
from harness.driver.pad import Pad
from harness.pcsc import PcscError
from harness.terminal.keeper import LevelTooLow, Psam, PsamError, TerminalError, Use
from harness.terminal.terminal import PinRefused, Refused, Terminal

TYPES = (1, 2, 3, 4)
"""iType: contact, contactless, either with contact first, either with contactless first. [S]"""
READ_KEY = "RKSSSE"


class Readers(Protocol):
    """Where cards are."""

    def card(self, kind: int) -> Connection:
        """The user's card for an iType; PcscError."""

    def psam(self) -> Connection | None:
        """The terminal's own card, None if it has none; PcscError."""


@dataclass(frozen=True, slots=True)
class Given:
    """Readers from two functions."""

    card: Callable[[int], Connection]
    psam: Callable[[], Connection | None]


@dataclass(frozen=True, slots=True)
class Write:
    """One value for an item, or for an element of one."""

    path: str
    element: str
    value: str


class NoKeys:
    """Stands where a call may use no key: what needs one is refused as the card would, 6982."""

    def cryptogram(self, use: Use, data: bytes) -> bytes:  # noqa: ARG002
        """Never."""
        raise self._refusal(use)

    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:  # noqa: ARG002
        """Never."""
        raise self._refusal(use)

    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:  # noqa: ARG002
        """Never."""
        raise self._refusal(use)

    @staticmethod
    def _refusal(use: Use) -> DriverError:
        return DriverError(negated(SW.SECURITY_NOT_SATISFIED), f"安全状态不满足 {use.key.name} is needed")


@dataclass(slots=True)
class Session:
    """An open card. ``identification``: 32 hex digits; ``number``: item 07; ``version``: item 03."""

    connection: Connection
    terminal: Terminal
    identification: str
    number: str
    version: str
    own: Psam | None = None
    closers: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def open(cls, readers: Readers, kind: int) -> Session:
        """Reset, SSSE, algorithm, identification code, version, card number; DriverError."""
        if kind not in TYPES:
            raise DriverError(Code.WRONG_TYPE)
        connection = readers.card(kind)
        try:
            terminal = Terminal(connection, keeper=NoKeys())
            try:
                terminal.begin()
            except Refused as refused:
                # No SSSE, or one that has no records: a PSAM, a bank card, a pass.
                if refused.sw in (SW.FILE_NOT_FOUND, SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED):
                    raise DriverError(Code.WRONG_TYPE) from None
                raise
            except TerminalError as error:
                raise DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {error}") from None
            identification = str(terminal.read("SSSE/EF05/01"))
            if not identification[:6].isdigit() or not int(identification[:6]):
                raise DriverError(Code.BAD_IDENTIFICATION)
            version = str(terminal.read("SSSE/EF05/03"))
            number = str(terminal.read("SSSE/EF05/07"))
        except BaseException:
            connection.close()
            raise
        return cls(connection, terminal, identification, number, version, None, [connection.close])

    def close(self) -> None:
        """Lets both cards go."""
        while self.closers:
            self.closers.pop()()

    @property
    def region(self) -> str:
        """Six digits."""
        return self.identification[:6]

    @property
    def history(self) -> str:
        """The ATR's historical bytes, 26 hex digits."""
        return self.connection.atr[-13:].hex().upper()

    @property
    def algorithm(self) -> str:
        """01 or 03."""
        return f"{self.terminal.suite.code:02d}"

    @property
    def needs_read_key(self) -> bool:
        """3.00 cards give the holder's data only after RKSSSE."""
        return READ_KEY in names_in(self.terminal.layout.files["SSSE/EF06"].read)

    def is_meant(self, card_info: list[str]) -> None:
        """-22 if the caller means another card; empty fields mean any. -23 if there are not two."""
        if len(card_info) != 2:
            raise DriverError(Code.BAD_INPUT, "pCardInfo: 应为两个字段 expected identification code and card number")
        for told, found in zip(card_info, (self.identification, self.number), strict=True):
            if told and told.upper() != found.upper():
                raise DriverError(Code.DIFFERS_FROM_CARD)

    def with_psam(self, readers: Readers) -> Psam:
        """The PSAM, ready for this card, as the terminal's keeper from now on; -2201, -2202."""
        connection = readers.psam()
        if connection is None:
            raise DriverError(Code.NO_PSAM)
        self.closers.append(connection.close)
        self.own = Psam(connection)
        self.own.begin(bytes.fromhex(self.identification))
        self.terminal.keeper = self.own
        return self.own

    # --- items ---------------------------------------------------------------------------------------------------

    def spec(self, wanted: Wanted) -> FileSpec:
        """The file that is meant; -27266."""
        spec = self.terminal.layout.files.get(wanted.path)
        if spec is None:
            raise DriverError(negated(SW.FILE_NOT_FOUND), f"文件不存在 no file {wanted.path}")
        return spec

    def read(self, wanted: Wanted) -> list[str]:
        """The values of a file's items, or the fields of its record."""
        spec = self.spec(wanted)
        if wanted.record:
            return [_text(one.value) for one in self.terminal.read_record(wanted.path, wanted.record)]
        return [self._item(spec, tag, element) for tag, element in wanted.tags]

    def _item(self, spec: FileSpec, tag: str, element: str) -> str:
        item = spec.item(int(tag, 16))
        if item is None:
            if spec.structure == "transparent":
                raise DriverError(negated(SW.COMMAND_INCOMPATIBLE), f"文件无记录 {spec.path} has no records")
            raise _missing(f"{spec.path} has no item {tag}")
        value = self.terminal.read(f"{spec.path}/{item.label}")
        if not element:
            return _text(value)
        if not isinstance(value, dict) or element not in value:
            raise _missing(f"{spec.path}/{tag} has no element {element}")
        return _text(value[element])

    def plan(self, wanted: Wanted, values: list[str]) -> list[Write]:
        """What is to be written, checked: -41, -42, -27266, -27267."""
        spec = self.spec(wanted)
        planned = []
        for (tag, element), value in zip(wanted.tags, values, strict=True):
            item = spec.item(int(tag, 16))
            if item is None:
                raise _missing(f"{spec.path} has no item {tag}")
            part = next((one for one in item.elements if one.label == element), None) if element else item
            if part is None:
                raise _missing(f"{spec.path}/{tag} has no element {element}")
            check(part, value)
            planned.append(Write(f"{spec.path}/{item.label}", element, value))
        return planned

    def write(self, planned: list[Write]) -> None:
        """Writes a file's items; of a B-TLV item the one element, the others as they are."""
        for one in planned:
            if one.element:
                whole = self.terminal.read(one.path)
                merged: dict[str, items.Value] = {**whole} if isinstance(whole, dict) else {}
                self.terminal.update(one.path, {**merged, one.element: one.value})
            else:
                self.terminal.update(one.path, one.value)

    # --- PIN -----------------------------------------------------------------------------------------------------

    def verify_pin(self, pad: Pad) -> str:
        """Asks for the PIN where one is set, and verifies it; the PIN, empty where none is set. -31…-33, -51, -52."""
        left = self.terminal.pin_state()
        if left is None:
            return ""
        if not left:
            raise DriverError(Code.PIN_BLOCKED)
        pin = pad.enter()
        self.guarded(lambda: self.terminal.verify_pin(pin))
        return pin

    @staticmethod
    def guarded(act: Callable[[], None]) -> None:
        """Something with a PIN: -51 with the tries left, -52."""
        try:
            act()
        except PinRefused as refused:
            if refused.tries_left:
                raise DriverError(Code.PIN_WRONG, words(Code.PIN_WRONG, refused.tries_left)) from None
            raise DriverError(Code.PIN_BLOCKED) from None


def _missing(what: str) -> DriverError:
    return DriverError(negated(SW.RECORD_NOT_FOUND), f"记录不存在 {what}")


def check(item: ItemSpec, value: str) -> None:
    """-41 for characters that an item does not take, -42 for too many."""
    try:
        size = len(value.encode("gbk"))
    except UnicodeEncodeError:
        raise DriverError(Code.ILLEGAL_CHARACTER) from None
    if item.format == "an":
        allowed, most = True, item.length
    elif item.format in ("cn", "dec"):
        allowed, most = value.isascii() and (value.isdigit() or not value), 2 * item.length
    else:
        allowed, most = all(one in "0123456789abcdefABCDEF" for one in value), 2 * item.length
    if not allowed:
        raise DriverError(Code.ILLEGAL_CHARACTER)
    if size > most or (item.format in ("b", "hex") and size % 2):
        raise DriverError(Code.BAD_LENGTH)


def _text(value: items.Value) -> str:
    if isinstance(value, str):
        return value
    return ";".join(f"{tag}={_text(part)}" for tag, part in value.items())


def failure(error: Exception) -> DriverError:
    """The code and text of what went wrong on the way; the error itself if it is none of those."""
    if isinstance(error, DriverError):
        return error
    if isinstance(error, LevelTooLow):
        return DriverError(Code.LEVEL_TOO_LOW, f"{words(Code.LEVEL_TOO_LOW)}: {error}")
    if isinstance(error, PsamError):
        if error.sw == SW.FUNCTION_NOT_SUPPORTED:
            return DriverError(Code.PSAM_LACKS_ALGORITHM)
        if error.sw == SW.REFERENCE_NOT_FOUND and READ_KEY in str(error):
            return DriverError(Code.PSAM_LACKS_KEY)
        return DriverError(negated(error.sw), str(error))
    if isinstance(error, Refused):
        return DriverError(negated(error.sw), str(error))
    if isinstance(error, PcscError):
        return DriverError(
            SCARD.get(error.result, Code.READER_LINK), f"{words(SCARD.get(error.result, Code.READER_LINK))}: {error}"
        )
    if isinstance(error, TerminalError | items.ItemError | ValueError | LookupError | IndexError):
        # A card whose answers do not hold what they should.
        return DriverError(Code.CHECKSUM, f"{words(Code.CHECKSUM)}: {error}")
    raise error


SCARD = {
    pcsc.UNKNOWN_READER: Code.READER_LINK,
    pcsc.NO_SMARTCARD: Code.NO_CARD,
    pcsc.REMOVED_CARD: Code.NO_CARD,
    pcsc.NOT_TRANSACTED: Code.MUTE,
    pcsc.UNPOWERED_CARD: Code.NOT_POWERED,
    pcsc.UNRESPONSIVE_CARD: Code.NOT_POWERED,
}
