"""The PIN: every try is the cardholder's, and there are few."""

from __future__ import annotations

from emulator.apdu.command import MAC_SIZE, is_secured
from emulator.apdu.instructions.pin import RELOAD, ChangePin, PinChangeUnblock, Verify
from emulator.apdu.status import SW, is_retry, tries_told
from emulator.messages import _, deferred
from emulator.personas import PIN_CHANGED
from harness.monitor.rule import WARNING, Rule
from harness.monitor.rules.rights import READING, UPDATING, lacking
from harness.monitor.view import Step
from harness.trace.mask import INITIAL

TYPED = 1.0
"""Seconds in which nobody types a PIN. [D]"""
OWN_PIN = deferred("try it on persona {persona}, whose holder has set a PIN of their own")
"""What a finding of the initial PIN says besides: our other personas have it, and a right terminal stops there."""
BLOCKS = (8, 16)


def wrong(step: Step) -> bool:
    """A try was spent, and the card said how many are left."""
    return step.tries_pin and is_retry(step.sw)


def _reloads(step: Step) -> bool:
    """A new PIN goes to the card under secure messaging."""
    plain = step.command if step.kind is PinChangeUnblock else None
    return plain is not None and PinChangeUnblock.parse(plain).pin is not None


class Asked(Rule):
    """VERIFY without data tells how things stand, and costs nothing."""

    id = "PIN-ASKED"
    title = "The PIN's state is asked (VERIFY, Lc 00) before a PIN is tried"
    title_zh = "验证密码前先以Lc=00的VERIFY查询密码状态"
    source = "VERIFY with Lc=00 first [T: part7:5.6]"
    severity = WARNING
    _asked = False

    def step(self, step: Step) -> str | None:
        self._asked = self._asked or step.asks_pin
        if step.kind is not Verify or not step.data:
            return None
        self.seen = True
        asked, self._asked = self._asked, True  # its own answer tells as much
        return None if asked else _("VERIFY with a PIN, and its state was not asked since the reset")

    def reset(self) -> str | None:
        self._asked = False
        return None


class NoneSet(Rule):
    """Where there is no PIN none can be right."""

    id = "PIN-NONE-SET"
    title = "No PIN is tried on a card that has none set"
    title_zh = "未设置密码的卡不要求输入密码"
    source = "no PIN is asked where none is set [T: part7:5.6]"
    _none = False

    def step(self, step: Step) -> str | None:
        if step.asks_pin:
            self.seen = True
            self._none = step.sw == SW.OK
        return _("the card said that no PIN is set, and one was tried") if self._none and step.tries_pin else None

    def reset(self) -> str | None:
        self._none = False
        return None


class KnownWrong(Rule):
    """A PIN does not get right by being sent again."""

    id = "PIN-KNOWN-WRONG"
    title = "No try is spent on a PIN that this card has refused already"
    title_zh = "不把重试机会用在已被拒绝的密码上"
    source = "each wrong try brings the card nearer to being locked [D]"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._wrong: set[str] = set()

    def step(self, step: Step) -> str | None:
        if step.done and (step.kind is ChangePin or _reloads(step)):
            self._wrong.clear()  # there is a new PIN; without one what was wrong is wrong still
        if not step.tries_pin:
            return None
        self.seen = True
        if not step.pins:
            self.blind = _("the trace has no marks of PINs: it was not recorded by this program, or is of version 1")
            return None
        tried = step.pins[0]
        again = tried in self._wrong
        if wrong(step):
            self._wrong.add(tried)
        return (
            _("{name} with a PIN that was refused before ({sw:04X})").format(name=step.name, sw=step.sw)
            if again
            else None
        )


class Typed(Rule):
    """A PIN that the cardholder did not confirm is a guess."""

    id = "PIN-UNCONFIRMED"
    title = "After a wrong PIN the cardholder is asked: no other PIN comes sooner than one can be typed"
    title_zh = "密码错误后由持卡人重新输入，不得自动再试"
    source = f"sooner than {TYPED:g} s nobody has typed it [D]"
    _wrong: float | None = None

    def step(self, step: Step) -> str | None:
        if not step.tries_pin:
            return None
        self.seen = True
        before, self._wrong = self._wrong, step.event.t if wrong(step) else None
        if before is not None and step.event.t - before < TYPED:
            return _("{name} {passed:.0f} ms after a wrong one").format(
                name=step.name, passed=(step.event.t - before) * 1000
            )
        return None


class RefusalIgnored(Rule):
    """A try was spent, and nobody cared."""

    id = "PIN-REFUSAL-IGNORED"
    title = "A refused PIN is told to the cardholder: nothing is read or written as if it did not matter"
    title_zh = "密码被拒绝后应告知持卡人，不得若无其事地继续读写"
    source = f"each such reading spends a try; sooner than {TYPED:g} s nobody was told [D]"
    _refused: tuple[float, int] | None = None

    def step(self, step: Step) -> str | None:
        refused = self._refused
        if step.tries_pin:
            self.seen = True
            self._refused = (step.event.t, step.sw) if wrong(step) else None
            return None
        if refused is None or step.kind not in (*READING, *UPDATING) or lacking(step) is not None:
            return None
        self._refused = None  # once is enough
        passed = step.event.t - refused[0]
        if passed >= TYPED:
            return None
        then = _("{name} ({path}) followed {passed:.0f} ms later").format(
            name=step.name, path=step.path, passed=passed * 1000
        )
        return _("a PIN that nothing here needed was refused with {sw:04X}, and {then}").format(
            sw=refused[1], then=then
        )

    def reset(self) -> str | None:
        self._refused = None
        return None


