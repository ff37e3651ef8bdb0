"""Where the page's cards come from: slots of the run, at this moment or an earlier one; images dropped on the page."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.errors import SscardError
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.kept import keep
from emulator.messages import _
from harness.serving import control
from harness.studio.card.held import HeldCard, Standing
from harness.web.refusals import Problem

LARGEST = 4 * 1024 * 1024
"""Bytes of an image that is dropped on the page: ten times the largest that this project makes. [D]"""
KEPT = 8
"""Images that were dropped and can be asked for again, the oldest going first."""
NAMED = re.compile(r"slot:([0-9]{1,4})(?:@([0-9]{1,18}))?|file:([0-9a-f]{16})")
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """Which card is meant: a slot, at the number of a command or (None) now; or an image by its id."""

    slot: int = 0
    number: int | None = None
    file: str = ""

    @classmethod
    def parse(cls, text: str) -> Source:
        """From ``slot:0``, ``slot:0@1234`` or ``file:ID``; Problem."""
        found = NAMED.fullmatch(text)
        if found is None:
            raise Problem(422, "input", _("expected a card as slot:0, slot:0@NUMBER or file:ID"))
        if found[3]:
            return cls(file=found[3])
        return cls(int(found[1]), None if found[2] is None else int(found[2]))


def asking(run: Callable[[], control.Running | None]) -> Ask:
    """Asks the run that the page is of; Problem where there is none, or it does not give what is asked for."""

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        running = run()
        if running is None:
            raise Problem(404, "run", _("this page is of no run with cards: start one with `sscard run --web`"))
        try:
            return control.ask(running, request)
        except control.ControlError as error:
            raise Problem(409, "card", str(error)) from None

    return ask


class Cards:
    """The cards that the page may look at. Used by many threads."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._dropped: dict[str, HeldCard] = {}

    def get(self, source: Source) -> HeldCard:
        """The card that is meant; Problem."""
        if source.file:
            with self._lock:
                found = self._dropped.get(source.file)
            if found is None:
                raise Problem(404, "file", _("this image is not kept any more: drop it on the page again"))
            return found
        request: dict[str, Any] = {"op": "moment", "slot": source.slot}
        if source.number is not None:
            request["n"] = source.number
        return of_moment(self._ask(request))

    def drop(self, content: bytes, name: str) -> tuple[str, HeldCard]:
        """Takes an image in, judged as every image file is; gives its id. Its values are somebody's until one says
        otherwise. Problem.
        """
        if len(content) > LARGEST:
            raise Problem(413, "size", _("{name}: an image holds up to {most} bytes").format(name=name, most=LARGEST))
        try:
            image = Image.from_text(content.decode(), name)
        except UnicodeDecodeError:
            raise Problem(422, "input", _("{name}: no card image: expected UTF-8").format(name=name)) from None
        except SscardError as error:
            raise Problem(422, "input", str(error)) from None
        key, card = secrets.token_hex(8), HeldCard(image)
        with self._lock:
            keep(self._dropped, key, card, KEPT)
        return key, card


def of_moment(told: dict[str, Any]) -> HeldCard:
    """From a run's answer to ``moment``: ``image``, the file's bytes in base64; what the session had come to;
    ``interface``; ``persona``, where the card was made from one; ``n``, the number of what happened last. Problem.
    """
    try:
        image = Image.from_text(base64.b64decode(told["image"], validate=True).decode(), "image")
        interface = Interface(str(told.get("interface", Interface.CONTACT)))
    except (KeyError, TypeError, ValueError, binascii.Error, SscardError):
        raise Problem(502, "card", _("the run did not tell the card as it should: is it of another release?")) from None
    number = told.get("n")
    return HeldCard(
        image,
        Standing.told(told),
        interface,
        made_up=bool(told.get("persona")),
        number=number if isinstance(number, int) else None,
    )
