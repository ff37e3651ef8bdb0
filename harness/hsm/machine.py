"""The encryption machine (加密机): holds the roots, addressed by key, region and card, and answers terminals' requests.

No key ever leaves it: not in an answer, not in an error's text.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Protocol

from emulator import catalogue
from emulator.apdu.instructions.pin import PinChangeUnblock
from emulator.crypto.keys import test_root
from emulator.filesystem.layouts.specs import KeySpec
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.files import messaging_of
from emulator.messages import _, deferred
from emulator.override import override
from harness.hsm.requests import AMOUNT, BLOCK, Card, MachineError, Settlement, hexadecimal
from harness.keys.access import Use
from harness.keys.hsm_roots import INTERNAL_KEY, HsmRoots
from harness.terminal.pin import bcd, is_pin

__all__ = ["LONGEST_LINE", "PROVINCE", "Card", "EncryptionMachine", "Machine", "MachineError"]

LAYOUT = "3.00"
READ_KEY = "RKSSSE"
FIELDS = 9
RELOAD, UNBLOCK = (one.header.hex() for one in (PinChangeUnblock.command(b""), PinChangeUnblock.command()))
LONGEST_LINE = 512
LONGEST_TERMINAL = 32
PROVINCE = "51"
"""The made-up cards are from here."""
EXTERNAL, MESSAGING, PURSE = KeyUse.EXTERNAL, KeyUse.MESSAGING, KeyUse.PURSE
DOES = {
    EXTERNAL: deferred("external authentication"),
    MESSAGING: deferred("PIN CHANGE/UNBLOCK"),
    PURSE: deferred("debits"),
}


class Machine(Protocol):
    """An encryption machine, in this process or elsewhere. Every request may raise MachineError."""

    @property
    def addresses(self) -> dict[str, str]:
        """Returns the name of each key by its address in the machine."""

    def card(self, region: str, history: str, algorithm: str) -> Card:
        """The card of a request. A region that is not served is refused here or by the request."""

    def basic(self, line: str) -> str:
        """Reading basic information: ``region|historical bytes|algorithm|identification code|internal factor|internal
        data|external factor|external data|terminal|`` gives ``cryptogram ‖ data|cryptogram ‖ data|``.
        [S: reference:terminal Flows]
        """

    def external(self, address: str, card: Card, factor: str, data: str, *, levels: int | None = None) -> str:
        """What EXTERNAL AUTHENTICATION takes: cryptogram ‖ data, 32 hex digits. [S: reference:terminal flow 3]

        ``levels``: how many the terminal takes the root to have; with others it is refused. [D]
        """

    def pin(self, address: str, card: Card, factor: str, header: str, pin: str = "", *, whole: bool = False) -> str:
        """What PIN CHANGE/UNBLOCK takes under a key: its data and MAC, or the ``whole`` command.
        [S: reference:terminal flow 4]

        ``header``: ``84240001`` and Lc for a new PIN, ``84240000`` and Lc to unblock. In a whole command Lc is made.
        """

    def debit(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str,
    ) -> str:  # fmt: skip
        """MAC1 of DEBIT FOR PURCHASE, 8 hex digits. [T: part7:12]

        ``random`` (8 hex digits) and ``sequence`` (4) are the card's. Amounts of 8 hex digits, in fen; the account's
        own is 0 [S: reference:card §7]. ``time`` YYYYMMDDhhmmss, ``terminal`` 12 digits, ``terminal_sequence`` 8 hex
        digits.
        """

    def debit_proof(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str, mac2: str,
    ) -> bool:  # fmt: skip
        """Whether the card's MAC2 (8 hex digits) proves this settlement: it has been recorded. [T: part9:9.10]"""


