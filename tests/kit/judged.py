"""A session that the monitor judges as it goes, for the tests of its rules."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import date, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from emulator import catalogue
from emulator.apdu.command import CommandAPDU
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from harness.certificates import authority
from harness.certificates.authority import Holder, Purpose
from harness.certificates.envelope import Envelope
from harness.clock import CHINA
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import Situation
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from harness.terminal import region
from harness.terminal.certificates import CertificateApplication
from harness.terminal.terminal import PinRefused, Terminal
from harness.trace.read import Event
from harness.trace.record import Trace
from tests.kit.cards import SSSE, new_card

READ_VERSION, READ_EXPIRY, READ_NUMBER = "00B2032806", "00B2062806", "00B207280B"
CHALLENGE, ASK = "0084000008", "0020000000"
TORN = "removal,moment=within,instruction=UPDATE_RECORD,once=yes"
"""The first write is done, and has no answer."""
PROOF = "0082000A10" + "00" * 16
TODAY = date(2026, 11, 25)


DEMANDING = """
extends = "3.00"
schema = 1
name = "demanding"
[file."SSSE/EF06"]
read_messaging = "mac"
update_messaging = "cipher"
"""


KEEPING = """
extends = "3.00"
schema = 1
name = "keeping"
[contactless]
pin = false
unreachable = ["PKI", "DF04"]
[contactless.access."SSSE/EF08"]
read = "never"
"""


@cache
def demanding() -> str:
    """A layout of one's own, whose EF06 demands a MAC for reading, MAC and cipher for writing."""
    return _own("demanding", DEMANDING)


@cache
def keeping() -> str:
    """A layout of one's own that keeps the PIN, a photograph and two applications to the contacts."""
    return _own("keeping", KEEPING)


def in_field(layout: str = "3.00") -> Judged:
    """A session with a card in a field."""
    return Judged(layout, interface=Interface.CONTACTLESS)


def _own(name: str, text: str) -> str:
    path = Path(tempfile.mkdtemp(prefix=f"sscard-{name}-")) / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


class Judged:
    """A session that is judged as it goes. ``later`` lets time pass."""

    def __init__(
        self,
        layout: str = "3.00",
        persona: str = "adult-chengdu",
        *faults: str,
        algorithm: str = "3des",
        lost: str = "",
        whole: bool = True,
        interface: Interface = Interface.CONTACT,
    ) -> None:
        self.interface = interface
        self.monitor = Monitor(catalogue.layout(layout), Situation(TODAY, frozenset({lost} if lost else ())))
        self.found: list[Finding] = []
        self._late, self._line = 0.0, 0
        self._trace = Trace(self._put, personal_data=whole)
        self.image: Image = new_card(layout, algorithm, persona).chip.image
        self.connection = self.slot(0, self.image, *faults)
        self.terminal = Terminal(self.connection, self.image.layout, root_of)

    @property
    def chip(self) -> FaultyChip:
        chip = self.connection.chip
        assert isinstance(chip, FaultyChip)
        return chip

    def slot(self, number: int, image: Image, *faults: str) -> InProcess:
        chip = FaultyChip(
            image,
            Plan(tuple(map(plan.from_text, faults))),
            interface=self.interface if image.layout.contactless else Interface.CONTACT,
            observer=self._trace.slot(number, image),
            sleep=self.later,
        )
        return InProcess(chip)

    def recorded(self, image: Image, layout: Layout) -> InProcess:
        """A card in slot 0 as a recording has it, which knows no more of it than the layout of its version."""
        return InProcess(FaultyChip(image, Plan(()), observer=self._trace.slot(0, layout=layout), sleep=self.later))

    def _put(self, table: dict[str, Any]) -> None:
        self._line += 1
        event = Event.of(self._line, {**table, "t": table["t"] + self._late})
        self.found += self.monitor.hear(event)

    def later(self, seconds: float) -> Judged:
        self._late += seconds
        return self

    def send(self, *commands: str) -> Judged:
        """Hex commands one after another; ``reset`` resets."""
        for command in commands:
            if command == "reset":
                self.connection.reset()
                continue
            try:
                self.connection.send(bytes.fromhex(command))
            except PcscError:
                continue
        return self

    def fci(self) -> Judged:
        """SSSE selected as it should be, version and expiry read."""
        return self.send(SSSE, "00C000001E", READ_VERSION, READ_EXPIRY)

    def authenticate(self, *names: str) -> Judged:
        self.terminal.adopt(self.image)
        self.terminal.region = "510100"
        for name in names:
            self.terminal.authenticate(name)
        return self

    def end(self) -> list[str]:
        self.connection.close()
        self.found += self.monitor.end()
        return self.broken

    @property
    def broken(self) -> list[str]:
        return sorted({one.rule.id for one in self.found})


