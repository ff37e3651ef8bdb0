"""The terminal's own card (PSAM): it diversifies its roots for one card and one use, and computes under the result."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from emulator.apdu.answers import split
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import WHOLE, Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import SUITES, Suite
from emulator.crypto.suite import folded
from emulator.filesystem.layouts.paths import PsamKey
from emulator.filesystem.layouts.specs import KeySpec
from emulator.filesystem.layouts.terms import CardKind, KeyUse
from emulator.filesystem.memory.cells import file_cell
from emulator.messages import _

FACTOR = 8
DEBIT, MAC, ENCRYPTION, BOTH = 2, 6, 7, 8
"""Low five bits of a usage byte that matter here; the high three are the levels. [S: part9:6.1, reference:card §5]"""
TERMINAL_NUMBER, SEQUENCE = "MF/EF16", "DF01/EF19"
SSF33_REGION = 0x11
ENCIPHER_LAST, ENCIPHER_MORE = 0x00, 0x02
MAC_LAST, MAC_NEXT, MAC_ONLY, MAC_FIRST = 0x01, 0x03, 0x05, 0x07
"""P1 of CIPHER DATA. [T: part9:9.8]"""
MOST_BLOCKS = 8
"""In one CIPHER DATA: 64 bytes in blocks of 8, 128 in blocks of 16. [T: part9:9.8]"""


@dataclass(slots=True)
class Delivered:
    """A key made for one card and one use. ``chain``: the MAC so far, empty before its first block."""

    suite: Suite
    key: bytes = field(repr=False)
    use: int
    chain: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Paying:
    """The terminal's side of a purchase that was begun."""

    suite: Suite
    key: bytes = field(repr=False)
    amounts: bytes


def find_root(card: CardState, usage: int, identifier: int) -> KeySpec:
    """A root by its use (low five bits of the usage) and id, from the current DF up; 6A88, 6A80 for wrong levels."""
    for directory in card.session.directory.line():
        for spec in directory.keys:
            if spec.use is not KeyUse.DELIVERY:
                continue
            left = spec.levels_left
            if spec.psam != PsamKey(usage, identifier).with_levels(left):
                continue
            if usage >> 5 != left:
                raise CardError(SW.WRONG_DATA, f"{spec.name} has {left} levels here, not {usage >> 5}")
            return spec
    raise CardError(SW.REFERENCE_NOT_FOUND, f"no key of usage {usage & 0x1F} with id {identifier:02X} within reach")


def value(card: CardState, spec: KeySpec, suite: Suite) -> bytes:
    """A root's value for an algorithm, kept as the version of its number [D]; 6A81 without the algorithm, 6A88."""
    if suite.name not in card.layout.algorithms:
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, f"this PSAM has no {suite.name}")
    return card.key(spec, suite.code)


def diversify(suite: Suite, root: bytes, factors: bytes) -> bytes:
    """A card's key; the factors come card first, province last, and are applied the other way round.
    [S: prog-huada-usb, prog-yx]
    """
    for at in range(len(factors) - FACTOR, -1, -FACTOR):
        root = suite.derive(root, factors[at : at + FACTOR])
    return root