class EncryptionMachine(Machine):
    """Holds a root for every key that has an address, and IRK.

    ``root`` gives a root by name and version, LookupError where there is none. ``region``: the beginning of the regions
    it serves. Two digits: a province's, with national roots of up to 3 levels. Four or six: a city's, whose 3-level
    roots the province has diversified before, so that 2 levels are left. [D]
    """

    def __init__(self, root: Callable[[str, int], bytes] = test_root, *, region: str = PROVINCE) -> None:
        if len(region) not in (2, 4, 6) or not (region.isascii() and region.isdigit()):
            raise MachineError("input", _("the machine's region: expected its first two, four or six digits"))
        self.region = region
        self._layout = catalogue.layout(LAYOUT)
        self._roots = HsmRoots(root, region, self._layout)

    @property
    def keys(self) -> tuple[KeySpec, ...]:
        """The keys that have an address, by address: what they are, not their values."""
        return tuple(sorted((key for key in self._roots.keys.values() if key.hsm), key=lambda key: key.hsm))

    @property
    @override
    def addresses(self) -> dict[str, str]:
        return {key.hsm: key.name for key in self.keys}

    # --- requests --------------------------------------------------------------------------------------------------

    def card(self, region: str, history: str, algorithm: str) -> Card:
        """See ``Machine``. A region that is not served is refused here."""
        card = Card.named(region, history, algorithm)
        self._serve(card)
        return card

    @override
    def basic(self, line: str) -> str:
        if len(line) > LONGEST_LINE or not line.endswith("|"):
            raise MachineError(
                "input",
                _("expected a line of up to {longest_line} characters, ended by |").format(longest_line=LONGEST_LINE),
            )
        parts = line.split("|")[:-1]
        if len(parts) != FIELDS:
            raise MachineError(
                "input", _("expected {fields} fields, found {count}").format(fields=FIELDS, count=len(parts))
            )
        region, history, algorithm, identification, *randoms, terminal = parts
        card = self.card(region, history, algorithm)
        if len(terminal) > LONGEST_TERMINAL:
            raise MachineError(
                "input",
                _("terminal: expected up to {longest_terminal} characters, found {count}").format(
                    longest_terminal=LONGEST_TERMINAL, count=len(terminal)
                ),
            )
        if hexadecimal(_("identification code"), identification, 16)[:3].hex() != region:
            raise MachineError("region", _("the identification code is of another region than the request"))
        names = (_("internal factor"), _("internal data"), _("external factor"), _("external data"))
        one, two, three, four = (hexadecimal(name, text, BLOCK) for name, text in zip(names, randoms, strict=True))
        inner = self._proof(self._named(INTERNAL_KEY), card, one, two)
        outer = self._proof(self._named(READ_KEY), card, three, four)
        return f"{inner.hex()}|{outer.hex()}|".upper()

    @override
    def external(self, address: str, card: Card, factor: str, data: str, *, levels: int | None = None) -> str:
        key = self._at(address, EXTERNAL)
        if levels is not None and levels != key.levels:
            raise MachineError(
                "level",
                _("the root of {name} has {levels} levels in this machine").format(name=key.name, levels=key.levels),
            )
        challenge, given = hexadecimal(_("factor"), factor, BLOCK), hexadecimal(_("data"), data, BLOCK)
        return self._proof(key, card, challenge, given).hex().upper()

    @override
    def pin(self, address: str, card: Card, factor: str, header: str, pin: str = "", *, whole: bool = False) -> str:
        key = self._at(address, MESSAGING)
        head = hexadecimal(_("header"), header, 5)
        new = header[:8] == RELOAD
        if not new and header[:8] != UNBLOCK:
            raise MachineError(
                "input", _("header: expected {reload} or {unblock}, and Lc").format(reload=RELOAD, unblock=UNBLOCK)
            )
        if not (is_pin(pin) if new else not pin):
            raise MachineError("input", _("pin: expected 4 to 12 digits to reload, none to unblock"))
        use = self._use(key, card, hexadecimal(_("factor"), factor, BLOCK))
        command = PinChangeUnblock.command(bcd(pin) if new else None)
        sealed = bytes(self._roots.of(card.suite).seal(use, command, enciphered=new))
        if not whole and head[4] != sealed[4]:
            raise MachineError(
                "input",
                _("header: {sealed:02X} is the right Lc under {name}").format(sealed=sealed[4], name=card.suite.name),
            )
        return (sealed if whole else sealed[5:]).hex().upper()

    @override
    def debit(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str,
    ) -> str:  # fmt: skip
        settled = Settlement.named(random, sequence, self_paid, pooled, time, terminal, terminal_sequence)
        key = self._purchase_key(address, card, settled.challenge)
        return card.suite.mac(key, settled.amounts + settled.tail).hex().upper()

    @override
    def debit_proof(
        self, address: str, card: Card, random: str, sequence: str, self_paid: str, pooled: str,
        time: str, terminal: str, terminal_sequence: str, mac2: str,
    ) -> bool:  # fmt: skip
        settled = Settlement.named(random, sequence, self_paid, pooled, time, terminal, terminal_sequence)
        told = hexadecimal("mac2", mac2, AMOUNT)
        key = self._purchase_key(address, card, settled.challenge)
        return hmac.compare_digest(card.suite.mac(key, settled.amounts), told)

    # --- what requests name ----------------------------------------------------------------------------------------

    def _serve(self, card: Card) -> None:
        if not card.region.startswith(self.region):
            raise MachineError(
                "region",
                _("the region is unknown: this machine serves {ljust}").format(ljust=self.region.ljust(6, "0")),
            )

    def _named(self, name: str) -> KeySpec:
        if name not in self._roots.keys:
            raise MachineError("address", _("this machine has no root of {name}").format(name=name))
        return self._roots.keys[name]

    def _at(self, address: str, use: KeyUse) -> KeySpec:
        key = next((key for key in self.keys if key.hsm == address.upper()), None)
        if key is None:
            raise MachineError("address", _("no key at this address"))
        if key.use is not use:
            raise MachineError(
                "address",
                _("{name}, the key at {hsm}, is not for {does}").format(name=key.name, hsm=key.hsm, does=_(DOES[use])),
            )
        return key

    def _use(self, key: KeySpec, card: Card, factor: bytes) -> Use:
        self._serve(card)
        scheme, __ = messaging_of(self._layout, key.application)
        return Use(key, card.suite, scheme, card.region, card.chip, factor)

    def _proof(self, key: KeySpec, card: Card, factor: bytes, data: bytes) -> bytes:
        return self._roots.of(card.suite).cryptogram(self._use(key, card, factor), data) + data

    def _purchase_key(self, address: str, card: Card, challenge: bytes) -> bytes:
        use = self._use(self._at(address, PURSE), card, challenge)
        return card.suite.process_key(self._roots.of(card.suite).card_key(use), challenge)
