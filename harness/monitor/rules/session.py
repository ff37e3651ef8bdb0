"""Sessions: selection after a reset, the environment first, what is left behind."""

from __future__ import annotations

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import ANY, EF, Select
from emulator.apdu.instructions.touched import FileNamed
from emulator.apdu.status import SW
from emulator.filesystem.layouts.specs import KeySpec
from emulator.filesystem.layouts.terms import KeyUse
from emulator.messages import _
from emulator.security import PIN, names_in
from harness.monitor.rule import WARNING, Rule
from harness.monitor.rules.rights import needed
from harness.monitor.view import CardView, Step

ISSUER, VERSION = "SSSE/EF05", "SSSE/EF05/03"
DF_IDS = (0xDF, 0xDD, 0x3F)
"""First bytes of the ids of DFs, of the environment, and of the MF. [S: v2:table 2, prog-cardissue, reference:field]"""
IDLE = 30.0
"""Seconds that a card may be left alone with rights won. [D]"""


class Reselect(Rule):
    """A reset forgets the selection."""

    id = "SESSION-RESELECT"
    title = "After a reset a DF is selected before it is worked in"
    title_zh = "复位后先选择应用再操作"
    source = "a reset makes the MF current [P: iso7816-4]"

    def step(self, step: Step) -> str | None:
        self.seen = True
        if step.selected or step.kind in (None, Select, GetResponse, GetChallenge):
            return None
        return _("{name} without any SELECT since the reset").format(name=step.name)


class Environment(Rule):
    """The environment comes first."""

    id = "SESSION-ENVIRONMENT"
    title = "SSSE is selected before the applications in it"
    title_zh = "先选择社会保障系统环境，再选择其中的应用"
    source = "reset, then SELECT SSSE [S: prog-decard, prog-z390]"
    severity = WARNING
    _entered = False

    def step(self, step: Step) -> str | None:
        home = self.layout.pin.application
        if not step.enters or not step.ok:
            return None
        self.seen = True
        entered, self._entered = self._entered, self._entered or step.place.directory.spec.id == home
        inside = step.place.directory.spec.parent == home
        return (
            _("{path} was selected, SSSE not since the reset").format(path=step.path)
            if inside and not entered
            else None
        )

    def reset(self) -> str | None:
        self._entered = False
        return None


class RefusedSelect(Rule):
    """What was not selected cannot be worked in."""

    id = "SESSION-REFUSED-SELECT"
    title = "After a refused SELECT nothing is sent as if it had worked"
    title_zh = "选择被拒绝后，不得当作已选择而继续"
    source = "a refused SELECT leaves the selection as it was [P: iso7816-4]"
    _refused = ""
    _file = False
    """It was an EF's: only what goes to the current EF takes it for selected."""

    def step(self, step: Step) -> str | None:
        if step.kind is Select:
            self.seen = True
            self._refused = "" if step.ok else f"{step.sw:04X}"
            self._file = step.command is not None and _selects_file(step.command)
            return None
        if self._file and not _current_file(step):
            return None
        refused, self._refused = self._refused, ""
        return (
            _("SELECT was answered {refused}, and {name} followed").format(refused=refused, name=step.name)
            if refused
            else None
        )

    def reset(self) -> str | None:
        self._refused = ""
        return None


class Version(Rule):
    """What kind of card it is. Who issues cards writes it: in the issuer's own file nobody is asked for it."""

    id = "SESSION-VERSION"
    title = "The card's version (item 03) is read before a key is relied on"
    title_zh = "依靠密钥读写前先读取规范版本（03）"
    source = "EF05 01, 03, then authentication [S: prog-z390, reference:terminal flow 1]; what relies on a key [D]"
    severity = WARNING
    _known = False

    def step(self, step: Step) -> str | None:
        self._known = self._known or VERSION in step.items()
        proved = step.kind is ExternalAuthentication
        self.seen = self.seen or proved
        if self._known or step.path.startswith(ISSUER):
            return None
        if proved and not step.ok and not step.unanswered:
            self._known = True  # once is enough
            return _("EXTERNAL AUTHENTICATION was refused with {sw:04X}, and the version was never read").format(
                sw=step.sw
            )
        if (keys := _relied_on(step)) and step.done:
            self._known = True
            return _("{name} ({path}) under {rights}, and the version was never read").format(
                name=step.name, path=step.path, rights=_words(keys)
            )
        return None


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
        self._last, self._held = step.event.t, frozenset(step.view.rights)
        self.seen = self.seen or bool(self._held)
        if held and last is not None and step.event.t - last > IDLE:
            return _("{rights} held for {seconds:.0f} s without a command").format(
                rights=_words(held), seconds=step.event.t - last
            )
        return None

    def reset(self) -> str | None:
        self._last, self._held = None, frozenset()
        return None

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        # That a trace ends tells nothing of what the terminal did next; that it went on elsewhere for long does.
        last, held = self._last, frozenset(view.rights)
        if not powered or not held or last is None or at - last <= IDLE:
            return None
        return _("{rights} held for {seconds:.0f} s without a command, when the trace ends").format(
            rights=_words(held), seconds=at - last
        )


class Malformed(Rule):
    """Commands that no card of this kind takes."""

    id = "SESSION-MALFORMED"
    title = "Every command is one that the card takes: class, instruction, parameters, length"
    title_zh = "每条命令的类别、指令、参数和长度均为卡所接受"
    source = "the commands' own clauses [T: part5:6, part5:7]"
    severity = WARNING

    def step(self, step: Step) -> str | None:
        self.seen = True
        if step.sw in (SW.WRONG_LENGTH, SW.WRONG_P1P2, SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED):
            return _("{command} was answered {sw:04X}").format(command=step.event.told("command")[:10], sw=step.sw)
        return None


def _selects_file(command: CommandAPDU) -> bool:
    """True for a SELECT by an id that is no DF's: DFs of this family have DFxx, DDFx, and 3F00.
    [S: v2:table 2, prog-cardissue, reference:field]
    """
    named = Select.parse(command)
    by_id = named.by in (ANY, EF) and len(named.target) == 2
    return by_id and (named.by == EF or named.target[0] not in DF_IDS)


def _current_file(step: Step) -> bool:
    """It goes to the EF that is current, not to one that it names itself."""
    named = step.kind.touches(step.command) if step.kind is not None and step.command is not None else None
    return isinstance(named, FileNamed) and not named.sfi


def _relied_on(step: Step) -> frozenset[str]:
    """The keys, no PINs, without whose rights the command would have been refused."""
    condition = needed(step)
    if condition is None or step.view.may(condition, step.rights & {PIN}):
        return frozenset()
    keys = step.view.layout.keys
    return frozenset(name for name in names_in(condition) if name in step.rights and not _a_pin(keys.get(name)))


def _a_pin(key: KeySpec | None) -> bool:
    """The cardholder's PIN is one, and so are the certificate application's, which stand among the keys."""
    return key is None or key.use is KeyUse.PIN


def _words(rights: frozenset[str]) -> str:
    return _(" and ").join(_("the PIN") if one == PIN else one for one in sorted(rights))


RULES = (Reselect, Environment, RefusedSelect, Version, RightsLeft, Malformed)
