"""The terminal's side of secure messaging: commands sealed under a card key's process key, answers opened."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from emulator.apdu.command import CommandAPDU
from emulator.crypto import Suite
from emulator.filesystem.layouts.specs import MessagingSpec

MAC_SIZE = 4


def signed(command: CommandAPDU, body: bytes) -> bytes:
    """What a command's MAC is made over: its header, Lc with the MAC counted, and its data, enciphered or not."""
    return command.header + bytes((len(body) + MAC_SIZE,)) + body


def sealed(command: CommandAPDU, body: bytes, mac: bytes) -> CommandAPDU:
    """The command with these data and their MAC; T=0 sends no Le with them."""
    return replace(command, data=body + mac, le=None)


@dataclass(frozen=True, slots=True)
class Sealing:
    """One command's messaging. ``key`` is the card's key, ``challenge`` the card's last."""

    suite: Suite
    scheme: MessagingSpec
    key: bytes
    challenge: bytes

    def _key(self) -> bytes:
        return self.suite.process_key(self.key, self.challenge) if self.scheme.key == "process" else self.key

    def _mac(self, message: bytes) -> bytes:
        start = self.challenge if self.scheme.start == "challenge" else b""
        return self.suite.mac(self._key(), message, start=start, fold=self.scheme.fold)

    def seal(self, command: CommandAPDU, *, enciphered: bool) -> CommandAPDU:
        """The command with its data enciphered, if they are to be, and its MAC."""
        body = self.suite.encipher(self._key(), command.data) if enciphered and command.data else command.data
        return sealed(command, body, self._mac(signed(command, body)))

    def open(self, answer: bytes, *, enciphered: bool) -> bytes:
        """The data of a sealed answer; ValueError if its MAC or its cipher is not right."""
        body, mac = answer[:-MAC_SIZE], answer[-MAC_SIZE:]
        if not hmac.compare_digest(self._mac(body), mac):
            raise ValueError("the MAC of the card's answer is not right")
        return self.suite.decipher(self._key(), body) if enciphered else body
