"""What a vector costs a card, found out before any card pays it: by playing it on a virtual twin of the card.

The twin has the card's layout, algorithm, PIN and keys as the user gave them, and keys of its own where none was given:
so a vector that holds a PIN or a key as digits costs the twin what it would cost the card.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256

from emulator import catalogue, personas
from emulator.apdu.command import ResponseAPDU
from emulator.chip import Chip
from emulator.crypto.keys import test_root
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import (
    CARD_STATE,
    PIN_CELL,
    UNBLOCKING,
    Cell,
    CellKey,
    CellKind,
    file_cell,
    tries_cell,
)
from emulator.filesystem.memory.image import Image
from emulator.security import PIN
from harness.conformance.guard.guard import Expected
from harness.conformance.guard.proofs import Outcome, Proofs
from harness.conformance.models import Follows
from harness.conformance.person import issued
from harness.conformance.play import Play
from harness.conformance.steps import Steps
from harness.conformance.vector import Vector
from harness.keys.roots import RootSource, UnknownKey
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal

KEY_SIZE = 16
IDENTIFICATION = "the identification code"
ISSUER = file_cell("SSSE/EF05")
"""The file whose first record is the identification code."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What playing a vector does to one sound card. ``scripts``: its proofs in order, for each way to play it;
    ``least``: of each counter that it lowers the fewest tries left on the way; ``locks``: counters that it leaves
    without a try; ``proves``: the keys and versions that it proves right, ``PIN`` too; ``counters``: all that it holds
    anything against; ``entered``: the applications that it goes into; ``changed``: what else is otherwise at its end;
    ``pin``: the PIN that it leaves, None where that is the one it found; ``renamed``: it leaves another identification
    code, so that the card is another's, with other keys. ``passes``: it passes on the twin.
    """

    scripts: tuple[tuple[Expected, ...], ...] = ()
    least: Mapping[str, int] = field(default_factory=dict)
    locks: Set[str] = frozenset()
    proves: Set[tuple[str, int]] = frozenset()
    counters: Set[str] = frozenset()
    entered: Set[str] = frozenset()
    changed: Set[CellKey] = frozenset()
    pin: str | None = None
    renamed: bool = False
    passes: bool = True

    @property
    def lasting(self) -> bool:
        """True if the card is not at its end what it was."""
        return bool(self.changed or self.locks)

    @property
    def replaced(self) -> frozenset[str]:
        """Counters and applications that serve nobody after it though they are not locked: of another key, blocked, or
        of a card with another name. A PIN is changed back.
        """
        named = {one.name for one in self.changed if one.kind in (CellKind.KEY, CellKind.STATE)}
        return frozenset(named | ({IDENTIFICATION} if self.renamed else set()))

    @property
    def spoils(self) -> frozenset[str]:
        """All that serves nobody after it."""
        return self.replaced | self.locks

    @property
    def needs(self) -> Set[str]:
        """Returns all that it wants unspoilt: counters, applications, card and code."""
        return self.counters | self.entered | {IDENTIFICATION, CARD_STATE.name}


FREE = Cost()
"""What costs nothing."""


def _together(costs: Iterable[Cost]) -> Cost:
    """What several ways to play a vector cost, one after another."""
    ways = list(costs)
    least: dict[str, int] = {}
    for one in ways:
        least |= {name: min(left, least.get(name, left)) for name, left in one.least.items()}
    return Cost(
        scripts=tuple(script for one in ways for script in one.scripts),
        least=least,
        locks=frozenset().union(*(one.locks for one in ways)),
        proves=frozenset().union(*(one.proves for one in ways)),
        counters=frozenset().union(*(one.counters for one in ways)),
        entered=frozenset().union(*(one.entered for one in ways)),
        changed=frozenset().union(*(one.changed for one in ways)),
        pin=next((one.pin for one in reversed(ways) if one.pin is not None), None),
        renamed=any(one.renamed for one in ways),
        passes=all(one.passes for one in ways),
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """What a vector costs the user's card, and the terminal's own."""

    card: Cost = FREE
    psam: Cost = FREE

    @property
    def spends(self) -> bool:
        """True if it loses a try on the way, even one that it wins back."""
        return bool(self.card.least or self.psam.least)

    @property
    def lasting(self) -> bool:
        """True if a card is not at its end what it was."""
        return self.card.lasting or self.psam.lasting


class Twin:
    """A virtual card like the one in a reader. ``pin`` empty: one that no vector names; ``identification``: the card's
    code, 16 bytes; ``pin_tries`` 0: the layout's; ``persona`` empty: the default one's card.
    """

    def __init__(
        self, layout: Layout, algorithm: str, roots: RootSource, pin: str, identification: bytes, *,
        pin_tries: int = 0, persona: str = "",
    ) -> None:  # fmt: skip
        self._persona, self._identification = persona or personas.DEFAULT, identification
        self._algorithm, self._given = algorithm, roots
        self._pin = pin or str(secrets.randbelow(9 * 10**7) + 10**7)
        tries = pin_tries or layout.pin.tries
        self._layout = replace(layout, pin=replace(layout.pin, tries=tries)) if tries != layout.pin.tries else layout
        self._image = self._made()

    def costs(self, vector: Vector) -> Costs:
        """What a vector costs the twin, played in all its ways, and a PSAM beside it."""
        ways = [self._rehearsed(vector, follows) for follows in vector.followers]
        return Costs(_together(one.card for one in ways), _together(one.psam for one in ways))

    def _made(self, roots: RootSource | None = None) -> Image:
        """The card: the user's keys in it, and for want of them others that no vector can hold. ``roots``: of these."""
        first = catalogue.card(self._persona, self._layout, self._algorithm)
        cells: dict[CellKey, Cell] = first.memory.snapshot()
        cells |= {PIN_CELL: self._pin, tries_cell(PIN): self._layout.pin.tries}
        issuer = cells.get(ISSUER)
        if isinstance(issuer, tuple) and issuer:
            cells[ISSUER] = (issuer[0][:2] + self._identification, *issuer[1:])
        made = Image(self._layout, self._algorithm, first.atr, cells)
        terminal = Terminal(InProcess(Chip(made)), self._layout, roots or self._root)
        terminal.adopt(made)
        for cell in list(cells):
            if cell.kind is CellKind.KEY and cell.name in self._layout.keys:
                cells[cell] = terminal.card_key(cell.name, cell.version)
        return Image(self._layout, self._algorithm, first.atr, cells)

    def _root(self, name: str, version: int) -> bytes:
        """The user's root of a key; where there is none, one of the twin's own."""
        try:
            return self._given(name, version)
        except UnknownKey:
            return sha256(f"{self._pin} {name} {version}".encode()).digest()[:KEY_SIZE]

    def _rehearsed(self, vector: Vector, follows: Follows) -> Costs:
        psam = None
        image, roots = self._image.fork(), self._root
        if vector.needs_psam:
            # What PSAM we have comes from the published roots, so the card beside it must have these too.
            image, roots = self._made(test_root), test_root
            own = issued(personas.PSAM, catalogue.layout(vector.layout_of_psam), "3des")
            psam = Watched(InProcess(Chip(own.image.fork())))
        card = Watched(InProcess(Chip(image)))
        terminal = Terminal(card, image.layout, roots)
        terminal.adopt(image)
        person = issued(self._persona, image.layout, self._algorithm)
        play = Play(terminal, self._pin, psam=psam, person=person, follows=follows)
        passes = Steps(play).rehearse(vector)
        return Costs(card.cost(passes=passes), psam.cost(passes=passes) if psam else FREE)


