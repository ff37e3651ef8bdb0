"""What a terminal sent, once more to a card that is as it was then: the recording's challenges, so that proofs hold."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from emulator import interface
from emulator.apdu.instructions.authentication import GetChallenge
from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from harness.conformance.play import Missing
from harness.trace import read
from harness.trace.read import Event, EventKind
from harness.verdicts.log import Log

RECORD = "sscard run --image CARD --trace FILE --show-secrets --personal-data"


class Fed:
    """Random numbers as the recording has them; others are drawn, and show as answers that differ."""

    def __init__(self) -> None:
        self.next = b""

    def __call__(self, size: int) -> bytes:
        """Returns so many bytes: those of the recording, else random ones."""
        return self.next if len(self.next) == size else os.urandom(size)


def events(path: Path, slot: int) -> list[Event]:
    """What a slot's terminal sent. TraceError; Missing where that was masked, faulty, or nothing at all."""
    found = [event for event in read.events(path) if event.slot == slot and event.kind is not EventKind.CALL]
    if not any(event.kind is EventKind.APDU for event in found):
        raise Missing(_("{name}: nothing was sent to slot {slot} 该槽位无通信记录").format(name=path.name, slot=slot))
    for event in found:
        if event.masked or any("*" in event.told(name) for name in ("command", "answer", "plain")):
            raise Missing(
                _("{name}: line {line} is masked: record with `{record}` 记录已脱敏，无法回放").format(
                    name=path.name, line=event.line, record=RECORD
                )
            )
        if event.kind is EventKind.FAULT:
            raise Missing(
                _("{name}: line {line}: a fault was put in, so the card did not answer by itself").format(
                    name=path.name, line=event.line
                )
            )
    return found


def replay(image: Image, recorded: Iterable[Event], log: Log) -> None:
    """Sends it all to this card, which changes. Missing where the card does not answer as the recorded one did."""
    fed = Fed()
    chip = Chip(image, random=fed, observer=log.card(image.layout))
    for event in recorded:
        if event.kind is EventKind.RESET:
            _same_card(event, image)
            chip.reset()
        elif event.kind is EventKind.OFF:
            chip.power_off()
        elif event.kind is EventKind.APDU:
            fed.next = event.answer[:-2] if GetChallenge.has_ins(event.command) else b""
            answer = chip.transmit(event.command)
            if answer != event.answer:
                told = event.answer.hex().upper() or "nothing"
                raise Missing(
                    _(
                        "line {line}: the recorded card answered {told}, this step's card {answer}: it was "
                        "another card, or in another state 录制时的卡不是该步骤的卡，或状态不同"
                    ).format(line=event.line, told=told, answer=answer.hex().upper())
                )


def _same_card(event: Event, image: Image) -> None:
    told = bytes.fromhex(event.told("atr"))
    if told == image.atr:
        return
    if told == interface.masked(image.atr):
        raise Missing(
            _("line {line}: the chip's number is masked: record with `{record}` 记录已脱敏，无法回放").format(
                line=event.line, record=RECORD
            )
        )
    raise Missing(
        _("line {line}: another card: ATR {told}, the scenario's card has {atr} 不是该步骤的卡").format(
            line=event.line, told=told.hex().upper(), atr=image.atr.hex().upper()
        )
    )
