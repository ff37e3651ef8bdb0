"""VERIFY, CHANGE PIN, and PIN CHANGE/UNBLOCK."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.base import Instruction, check_declared
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError, tries_left
from emulator.filesystem.layouts.specs import ApplicationSpec, KeySpec, Layout, PinSpec
from emulator.filesystem.layouts.terms import AskedWhenLocked
from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKINGS_CELL, tries_cell
from emulator.filesystem.memory.tries import TryCounter
from emulator.security import PIN, Condition, Right

FILLER = b"\xff"
UNBLOCK, RELOAD = 0x0000, 0x0001
"""P1 P2 of PIN CHANGE/UNBLOCK."""


def digits(data: bytes) -> str:
    """BCD with its filling F taken off. Data that are no digits, or filling alone, come back as they are, and match no
    PIN.
    """
    text = data.hex().upper()
    return text.rstrip("F") or text


def new_pin(data: bytes, rules: PinSpec) -> str:
    """A PIN as it may be set: digits of an allowed length, or none for no PIN; 6A80."""
    pin = digits(data)
    if data and not (pin.isdecimal() and rules.min_digits <= len(pin) <= rules.max_digits):
        raise CardError(SW.WRONG_DATA, f"a PIN has {rules.min_digits} to {rules.max_digits} digits in BCD")
    return pin


def compare(card: CardState, tries: TryCounter, presented: str) -> None:
    """Holds digits against the PIN. A wrong one costs a try and the PIN's right: 63Cx, 6983 once locked."""
    if tries.left == 0:
        card.drop_pin()
        raise CardError(SW.BLOCKED, "the PIN is locked")
    left = tries.spend()
    if not hmac.compare_digest(card.memory.text(PIN_CELL), presented):
        card.drop_pin()
        raise CardError(tries_left(left), f"the PIN is wrong; {left} tries left")
    tries.restore()


