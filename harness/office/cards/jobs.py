"""What an operation writes on a chip. A job says from the chip alone how far it got, so that it can be taken up again
after a cut at any point; what it stores for that never holds a PIN.
"""

from __future__ import annotations

import contextlib
from enum import Enum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from emulator.apdu.status import SW
from emulator.errors import ErrorKind
from emulator.messages import _
from harness.keys.access import TerminalError
from harness.office.cards.in_reader import CardInReader
from harness.terminal import region as regions
from harness.terminal.terminal import Refused

ENVIRONMENT = "SSSE"


class Stage(Enum):
    """How far the chip is. ``UNKNOWN``: the chip cannot tell; doing it once more is right."""

    BEFORE = "before"
    BETWEEN = "between"
    AFTER = "after"
    UNKNOWN = "unknown"


class CannotUndo(TerminalError):
    """What was begun can only be finished."""

    kind = ErrorKind.REFUSED


class Base(BaseModel):
    """A job. ``needs_pin``: it must be given a PIN each time it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    needs_pin: ClassVar[bool] = False
    zh: ClassVar[str]
    en: ClassVar[str]

    def stage(self, card: CardInReader) -> Stage:
        """Returns how far the chip shows the work to be. TerminalError, PcscError."""
        raise NotImplementedError

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Does it, or what of it is not done yet. TerminalError, PcscError."""
        raise NotImplementedError

    def undo(self, card: CardInReader) -> None:
        """Makes the chip as it was, where nothing was done yet; CannotUndo."""
        if self.stage(card) is not Stage.BEFORE:
            raise CannotUndo(
                _("{zh}已开始，只能续办 {en} was begun and can only be finished").format(zh=self.zh, en=self.en)
            )


class TurnOn(Base):
    """启用."""

    kind: Literal["turn-on"] = "turn-on"
    zh, en = "启用", "activation"

    def stage(self, card: CardInReader) -> Stage:
        """A card that is not active answers no question about its PIN."""
        try:
            card.terminal.pin_state()
        except Refused as refused:
            if refused.sw == SW.CONDITIONS_NOT_SATISFIED:
                return Stage.BEFORE
            raise
        return Stage.AFTER

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Activates the card, unless it is active already."""
        del pin
        if self.stage(card) is Stage.BEFORE:
            card.terminal.activate()


class ReloadPin(Base):
    """密码重置."""

    kind: Literal["reload-pin"] = "reload-pin"
    needs_pin = True
    zh, en = "密码重置", "resetting the PIN"

    def stage(self, card: CardInReader) -> Stage:
        """Which PIN a card has, it tells nobody."""
        del card
        return Stage.UNKNOWN

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """PIN CHANGE/UNBLOCK with the new PIN; the same once more does no harm."""
        if pin is None:
            raise TerminalError(_("续办密码重置需重新输入新密码 resetting the PIN needs the new PIN once more"))
        card.terminal.reload_pin(pin.get_secret_value())


class UnblockPin(Base):
    """密码解锁: the tries set back."""

    kind: Literal["unblock-pin"] = "unblock-pin"
    zh, en = "密码解锁", "unblocking the PIN"

    def stage(self, card: CardInReader) -> Stage:
        """All tries are there, or not."""
        left = card.terminal.pin_state()
        return Stage.AFTER if left is None or left == card.terminal.layout.pin.tries else Stage.BEFORE

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Unblocks the PIN and leaves it as it is."""
        del pin
        card.terminal.unblock_pin()


