"""A counter in this process: the driver library over a virtual card and a PSAM, and a back end with its machine."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.memory.cells import CellKey, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.personas.issue import issue
from emulator.security import PIN
from harness.driver.backend import BackEnd
from harness.driver.library import SSCardDriver
from harness.driver.pad import Pad
from harness.driver.readers import Given
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.hsm.machine import EncryptionMachine
from harness.readers.connection import Connection, InProcess
from harness.trace.record import Trace

IDENTIFICATION, NUMBER = "510100D15600000551010001C4A06E3C", "A00000011"
MEANT = f"{IDENTIFICATION}|{NUMBER}|"
ANY = "||"
INITIAL, OWN = "123456", "246802"
KINDS = [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des"), ("1.00", "3des")]
SHAPES = ["t0", "apdu"]
PAY = "700|1500|20261125093000|"


@lru_cache
def _issued(layout: str, algorithm: str, persona: str, missing: tuple[str, ...]) -> Image:
    person = catalogue.persona(persona)
    person = replace(person, missing_keys=person.missing_keys | frozenset(missing))
    return issue(person, catalogue.layout(layout), algorithm)


class Counter:
    """A library over a card and a PSAM in this process. ``psam`` None: the terminal has none.

    ``lacks``, ``psam_lacks``: keys that are missing; ``faults``, ``psam_faults``: what goes wrong.
    """

    def __init__(
        self,
        layout: str = "3.00",
        algorithm: str = "3des",
        persona: str = "adult-chengdu",
        psam: str | None = "psam",
        faults: tuple[str, ...] = (),
        shape: str = "t0",
        *,
        lacks: tuple[str, ...] = (),
        psam_lacks: tuple[str, ...] = (),
        psam_faults: tuple[str, ...] = (),
        trace: Trace | None = None,
    ) -> None:
        apdu = shape == "apdu"
        self.image = _issued(layout, algorithm, persona, lacks).fork()
        self.card = _chip(self.image, faults, apdu=apdu, trace=trace, slot=0)
        self.own: Chip | None = None
        if psam:
            own = _issued("psam", "3des", psam, psam_lacks).fork()
            self.own = _chip(own, psam_faults, apdu=apdu, trace=trace, slot=1)
        self.pad = Pad()
        self.missing: Exception | None = None
        self.driver = SSCardDriver(Given(self.open, self.its_psam), self.pad)
        self.machine = EncryptionMachine()
        self.back = BackEnd(self.driver, self.machine)

    def open(self, kind: int = 1) -> Connection:
        del kind
        if self.missing is not None:
            raise self.missing
        return InProcess(self.card)

    def its_psam(self) -> Connection | None:
        return InProcess(self.own) if self.own else None

    def enters(self, *entries: str) -> Counter:
        self.pad.script(entries)
        return self

    def put(self, cell: CellKey, value: str | bytes | tuple[bytes, ...]) -> Counter:
        self.image.memory.put(cell, value)
        self.image.memory.commit()
        return self

    def tries(self, left: int, name: str = PIN) -> Counter:
        self.image.memory.set_counter(tries_cell(name), left)
        return self

    def with_own_pin(self) -> Counter:
        """The initial PIN changed, as a cardholder must before any business."""
        assert self.enters(INITIAL, OWN, OWN).driver.iChangePIN(1) == (0, "")
        return self.enters(OWN)

    def basic(self, kind: int = 1) -> tuple[int, str]:
        return self.driver.iReadCardBas(kind)

    def read(self, address: str, auth: int = 2, meant: str = MEANT) -> tuple[int, str]:
        return self.driver.iReadCard(1, auth, meant, address)

    def write(self, address: str, data: str, meant: str = MEANT) -> tuple[int, str]:
        return self.driver.iWriteCard(1, meant, address, data)


def _chip(image: Image, faults: tuple[str, ...], *, apdu: bool, trace: Trace | None, slot: int) -> FaultyChip:
    observer = trace.slot(slot, image) if trace else None
    return FaultyChip(image, Plan(tuple(map(plan.from_text, faults))), apdu_shape=apdu, observer=observer)