@dataclass(slots=True)
class InitializeEnvironment(Instruction):
    """Turns to the environment that goes with a card, by the first byte of its identification code."""

    name = "INITIALIZE ENVIRONMENT"
    name_zh = "初始化环境"
    cla = 0xBF
    ins = 0xEC
    source = "[S: part9:9.3, reference:card §7]"
    p1p2 = {0x0000: "by the card's region"}
    lengths = frozenset({1})
    harmless_data = WHOLE
    cards = (CardKind.PSAM,)
    status = (0x6700, 0x6985, 0x6A80, 0x6A86)

    region: int

    @classmethod
    def command(cls, region: int) -> CommandAPDU:
        """The first byte of the card's identification code."""
        return cls.apdu(bytes((region,)))

    @classmethod
    def parse(cls, command: CommandAPDU) -> InitializeEnvironment:
        """The first byte of the identification code."""
        return cls(command.data[0])

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80 for a card whose environment is SSF33's, which is not public: the
        text has no other status word for it than this and 6985. [T: part9:9.3]
        """
        if self.region == SSF33_REGION:
            raise CardError(SW.WRONG_DATA, "a card of region 11 wants the environment of SSF33, which is not public")
        card.session.enter(card.root)
        card.session.delivered = None
        return b""


@dataclass(slots=True)
class DeliveryKey(Instruction):
    """Makes the key for one card and one use from a root: P1 the usage, P2 the id.

    [Card factor] ‖ [city] ‖ [province] ‖ process factor: 8 bytes each, the process factor 16 under SM4.
    [S: part9:9.7, prog-huada-usb, prog-yx] A root with no level left takes the process factor alone. [T: part9:9.7]
    Which of the two algorithms it is follows from the length, as the levels are known. [D]
    """

    name = "DELIVERY KEY"
    name_zh = "通用密钥分散"
    cla = 0xBF
    ins = 0xDE
    source = "[S: part9:9.7, prog-huada-usb, prog-yx]"
    lengths = frozenset(range(8, 41, 8))
    cards = (CardKind.PSAM,)
    status = (0x6700, 0x6982, 0x6983, 0x6985, 0x6A80, 0x6A81, 0x6A86, 0x6A88)

    usage: int
    identifier: int
    data: bytes

    @classmethod
    def lasting(cls, p1: int, data: bytes) -> bytes:
        """The factors: what follows is a challenge."""
        return data[: FACTOR * (p1 >> 5)]

    @classmethod
    def command(cls, usage: int, identifier: int, factors: bytes, process: bytes) -> CommandAPDU:
        """Usage with the levels left, the root's id; the factors card first, 8 bytes each; the process factor, 8 bytes
        or 16 under SM4.
        """
        return cls.apdu(factors + process, usage << 8 | identifier)

    @classmethod
    def parse(cls, command: CommandAPDU) -> DeliveryKey:
        """From P1, P2 and the data."""
        return cls(command.p1, command.p2, command.data)

    @property
    def levels(self) -> int:
        """How many factors come before the process factor."""
        return self.usage >> 5

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """Usage, levels and id."""
        return _("usage {usage}, {levels} levels, key {id:02X}").format(
            usage=command.p1 & 0x1F, levels=command.p1 >> 5, id=command.p2
        )

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80, 6A81, 6A88."""
        card.session.delivered = None
        spec = find_root(card, self.usage, self.identifier)
        size = spec.levels_left * FACTOR
        names = {size + 8: "3des", size + 16: "sm4"}
        if len(self.data) not in names:
            raise CardError(
                SW.WRONG_DATA,
                f"{spec.name} takes {spec.levels_left} factors and a process factor, {len(self.data)} bytes came",
            )
        suite = SUITES[names[len(self.data)]]
        card_key = diversify(suite, value(card, spec, suite), self.data[:size])
        key = suite.process_key(card_key, self.data[size:])
        card.session.delivered = Delivered(suite, key, self.usage & 0x1F)
        return b""


@dataclass(slots=True)
class CipherData(Instruction):
    """Computes under the delivered key: enciphers whole blocks (ECB), or MACs them (CBC). A key of use 6 makes MACs,
    one of 7 enciphers, one of 8 does both. After the last block, or the only one, the key is gone. [T: part9:9.8]

    What is enciphered or MACed comes padded; a first block of a MAC is its start value.
    """

    name = "CIPHER DATA"
    name_zh = "通用加密计算"
    cla = 0x80
    ins = 0xFA
    source = "[S: part9:9.8, prog-huada-usb, prog-yx]; modes [T: part9:9.8]"
    p1p2 = {
        ENCIPHER_LAST << 8: "encipher, last",
        ENCIPHER_MORE << 8: "encipher, more to come",
        MAC_LAST << 8: "MAC, last",
        MAC_NEXT << 8: "MAC, next",
        MAC_ONLY << 8: "MAC with start value, only",
        MAC_FIRST << 8: "MAC with start value, first",
    }
    lengths = frozenset(range(8, 129, 8))
    answers = "the blocks enciphered, or a MAC 4"
    case4 = True
    harmless_answer = WHOLE
    fresh_answer = True
    cards = (CardKind.PSAM,)
    status = (0x6700, 0x6901, 0x6985, 0x6A81, 0x6A86)
    secret = True  # a PIN to be reloaded comes here in clear

    mode: int
    data: bytes

    @classmethod
    def command(cls, mode: int, blocks: bytes) -> CommandAPDU:
        """One of the modes, ``ENCIPHER_LAST`` and so on, and up to 8 blocks, padded."""
        return cls.apdu(blocks, mode << 8)

    @classmethod
    def parse(cls, command: CommandAPDU) -> CipherData:
        """Mode from P1, and the blocks."""
        return cls(command.p1, command.data)

    def execute(self, card: CardState) -> bytes:
        """The result; 6901 without a delivered key or a begun MAC, 6985 for another use, 6700 for no whole blocks or
        more than 8 of them.
        """
        delivered = card.session.delivered
        if not isinstance(delivered, Delivered):
            raise CardError(SW.INVALID_STATE, "no key is delivered: DELIVERY KEY comes first")
        allowed = (MAC, BOTH) if self.mode & 1 else (ENCRYPTION, BOTH)
        if delivered.use not in allowed:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"a key of usage {delivered.use} does not do this")
        block = delivered.suite.block
        starting = self.mode & 4
        least = 2 if self.mode == MAC_ONLY else 1
        if len(self.data) % block or not least <= len(self.data) // block <= MOST_BLOCKS:
            raise CardError(
                SW.WRONG_LENGTH,
                f"expected {least} to {MOST_BLOCKS} blocks of {block} bytes, {len(self.data)} bytes came",
            )
        if not self.mode & 2:
            card.session.delivered = None
        if not self.mode & 1:
            return delivered.suite.crypt(delivered.key, self.data)
        if not starting and not delivered.chain:
            raise CardError(SW.INVALID_STATE, "no MAC was begun: a first block with its start value comes first")
        start, message = (self.data[:block], self.data[block:]) if starting else (delivered.chain, self.data)
        delivered.chain = delivered.suite.cbc(delivered.key, message, start)
        return b"" if self.mode & 2 else folded(delivered.chain, delivered.suite.fold)