class Item(BaseModel):
    """One item's old and new value."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str
    before: str
    after: str


class WriteItems(Base):
    """信息变更: items one after the other, each final when it is written."""

    kind: Literal["write-items"] = "write-items"
    items: tuple[Item, ...]
    zh, en = "写入数据项", "writing items"

    def _held(self, card: CardInReader) -> list[str]:
        return [str(card.terminal.read(one.path)) for one in self.items]

    def stage(self, card: CardInReader) -> Stage:
        """Returns how far the items are written, by reading them back."""
        held = self._held(card)
        if held == [one.after for one in self.items]:
            return Stage.AFTER
        return Stage.BEFORE if held == [one.before for one in self.items] else Stage.BETWEEN

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Writes what is not yet written, and reads back."""
        del pin
        self._put(card, [one.after for one in self.items])

    def undo(self, card: CardInReader) -> None:
        """Writes the values back that were there before."""
        self._put(card, [one.before for one in self.items])

    def _put(self, card: CardInReader, values: list[str]) -> None:
        for one, held, value in zip(self.items, self._held(card), values, strict=True):
            if held not in (one.before, one.after):
                raise TerminalError(
                    _("卡内{path}既非原值也非新值 {path} is neither the old value nor the new").format(path=one.path)
                )
            if held != value:
                card.terminal.update(one.path, value)
        if self._held(card) != values:
            raise TerminalError(_("写入后读回不一致 the card does not read back what was written"))


class MoveRegion(Base):
    """参保地转移 as notes of before 0003 have it: every insurance of the card from one region."""

    kind: Literal["move-region"] = "move-region"
    origin: str
    target: str
    zh, en = "参保地转移", "moving the insurance region"

    def stage(self, card: CardInReader) -> Stage:
        """Returns how far the region is moved, by reading every insurance's."""
        codes = {one.code for one in regions.read(card.terminal)}
        if codes == {self.target}:
            return Stage.AFTER
        return Stage.BEFORE if codes == {self.origin} else Stage.BETWEEN

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """As the reference terminal moves it; a move that a cut interrupted goes on."""
        del pin
        if self.stage(card) is not Stage.AFTER:
            regions.move(card.terminal, self.target, self.origin)

    def undo(self, card: CardInReader) -> None:
        """Moves back what has moved."""
        if self.stage(card) is not Stage.BEFORE:
            regions.move(card.terminal, self.origin, self.target)


class MoveInsurances(WriteItems):
    """参保地转移: the insurances that were named, all or none; what the card refuses in the middle is put back."""

    kind: Literal["move-insurances"] = "move-insurances"  # type: ignore[assignment]  # a job is told by its kind
    zh, en = "参保地转移", "moving the insurance region"

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Writes and reads back; after a refusal the old regions are written back, if the card still takes them."""
        try:
            super().run(card, pin)
        except Refused:
            with contextlib.suppress(TerminalError):
                card.terminal.begin()
                self.undo(card)
            raise


class BlockFunction(Base):
    """注销社保功能: the social security environment blocked for ever; the bank's application goes on."""

    kind: Literal["block-function"] = "block-function"
    zh, en = "锁定社保应用", "blocking the social security environment"

    def stage(self, card: CardInReader) -> Stage:
        """It tells when it is selected."""
        return Stage.AFTER if card.blocked else Stage.BEFORE

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Blocks the social security environment, unless it is blocked already."""
        del pin
        if self.stage(card) is Stage.BEFORE:
            card.terminal.block_application(ENVIRONMENT)


class BlockCard(Base):
    """锁卡."""

    kind: Literal["block-card"] = "block-card"
    zh, en = "锁卡", "blocking the card"

    def stage(self, card: CardInReader) -> Stage:
        """A blocked card answers nothing else. One whose environment is blocked cannot be blocked further."""
        return Stage.AFTER if card.blocked else Stage.BEFORE

    def run(self, card: CardInReader, pin: SecretStr | None) -> None:
        """Blocks the card, unless it is blocked already."""
        del pin
        if self.stage(card) is Stage.BEFORE:
            card.terminal.block_card()


Job = Annotated[
    TurnOn | ReloadPin | UnblockPin | WriteItems | MoveRegion | MoveInsurances | BlockFunction | BlockCard,
    Field(discriminator="kind"),
]
ADAPTER: TypeAdapter[Job] = TypeAdapter(Job)
