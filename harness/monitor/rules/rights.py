"""Rights: won before they are needed, refusals taken seriously."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW
from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import Messaging
from emulator.messages import _, deferred
from emulator.security import PIN, Condition, names_in
from harness.monitor.rule import WARNING, Rule
from harness.monitor.view import Step

READING, UPDATING = (ReadRecord, ReadBinary), (UpdateRecord, UpdateBinary)


def lacking(step: Step) -> Condition | None:
    """The condition that a command needs and the session does not meet; None if all is well."""
    condition = needed(step)
    if condition is None or step.view.may(condition, step.rights):
        return None
    # Regions choose conditions of their own: where the layout is a guess the card's word goes before it.
    return None if step.ok and not step.view.named else condition


def needed(step: Step) -> Condition | None:
    """The condition that a command is under; None if it is under none."""
    return _of_file(step) if step.kind in (*READING, *UPDATING) else _of_command(step)


def _of_file(step: Step) -> Condition | None:
    file = step.place.file
    if file is None:
        return None
    return file.read if step.kind in READING else file.update


def _of_command(step: Step) -> Condition | None:
    return step.kind.condition(step.view.layout, step.place.directory.spec) if step.kind is not None else None


def _refused(step: Step, condition: Condition) -> list[str]:
    """The rights of a condition whose proof the card refused in this session."""
    return [name for name in names_in(condition) if name in step.refused]


class _Access(Rule):
    kinds: tuple[type, ...] = ()
    deed = ""

    def step(self, step: Step) -> str | None:
        if step.kind not in self.kinds or step.place.file is None:
            return None
        self.seen = True
        condition = lacking(step)
        if condition is None or str(condition) == "never" or _refused(step, condition):
            return None
        return _("{deed} {path} needs {condition}, which was not won ({sw:04X})").format(
            deed=_(self.deed), path=step.path, condition=condition, sw=step.sw
        )


class ReadFirst(_Access):
    """Reading what is protected."""

    id = "RIGHTS-READ"
    title = "A record is read after the authentication that it needs"
    title_zh = "先完成所需的认证再读取记录"
    source = "access conditions of the layout [S: v2:tables 3-8, reference:layouts.json]"
    kinds = READING
    deed = deferred("reading")


class UpdateFirst(_Access):
    """Writing what is protected."""

    id = "RIGHTS-UPDATE"
    title = "A record is written after the authentication that it needs"
    title_zh = "先完成所需的认证再写入记录"
    source = "access conditions of the layout [S: v2:tables 3-8, reference:layouts.json]"
    kinds = UPDATING
    deed = deferred("writing")


class CommandFirst(Rule):
    """Commands that are protected themselves: PIN reloading, blocking, activation, the account, certificates."""

    id = "RIGHTS-COMMAND"
    title = "A command that asks for a right is sent after the authentication that gives it"
    title_zh = "先完成所需的认证再发送要求该权限的命令（重装密码、锁定、启用、账户、证书）"
    source = (
        "PIN CHANGE/UNBLOCK after PUK [S: part6:table 3, reference:card §5]; "
        "blocking [T: part7:13.1, part7:13.2]; "
        "activation, the account and certificates as the layout says [D]"
    )

    def step(self, step: Step) -> str | None:
        if _of_command(step) is None:
            return None
        self.seen = True
        condition = lacking(step)
        if condition is None or str(condition) == "never" or _refused(step, condition):
            return None
        return _("{name} needs {condition}, which was not won ({sw:04X})").format(
            name=step.name, condition=condition, sw=step.sw
        )


class AfterRefusal(Rule):
    """An authentication that failed has won nothing."""

    id = "RIGHTS-IGNORED"
    title = "After a refused authentication or PIN nothing is done that needed it"
    title_zh = "认证或密码验证失败后，不得继续需要该权限的操作"
    source = "63Cx and 6983 [T: part7:6.6]"

    def step(self, step: Step) -> str | None:
        self.seen = self.seen or bool(step.view.refused)
        condition = lacking(step)
        told = _refused(step, condition) if condition else []
        if not told:
            return None
        name = told[0]
        what = _("the PIN") if name == PIN else name
        then = (
            _("{path} was accessed").format(path=step.path)
            if step.kind in (*READING, *UPDATING)
            else _("{name} was sent").format(name=step.name)
        )
        return _("{what} was refused with {sw:04X}, and {then} all the same").format(
            what=what, sw=step.refused[name], then=then
        )


class Insisting(Rule):
    """What was refused for want of a right is refused again."""

    id = "RIGHTS-INSISTED"
    title = "A command refused with 6982 is not sent again with no new right won"
    title_zh = "未取得新权限时，不重发被6982拒绝的命令"
    source = "6982 [T: part5:table 5]; that sending it again is a fault [D]"
    severity = WARNING
    _refused: tuple[bytes, frozenset[str]] | None = None

    def step(self, step: Step) -> str | None:
        before = self._refused
        now = (step.event.command, step.rights)
        self._refused = now if step.sw == SW.SECURITY_NOT_SATISFIED else None
        self.seen = self.seen or self._refused is not None
        return _("{path} again, after 6982 and with the same rights").format(path=step.path) if before == now else None


class LockedKey(Rule):
    """A locked key never opens again by trying."""

    id = "RIGHTS-LOCKED-KEY"
    title = "A key that answered 6983 is not tried again"
    title_zh = "密钥返回6983（已锁定）后不再尝试"
    source = "EXTERNAL AUTHENTICATION, 6983 [T: part7:6.6]"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._locked: set[tuple[str, int]] = set()

    def step(self, step: Step) -> str | None:
        if step.kind is not ExternalAuthentication or step.command is None:
            return None
        self.seen = True
        key = (step.place.directory.spec.id, ExternalAuthentication.touches(step.command).id)
        again = key in self._locked
        if step.sw == SW.BLOCKED:
            self._locked.add(key)
        return (
            _("key {key:02X} of {place} was locked, and tried again").format(key=key[1], place=key[0])
            if again
            else None
        )


class HeldAlready(Rule):
    """Every authentication is a chance to spend a try."""

    id = "RIGHTS-AGAIN"
    title = "A key whose right is held is not authenticated again"
    title_zh = "已取得权限的密钥不重复认证"
    source = "a needless authentication risks a try [D]"
    severity = WARNING

    def step(self, step: Step) -> str | None:
        if step.kind is not ExternalAuthentication or step.place.key is None:
            return None
        self.seen = True
        name = step.place.key.name
        return _("{name} was authenticated, and its right was held").format(name=name) if name in step.rights else None


class InClear(Rule):
    """What a layout wants under secure messaging."""

    id = "RIGHTS-CLEAR"
    title = "A file that demands a MAC or a cipher is accessed under it"
    title_zh = "要求安全报文的文件须以安全报文访问"
    source = "secure messaging as the layout demands it [T: part4:8.5, part7:7.4]"

    def step(self, step: Step) -> str | None:
        file = step.place.file
        demand = self._demand(step, file) if file is not None else ""
        if not demand or file is None:
            return None
        self.seen = True
        plan = step.view.layout.personalisation
        if step.secured or (plan is not None and plan.key in step.rights):
            return None
        return _("{path} demands {what}, and was accessed in clear").format(
            path=step.path, what=_("a MAC") if demand is Messaging.MAC else _("MAC and cipher")
        )

    @staticmethod
    def _demand(step: Step, file: FileSpec) -> Messaging:
        if step.kind in READING:
            return file.read_messaging
        return file.update_messaging if step.kind in UPDATING else Messaging.NONE


RULES = (ReadFirst, UpdateFirst, CommandFirst, AfterRefusal, Insisting, LockedKey, HeldAlready, InClear)
