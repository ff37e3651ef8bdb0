"""电子社会保障卡 (articles 2, 16): its PIN, the credential that it shows, and who may believe it."""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from harness.office.case.case import Case
from harness.office.case.operation import Operation
from harness.office.case.result import Result
from harness.office.case.roles import EVERY_ROLE, SOCIAL_FUNCTION
from harness.office.case.rule import Refusal, Rule
from harness.office.case.shared_rules import AGENTS, ALIVE, IN_USE, NOT_FROZEN, WITH_IDENTITY
from harness.office.electronic import card as electronic
from harness.office.electronic import credential
from harness.office.electronic.credential import CredentialError
from harness.office.measures.articles import Citation
from harness.office.operations.activate_and_pin import PIN_FORM, new_pin
from harness.office.operations.apply import ELECTRONIC_PIN
from harness.office.people import protection
from harness.office.register import queries, secret
from harness.office.register.tables import Credential, ElectronicCard, Setting
from harness.office.requests.models import ApplyElectronic, ChangeElectronicPin, ShowCredential, VerifyCredential
from harness.office.vocabulary import Life, Loss

C = Citation
KEY = "credential-key"
PLAIN, NONCE = 32, 12
"""Bytes of a key as it is, and of what comes before one that is enciphered."""

HAS_ONE = Rule(
    "HAS-ELECTRONIC-CARD",
    C(16),
    "持卡人未申领电子社会保障卡",
    "the holder has no electronic card",
    lambda case: queries.has_electronic_card(case.session, case.holder),
)


GOES_ON = Rule(
    "ELECTRONIC-LOST",
    C(18),
    "实体卡已挂失，持卡人未授权电子社会保障卡继续使用",
    "the physical card is reported lost, and the holder has not authorised that the electronic one goes on",
    lambda case: case.loss is Loss.NONE or case.own_card.electronic_goes_on,
    grade="D",
    formerly="LOST",
)


def _card(case: Case[Any]) -> ElectronicCard:
    card = queries.electronic_card(case.session, case.holder)
    assert card is not None, "HAS_ONE comes first"
    return card


def _proved(case: Case[Any], card: ElectronicCard, pin: str) -> None:
    if not electronic.proves(case.session, card, pin):
        raise Refusal(
            "ELECTRONIC-PIN-WRONG",
            C(16),
            f"电子社会保障卡密码错误，剩余{card.tries}次",
            f"the electronic card's PIN is wrong, {card.tries} tries left",
            keep=True,
        )


def signing_key(session: Session) -> Ed25519PrivateKey:
    """This register's own, drawn when it is first needed; enciphered under the office's secret."""
    kept = session.get(Setting, KEY)
    if kept is None:
        kept = Setting(name=KEY, value=Ed25519PrivateKey.generate().private_bytes_raw())
        session.add(kept)
    if len(kept.value) == PLAIN:  # just drawn, or of a register of before
        nonce = os.urandom(NONCE)
        kept.value = nonce + _cipher(session).encrypt(nonce, kept.value, KEY.encode())
    nonce, text = kept.value[:NONCE], kept.value[NONCE:]
    return Ed25519PrivateKey.from_private_bytes(_cipher(session).decrypt(nonce, text, KEY.encode()))


def _cipher(session: Session) -> AESGCM:
    return AESGCM(secret.derived(session, KEY))


class ApplyElectronicOperation(Operation[ApplyElectronic, Result]):
    """申领电子社会保障卡, where the first application brought none."""

    request, zh, en, citation = (
        ApplyElectronic,
        "申领电子社会保障卡",
        "application for the electronic card",
        C(8),
    )
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        ALIVE,
        WITH_IDENTITY.under(C(16)),
        IN_USE,
        Rule(
            "NO-ELECTRONIC-CARD-YET",
            C(8),
            "一人一卡：持卡人已有电子社会保障卡",
            "one person, one card: the holder has an electronic card already",
            lambda case: not queries.has_electronic_card(case.session, case.holder),
        ),
        ELECTRONIC_PIN,
    )

    def enter(self, case: Case[ApplyElectronic]) -> Result:
        """Enters the electronic card, the same card's other form."""
        electronic.apply(case, case.holder, case.request.pin.get_secret_value())
        return Result()