@dataclass(slots=True)
class InitSamForPurchase(Instruction):
    """The terminal's side of a purchase: takes what the card told, gives its own sequence and MAC1."""

    name = "INIT SAM FOR PURCHASE"
    name_zh = "PSAM消费初始化"
    cla = 0x80
    ins = 0x70
    source = "[T: part9:9.9]"
    p1p2 = {0x0100: "purchase"}
    lengths = frozenset(range(36, 53, 8))
    answers = "terminal sequence 4, MAC1 4"
    case4 = True
    harmless_answer = ((0, 8),)
    fresh_data = fresh_answer = True
    cards = (CardKind.PSAM,)
    status = (0x6581, 0x6700, 0x6985, 0x6A80, 0x6A81, 0x6A86, 0x6A88)
    writes = True

    challenge: bytes
    amounts: bytes
    kind: int
    time: bytes
    version: int
    algorithm: int
    factors: bytes

    @classmethod
    def command(
        cls, challenge: bytes, amounts: bytes, kind: int, time: bytes, version: int, algorithm: int, factors: bytes
    ) -> CommandAPDU:
        """``challenge``: the card's random (4) and sequence (2); ``amounts``: account, self-paid, pooled, 4 each;
        ``time``: 7 bytes of BCD; ``factors``: card first, 8 bytes each.
        """
        return cls.apdu(challenge + amounts + bytes((kind,)) + time + bytes((version, algorithm)) + factors)

    @classmethod
    def parse(cls, command: CommandAPDU) -> InitSamForPurchase:
        """Random 4 ‖ card sequence 2, amounts 12, type 1, time 7, key version, algorithm, factors."""
        data = command.data
        return cls(data[:6], data[6:18], data[18], data[19:26], data[26], data[27], data[28:])

    @classmethod
    def answer(cls, data: bytes) -> tuple[bytes, bytes]:
        """What a PSAM answered: its sequence and MAC1, 4 bytes each. AnswerLengthError."""
        sequence, mac = split(data, 4, 4)
        return sequence, mac

    def execute(self, card: CardState) -> bytes:
        """Sequence and MAC1; 6A81, 6A88, and 6A80 for another number of levels than the root has [D]."""
        levels = len(self.factors) // FACTOR
        spec = find_root(card, levels << 5 | DEBIT, self.version)
        suite = next((one for one in SUITES.values() if one.code == self.algorithm), None)
        if suite is None:
            raise CardError(SW.FUNCTION_NOT_SUPPORTED, f"no algorithm {self.algorithm:02X}")
        card_key = diversify(suite, value(card, spec, suite), self.factors)
        (sequence,) = card.memory.records(SEQUENCE)
        (terminal,) = card.memory.records(TERMINAL_NUMBER)
        key = suite.process_key(card_key, self.challenge + sequence[2:])
        card.memory.put(file_cell(SEQUENCE), (((int.from_bytes(sequence, "big") + 1) % 2**32).to_bytes(4, "big"),))
        card.session.transaction = Paying(suite, key, self.amounts)
        return sequence + suite.mac(key, self.amounts + bytes((self.kind,)) + terminal + self.time)


@dataclass(slots=True)
class CreditSamForPurchase(Instruction):
    """Holds the card's MAC2 against its own: the card has really paid."""

    name = "CREDIT SAM FOR PURCHASE"
    name_zh = "PSAM校验MAC2"
    cla = 0x80
    ins = 0x72
    source = "[T: part9:9.10]"
    p1p2 = {0x0000: "purchase"}
    lengths = frozenset({4})
    harmless_data = WHOLE
    fresh_data = True
    cards = (CardKind.PSAM,)
    status = (0x6700, 0x6901, 0x6985, 0x6A81, 0x6A86, 0x9302)
    continues = True

    mac: bytes

    @classmethod
    def command(cls, mac: bytes) -> CommandAPDU:
        """Returns the command that hands the user's card's MAC2 over, 4 bytes."""
        return cls.apdu(mac)

    @classmethod
    def parse(cls, command: CommandAPDU) -> CreditSamForPurchase:
        """Returns the instruction with MAC2, 4 bytes."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6901; 9302 for a wrong MAC2, as the command's table has it (the clause: 63CF)."""
        paying, card.session.transaction = card.session.transaction, None
        if not isinstance(paying, Paying):
            raise CardError(SW.INVALID_STATE, "INIT SAM FOR PURCHASE comes right before, and serves once")
        if not hmac.compare_digest(paying.suite.mac(paying.key, paying.amounts), self.mac):
            raise CardError(SW.MAC_INVALID, "MAC2 is not right under the purchase key")
        return b""


PSAM = (InitializeEnvironment, DeliveryKey, CipherData, InitSamForPurchase, CreditSamForPurchase)
