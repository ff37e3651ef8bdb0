"""The chip against the campaign's model of PIN, keys, rights and life cycle, over thousands of random steps.

The model shares no code and no data with the chip: its tables were typed from the card's description. Here hypothesis
leads both, so that what fails comes small.
"""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKINGS_CELL, tries_cell
from harness.campaign import statement
from harness.campaign.deeds import Challenge, Deed, Prove, Reset, Seal, Send
from harness.campaign.model import Model
from harness.campaign.session import HOLDER, INACTIVE, Kind, Session
from tests.kit.sampled import DEEP

numbers = st.sampled_from(range(len(statement.RECORDS["3.00"])))
keys = st.sampled_from([(number, name) for table in statement.KEYS.values() for number, name in table.items()])
pins = st.sampled_from(["123456", "654321", "000000"])


class Machine(RuleBasedStateMachine):
    """Drives both, and has the model judge every answer."""

    session: Session
    model: Model

    @initialize(
        kind=st.sampled_from([("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]),
        active=st.booleans(),
        seed=st.integers(0, 255),
    )
    def begin(self, kind: tuple[str, str], active: bool, seed: int) -> None:
        self.session = Session(Kind(*kind, HOLDER if active else INACTIVE), random.Random(seed))
        assert self.session.model is not None
        self.model = self.session.model

    def do(self, deed: Deed) -> None:
        assert self.session.do(deed) is None, deed
        assert not self.model.unsure, "nothing is done here but what the model tells of"

    @rule(application=st.sampled_from(sorted(statement.SELECT)))
    def select(self, application: str) -> None:
        self.do(Send(bytes.fromhex(statement.SELECT[application])))

    @rule()
    def ask_challenge(self) -> None:
        self.do(Challenge())

    @rule(key=keys, wrong=st.booleans())
    def authenticate(self, key: tuple[int, str], wrong: bool) -> None:
        number, name = key
        if name in self.session.terminal.keys:
            self.do(Prove(name, number, wrong=wrong))

    @rule(key=keys)
    def authenticate_at_once(self, key: tuple[int, str]) -> None:
        self.ask_challenge()
        self.authenticate(key, False)

    @rule(pin=pins)
    def verify(self, pin: str) -> None:
        self.do(Send(bytes.fromhex(f"0020000003{pin}")))

    @rule()
    def ask_tries(self) -> None:
        self.do(Send(bytes.fromhex("0020000000")))

    @rule(old=pins, new=pins)
    def change(self, old: str, new: str) -> None:
        self.do(Send(bytes.fromhex(f"805E010007{old}FF{new}")))

    @rule(new=st.sampled_from([None, "654321"]), wrong=st.booleans())
    def reload(self, new: str | None, wrong: bool) -> None:
        header, data = ("84240001", bytes.fromhex(new)) if new else ("84240000", b"")
        self.do(Seal(bytes.fromhex(header), data, "STK", cipher=bool(new), wrong=wrong))

    @rule(number=numbers)
    def read(self, number: int) -> None:
        record = self.model.records[number]
        if record.home == self.model.here:
            self.do(Send(record.read()))

    @rule(number=numbers, back=st.booleans())
    def update(self, number: int, back: bool) -> None:
        record = self.model.records[number]
        if record.home == self.model.here:
            self.do(Send(record.update(record.value if back else record.other)))

    @rule(number=numbers, wrong=st.booleans(), cla=st.sampled_from([0x04, 0x84]))
    def update_secured(self, number: int, wrong: bool, cla: int) -> None:
        record = self.model.records[number]
        if record.home == self.model.here:
            self.do(Seal(record.header(cla), record.other, statement.MESSAGING[record.home], wrong=wrong))

    @rule()
    def activate(self) -> None:
        self.do(Send(bytes.fromhex("8044000000")))

    @precondition(lambda self: self.model.active)
    @rule(wrong=st.booleans())
    def block_application(self, wrong: bool) -> None:
        key = statement.MESSAGING.get(self.model.here, "STK")
        self.do(Seal(bytes.fromhex("841E0001"), b"", key, wrong=wrong))

    @precondition(lambda self: "BK" in self.model.rights)
    @rule(wrong=st.booleans())
    def block_card(self, wrong: bool) -> None:
        key = statement.MESSAGING.get(self.model.here, "STK")
        self.do(Seal(bytes.fromhex("84160000"), b"", key, wrong=wrong))

    @rule(cold=st.booleans())
    def reset(self, cold: bool) -> None:
        self.do(Reset(cold))

    @invariant()
    def memory_agrees(self) -> None:
        memory, model = self.session.chip.image.memory, self.model
        assert memory.text(PIN_CELL) == model.pin
        assert memory.counter(tries_cell("PIN")) == model.pin_tries
        assert memory.counter(UNBLOCKINGS_CELL) == model.unblockings
        for table in statement.KEYS.values():
            for name in table.values():
                if name not in statement.NEVER_LOCK and name in self.session.terminal.keys:
                    assert memory.counter(tries_cell(name)) == model.left(name), name


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=3_000 if DEEP else 180, stateful_step_count=100 if DEEP else 60, deadline=None, derandomize=not DEEP
)
