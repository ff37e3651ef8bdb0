"""A terminal's link to one card: what is selected, which rights are won, and proofs by whoever holds the keys."""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.certificate import PIN_PROVED
from emulator.apdu.status import SW, describe
from emulator.apdu.transport import follow
from emulator.crypto import SUITES, Suite, suite_of
from emulator.crypto.keys import pin_key, test_root
from emulator.filesystem.layouts import load as layout
from emulator.filesystem.layouts.specs import PIN_USE, Layout, LayoutError
from emulator.filesystem.memory.files import messaging_of
from emulator.filesystem.memory.image import Image
from emulator.security import PIN, AllOf, Condition, names_in
from harness.keys.access import LONG_CRYPTOGRAM, Keeper, Roots, TerminalError, Use
from harness.readers.connection import Connection, historical

ENVIRONMENT = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
ALGORITHM_TAG = bytes.fromhex("9F0C0386 01")


class Refused(TerminalError):
    """The card answered something else than 9000."""

    def __init__(self, doing: str, sw: int) -> None:
        english, chinese = describe(sw)
        super().__init__(f"{doing}: the card answered {sw:04X} ({english} {chinese})")
        self.sw = sw


class Unauthorised(TerminalError):
    """The card would refuse for want of a right that this terminal cannot win by itself."""


class PinRefused(Refused):
    """The PIN was wrong or is locked. ``tries_left`` 0: locked."""

    def __init__(self, doing: str, sw: int) -> None:
        super().__init__(doing, sw)
        self.tries_left = sw & 0xF if sw & 0xFFF0 == 0x63C0 else 0


class Link:
    """What is selected on a card, and which rights are won there by proofs of its keys.

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
        self.identification = b""
        """The card identification code, 16 bytes."""
        self.version = ""
        """The specification version that the card says."""
        self.region = ""
        self._application = ""
        self._rights: set[str] = set()

    # --- the session -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Reset, selection of the environment, algorithm, identification code and version."""
        self.connection.reset()
        self._application = "SSSE"
        self._rights = set()
        fci = self._exchange(0x00, 0xA4, 0x04, 0x00, ENVIRONMENT, doing="selecting SSSE")
        _, found, rest = fci.partition(ALGORITHM_TAG)
        code = rest[0] if found and rest else 1  # terminals that find no 9F0C take 3DES [1: reference:card §2]
        suites = {suite.code: suite for suite in SUITES.values()}
        if code not in suites:
            raise TerminalError(f"the card's algorithm is {code:02X}: 01 (3DES) and 03 (SM4) can be served")
        self.suite = suites[code]
        self.identification = self._record(0x05, 0x01, "the identification code")
        self.version = self._record(0x05, 0x03, "the version").rstrip(b"\0").decode("ascii", "replace")
        self.region = self.identification[:3].hex()
        try:
            self.layout = self._known or layout.load(self.version)
        except LayoutError:
            known = ", ".join(layout.names())
            raise TerminalError(f"the card says version {self.version!r}; known are {known}") from None

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

    def exchange(self, command: CommandAPDU, doing: str) -> bytes:
        """One command that must succeed; its answer's data. Refused, naming what was being done."""
        response = self.send(command)
        if not response.ok:
            raise Refused(doing, response.sw)
        return response.data

    def _exchange(
        self, cla: int, ins: int, p1: int, p2: int, data: bytes = b"", le: int | None = None, *, doing: str
    ) -> bytes:
        return self.exchange(CommandAPDU(cla, ins, p1, p2, data, le), doing)

    def _record(self, sfi: int, tag: int, doing: str) -> bytes:
        return whole(self._exchange(0x00, 0xB2, tag, sfi << 3, le=0, doing=f"reading {doing}"), tag, f"reading {doing}")

    def enter(self, application: str) -> None:
        """Makes an application current, if it is not yet. Keys' rights of the last one are lost."""
        if application == self._application:
            return
        name = self.layout.applications[application].dfname
        try:
            self._exchange(0x00, 0xA4, 0x04, 0x00, name, doing=f"selecting {application}")
        except Refused as refused:
            if refused.sw in (SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY):
                # It is current all the same, and what was before is not.
                self._application = ""
                self._rights &= {PIN}
            raise
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
        return Use(key, suite, scheme, self.region, historical(self.connection.atr)[-8:], challenge, version)

    def challenge(self, size: int = 8) -> bytes:
        """GET CHALLENGE."""
        return self._exchange(0x00, 0x84, 0x00, 0x00, le=size, doing="asking for a challenge")

    def authenticate(self, name: str) -> None:
        """EXTERNAL AUTHENTICATION with a key in its application, unless its right is there already. Of a PIN that is
        proved as a key: VERIFY with the digits that cards are issued with.
        """
        key = self.layout.keys[name]
        if key.application != "SSSE" or not self._application:
            self.enter(key.application)
        if name in self._rights:
            return
        if key.use == PIN_USE:
            self.prove_pin(name, key.pin)
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

    def prove_pin(self, name: str, pin: str) -> None:
        """VERIFY in the certificate application: a PIN of its own, by a challenge enciphered. Refused."""
        use = self.use(name, self.challenge(LONG_CRYPTOGRAM))
        proof = use.suite.crypt(pin_key(pin), use.challenge)
        self._exchange(0x00, 0x20, PIN_PROVED, use.key.id, proof, doing=f"verifying {name}")
        self._rights.add(name)

    def internal(self, factor: bytes, data: bytes) -> bytes:
        """INTERNAL AUTHENTICATION: the card's cryptogram, 8 bytes."""
        return self._exchange(0x00, 0x88, 0x00, 0x00, factor + data, doing="authenticating the card")

    def missing(self, condition: Condition) -> tuple[str, ...]:
        """The rights that must still be won for a condition, in order: a key where PIN or key will do."""
        if condition.satisfied(self._rights):
            return ()
        names = names_in(condition)
        if isinstance(condition, AllOf):
            return tuple(name for name in names if name not in self._rights)
        return tuple(name for name in names if name != PIN)[:1] or names

    def _authorise(self, condition: Condition, doing: str) -> None:
        """Wins the keys' rights that a condition still lacks; the PIN must have been verified before."""
        for name in self.missing(condition):
            if name == PIN:
                raise Unauthorised(f"{doing} needs the PIN verified")
            self.authenticate(name)
        if not condition.satisfied(self._rights):
            raise Unauthorised(f"{doing} needs {condition}")

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


def whole(record: bytes, tag: int, doing: str) -> bytes:
    """The value in a record, which must be whole and have this tag; TerminalError."""
    if record[:2] != bytes((tag, max(0, len(record) - 2) & 0xFF)):
        raise TerminalError(f"{doing}: the card's answer is not that item, whole")
    return record[2:]
