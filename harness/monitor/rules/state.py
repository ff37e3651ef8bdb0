"""Cards that are not to be served: expired, not activated, blocked, reported lost."""

from __future__ import annotations

from datetime import date

from emulator.apdu.instructions.issuing import Activate
from emulator.apdu.instructions.pin import ChangePin, Verify
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW
from emulator.filesystem.layouts import text
from emulator.messages import _
from harness.monitor.rule import WARNING, Rule
from harness.monitor.view import CardView, Step

ISSUER = "SSSE/EF05"
VALIDITY, NUMBER, IDENTIFICATION = 0x06, 0x07, 0x01


class _Issuer(Rule):
    """Hears what the card says of itself."""

    def heard(self, step: Step) -> dict[int, bytes]:
        """Values by tag, of an answer from the issuer's file."""
        file = step.place.file
        if step.kind is not ReadRecord or step.sw != SW.OK or file is None or file.path != ISSUER:
            return {}
        return {record[0]: record[2:] for record in step.records()}


class Expired(_Issuer):
    """An expired card serves nobody."""

    id = "STATE-EXPIRED"
    title = "No business is done with a card whose validity (item 06) has ended"
    title_zh = "卡已过有效期（06）不得办理业务"
    source = "expiry is checked [T: reference:terminal flow 7]"
    _ended: date | None = None

    def step(self, step: Step) -> str | None:
        if (value := self.heard(step).get(VALIDITY)) is not None:
            digits = value.hex()
            if step.event.masked:
                self.blind = _("the trace hides the validity: record it with --personal-data")
            try:
                end = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
            except ValueError:
                end = None
            self._ended = end if end is not None and end < self.situation.today else None
        if not step.acts or step.path == f"{ISSUER}/{VALIDITY:02X}":
            return None  # to prolong it is what an expired card may be used for
        self.seen = True
        return (
            _("{name}, and the card ended on {ended}").format(name=step.name, ended=self._ended)
            if self._ended and step.done
            else None
        )


class ExpiryUnread(_Issuer):
    """Who does not look does not know. Who writes the validity, be it at last, issues the card."""

    id = "STATE-EXPIRY-UNREAD"
    title = "The card's validity (item 06) is read before business is done"
    title_zh = "办理业务前读取卡的有效期（06）"
    source = "expiry is checked [T: reference:terminal flow 7]"
    severity = WARNING
    _known = False
    _deed = ""

    def step(self, step: Step) -> str | None:
        if f"{ISSUER}/{VALIDITY:02X}" in step.items():
            self._known = True
            self._deed = "" if step.acts else self._deed
        home = self.layout.pin.application
        inside = any(one.spec.id == home for one in step.place.directory.line())
        if not step.acts or not step.done or step.kind is Activate or not inside:
            return None  # what the card is for besides, certificates and the bank, has validities of its own
        self.seen = True
        if not self._known and not self._deed:
            self._deed = _("line {line}: {name} ({path})").format(line=step.event.line, name=step.name, path=step.path)
        return None

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        del view, powered, at
        deed, self._deed = self._deed, ""
        return _("{deed}, and item 06 had not been read").format(deed=deed) if deed else None


class Lost(_Issuer):
    """A card reported lost is to be kept from doing anything."""

    id = "STATE-LOST"
    title = "No business is done with a card that was reported lost (挂失)"
    title_zh = "已挂失的卡不得办理业务"
    source = (
        "a loss report takes effect at once [S: measures:article 18]; "
        "the terminal's black list [T: reference:terminal flow 7]"
    )
    _known = ""

    def step(self, step: Step) -> str | None:
        if not self.situation.lost:
            return None
        heard = self.heard(step)
        if heard and step.event.masked and not self._known:
            self.blind = _("the trace hides which card it was: record it with --personal-data")
        for tag, words in ((NUMBER, _text), (IDENTIFICATION, _hex)):
            if tag in heard and words(heard[tag]) in self.situation.lost:
                self._known = words(heard[tag])
        if not step.acts:
            return None
        self.seen = True
        return _("{name} on a card that was reported lost").format(name=step.name) if self._known else None


class NotActivated(Rule):
    """A card is activated before it serves."""

    id = "STATE-NOT-ACTIVATED"
    title = "After 6985 from a card that is not activated nothing is sent but its activation"
    title_zh = "社会保障功能未启用（6985）时，除启用外不得继续"
    source = "the social security function is turned on first [S: measures:article 13]; 6985 as its answer [D]"
    _refused = ""
    _blocked = False

    def step(self, step: Step) -> str | None:
        refused, self._refused = self._refused, ""
        if step.enters:
            self._blocked = step.sw == SW.APPLICATION_BLOCKED_TEMPORARILY  # where 6985 says that, and nothing else
        named = step.view.layout.activation
        if step.kind in (Select, GetResponse, Activate):
            self._refused = refused
            return None
        told = (
            step.sw == SW.CONDITIONS_NOT_SATISFIED and named is not None and step.kind in SERVING and not self._blocked
        )
        if told:
            self._refused = step.path if step.kind is ReadRecord else step.name
        self.seen = self.seen or told or step.acts
        return (
            _("{refused} was refused with 6985, and {name} ({path}) followed").format(
                refused=refused, name=step.name, path=step.path
            )
            if told and refused
            else None
        )

    def reset(self) -> str | None:
        self._refused = ""
        return None


SERVING = (ReadRecord, UpdateRecord, Verify, ChangePin)
"""What a card refuses with 6985 for want of its activation only; in the account that has other causes too."""


class CardBlocked(Rule):
    """A blocked card answers nothing else any more."""

    id = "STATE-CARD-BLOCKED"
    title = "A card that answers 6A81 to SELECT is blocked, and is left alone"
    title_zh = "选择返回6A81（卡已锁定）后不再操作"
    source = "CARD BLOCK: 6A81 ever after [T: part5:6.2, part7:13.1]"
    _blocked = False

    def step(self, step: Step) -> str | None:
        blocked, self._blocked = self._blocked, False
        if step.kind is Select:
            self.seen = True
            self._blocked = step.sw == SW.FUNCTION_NOT_SUPPORTED
        return _("the card is blocked (6A81), and was used on") if blocked else None

    def reset(self) -> str | None:
        self._blocked = False
        return None


class ApplicationBlocked(Rule):
    """A blocked application does nothing."""

    id = "STATE-APPLICATION-BLOCKED"
    title = "In an application that is blocked (9303, 6283) nothing is done but what unblocks it"
    title_zh = "应用已锁定（9303、6283）时，除解锁外不得操作"
    source = "APPLICATION BLOCK [T: part7:13.2]"
    _blocked = ""

    def step(self, step: Step) -> str | None:
        if step.enters:
            self.seen = True
            told = step.sw in (SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY)
            self._blocked = _("{path} answered {sw:04X}").format(path=step.path, sw=step.sw) if told else ""
            return None
        allowed = step.kind is None or step.kind.unblocks or step.kind.anywhere
        blocked = "" if allowed else self._blocked
        return _("{blocked}, and {name} followed").format(blocked=blocked, name=step.name) if blocked else None

    def reset(self) -> str | None:
        self._blocked = ""
        return None


def _text(value: bytes) -> str:
    return text.shown(text.decode(value.rstrip(b"\0")))


def _hex(value: bytes) -> str:
    return value.hex().upper()


RULES = (Expired, ExpiryUnread, Lost, NotActivated, CardBlocked, ApplicationBlocked)