class ChangeElectronicPinOperation(Operation[ChangeElectronicPin, Result]):
    """密码修改与重置, as the online channel says."""

    request, zh, en, citation = (
        ChangeElectronicPin,
        "电子社会保障卡密码修改与重置",
        "the electronic card's PIN",
        C(16),
    )
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        HAS_ONE,
        Rule(
            "RESET-NEEDS-IDENTITY",
            C(16),
            "重置密码需根据线上服务渠道提示核验身份",
            "a reset asks for the holder's identity, as the online channel says",
            lambda case: case.request.old is not None or case.identified,
        ),
        PIN_FORM,
    )

    def enter(self, case: Case[ChangeElectronicPin]) -> Result:
        """The old PIN is held against it first, if it is a change."""
        card = _card(case)
        if case.request.old is not None:
            _proved(case, card, case.request.old.get_secret_value())
        electronic.set_pin(case.session, card, new_pin(case))
        return Result()


class CredentialShown(Result):
    """The credential's text; whoever has it may show it as the holder's."""

    untrailed = frozenset({"credential"})
    credential: str


class ShowCredentialOperation(Operation[ShowCredential, CredentialShown]):
    """亮证."""

    result = CredentialShown
    request, zh, en, citation = ShowCredential, "电子社会保障卡亮证", "showing the electronic card", C(2, 2)
    roles = EVERY_ROLE
    demands = (HAS_ONE, ALIVE, IN_USE, NOT_FROZEN, GOES_ON)

    def enter(self, case: Case[ShowCredential]) -> CredentialShown:
        """Signed now, good for a minute."""
        card = _card(case)
        _proved(case, card, case.request.pin.get_secret_value())
        text = credential.issue(signing_key(case.session), card.holder, case.own_card.number, case.now)
        return CredentialShown(credential=text)


class CredentialVerified(Result):
    """Whose credential it was."""

    card: str
    holder: protection.PersonShown
    activated: bool


class VerifyCredentialOperation(Operation[VerifyCredential, CredentialVerified]):
    """验证: of the same force as the physical card (article 2), so what that may not do, this may not either."""

    result = CredentialVerified
    roles = EVERY_ROLE
    request, zh, en, citation = VerifyCredential, "电子社会保障卡验证", "verifying an electronic card", C(2, 2)

    def enter(self, case: Case[VerifyCredential]) -> CredentialVerified:
        """Enters that a credential was shown, which counts once; returns whose it is. Refusal."""
        try:
            shown = credential.verify(signing_key(case.session).public_key(), case.request.text, case.now)
        except CredentialError as error:
            raise Refusal(f"CREDENTIAL-{error.why.upper()}", self.citation, error.zh, error.en) from None
        holder = queries.electronic_card_by_holder(case.session, shown.holder)
        card = queries.card(case.session, shown.card)
        if holder is None or card is None or card.life is not Life.ISSUED or card.person_id != holder.person_id:
            raise Refusal(
                "CREDENTIAL-UNKNOWN", self.citation, "登记库中无此电子社会保障卡", "the register knows no such card"
            )
        if queries.credential_used(case.session, shown.serial):
            raise Refusal("CREDENTIAL-USED", self.citation, "该二维码已使用过", "this credential was used already")
        case.person, case.card = holder.person, card
        for rule in (NOT_FROZEN, GOES_ON):
            rule.demand(case)
        case.session.add(Credential(serial=shown.serial, used_at=case.now))
        return CredentialVerified(
            card=card.number,
            holder=protection.masked(holder.person),
            activated=card.activated_at is not None,
        )
