"""A terminal's session with one card, over any connection and in either reader shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.status import SW, describe
from emulator.apdu.transport import follow
from emulator.crypto import SUITES, Suite, suite_of
from emulator.crypto.keys import test_root
from emulator.filesystem import items, layout
from emulator.filesystem.files import messaging_of
from emulator.filesystem.image import Image
from emulator.filesystem.specs import FileSpec, ItemSpec, Layout, LayoutError
from emulator.security import PIN, AllOf, Condition, names_in
from harness.connection import Connection
from harness.terminal.keeper import LONG_CRYPTOGRAM, Keeper, Roots, TerminalError, Use

ENVIRONMENT = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
ALGORITHM_TAG = bytes.fromhex("9F0C0386 01")


class Refused(TerminalError):
    """The card answered something else than 9000."""

    def __init__(self, doing: str, sw: int) -> None:
        english, chinese = describe(sw)
        super().__init__(f"{doing}: the card answered {sw:04X} ({english} {chinese})")
        self.sw = sw


class PinRefused(Refused):
    """The PIN was wrong or is locked. ``tries_left`` 0: locked."""

    def __init__(self, doing: str, sw: int) -> None:
        super().__init__(doing, sw)
        self.tries_left = sw & 0xF if sw & 0xFFF0 == 0x63C0 else 0


@dataclass(frozen=True, slots=True)
class ItemValue:
    """One item as read: where, what it is, and its value; ``number`` counts records of cyclic files, from 1."""

    path: str
    spec: ItemSpec
    value: items.Value
    number: int = 0


class Terminal:
    """Holds the published test roots (or others), as an encryption machine would, and knows this package's layouts.

    ``begin`` comes first, after every reset of the card by others too.
    """

    def __init__(
        self,
        connection: Connection,
        known: Layout | None = None,
        roots: Callable[[str, int], bytes] = test_root,
        keeper: Keeper | None = None,
    ) -> None:
        """``known`` is the card's layout where it is none of this package's; else its version tells.

        ``roots`` gives a key's root by name and version; LookupError where it is not known. ``keeper`` computes under
        card keys instead of them.
        """
        self._roots = Roots(roots)
        self.keeper: Keeper = keeper or self._roots
        self.connection = connection
        self._known = known
        self.layout: Layout
        self.suite: Suite
        self.region = ""
        self._application = ""
        self._rights: set[str] = set()

    # --- the session -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Reset, selection of the environment, algorithm, identification code and version."""
        self.connection.reset()
        self._application = "SSSE"
        self._rights = set()
        fci = self._exchange(0x00, 0xA4, 0x04, 0x00, ENVIRONMENT, doing="selecting SSSE").data
        _, found, rest = fci.partition(ALGORITHM_TAG)
        code = rest[0] if found and rest else 1  # terminals that find no 9F0C take 3DES [1]
        suites = {suite.code: suite for suite in SUITES.values()}
        if code not in suites:
            raise TerminalError(f"the card's algorithm is {code:02X}: 01 (3DES) and 03 (SM4) can be served")
        self.suite = suites[code]
        identification = self._record(0x05, 0x01, "the identification code")
        version = self._record(0x05, 0x03, "the version").rstrip(b"\0").decode("ascii", "replace")
        self.region = identification[:3].hex()
        try:
            self.layout = self._known or layout.load(version)
        except LayoutError:
            raise TerminalError(f"the card says version {version!r}; known are {', '.join(layout.names())}") from None

    def forget(self) -> None:
        """The card was reset by others: nothing is selected, no right is held."""
        self._application, self._rights = "", set()

    def adopt(self, image: Image) -> None:
        """Takes up a card in mid-session, whose image is at hand: nothing is reset, nothing assumed to be selected."""
        self.layout, self.suite = image.layout, SUITES[image.algorithm]
        items_of_issuer = image.memory.records("SSSE/EF05")
        self.region = items_of_issuer[0][2:5].hex() if items_of_issuer else ""
        self.forget()

    def send(self, command: CommandAPDU) -> ResponseAPDU:
        """One command with all that its reader shape needs; whatever status word comes."""
        return ResponseAPDU.parse(follow(self.connection.send, bytes(command)))

    def _exchange(
        self, cla: int, ins: int, p1: int, p2: int, data: bytes = b"", le: int | None = None, *, doing: str
    ) -> ResponseAPDU:
        response = self.send(CommandAPDU(cla, ins, p1, p2, data, le))
        if not response.ok:
            raise Refused(doing, response.sw)
        return response

    def _record(self, sfi: int, tag: int, doing: str) -> bytes:
        return whole(self._exchange(0x00, 0xB2, tag, sfi << 3, le=0, doing=f"reading {doing}").data, tag, doing)

    def enter(self, application: str) -> None:
        """Makes an application current, if it is not yet. Keys' rights of the last one are lost."""
        if application == self._application:
            return
        name = self.layout.applications[application].dfname
        self._exchange(0x00, 0xA4, 0x04, 0x00, name, doing=f"selecting {application}")
        self._application = application
        self._rights &= {PIN}

    # --- keys and PIN ------------------------------------------------------------------------------------------

    def card_key(self, name: str, version: int = 1) -> bytes:
        """The card's key as this terminal can make it; LookupError, naming it, where it has no root for that."""
        return self._roots.card_key(self.use(name, version=version))

    def use(self, name: str, challenge: bytes = b"", version: int = 1) -> Use:
        """One use of this card's key ``name``."""
        key = self.layout.keys[name]
        scheme, _ = messaging_of(self.layout, key.application)
        suite = suite_of(scheme.algorithm, self.suite)
        return Use(key, suite, scheme, self.region, self.connection.atr[-8:], challenge, version)

    def challenge(self, size: int = 8) -> bytes:
        """GET CHALLENGE."""
        return self._exchange(0x00, 0x84, 0x00, 0x00, le=size, doing="asking for a challenge").data

    def authenticate(self, name: str) -> None:
        """EXTERNAL AUTHENTICATION with a key in its application, unless its right is there already."""
        key = self.layout.keys[name]
        if key.application != "SSSE" or not self._application:
            self.enter(key.application)
        if name in self._rights:
            return
        scheme, _ = messaging_of(self.layout, key.application)
        if scheme.cryptogram == LONG_CRYPTOGRAM:
            proof = self.keeper.cryptogram(self.use(name, self.challenge(LONG_CRYPTOGRAM)), b"")
        else:
            data = self.challenge()
            proof = self.keeper.cryptogram(self.use(name, self.challenge()), data) + data
        self.prove(name, proof)

    def prove(self, name: str, proof: bytes) -> None:
        """EXTERNAL AUTHENTICATION with a proof made elsewhere: cryptogram and data."""
        key = self.layout.keys[name]
        self._exchange(0x00, 0x82, 0x00, key.id, proof, doing=f"authenticating with {name}")
        self._rights.add(name)

    def internal(self, factor: bytes, data: bytes) -> bytes:
        """INTERNAL AUTHENTICATION: the card's cryptogram, 8 bytes."""
        return self._exchange(0x00, 0x88, 0x00, 0x00, factor + data, doing="authenticating the card").data

    def pin_state(self) -> int | None:
        """Tries left, 0 if locked, None if no PIN is set; costs nothing."""
        response = self.send(CommandAPDU(0x00, 0x20, 0x00, 0x00, le=0))
        if response.ok:
            return None
        if response.sw not in (SW.BLOCKED, *range(0x63C0, 0x63D0)):
            raise Refused("asking for the PIN's state", response.sw)
        return PinRefused("", response.sw).tries_left

    def verify_pin(self, pin: str) -> None:
        """VERIFY; PinRefused."""
        self._with_pin(CommandAPDU(0x00, 0x20, 0x00, 0x00, bcd(pin)), "verifying the PIN")
        self._rights.add(PIN)

    def change_pin(self, old: str, new: str) -> None:
        """CHANGE PIN; PinRefused."""
        data = bcd(old) + b"\xff" + bcd(new)
        self._with_pin(CommandAPDU(0x80, 0x5E, 0x01, 0x00, data), "changing the PIN")

    def _with_pin(self, command: CommandAPDU, doing: str) -> None:
        response = self.send(command)
        if response.sw == SW.BLOCKED or response.sw & 0xFFF0 == 0x63C0:
            raise PinRefused(doing, response.sw)
        if not response.ok:
            raise Refused(doing, response.sw)

    def unblock_pin(self) -> None:
        """PIN CHANGE/UNBLOCK, the PIN unchanged."""
        self._pin_change_unblock(None, "unblocking the PIN")

    def reload_pin(self, new: str) -> None:
        """PIN CHANGE/UNBLOCK with a new PIN, enciphered."""
        self._pin_change_unblock(new, "reloading the PIN")

    def _pin_change_unblock(self, new: str | None, doing: str) -> None:
        self.enter("SSSE")
        self.authenticate(self.layout.pin.unblock_key)
        command = CommandAPDU(0x84, 0x24, 0x00, 0x00 if new is None else 0x01, b"" if new is None else bcd(new))
        self._sealed(command, self.layout.pin.messaging_key, enciphered=new is not None, doing=doing)

    def _sealed(self, command: CommandAPDU, key: str, *, enciphered: bool, doing: str) -> bytes:
        """One command under secure messaging; the data of its answer, opened."""
        use = self.use(key, self.challenge())
        response = self.send(self.keeper.seal(use, command, enciphered=enciphered))
        if not response.ok:
            raise Refused(doing, response.sw)
        try:
            return self.keeper.open(use, response.data, enciphered=enciphered) if response.data else b""
        except ValueError as error:
            raise TerminalError(f"{doing}: {error}") from None

    # --- life cycle --------------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Turns the social security function on (启用), under UKSSSE."""
        named = self.layout.activation
        if named is None:
            raise TerminalError(f"layout {self.layout.name} has no activation: its cards are active from the first")
        self.enter(self.layout.pin.application)
        self._authorise(named.needs, "activating")
        self._exchange(named.cla, named.ins, 0x00, 0x00, doing="activating the social security function")

    def block_application(self, application: str, *, temporary: bool = False) -> None:
        """APPLICATION BLOCK; for ever, unless the layout has PBOC's temporary form and that is asked for."""
        doing = f"blocking {application}"
        self._lock_command(application, CommandAPDU(0x84, 0x1E, 0x00, 0x00 if temporary else 0x01), doing)

    def unblock_application(self, application: str) -> None:
        """APPLICATION UNBLOCK, of a temporary block."""
        self._lock_command(application, CommandAPDU(0x84, 0x18, 0x00, 0x00), f"unblocking {application}")

    def _lock_command(self, application: str, command: CommandAPDU, doing: str) -> None:
        if application not in self.layout.applications:
            known = ", ".join(self.layout.applications)
            raise TerminalError(f"layout {self.layout.name} has no application {application!r}: choose one of {known}")
        try:
            self.enter(application)
        except Refused as refused:
            if refused.sw != SW.APPLICATION_BLOCKED_TEMPORARILY:
                raise
            self._application, self._rights = application, self._rights & {PIN}
        self._authorise(self.layout.applications[application].block, doing)
        _, key = messaging_of(self.layout, application)
        if key is None:
            raise TerminalError(f"{doing}: layout {self.layout.name} has no key for that")
        self._sealed(command, key.name, enciphered=False, doing=doing)

    def block_card(self) -> None:
        """CARD BLOCK: the card never serves again."""
        self.enter(self.layout.pin.application)
        self._authorise(self.layout.blocking.card, "blocking the card")
        self._sealed(
            CommandAPDU(0x84, 0x16, 0x00, 0x00),
            self.layout.pin.messaging_key,
            enciphered=False,
            doing="blocking the card",
        )

    # --- files -------------------------------------------------------------------------------------------------

    def _authorise(self, condition: Condition, doing: str) -> None:
        """Wins the keys' rights that a condition still lacks; the PIN must have been verified before."""
        if condition.satisfied(self._rights):
            return
        for name in names_in(condition):
            if name == PIN:
                if isinstance(condition, AllOf) and PIN not in self._rights:
                    raise TerminalError(f"{doing} needs the PIN verified")
                continue
            self.authenticate(name)
            if not isinstance(condition, AllOf):
                break
        if not condition.satisfied(self._rights):
            raise TerminalError(f"{doing} needs {condition}")

    def find(self, path: str) -> tuple[FileSpec, ItemSpec]:
        """File and item of ``SSSE/EF06/09``; LookupError."""
        name, _, label = path.rpartition("/")
        spec = self.layout.files.get(name)
        item = next((one for one in spec.items if one.label == label), None) if spec else None
        if spec is None or item is None:
            raise LookupError(f"layout {self.layout.name} has no item {path!r}; they look like SSSE/EF06/09")
        return spec, item

    def read(self, path: str) -> items.Value:
        """One item by its tag, the first of several; Refused with 6A83 where the card has none."""
        spec, item = self.find(path)
        self.enter(spec.application)
        self._authorise(spec.read, f"reading {spec.path}")
        command = CommandAPDU(0x00, 0xB2, item.tag or 0, spec.sfi << 3, le=0)
        record = self._addressed(spec, command, spec.read_messaging, f"reading {path}")
        return items.decode(item, whole(record, item.tag or 0, path))

    def read_record(self, path: str, number: int) -> list[ItemValue]:
        """One record by its number, from 1: its item, or the fields of a cyclic one."""
        spec = self.layout.files[path]
        self.enter(spec.application)
        self._authorise(spec.read, f"reading {path}")
        command = CommandAPDU(0x00, 0xB2, number, spec.sfi << 3 | 4, le=0)
        record = self._addressed(spec, command, spec.read_messaging, f"reading {path}")
        return list(decode_record(spec, record, number))

    def valid_until(self) -> date | None:
        """The day after which the card may not serve (item 06 of SSSE/EF05); None where it says no date. [S]"""
        digits = str(self.read("SSSE/EF05/06"))
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        except ValueError:
            return None

    def update(self, path: str, value: items.Value) -> None:
        """Writes one item by its tag, under its file's update key."""
        spec, item = self.find(path)
        self.enter(spec.application)
        self._authorise(spec.update, f"updating {spec.path}")
        command = CommandAPDU(0x00, 0xDC, item.tag or 0, spec.sfi << 3, items.tlv(item, value))
        self._addressed(spec, command, spec.update_messaging, f"updating {path}")

    def _addressed(self, spec: FileSpec, command: CommandAPDU, demand: str, doing: str) -> bytes:
        """A command on a file, under secure messaging where the file demands it; the answer's data."""
        _, key = messaging_of(self.layout, spec.application)
        if demand and key is not None:
            sealed = CommandAPDU(command.cla | 0x04, command.ins, command.p1, command.p2, command.data)
            return self._sealed(sealed, key.name, enciphered=demand == "cipher", doing=doing)
        response = self.send(command)
        if not response.ok:
            raise Refused(doing, response.sw)
        return response.data

    def read_file(self, path: str) -> Iterator[ItemValue]:
        """Every record of a file, in order."""
        for number in range(1, 255):
            try:
                yield from self.read_record(path, number)
            except Refused as refused:
                if refused.sw == SW.RECORD_NOT_FOUND:
                    return
                raise


