"""Command and response APDUs: bytes to fields and back, the four cases, short and extended (ISO 7816-3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.terms import Messaging
from emulator.messages import _

HEADER = 5
"""CLA, INS, P1, P2, and Lc or Le of a short command."""
MAC_SIZE = 4
"""Bytes that end the data of a command under secure messaging. [S: part4:8, reference:card §6]"""
SECURED = 0x04
"""Bit 3 of CLA in classes 0x and 8x: the command comes under secure messaging. [P: iso7816-4]"""


def has_bits(cla: int) -> bool:
    """True for 0x and 8x, classes whose low four bits tell of messaging, chaining and channels. [P: iso7816-4]"""
    return cla >> 4 in (0, 8)


def is_secured(raw: bytes) -> bool:
    """True for a command under this family's secure messaging, by its class: 0x or 8x with bit 3."""
    return bool(raw) and bool(raw[0] & SECURED) and has_bits(raw[0])


@dataclass(slots=True)
class CommandAPDU:
    """One command. ``le`` is None where none was sent, 0 for the byte 00, else the number of bytes wanted.

    A command of five bytes may be either case under T=0: its P3 is kept as ``le``, and ``data`` is empty.
    One of four bytes is the same as one whose P3 is 00.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None
    extended: bool = False
    messaging: Messaging = field(default=Messaging.NONE, init=False, repr=False, compare=False)
    """What it came under: nothing, but for an ``emulator.apdu.messaging.Opened``."""

    @classmethod
    def parse(cls, raw: bytes) -> CommandAPDU:
        """Fields of a command; CardError 6700 where lengths and bytes disagree."""
        size = len(raw)
        if size > 5:
            lc = raw[4]
            if lc:
                if size == 5 + lc:
                    return cls(raw[0], raw[1], raw[2], raw[3], raw[5:])
                if size == 6 + lc:
                    return cls(raw[0], raw[1], raw[2], raw[3], raw[5:-1], raw[-1])
                raise CardError(SW.WRONG_LENGTH, f"Lc says {lc} bytes of data, {size - 5} follow")
            return cls._parse_extended(raw)
        if size == 5:
            return cls(raw[0], raw[1], raw[2], raw[3], b"", raw[4])
        if size == 4:
            return cls(raw[0], raw[1], raw[2], raw[3], b"", 0)
        raise CardError(SW.WRONG_LENGTH, f"a command has at least 4 bytes (CLA INS P1 P2), {size} came")

    @classmethod
    def under(cls, header: bytes, data: bytes = b"") -> CommandAPDU:
        """A command of a header that is given: CLA INS P1 P2. ValueError for another length."""
        cla, ins, p1, p2 = header
        return cls(cla, ins, p1, p2, data)

    @classmethod
    def _parse_extended(cls, raw: bytes) -> CommandAPDU:
        header = (raw[0], raw[1], raw[2], raw[3])
        if len(raw) == 6:
            raise CardError(SW.WRONG_LENGTH, "Lc is 00, yet one more byte follows")
        length = int.from_bytes(raw[5:7], "big")
        rest = raw[7:]
        if not rest:
            return cls(*header, b"", length, extended=True)
        if len(rest) == length:
            return cls(*header, rest, None, extended=True)
        if len(rest) == length + 2:
            return cls(*header, rest[:-2], int.from_bytes(rest[-2:], "big"), extended=True)
        raise CardError(SW.WRONG_LENGTH, f"extended Lc says {length} bytes of data, {len(rest)} follow")

    @property
    def header(self) -> bytes:
        """Returns CLA, INS, P1 and P2: 4 bytes."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    def to_secure(self) -> CommandAPDU:
        """The same in its class for secure messaging, to be sealed; what it asks for comes behind 61xx."""
        return replace(self, cla=self.cla | SECURED, le=None)

    def __bytes__(self) -> bytes:
        data, le = self.data, self.le
        if self.extended or len(data) > 255 or (le or 0) > 256:
            lc = b"\0" + len(data).to_bytes(2, "big") if data else b""
            tail = b"" if le is None else (b"" if data else b"\0") + (le % 65536).to_bytes(2, "big")
            return self.header + lc + data + tail
        lc = bytes((len(data),)) if data else b""
        return self.header + lc + data + (b"" if le is None else bytes((le % 256,)))


@dataclass(frozen=True, slots=True)
class ResponseAPDU:
    """One answer: data (may be empty) and the status word."""

    data: bytes
    sw: int

    @classmethod
    def parse(cls, raw: bytes) -> ResponseAPDU:
        """Splits an answer; ValueError below two bytes."""
        if len(raw) < 2:
            raise ValueError(
                _("an answer has at least two bytes (SW1 SW2), {size} came: {answer}").format(
                    size=len(raw), answer=raw.hex().upper() or "-"
                )
            )
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))

    @property
    def ok(self) -> bool:
        """True if the status word is 9000."""
        return self.sw == SW.OK

    def __bytes__(self) -> bytes:
        return self.data + self.sw.to_bytes(2, "big")
