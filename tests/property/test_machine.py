"""The chip against a small model of its own of PIN, keys, rights and life cycle, over thousands of random steps.

The model below shares no code and no data with the chip: its tables were typed from the card's description.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKINGS_CELL, tries_cell
from tests.kit.cards import HOME, Card, new_card
from tests.kit.sampled import DEEP

APPLICATIONS = ("MF", "SSSE", "DF01", "DF03", "DF04", "BANK")
SOCIAL = ("SSSE", "DF01", "DF03", "DF04")

IDS = {
    "SSSE": {0x04: "UKSSSE", 0x05: "BK", 0x06: "PUK", 0x0A: "RKSSSE"},
    "DF01": {0x83: "UK1DF01", 0x84: "UK2DF01", 0x85: "UK3DF01", 0x86: "UK4DF01", 0x87: "UK5DF01", 0x88: "RK1DF01",
             0x89: "UK6DF01", 0x8A: "UK7DF01", 0x8B: "UK8DF01", 0x8C: "UK9DF01", 0x8D: "UKADF01", 0x8E: "UKBDF01"},
    "DF03": {0x83: "LKDF03", 0x84: "RK1DF03", 0x85: "RK2DF03", 0x86: "UK1DF03", 0x87: "UK2DF03", 0x88: "UK3DF03",
             0x89: "UK4DF03", 0x8A: "UK5DF03", 0x8B: "UK6DF03", 0x8C: "UK7DF03", 0x8D: "UK8DF03"},
    "DF04": {0x83: "LKDF04", 0x84: "RK1DF04", 0x85: "UK1DF04", 0x86: "UK2DF04", 0x87: "DSK"},
}  # fmt: skip
NEVER_LOCK = {"BK", "LKDF03", "LKDF04"}
LOCK_KEY = {"DF03": "LKDF03", "DF04": "LKDF04"}
MESSAGING = {"SSSE": "STK", "DF01": "STKDF01", "DF03": "STKDF03", "DF04": "STKDF04"}

# Where, SFI, record, its bytes, another value for it, who may read (any of), who updates.
FILES: list[tuple[str, int, int, str, str, list[set[str]], str]] = [
    ("SSSE", 5, 6, "060420300914", "060420991231", [set()], "UKSSSE"),
    ("SSSE", 6, 4, "0A0131", "0A0132", [set()], "UKSSSE"),
    ("DF01", 5, 1, "20023531", "20023131", [{"PIN"}, {"RK1DF01"}], "UK1DF01"),
    ("DF01", 6, 2, "2403510100", "2403510700", [{"PIN"}, {"RK1DF01"}], "UK4DF01"),
    ("DF03", 5, 1, "6103510100", "6103510700", [{"PIN"}, {"RK2DF03"}], "UK1DF03"),
    ("DF03", 7, 2, "7103510100", "7103510700", [{"PIN"}, {"RK1DF03"}], "UK3DF03"),
    ("DF04", 5, 2, "8403510100", "8403510700", [{"PIN"}, {"RK1DF04"}], "UK1DF04"),
    ("DF04", 6, 1, "900130", "900131", [{"PIN", "RK1DF04"}], "UK2DF04"),
]
files = st.sampled_from(range(len(FILES)))
keys = st.sampled_from([(home, number) for home, table in IDS.items() for number in table])


@dataclass
class Model:
    """What a card remembers, and what it answers."""

    pin: str = "123456"
    pin_tries: int = 3
    unblockings: int = 3
    tries: dict[str, int] = field(default_factory=dict)
    rights: set[str] = field(default_factory=set)
    here: str = "MF"
    challenge: bool = False
    active: bool = False
    blocked: set[str] = field(default_factory=set)
    dead: bool = False
    swapped: set[int] = field(default_factory=set)

    def left(self, key: str) -> int:
        return self.tries.get(key, 3)

    def lies_blocked(self, application: str) -> bool:
        return application in self.blocked or (application in SOCIAL and "SSSE" in self.blocked)

    def forget(self) -> None:
        self.rights, self.here, self.challenge = set(), "MF", False

    def drop_keys(self) -> None:
        self.rights &= {"PIN"}
        self.challenge = False

    def state(self, *, pin: bool = False) -> str:
        """The refusal that comes before anything else, or nothing. ``pin``: a command about the PIN."""
        if self.dead:
            return "6A81"
        if self.lies_blocked(self.here):
            return "9303"
        if not self.active and (self.here in SOCIAL[1:] or (pin and self.here == "SSSE")):
            return "6985"
        return ""

    def compare(self, pin: str) -> str:
        if self.pin_tries == 0:
            self.rights.discard("PIN")
            return "6983"
        if pin != self.pin:
            self.pin_tries -= 1
            self.rights.discard("PIN")
            return f"63C{self.pin_tries}"
        self.pin_tries = 3
        return "9000"

    def sealed(self, *, wrong: bool) -> str:
        """A MAC: whether it is looked at, and what a wrong one costs, which is no key's try."""
        if not self.challenge:
            return "6984"
        self.challenge = False
        if wrong:
            self.drop_keys()
            return "6988"
        return "9000"


