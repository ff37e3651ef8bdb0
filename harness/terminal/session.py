"""A terminal's session with one card: applications selected, keys authenticated, commands sealed and sent.

Counter work, vectors' steps, personalisation and the PSAM's own work all go through it.
"""

from __future__ import annotations

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge, InternalAuthentication
from emulator.apdu.instructions.certificate import VerifyCertificatePin
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW
from emulator.apdu.transport import follow
from emulator.crypto import Suite, suite_of
from emulator.crypto.keys import pin_key
from emulator.filesystem.layouts.specs import KeySpec, Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.files import messaging_of
from emulator.interface import chip_factor
from emulator.messages import _
from emulator.security import PIN, AllOf, Condition, names_in
from harness.keys.access import LONG_CRYPTOGRAM, KeyAccess, TerminalError, Unauthorised, Use
from harness.keys.none import NoKeys
from harness.keys.roots import UnknownKey
from harness.readers.connection import Connection
from harness.terminal.refused import Refused


class TerminalSession:
    """What is selected on a card, and which rights are won there by proofs of its keys.

    ``keys`` computes under card keys. ``layout``, ``suite`` and ``region`` say what card it is: whoever opens the
    session sets them before anything but ``reset`` and ``send`` is asked for.
    """

    def __init__(self, connection: Connection, keys: KeyAccess | None = None) -> None:
        self.connection = connection
        self.keys: KeyAccess = keys or NoKeys()
        self.layout: Layout
        self.suite: Suite
        self.region = ""
        """The card's, six digits."""
        self.application = ""
        """The one that is current, empty where that is not known."""
        self._rights: set[str] = set()

    # --- sending -----------------------------------------------------------------------------------------------

    def reset(self) -> bytes:
        """Resets the card, which forgets selection and rights; the ATR."""
        self.forget()
        return self.connection.reset()

    def forget(self) -> None:
        """The card was reset by others: nothing is selected, no right is held."""
        self.application, self._rights = "", set()

    def send(self, command: CommandAPDU) -> ResponseAPDU:
        """One command with all that its reader shape needs; whatever status word comes."""
        return ResponseAPDU.parse(follow(self.connection.send, bytes(command)))

    def exchange(self, command: CommandAPDU, doing: str) -> bytes:
        """One command that must succeed; its answer's data. Refused, naming what was being done."""
        response = self.send(command)
        if not response.ok:
            raise Refused(doing, response.sw)
        return response.data

    # --- selecting ---------------------------------------------------------------------------------------------

    def select(self, application: str) -> ResponseAPDU:
        """SELECT of an application, by its name or by its file id; whatever status word comes. Keys' rights of the last
        one are lost.
        """
        response = self.send(Select.application(self.layout.applications[application]))
        if response.ok:
            self.application = application
            self._rights &= {PIN}
        elif response.sw in (SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY):
            # It is current all the same, and what was before is not.
            self.application = ""
            self._rights &= {PIN}
        return response

    def enter(self, application: str, *, again: bool = False) -> None:
        """Makes an application current, if it is not yet, or all the same. Refused."""
        if again or application != self.application:
            response = self.select(application)
            if not response.ok:
                raise Refused(_("selecting {application}").format(application=application), response.sw)

    # --- authenticating ----------------------------------------------------------------------------------------

    def use(self, name: str, challenge: bytes = b"", version: int = 1) -> Use:
        """One use of this card's key ``name``. UnknownKey where the layout has no such key."""
        key = self.layout.keys.get(name)
        if key is None:
            raise UnknownKey(name)
        scheme, __ = messaging_of(self.layout, key.application)
        suite = suite_of(scheme.algorithm, self.suite)
        return Use(key, suite, scheme, self.region, chip_factor(self.connection.atr), challenge, version)

    def challenge(self, size: int = 8) -> bytes:
        """Returns a fresh challenge of the card, of ``size`` bytes. Refused."""
        return self.exchange(GetChallenge.command(size), _("asking for a challenge"))

    def proof(self, use: Use, data: bytes) -> bytes:
        """What proves a key under ``use.challenge``, 16 bytes: a cryptogram over 8 bytes of data and these, or the
        challenge enciphered, as the key's scheme has it.
        """
        if use.scheme.cryptogram == LONG_CRYPTOGRAM:
            return self.keys.cryptogram(use, b"")
        return self.keys.cryptogram(use, data) + data

    def authenticate(self, name: str) -> None:
        """EXTERNAL AUTHENTICATION with a key in its application, unless its right is there already. Of a PIN that is
        proved as a key: VERIFY with the digits that cards are issued with.
        """
        key = self.layout.keys[name]
        if key.application != self.layout.pin.application or not self.application:
            self.enter(key.application)
        if name in self._rights:
            return
        if key.use is KeyUse.PIN:
            self.prove_pin(name, key.pin)
            return
        scheme, __ = messaging_of(self.layout, key.application)
        long = scheme.cryptogram == LONG_CRYPTOGRAM
        data = b"" if long else self.challenge()
        self.prove(name, self.proof(self.use(name, self.challenge(LONG_CRYPTOGRAM if long else 8)), data))

    def prove(self, name: str, proof: bytes) -> None:
        """EXTERNAL AUTHENTICATION with a proof, of 16 bytes, made here or elsewhere. Refused."""
        self.exchange(proving(self.layout.keys[name], proof), _("authenticating with {name}").format(name=name))
        self._rights.add(name)

    def prove_pin(self, name: str, pin: str) -> None:
        """VERIFY in the certificate application: a PIN of its own, by a challenge enciphered. Refused."""
        use = self.use(name, self.challenge(LONG_CRYPTOGRAM))
        self.exchange(
            proving(use.key, use.suite.crypt(pin_key(pin), use.challenge)), _("verifying {name}").format(name=name)
        )
        self._rights.add(name)

    def internal(self, factor: bytes, data: bytes) -> bytes:
        """INTERNAL AUTHENTICATION: the card's cryptogram, 8 bytes."""
        return self.exchange(InternalAuthentication.command(factor, data), _("authenticating the card"))

    def missing(self, condition: Condition) -> tuple[str, ...]:
        """The rights that must still be won for a condition, in order: a key where PIN or key will do."""
        if condition.satisfied(self._rights):
            return ()
        names = names_in(condition)
        if isinstance(condition, AllOf):
            return tuple(name for name in names if name not in self._rights)
        return tuple(name for name in names if name != PIN)[:1] or names

    def authorise(self, condition: Condition, doing: str) -> None:
        """Wins the keys' rights that a condition still lacks; the PIN must have been verified before. Unauthorised."""
        for name in self.missing(condition):
            if name == PIN:
                raise Unauthorised(_("{doing} needs the PIN verified").format(doing=doing))
            self.authenticate(name)
        if not condition.satisfied(self._rights):
            raise Unauthorised(_("{doing} needs {condition}").format(doing=doing, condition=condition))

    # --- sealing -----------------------------------------------------------------------------------------------

    def sealed(self, command: CommandAPDU, key: str, *, enciphered: bool, doing: str) -> bytes:
        """One command under secure messaging, by a key's name; the data of its answer, opened. Refused."""
        use = self.use(key, self.challenge())
        answer = self.exchange(self.keys.seal(use, command, enciphered=enciphered), doing)
        try:
            return self.opened(use, answer, enciphered=enciphered)
        except ValueError as error:
            raise TerminalError(f"{doing}: {error}") from None

    def opened(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        """The data of an answer to a sealed command, which may have none; ValueError where they are not right."""
        return self.keys.open(use, answer, enciphered=enciphered) if answer else b""


def proving(key: KeySpec, proof: bytes, version: int | None = None) -> CommandAPDU:
    """The command that takes a proof of a key: EXTERNAL AUTHENTICATION, or VERIFY of a PIN that is proved as a key."""
    if key.use is KeyUse.PIN:
        return VerifyCertificatePin.command(key.id, proof)
    return ExternalAuthentication.command(key.id, proof, version)
