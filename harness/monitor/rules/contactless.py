"""A card in a field: what its layout keeps to the contacts is not asked for there. By contacts they have no say."""

from __future__ import annotations

from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import BY_NAME, Select
from emulator.filesystem.layouts.specs import ContactlessSpec
from emulator.interface import Interface
from emulator.messages import _
from emulator.security import Never
from harness.monitor.rule import WARNING, Rule
from harness.monitor.rules.rights import READING, UPDATING, needed
from harness.monitor.view import Step


def _side(step: Step) -> ContactlessSpec | None:
    """What the card's layout says of that side, where it is over that side that it is spoken to."""
    return step.view.layout.contactless if step.view.context.interface is Interface.CONTACTLESS else None


def _taken(step: Step) -> bool:
    """The card took it, and its layout is but a guess: its word goes before that."""
    return step.ok and not step.view.named


class Reach(Rule):
    """Applications and files that are there by contacts only."""

    id = "CONTACTLESS-REACH"
    title = "A card in a field is not asked for applications and files that its layout keeps to the contacts"
    title_zh = "对非接触卡，不得访问布局规定只能接触访问的应用和文件"
    source = "`unreachable` and `access` of the layout's [contactless] [D]"

    def step(self, step: Step) -> str | None:
        side = _side(step)
        if side is None or not (side.unreachable or side.access):
            return None
        self.seen = True
        what = self._kept(step, side)
        return _("{what} is kept to the contacts ({sw:04X})").format(what=what, sw=step.sw) if what else None

    @staticmethod
    def _kept(step: Step, side: ContactlessSpec) -> str:
        """What the command is about and may not be here; empty where it is about no such thing."""
        if _taken(step):
            return ""
        if step.kind in (*READING, *UPDATING):
            file = step.place.file
            closed = file is not None and file.path in side.access and needed(step) == Never()
            return step.path if closed else ""
        if step.kind is None or not issubclass(step.kind, Select) or step.command is None:
            return ""
        select, here = step.kind.parse(step.command), step.place.directory.spec.id
        for name in sorted(step.view.context.layout.hidden):
            app = step.view.layout.applications[name]
            by_id = app.parent == here and app.fid.to_bytes(2, "big") == select.target
            if select.target in app.names if select.by == BY_NAME else by_id:
                return name
        return ""


class Pin(Rule):
    """The PIN over the air."""

    id = "CONTACTLESS-PIN"
    title = "The PIN is not sent to a card in a field where its layout keeps it to the contacts"
    title_zh = "布局规定密码只能接触验证时，不得向非接触卡发送密码"
    source = "`pin` of the layout's [contactless] [D]"

    def step(self, step: Step) -> str | None:
        side = _side(step)
        if side is None or side.pin:
            return None
        self.seen = True
        if not step.tries_pin or _taken(step):
            return None
        return _("{name} brought a PIN that is kept to the contacts ({sw:04X})").format(name=step.name, sw=step.sw)


class NothingWaits(Rule):
    """T=CL carries whole answers."""

    id = "CONTACTLESS-GET"
    title = "GET RESPONSE is not sent to a card in a field, whose answers come whole"
    title_zh = "非接触卡的应答一次返回，不发送取响应命令"
    source = "T=CL [P: iso14443-4]; warned of where nothing was announced [D]"
    severity = WARNING
    _announced = False

    def step(self, step: Step) -> str | None:
        announced, self._announced = self._announced, step.sw >> 8 == 0x61
        if step.view.context.interface is not Interface.CONTACTLESS:
            return None
        self.seen = True
        unasked = step.kind is GetResponse and not announced
        return _("GET RESPONSE was sent ({sw:04X})").format(sw=step.sw) if unasked else None

    def reset(self) -> str | None:
        self._announced = False
        return None


RULES = (Reach, Pin, NothingWaits)
