"""A card in a PC/SC reader: commands out, whole answers back, a kind of failure for each thing that can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smartcard import scard

DONE = 0x9000
AWAY = 3.0
"""Seconds that a card which was taken out is waited for."""
PARTS = 64
"""Parts at most in which an answer is fetched: no answer of these cards has more."""


class Failed(Exception):
    """The work could not be done; the text says why."""


class Lost(Failed):
    """The card is out of its reader, or gave no answer: what it did of the last command is not known."""


class Broken(Failed):
    """An answer that this card cannot have meant."""


class Refused(Failed):
    """The card answered, and not with 9000; ``sw`` is its status word."""

    def __init__(self, doing: str, sw: int) -> None:
        super().__init__(f"{doing}: the card answered {sw:04X}")
        self.sw = sw


@dataclass(frozen=True)
class Command:
    """A command's header, its data, and how many bytes are asked for: None where it gives none."""

    header: str
    data: bytes = b""
    asks: int | None = None

    @property
    def octets(self) -> bytes:
        """The command as T=0 has it: whoever sends data fetches the answer by GET RESPONSE."""
        if self.data:
            return bytes.fromhex(self.header) + bytes((len(self.data),)) + self.data
        return bytes.fromhex(self.header) + bytes(((self.asks or 0) & 0xFF,))


HEADERS = {scard.SCARD_PROTOCOL_T0: scard.SCARD_PCI_T0, scard.SCARD_PROTOCOL_T1: scard.SCARD_PCI_T1}
"""What goes before each command, by the protocol that was agreed upon: T=0 with contacts, T=1 without."""


class Link:
    """One reader. ``open`` powers the card, ``send`` takes a command through, ``close`` takes the power away."""

    def __init__(self, reader: str, number: int = 0) -> None:
        """``reader``: its name, or empty for the ``number``-th reader, from 0, that has a card."""
        self._wanted, self._number = reader, number
        self._card: int | None = None
        self._protocol = scard.SCARD_PROTOCOL_T0
        result, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if result != scard.SCARD_S_SUCCESS:
            raise Failed(f"no PC/SC service: {scard.SCardGetErrorMessage(result)}")
        self.atr = b""
        self.reader = ""

    def open(self) -> None:
        """Powers the card anew. Failed where there is no such reader, Lost where no card comes into it."""
        self.reader = self.reader or self._find()
        for _attempt in range(2):  # the first connection after an insertion may be told of a reset
            self._wait()
            result, self._card, self._protocol = scard.SCardConnect(
                self._context,
                self.reader,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if result == scard.SCARD_S_SUCCESS:
                break
            self._card = None
        else:
            raise Lost(f"{self.reader}: {scard.SCardGetErrorMessage(result)}")
        result, _name, _state, _protocol, atr = scard.SCardStatus(self._card)
        if result != scard.SCARD_S_SUCCESS:
            raise Lost(f"{self.reader}: {scard.SCardGetErrorMessage(result)}")
        self.atr = bytes(atr)

    def close(self) -> None:
        """Takes the power away: a card is never left with rights that were won."""
        if self._card is not None:
            scard.SCardDisconnect(self._card, scard.SCARD_UNPOWER_CARD)
            self._card = None

    def _find(self) -> str:
        result, readers = scard.SCardListReaders(self._context, [])
        if result != scard.SCARD_S_SUCCESS or not readers:
            raise Failed("PC/SC has no reader")
        if self._wanted:
            if self._wanted not in readers:
                raise Failed(f"no reader {self._wanted!r}; there are {', '.join(readers)}")
            return self._wanted
        found = [name for name in readers if self._has_card(name)]
        if len(found) <= self._number:
            raise Lost(f"{len(found)} of the readers have a card, {self._number + 1} are needed")
        return str(found[self._number])

    def _has_card(self, reader: str) -> bool:
        states = [(reader, scard.SCARD_STATE_UNAWARE)]
        _result, [(_name, state, _atr)] = scard.SCardGetStatusChange(self._context, 0, states)
        return bool(state & scard.SCARD_STATE_PRESENT)

    def _wait(self) -> None:
        state = scard.SCARD_STATE_UNAWARE
        for _change in range(8):
            wait = 0 if state == scard.SCARD_STATE_UNAWARE else int(AWAY * 1000)
            result, [(_name, state, _atr)] = scard.SCardGetStatusChange(self._context, wait, [(self.reader, state)])
            if state & scard.SCARD_STATE_PRESENT and not state & scard.SCARD_STATE_MUTE:
                return
            if result == scard.SCARD_E_TIMEOUT and wait:
                break
        raise Lost(f"{self.reader}: no card")

    def send(self, command: Command, doing: str) -> tuple[bytes, int]:
        """The answer's data, every part that 61xx announces fetched, and its status word. Lost, Broken."""
        octets = command.octets
        data, sw = self._transmit(octets, doing)
        for _again in range(3):
            if sw >> 8 != 0x6C or command.data or command.asks is None:
                break
            octets = octets[:4] + bytes((sw & 0xFF,))
            data, sw = self._transmit(octets, doing)
        for _part in range(PARTS):
            if sw >> 8 != 0x61:
                return data, sw
            more, sw = self.more(sw & 0xFF, doing)
            data += more
        raise Broken(f"{doing}: the answer does not end")

    def more(self, length: int, doing: str) -> tuple[bytes, int]:
        """GET RESPONSE: the next part of an answer."""
        return self._transmit(bytes.fromhex("00C00000") + bytes((length,)), doing)

    def _transmit(self, octets: bytes, doing: str) -> tuple[bytes, int]:
        if self._card is None:
            raise Lost(f"{doing}: no card is open")
        result, answer = scard.SCardTransmit(self._card, HEADERS[self._protocol], list(octets))
        if result != scard.SCARD_S_SUCCESS:
            raise Lost(f"{doing}: {scard.SCardGetErrorMessage(result)}")
        if not answer:
            raise Lost(f"{doing}: no answer")
        if len(answer) < 2:
            raise Broken(f"{doing}: an answer of {len(answer)} byte")
        return bytes(answer[:-2]), answer[-2] << 8 | answer[-1]


Ask = Callable[[Command, str], bytes]
"""Takes a command through and gives its data; Refused for anything but 9000."""
