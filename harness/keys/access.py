"""Who holds the roots and computes under card keys: this program itself, or the terminal's own card (PSAM)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.status import SW
from emulator.apdu.transport import follow
from emulator.crypto import Suite
from emulator.crypto.keys import card_key as diversified
from emulator.crypto.keys import factors, pin_key
from emulator.crypto.suite import frame, pad_always, xor
from emulator.errors import SscardError
from emulator.filesystem.layouts.specs import PIN_USE, KeySpec, MessagingSpec
from harness.keys.sealing import MAC_SIZE, Sealing
from harness.readers.connection import Connection

LONG_CRYPTOGRAM = 16
FACTOR = 8


class TerminalError(SscardError, RuntimeError):
    """What the terminal could not do, and why."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a card's key: which key, of which card, under which challenge.

    ``region``: the card's, six digits; ``chip``: the last 8 bytes of its ATR.
    """

    key: KeySpec
    suite: Suite
    scheme: MessagingSpec
    region: str
    chip: bytes
    challenge: bytes
    version: int = 1


class Keeper(Protocol):
    """Computes for a terminal that holds no key itself."""

    def cryptogram(self, use: Use, data: bytes) -> bytes:
        """Over 8 bytes of data; where the scheme wants the long one, the challenge enciphered, 16 bytes."""

    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        """The command with its data enciphered, if they are to be, and its MAC."""

    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        """The data of a sealed answer; ValueError if its MAC or its cipher is not right."""


class Roots:
    """Roots in this process: ``root(name, version)`` gives one, LookupError where it is not known."""

    def __init__(self, root: Callable[[str, int], bytes]) -> None:
        self._root = root

    def card_key(self, use: Use) -> bytes:
        """The card's own key, 16 bytes."""
        if use.key.pin:
            return pin_key(use.key.pin, text=use.key.use != PIN_USE)
        root = self._root(use.key.name, use.version)
        return diversified(use.suite, root, use.region, use.chip, use.key.levels)

    def cryptogram(self, use: Use, data: bytes) -> bytes:
        """Under the process key, or under the card key itself."""
        key = self.card_key(use)
        if use.scheme.cryptogram == LONG_CRYPTOGRAM:
            return use.suite.crypt(key, use.challenge)
        return use.suite.cryptogram(use.suite.process_key(key, use.challenge), data)

    def _sealing(self, use: Use) -> Sealing:
        return Sealing(use.suite, use.scheme, self.card_key(use), use.challenge)

    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        """As the scheme says."""
        return self._sealing(use).seal(command, enciphered=enciphered)

    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        """As the scheme says."""
        return self._sealing(use).open(answer, enciphered=enciphered)


class PsamError(TerminalError):
    """The PSAM could not do it; ``sw`` is what it answered, 0 where it was not asked."""

    def __init__(self, what: str, sw: int = 0) -> None:
        super().__init__(f"PSAM: {what}" + (f" ({sw:04X})" if sw else ""))
        self.sw = sw


class LevelTooLow(PsamError):
    """Its root is diversified for another place than the card's."""


ENCIPHER_LAST, ENCIPHER_MORE = 0x00, 0x02
MAC_LAST, MAC_NEXT, MAC_ONLY, MAC_FIRST = 0x01, 0x03, 0x05, 0x07
MOST_BLOCKS = 8
"""In one CIPHER DATA. [T: part9:9.8]"""
APPLICATION = bytes.fromhex("D15600000590")
TERMINAL_NUMBER_SFI = 0x16


