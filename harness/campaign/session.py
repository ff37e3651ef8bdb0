"""One card in the middle of a campaign: deeds done to it, each answer held against the model and the memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from emulator import catalogue
from emulator.chip import Chip, Interposer
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem.layouts.specs import KeySpec
from emulator.filesystem.memory.cells import CellKind
from emulator.filesystem.memory.image import Image
from emulator.messages import because
from harness.campaign import effects, statement
from harness.campaign.deeds import Challenge, Deed, Reset, Terminal
from harness.campaign.effects import Cells
from harness.campaign.model import Model, Wanted
from harness.images import tear

HOLDER = "adult-chengdu"
INACTIVE = "not-activated"
TOLD_OF = (HOLDER, INACTIVE)
"""The personas whose cards the model tells of."""
REGION = "510100"
"""Of both of them."""
Planted: TypeAlias = Callable[[], Interposer | None]
"""What stands between terminal and chip of each card; a fault put there on purpose."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of card: ``layout`` by its name or file, the algorithm, the persona by its name or file."""

    layout: str
    algorithm: str
    persona: str = HOLDER

    @property
    def version(self) -> str:
        """The version of the card that the layout is of."""
        return catalogue.layout(self.layout).version

    @property
    def told_of(self) -> bool:
        """Whether the model tells of such cards."""
        return self.version in statement.RECORDS and self.persona in TOLD_OF

    @property
    def name(self) -> str:
        """As reports call it: ``3.00-sm4``."""
        return f"{self.version}-{self.algorithm}"

    def image(self) -> Image:
        """Returns a fresh card."""
        return catalogue.card(self.persona, self.layout, self.algorithm)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was wrong about an answer, or about what the command did. ``expected``: None where the answer does not show
    it; ``torn``: power was cut in the middle of it.
    """

    words: str
    command: bytes
    answer: bytes
    expected: Wanted | None = None
    torn: bool = False

    @property
    def signature(self) -> tuple[str, int, str]:
        """What two findings of one fault have in common: words, instruction, status word."""
        return self.words, self.command[1] if len(self.command) > 1 else -1, self.answer[-2:].hex().upper()


@dataclass(slots=True)
class Session:
    """A fresh powered card of a kind. ``chance`` is the card's only source of chance, so that all comes again.
    ``torn``: power is cut after every write of every command, and given back as before. ``sent``: what was sent and
    came back; a reset has no command.
    """

    kind: Kind
    chance: random.Random
    planted: Planted = lambda: None
    torn: bool = False
    sent: list[tuple[bytes, bytes]] = field(default_factory=list)
    chip: Chip = field(init=False)
    terminal: Terminal = field(init=False)
    model: Model | None = field(init=False, default=None)
    _cells: Cells = field(init=False)
    _moment: tuple[object, int] = field(init=False)

    def __post_init__(self) -> None:
        image = self.kind.image()
        self.chip = Chip(image, random=self.chance.randbytes, interposer=self.planted())
        self.terminal = Terminal(suite(image.algorithm), _keys_of(self.kind))
        if self.kind.told_of:
            pin = catalogue.persona(self.kind.persona).pin or image.layout.pin.initial
            records = statement.RECORDS[self.kind.version]
            active = self.kind.persona != INACTIVE
            self.model = Model(self.terminal.suite, self.terminal.keys, records, pin, active)
        self.chip.power_on()
        self._look()

    def _look(self) -> None:
        memory = self.chip.image.memory
        self._cells, self._moment = memory.snapshot(), memory.moment()

    def do(self, deed: Deed) -> Wrong | None:
        """Does one deed; returns what is wrong about it, None if nothing is."""
        if isinstance(deed, Reset):
            self._reset(deed)
            return None
        command = deed.bytes_for(self.terminal)
        if self.torn and (mixed := self._tear(command)) is not None:
            return mixed
        answer = self.chip.transmit(command) if not self.torn else self.sent[-1][1]
        return self.judge(deed, command, answer)

    def judge(self, deed: Deed, command: bytes, answer: bytes) -> Wrong | None:
        """Holds what came of a deed against the memory and the model."""
        if not self.torn:
            self.sent.append((command, answer))
        harm = self._harm(command, answer)
        if isinstance(deed, Challenge) and answer[-2:] == b"\x90\x00" and len(answer) == 10:
            self.terminal.challenge = answer[:8]
        if self.model is not None and (expected := self.model.judge(command, answer)) is not None:
            return Wrong(expected.words, command, answer, expected)
        if self.model is None and answer[-2:] == FAULT and command[1:2] != ASKS:
            harm = harm or because("a fault of the card's own")
        return Wrong(harm, command, answer) if harm else None

    def _harm(self, command: bytes, answer: bytes) -> str:
        """What a command should not have done to the memory; empty if all is as it may be."""
        if self.chip.image.memory.unchanged(self._moment):
            return ""
        before = self._cells
        self._look()
        return effects.wrong(command, answer, before, self._cells)

    def _reset(self, deed: Reset) -> None:
        if deed.cold:
            self.chip.power_off()
        self.chip.reset()
        if self.model is not None:
            self.model.reset()
        self.sent.append((b"", self.chip.atr))

    def _tear(self, command: bytes) -> Wrong | None:
        """Sends a command with power cut after each of its writes, and then whole."""
        self.sent.append((command, b""))

        def send() -> None:
            self.sent[-1] = command, self.chip.transmit(command)

        for cut in tear.in_session(self.chip, send):
            if cut.outcome is tear.Outcome.MIXED:
                return Wrong(
                    because(f"power cut after write {cut.after} left neither old nor new"), command, b"", torn=True
                )
        return None


FAULT, ASKS = b"\x6f\x00", b"\xc0"
"""The status word of a fault, and of GET RESPONSE where nothing waits."""


@lru_cache(maxsize=64)
def _keys_of(kind: Kind) -> dict[str, bytes]:
    return keys_of(kind.image())


def keys_of(image: Image) -> dict[str, bytes]:
    """The keys that a terminal derives for a card from the published test roots, but for those of certificates."""
    algorithms = suite(image.algorithm)

    def derived(key: KeySpec) -> bytes:
        return card_key(algorithms, test_root(key.name), REGION, image.chip_factor, key.levels)

    loaded = {cell.name for cell in image.memory.snapshot() if cell.kind is CellKind.KEY}
    return {key.name: derived(key) for key in image.layout.keys.values() if not key.pin and key.name in loaded}


def first_wrong(session: Session, deeds: Sequence[Deed]) -> tuple[int, Wrong] | None:
    """Does deeds until one is wrong: which, and what is wrong; None if none is."""
    for number, deed in enumerate(deeds):
        if (wrong := session.do(deed)) is not None:
            return number, wrong
    return None
