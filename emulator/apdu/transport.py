"""The shapes in which answers travel. T=0: data of a case-4 command waits behind 61xx, a wrong Le is told by 6Cxx.

One place for all commands. The chip speaks T=0 only; ``follow`` makes the APDU shape of it, as a smart reader does.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.status import SW

FETCH = GetResponse.command(0).header
MOST_ROUNDS = 256
LONGEST_ANSWER = 65536
"""What no right card reaches: one byte a round is the least, and short answers have 256 bytes at most. [D]"""


def follow(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """The APDU shape: repeats a command on 6Cxx with the right Le, fetches what 61xx announces.
    [S: prog-z9, prog-huada-usb, prog-sscreader]

    An answer too short for a status word is handed on. A card that goes on announcing is asked no more than
    ``MOST_ROUNDS`` times and for no more than ``LONGEST_ANSWER`` bytes: its last 61xx is then the answer, without data.
    """
    answer = repeat_with_right_length(transmit, command)
    data = answer[:-2]
    rounds = 0
    while answer[-2:-1] == b"\x61":
        rounds += 1
        if rounds > MOST_ROUNDS or len(data) > LONGEST_ANSWER:
            return answer[-2:]
        answer = transmit(FETCH + answer[-1:])
        if answer[-2:-1] not in (b"\x61", b"\x90"):
            return answer
        data += answer[:-2]
    return data + answer[-2:] if answer[-2:] == SW.OK.to_bytes(2, "big") else answer


def repeat_with_right_length(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """Repeats a command on 6Cxx with the right Le, and does nothing about 61xx."""
    answer = transmit(command)
    if answer[-2:-1] == b"\x6c" and len(answer) == 2:
        repeated = command[:4] + answer[-1:] if len(command) <= 5 else command[: 5 + command[4]] + answer[-1:]
        answer = transmit(repeated)
    return answer