class Watched(InProcess):
    """A twin's connection that writes down what is proved over it."""

    def __init__(self, inner: InProcess) -> None:
        super().__init__(inner.chip)
        self._memory, self._layout = inner.chip.image.memory, inner.chip.image.layout
        self._before = self._memory.snapshot()
        self._proofs = Proofs(self._layout)
        self._script: list[Expected] = []
        self._proved: set[tuple[str, int]] = set()
        self._least: dict[str, int] = {}
        self._entered: set[str] = set()

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""
        self._proofs.reset()
        return super().reset()

    def send(self, command: bytes) -> bytes:
        """One command; a proof is written down with its outcome."""
        proof = self._proofs.of(command)
        answer = super().send(command)
        sw = ResponseAPDU.parse(answer).sw
        self._proofs.follow(command, sw)
        self._entered.add(self._proofs.here)
        if proof is not None and not proof.asks:
            outcome = proof.outcome(sw)
            self._script.append(Expected(proof.counters, outcome))
            for name in proof.counters:
                self._note(name, proof.version, outcome)
        return answer

    def _note(self, name: str, version: int, outcome: Outcome) -> None:
        if outcome is Outcome.TAKEN:
            self._proved.add((name, version))
        full, left = self._tries(name)
        if left < full:
            self._least[name] = min(left, self._least.get(name, left))

    def _tries(self, name: str) -> tuple[int, int]:
        """How many tries the chip gives, and how many are left; none of either where it counts nothing so."""
        layout = self._layout
        limits = {PIN: layout.pin.tries, UNBLOCKING: layout.unblockings}
        full = limits.get(name) or (layout.keys[name].tries if name in layout.keys else 0)
        return full, self._memory.counter(tries_cell(name)) if full else 0

    def cost(self, *, passes: bool) -> Cost:
        """Returns what the commands so far have cost the twin."""
        before, after = self._before, self._memory.snapshot()
        otherwise = {name for name in {**before, **after} if before.get(name) != after.get(name)}
        pin = after.get(PIN_CELL)
        names = [_first_record(cells.get(ISSUER)) for cells in (before, after)]
        locks = {name.name for name in otherwise if name.kind is CellKind.TRIES and not after[name]}
        if UNBLOCKING in locks:
            locks.add(self._layout.pin.unblock_key)
        return Cost(
            scripts=(tuple(self._script),),
            least=dict(self._least),
            locks=frozenset(locks),
            proves=frozenset(self._proved),
            counters=frozenset(name for one in self._script for name in one.counters),
            entered=frozenset(self._entered),
            changed=frozenset(name for name in otherwise if name.kind is not CellKind.TRIES),
            pin=str(pin) if PIN_CELL in otherwise else None,
            renamed=names[0] != names[1],
            passes=passes,
        )


def _first_record(cell: Cell | None) -> bytes:
    """Of a file with records; empty of anything else."""
    return cell[0] if isinstance(cell, tuple) and cell else b""
