"""Filling a blank card with a person's data and keys, by commands, as docs/personalisation.md describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.issuing import PIN_LOADED
from emulator.apdu.status import SW
from emulator.apdu.transport import follow
from emulator.crypto import SUITES
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem.layouts.specs import PIN_USE, FileSpec, Layout
from emulator.filesystem.memory.files import messaging_of
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.memory import VERSIONS, key_cell
from emulator.personas import Persona
from emulator.personas.issue import issue
from harness.keys import sealing as messaging
from harness.keys.access import TerminalError
from harness.readers.connection import Connection
from harness.terminal.terminal import Refused

CHUNK = 200
"""Bytes of a transparent file in one UPDATE BINARY."""


def for_chip(persona: Persona, layout: Layout, algorithm: str, atr: bytes) -> Image:
    """What a blank chip of this ATR will hold for a person: its own serial number, and keys diversified for it.

    TerminalError where the chip was made for another region than the person's.
    """
    if atr[-6:-4] != bytes.fromhex(persona.region)[:2]:
        made = atr[-6:-4].hex()
        raise TerminalError(f"the chip was made for region {made}, persona {persona.name} is of {persona.region[:4]}")
    return issue(replace(persona, serial=atr[-4:], activated=False), layout, algorithm)


class Personaliser:
    """A blank card being filled from the image of what it is to hold."""

    def __init__(self, connection: Connection, image: Image) -> None:
        self._connection = connection
        self._image = image
        self._layout = image.layout
        self._suite = SUITES[image.algorithm]
        if self._layout.personalisation is None:
            raise TerminalError(f"layout {self._layout.name} knows no personalisation")
        self._scheme, _ = messaging_of(self._layout, self._layout.keys[self._layout.personalisation.key].application)
        self._transport = self._layout.keys[self._layout.personalisation.key]
        # The transport key has one level: the chip's factor alone, as its region may be written yet.
        factor = connection.atr[-8:]
        self._transport_key = card_key(self._suite, test_root(self._transport.name), "000000", factor, 1)

    def applications(self) -> list[str]:
        """Those that have something to be filled."""
        homes = {key.application for key in self._layout.keys.values()}
        homes |= {spec.application for spec in self._layout.files.values()}
        return [name for name in self._layout.applications if name in homes]

    def complete(self) -> bool:
        """True if the card is no blank one any more: it says so whoever asks, in any application."""
        self._connection.reset()
        asked = CommandAPDU(0x84, 0x46, 0x00, 0x00, bytes(4))
        response = ResponseAPDU.parse(follow(self._connection.send, bytes(asked)))
        return response.sw == SW.CONDITIONS_NOT_SATISFIED

    def steps(self) -> Iterator[str]:
        """Does everything, and tells each application before it is filled. Refused."""
        self._connection.reset()
        for application in self.applications():
            yield application
            self._enter(application)
            for spec in self._layout.files.values():
                if spec.application == application and not spec.directory:
                    self._fill(spec)
            for key in self._layout.keys.values():
                for version in VERSIONS if key.application == application else ():
                    value = self._image.memory.get(key_cell(key.name, version))
                    if key is not self._transport and isinstance(value, bytes):
                        p1 = PIN_LOADED if key.use == PIN_USE else version
                        command = CommandAPDU(0x84, 0xD4, p1, key.id, value)
                        self._sealed(command, f"loading {key.name}, version {version}", enciphered=True)
        self._enter(next(iter(self._layout.applications)))
        self._sealed(CommandAPDU(0x84, 0x46, 0x00, 0x00), "completing personalisation", enciphered=False)
        self._connection.reset()

    def _send(self, command: CommandAPDU, doing: str) -> bytes:
        response = ResponseAPDU.parse(follow(self._connection.send, bytes(command)))
        if not response.ok:
            raise Refused(doing, response.sw)
        return response.data

    def _enter(self, application: str) -> None:
        """Selects, and authenticates with the transport key: its right ends with every selection."""
        spec = self._layout.applications[application]
        by_name = CommandAPDU(0x00, 0xA4, 0x04, 0x00, spec.dfname)
        by_id = CommandAPDU(0x00, 0xA4, 0x00, 0x00, spec.fid.to_bytes(2, "big"))
        self._send(by_name if spec.dfname else by_id, f"selecting {application}")
        process_key = self._suite.process_key(self._transport_key, self._challenge())
        data = bytes(8)
        proof = CommandAPDU(0x00, 0x82, 0x00, self._transport.id, self._suite.cryptogram(process_key, data) + data)
        self._send(proof, f"authenticating with {self._transport.name}")

    def _challenge(self) -> bytes:
        return self._send(CommandAPDU(0x00, 0x84, 0x00, 0x00, le=8), "asking for a challenge")

    def _sealed(self, command: CommandAPDU, doing: str, *, enciphered: bool) -> None:
        sealing = messaging.Sealing(self._suite, self._scheme, self._transport_key, self._challenge())
        self._send(sealing.seal(command, enciphered=enciphered), doing)

    def _fill(self, spec: FileSpec) -> None:
        content = self._image.memory.records(spec.path)
        if spec.structure == "cyclic":
            # The oldest are written first: what an interrupted run left there already are the last ones.
            content = content[: len(content) - self._present(spec)]
        for command in commands(spec, content):
            self._send(command, f"writing {spec.path}")

    def _present(self, spec: FileSpec) -> int:
        """How many records a cyclic file has."""
        for number in range(1, spec.records + 1):
            try:
                self._send(CommandAPDU(0x00, 0xB2, number, spec.sfi << 3 | 4, le=0), f"reading {spec.path}")
            except Refused as refused:
                if refused.sw != SW.RECORD_NOT_FOUND:
                    raise
                return number - 1
        return spec.records


def commands(spec: FileSpec, content: tuple[bytes, ...]) -> Iterator[CommandAPDU]:
    """UPDATE RECORD and UPDATE BINARY that fill an empty file. Zeros at a transparent file's end are there already."""
    if spec.structure == "transparent":
        used = content[0].rstrip(b"\0")
        for at in range(0, len(used), CHUNK):
            if at < 256:
                yield CommandAPDU(0x00, 0xD6, 0x80 | spec.sfi, at, used[at : at + CHUNK])
            else:
                yield CommandAPDU(0x00, 0xD6, at >> 8, at & 0xFF, used[at : at + CHUNK])
    elif spec.structure == "cyclic":
        for record in reversed(content):
            yield CommandAPDU(0x00, 0xDC, 0x00, spec.sfi << 3 | 3, record)
    else:
        for number, record in enumerate(content, 1):
            yield CommandAPDU(0x00, 0xDC, number, spec.sfi << 3 | 4, record)
