"""The electronic card (articles 2, 8, 16): issued with the physical one, of the same force, with a PIN of its own."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy.orm import Session

from harness.office.case.case import Case
from harness.office.case.rule import Refusal
from harness.office.measures.articles import Citation
from harness.office.register import queries, secret
from harness.office.register.tables import ElectronicCard, Person

TRIES = 5
"""Wrong entries until the PIN is locked. [D]"""


PURPOSE = "the electronic card's PIN"
HASH_SIZE = 32
WITH_SECRET = b"\x02"
"""How hashes begin that the office's secret went into; those of before are 32 bytes without it."""


def _hashed(session: Session, pin: str, salt: bytes) -> bytes:
    """Slow, and without the office's secret not to be tried at all."""
    return WITH_SECRET + _slow(session, secret.derived(session, PURPOSE) + pin.encode(), salt)


def _slow(session: Session, text: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=HASH_SIZE, n=session.info[secret.HASH_COST], r=8, p=1).derive(text)


def apply(case: Case[Any], person: Person, pin: str) -> None:
    """Applies for it with its initial PIN; who had one with an earlier card has it again, with that PIN."""
    known = queries.electronic_card(case.session, person)
    if known is not None:
        set_pin(case.session, known, pin)
    else:
        salt = os.urandom(16)
        case.session.add(
            ElectronicCard(
                person_id=person.id,
                holder=secrets.token_urlsafe(12),
                pin_salt=salt,
                pin_hash=_hashed(case.session, pin, salt),
                tries=TRIES,
                applied_at=case.now,
            )
        )


def set_pin(session: Session, card: ElectronicCard, pin: str) -> None:
    """A new PIN; all tries are back."""
    card.pin_salt = os.urandom(16)
    card.pin_hash, card.tries = _hashed(session, pin, card.pin_salt), TRIES


def proves(session: Session, card: ElectronicCard, pin: str) -> bool:
    """Whether this is the PIN; a wrong one costs a try. Refusal where none is left."""
    if not card.tries:
        raise Refusal(
            "ELECTRONIC-PIN-LOCKED",
            Citation(16),
            "电子社会保障卡密码已锁定，需根据线上服务渠道提示重置",
            "the electronic card's PIN is locked: reset it as the online channel says",
        )
    card.tries -= 1
    of_before = len(card.pin_hash) == HASH_SIZE
    hashed = _slow(session, pin.encode(), card.pin_salt) if of_before else _hashed(session, pin, card.pin_salt)
    right = hmac.compare_digest(hashed, card.pin_hash)
    if right:
        card.tries = TRIES
        if of_before:
            set_pin(session, card, pin)
    return right