class Psam:
    """The terminal's own card. It makes the key for a card and a use (DELIVERY KEY), then computes (CIPHER DATA).

    Its roots may have 3, 2 or 1 level left; the others are tried where it says that the number is wrong.
    [S: part9:8, reference:card §5]
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.terminal_number = ""
        """12 digits, of which the first six are its region; empty before ``begin``."""

    def begin(self, identification: bytes) -> None:
        """Reset, its terminal number, the environment that goes with a card's identification code. PsamError."""
        self._connection.reset()
        answer = self._ask(CommandAPDU(0x00, 0xB0, 0x80 | TERMINAL_NUMBER_SFI, 0x00, le=6), "reading its number")
        self.terminal_number = answer.hex()
        self._ask(CommandAPDU(0xBF, 0xEC, 0x00, 0x00, identification[:1]), "choosing the environment")
        self._ask(CommandAPDU(0x00, 0xA4, 0x04, 0x00, APPLICATION), "selecting its application")

    def _send(self, command: CommandAPDU) -> ResponseAPDU:
        return ResponseAPDU.parse(follow(self._connection.send, bytes(command)))

    def _ask(self, command: CommandAPDU, doing: str) -> bytes:
        response = self._send(command)
        if not response.ok:
            raise PsamError(doing, response.sw)
        return response.data

    def _deliver(self, use: Use) -> None:
        if not use.key.psam:
            raise PsamError(f"it has no root for {use.key.name}", SW.REFERENCE_NOT_FOUND)
        usage, identifier = (int(part, 16) for part in use.key.psam.split("/"))
        everything = factors(use.region, use.chip, 3)[::-1]  # the card's first, the province's last
        process = use.challenge.ljust(16 if use.suite.block == 16 else FACTOR, b"\0")
        levels = usage >> 5
        for left in (levels, *(one for one in (3, 2, 1) if one != levels)):
            data = b"".join(everything[:left]) + process
            response = self._send(CommandAPDU(0xBF, 0xDE, usage & 0x1F | left << 5, identifier, data))
            if response.ok:
                self._own_city(left, use)
                return
            if response.sw != SW.WRONG_DATA:
                raise PsamError(f"making the key {use.key.name}", response.sw)
        raise LevelTooLow(f"its {use.key.name} has no number of levels that a terminal knows")

    def _own_city(self, levels: int, use: Use) -> None:
        """LevelTooLow for a root with the card's level alone, where the card is of another place."""
        if levels == 1 and self.terminal_number[:6] != use.region:
            raise LevelTooLow(f"its {use.key.name} is for region {self.terminal_number[:6]}, not {use.region}")

    def _cipher(self, mode: int, blocks: bytes, doing: str) -> bytes:
        return self._ask(CommandAPDU(0x80, 0xFA, mode, 0x00, blocks), doing)

    def _encipher(self, plain: bytes, block: int) -> bytes:
        """Whole blocks enciphered; the delivered key stays."""
        return b"".join(self._cipher(ENCIPHER_MORE, part, "enciphering") for part in _parts(plain, block))

    def _mac(self, blocks: bytes, block: int) -> bytes:
        """The MAC over padded blocks of which the first is the start value; the delivered key is gone then."""
        first, *more = _parts(blocks, block)
        if not more:
            return self._cipher(MAC_ONLY, first, "making a MAC")
        self._cipher(MAC_FIRST, first, "beginning a MAC")
        for part in more[:-1]:
            self._cipher(MAC_NEXT, part, "going on with a MAC")
        return self._cipher(MAC_LAST, more[-1], "ending a MAC")

    def cryptogram(self, use: Use, data: bytes) -> bytes:
        """One block enciphered under the process key, folded by the terminal where it has 16 bytes."""
        self._deliver(use)
        block = self._cipher(ENCIPHER_LAST, data.ljust(use.suite.block, b"\0"), "enciphering")
        return block if len(block) == FACTOR else xor(block[:FACTOR], block[FACTOR:])

    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        """Enciphers and MACs under one delivered key."""
        self._deliver(use)
        body = command.data
        if enciphered and body:
            body = self._encipher(frame(body, use.suite.block), use.suite.block)
        message = command.header + bytes((len(body) + MAC_SIZE,)) + body
        start = use.challenge if use.scheme.start == "challenge" else b""
        blocks = start[: use.suite.block].ljust(use.suite.block, b"\0") + pad_always(message, use.suite.block)
        mac = self._mac(blocks, use.suite.block)
        return CommandAPDU(command.cla, command.ins, command.p1, command.p2, body + mac)

    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:
        """A PSAM deciphers nothing: PsamError."""
        del answer, enciphered
        raise PsamError(f"it cannot open answers sealed under {use.key.name}")

    def purchase(
        self, challenge: bytes, amounts: bytes, kind: int, time: bytes, version: int, use: Use
    ) -> tuple[bytes, bytes]:
        """INIT SAM FOR PURCHASE: its sequence (4) and MAC1 (4). ``challenge``: the card's random and sequence."""
        levels = int(use.key.psam[:2], 16) >> 5
        self._own_city(levels, use)
        chain = b"".join(factors(use.region, use.chip, 3)[::-1][:levels])
        data = challenge + amounts + bytes((kind,)) + time + bytes((version, use.suite.code)) + chain
        answer = self._ask(CommandAPDU(0x80, 0x70, 0x01, 0x00, data), "beginning the settlement")
        return answer[:4], answer[4:8]

    def paid(self, mac: bytes) -> None:
        """CREDIT SAM FOR PURCHASE: the card's MAC2 is right, or PsamError."""
        self._ask(CommandAPDU(0x80, 0x72, 0x00, 0x00, mac), "checking MAC2")


def _parts(blocks: bytes, block: int) -> list[bytes]:
    """Blocks in as many parts as commands carry them in."""
    size = MOST_BLOCKS * block
    return [blocks[at : at + size] for at in range(0, len(blocks), size)]
