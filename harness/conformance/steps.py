"""Runs a vector's steps on one card: readable ones, and raw ones with what they compute and capture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.instructions.pin import ChangePin, Verify
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.status import SW, describe, tries_told
from emulator.apdu.transport import follow, repeat_with_right_length
from emulator.crypto.keys import factors
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.items import Value
from emulator.messages import _
from emulator.security import PIN
from harness.conformance import answers, driver_calls
from harness.conformance.answers import matches, part
from harness.conformance.formulas import Formulas
from harness.conformance.play import Missing, Play
from harness.conformance.vector import Vector, action
from harness.images import tear
from harness.readers.connection import Connection, InProcess, historical
from harness.terminal.session import proving
from harness.terminal.terminal import bcd

PLACE = re.compile(r"\$\{([a-z0-9_]+)(?::(lv|\d*:\d*))?\}")


class StepFailed(SscardError, AssertionError):
    """A step whose outcome is not what the vector says: which, expected, got. ``ours``: nothing but our own decision
    asks for it.
    """

    kind = ErrorKind.BROKEN

    def __init__(self, text: str, *, ours: bool = False) -> None:
        super().__init__(text)
        self.ours = ours


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

    def run(self, vector: Vector) -> None:
        """All steps in order; StepFailed at the first that fails."""
        self._terminal.connection.reset()
        self._terminal.forget()
        if vector.needs_psam and self._play.psam is not None:
            self._play.psam.reset()
        self._names = dict(self._known())
        for number, step in enumerate(vector.steps, 1):
            try:
                for count in range(1, self._times(step) + 1):
                    self._step(step, count)
            except StepFailed as failure:
                name, argument = action(step)
                where = f"step {number} ({name}: {argument}){self._play.words}"
                raise StepFailed(f"{where}: {failure}", ours=step.get("grade") == "own") from None

    def named(self, name: str) -> bytes:
        """What the last run captured or computed by a name; KeyError."""
        return self._names[name]

    def _known(self) -> Iterator[tuple[str, bytes]]:
        """What every vector may name: the diversification factors, the algorithm, the PIN."""
        yield "chip", historical(self._terminal.connection.atr)[-8:]
        yield from zip(("province", "city"), factors(self._terminal.region, b"", 3), strict=False)
        yield "algorithm", bytes((self._terminal.suite.code,))
        yield "pin", bcd(self._pin)

    def _times(self, step: dict[str, Any]) -> int:
        return self._tries(step.get("times", 1), 0)

    def _tries(self, told: int | str, count: int) -> int:
        """A number as it stands, or like ``PIN-1`` or ``UKSSSE-n``: less than the tries of the layout."""
        if isinstance(told, int):
            return told
        name, __, less = told.partition("-")
        layout = self._terminal.layout
        tries = (self._play.pin_tries or layout.pin.tries) if name == PIN else layout.keys[name].tries
        return tries - (count if less == "n" else int(less or 0))

    def _step(self, step: dict[str, Any], count: int) -> None:
        response = self._act(step)
        self._capture(step, response)
        if "accept" in step:
            self._accept(step["accept"], response)
        else:
            self._check(step.get("expect", {"sw": "9000"}), response, count)
        if self._play.person is not None:
            for rule in step.get("parse", ()):
                self._parse(rule, step, response)

    def _act(self, step: dict[str, Any]) -> ResponseAPDU:
        self._card = self._chosen(step.get("card", "user"))
        for name, formula in step.get("let", {}).items():
            self._names[name] = self._formulas.compute(formula)
        name, argument = action(step)
        self._value = None
        perform: Callable[[Any], ResponseAPDU] = getattr(self, f"_{name}")
        return perform(argument)

    def _chosen(self, card: str) -> Connection:
        if card == "user":
            return self._terminal.connection
        if self._play.psam is None:
            raise Missing(_("a PSAM"))
        return self._play.psam

    def _capture(self, step: dict[str, Any], response: ResponseAPDU) -> None:
        for name, span in step.get("capture", {}).items():
            self._names[name] = response.data[part(span)]

    def _accept(self, told: Any, response: ResponseAPDU) -> None:
        any_of = told if isinstance(told, list) else [told]
        if not any(answers.will_do(one, response, self._filled) for one in any_of):
            words = " or ".join(map(answers.in_words, any_of))
            found = answers.whole(response) if self._quotes else f"{response.sw:04X}"
            raise StepFailed(f"a program goes on with {words}; got {found}")

    def _parse(self, rule: dict[str, Any], step: dict[str, Any], response: ResponseAPDU) -> None:
        if "length" in rule:
            if len(response.data) != rule["length"]:
                raise StepFailed(f"a program takes {rule['length']} bytes, {len(response.data)} came")
            return
        got, wanted = answers.taken(rule, response), self._right(rule, step)
        if got != wanted:
            where = ", ".join(f"{name} {value}" for name, value in rule.items())
            found = repr(got) if self._quotes else "another value"
            raise StepFailed(f"a program takes out ({where}) {found}, the persona has {wanted!r}")

    def _right(self, rule: dict[str, Any], step: dict[str, Any]) -> str:
        """What a program must find, as text."""
        person = self._play.psam_person if step.get("card") == "psam" else self._play.person
        if "is" in rule:
            told = rule["is"]
            if isinstance(told, dict):
                told = told.get(self._terminal.suite.name) or told[self._terminal.layout.version]
            return self._filled(told)
        assert person is not None, "what is parsed is judged only where it is known whose card it is"
        value = person.item(rule["item"]) if "item" in rule else person.known(rule["person"])
        return answers.right(rule, value)

    def _check(self, expect: dict[str, Any], response: ResponseAPDU, count: int = 1) -> None:
        if "sw" in expect:
            wanted = expect["sw"] if isinstance(expect["sw"], list) else [expect["sw"]]
            if not any(matches(pattern, response.sw) for pattern in wanted):
                got = describe(response.sw)
                words = " or ".join(f"{one} ({_meaning(one)})" for one in wanted)
                raise StepFailed(f"expected {words}, got {response.sw:04X} ({got[0]} {got[1]})")
        if "tries_left" in expect:
            left = tries_told(response.sw)
            tries = self._tries(expect["tries_left"], count)
            if left != tries:
                raise StepFailed(f"expected {tries} tries left, got {response.sw:04X}")
        data = response.data.hex().upper()
        if "data" in expect:
            pattern = self._filled(expect["data"])
            if not re.fullmatch(pattern.replace("..", "[0-9A-F]{2}"), data):
                expected = pattern if self._quotes else expect["data"]  # what was captured is the card's too
                found = data if self._quotes or not data else f"{len(response.data)} bytes that are others"
                raise StepFailed(f"expected the data {expected or '-'}, got {found or '-'} with {response.sw:04X}")
        if "length" in expect and len(response.data) != expect["length"]:
            raise StepFailed(f"expected {expect['length']} bytes of data, got {len(response.data)}")
        if "value" in expect and self._value != expect["value"]:
            found = repr(self._value) if self._quotes or self._value is None else "another value"
            raise StepFailed(f"expected {expect['value']!r}, got {found} ({response.sw:04X})")
        self._check_call(expect)

    def _check_call(self, expect: dict[str, Any]) -> None:
        """What a function of the driver gave."""
        if "code" in expect:
            codes = expect["code"] if isinstance(expect["code"], list) else [expect["code"]]
            if self._called.code not in codes:
                told = f" ({self._called.out})" if self._quotes or self._called.code < 0 else ""
                raise StepFailed(f"expected the code {' or '.join(map(str, codes))}, got {self._called.code}{told}")
        if "out" in expect and self._play.person is not None:
            wanted = driver_calls.filled(expect["out"], self._play.person, self._filled)
            if not driver_calls.alike(wanted, self._called.out):
                found = self._called.out if self._quotes else "another"
                raise StepFailed(f"expected pOutInfo {wanted}, got {found}")

    # --- values ------------------------------------------------------------------------------------------------

    def _filled(self, text: str) -> str:
        """Hex with its names replaced."""

        def value(place: re.Match[str]) -> str:
            name, span = place.groups()
            if name not in self._names:
                raise StepFailed(f"nothing was captured or computed as {name}")
            value = self._names[name]
            if span == "lv":
                return f"{len(value):02x}{value.hex()}"
            return value[part(span or ":")].hex()

        return PLACE.sub(value, text).replace(" ", "").upper()

    def _bytes(self, text: str) -> bytes:
        return bytes.fromhex(self._filled(text))

    # --- the steps, by their names in the schema ---------------------------------------------------------------

    def _reset(self, _: object) -> ResponseAPDU:
        self._card.reset()
        if self._card is self._terminal.connection:
            self._terminal.forget()
        return ResponseAPDU(b"", SW.OK)

    def _apdu(self, text: str) -> ResponseAPDU:
        return self._sent(self._bytes(text))

    def _sent(self, command: bytes) -> ResponseAPDU:
        """A command, and what is done about 61xx and 6Cxx by whoever does it here."""
        if self._play.follows == "none":
            return ResponseAPDU.parse(self._card.send(command))
        if self._play.follows == "only_6C":
            return ResponseAPDU.parse(repeat_with_right_length(self._card.send, command))
        return ResponseAPDU.parse(follow(self._card.send, command))

    def _tpdu(self, text: str) -> ResponseAPDU:
        return ResponseAPDU.parse(self._card.send(self._bytes(text)))

    def _select(self, application: str) -> ResponseAPDU:
        return self._terminal.select(application)

    def _challenge(self, size: int) -> ResponseAPDU:
        response = self._terminal.send(GetChallenge.command(size))
        self._names["challenge"] = response.data
        return response

    def _digits(self, which: str) -> str:
        # One digit off, whatever the right one is.
        return self._pin if which == "right" else self._pin[:-1] + str((int(self._pin[-1]) + 1) % 10)

    def _verify_pin(self, which: str) -> ResponseAPDU:
        return self._terminal.send(Verify.command(bcd(self._digits(which))))

    def _ask_pin(self, _: object) -> ResponseAPDU:
        return self._terminal.send(Verify.command())

    def _change_pin(self, step: dict[str, str]) -> ResponseAPDU:
        response = self._terminal.send(ChangePin.command(bcd(self._digits(step["old"])), bcd(step["new"])))
        if response.ok:
            self._pin = step["new"]
        return response

    def _authenticate(self, step: str | dict[str, Any]) -> ResponseAPDU:
        """EXTERNAL AUTHENTICATION in the current application, or VERIFY of a PIN that is proved as a key, on a
        challenge of its own.
        """
        told: dict[str, Any] = {"key": step} if isinstance(step, str) else step
        use = self._terminal.use(told["key"], version=told.get("version", 1))
        answer = self._challenge(use.scheme.cryptogram)
        if not answer.ok:
            return answer
        proof = self._terminal.proof(replace(use, challenge=answer.data), bytes(range(8)))
        if told.get("cryptogram") == "wrong":
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        return self._terminal.send(proving(use.key, proof, told.get("version")))

    def _found(self, path: str) -> tuple[Any, Any]:
        return self._terminal.find(path)

    def _read(self, step: str | dict[str, str]) -> ResponseAPDU:
        told = {"item": step} if isinstance(step, str) else step
        spec, item = self._found(told["item"])
        by_tag = told.get("by", "tag") == "tag"
        where = {"tag": item.tag or 0} if by_tag else {"number": spec.number(item)}
        response = self._terminal.send(ReadRecord.command(spec.sfi, **where))
        if response.ok:
            self._value = items.decode(item, response.data[2:])
        return response

    def _update(self, step: dict[str, Any]) -> ResponseAPDU:
        spec, item = self._found(step["item"])
        if "same" in step:
            there = self._read(step["item"])
            if not there.ok:
                return there
            record = there.data
        else:
            record = items.tlv(item, step.get("value", items.blank(item)))
        return self._terminal.send(UpdateRecord.command(record, spec.sfi, tag=item.tag or 0))

    def _secured(self, step: dict[str, Any]) -> ResponseAPDU:
        answer = self._challenge(8)
        if not answer.ok:
            return answer
        use, enciphered = self._terminal.use(step["key"], answer.data), step.get("cipher", False)
        plain = CommandAPDU.under(self._bytes(step["header"]), self._bytes(step.get("data", "")))
        command = self._terminal.keys.seal(use, plain, enciphered=enciphered)
        if step.get("mac") == "wrong":
            command.data = command.data[:-1] + bytes((command.data[-1] ^ 1,))
        response = self._terminal.send(command)
        try:
            data = self._terminal.opened(use, response.data, enciphered=enciphered) if response.ok else response.data
        except ValueError as error:
            raise StepFailed(str(error)) from None
        return ResponseAPDU(data, response.sw)

    def _tear(self, step: dict[str, Any]) -> ResponseAPDU:
        """The step, with power cut after each of its writes in turn: every outcome is old or new."""
        connection = self._terminal.connection
        assert isinstance(connection, InProcess), "only a virtual card can be torn from power on purpose"
        for outcome in tear.in_session(connection.chip, lambda: self._act(step)):
            if outcome.outcome == "mixed":
                raise StepFailed(f"power cut after write {outcome.after} left {'; '.join(outcome.changes)}")
        return ResponseAPDU(b"", SW.OK)

    def _driver(self, step: dict[str, Any]) -> ResponseAPDU:
        """A function of the driver. Its answer is what ``code`` and ``out`` are held against; no card answers."""
        pad = [self._digits(one) if one in ("right", "wrong") else one for one in step.get("pad", ())]
        arguments = {
            name: driver_calls.filled(value, self._play.person, self._filled) if isinstance(value, str) else value
            for name, value in step.get("arguments", {}).items()
        }
        self._called = driver_calls.call(
            self._play, step["function"], arguments, pad, machine=step.get("machine", False)
        )
        self._terminal.forget()
        return ResponseAPDU(b"", SW.OK)


def _meaning(pattern: str) -> str:
    return describe(int(pattern.replace("x", "0"), 16))[0]
