"""From blank to active: LOAD KEY, COMPLETE PERSONALISATION and ACTIVATE, commands of this project's own. [D]

A blank card has its files, empty, and its transport key. The transport key's right opens every file to UPDATE RECORD
and UPDATE BINARY; keys come one by one, enciphered; completing ends all that for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.base import WHOLE, Instruction, check_declared, wrong_p1p2
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import ApplicationSpec, KeySpec, Layout
from emulator.filesystem.layouts.terms import CardKind, KeyUse
from emulator.filesystem.memory.cells import ACTIVATION, CARD_STATE, KEY_SIZE, VERSIONS, Activation, CardLife, key_cell
from emulator.messages import _
from emulator.security import Condition

PIN_LOADED = 0x81
"""P1 of LOAD KEY where P2 is the id of a PIN that is proved as a key: it may be that of a key too."""


class _Personalising(Instruction):
    """What both commands of personalisation share: a blank card, its transport key, secure messaging under it."""

    cla = 0x84
    protected = True
    writes = True
    before_activation = True
    status = (0x6581, 0x6700, 0x6982, 0x6983, 0x6984, 0x6985, 0x6988, 0x6A80, 0x6A81, 0x6A86, 0x6A88)
    versions = "where the layout says so"

    __slots__ = ()

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """True for layouts that say how a blank card is filled."""
        return layout.personalisation is not None

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:  # noqa: ARG003
        """The transport key; 6985 once the card is personalised, 6982 without its right."""
        plan = card.layout.personalisation
        assert plan is not None
        if card.memory.card_life is not CardLife.BLANK:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card is personalised already")
        if not card.filling():
            raise CardError(SW.SECURITY_NOT_SATISFIED, f"{cls.name} needs {plan.key} authenticated")
        return card.layout.keys[plan.key]


@dataclass(slots=True)
class LoadKey(_Personalising):
    """Loads a key of the current DF: P1 its version, P2 its id, 16 bytes enciphered. P1 81 means a PIN's key."""

    name = "LOAD KEY"
    name_zh = "装载密钥"
    ins = 0xD4
    source = "this project's own [D]"
    lengths = frozenset({28, 36})
    cards = (CardKind.USER, CardKind.PSAM)
    secret = True

    version: int
    identifier: int
    pin: bool
    value: bytes

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """A version from 1 to 3, or a PIN, in P1; a length byte, the key and its padding, and a MAC."""
        if command.p1 not in (*VERSIONS, PIN_LOADED):
            raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", "a version 01 to 03 (81 for a PIN) and a key id")
        if len(command.data) not in cls.lengths:
            raise CardError(SW.WRONG_LENGTH, "expected 24 or 32 bytes of enciphered key and a MAC of 4")

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True: the key never comes in the clear."""
        return True

    @classmethod
    def command(cls, identifier: int, value: bytes, version: int = 1, *, pin: bool = False) -> CommandAPDU:
        """To be sealed with cipher and MAC. ``pin``: the id is that of a PIN that is proved as a key."""
        return cls.apdu(value, (PIN_LOADED if pin else version) << 8 | identifier)

    @classmethod
    def parse(cls, command: CommandAPDU) -> LoadKey:
        """From P1, P2 and the deciphered data."""
        return cls(command.p1 & 0x7F, command.p2, command.p1 == PIN_LOADED, command.data)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """Id and version."""
        if command.p1 == PIN_LOADED:
            return _("PIN {id:02X}").format(id=command.p2)
        return _("key {id:02X}, version {version:02X}").format(id=command.p2, version=command.p1)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80 unless the key has 16 bytes, 6A88 for an id that is unknown here."""
        if len(self.value) != KEY_SIZE:
            raise CardError(SW.WRONG_DATA, f"a key has {KEY_SIZE} bytes, {len(self.value)} came")
        here = card.session.directory
        named = [key for key in here.keys if key.id == self.identifier and (key.use is KeyUse.PIN) == self.pin]
        if not named:
            if self.pin:
                raise CardError(SW.REFERENCE_NOT_FOUND, f"{here.spec.id} has no PIN {self.identifier:02X}")
            raise CardError(SW.REFERENCE_NOT_FOUND, f"{here.spec.id} has no key {self.identifier:02X}")
        spec = named[0]
        card.memory.put(key_cell(spec.name, self.version), self.value)
        return b""


@dataclass(slots=True)
class CompletePersonalisation(_Personalising):
    """Ends personalisation for ever: from then on files answer to their own conditions."""

    name = "COMPLETE PERSONALISATION"
    name_zh = "结束个人化"
    ins = 0x46
    source = "this project's own [D]"
    p1p2 = {0x0000: "the card"}
    lengths = frozenset({MAC_SIZE})
    harmless_data = WHOLE  # a MAC
    cards = (CardKind.USER, CardKind.PSAM)

    @classmethod
    def command(cls) -> CommandAPDU:
        """To be sealed with a MAC."""
        return cls.apdu()

    @classmethod
    def parse(cls, command: CommandAPDU) -> CompletePersonalisation:  # noqa: ARG003
        """Returns the instruction; its data were the MAC alone."""
        return cls()

    def execute(self, card: CardState) -> bytes:
        """Returns no data."""
        card.memory.put(CARD_STATE, CardLife.IN_USE)
        card.session.drop_keys()
        return b""


@dataclass(slots=True)
class Activate(Instruction):
    """Turns the social security function on (启用), once. A layout may rename it or leave it out."""

    name = "ACTIVATE"
    name_zh = "启用社会保障功能"
    cla = 0x80
    ins = 0x44
    source = "the Measures, article 13; the command is this project's own [D]"
    p1p2 = {0x0000: "the social security function"}
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A81, 0x6A82, 0x6A86, 0x9303)
    writes = True
    before_activation = True
    versions = "where the layout says so"

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """True for layouts whose cards are handed out before they are activated."""
        return layout.activation is not None and layout.card in cls.cards

    @classmethod
    def code(cls, layout: Layout) -> tuple[int, int]:
        """Returns class and instruction byte as this layout has them."""
        named = layout.activation
        return (named.cla, named.ins) if named else (cls.cla, cls.ins)

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """Raises CardError unless P1 P2 are 0000 and no data come or are asked for."""
        check_declared(cls, command)
        if command.le:
            raise CardError(SW.WRONG_LENGTH, f"{cls.name} takes no data and gives none, P3 is {command.le:02X}")

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """Returns the right that the layout asks for; None for a layout without activation."""
        return layout.activation.needs if layout.activation is not None else None

    @classmethod
    def command(cls, layout: Layout) -> CommandAPDU:
        """Returns the command under the class and instruction byte of this layout."""
        cla, ins = cls.code(layout)
        return replace(cls.apdu(), cla=cla, ins=ins)

    @classmethod
    def parse(cls, command: CommandAPDU) -> Activate:  # noqa: ARG003
        """Returns the instruction, which has no parameters."""
        return cls()

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6985 outside the environment and on an active card, 6982."""
        named = card.layout.activation
        assert named is not None
        home = card.layout.pin.application
        if card.session.directory.spec.id != home:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{self.name} is given in {home}")
        if card.memory.card_life is CardLife.BLANK:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card is not personalised yet")
        self.permit(card)
        if card.memory.activation is Activation.ACTIVE:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the social security function is active already")
        card.memory.put(ACTIVATION, Activation.ACTIVE)
        return b""
