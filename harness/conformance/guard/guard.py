"""Stands before a card and lets nothing through that could cost it more than was planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.apdu.command import ResponseAPDU
from emulator.apdu.status import tries_told
from emulator.errors import CardFailure
from emulator.filesystem.layouts.specs import Layout
from emulator.interface import chip_factor
from emulator.messages import _
from harness.conformance.guard.ledger import Ledger
from harness.conformance.guard.proofs import Outcome, Proof, Proofs
from harness.conformance.play import Missing
from harness.readers.connection import Connection
from harness.verdicts.causes import Cause


@dataclass(frozen=True, slots=True)
class Expected:
    """One proof of a vector, and what a sound card makes of it."""

    counters: tuple[str, ...]
    outcome: Outcome


class Guard:
    """A connection to one card that stops, for the rest of a vector, where its next command could cost a try that was
    not planned, and where another card is in the reader.

    Its errors are ``Missing``. They may be lost on their way, in a driver that tells them as its own: ``stopped`` keeps
    the first.
    """

    def __init__(self, inner: Connection, layout: Layout, ledger: Ledger) -> None:
        self._inner, self.ledger = inner, ledger
        self._proofs = Proofs(layout)
        self._chip = chip_factor(inner.atr)
        self._script: Sequence[Expected] | None = ()
        self._at = 0
        self._vector = ""
        self._may_lock: frozenset[str] = frozenset()
        self.stopped: Missing | None = None

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""
        return self._inner.atr

    def begin(self, vector: str, script: Sequence[Expected], may_lock: frozenset[str] = frozenset()) -> None:
        """A vector begins. ``script``: its proofs in their order; ``may_lock``: counters that it may use up."""
        self._vector, self._script, self._may_lock = vector, script, may_lock
        self._at, self.stopped = 0, None

    def end(self) -> None:
        """What comes next is ours, and meant to be right."""
        self._vector, self._script, self._may_lock = "", None, frozenset()
        self.stopped = None

    def reset(self) -> bytes:
        """Resets the card. Missing where another one is there."""
        atr = self._inner.reset()
        self._proofs.reset()
        if chip_factor(atr) != self._chip:
            self._stop(Missing(_("another card is in the reader: nothing is sent to it"), Cause.CARD_LEFT))
        return atr

    def send(self, command: bytes) -> bytes:
        """One command. Missing where it could cost what was not planned, and for all that come after it."""
        if self.stopped is not None:
            raise self.stopped
        proof = self._proofs.of(command)
        foreseen = self._foreseen(proof) if proof is not None and not proof.asks else None
        if proof is not None and not proof.asks:
            may_lock = bool(self._may_lock) and self._may_lock.issuperset(proof.counters[:1])
            try:
                self.ledger.check(proof, foreseen, may_lock=may_lock)
            except Missing as error:
                self._stop(error)
        try:
            answer = self._inner.send(command)
        except CardFailure:
            if proof is not None and not proof.asks:
                self.ledger.lost(proof)
            raise
        sw = ResponseAPDU.parse(answer).sw
        self._proofs.follow(command, sw)
        if proof is not None:
            self._took(proof, sw, foreseen)
        return answer

    def close(self) -> None:
        """Lets the card go."""
        self._inner.close()

    def _foreseen(self, proof: Proof) -> Outcome | None:
        """What a sound card makes of the next proof: right, where it is ours; None where the script has another."""
        if self._script is None:
            return Outcome.TAKEN
        told = self._script[self._at] if self._at < len(self._script) else None
        self._at += 1
        return told.outcome if told is not None and told.counters == proof.counters else None

    def _took(self, proof: Proof, sw: int, foreseen: Outcome | None) -> None:
        if proof.asks:
            self.ledger.asked(tries_told(sw))
            return
        self.ledger.took(proof, proof.outcome(sw), tries_told(sw), foreseen, self._vector)

    def _stop(self, error: Missing) -> None:
        self.stopped = error
        raise error
