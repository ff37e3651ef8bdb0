"""The electronic card (articles 2, 8, 16): issued with the physical one, of the same force, with a PIN of its own."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.office.case import Case
from harness.office.measures import Citation
from harness.office.register.tables import ElectronicCard, Person
from harness.office.rule import Refusal

TRIES = 5
"""Wrong entries until the PIN is locked. [D]"""


def _hashed(pin: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**13, r=8, p=1).derive(pin.encode())


def of(session: Session, person: Person) -> ElectronicCard | None:
    """The person's electronic card."""
    return session.scalar(select(ElectronicCard).where(ElectronicCard.person_id == person.id))


def apply(case: Case[Any], person: Person, pin: str) -> None:
    """Applies for it with its initial PIN; who had one with an earlier card has it again, with that PIN."""
    known = of(case.session, person)
    if known is not None:
        set_pin(known, pin)
    else:
        salt = os.urandom(16)
        case.session.add(
            ElectronicCard(
                person_id=person.id,
                holder=secrets.token_urlsafe(12),
                pin_salt=salt,
                pin_hash=_hashed(pin, salt),
                tries=TRIES,
                applied_at=case.now,
            )
        )


def set_pin(card: ElectronicCard, pin: str) -> None:
    """A new PIN; all tries are back."""
    card.pin_salt = os.urandom(16)
    card.pin_hash, card.tries = _hashed(pin, card.pin_salt), TRIES


def proves(card: ElectronicCard, pin: str) -> bool:
    """Whether this is the PIN; a wrong one costs a try. Refusal where none is left."""
    if not card.tries:
        raise Refusal(
            "ELECTRONIC-PIN-LOCKED",
            Citation(16),
            "电子社会保障卡密码已锁定，需根据线上服务渠道提示重置",
            "the electronic card's PIN is locked: reset it as the online channel says",
        )
    card.tries -= 1
    right = hmac.compare_digest(_hashed(pin, card.pin_salt), card.pin_hash)
    if right:
        card.tries = TRIES
    return right
