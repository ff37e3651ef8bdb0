"""What a campaign does to a card, one deed after another: what is sent, and the step of a vector that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulator.apdu.command import HEADER
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.crypto.suite import Suite

ZERO = bytes(8)
DATA = bytes(range(8))
"""What a proof is over."""


@dataclass(slots=True)
class Terminal:
    """What the terminal's side knows: the card's keys, and the challenge that it was given last."""

    suite: Suite
    keys: Mapping[str, bytes]
    challenge: bytes = ZERO

    def process_key(self, name: str) -> bytes:
        """Returns the key for one use of the last challenge."""
        return self.suite.process_key(self.keys[name], self.challenge)


@dataclass(frozen=True, slots=True)
class Send:
    """A command as it stands."""

    command: bytes

    def bytes_for(self, _terminal: Terminal) -> bytes:
        """Returns what is sent."""
        return self.command

    def step(self, *, challenged: bool, block: int) -> dict[str, Any]:  # noqa: ARG002
        """Returns the step; ``challenged``: a challenge came before it; ``block``: bytes of the cipher's block."""
        return {"apdu": self.command.hex().upper()}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge of 8 bytes, which later deeds work with."""

    def bytes_for(self, _terminal: Terminal) -> bytes:
        """Returns what is sent."""
        return bytes(GetChallenge.command())

    def step(self, *, challenged: bool, block: int) -> dict[str, Any]:  # noqa: ARG002
        """Returns the step."""
        return {"apdu": bytes(GetChallenge.command()).hex().upper(), "capture": {"challenge": "0:8"}}


@dataclass(frozen=True, slots=True)
class Prove:
    """A key proved by its id, on the last challenge. ``wrong``: the cryptogram is not its."""

    key: str
    number: int
    wrong: bool = False

    def bytes_for(self, terminal: Terminal) -> bytes:
        """Returns what is sent."""
        proof = bytearray(terminal.suite.cryptogram(terminal.process_key(self.key), DATA))
        proof[0] ^= self.wrong
        return bytes(ExternalAuthentication.command(self.number, bytes(proof) + DATA))

    def step(self, *, challenged: bool, block: int) -> dict[str, Any]:  # noqa: ARG002
        """Returns the step."""
        data = DATA.hex().upper()
        let: dict[str, Any] = {"right": {"cryptogram": _under(self.key, challenged) | {"data": data}}}
        if self.wrong:
            let["wrong"] = {"xor": ["${right}", "01" + "00" * 7]}
        start = bytes(ExternalAuthentication.command(self.number, bytes(16)))[:HEADER].hex().upper()
        return {"let": let, "apdu": f"{start}${{{'wrong' if self.wrong else 'right'}}}{data}"}


@dataclass(frozen=True, slots=True)
class Seal:
    """A command under secure messaging, on the last challenge. ``cipher``: its data are enciphered; ``wrong``: the MAC
    is not right.
    """

    header: bytes
    data: bytes
    key: str
    cipher: bool = False
    wrong: bool = False

    def bytes_for(self, terminal: Terminal) -> bytes:
        """Returns what is sent."""
        process_key = terminal.process_key(self.key)
        body = terminal.suite.encipher(process_key, self.data) if self.cipher else self.data
        covered = self.header + bytes((len(body) + 4,)) + body
        mac = bytearray(terminal.suite.mac(process_key, covered))
        mac[0] ^= self.wrong
        return covered + bytes(mac)

    def step(self, *, challenged: bool, block: int) -> dict[str, Any]:
        """Returns the step; ``block``: bytes of the cipher's block, to which enciphered data are filled up."""
        sealed: dict[str, Any] = _under(self.key, challenged) | {"header": self.header.hex().upper()}
        sealed |= {"data": self.data.hex().upper()} if self.data else {}
        sealed |= {"cipher": True} if self.cipher else {}
        let: dict[str, Any] = {"command": {"sealed": sealed}}
        if self.wrong:
            body = -(-(1 + len(self.data)) // block) * block if self.cipher else len(self.data)
            let["wrong"] = {"xor": ["${command}", "00" * (5 + body) + "01000000"]}
        return {"let": let, "apdu": "${wrong}" if self.wrong else "${command}"}


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset, or power taken and given again."""

    cold: bool = False

    def step(self, *, challenged: bool, block: int) -> dict[str, Any]:  # noqa: ARG002
        """Returns the step."""
        return {"reset": "cold" if self.cold else "warm"}


Deed: TypeAlias = Send | Challenge | Prove | Seal | Reset


def _under(key: str, challenged: bool) -> dict[str, Any]:
    return {"key": key} if challenged else {"key": key, "factor": "00" * 8}
