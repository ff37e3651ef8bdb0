"""A card taken up for working on it by hand, from options."""

from __future__ import annotations

from collections.abc import Callable

from emulator.messages import deferred
from harness.cli import pins
from harness.cli.card_options import Target
from harness.console.hand import ByHand
from harness.keys import roots
from harness.readers.connection import InProcess


def by_hand(target: Target, keys: str | None, pin: str | None, *, asks: bool = True) -> ByHand:
    """The card of a target. ``keys``: a file of roots, ``test``, or None: none for a card in a reader, and for one in
    this process the published ones, which it has. ``pin``: asked for without echo where it is needed and None,
    but not where ``asks`` is false, as standard input is steps, none of which may be taken for a PIN.
    """
    image = target.connection.chip.image if isinstance(target.connection, InProcess) else None
    source = roots.load(keys or (roots.TEST if image is not None else None))
    heard = target.heard
    return ByHand(
        target.connection, source, _asking(pin, asks=asks), known=target.known, image=image,
        reason=(lambda: heard.reason) if heard is not None else str,
    )  # fmt: skip


def _asking(pin: str | None, *, asks: bool) -> Callable[[str], str]:
    def ask(kind: str) -> str:
        if kind == "new":
            return typed(deferred("New PIN"), "--new-pin", pins.NEW_PIN, confirm=True)
        return pin or typed(deferred("PIN"), "--pin", pins.PIN)

    def typed(label: str, option: str, variable: str, *, confirm: bool = False) -> str:
        if not asks:
            raise pins.unasked(label, option, variable)
        return pins.ask(label, option, variable, confirm=confirm)

    return ask
