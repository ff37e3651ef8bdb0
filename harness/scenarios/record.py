"""What each step of a scenario came to and what it changed, written down while it is played, for reports."""

from __future__ import annotations

from collections.abc import Iterator

from emulator import changes as chips
from emulator.changes import ChangeKind
from emulator.filesystem.memory.cells import ACTIVATION, CARD_STATE, Activation, ApplicationLife, CardLife
from emulator.messages import _
from harness.scenarios import rows, words
from harness.scenarios.model import Scenario
from harness.scenarios.models import Step
from harness.scenarios.outcome import Snapshots
from harness.scenarios.stage import BLANK, Stage
from harness.verdicts.steps import Change, StepResult

IN_CARD = {
    ChangeKind.TRIES: ("tries left of {name}", "{name}剩余次数"),
    ChangeKind.STATE: ("state of {name}", "{name}状态"),
    ChangeKind.WRITTEN: ("{name} was written", "写入{name}"),
    ChangeKind.KEY: ("key {name} was changed", "密钥{name}变更"),
    ChangeKind.PIN: ("the PIN was changed", "密码变更"),
    ChangeKind.PURSE: ("the medical account was changed", "医保账户变更"),
    ChangeKind.DATA: ("data object {name} was written", "写入数据对象{name}"),
}
"""What changed in a card's memory, in English and Chinese; never a PIN, a key or a file's content."""


class Record:
    """One scenario's steps as they are played on a stage. ``cards``: what every card holds now, by its number."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        self._scenario, self._stage = scenario, stage
        self._rows = self._first_rows = self._read()
        self.cards: Snapshots = stage.pocket.snapshot()
        self._first_cards = self.cards
        self._told: list[StepResult] = []
        self._began = ""

    def begins(self, number: int) -> None:
        """A step begins: what goes over from now on is its own."""
        self._stage.log.step = number
        self._began = self._moment()

    def ended(self, step: Step, *, ok: bool | None, why: str = "") -> None:
        """A step came to this. ``ok``: None where this program failed."""
        before, cards = self._rows, self.cards
        self._rows, self.cards = self._read(), self._stage.pocket.snapshot()
        en, zh = words.of(step)
        self._told.append(
            StepResult(
                len(self._told) + 1, en, zh, ok, why, (self._began, self._moment()),
                tuple(rows.changes(before, self._rows)), tuple(self._in_cards(cards)),
            )
        )  # fmt: skip

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """Every step of the scenario, those after one that failed too: nobody judged them."""
        rest = self._scenario.steps[len(self._told) :]
        unjudged = (
            StepResult(number, *words.of(step), None, _("not reached: an earlier step failed"))
            for number, step in enumerate(rest, len(self._told) + 1)
        )
        return (*self._told, *unjudged)

    @property
    def register(self) -> tuple[Change, ...]:
        """What all steps together left changed in the register; the trail, which only grows, stands with the steps."""
        return tuple(rows.changes(self._first_rows, self._rows, trail=False))

    @property
    def in_cards(self) -> tuple[Change, ...]:
        """What all steps together left changed in cards."""
        return tuple(self._in_cards(self._first_cards))

    def _read(self) -> rows.Rows:
        with self._stage.register.transaction() as session:
            return rows.of(session)

    def _moment(self) -> str:
        return self._stage.clock.now().isoformat(timespec="seconds")

    def _in_cards(self, before: Snapshots) -> Iterator[Change]:
        names = {str(row["number"]): number for number, row in self._rows["card"].items()}
        for number, cells in self.cards.items():
            at = f"{names[number]}" if number in names else BLANK
            what, what_zh = (f"card {at}", f"卡 {at}") if number in names else ("blank chip", "空白卡")
            if number not in before:
                layout = self._stage.pocket.chips[number].image.layout
                yield Change(f"chip/{at}", what, what_zh, "", f"layout {layout.name}")
                continue
            for one in chips.of_memory(before[number], cells):
                en, zh = IN_CARD[one.kind]
                yield Change(
                    f"chip/{at}/{one.kind}/{one.name}".rstrip("/"), f"{what}: {en.format(name=one.name)}",
                    f"{what_zh}：{zh.format(name=one.name)}", _in_words(one, one.before), _in_words(one, one.after),
                )  # fmt: skip


def _in_words(change: chips.Change, value: str) -> str:
    """A state by its name; what else is told of a card's memory is a number, or nothing."""
    if change.kind is not ChangeKind.STATE or not value:
        return value
    kind = {CARD_STATE.name: CardLife, ACTIVATION.name: Activation}.get(change.name, ApplicationLife)
    return kind(int(value)).name.lower().replace("_", " ")
