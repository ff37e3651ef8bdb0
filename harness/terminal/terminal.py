"""What a terminal does with one card, over any connection and in either reader shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from emulator import catalogue
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.blocks import ApplicationBlock, ApplicationUnblock, CardBlock
from emulator.apdu.instructions.issuing import Activate
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW, tries_told
from emulator.crypto import SUITES
from emulator.crypto.keys import test_root
from emulator.errors import NotFound
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, Layout, LayoutError
from emulator.filesystem.layouts.terms import Messaging
from emulator.filesystem.memory.files import messaging_of
from emulator.filesystem.memory.image import Image
from emulator.interface import interface_of
from emulator.messages import _
from emulator.security import PIN
from harness.keys.access import KeyAccess, TerminalError, Unauthorised
from harness.keys.root_keys import RootKeys
from harness.readers.connection import Connection
from harness.terminal.pin import bcd
from harness.terminal.refused import PinRefused, Refused
from harness.terminal.session import TerminalSession
from harness.terminal.values import ItemValue, brought_up, decode_record, whole

__all__ = ["PinRefused", "Refused", "Terminal", "Unauthorised", "bcd"]
PIECE = 0xE0
"""Bytes of one UPDATE BINARY: enciphered with their length, by blocks of 16, they leave room for the MAC. [D]"""
HOME = "SSSE"
ENVIRONMENT = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
ALGORITHM_TAG = bytes.fromhex("9F0C0386 01")
ISSUER, ISSUER_SFI = "SSSE/EF05", 0x05
IDENTIFICATION, VERSION = 0x01, 0x03
"""Items of the issuer's file, under these tags in every layout."""


