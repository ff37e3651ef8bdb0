"""What is known of one card's counters in this run and from the note of earlier ones, and what may still be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.filesystem.memory.tries import UNLIMITED
from emulator.messages import _
from emulator.security import PIN
from harness.conformance.guard.proofs import Outcome, Proof
from harness.conformance.play import Missing
from harness.keys.spent import ENOUGH_TRIES, SpentKey, SpentKeys
from harness.verdicts.causes import Cause

Value = Callable[[str, int], bytes]
"""The value by which a key's version is proved, empty where it is not at hand."""


@dataclass(slots=True)
class Counter:
    """One counter. ``left``: as the card last said, None where it has said nothing since the last right proof.
    ``refused``: why nothing is tried with it any more
    but what is ``proven``; ``locked_by``: the vector that used it up, empty where it was so
    before, None where it is not; ``proven``: the versions that were right in this run; ``spent_by``: the vector that
    took the last try since a right proof.
    """

    left: int | None = None
    refused: str = ""
    locked_by: str | None = None
    proven: set[int] = field(default_factory=set)
    spent_by: str | None = None

    @property
    def lowered(self) -> bool:
        """True if a right proof would set it back, and is to be had."""
        return bool(self.proven) and self.spent_by is not None and self.locked_by is None


class Ledger:
    """The counters of one card. ``identification``: its code, by which the note of earlier runs knows it; ``note``:
    that, None where none is kept; ``value``: what each key is proved by.
    """

    def __init__(self, identification: bytes, note: SpentKeys | None, value: Value) -> None:
        self._identification, self._note, self._value = identification, note, value
        self._counters: dict[str, Counter] = {}

    def __getitem__(self, name: str) -> Counter:
        """A counter by its name: ``PIN``, a key's."""
        return self._counters.setdefault(name, Counter())

    def lowered(self) -> list[str]:
        """The counters that a right proof would set back, by name."""
        return [name for name, one in self._counters.items() if one.lowered]

    # --- before a proof ----------------------------------------------------------------------------------------

    def check(self, proof: Proof, foreseen: Outcome | None, *, may_lock: bool) -> None:
        """Whether a proof may be sent; Missing, saying why not. ``foreseen``: what a sound card would make of it, None
        where nobody knows; ``may_lock``: the user has let the vector use the counter up.
        """
        for name in proof.counters:
            self._check(name, proof, foreseen, may_lock=may_lock)

    def _check(self, name: str, proof: Proof, foreseen: Outcome | None, *, may_lock: bool) -> None:
        one = self[name]
        if one.refused and proof.version not in one.proven:
            raise Missing(one.refused, _refused_cause(name))
        if one.locked_by is not None:
            if foreseen is Outcome.LOCKED or may_lock:
                return  # it costs nothing any more
            raise Missing(locked(name, one.locked_by), Cause.SPOILED if one.locked_by else Cause.LOCKED)
        proven = proof.version in one.proven
        if not proven and foreseen in (Outcome.TAKEN, None):
            self.check_note(name, proof.value or self._value(name, proof.version))
        if foreseen is Outcome.REFUSED and one.left is None and not one.proven and not proof.sealed:
            raise Missing(
                _("how many tries {name} has left is not known, as it was not proved before").format(name=called(name)),
                Cause.FEW_TRIES,
            )
        safe = may_lock or (proven and foreseen is Outcome.TAKEN)
        if one.left is not None and one.left < ENOUGH_TRIES and not safe:
            raise Missing(too_few(name, one.left), Cause.FEW_TRIES)

    def check_note(self, name: str, value: bytes) -> None:
        """Missing where an earlier run was refused this value. SpentError."""
        if self._note is None:
            return
        try:
            self._note.check(self._identification, name, value)
        except SpentKey as refused:
            self[name].refused = str(refused)
            raise Missing(str(refused), _refused_cause(name)) from None

    # --- after one ---------------------------------------------------------------------------------------------

    def took(self, proof: Proof, outcome: Outcome, left: int | None, foreseen: Outcome | None, vector: str) -> None:
        """Writes down what the card made of a proof. ``left``: the tries that it said are left; ``vector``: the id of
        the one that is played, empty where the proof was ours.
        """
        for name in proof.counters:
            self._took(name, proof, outcome, left, foreseen, vector)

    def _took(
        self, name: str, proof: Proof, outcome: Outcome, left: int | None, foreseen: Outcome | None, vector: str
    ) -> None:
        one = self[name]
        if outcome is Outcome.TAKEN:
            one.left = one.spent_by = None
            if foreseen is Outcome.TAKEN:
                one.proven.add(proof.version)
                if self._note is not None:
                    self._note.accepted(self._identification, name)
        elif outcome is Outcome.LOCKED:
            one.left = 0
            if one.locked_by is None:
                one.locked_by = one.spent_by or ""
        elif outcome is Outcome.REFUSED:
            one.left, one.spent_by = None if left == UNLIMITED else left, vector
            if one.left == 0:
                one.locked_by = vector
            if foreseen is Outcome.TAKEN or (foreseen is None and proof.version not in one.proven):
                self._refuse(name, proof, vector)

    def lost(self, proof: Proof) -> None:
        """No answer came: the card may have counted a failure all the same, so that what was not right before is not
        tried again, here or in another run. SpentError.
        """
        for name in proof.counters:
            one = self[name]
            if proof.version in one.proven:
                continue
            one.refused = _("no answer came to the proof of {name}: it is not tried again").format(name=name)
            if self._note is not None:
                value = proof.value or self._value(name, proof.version)
                self._note.note(self._identification, name, None, value, lost=True)

    def _refuse(self, name: str, proof: Proof, vector: str) -> None:
        """What should have been right was not: nothing more is tried with it, here or in another run."""
        one = self[name]
        if proof.version in one.proven:
            one.proven.discard(proof.version)
            one.refused = _("{name} was right before, and was refused in {vector}").format(
                name=called(name), vector=vector
            )
            return
        if name == PIN:
            whose = _("the PIN in $SSCARD_PIN is not the card's")
        else:
            version = f" {proof.version}" if proof.version != 1 else ""
            whose = _("the key {name}{version} of your file is not the card's").format(name=name, version=version)
        where = _(", as {vector} found").format(vector=vector) if vector else ""
        tries = _(": {left} tries left").format(left=one.left) if one.left is not None else ""
        one.refused = f"{whose}{where}{tries}"
        if self._note is not None:
            self._note.note(self._identification, name, one.left, proof.value or self._value(name, proof.version))

    def asked(self, left: int | None) -> None:
        """Writes down what the card says of the PIN when it is asked; a card on which asking costs a try is not asked
        again.
        """
        one = self[PIN]
        if left is None:
            return
        if one.left is not None and left < one.left:
            one.refused = _("asking for the PIN's tries cost this card one: it is not asked again")
            one.proven.clear()
        one.left = left
        if left == 0 and one.locked_by is None:
            one.locked_by = ""


def called(name: str) -> str:
    """Returns a counter's name in words."""
    return _("the card's PIN") if name == PIN else _("the key {name}").format(name=name)


def locked(name: str, by: str) -> str:
    """That a counter is used up, and by what."""
    if by:
        return _("{name} was locked by {vector}").format(name=name, vector=by)
    return _("{name} is locked on this card").format(name=called(name))


def too_few(name: str, left: int) -> str:
    """That a failure would leave no try."""
    return _("{name} has {left} tries left: too few to try one").format(name=called(name), left=left)


def changed(name: str, by: str) -> str:
    """That something serves nobody any more as it did, and since which vector."""
    return _("{name} was changed by {vector}").format(name=name, vector=by)


def _refused_cause(name: str) -> Cause:
    return Cause.PIN_REFUSED if name == PIN else Cause.KEY_REFUSED
