"""Sessions: selection after a reset, the environment first, what is left behind."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW
from emulator.security import PIN
from harness.monitor.rule import WARNING, Rule
from harness.monitor.session import Session, Step

IDLE = 30.0
"""Seconds that a card may be left alone with rights won. [D]"""


class Reselect(Rule):
    """A reset forgets the selection."""

    id = "SESSION-RESELECT"
    title = "After a reset a DF is selected before it is worked in"
    title_zh = "复位后先选择应用再操作"
    source = "ISO/IEC 7816-4: a reset makes the MF current [P]"

    def step(self, step: Step) -> str | None:
        self.seen = True
        if step.selected or step.kind in (None, Select, GetResponse, GetChallenge):
            return None
        return f"{step.name} without any SELECT since the reset"


class Environment(Rule):
    """The environment comes first."""

    id = "SESSION-ENVIRONMENT"
    title = "SSSE is selected before the applications in it"
    title_zh = "先选择社会保障系统环境，再选择其中的应用"
    source = "flows of the driver library: reset, then SELECT SSSE [S]"
    severity = WARNING
    _entered = False

    def step(self, step: Step) -> str | None:
        home = self.layout.pin.application
        if not step.enters or not step.ok:
            return None
        self.seen = True
        entered, self._entered = self._entered, self._entered or step.place.directory.spec.id == home
        inside = step.place.directory.spec.parent == home
        return f"{step.path} was selected, SSSE not since the reset" if inside and not entered else None

    def reset(self) -> str | None:
        self._entered = False
        return None


class RefusedSelect(Rule):
    """What was not selected cannot be worked in."""

    id = "SESSION-REFUSED-SELECT"
    title = "After a refused SELECT nothing is sent as if it had worked"
    title_zh = "选择被拒绝后，不得当作已选择而继续"
    source = "ISO/IEC 7816-4: a refused SELECT leaves the selection as it was [P]"
    _refused = ""

    def step(self, step: Step) -> str | None:
        if step.kind is Select:
            self.seen = True
            self._refused = "" if step.ok or not step.enters else f"{step.sw:04X}"
            return None
        refused, self._refused = self._refused, ""
        return f"SELECT was answered {refused}, and {step.name} followed" if refused else None

    def reset(self) -> str | None:
        self._refused = ""
        return None


class Version(Rule):
    """What kind of card it is."""

    id = "SESSION-VERSION"
    title = "The card's version (item 03) is read before keys are used"
    title_zh = "使用密钥前先读取规范版本（03）"
    source = "flow of reading basic information: EF05 01, 03, then authentication [S]"
    severity = WARNING
    _read = False

    def step(self, step: Step) -> str | None:
        if step.kind is ReadRecord and step.ok and any(record[0] == 0x03 for record in step.records()):
            self._read = self._read or step.path.startswith("SSSE/EF05")
        if step.kind is not ExternalAuthentication:
            return None
        self.seen = True
        return None if self._read else "EXTERNAL AUTHENTICATION, and the version was never read"


class RightsLeft(Rule):
    """A card with rights won must not be left to the next program."""

    id = "SESSION-RIGHTS-LEFT"
    title = "A card is reset or powered off when the work is done, not left with rights won"
    title_zh = "操作结束后复位或下电，不得让已取得权限的卡留在读卡器中"
    source = f"rights last until the reset; {IDLE:g} s alone are too long [D]"
    _last: float | None = None
    _held = frozenset[str]()

    def step(self, step: Step) -> str | None:
        last, held = self._last, self._held
        self._last, self._held = step.event.t, frozenset(step.session.rights)
        self.seen = self.seen or bool(self._held)
        if held and last is not None and step.event.t - last > IDLE:
            return f"{_words(held)} held for {step.event.t - last:.0f} s without a command"
        return None

    def reset(self) -> str | None:
        self._last, self._held = None, frozenset()
        return None

    def end(self, session: Session, *, powered: bool) -> str | None:
        left = powered and bool(session.rights)
        return f"the session ends with {_words(frozenset(session.rights))} held and the card powered" if left else None


class Malformed(Rule):
    """Commands that no card of this kind takes."""

    id = "SESSION-MALFORMED"
    title = "Every command is one that the card takes: class, instruction, parameters, length"
    title_zh = "每条命令的类别、指令、参数和长度均为卡所接受"
    source = "part 5, the commands' own clauses [T]"
    severity = WARNING

    def step(self, step: Step) -> str | None:
        self.seen = True
        if step.sw in (SW.WRONG_LENGTH, SW.WRONG_P1P2, SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED):
            return f"{step.event.told('command')[:10]} was answered {step.sw:04X}"
        return None


def _words(rights: frozenset[str]) -> str:
    return " and ".join("the PIN" if one == PIN else one for one in sorted(rights))


RULES = (Reselect, Environment, RefusedSelect, Version, RightsLeft, Malformed)
