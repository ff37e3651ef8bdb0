"""Runs a vector's steps on one card: readable ones, and raw ones with what they compute and capture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions import pin
from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.instructions.pin import Verify
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW, describe, tries_told
from emulator.apdu.transport import follow, repeat_with_right_length
from emulator.crypto.keys import factors
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.terms import CardKind
from emulator.interface import chip_factor
from emulator.messages import _, both
from emulator.security import PIN
from harness.conformance import answers, driver_calls
from harness.conformance.answers import matches
from harness.conformance.formulas import Formulas
from harness.conformance.models import (
    Action,
    Apdu,
    Around,
    AskPin,
    Authenticate,
    By,
    Challenge,
    ChangePin,
    Driver,
    Expect,
    Follows,
    Given,
    Match,
    Parse,
    Read,
    Reset,
    Secured,
    Select,
    Step,
    Tear,
    Tpdu,
    Update,
    VerifyPin,
)
from harness.conformance.play import Missing, Play
from harness.conformance.references import PLACE, Span, Tries
from harness.conformance.vector import Vector
from harness.images import tear
from harness.readers.connection import Connection, InProcess
from harness.terminal.session import proving
from harness.terminal.terminal import bcd

DONE = Expect(sw="9000")


class StepFailed(SscardError, AssertionError):
    """A step whose outcome is not what the vector says: which, expected, got. ``ours``: nothing but our own decision
    asks for it; ``why``: the same without which step it is.
    """

    kind = ErrorKind.BROKEN

    def __init__(self, text: str, *, ours: bool = False, why: str = "") -> None:
        super().__init__(text)
        self.ours = ours
        self.why = why or text


class Watch(Protocol):
    """Is told how far a vector has come."""

    def begins(self, number: int, step: Step) -> None:
        """A step is about to be done, the ``number``-th from 1; each repetition of it too."""


class Steps:
    """One vector on one card. A step without ``expect`` and ``accept`` must end in 9000. ``quotes``: a failure quotes
    what the card gave, which a person's card must not be.
    """

    def __init__(self, play: Play, *, quotes: bool = True) -> None:
        self._play = play
        self._quotes = quotes
        self._terminal = play.terminal
        self._pin = play.pin
        self._value: Value | None = None
        self._names: dict[str, bytes] = {}
        self._called = driver_calls.Outcome(0, "")
        self._formulas = Formulas(self._terminal, self._bytes)
        self._card: Connection = self._terminal.connection

    def run(self, vector: Vector, watch: Watch | None = None) -> None:
        """All steps in order; StepFailed at the first that fails."""
        self._begin(vector)
        for number, step in enumerate(vector.steps, 1):
            try:
                for count in range(1, self._times(step) + 1):
                    if watch is not None:
                        watch.begins(number, step)
                    self._step(step, count)
            except StepFailed as failure:
                where = _("step {number} ({name}: {raw}){words}").format(
                    number=number, name=step.name, raw=step.raw, words=self._play.words
                )
                raise StepFailed(f"{where}: {failure}", ours=step.ours, why=failure.why) from None
        self._play.finished = True

    def rehearse(self, vector: Vector) -> bool:
        """All steps, also those after one that fails, to see what they do; true if none fails."""
        self._begin(vector)
        good = True
        for step in vector.steps:
            for count in range(1, self._times(step) + 1):
                try:
                    self._step(step, count)
                except (SscardError, ValueError, LookupError, AssertionError):
                    good = False
        return good

    def _begin(self, vector: Vector) -> None:
        self._terminal.connection.reset()
        self._terminal.forget()
        if vector.needs_psam and self._play.psam is not None:
            self._play.psam.reset()
        self._names = dict(self._known())

    def named(self, name: str) -> bytes:
        """What the last run captured or computed by a name; KeyError."""
        return self._names[name]

    def _known(self) -> Iterator[tuple[str, bytes]]:
        """What every vector may name: the diversification factors, the algorithm, the PIN."""
        yield "chip", chip_factor(self._terminal.connection.atr)
        yield from zip(("province", "city"), factors(self._terminal.region, b"", 3), strict=False)
        yield "algorithm", bytes((self._terminal.suite.code,))
        yield "pin", bcd(self._pin)

    def _times(self, step: Step) -> int:
        return self._tries(step.around.times, 0)

    def _tries(self, number: int | Tries, count: int) -> int:
        """A number as it stands, or less than the tries of the layout."""
        if isinstance(number, int):
            return number
        layout = self._terminal.layout
        tries = (self._play.pin_tries or layout.pin.tries) if number.key == PIN else layout.keys[number.key].tries
        return number.left(tries, count)

    def _step(self, step: Step, count: int) -> None:
        around = step.around
        response = self._act(step)
        self._capture(around, response)
        if around.accept is not None:
            self._accept(around.accept, response)
        else:
            self._check(around.expect or DONE, response, count)
        if self._play.person is not None:
            for rule in around.parse:
                self._parse(rule, around, response)

    def _act(self, step: Step) -> ResponseAPDU:
        self._card = self._chosen(step.around.card)
        for name, formula in step.let.items():
            self._names[name] = self._formulas.compute(formula)
        return self.act(step.does)

    @property
    def value(self) -> Value | None:
        """Returns the value of the item that was read last, None where the last action read none."""
        return self._value

    def act(self, does: Action) -> ResponseAPDU:
        """Does what a step does and returns the card's answer, whatever that is. StepFailed where it cannot be done."""
        self._value = None
        match does:
            case Reset():
                return self._reset()
            case Apdu(text):
                return self._sent(self._bytes(text))
            case Tpdu(text):
                return ResponseAPDU.parse(self._card.send(self._bytes(text)))
            case Select(application):
                return self._terminal.select(application)
            case Challenge(size):
                return self._challenge(size)
            case VerifyPin(which):
                return self._terminal.send(Verify.command(bcd(self._digits(which))))
            case AskPin():
                return self._terminal.send(Verify.command())
            case ChangePin():
                return self._change_pin(does)
            case Authenticate():
                return self._authenticate(does)
            case Read():
                return self._read(does)
            case Update():
                return self._update(does)
            case Secured():
                return self._secured(does)
            case Tear():
                return self._tear(does)
            case Driver():
                return self._driver(does)

    def _chosen(self, card: CardKind) -> Connection:
        if card is CardKind.USER:
            return self._terminal.connection
        if self._play.psam is None:
            raise Missing(_("a PSAM"))
        return self._play.psam

    def _capture(self, around: Around, response: ResponseAPDU) -> None:
        for name, span in around.capture.items():
            self._names[name] = response.data[span.part]

    def _accept(self, told: Match | tuple[Match, ...], response: ResponseAPDU) -> None:
        any_of = told if isinstance(told, tuple) else (told,)
        if not any(answers.will_do(one, response, self._filled) for one in any_of):
            words = " or ".join(map(answers.in_words, any_of))
            found = answers.whole(response) if self._quotes else f"{response.sw:04X}"
            raise StepFailed(_("a program goes on with {words}; got {found}").format(words=words, found=found))

    def _parse(self, rule: Parse, around: Around, response: ResponseAPDU) -> None:
        if rule.length is not None:
            if len(response.data) != rule.length:
                raise StepFailed(
                    _("a program takes {length} bytes, {count} came").format(
                        length=rule.length, count=len(response.data)
                    )
                )
            return
        got, wanted = answers.taken(rule, response), self._right(rule, around)
        if got != wanted:
            where = ", ".join(f"{name} {value}" for name, value in rule.raw.items())
            found = repr(got) if self._quotes else _("another value")
            raise StepFailed(
                _("a program takes out ({where}) {found}, the persona has {wanted!r}").format(
                    where=where, found=found, wanted=wanted
                )
            )

    def _right(self, rule: Parse, around: Around) -> str:
        """What a program must find, as text."""
        person = self._play.psam_person if around.card is CardKind.PSAM else self._play.person
        if rule.is_ is not None:
            told = rule.is_
            if isinstance(told, dict):
                told = told.get(self._terminal.suite.name) or told[self._terminal.layout.version]
            return self._filled(told)
        assert person is not None, "what is parsed is judged only where it is known whose card it is"
        if rule.item is not None:
            return answers.right(rule, person.item(rule.item))
        assert rule.person is not None, "a rule that holds nothing against the persona says what is right"
        value = person.known(rule.person)
        return answers.right(rule, value)

    def _check(self, expect: Expect, response: ResponseAPDU, count: int = 1) -> None:
        if expect.sw is not None:
            wanted = expect.sw if isinstance(expect.sw, tuple) else (expect.sw,)
            if not any(matches(pattern, response.sw) for pattern in wanted):
                got = describe(response.sw)
                words = " or ".join(f"{one} ({_meaning(one)})" for one in wanted)
                raise StepFailed(
                    _("expected {words}, got {sw:04X} ({meaning})").format(
                        words=words, sw=response.sw, meaning=both(*got)
                    )
                )
        if expect.tries_left is not None:
            left = tries_told(response.sw)
            tries = self._tries(expect.tries_left, count)
            if left != tries:
                raise StepFailed(_("expected {tries} tries left, got {sw:04X}").format(tries=tries, sw=response.sw))
        data = response.data.hex().upper()
        if expect.data is not None:
            pattern = self._filled(expect.data)
            if not re.fullmatch(pattern.replace("..", "[0-9A-F]{2}"), data):
                expected = pattern if self._quotes else expect.data  # what was captured is the card's too
                found = (
                    data
                    if self._quotes or not data
                    else _("{count} bytes that are others").format(count=len(response.data))
                )
                raise StepFailed(
                    _("expected the data {expected}, got {found} with {sw:04X}").format(
                        expected=expected or "-", found=found or "-", sw=response.sw
                    )
                )
        if expect.length is not None and len(response.data) != expect.length:
            raise StepFailed(
                _("expected {length} bytes of data, got {count}").format(length=expect.length, count=len(response.data))
            )
        if expect.value is not None and self._value != expect.value:
            found = repr(self._value) if self._quotes or self._value is None else _("another value")
            raise StepFailed(
                _("expected {value!r}, got {found} ({sw:04X})").format(value=expect.value, found=found, sw=response.sw)
            )
        self._check_call(expect)

    def _check_call(self, expect: Expect) -> None:
        """What a function of the driver gave."""
        if expect.code is not None:
            codes = expect.code if isinstance(expect.code, tuple) else (expect.code,)
            if self._called.code not in codes:
                told = f" ({self._called.out})" if self._quotes or self._called.code < 0 else ""
                raise StepFailed(
                    _("expected the code {codes}, got {code}{told}").format(
                        codes=_(" or ").join(map(str, codes)), code=self._called.code, told=told
                    )
                )
        if expect.out is not None and self._play.person is not None:
            wanted = driver_calls.filled(expect.out, self._play.person, self._filled)
            if not driver_calls.alike(wanted, self._called.out):
                found = self._called.out if self._quotes else "another"
                raise StepFailed(_("expected pOutInfo {wanted}, got {found}").format(wanted=wanted, found=found))

    # --- values ------------------------------------------------------------------------------------------------

    def _filled(self, text: str) -> str:
        """Returns hex with the values that its names stand for. StepFailed for a name that nothing has."""

        def value(place: re.Match[str]) -> str:
            name, span = place.groups()
            if name not in self._names:
                raise StepFailed(_("nothing was captured or computed as {name}").format(name=name))
            value = self._names[name]
            if span == "lv":
                return f"{len(value):02x}{value.hex()}"
            return value[Span.parse(span or ":").part].hex()

        return PLACE.sub(value, text).replace(" ", "").upper()

    def _bytes(self, text: str) -> bytes:
        return bytes.fromhex(self._filled(text))

    # --- the steps, by their names in the schema ---------------------------------------------------------------

    def _reset(self) -> ResponseAPDU:
        atr = self._card.reset()
        if self._card is self._terminal.connection:
            self._terminal.forget()
        return ResponseAPDU(atr, SW.OK)

    def _sent(self, command: bytes) -> ResponseAPDU:
        """A command, and what is done about 61xx and 6Cxx by whoever does it here."""
        if self._play.follows is Follows.NONE:
            return ResponseAPDU.parse(self._card.send(command))
        if self._play.follows is Follows.ONLY_6C:
            return ResponseAPDU.parse(repeat_with_right_length(self._card.send, command))
        return ResponseAPDU.parse(follow(self._card.send, command))

    def _challenge(self, size: int) -> ResponseAPDU:
        response = self._terminal.send(GetChallenge.command(size))
        self._names["challenge"] = response.data
        return response

    def _digits(self, which: Given) -> str:
        # One digit off, whatever the right one is.
        return self._pin if which is Given.RIGHT else self._pin[:-1] + str((int(self._pin[-1]) + 1) % 10)

    def _change_pin(self, does: ChangePin) -> ResponseAPDU:
        response = self._terminal.send(pin.ChangePin.command(bcd(self._digits(does.old)), bcd(does.new)))
        if response.ok:
            self._pin = does.new
        return response

    def _authenticate(self, does: Authenticate) -> ResponseAPDU:
        """EXTERNAL AUTHENTICATION in the current application, or VERIFY of a PIN that is proved as a key, on a
        challenge of its own.
        """
        version = does.version or 1
        loaded = self._terminal.layout.keys[does.key].versions if does.key in self._terminal.layout.keys else version
        # Of a version that no card has nobody has a root, and any proof of it is as good as another.
        use = self._terminal.use(does.key, version=version if version <= loaded else 1)
        answer = self._challenge(use.scheme.cryptogram)
        if not answer.ok:
            return answer
        proof = self._terminal.proof(replace(use, challenge=answer.data), bytes(range(8)))
        if does.cryptogram is Given.WRONG:
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        return self._terminal.send(proving(use.key, proof, does.version))

    def _read(self, does: Read) -> ResponseAPDU:
        spec, item = self._terminal.find(does.item)
        where = {"tag": item.tag or 0} if does.by is By.TAG else {"number": spec.number(item)}
        response = self._terminal.send(ReadRecord.command(spec.sfi, **where))
        if response.ok:
            self._value = items.decode(item, response.data[2:])
        return response

    def _update(self, does: Update) -> ResponseAPDU:
        spec, item = self._terminal.find(does.item)
        if does.same:
            there = self._read(Read(does.item))
            if not there.ok:
                return there
            record = there.data
        else:
            record = items.tlv(item, items.blank(item) if does.value is None else does.value)
        return self._terminal.send(UpdateRecord.command(record, spec.sfi, tag=item.tag or 0))

    def _secured(self, does: Secured) -> ResponseAPDU:
        answer = self._challenge(8)
        if not answer.ok:
            return answer
        use, enciphered = self._terminal.use(does.key, answer.data), does.cipher
        plain = CommandAPDU.under(self._bytes(does.header), self._bytes(does.data))
        command = self._terminal.keys.seal(use, plain, enciphered=enciphered)
        if does.mac is Given.WRONG:
            command.data = command.data[:-1] + bytes((command.data[-1] ^ 1,))
        response = self._terminal.send(command)
        try:
            data = self._terminal.opened(use, response.data, enciphered=enciphered) if response.ok else response.data
        except ValueError as error:
            raise StepFailed(str(error)) from None
        return ResponseAPDU(data, response.sw)

    def _tear(self, does: Tear) -> ResponseAPDU:
        """The step, with power cut after each of its writes in turn: every outcome is old or new."""
        connection = self._terminal.connection
        assert isinstance(connection, InProcess), "only a virtual card can be torn from power on purpose"
        for outcome in tear.in_session(connection.chip, lambda: self.act(does.does)):
            if outcome.outcome is tear.Outcome.MIXED:
                raise StepFailed(
                    _("power cut after write {after} left {changes}").format(
                        after=outcome.after, changes="; ".join(outcome.changes)
                    )
                )
        return ResponseAPDU(b"", SW.OK)

    def _driver(self, does: Driver) -> ResponseAPDU:
        """A function of the driver. Its answer is what ``code`` and ``out`` are held against; no card answers."""
        pad = [self._digits(Given(one)) if one in tuple(Given) else one for one in does.pad]
        arguments = {
            name: driver_calls.filled(value, self._play.person, self._filled) if isinstance(value, str) else value
            for name, value in does.arguments.items()
        }
        self._called = driver_calls.call(self._play, does.function, arguments, pad, machine=bool(does.machine))
        self._terminal.forget()
        return ResponseAPDU(b"", SW.OK)


def _meaning(pattern: str) -> str:
    return describe(int(pattern.replace("x", "0"), 16))[0]
