"""Answers: 61xx and 6Cxx followed, broken and missing answers noticed."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, InternalAuthentication
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.filesystem.layouts.terms import Structure
from emulator.interface import Interface
from emulator.messages import _
from harness.monitor.rule import WARNING, Rule
from harness.monitor.view import Step

PROOFS = (ExternalAuthentication, InternalAuthentication)
"""What is computed with a key of the card's algorithm; what comes under secure messaging is besides."""
BER = "BER-TLV"
"""The bank's records, whose lengths may have more than one byte."""


class Fetched(Rule):
    """61xx says that an answer waits."""

    id = "ANSWER-61"
    title = "An answer that 61xx announces is fetched"
    title_zh = "61xx之后取回应答"
    source = "T=0 [P: iso7816-3, iso7816-4]"
    _waiting = ""

    def step(self, step: Step) -> str | None:
        waiting, self._waiting = self._waiting, ""
        if step.sw >> 8 == 0x61:
            self.seen = True
            if step.kind is not Select:
                self._waiting = _("{name} was answered {sw:04X}").format(name=step.name, sw=step.sw)
        return (
            _("{waiting}, and nobody fetched it").format(waiting=waiting)
            if waiting and step.kind is not GetResponse
            else None
        )

    def reset(self) -> str | None:
        waiting, self._waiting = self._waiting, ""
        return _("{waiting}, and nobody fetched it").format(waiting=waiting) if waiting else None


class Algorithm(Rule):
    """The FCI names the card's algorithm. Who uses no key needs none; nor does who knows it of this card already."""

    id = "ANSWER-FCI"
    title = "Where a card may have either algorithm, the FCI of SSSE that names it is fetched before a key is used"
    title_zh = "卡可能采用不同算法时，使用密钥前先取回社会保障系统环境的FCI（其中有算法标识）"
    source = "algorithm from the FCI [S: reference:terminal flow 1]"
    _left = _told = _announced = False

    def step(self, step: Step) -> str | None:
        announced, self._announced = self._announced, False
        home = self.layout.applications.get(self.layout.pin.application)
        if home is None or not home.tells_algorithm or len(self.layout.algorithms) < 2:
            return None
        if step.enters and step.place.directory.spec.id == home.id and step.ok:
            self.seen = True
            self._announced = self._left = step.sw >> 8 == 0x61
            self._told = self._told or not self._left
        elif announced and step.kind is GetResponse:
            self._told = self._told or step.ok
        elif self._left and not self._told and (step.kind in PROOFS or step.secured):
            self._left = False  # once is enough
            return _("the FCI of {id} was not fetched, and {name} followed").format(id=home.id, name=step.name)
        return None


class RightLength(Rule):
    """6Cxx says how long the answer is."""

    id = "ANSWER-6C"
    title = "After 6Cxx the command is sent again with the length that was told"
    title_zh = "6Cxx之后以给出的长度重发命令"
    source = "T=0 [P: iso7816-3]"
    _told: tuple[bytes, int] | None = None

    def step(self, step: Step) -> str | None:
        told, self._told = self._told, None
        raw = step.event.command
        if step.sw >> 8 == 0x6C:
            self.seen = True
            self._told = (raw, step.sw & 0xFF)
        if told is None:
            return None
        before, length = told
        if raw[:4] != before[:4]:
            return _("{before} was answered 6C{length:02X} and dropped").format(
                before=before[:5].hex().upper(), length=length
            )
        if raw[4:5] != bytes((length,)) and len(raw) == 5:
            return _("{before} was answered 6C{length:02X} and sent again with {again:02X}").format(
                before=before[:5].hex().upper(), length=length, again=raw[4]
            )
        return None

    def reset(self) -> str | None:
        self._told = None
        return None


class Announced(Rule):
    """GET RESPONSE fetches what was announced."""

    id = "ANSWER-GET"
    title = "GET RESPONSE comes after 61xx only, and asks for no more than was announced"
    title_zh = "仅在61xx之后取响应，长度不超过给出的字节数"
    source = "GET RESPONSE [P: iso7816-4]"
    severity = WARNING
    _waiting: int | None = None

    def step(self, step: Step) -> str | None:
        waiting, self._waiting = self._waiting, (step.sw & 0xFF or 256) if step.sw >> 8 == 0x61 else None
        if step.kind is not GetResponse:
            return None
        if waiting is None and step.view.context.interface is Interface.CONTACTLESS:
            return None  # which has a rule of its own
        self.seen = True
        if waiting is None:
            return _("GET RESPONSE, and nothing was announced")
        asked = (step.command.le if step.command else None) or 256
        return (
            _("{asked} bytes were asked for, {waiting} announced").format(asked=asked, waiting=waiting)
            if asked > waiting
            else None
        )


class Whole(Rule):
    """A record says how long it is."""

    id = "ANSWER-BROKEN"
    title = "An answer that is no whole record, or another item than was asked for, is not taken for good"
    title_zh = "应答不是完整的记录或不是所要的数据项时，不得采用"
    source = "records are tag, length, value [S: prog-cardissue, prog-decard]; reading again or ending the session [D]"
    _broken: tuple[bytes, str] | None = None

    def step(self, step: Step) -> str | None:
        broken, self._broken = self._broken, None
        file = step.place.file
        plain = (
            file is not None and file.structure is not Structure.CYCLIC and all(one.format != BER for one in file.items)
        )
        if step.kind is ReadRecord and step.sw == 0x9000 and plain:
            self.seen = True
            if problem := self._problem(step):
                self._broken = (step.event.command[:4], problem)
        if broken is not None and step.event.command[:4] != broken[0]:
            return _("{problem}, and the session went on").format(problem=broken[1])
        return None

    @staticmethod
    def _problem(step: Step) -> str:
        if step.secured:
            return ""
        records = list(step.records())
        # No record has tag 00: a trace has it where what came was masked, as it was no record.
        if not all(one[0] for one in records) or sum(map(len, records)) != len(step.answer) or not records:
            return _("reading {path} gave {count} bytes that are no whole record").format(
                path=step.path, count=len(step.answer)
            )
        asked = ReadRecord.touches(step.command).tag if step.command is not None else 0
        if asked and records[0][0] != asked:
            return _("reading {path} gave item {tag:02X}").format(path=step.path, tag=records[0][0])
        return ""

    def reset(self) -> str | None:
        self._broken = None
        return None


class Silence(Rule):
    """A card that does not answer is not there."""

    id = "ANSWER-NONE"
    title = "After a command without an answer the card is reset before it is used again"
    title_zh = "命令无应答后，先复位再使用"
    source = "what a card is after an interrupted command only a reset tells [D]"
    _silent = ""

    def step(self, step: Step) -> str | None:
        silent, self._silent = self._silent, ""
        if len(step.event.answer) < 2:
            self.seen = True
            self._silent = step.name
        return _("{silent} had no answer, and the session went on").format(silent=silent) if silent else None

    def reset(self) -> str | None:
        self._silent = ""
        return None


RULES = (Fetched, Algorithm, RightLength, Announced, Whole, Silence)