def update(bad: Judged, path: str, value: str) -> Judged:
    """One item written and not read back."""
    bad.terminal.adopt(bad.image)
    bad.terminal.region = "510100"
    bad.terminal.update(path, value)
    return bad


def part_of_the_region(bad: Judged) -> None:
    bad.fci()
    bad.terminal.begin()
    region.read(bad.terminal)
    update(bad, "DF03/EF05/61", "510700")


MERGED = """
extends = "3.00"
schema = 1
name = "merged"
[roles]
insurance_region = [
    { item = "DF03/EF05/61", insurance = "失业保险", insurance_en = "unemployment" },
    { item = "DF03/EF16/51", insurance = "医疗保险", insurance_en = "medical" },
    { item = "DF04/EF05/84", insurance = "医疗保险", insurance_en = "medical" },
]
"""


@cache
def merged() -> str:
    """A layout of one's own where maternity has gone into the medical insurance, whose region stands in two items."""
    path = Path(tempfile.mkdtemp(prefix="sscard-merged-")) / "merged.toml"
    path.write_text(MERGED, encoding="utf-8")
    return str(path)


def torn_and_left(bad: Judged) -> None:
    """The write of a region has no answer, and nobody looks what became of it."""
    with contextlib.suppress(PcscError):
        part_of_the_region(bad)


def psam_session(bad: Judged, *, atr: bytes, code: str, spoil: bool = False) -> None:
    """Reading under RKSSSE with a PSAM in slot 1: what is delivered to it, and what it computed, passed on."""
    psam = bad.slot(1, new_card("psam", "3des", "psam").chip.image)
    bad.fci().send("00B2012812")
    data, process = (bad.connection.send(bytes.fromhex(CHALLENGE))[:8] for _ in range(2))
    factors = atr[-8:] + code.encode() + b"sx" + code[:2].encode() + b"0000sh"
    key = bad.image.layout.keys["RKSSSE"]
    assert key.psam is not None
    usage, identifier = key.psam.usage, key.psam.id
    psam.send(bytes.fromhex("00A4040006D15600000500"))
    psam.send(bytes.fromhex("BFEC00000151"))
    delivered = CommandAPDU(0xBF, 0xDE, usage, identifier, factors[: 8 * (usage >> 5)] + process)
    assert psam.send(bytes(delivered))[-2:] == b"\x90\x00", "the PSAM takes it"
    announced = psam.send(bytes(CommandAPDU(0x80, 0xFA, 0x00, 0x00, data)))
    assert announced[-2:] == b"\x61\x08"
    computed = psam.send(bytes.fromhex("00C0000008"))[:8]
    proof = bytes(8) if spoil else computed
    answer = bad.connection.send(bytes(CommandAPDU(0x00, 0x82, 0x00, key.id, proof + data)))
    right = atr == bad.connection.atr and code == "510100" and not spoil
    assert (answer == b"\x90\x00") is right
    psam.close()


def certified() -> Judged:
    """A card that was never in the certificate application gets both key pairs and their certificates, and signs; its
    PIN was mistyped once.
    """
    card = Judged("3.00", "certificate-none", algorithm="sm4")
    card.terminal.begin()
    assert card.terminal.valid_until()
    own = CertificateApplication(card.terminal)
    own.prove("123456")
    assert not own.held(Purpose.SIGNATURE).public
    public = own.generate()
    begins = datetime(2026, 1, 1, tzinfo=CHINA)
    holder = Holder("测试证甲", "519900199003150011")
    ca, random = authority.published(), Random(1).randbytes
    envelope = Envelope.make(public, random)
    own.take(envelope)
    for purpose, key in ((Purpose.SIGNATURE, public), (Purpose.ENCRYPTION, envelope.public)):
        own.write(purpose, ca.issue(holder, key, purpose, random, begins, begins.replace(year=2030)).der, 0x70)
    signature, __ = own.sign(b"a text")
    assert own.verify(b"a text", signature)
    with pytest.raises(PinRefused):
        own.prove("000000")
    card.later(6)
    own.prove("123456")
    return card
