"""An office put somewhere else whole: its register and its cards, into an empty one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from emulator.errors import ErrorKind
from emulator.messages import _
from harness.office.cards import chosen
from harness.office.cards.store import Cards
from harness.office.register import copying, queries
from harness.office.register.address import Address
from harness.office.register.copying import Copied
from harness.office.register.failures import RegisterError
from harness.office.register.store import Register


class CardsThere(RegisterError):
    """The drawer that is to take the cards has one of them."""

    kind = ErrorKind.REFUSED


def copy(
    register: Register, cards: Cards, address: Address, folder: Path | None = None, secret_file: Path | None = None
) -> tuple[Copied, int]:
    """Copies all into an empty register at this address, with the same secret, and the cards into its drawer; how many
    cards. Nobody writes in the old register meanwhile. All or nothing, but for the empty register itself. NotEmpty,
    NotWhole, CardsThere; ImageError where a card is in a reader.
    """
    with (
        copying.empty(address, secret_file, register.secret) as target,
        register.transaction() as old,
        contextlib.ExitStack() as undone,
    ):
        drawer = chosen.store(target, folder)
        with target.transaction() as new:
            copied = copying.rows(old, new, target.database.counted_on)
            there = [one.number for one in queries.every_card(old) if cards.has(one.number)]
            for number in there:
                try:
                    drawer.put(number, cards.image(number))
                except FileExistsError:
                    raise CardsThere(_("the new drawer has card {number} already").format(number=number)) from None
                undone.callback(drawer.forget, number)
        undone.pop_all()
    return copied, len(there)
