"""Runs a vector's steps over a terminal's session."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.status import SW, describe
from emulator.filesystem import items
from emulator.filesystem.items import Value
from harness.conformance.vector import Vector
from harness.terminal.terminal import Refused, Terminal, bcd


class StepFailed(AssertionError):
    """A step whose outcome is not what the vector says: which, expected, got."""


class Runner:
    """One vector on one card. ``pin`` is the right one; a step without ``expect`` must end in 9000."""

    def __init__(self, terminal: Terminal, pin: str) -> None:
        self._terminal = terminal
        self._pin = pin
        self._value: Value | None = None

    def run(self, vector: Vector) -> None:
        """All steps in order; StepFailed at the first that fails."""
        self._terminal.begin()
        for number, step in enumerate(vector.steps, 1):
            name, argument = next((key, value) for key, value in step.items() if key != "expect")
            action: Callable[[Any], ResponseAPDU] = getattr(self, f"_{name}")
            self._value = None
            response = action(argument)
            try:
                self._check(step.get("expect", {"sw": "9000"}), response)
            except StepFailed as failure:
                raise StepFailed(f"{vector.id}, step {number} ({name}: {argument}): {failure}") from None

    def _check(self, expect: dict[str, Any], response: ResponseAPDU) -> None:
        if "sw" in expect and f"{response.sw:04X}" != expect["sw"]:
            got, wanted = describe(response.sw)[0], describe(int(expect["sw"], 16))[0]
            raise StepFailed(f"expected {expect['sw']} ({wanted}), got {response.sw:04X} ({got})")
        if "tries_left" in expect:
            left = 0 if response.sw == SW.BLOCKED else response.sw & 0xF if response.sw & 0xFFF0 == 0x63C0 else None
            if left != expect["tries_left"]:
                raise StepFailed(f"expected {expect['tries_left']} tries left, got {response.sw:04X}")
        if "data" in expect:
            pattern = expect["data"].replace(" ", "").upper()
            if not re.fullmatch(pattern.replace("..", "[0-9A-F]{2}"), response.data.hex().upper()):
                raise StepFailed(f"expected {pattern}, got {response.data.hex().upper()}")
        if "value" in expect and self._value != expect["value"]:
            raise StepFailed(f"expected {expect['value']!r}, got {self._value!r} ({response.sw:04X})")

    # --- the steps, by their names in the schema ---------------------------------------------------------------

    def _reset(self, _: bool) -> ResponseAPDU:
        self._terminal.begin()
        return ResponseAPDU(b"", SW.OK)

    def _apdu(self, text: str) -> ResponseAPDU:
        return ResponseAPDU.parse(self._terminal.connection.send(bytes.fromhex(text)))

    def _select(self, application: str) -> ResponseAPDU:
        return self._tried(lambda: self._terminal.enter(application))

    def _verify_pin(self, which: str) -> ResponseAPDU:
        # One digit off, whatever the right one is.
        digits = self._pin if which == "right" else self._pin[:-1] + str((int(self._pin[-1]) + 1) % 10)
        return self._terminal.send(CommandAPDU(0x00, 0x20, 0x00, 0x00, bcd(digits)))

    def _authenticate(self, key: str) -> ResponseAPDU:
        return self._tried(lambda: self._terminal.authenticate(key))

    def _read(self, path: str) -> ResponseAPDU:
        spec, item = self._terminal.find(path)
        response = self._terminal.send(CommandAPDU(0x00, 0xB2, item.tag or 0, spec.sfi << 3, le=0))
        if response.ok:
            self._value = items.decode(item, response.data[2:])
        return response

    def _update(self, step: dict[str, str]) -> ResponseAPDU:
        spec, item = self._terminal.find(step["item"])
        record = items.tlv(item, step["value"])
        return self._terminal.send(CommandAPDU(0x00, 0xDC, item.tag or 0, spec.sfi << 3, record))

    @staticmethod
    def _tried(action: Callable[[], None]) -> ResponseAPDU:
        try:
            action()
        except Refused as refused:
            return ResponseAPDU(b"", refused.sw)
        return ResponseAPDU(b"", SW.OK)
