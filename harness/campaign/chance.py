"""Deeds made by chance: right ones, wrong ones, and recorded commands with small harms done to them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge, InternalAuthentication
from emulator.apdu.instructions.bank import GetProcessingOptions
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.blocks import ApplicationBlock, CardBlock
from emulator.apdu.instructions.issuing import Activate
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.purse import (
    PURCHASE,
    GetBalance,
    GetStartingDay,
    GetTransactionProof,
    UpdateStartingDay,
)
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import EF, Select
from emulator.apdu.instructions.transactions import (
    CreditForLoad,
    DebitForPurchase,
    InitializeForLoad,
    InitializeForPurchase,
)
from harness.campaign import statement
from harness.campaign.deeds import Challenge, Deed, Prove, Reset, Seal, Send
from harness.campaign.session import Session

PINS = ("123456", "654321", "000000")
TIME, TERMINAL = bytes.fromhex("20261124120000"), bytes.fromhex("510100000001")


def _with_mac(command: CommandAPDU, mac: bytes) -> CommandAPDU:
    """As a command under secure messaging comes, whose MAC and cipher are not right."""
    return replace(command.to_secure(), data=command.data + mac)


SEEDS = (
    *(bytes.fromhex(one) for one in statement.SELECT.values()),
    *(
        bytes(one)
        for one in (
            Verify.command(bytes.fromhex("123456")),
            Verify.command(bytes.fromhex("999999")),
            Verify.command(),
            GetChallenge.command(),
            ReadRecord.command(5, number=1, le=18),
            ReadRecord.command(5, number=7),
            ReadRecord.command(5, tag=0x07, le=11),
            ReadBinary.command(7),
            UpdateBinary.command(b"\xaa\xbb\xcc", 7),
            UpdateRecord.command(bytes.fromhex("050420260101"), 5, tag=0x05),
            UpdateRecord.command(bytes(85), 7, mode=3),
            ExternalAuthentication.command(4, b"\x11" * 16),
            InternalAuthentication.command(b"\x22" * 8, b"\x22" * 8),
            ChangePin.command(bytes.fromhex("123456"), bytes.fromhex("654321")),
            _with_mac(PinChangeUnblock.command(), b"\x33" * 4),
            _with_mac(PinChangeUnblock.command(b"\x44" * 8), b"\x44" * 4),
            _with_mac(PinChangeUnblock.command(b"\x55" * 16), b"\x55" * 4),
            GetResponse.command(16),
            Select.by_id(0xEF05, EF),
            _with_mac(ReadRecord.command(5, number=1), b"\x66" * 4),
            _with_mac(UpdateRecord.command(bytes.fromhex("060420260101"), 5, tag=0x05), b"\x77" * 4),
            _with_mac(ApplicationBlock.command(), b"\x88" * 4),
            _with_mac(CardBlock.command(), b"\x99" * 4),
            Activate.apdu(le=0),
            InitializeForLoad.command(1, (1000).to_bytes(4, "big"), TERMINAL),
            CreditForLoad.command(TIME, b"\xaa\xbb\xcc\xdd"),
            InitializeForPurchase.command(1, bytes(12), TERMINAL),
            DebitForPurchase.command((1).to_bytes(4, "big"), TIME, b"\xaa\xbb\xcc\xdd"),
            GetBalance.command(le=4),
            GetTransactionProof.command(PURCHASE, (1).to_bytes(2, "big")),
            UpdateStartingDay.command(bytes.fromhex("0101")),
            GetStartingDay.command(2),
            GetProcessingOptions.command(),
        )
    ),
)
"""Commands that are harmed where nobody gives others."""
ALL_KEYS = tuple((home, number, name) for home, table in statement.KEYS.items() for number, name in table.items())


def mutated(chance: random.Random, command: bytes, seeds: Sequence[bytes]) -> bytes:
    """A command with one to three small harms done to it."""
    raw = bytearray(command)
    for _ in range(chance.randint(1, 3)):
        kind = chance.randrange(6)
        if kind == 0 and raw:
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        elif kind == 1 and raw:
            raw[chance.randrange(min(5, len(raw)))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del raw[chance.randrange(len(raw) + 1) :]
        elif kind == 3:
            raw += chance.randbytes(chance.randint(1, 4))
        elif kind == 4 and len(raw) > 4:
            raw[4] = chance.choice((0, 1, 0xFF, len(raw) - 5 & 0xFF))
        else:
            raw[:] = chance.choice(seeds)
    return bytes(raw)


class Deeds:
    """Makes one deed after another for a session, by what its model says of it: mostly what leads somewhere."""

    def __init__(self, chance: random.Random, session: Session, seeds: Sequence[bytes] = SEEDS) -> None:
        assert session.model is not None, "deeds are made by what the model says of the card"
        self._chance, self._terminal, self._model = chance, session.terminal, session.model
        self._seeds = seeds or SEEDS
        kinds: tuple[tuple[Callable[[], tuple[Deed, ...]], int], ...] = (
            (self._select, 8), (self._challenge, 2), (self._prove, 26), (self._verify, 8), (self._ask, 2),
            (self._change, 2), (self._reload, 5), (self._read, 10), (self._update, 8), (self._sealed, 14),
            (self._activate, 3), (self._block, 1), (self._reset, 2), (self._mutated, 12), (self._again, 8),
        )  # fmt: skip

        self._makers = [maker for maker, often in kinds for _ in range(often)]
        self._coming: deque[Deed] = deque()
        self._last: Deed = Send(SEEDS[1])

    def next(self) -> Deed:
        """Returns a deed."""
        if not self._coming:
            self._coming.extend(self._chance.choice(self._makers)())
        self._last = self._coming.popleft()
        return self._last

    def _one_in(self, many: int) -> bool:
        return self._chance.randrange(many) == 0

    def _home(self) -> str:
        here = self._model.here
        return here if here in statement.SOCIAL else "SSSE"

    def _select(self) -> tuple[Deed, ...]:
        """An application, rather one of the social security card."""
        name = self._chance.choice(tuple(statement.SELECT) if self._one_in(3) else statement.SOCIAL)
        return (Send(bytes.fromhex(statement.SELECT[name])),)

    def _again(self) -> tuple[Deed, ...]:
        """What was done last, once more."""
        return (self._last,)

    def _challenge(self) -> tuple[Deed, ...]:
        return (Challenge(),)

    def _fresh(self, deed: Deed) -> tuple[Deed, ...]:
        """With a challenge of its own, but for now and then, when it works with what is there or not."""
        return (deed,) if self._one_in(8) else (Challenge(), deed)

    def _prove(self) -> tuple[Deed, ...]:
        """A key of where it is, now and then one of elsewhere."""
        if self._one_in(8):
            _, number, name = self._chance.choice(ALL_KEYS)
        else:
            number, name = self._chance.choice(tuple(statement.KEYS[self._home()].items()))
        if name not in self._terminal.keys:
            return (Challenge(),)
        return self._fresh(Prove(name, number, wrong=self._one_in(6)))

    def _verify(self) -> tuple[Deed, ...]:
        pin = self._model.pin if not self._one_in(3) else self._chance.choice(PINS)
        data = bytes.fromhex(pin + "F" * (len(pin) % 2))
        return (Send(bytes(Verify.command(data))),)

    def _ask(self) -> tuple[Deed, ...]:
        return (Send(bytes(Verify.command())),)

    def _change(self) -> tuple[Deed, ...]:
        old = self._model.pin if not self._one_in(3) else self._chance.choice(PINS)
        old += "F" * (len(old) % 2)
        new = self._chance.choice(PINS)
        return (Send(bytes(ChangePin.command(bytes.fromhex(old), bytes.fromhex(new)))),)

    def _reload(self) -> tuple[Deed, ...]:
        wrong = self._one_in(5)
        if self._one_in(2):
            return self._fresh(Seal(PinChangeUnblock.command().header, b"", "STK", wrong=wrong))
        pin = bytes.fromhex(self._chance.choice(PINS))
        return self._fresh(Seal(PinChangeUnblock.command(pin).header, pin, "STK", cipher=True, wrong=wrong))

    def _record(self) -> statement.Record:
        """A record of where it is, rather one that may be updated."""
        records = self._model.records
        near = [one for one in records if one.home == self._model.here] or list(records)
        open_ones = [one for one in near if one.updater in self._model.rights]
        return self._chance.choice(near if self._one_in(3) else open_ones or near)

    def _read(self) -> tuple[Deed, ...]:
        return (Send(self._record().read()),)

    def _update(self) -> tuple[Deed, ...]:
        record = self._record()
        return (Send(record.update(self._chance.choice((record.value, record.other)))),)

    def _sealed(self) -> tuple[Deed, ...]:
        record = self._record()
        value = self._chance.choice((record.value, record.other))
        cla = self._chance.choice((0x04, 0x84))
        key = statement.MESSAGING[record.home]
        return self._fresh(Seal(record.header(cla), value, key, wrong=self._one_in(3)))

    def _activate(self) -> tuple[Deed, ...]:
        return (Send(bytes(Activate.apdu(le=0))),)

    def _block(self) -> tuple[Deed, ...]:
        command = CardBlock.command() if self._one_in(4) else ApplicationBlock.command()
        return self._fresh(Seal(command.header, b"", statement.MESSAGING[self._home()], wrong=self._one_in(3)))

    def _reset(self) -> tuple[Deed, ...]:
        return (Reset(cold=self._one_in(2)),)

    def _mutated(self) -> tuple[Deed, ...]:
        return (Send(mutated(self._chance, self._chance.choice(self._seeds), self._seeds)),)
