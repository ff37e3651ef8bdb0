"""A program at a far reader, in a process of its own: it sends the commands that it reads, one a line, and prints what
came of each: the answer, or ``gone``, after which it waits for a card to be there again.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.readers.pcsc import PcscError

GONE = "gone"
BACK = 60.0
"""Seconds within which a card is there again."""
NOTICED = 1.0
"""Seconds within which pcscd has looked, twice and more."""


class Client:
    """That program, started by a test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def send(self, command: str) -> str:
        """The answer to a command in hex, or ``gone``."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def client(socket: Path, reader: str, *, through: Sequence[str] = ()) -> Iterator[Client]:
    """The program at this PC/SC socket and reader. ``through``: what it is started with."""
    command = [*through, sys.executable, "-m", "tests.kit.far_client", reader]
    environment = {**os.environ, pcsc.SOCKET_VARIABLE: str(socket)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Client(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(BACK)


def _main(reader: str) -> None:
    connection: Pcsc | None = None
    lost = False
    for line in sys.stdin:
        try:
            if connection is None:
                connection = _opened(reader, lost=lost)
            told = connection.send(bytes.fromhex(line)).hex().upper()
        except PcscError:
            told, lost = GONE, True
            if connection is not None:
                with contextlib.suppress(PcscError):
                    connection.close()
            connection = None
        print(told, flush=True)


def _opened(reader: str, *, lost: bool) -> Pcsc:
    """A session with the card that is there, or comes; where one was ``lost``, once pcscd has noticed. PcscError."""
    if lost:
        pcsc.wait_card(reader, present=False, timeout=NOTICED)
    pcsc.wait_card(reader, timeout=BACK)
    return Pcsc(reader)


if __name__ == "__main__":
    _main(sys.argv[1])
