"""The terminal's own card (PSAM) as its key access."""

from __future__ import annotations

from typing import Protocol

from emulator.apdu.answers import AnswerLengthError
from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.psam import (
    ENCIPHER_LAST,
    ENCIPHER_MORE,
    FACTOR,
    MAC_FIRST,
    MAC_LAST,
    MAC_NEXT,
    MAC_ONLY,
    MOST_BLOCKS,
    CipherData,
    CreditSamForPurchase,
    DeliveryKey,
    InitializeEnvironment,
    InitSamForPurchase,
)
from emulator.apdu.instructions.select import Select
from emulator.apdu.messaging import covered, sealed
from emulator.apdu.status import SW
from emulator.crypto.keys import factors
from emulator.crypto.suite import frame, pad_always, xor
from emulator.errors import ErrorKind
from emulator.filesystem.layouts.terms import MacStart
from emulator.messages import _
from emulator.override import override
from harness.keys.access import KeyAccess, Unproved, Use

APPLICATION = bytes.fromhex("D15600000590")
TERMINAL_NUMBER_SFI, TERMINAL_NUMBER = 0x16, 6
"""The file of the terminal's number, and how many bytes it has."""


class CardSession(Protocol):
    """What it takes of a terminal's session with a card: see ``harness.terminal.session``."""

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""

    def send(self, command: CommandAPDU) -> ResponseAPDU:
        """One command; whatever status word comes."""


class PsamError(Unproved):
    """The PSAM could not do it; ``sw`` is what it answered, 0 where it was not asked; ``key``: which of its keys could
    not be used, if it is about one.
    """

    def __init__(self, what: str, sw: int = 0, key: str = "") -> None:
        super().__init__(f"PSAM: {what}" + (f" ({sw:04X})" if sw else ""))
        self.sw, self.key = sw, key


class LevelTooLow(PsamError):
    """Its root is diversified for another place than the card's."""

    kind = ErrorKind.MISSING


class Psam(KeyAccess):
    """The terminal's own card. It makes the key for a card and a use (DELIVERY KEY), then computes (CIPHER DATA).

    Its roots may have 3, 2 or 1 level left; the others are tried where it says that the number is wrong.
    [S: part9:8, reference:card §5]
    """

    def __init__(self, session: CardSession) -> None:
        self._session = session
        self.terminal_number = ""
        """12 digits, of which the first six are its region; empty before ``begin``."""

    def begin(self, identification: bytes) -> None:
        """Reset, its terminal number, the environment that goes with a card's identification code. PsamError."""
        self._session.reset()
        answer = self._ask(ReadBinary.command(TERMINAL_NUMBER_SFI, le=TERMINAL_NUMBER), _("reading its number"))
        self.terminal_number = answer.hex()
        if not identification:
            raise PsamError(_("the card told no identification code to choose the environment by"))
        self._ask(InitializeEnvironment.command(identification[0]), _("choosing the environment"))
        self._ask(Select.command(APPLICATION), _("selecting its application"))

    def _ask(self, command: CommandAPDU, doing: str) -> bytes:
        response = self._session.send(command)
        if not response.ok:
            raise PsamError(doing, response.sw)
        return response.data

    def _deliver(self, use: Use) -> None:
        root = use.key.psam
        if root is None:
            raise PsamError(
                _("it has no root for {name}").format(name=use.key.name), SW.REFERENCE_NOT_FOUND, use.key.name
            )
        everything = factors(use.region, use.chip, 3)[::-1]  # the card's first, the province's last
        process = use.challenge.ljust(16 if use.suite.block == 16 else FACTOR, b"\0")
        for left in (root.levels, *(one for one in (3, 2, 1) if one != root.levels)):
            chain = b"".join(everything[:left])
            command = DeliveryKey.command(root.with_levels(left).usage, root.id, chain, process)
            response = self._session.send(command)
            if response.ok:
                self._own_city(left, use)
                return
            if response.sw != SW.WRONG_DATA:
                raise PsamError(_("making the key {name}").format(name=use.key.name), response.sw, use.key.name)
        raise LevelTooLow(_("its {name} has no number of levels that a terminal knows").format(name=use.key.name))

    def _own_city(self, levels: int, use: Use) -> None:
        """LevelTooLow for a root with the card's level alone, where the card is of another place."""
        if levels == 1 and self.terminal_number[:6] != use.region:
            raise LevelTooLow(
                _("its {name} is for region {terminal_number}, not {region}").format(
                    name=use.key.name, terminal_number=self.terminal_number[:6], region=use.region
                )
            )

    def _cipher(self, mode: int, blocks: bytes, doing: str) -> bytes:
        return self._ask(CipherData.command(mode, blocks), doing)

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
            self._cipher(MAC_NEXT, part, _("going on with a MAC"))
        return self._cipher(MAC_LAST, more[-1], "ending a MAC")

    @override
    def cryptogram(self, use: Use, data: bytes) -> bytes:
        self._deliver(use)
        # One block under the process key, folded here where it has 16 bytes.
        block = self._cipher(ENCIPHER_LAST, data.ljust(use.suite.block, b"\0"), "enciphering")
        return block if len(block) == FACTOR else xor(block[:FACTOR], block[FACTOR:])

    @override
    def seal(self, use: Use, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        self._deliver(use)
        body = command.data
        if enciphered and body:
            body = self._encipher(frame(body, use.suite.block), use.suite.block)
        start = use.challenge if use.scheme.start is MacStart.CHALLENGE else b""
        block = use.suite.block
        mac = self._mac(start[:block].ljust(block, b"\0") + pad_always(covered(command, body), block), block)
        return sealed(command, body, mac)

    @override
    def open(self, use: Use, answer: bytes, *, enciphered: bool) -> bytes:  # noqa: ARG002
        raise PsamError(
            _("it cannot open answers sealed under {name}").format(name=use.key.name)
        )  # a PSAM deciphers nothing

    def purchase(
        self, challenge: bytes, amounts: bytes, kind: int, time: bytes, version: int, use: Use
    ) -> tuple[bytes, bytes]:
        """INIT SAM FOR PURCHASE: its sequence (4) and MAC1 (4). ``challenge``: the card's random and sequence."""
        levels = use.key.levels_left
        self._own_city(levels, use)
        chain = b"".join(factors(use.region, use.chip, 3)[::-1][:levels])
        command = InitSamForPurchase.command(challenge, amounts, kind, time, version, use.suite.code, chain)
        doing = _("beginning the settlement")
        try:
            return InitSamForPurchase.answer(self._ask(command, doing))
        except AnswerLengthError as wrong:
            raise PsamError(
                _("{doing}: it answered {count} bytes, not {expected}").format(
                    doing=doing, count=wrong.count, expected=wrong.expected
                )
            ) from None

    def paid(self, mac: bytes) -> None:
        """CREDIT SAM FOR PURCHASE: the card's MAC2 is right, or PsamError."""
        self._ask(CreditSamForPurchase.command(mac), _("checking MAC2"))


def _parts(blocks: bytes, block: int) -> list[bytes]:
    """Blocks in as many parts as commands carry them in."""
    size = MOST_BLOCKS * block
    return [blocks[at : at + size] for at in range(0, len(blocks), size)]
