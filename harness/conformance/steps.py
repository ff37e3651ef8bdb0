"""Runs a vector's steps on one card: readable ones, and raw ones with what they compute and capture."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.instructions.certificate import PIN_PROVED
from emulator.apdu.status import SW, describe
from emulator.apdu.transport import follow
from emulator.crypto import suite_of
from emulator.filesystem import items
from emulator.filesystem.files import messaging_of
from emulator.filesystem.items import Value
from emulator.filesystem.specs import PIN_USE
from harness import tear
from harness.conformance.vector import Vector, action
from harness.connection import InProcess
from harness.terminal import messaging
from harness.terminal.terminal import Terminal, bcd

PLACE = re.compile(r"\$\{([a-z0-9_]+)(?::(\d*):(\d*))?\}")


class StepFailed(AssertionError):
    """A step whose outcome is not what the vector says: which, expected, got."""


class Steps:
    """One vector on one card. ``pin`` is the right one; a step without ``expect`` must end in 9000. ``quotes``: a
    failure quotes what the card gave, which a person's card must not be.
    """

    def __init__(self, terminal: Terminal, pin: str, *, quotes: bool = True) -> None:
        self._quotes = quotes
        self._terminal = terminal
        self._pin = pin
        self._value: Value | None = None
        self._names: dict[str, bytes] = {}

    def run(self, vector: Vector) -> None:
        """All steps in order; StepFailed at the first that fails."""
        self._names = {}
        self._terminal.connection.reset()
        self._terminal.forget()
        for number, step in enumerate(vector.steps, 1):
            try:
                response = self._act(step)
                self._capture(step, response)
                self._check(step.get("expect", {"sw": "9000"}), response)
            except StepFailed as failure:
                name, argument = action(step)
                raise StepFailed(f"step {number} ({name}: {argument}): {failure}") from None

    def _act(self, step: dict[str, Any]) -> ResponseAPDU:
        for name, formula in step.get("let", {}).items():
            ((function, arguments),) = formula.items()
            self._names[name] = self._compute(function, arguments)
        name, argument = action(step)
        self._value = None
        perform: Callable[[Any], ResponseAPDU] = getattr(self, f"_{name}")
        return perform(argument)

    def _capture(self, step: dict[str, Any], response: ResponseAPDU) -> None:
        for name, span in step.get("capture", {}).items():
            start, _, end = span.partition(":")
            self._names[name] = response.data[int(start or 0) : int(end) if end else None]

    def _check(self, expect: dict[str, Any], response: ResponseAPDU) -> None:
        if "sw" in expect:
            wanted = expect["sw"] if isinstance(expect["sw"], list) else [expect["sw"]]
            if not any(matches(pattern, response.sw) for pattern in wanted):
                got = describe(response.sw)
                words = " or ".join(f"{one} ({_meaning(one)})" for one in wanted)
                raise StepFailed(f"expected {words}, got {response.sw:04X} ({got[0]} {got[1]})")
        if "tries_left" in expect:
            left = 0 if response.sw == SW.BLOCKED else response.sw & 0xF if response.sw & 0xFFF0 == 0x63C0 else None
            if left != expect["tries_left"]:
                raise StepFailed(f"expected {expect['tries_left']} tries left, got {response.sw:04X}")
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

    # --- values ------------------------------------------------------------------------------------------------

    def _filled(self, text: str) -> str:
        """Hex with its names replaced."""

        def value(place: re.Match[str]) -> str:
            name, start, end = place.groups()
            if name not in self._names:
                raise StepFailed(f"nothing was captured or computed as {name}")
            return self._names[name][int(start or 0) : int(end) if end else None].hex()

        return PLACE.sub(value, text).replace(" ", "").upper()

    def _bytes(self, text: str) -> bytes:
        return bytes.fromhex(self._filled(text))

    def _compute(self, function: str, arguments: dict[str, Any]) -> bytes:
        layout = self._terminal.layout
        spec = layout.keys[arguments["key"]]
        suite = suite_of(messaging_of(layout, spec.application)[0].algorithm, self._terminal.suite)
        key = self._terminal.card_key(spec.name, arguments.get("version", 1))
        if function == "tac":
            return suite.tac(key, self._bytes(arguments["over"]))
        process_key = suite.process_key(key, self._bytes(arguments.get("factor", "${challenge}")))
        if function == "mac":
            return suite.mac(process_key, self._bytes(arguments["over"]))
        data = self._bytes(arguments["data"])
        return suite.cryptogram(process_key, data) if function == "cryptogram" else suite.encipher(process_key, data)

    # --- the steps, by their names in the schema ---------------------------------------------------------------

    def _reset(self, _: object) -> ResponseAPDU:
        self._terminal.connection.reset()
        self._terminal.forget()
        return ResponseAPDU(b"", SW.OK)

    def _apdu(self, text: str) -> ResponseAPDU:
        return self._sent(self._bytes(text))

    def _sent(self, command: bytes) -> ResponseAPDU:
        """A command in the APDU shape, whatever shape the reader has."""
        return ResponseAPDU.parse(follow(self._terminal.connection.send, command))

    def _tpdu(self, text: str) -> ResponseAPDU:
        return ResponseAPDU.parse(self._terminal.connection.send(self._bytes(text)))

    def _select(self, application: str) -> ResponseAPDU:
        spec = self._terminal.layout.applications[application]
        if spec.dfname:
            return self._terminal.send(CommandAPDU(0x00, 0xA4, 0x04, 0x00, spec.dfname))
        return self._terminal.send(CommandAPDU(0x00, 0xA4, 0x00, 0x00, spec.fid.to_bytes(2, "big")))

    def _challenge(self, size: int) -> ResponseAPDU:
        response = self._terminal.send(CommandAPDU(0x00, 0x84, 0x00, 0x00, le=size))
        self._names["challenge"] = response.data
        return response

    def _digits(self, which: str) -> str:
        # One digit off, whatever the right one is.
        return self._pin if which == "right" else self._pin[:-1] + str((int(self._pin[-1]) + 1) % 10)

    def _verify_pin(self, which: str) -> ResponseAPDU:
        return self._terminal.send(CommandAPDU(0x00, 0x20, 0x00, 0x00, bcd(self._digits(which))))

    def _ask_pin(self, _: object) -> ResponseAPDU:
        return self._terminal.send(CommandAPDU(0x00, 0x20, 0x00, 0x00, le=0))

    def _change_pin(self, step: dict[str, str]) -> ResponseAPDU:
        data = bcd(self._digits(step["old"])) + b"\xff" + bcd(step["new"])
        response = self._terminal.send(CommandAPDU(0x80, 0x5E, 0x01, 0x00, data))
        if response.ok:
            self._pin = step["new"]
        return response

    def _authenticate(self, step: str | dict[str, Any]) -> ResponseAPDU:
        """EXTERNAL AUTHENTICATION in the current application, or VERIFY of a PIN that is proved as a key, on a
        challenge of its own.
        """
        told: dict[str, Any] = {"key": step} if isinstance(step, str) else step
        layout = self._terminal.layout
        spec = layout.keys[told["key"]]
        scheme, _ = messaging_of(layout, spec.application)
        suite = suite_of(scheme.algorithm, self._terminal.suite)
        ins, p1 = (0x20, PIN_PROVED) if spec.use == PIN_USE else (0x82, 0x00)
        key = self._terminal.card_key(spec.name, told.get("version", 1))
        answer = self._challenge(scheme.cryptogram)
        if not answer.ok:
            return answer
        challenge, data = answer.data, bytes(range(8))
        if scheme.cryptogram == 8:
            proof = suite.cryptogram(suite.process_key(key, challenge), data) + data
        else:
            proof = suite.crypt(key, challenge)
        if told.get("cryptogram") == "wrong":
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        version = bytes((told["version"],)) if "version" in told else b""
        return self._terminal.send(CommandAPDU(0x00, ins, p1, spec.id, proof + version))

    def _found(self, path: str) -> tuple[Any, Any]:
        return self._terminal.find(path)

    def _read(self, step: str | dict[str, str]) -> ResponseAPDU:
        told = {"item": step} if isinstance(step, str) else step
        spec, item = self._found(told["item"])
        number = 1 + sum(one.count for one in spec.items[: spec.items.index(item)])
        by_tag = told.get("by", "tag") == "tag"
        p1, p2 = (item.tag or 0, spec.sfi << 3) if by_tag else (number, spec.sfi << 3 | 4)
        response = self._terminal.send(CommandAPDU(0x00, 0xB2, p1, p2, le=0))
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
        return self._terminal.send(CommandAPDU(0x00, 0xDC, item.tag or 0, spec.sfi << 3, record))

    def _secured(self, step: dict[str, Any]) -> ResponseAPDU:
        layout = self._terminal.layout
        spec = layout.keys[step["key"]]
        scheme, _ = messaging_of(layout, spec.application)
        suite = suite_of(scheme.algorithm, self._terminal.suite)
        answer = self._challenge(8)
        if not answer.ok:
            return answer
        sealing = messaging.Sealing(suite, scheme, self._terminal.card_key(spec.name), answer.data)
        header, data = self._bytes(step["header"]), self._bytes(step.get("data", ""))
        cla, ins, p1, p2 = header
        command = sealing.seal(CommandAPDU(cla, ins, p1, p2, data), enciphered=step.get("cipher", False))
        if step.get("mac") == "wrong":
            command.data = command.data[:-1] + bytes((command.data[-1] ^ 1,))
        response = self._terminal.send(command)
        if response.ok and response.data:
            try:
                return ResponseAPDU(sealing.open(response.data, enciphered=step.get("cipher", False)), response.sw)
            except ValueError as error:
                raise StepFailed(str(error)) from None
        return response

    def _tear(self, step: dict[str, Any]) -> ResponseAPDU:
        """The step, with power cut after each of its writes in turn: every outcome is old or new."""
        connection = self._terminal.connection
        assert isinstance(connection, InProcess), "only a virtual card can be torn from power on purpose"
        for outcome in tear.in_session(connection.chip, lambda: self._act(step)):
            if outcome.outcome == "mixed":
                raise StepFailed(f"power cut after write {outcome.after} left {'; '.join(outcome.changes)}")
        return ResponseAPDU(b"", SW.OK)


def matches(pattern: str, sw: int) -> bool:
    """True if a status word fits ``9000``, ``63Cx`` or ``61xx``."""
    return all(a in ("x", b) for a, b in zip(pattern, f"{sw:04X}", strict=True))


def _meaning(pattern: str) -> str:
    return describe(int(pattern.replace("x", "0"), 16))[0]
