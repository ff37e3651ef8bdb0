"""Filling a blank card with a person's data and keys, by commands, as docs/personalisation.md describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emulator import interface
from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.binary import UpdateBinary
from emulator.apdu.instructions.issuing import CompletePersonalisation, LoadKey
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW
from emulator.crypto import SUITES
from emulator.crypto.keys import test_root
from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import KeyUse, Structure
from emulator.filesystem.memory.cells import VERSIONS, key_cell
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.personas import Persona
from emulator.personas.issue import issue
from harness.keys.access import TerminalError
from harness.keys.root_keys import RootKeys
from harness.readers.connection import Connection
from harness.terminal.refused import Refused
from harness.terminal.session import TerminalSession

CHUNK = 200
"""Bytes of a transparent file in one UPDATE BINARY."""


def for_chip(persona: Persona, layout: Layout, algorithm: str, atr: bytes) -> Image:
    """What a blank chip of this ATR will hold for a person: its own serial number, and keys diversified for it.

    TerminalError where the chip was made for another region than the person's.
    """
    told = interface.region(atr)
    if told != bytes.fromhex(persona.region)[:2]:
        made = told.hex()
        raise TerminalError(
            _("the chip was made for region {made}, persona {name} is of {region}").format(
                made=made, name=persona.name, region=persona.region[:4]
            )
        )
    return issue(replace(persona, serial=interface.serial(atr), activated=False), layout, algorithm)


class Personaliser:
    """A blank card being filled from the image of what it is to hold."""

    def __init__(self, connection: Connection, image: Image) -> None:
        self._image = image
        self._layout = image.layout
        if self._layout.personalisation is None:
            raise TerminalError(_("layout {name} knows no personalisation").format(name=self._layout.name))
        self._transport = self._layout.keys[self._layout.personalisation.key]
        # The transport key has one level: the chip's factor alone, so that the region, which the card has none of yet,
        # does not matter.
        self._session = TerminalSession(connection, RootKeys(test_root))
        self._session.layout, self._session.suite = self._layout, SUITES[image.algorithm]

    def applications(self) -> list[str]:
        """Those that have something to be filled."""
        homes = {key.application for key in self._layout.keys.values()}
        homes |= {spec.application for spec in self._layout.files.values()}
        return [name for name in self._layout.applications if name in homes]

    def complete(self) -> bool:
        """True if the card is no blank one any more: it says so whoever asks, in any application."""
        self._session.reset()
        asked = replace(CompletePersonalisation.command(), data=bytes(MAC_SIZE))
        return self._session.send(asked).sw == SW.CONDITIONS_NOT_SATISFIED

    def steps(self) -> Iterator[str]:
        """Does everything, and tells each application before it is filled. Refused."""
        self._session.reset()
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
                        command = LoadKey.command(key.id, value, version, pin=key.use is KeyUse.PIN)
                        self._sealed(
                            command,
                            _("loading {name}, version {version}").format(name=key.name, version=version),
                            enciphered=True,
                        )
        self._enter(next(iter(self._layout.applications)))
        self._sealed(CompletePersonalisation.command(), _("completing personalisation"), enciphered=False)
        self._session.reset()

    def _enter(self, application: str) -> None:
        """Selects, and authenticates with the transport key: its right ends with every selection."""
        self._session.enter(application, again=True)
        use = self._session.use(self._transport.name, self._session.challenge())
        self._session.prove(self._transport.name, self._session.proof(use, bytes(8)))

    def _sealed(self, command: CommandAPDU, doing: str, *, enciphered: bool) -> None:
        self._session.sealed(command, self._transport.name, enciphered=enciphered, doing=doing)

    def _fill(self, spec: FileSpec) -> None:
        content = self._image.memory.records(spec.path)
        if spec.structure is Structure.CYCLIC:
            # The oldest are written first: what an interrupted run left there already are the last ones.
            content = content[: len(content) - self._present(spec)]
        for command in commands(spec, content):
            self._session.exchange(command, _("writing {path}").format(path=spec.path))

    def _present(self, spec: FileSpec) -> int:
        """How many records a cyclic file has."""
        for number in range(1, spec.records + 1):
            response = self._session.send(ReadRecord.command(spec.sfi, number=number))
            if response.sw == SW.RECORD_NOT_FOUND:
                return number - 1
            if not response.ok:
                raise Refused(_("reading {path}").format(path=spec.path), response.sw)
        return spec.records


def commands(spec: FileSpec, content: tuple[bytes, ...]) -> Iterator[CommandAPDU]:
    """UPDATE RECORD and UPDATE BINARY that fill an empty file. Zeros at a transparent file's end are there already."""
    if spec.structure is Structure.TRANSPARENT:
        used = content[0].rstrip(b"\0")
        for at in range(0, len(used), CHUNK):
            # The first one names the file, which is current from then on: only there may an offset exceed 255.
            yield UpdateBinary.command(used[at : at + CHUNK], spec.sfi if at < 256 else 0, at)
    elif spec.structure is Structure.CYCLIC:
        for record in reversed(content):
            yield UpdateRecord.newest(record, spec.sfi)
    else:
        for number, record in enumerate(content, 1):
            yield UpdateRecord.command(record, spec.sfi, number=number)
