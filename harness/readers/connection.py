"""Connections: one way to talk to a card, wherever it is."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

from emulator.chip import Chip
from emulator.messages import _
from emulator.reader.slot import Card, CardGone
from harness.readers import pcsc


class Connection(Protocol):
    """A powered card."""

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""

    def send(self, command: bytes) -> bytes:
        """The card's answer, status word included."""

    def close(self) -> None:
        """Lets the card go; nothing may be sent afterwards."""


class InProcess:
    """A chip in this very process. ``powered``: it has power already and keeps its session. ``through``: the chip as a
    reader or system hands it on, if not as it is.

    Where a fault takes the card out it fails as a reader does: PcscError until the next reset, or for good.
    """

    def __init__(self, chip: Chip, *, powered: bool = False, through: Card | None = None) -> None:
        self.chip = chip
        self._card: Card = through or chip
        self._gone: CardGone | None = None
        self.atr = chip.atr if powered else self._card.power_on()

    def reset(self) -> bytes:
        """Resets the chip. PcscError if it was taken out and not put in again."""
        if self._gone is not None and not self._gone.back:
            raise pcsc.PcscError(_("no card: {gone}").format(gone=self._gone), pcsc.NO_SMARTCARD)
        self._gone = None
        self.atr = self._card.reset()
        return self.atr

    def send(self, command: bytes) -> bytes:
        """Hands the command to the chip. PcscError if the card leaves at it, or has left."""
        if self._gone is not None:
            raise pcsc.PcscError(_("no card: {gone}").format(gone=self._gone), pcsc.REMOVED_CARD)
        try:
            return self._card.transmit(command)
        except CardGone as gone:
            self._gone = gone
            if gone.answer:
                return gone.answer
            raise pcsc.PcscError(str(gone), pcsc.NOT_TRANSACTED) from gone

    def close(self) -> None:
        """Takes the power, where the system would."""
        self._card.power_off()


class Pcsc:
    """A card in a PC/SC reader, virtual or not, for this program alone while it is open. One that another program uses
    is waited for (``pcsc.reader_wait``).

    ``reset_at_end``: the next program finds none of the rights that this one won.
    """

    def __init__(self, reader: str, *, reset_at_end: bool = False) -> None:
        scard: Any = pcsc.scard()
        self._at_end = scard.SCARD_RESET_CARD if reset_at_end else scard.SCARD_LEAVE_CARD
        self._scard, self._reader = scard, reader
        self._protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        self._context = pcsc.context()
        self._handle = self._context.__enter__()
        try:
            self._connect()
            self.atr = self._read_atr()
        except BaseException:
            self._context.__exit__(None, None, None)
            raise

    @property
    def is_t0(self) -> bool:
        """True if card and reader speak T=0, so that 61xx and 6Cxx may come."""
        return bool(self._protocol == self._scard.SCARD_PROTOCOL_T0)

    def _read_atr(self) -> bytes:
        result, __, __, __, atr = self._scard.SCardStatus(self._card)
        if result == self._scard.SCARD_W_RESET_CARD:  # pcscd settling just after insertion: once
            self._reconnect(self._scard.SCARD_LEAVE_CARD)
            result, __, __, __, atr = self._scard.SCardStatus(self._card)
        pcsc.check(result, _("card status"))
        return bytes(atr)

    def _connect(self) -> None:
        exclusive = self._scard.SCARD_SHARE_EXCLUSIVE
        result, self._card, self._protocol = pcsc.waited(
            lambda: self._scard.SCardConnect(self._handle, self._reader, exclusive, self._protocols)
        )
        pcsc.check(result, _("reader {name}").format(name=self._reader))

    def _reconnect(self, disposition: int) -> None:
        exclusive = self._scard.SCARD_SHARE_EXCLUSIVE
        result, protocol = self._scard.SCardReconnect(self._card, exclusive, self._protocols, disposition)
        if result & 0xFFFFFFFF == pcsc.SHARING_VIOLATION:
            # pcscd takes two programs that come at one moment for two that share, for as long as both are there.
            self._scard.SCardDisconnect(self._card, disposition)
            self._connect()
            return
        pcsc.check(result, "reset")
        self._protocol = protocol

    def reset(self) -> bytes:
        """Resets the card through PC/SC, without taking its power; returns the ATR."""
        self._reconnect(self._scard.SCARD_RESET_CARD)
        self.atr = self._read_atr()
        return self.atr

    def send(self, command: bytes) -> bytes:
        """The answer. PcscError where the reader fails; a command has at least 4 bytes here."""
        if len(command) < 4:
            raise pcsc.PcscError(
                _("PC/SC carries commands of 4 bytes and more, {count} came").format(count=len(command))
            )
        result, answer = self.transmit(command)
        pcsc.check(result, "transmit")
        if len(answer) < 2:
            raise pcsc.PcscError(_("the card left in the middle of a command"), pcsc.NOT_TRANSACTED)
        return answer

    def transmit(self, command: bytes) -> tuple[int, bytes]:
        """SCardTransmit as it is: its result code, and whatever came, which may be less than a status word."""
        pci = self._scard.SCARD_PCI_T0 if self._protocol == self._scard.SCARD_PROTOCOL_T0 else self._scard.SCARD_PCI_T1
        result, answer = self._scard.SCardTransmit(self._card, pci, list(command))
        return int(result), bytes(answer)

    def close(self) -> None:
        """Disconnects, and resets the card or leaves it as it is."""
        self._scard.SCardDisconnect(self._card, self._at_end)
        self._context.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