class Terminal(TerminalSession):
    """A counter's work on one card, whatever its kind. ``begin`` comes first, after every reset by others too.

    Holds the published test roots (or others), as an encryption machine would; knows this package's layouts.
    """

    def __init__(
        self,
        connection: Connection,
        known: Layout | None = None,
        roots: Callable[[str, int], bytes] = test_root,
        keys: KeyAccess | None = None,
    ) -> None:
        """``known`` is the card's layout where it is none of this package's; else its version tells.

        ``roots`` gives a key's root by name and version; LookupError where it is not known. ``keys`` computes under
        card keys instead of them.
        """
        self._roots = RootKeys(roots)
        super().__init__(connection, keys or self._roots)
        self._known = known
        self.identification = b""
        """The card identification code, 16 bytes."""
        self.version = ""
        """The specification version that the card says."""

    # --- which card it is --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Reset, selection of the environment, algorithm, identification code and version."""
        self.reset()
        self.application = HOME
        fci = self.exchange(Select.command(ENVIRONMENT), _("selecting {home}").format(home=HOME))
        __, found, rest = fci.partition(ALGORITHM_TAG)
        code = rest[0] if found and rest else 1  # terminals that find no 9F0C take 3DES [1: reference:card §2]
        suites = {suite.code: suite for suite in SUITES.values()}
        if code not in suites:
            raise TerminalError(
                _("the card's algorithm is {code:02X}: 01 (3DES) and 03 (SM4) can be served").format(code=code)
            )
        self.suite = suites[code]
        self.identification = self._issuers(IDENTIFICATION, _("the identification code"))
        self.version = self._issuers(VERSION, _("the version")).rstrip(b"\0").decode("ascii", "replace")
        self.region = self.identification[:3].hex()
        try:
            layout = self._known or catalogue.layout(self.version)
        except LayoutError:
            known = ", ".join(catalogue.layouts())
            raise TerminalError(
                _("the card says version {version!r}; known are {known}").format(version=self.version, known=known)
            ) from None
        self.layout = catalogue.found_over(layout, interface_of(self.connection.atr))

    def _issuers(self, tag: int, what: str) -> bytes:
        """An item of the issuer's file, read before the layout is known."""
        record = self.exchange(ReadRecord.command(ISSUER_SFI, tag=tag), _("reading {what}").format(what=what))
        return whole(record, tag, _("reading {what}").format(what=what))

    def adopt(self, image: Image) -> None:
        """Takes up a card in mid-session, whose image is at hand: nothing is reset, nothing assumed to be selected."""
        self.layout, self.suite = image.layout, SUITES[image.algorithm]
        items_of_issuer = image.memory.records(ISSUER)
        self.region = items_of_issuer[0][2:5].hex() if items_of_issuer else ""
        self.forget()

    def card_key(self, name: str, version: int = 1) -> bytes:
        """The card's key as this terminal can make it; LookupError, naming it, where it has no root for that."""
        return self._roots.card_key(self.use(name, version=version))

    # --- the PIN -----------------------------------------------------------------------------------------------

    def pin_state(self) -> int | None:
        """Tries left, 0 if locked, None if no PIN is set; costs nothing."""
        response = self.send(Verify.command())
        if response.ok:
            self._rights.add(PIN)  # nobody is asked, and what a PIN opens is open
            return None
        left = tries_told(response.sw)
        if left is None:
            raise Refused(_("asking for the PIN's state"), response.sw)
        return left

    def verify_pin(self, pin: str) -> None:
        """Verifies the PIN. PinRefused with the tries that are left."""
        self._with_pin(Verify.command(bcd(pin)), _("verifying the PIN"))
        self._rights.add(PIN)

    def change_pin(self, old: str, new: str) -> None:
        """Changes the PIN. PinRefused with the tries that are left."""
        self._with_pin(ChangePin.command(bcd(old), bcd(new)), _("changing the PIN"))

    def _with_pin(self, command: CommandAPDU, doing: str) -> None:
        response = self.send(command)
        if tries_told(response.sw) is not None:
            raise PinRefused(doing, response.sw)
        if not response.ok:
            raise Refused(doing, response.sw)

    def unblock_pin(self) -> None:
        """Unblocks the PIN under the unblock key and leaves it as it is. PinRefused."""
        self._pin_change_unblock(None, _("unblocking the PIN"))

    def reload_pin(self, new: str) -> None:
        """PIN CHANGE/UNBLOCK with a new PIN, enciphered."""
        self._pin_change_unblock(new, _("reloading the PIN"))

    def _pin_change_unblock(self, new: str | None, doing: str) -> None:
        self.enter(HOME)
        self.authenticate(self.layout.pin.unblock_key)
        command = PinChangeUnblock.command(None if new is None else bcd(new))
        self.sealed(command, self.layout.pin.messaging_key, enciphered=new is not None, doing=doing)

    # --- life cycle --------------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Turns the social security function on (启用), under UKSSSE."""
        named = self.layout.activation
        if named is None:
            raise TerminalError(
                _("layout {name} has no activation: its cards are active from the first").format(name=self.layout.name)
            )
        self.enter(self.layout.pin.application)
        self.authorise(named.needs, "activating")
        self.exchange(Activate.command(self.layout), _("activating the social security function"))

    def block_application(self, application: str, *, temporary: bool = False) -> None:
        """APPLICATION BLOCK; for ever, unless the layout has PBOC's temporary form and that is asked for."""
        doing = _("blocking {application}").format(application=application)
        self._lock_command(application, ApplicationBlock.command(temporary=temporary), doing)

    def unblock_application(self, application: str) -> None:
        """APPLICATION UNBLOCK, of a temporary block."""
        self._lock_command(
            application, ApplicationUnblock.command(), _("unblocking {application}").format(application=application)
        )

    def _lock_command(self, application: str, command: CommandAPDU, doing: str) -> None:
        if application not in self.layout.applications:
            known = ", ".join(self.layout.applications)
            raise TerminalError(
                _("layout {name} has no application {application!r}: choose one of {known}").format(
                    name=self.layout.name, application=application, known=known
                )
            )
        try:
            self.enter(application)
        except Refused as refused:
            if refused.sw != SW.APPLICATION_BLOCKED_TEMPORARILY:
                raise
            self.application = application
        self.authorise(self.layout.applications[application].block, doing)
        __, key = messaging_of(self.layout, application)
        if key is None:
            raise TerminalError(
                _("{doing}: layout {name} has no key for that").format(doing=doing, name=self.layout.name)
            )
        self.sealed(command, key.name, enciphered=False, doing=doing)

    def block_card(self) -> None:
        """CARD BLOCK: the card never serves again."""
        self.enter(self.layout.pin.application)
        self.authorise(self.layout.blocking.card, _("blocking the card"))
        self.sealed(CardBlock.command(), self.layout.pin.messaging_key, enciphered=False, doing=_("blocking the card"))

    # --- files -------------------------------------------------------------------------------------------------

    def find(self, path: str | ItemPath) -> tuple[FileSpec, ItemSpec]:
        """File and item of ``SSSE/EF06/09``; LookupError."""
        path = ItemPath.parse(path) if isinstance(path, str) else path
        found = self.layout.item(path)
        if found is None:
            raise NotFound(
                _("layout {name} has no item {path!r}; they look like SSSE/EF06/09").format(
                    name=self.layout.name, path=str(path)
                )
            )
        return found

    def read(self, path: str, occurrence: int = 1) -> items.Value:
        """One item, the first or another of several with its tag; Refused with 6A83 where the card has none."""
        return items.decode(self.find(path)[1], self.read_bytes(path, occurrence))

    def read_bytes(self, path: str, occurrence: int = 1) -> bytes:
        """The value part of one item as the card holds it; Refused with 6A83 where the card has none."""
        spec, item = self.find(path)
        self.enter(spec.application)
        self.authorise(spec.read, _("reading {path}").format(path=spec.path))
        command = ReadRecord.command(spec.sfi, **addressed(spec, item, occurrence))
        record = self._addressed(spec, command, spec.read_messaging, _("reading {path}").format(path=path))
        return whole(record, item.tag or 0, _("reading {path}").format(path=path))

    def read_if_there(self, path: str) -> items.Value | None:
        """One item by its tag, None where the card has none; LookupError where its layout has not."""
        try:
            return self.read(path)
        except Refused as refused:
            if refused.sw != SW.RECORD_NOT_FOUND:
                raise
            return None

    def read_record(self, path: str, number: int) -> list[ItemValue]:
        """One record by its number, from 1: its item, or the fields of a cyclic one."""
        spec = self.layout.files[path]
        self.enter(spec.application)
        self.authorise(spec.read, _("reading {path}").format(path=path))
        command = ReadRecord.command(spec.sfi, number=number)
        record = self._addressed(spec, command, spec.read_messaging, _("reading {path}").format(path=path))
        return list(decode_record(spec, record, number))

    def valid_until(self) -> date | None:
        """The day after which the card may not serve (item 06 of SSSE/EF05); None where it says no date.
        [S: v2:table 9, prog-cardissue]
        """
        digits = str(self.read("SSSE/EF05/06"))
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        except ValueError:
            return None

    def update(self, path: str, value: items.Value, occurrence: int = 1, *, rewritten: bool = False) -> None:
        """Writes one item, the first or another of several with its tag, under its file's update key.

        ``rewritten``: in the later meaning of its tag, as on an old card brought up to date, where it has one.
        """
        __, item = self.find(path)
        self.update_bytes(path, items.encode(item, value, rewritten=rewritten), occurrence)

    def update_bytes(self, path: str, content: bytes, occurrence: int = 1) -> None:
        """Writes the value part of one item as it is, under its file's update key."""
        spec, item = self.find(path)
        self.enter(spec.application)
        self.authorise(spec.update, _("updating {path}").format(path=spec.path))
        record = bytes((item.tag or 0, len(content))) + content
        command = UpdateRecord.command(record, spec.sfi, **addressed(spec, item, occurrence))
        self._addressed(spec, command, spec.update_messaging, _("updating {path}").format(path=path))

    def add_record(self, path: str, values: Sequence[str]) -> None:
        """Adds the newest record to a cyclic file, by its fields in order, under the file's update key."""
        spec = self.layout.files[path]
        self.enter(spec.application)
        self.authorise(spec.update, _("updating {path}").format(path=path))
        command = UpdateRecord.newest(items.encode_fields(spec.items, values), spec.sfi)
        self._addressed(spec, command, spec.update_messaging, _("updating {path}").format(path=path))

    # The first command on a transparent file names it; those that follow find it current.

    def read_binary(self, path: str) -> bytes:
        """A transparent file, from its first byte to its last; Refused."""
        spec = self.layout.files[path]
        doing = _("reading {path}").format(path=path)
        self.enter(spec.application)
        self.authorise(spec.read, doing)
        found = b""
        while len(found) < spec.size:
            command = ReadBinary.command(spec.sfi if not found else 0, len(found))
            part = self._addressed(spec, command, spec.read_messaging, doing)
            if not part:
                raise TerminalError(
                    _("{doing}: the card gave nothing at offset {count}").format(doing=doing, count=len(found))
                )
            found += part
        return found

    def update_binary(self, path: str, content: bytes) -> None:
        """Writes a transparent file from its first byte on, under its update key, piece by piece; Refused."""
        spec = self.layout.files[path]
        doing = _("updating {path}").format(path=path)
        self.enter(spec.application)
        self.authorise(spec.update, doing)
        for at in range(0, len(content), PIECE):
            command = UpdateBinary.command(content[at : at + PIECE], spec.sfi if not at else 0, at)
            self._addressed(spec, command, spec.update_messaging, doing)

    def _addressed(self, spec: FileSpec, command: CommandAPDU, demand: Messaging, doing: str) -> bytes:
        """A command on a file, under secure messaging where the file demands it; the answer's data."""
        __, key = messaging_of(self.layout, spec.application)
        if demand and key is not None:
            return self.sealed(command.to_secure(), key.name, enciphered=demand is Messaging.CIPHER, doing=doing)
        return self.exchange(command, doing)

    def read_file(self, path: str) -> Iterator[ItemValue]:
        """Every record of a file, in order."""
        found: list[ItemValue] = []
        for number in range(1, 255):
            try:
                found += self.read_record(path, number)
            except Refused as refused:
                if refused.sw == SW.RECORD_NOT_FOUND:
                    break
                raise
        yield from brought_up(found)


def addressed(spec: FileSpec, item: ItemSpec, occurrence: int = 1) -> dict[str, int]:
    """How a record command names an item: the first by its tag, another by its number. [S: reference:card §3]"""
    return {"tag": item.tag or 0} if occurrence == 1 else {"number": spec.number(item, occurrence)}


def layout_of(connection: Connection) -> Layout | None:
    """The layout of a card by the version that it says; None if it says none, or one that is not known. PcscError."""
    terminal = Terminal(connection)
    try:
        terminal.begin()
    except (TerminalError, ValueError):
        return None
    return terminal.layout
