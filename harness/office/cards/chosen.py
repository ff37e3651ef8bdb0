"""Which card store an office has: a folder that was named, the drawer beside the register's file, or the register."""

from __future__ import annotations

from pathlib import Path

from harness.office.cards.store import Cards, CardStore
from harness.office.register.address import Address
from harness.office.register.store import Register

DRAWER = "office-cards"
"""Beside a register's file."""


def folder(address: Address, named: Path | None) -> Path | None:
    """The folder that cards are kept in; None where the register itself keeps them."""
    return named or (address.with_name(DRAWER) if isinstance(address, Path) else None)


def store(register: Register, named: Path | None, *, durable: bool = True) -> Cards:
    """The card store of an office with this register. ``named``: the folder of cards, if one was named."""
    chosen = folder(register.address, named)
    if chosen is not None:
        return CardStore(chosen, durable=durable)
    from harness.office.cards.in_register import RegisterCards
    from harness.office.register.on_server import PostgresServer

    assert isinstance(register.database, PostgresServer)
    return RegisterCards(register.database)
