"""Deeds made by chance: right ones, wrong ones, and recorded commands with small harms done to them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

from harness.campaign import statement
from harness.campaign.deeds import Challenge, Deed, Prove, Reset, Seal, Send
from harness.campaign.session import Session

PINS = ("123456", "654321", "000000")
SEEDS = tuple(
    bytes.fromhex(one)
    for one in (
        *statement.SELECT.values(), "0020000003123456", "0020000003999999", "0020000000", "0084000008", "00B2012C12",
        "00B2072C00", "00B207280B", "00B0870000", "00D6870003AABBCC", "00DC05280605042026" + "0101",
        "00DC003B55" + "00" * 85, "0082000410" + "11" * 16, "0088000010" + "22" * 16, "805E010007123456FF654321",
        "8424000004" + "33" * 4, "842400010C" + "44" * 12, "8424000114" + "55" * 20, "00C0000010", "00A4020002EF05",
        "04B2012C04" + "66" * 4, "04DC05280A" + "060420260101" + "77" * 4, "841E000104" + "88" * 4,
        "8416000004" + "99" * 4, "8044000000", "B02800010B" + "01000003E8" + "510100000001",
        "B02A00000B" + "20261124120000AABBCCDD", "B028010113" + "01" + "00" * 12 + "510100000001",
        "B02C01000F" + "00000001" + "20261124120000" + "AABBCCDD", "B026000104", "B02E0002020001", "B0560000020101",
        "B056010002", "80A80000028300",
    )
)  # fmt: skip
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
        return (Send(b"\x00\x20\x00\x00" + bytes((len(data),)) + data),)

    def _ask(self) -> tuple[Deed, ...]:
        return (Send(bytes.fromhex("0020000000")),)

    def _change(self) -> tuple[Deed, ...]:
        old = self._model.pin if not self._one_in(3) else self._chance.choice(PINS)
        old += "F" * (len(old) % 2)
        data = bytes.fromhex(old + "FF" + self._chance.choice(PINS))
        return (Send(b"\x80\x5e\x01\x00" + bytes((len(data),)) + data),)

    def _reload(self) -> tuple[Deed, ...]:
        wrong = self._one_in(5)
        if self._one_in(2):
            return self._fresh(Seal(bytes.fromhex("84240000"), b"", "STK", wrong=wrong))
        pin = bytes.fromhex(self._chance.choice(PINS))
        return self._fresh(Seal(bytes.fromhex("84240001"), pin, "STK", cipher=True, wrong=wrong))

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
        return (Send(bytes.fromhex("8044000000")),)

    def _block(self) -> tuple[Deed, ...]:
        header = bytes.fromhex("84160000" if self._one_in(4) else "841E0001")
        return self._fresh(Seal(header, b"", statement.MESSAGING[self._home()], wrong=self._one_in(3)))

    def _reset(self) -> tuple[Deed, ...]:
        return (Reset(cold=self._one_in(2)),)

    def _mutated(self) -> tuple[Deed, ...]:
        return (Send(mutated(self._chance, self._chance.choice(self._seeds), self._seeds)),)