class Machine(RuleBasedStateMachine):
    """Drives both, and holds every status word of the one against the other's."""

    card: Card
    model: Model
    challenge: bytes

    @initialize(algorithm=st.sampled_from(["3des", "sm4"]), active=st.booleans())
    def begin(self, algorithm: str, active: bool) -> None:
        self.card = new_card("2.00" if algorithm == "3des" else "3.00", algorithm, "not-activated")
        self.model = Model()
        self.challenge = bytes(8)
        self.files = list(FILES)
        if algorithm == "sm4":
            # 3.00 reads SSSE/EF06 under RKSSSE.
            self.files[1] = (*FILES[1][:5], [{"RKSSSE"}], FILES[1][6])
        if active:
            self.select("SSSE")
            self.ask_challenge()
            self.authenticate(("SSSE", 0x04), False)
            self.activate()

    def expect(self, command: str, sw: str) -> None:
        assert self.card.sw(command) == sw, command

    @rule(application=st.sampled_from(APPLICATIONS))
    def select(self, application: str) -> None:
        answer = self.card.sw(HOME[application])
        model = self.model
        if model.dead:
            assert answer == "6A81"
            return
        if model.lies_blocked(application):
            assert answer == "9303"
        else:
            assert answer[:2] == "61" or (application == "MF" and answer == "9000")
        if application != model.here:  # a blocked one is current too
            model.drop_keys()
        model.here = application

    @rule()
    def ask_challenge(self) -> None:
        refusal = self.model.state()
        if refusal:
            self.expect("0084000008", refusal)
            return
        self.challenge = bytes.fromhex(self.card.ok("0084000008"))
        self.model.challenge = True

    def process_key(self, key: str) -> bytes:
        return self.card.suite.process_key(self.card.key(key), self.challenge)

    @rule(key=keys, wrong=st.booleans())
    def authenticate(self, key: tuple[str, int], wrong: bool) -> None:
        home, number = key
        model, data = self.model, bytes(range(8))
        claimed = IDS[home][number]
        proof = bytearray(self.card.suite.cryptogram(self.process_key(claimed), data))
        proof[0] ^= wrong
        meant = IDS.get(model.here, {}).get(number)
        if meant is None and number < 0x80 and model.here in SOCIAL:
            meant = IDS["SSSE"].get(number)
        expected = model.state()
        if not expected and meant is None:
            expected = "6A88"
        if not expected:
            assert meant is not None
            expected = self.prove(meant, wrong or meant != claimed)
        self.expect(f"008200{number:02X}10{bytes(proof).hex()}{data.hex()}", expected)

    def prove(self, key: str, wrong: bool) -> str:
        model = self.model
        if (key not in NEVER_LOCK and model.left(key) == 0) or (key == "PUK" and not model.unblockings):
            return "6983"
        if not model.challenge:
            return "6984"
        model.challenge = False
        if wrong:
            if key in NEVER_LOCK:
                return "63CF"
            model.tries[key] = model.left(key) - 1
            return f"63C{model.tries[key]}"
        model.tries[key] = 3
        model.rights.add(key)
        return "9000"

    @rule(pin=st.sampled_from(["123456", "654321", "000000"]))
    def verify(self, pin: str) -> None:
        model = self.model
        expected = model.state(pin=True) or ("" if model.here in SOCIAL else "6A88")
        if not expected:
            expected = model.compare(pin)
            if expected == "9000":
                model.rights.add("PIN")
        self.expect(f"0020000003{pin}", expected)

    @rule()
    def ask_tries(self) -> None:
        model = self.model
        expected = model.state(pin=True) or ("" if model.here in SOCIAL else "6A88")
        self.expect("0020000000", expected or (f"63C{model.pin_tries}" if model.pin_tries else "6983"))

    @rule(old=st.sampled_from(["123456", "654321"]), new=st.sampled_from(["123456", "654321"]))
    def change(self, old: str, new: str) -> None:
        model = self.model
        expected = model.state(pin=True) or ("" if model.here in SOCIAL else "6A88")
        if not expected:
            expected = model.compare(old)
            if expected == "9000":
                model.pin = new
        self.expect(f"805E010007{old}FF{new}", expected)

    def mac(self, header: str, body: bytes, key: str, wrong: bool) -> str:
        head = bytes.fromhex(header) + bytes((len(body) + 4,))
        mac = bytearray(self.card.suite.mac(self.process_key(key), head + body))
        mac[0] ^= wrong
        return (head + body + bytes(mac)).hex()

    @rule(new=st.sampled_from([None, "654321"]), wrong=st.booleans())
    def reload(self, new: str | None, wrong: bool) -> None:
        model = self.model
        body = self.card.suite.encipher(self.process_key("STK"), bytes.fromhex(new)) if new else b""
        command = self.mac(f"842400{'01' if new else '00'}", body, "STK", wrong)
        expected = model.state(pin=True) or ("" if model.here in SOCIAL else "6A88")
        if not expected and "PUK" not in model.rights:
            expected = "6982"
        if not expected and not model.unblockings:
            expected = "6983"
        if not expected:
            expected = model.sealed(wrong=wrong)
            if expected == "6988":
                model.unblockings -= 1
            if expected == "9000":
                model.pin_tries, model.unblockings, model.pin = 3, 3, new or model.pin
        self.expect(command, expected)

    @rule(number=files)
    def read(self, number: int) -> None:
        home, sfi, record, old, new, readers, _ = self.files[number]
        model = self.model
        if model.here != home:
            return
        expected = model.state() or ("" if any(one <= model.rights for one in readers) else "6982")
        answer = self.card.send(f"00B2{record:02X}{sfi << 3 | 4:02X}{len(old) // 2:02X}")
        assert answer == (expected or (new if number in model.swapped else old) + "9000")

    @rule(number=files, back=st.booleans())
    def update(self, number: int, back: bool) -> None:
        home, sfi, record, old, new, _, key = self.files[number]
        model = self.model
        if model.here != home:
            return
        expected = model.state() or ("9000" if key in model.rights else "6982")
        self.expect(f"00DC{record:02X}{sfi << 3 | 4:02X}{len(old) // 2:02X}{old if back else new}", expected)
        if expected == "9000":
            (model.swapped.discard if back else model.swapped.add)(number)

    @rule(number=files, wrong=st.booleans(), cla=st.sampled_from(["04", "84"]))
    def update_secured(self, number: int, wrong: bool, cla: str) -> None:
        home, sfi, record, _, new, _, key = self.files[number]
        model = self.model
        if model.here != home:
            return
        command = self.mac(f"{cla}DC{record:02X}{sfi << 3 | 4:02X}", bytes.fromhex(new), MESSAGING[home], wrong)
        expected = model.state() or ("" if key in model.rights else "6982")
        expected = expected or model.sealed(wrong=wrong)
        self.expect(command, expected)
        if expected == "9000":
            model.swapped.add(number)

    @rule()
    def activate(self) -> None:
        model = self.model
        expected = model.state() or ("" if model.here == "SSSE" else "6985")
        if not expected and "UKSSSE" not in model.rights:
            expected = "6982"
        if not expected and model.active:
            expected = "6985"
        self.expect("8044000000", expected or "9000")
        model.active = model.active or not expected

    @precondition(lambda self: self.model.active)
    @rule(wrong=st.booleans())
    def block_application(self, wrong: bool) -> None:
        model = self.model
        key = MESSAGING.get(model.here, "STK")
        command = self.mac("841E0001", b"", key, wrong)
        if not model.dead and model.lies_blocked(model.here):
            self.expect(command, "9000")  # done already
            return
        expected = model.state() or ("" if model.here in SOCIAL else "6A88")
        if not expected and LOCK_KEY.get(model.here, "") not in {*model.rights, ""}:
            expected = "6982"
        if not expected:
            expected = model.sealed(wrong=wrong)
            if expected == "9000":
                model.blocked.add(model.here)
        self.expect(command, expected)

    @precondition(lambda self: "BK" in self.model.rights)
    @rule(wrong=st.booleans())
    def block_card(self, wrong: bool) -> None:
        model = self.model
        key = MESSAGING.get(model.here, "STK")
        command = self.mac("84160000", b"", key, wrong)
        expected = model.state() or model.sealed(wrong=wrong)
        self.expect(command, expected)
        model.dead = model.dead or expected == "9000"

    @rule(power=st.booleans())
    def reset(self, power: bool) -> None:
        if power:
            self.card.chip.power_off()
            self.card.chip.power_on()
        else:
            self.card.chip.reset()
        self.model.forget()

    @invariant()
    def memory_agrees(self) -> None:
        memory, model = self.card.chip.image.memory, self.model
        assert memory.text(PIN_CELL) == model.pin
        assert memory.counter(tries_cell("PIN")) == model.pin_tries
        assert memory.counter(UNBLOCKINGS_CELL) == model.unblockings
        for name in [*MESSAGING.values(), *(name for table in IDS.values() for name in table.values())]:
            if name not in NEVER_LOCK:
                assert memory.counter(tries_cell(name)) == model.left(name), name


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=3_000 if DEEP else 300, stateful_step_count=100 if DEEP else 60, deadline=None, derandomize=not DEEP
)