def decode_record(spec: FileSpec, record: bytes, number: int) -> Iterator[ItemValue]:
    """The item of a record, or the fields of a cyclic one."""
    if spec.structure == "cyclic":
        for field, value in zip(spec.items, items.decode_fields(spec.items, record), strict=True):
            yield ItemValue(spec.path, field, value, number)
        return
    tag = record[0] if record else 0
    item = spec.item(tag) or ItemSpec(tag, "b", len(record) - 2, "", "", "D")
    yield ItemValue(f"{spec.path}/{item.label}", item, items.decode(item, whole(record, tag, spec.path)))


def whole(record: bytes, tag: int, what: str) -> bytes:
    """The value in a record, which must be whole and have this tag; TerminalError."""
    if record[:2] != bytes((tag, max(0, len(record) - 2) & 0xFF)):
        raise TerminalError(f"{what}: expected one whole record with tag {tag:02X}, the card's answer is none")
    return record[2:]


def bcd(digits: str) -> bytes:
    """A PIN as VERIFY takes it; TerminalError for what is no PIN. The text never holds the digits."""
    if not (digits.isascii() and (digits.isdigit() or not digits) and len(digits) <= 16):
        raise TerminalError("a PIN has 4 to 16 digits")
    return bytes.fromhex(digits + "F" * (len(digits) % 2))
