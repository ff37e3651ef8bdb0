"""Power that goes at the k-th write from now, once, whichever command it comes in."""

from __future__ import annotations

from dataclasses import replace

from emulator.chip import Chip, Exchange, Inside, Interposer
from emulator.messages import _
from emulator.reader.slot import CardGone


class Tear:
    """Stands between a terminal and its chip until so many non-volatile writes are done; then power goes, the command
    is not answered, and the card leaves its reader and comes back. What stood there before is within it, and stands
    there again afterwards.
    """

    def __init__(self, chip: Chip, count: int) -> None:
        self._chip = chip
        self.left = count
        """Writes that are still done."""
        self.inner: Interposer | None = chip.interposer

    @staticmethod
    def of(chip: Chip) -> Tear | None:
        """The tear that waits in a chip."""
        return chip.interposer if isinstance(chip.interposer, Tear) else None

    @classmethod
    def on(cls, chip: Chip, count: int) -> None:
        """Has power go after so many writes. Between two commands of the chip, as all here."""
        chip.interposer = cls(chip, count)

    @classmethod
    def off(cls, chip: Chip) -> None:
        """It stays after all."""
        if (one := cls.of(chip)) is not None:
            chip.interposer = one.inner

    @classmethod
    def within(cls, chip: Chip, inner: Interposer | None) -> None:
        """What else stands between terminal and chip from now on, beside a tear that waits."""
        if (one := cls.of(chip)) is not None:
            one.inner = inner
        else:
            chip.interposer = inner

    def was_reset(self) -> None:
        """The chip was reset: writes are counted on."""
        if self.inner is not None:
            self.inner.was_reset()

    def answer(self, command: bytes, card: Inside) -> bytes:
        """The answer to a command, if power lasts. CardGone if it does not."""
        if self.inner is not None:
            return self.inner.answer(command, replace(card, execute=lambda raw, cut: self._execute(card, raw, cut)))
        try:
            own = self._execute(card, command, None)
        except CardGone as gone:
            card.tell(Exchange(command, b"", str(gone)))
            card.power_off()
            raise
        card.tell(own)
        return own.answer

    def _execute(self, card: Inside, command: bytes, cut_after: int | None) -> Exchange:
        """What the card makes of it, within the writes that are left; ``cut_after``: those that a fault leaves."""
        if cut_after is not None and cut_after < self.left:
            own = card.execute(command, cut_after)
            self.left -= own.writes
            return own
        own = card.execute(command, self.left)
        self.left -= own.writes
        if own.answer and self.left:
            return own
        self._chip.interposer = self.inner
        raise CardGone(_("power was cut at a write, as was asked for"))
