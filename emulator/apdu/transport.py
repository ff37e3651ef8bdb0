"""The shapes in which answers travel. T=0: data of a case-4 command waits behind 61xx, a wrong Le is told by 6Cxx.

One place for all commands. Instructions answer as under T=0; ``follow`` makes the APDU shape of that, as a smart reader
does, and ``whole`` what a contactless card answers.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.command import HEADER
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.status import SW, CardError
from emulator.interface import Interface

FETCH = GetResponse.command(0).header
ANNOUNCED, WRONG_LE, OK = b"\x61", b"\x6c", SW.OK.to_bytes(2, "big")
LONGEST_COMMAND = 261
MOST_ROUNDS = 256
LONGEST_ANSWER = 65536
"""What no right card reaches: one byte a round is the least, and short answers have 256 bytes at most. [D]"""


def short_only(interface: Interface) -> CardError:
    """6700 to a command of extended length, which neither interface takes: T=0 has none, and over the other a card says
    in its historical bytes that it takes them, where these are of ISO/IEC 7816-4's form. [P: iso7816-3, iso7816-4] That
    a contactless social security card takes none [D].
    """
    if interface is Interface.CONTACT:
        return CardError(SW.WRONG_LENGTH, f"T=0 carries commands of up to {LONGEST_COMMAND} bytes, none extended")
    return CardError(SW.WRONG_LENGTH, "the card does not say that it takes extended lengths, and takes none")


def follow(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """The APDU shape: repeats a command on 6Cxx with the right Le, fetches what 61xx announces.
    [S: prog-z9, prog-huada-usb, prog-sscreader]

    An answer too short for a status word is handed on. A card that goes on announcing is asked no more than
    ``MOST_ROUNDS`` times and for no more than ``LONGEST_ANSWER`` bytes: its last 61xx is then the answer, without data.
    """
    return _fetched(transmit, repeat_with_right_length(transmit, command))


def whole(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """What a contactless card answers: never 61xx, and 6Cxx only to a Le other than 00 that is not the answer's length.

    T=CL carries whole commands and whole answers [P: iso14443-4]. Le 00, or none, asks for all there is. A Le with data
    before it is the most that comes back, as ISO/IEC 7816-3 has it of a reader that fetches. [P: iso7816-3] That 6Cxx
    tells of another wrong Le as by contacts, and that an answer comes to a command without Le, [D].
    """
    le = _le(command)
    answer = transmit(command) if le and len(command) <= HEADER else repeat_with_right_length(transmit, command)
    answer = _fetched(transmit, answer)
    if le and len(command) > HEADER and answer[-2:] == OK:
        return answer[:-2][:le] + OK
    return answer


def _le(command: bytes) -> int:
    """The byte Le, 0 where there is none."""
    if len(command) == HEADER or (len(command) > HEADER and command[4] and len(command) == HEADER + command[4] + 1):
        return command[-1]
    return 0


def _fetched(transmit: Callable[[bytes], bytes], answer: bytes) -> bytes:
    """An answer with the data that its 61xx announces."""
    data = answer[:-2]
    rounds = 0
    while answer[-2:-1] == ANNOUNCED:
        rounds += 1
        if rounds > MOST_ROUNDS or len(data) > LONGEST_ANSWER:
            return answer[-2:]
        answer = transmit(FETCH + answer[-1:])
        if answer[-2:-1] not in (b"\x61", b"\x90"):
            return answer
        data += answer[:-2]
    return data + answer[-2:] if answer[-2:] == OK else answer


def repeat_with_right_length(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """Repeats a command on 6Cxx with the right Le, and does nothing about 61xx."""
    answer = transmit(command)
    if answer[-2:-1] == WRONG_LE and len(answer) == 2:
        repeated = command[:4] + answer[-1:] if len(command) <= 5 else command[: 5 + command[4]] + answer[-1:]
        answer = transmit(repeated)
    return answer