class LastTry(Rule):
    """The last try locks the PIN."""

    id = "PIN-LAST-TRY"
    title = "VERIFY is not repeated blindly down to one try, nor the last try spent"
    title_zh = "不得盲目连续验证直至只剩一次机会，也不用掉最后一次机会"
    source = "63Cx tells the tries left [T: part5:6.14.5]; that a terminal stops before the last [D]"
    _left: int | None = None
    _wrong: float | None = None

    def step(self, step: Step) -> str | None:
        left, before = self._left, self._wrong
        if step.kind in (Verify, ChangePin) and is_retry(step.sw):
            self._left = tries_told(step.sw)
        elif (step.tries_pin or step.kind is PinChangeUnblock) and step.ok:
            self._left = None
        if not step.tries_pin:
            return None
        self.seen = True
        self._wrong = step.event.t if wrong(step) else None
        if not wrong(step):
            return None
        if left == 1:
            return _("one try was left, and it was spent")
        blindly = before is not None and step.event.t - before < TYPED
        return (
            _("{name} was repeated at once until one try was left").format(name=step.name)
            if blindly and self._left == 1
            else None
        )


class Locked(Rule):
    """A locked PIN can only be unblocked."""

    id = "PIN-LOCKED"
    title = "After 6983 no PIN is tried: it is to be unblocked first"
    title_zh = "返回6983后不再验证密码，应先解锁"
    source = "6983 [T: part5:6.14.5]"
    _locked = False

    def step(self, step: Step) -> str | None:
        if step.kind is PinChangeUnblock and step.ok:
            self._locked = False
        if step.kind not in (Verify, ChangePin):
            return None
        self.seen = True
        again = self._locked and step.tries_pin
        self._locked = self._locked or step.sw == SW.BLOCKED
        return _("{name}, and the card had said that the PIN is locked").format(name=step.name) if again else None


class Clear(Rule):
    """A new PIN goes enciphered."""

    id = "PIN-CLEAR"
    title = "A PIN is reloaded enciphered and with a MAC, never in clear"
    title_zh = "重置密码须以密文加MAC传送，不得明文"
    source = "PIN CHANGE/UNBLOCK, P2=01: data enciphered under the messaging key [S: part5:6.8, reference:card §7]"

    def step(self, step: Step) -> str | None:
        raw = step.event.command  # whatever its class: in another one than its own it would be in clear
        if len(raw) < 6 or not PinChangeUnblock.has_ins(raw) or raw[3] != RELOAD:
            return None
        self.seen = True
        body = raw[4] - MAC_SIZE
        if is_secured(raw) and body > 0 and any(body % size == 0 for size in BLOCKS):
            return None
        return _("PIN CHANGE/UNBLOCK with {length} bytes that are no cipher with a MAC ({sw:04X})").format(
            length=raw[4], sw=step.sw
        )


class Initial(Rule):
    """The initial PIN is everybody's."""

    id = "PIN-INITIAL"
    title = "With the initial PIN nothing is done but to change it"
    title_zh = "初始密码未修改前不得办理业务"
    source = "code -35: the initial PIN may not transact [S: reference:terminal Return codes]"
    _held = False

    def step(self, step: Step) -> str | None:
        if step.tries_pin:
            self.seen = True
            if not step.pins:
                self.blind = _("the trace has no marks of PINs")
            self._held = step.ok and step.pins[:1] == [INITIAL] and step.kind is Verify
            return None
        if self._held and step.acts and step.done and step.kind is not PinChangeUnblock:
            self._held = False  # once is enough
            return _("{name} after the initial PIN was accepted; {remedy}").format(
                name=step.name, remedy=_(OWN_PIN).format(persona=PIN_CHANGED)
            )
        return None

    def reset(self) -> str | None:
        self._held = False
        return None


class SetInitial(Rule):
    """Nor may it be chosen again."""

    id = "PIN-SET-INITIAL"
    title = "The initial PIN is not set again as the new one"
    title_zh = "新密码不得为初始密码"
    source = "code -36: the initial PIN may not be set [S: reference:terminal Return codes]"

    def step(self, step: Step) -> str | None:
        if step.kind not in (ChangePin, PinChangeUnblock) or not step.data:
            return None
        self.seen = True
        if not step.pins:
            self.blind = _("the trace has no marks of PINs")
        return _("the new PIN is the initial one") if step.done and step.pins[-1:] == [INITIAL] else None


class Unchanged(Rule):
    """A change changes."""

    id = "PIN-UNCHANGED"
    title = "A new PIN differs from the old one"
    title_zh = "新密码与旧密码不同"
    source = "a change to the same PIN changes nothing [D]"
    severity = WARNING

    def step(self, step: Step) -> str | None:
        if step.kind is not ChangePin:
            return None
        self.seen = True
        same = len(step.pins) == 2 and step.pins[0] == step.pins[1]
        return _("CHANGE PIN with the old PIN as the new one") if same else None


RULES = (Asked, NoneSet, KnownWrong, Typed, RefusalIgnored, LastTry, Locked, Clear, Initial, SetInitial, Unchanged)