@dataclass(slots=True)
class Verify(Instruction):
    """Holds the cardholder's PIN against the card's; without data it asks the state and costs no try.
    [S: part5:6.14.5, reference:card §7]
    """

    name = "VERIFY"
    name_zh = "验证密码"
    cla = 0x00
    ins = 0x20
    by_p1 = True
    source = "[T: part5:6.14]"
    p1p2 = {0x0000: "the PIN"}
    lengths = frozenset({0, *range(2, 9)})
    status = (0x63C0, 0x6700, 0x6983, 0x6984, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    secret = True
    tries_pin = True
    writes = True

    presented: str | None

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """No data, or 2 to 8 bytes."""
        check_declared(cls, command)
        if not command.data and command.le:
            raise CardError(SW.WRONG_LENGTH, f"Lc says {command.le} bytes of data, none follow")

    @classmethod
    def pins(cls, data: bytes) -> tuple[bytes, ...]:
        """Returns the PIN that is tried, for masks."""
        return (data,)

    @classmethod
    def command(cls, pin: bytes = b"") -> CommandAPDU:
        """The PIN in BCD; without one the question how things stand, which costs no try."""
        return cls.apdu(pin, le=None if pin else 0)

    @classmethod
    def parse(cls, command: CommandAPDU) -> Verify:
        """The digits, or None for the question."""
        return cls(digits(command.data) if command.data else None)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 63Cx, 6983, 6A88. Where no PIN is set, none is right. [T: part5:6.14.5]"""
        tries = card.pin_tries()
        if self.presented is not None:
            compare(card, tries, self.presented)
        elif card.memory.text(PIN_CELL):
            left = tries.left
            if not left and card.layout.pin.asked_when_locked is AskedWhenLocked.LOCKED:
                raise CardError(SW.BLOCKED, "the PIN is locked")
            raise CardError(tries_left(left), f"asked, not tried: {left} tries left")
        # Where no PIN is set, nobody is asked for one, and files read with it stay readable. [D]
        card.session.rights.add(PIN)
        return b""


@dataclass(slots=True)
class ChangePin(Instruction):
    """Sets a new PIN against the old one; either may be empty. A wrong old PIN costs a try.
    [S: part5:6.3, reference:card §7]
    """

    name = "CHANGE PIN"
    name_zh = "修改密码"
    cla = 0x80
    ins = 0x5E
    source = "[T: part5:6.3]"
    p1p2 = {0x0100: "old PIN FF new PIN"}
    lengths = frozenset(range(3, 18))
    status = (0x63C0, 0x6581, 0x6700, 0x6983, 0x6A80, 0x6A81, 0x6A86, 0x9303)
    secret = True
    tries_pin = True
    writes = True

    old: bytes
    separator: bytes
    new: bytes

    @classmethod
    def pins(cls, data: bytes) -> tuple[bytes, ...]:
        """The old one and the new one."""
        old, _, new = data.partition(FILLER)
        return old, new

    @classmethod
    def command(cls, old: bytes, new: bytes) -> CommandAPDU:
        """Both PINs in BCD, empty for none."""
        return cls.apdu(old + FILLER + new)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ChangePin:
        """Returns the instruction: old PIN and new PIN stand before and after the first FF."""
        return cls(*command.data.partition(FILLER))

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80 before a try is spent, then as VERIFY."""
        tries = card.pin_tries()
        if not self.separator:
            raise CardError(SW.WRONG_DATA, "no FF between the old and the new PIN")
        new = new_pin(self.new, card.layout.pin)
        compare(card, tries, digits(self.old))
        card.memory.put(PIN_CELL, new)
        return b""


@dataclass(slots=True)
class PinChangeUnblock(Instruction):
    """Sets the tries back (unblock), or a new PIN as well (reload), under secure messaging with STK.
    [S: part5:6.8, reference:card §7]
    """

    name = "PIN CHANGE/UNBLOCK"
    name_zh = "重装/解锁密码"
    cla = 0x84
    ins = 0x24
    source = "[T: part5:6.8]"
    p1p2 = {UNBLOCK: "unblock", RELOAD: "new PIN, enciphered"}
    lengths = frozenset({MAC_SIZE, 12, 20})
    status = (0x6581, 0x6700, 0x6982, 0x6983, 0x6984, 0x6985, 0x6988, 0x6A80, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    secret = True
    writes = True
    protected = True

    pin: bytes | None

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """A MAC alone to unblock; one or two blocks of 8, or one of 16, before it for a new PIN."""
        check_declared(cls, command)
        if (len(command.data) == MAC_SIZE) != (command.p2 == 0x00):
            raise CardError(SW.WRONG_LENGTH, f"{len(command.data)} bytes of data do not go with P2 {command.p2:02X}")

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """STK, once PUK's right was won; 6A88, 6982, and 6700 for data that are no whole blocks."""
        card.pin_tries()
        pin = card.layout.pin
        if pin.unblock_key not in card.session.rights:
            raise CardError(SW.SECURITY_NOT_SATISFIED, f"{cls.name} needs {pin.unblock_key} authenticated")
        if (len(command.data) - MAC_SIZE) % card.suite.block:
            raise CardError(SW.WRONG_LENGTH, f"{card.suite.name} enciphers in blocks of {card.suite.block} bytes")
        return card.layout.keys[pin.messaging_key]

    @classmethod
    def counted(cls, card: CardState, command: CommandAPDU) -> TryCounter:  # noqa: ARG003
        """The failed unblockings; 6983 once they have locked PUK [T: part7:13.3]. That a wrong MAC is one: [D]."""
        return card.unblockings()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True where a new PIN comes along (P2 01)."""
        return command.p2 == 0x01

    @classmethod
    def pins(cls, data: bytes) -> tuple[bytes, ...]:
        """Returns the new PIN, for masks."""
        return (data,)

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition:  # noqa: ARG003
        """Returns the right of the layout's unblock key, PUK."""
        return Right(layout.pin.unblock_key)

    @classmethod
    def command(cls, new: bytes | None = None) -> CommandAPDU:
        """To be sealed with a MAC, and with a cipher where there is a new PIN (BCD, empty for none); without one the
        tries alone are set back.
        """
        return cls.apdu(new or b"", UNBLOCK if new is None else RELOAD)

    @classmethod
    def parse(cls, command: CommandAPDU) -> PinChangeUnblock:
        """The new PIN in BCD, or None to unblock."""
        return cls(command.data if command.p2 else None)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80 for a PIN that may not be, which is a failed unblocking too."""
        if self.pin is not None:
            # SM4 enciphers no less than one byte [T: part4:8.3.3.2], so there the filler alone stands for no PIN. [D]
            none = card.suite.block > len(FILLER) * 8 and self.pin == FILLER
            card.memory.put(PIN_CELL, "" if none else new_pin(self.pin, card.layout.pin))
        # In one transaction with the new PIN: no moment has the one without the other.
        card.memory.put(tries_cell(PIN), card.layout.pin.tries)
        card.memory.put(UNBLOCKINGS_CELL, card.layout.unblockings)
        return b""
