"""查询 (article 22), 信息变更 (23), 参保地转移 (24)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from harness.office.cards.in_reader import CardInReader
from harness.office.cards.jobs import Item, Job, MoveInsurances, WriteItems
from harness.office.case.case import Case
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import EVERY_ROLE, SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.services import Deadline, how_far
from harness.office.case.shared_rules import AGENTS, USE, WITH_CARD
from harness.office.measures.articles import Citation
from harness.office.operations.apply import agrees_with_number, last_day, occupation, registered
from harness.office.operations.corrections import BIRTH, ETHNIC_GROUP, PROVED, SEX, corrected, held, own_document
from harness.office.people import protection
from harness.office.register import queries
from harness.office.requests.models import ALL, NO_OCCUPATION, ChangeInformation, Query, Transfer
from harness.office.vocabulary import AccountState, Kind, Life, Loss, Progress, Role
from harness.terminal import region as regions

C = Citation
PHONE, ADDRESS = "DF01/EF06/28", "DF01/EF06/23"
CONTACT, CONTACT_PHONE = "DF01/EF06/2C", "DF01/EF06/2D"
OCCUPATION = "DF02/EF06/3A"


class CardState(Result):
    """A card as its holder is told of it. ``frozen``, ``suspended``: why, empty where it is not; ``account``: the bank
    account's state, empty where there is none; ``half_way``: work on it was begun and not ended.
    """

    number: str
    bank: str
    life: Life
    life_zh: str
    activated: bool
    loss: Loss
    loss_zh: str
    frozen: str
    suspended: str
    usable: bool
    valid_until: date
    account: AccountState | Literal[""]
    half_way: bool


class ApplicationState(Deadline):
    """An application, and how far it is. ``fee``: in fen."""

    application: int
    kind: Kind
    kind_zh: str
    progress: Progress
    progress_zh: str
    accepted: datetime
    fee: int


class Found(Result):
    """What is known of a person. ``electronic``: there is an electronic card."""

    holder: protection.PersonShown
    cards: list[CardState]
    applications: list[ApplicationState]
    electronic: bool


class QueryOperation(Operation[Query, Found]):
    """查询: progress and state."""

    result = Found
    request, zh, en, citation = Query, "查询", "query", C(22)
    only_reads, card = True, CardUse.WELCOME
    roles = EVERY_ROLE
    demands = (
        *AGENTS,
        Rule(
            "CARD-OR-IDENTITY",
            C(22),
            "持本人社会保障卡或居民身份证等有效身份证件查询",
            "the card or the identity document is needed",
            lambda case: case.in_hand or case.identified,
        ),
        Rule(
            "WHOLE-DATA",
            C(29),
            "银行角色查询仅显示脱敏信息",
            "the bank's role sees masked data only",
            lambda case: not case.request.whole or case.clerk.role is not Role.BANK,
            grade="D",
        ),
        Rule(
            "WHOLE-PURPOSE",
            C(29),
            "完整信息只提供给持有效身份证件到场的本人；其他情形应说明用途",
            "data in full are for the holder who came with the identity document, else for a purpose that is told",
            lambda case: not case.request.whole or case.request.purpose is not None or _came_in_person(case),
            grade="D",
        ),
    )

    def enter(self, case: Case[Query]) -> Found:
        """What is known; people's data are masked unless the whole is asked for, and the trail says which."""
        person = case.holder
        return Found(
            holder=protection.whole(person) if case.request.whole else protection.masked(person),
            cards=[_card(case, one) for one in queries.cards_with_state(case.session, person)],
            applications=[_application(case, one) for one in queries.applications_of(case.session, person)],
            electronic=queries.has_electronic_card(case.session, person),
        )


def _came_in_person(case: Case[Query]) -> bool:
    return case.identified and case.request.agent is None


def _card(case: Case[Any], found: queries.Found) -> CardState:
    loss = case.services.loss(found, case.now)
    return CardState(
        number=found.number,
        bank=found.bank,
        life=found.life,
        life_zh=found.life.zh,
        activated=found.activated_at is not None,
        loss=loss,
        loss_zh=loss.zh,
        frozen=found.frozen_why if found.frozen_at else "",
        suspended=found.suspended_why if found.suspended_at else "",
        usable=case.services.usable(found, case.now),
        valid_until=found.valid_until,
        account=found.account or "",
        half_way=found.pending is not None,
    )


def _application(case: Case[Any], one: queries.Found) -> ApplicationState:
    due = case.services.deadline(one, case.today)
    return ApplicationState.model_validate({**how_far(one), "fee": one.fee, **due})


NO_CARD_WAITS = Rule(
    "NEW-CARD-WAITS",
    C(21),
    "新卡已制作待发放，其内容不随之变更：应领取新卡后办理",
    "a new card is made and waits, and would not say so: it is handed out first",
    lambda case: (open_ := case.open_application) is None or open_.card_id is None,
    grade="D",
)


class Changed(Result):
    """The names of what has changed."""

    changed: list[str]


class ChangeInformationOperation(Operation[ChangeInformation, Changed]):
    """信息变更."""

    result = Changed
    card = CardUse.NEEDED
    request, zh, en, citation = ChangeInformation, "信息变更", "change of information", C(23)
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        WITH_CARD.under(C(23)),
        *USE,
        NO_CARD_WAITS,
        Rule(
            "NAME-NEEDS-NEW-CARD",
            C(21),
            "姓名、证件号码或照片发生变化的，应办理换领",
            "where name, number or photograph changes, the card is replaced",
            lambda case: case.request.name is None and case.request.document is None and case.request.photo is None,
        ),
        Rule(
            "BIRTH-AND-SEX-CHECKED",
            C(11),
            "校核未通过：出生日期、性别与证件号码不符",
            "the check failed: birth and sex do not agree with the document's number",
            lambda case: _agrees(case),
            grade="D",
            formerly="INFORMATION-CHECKED",
        ),
        PROVED,
        Rule(
            "SOMETHING-CHANGES",
            C(23),
            "个人信息未发生变化",
            "nothing changes",
            lambda case: bool(changed(case)),
            grade="D",
        ),
    )

    def read_chip(self, request: ChangeInformation, card: CardInReader) -> dict[str, str]:
        """The items that are to change, of those that the card has: a card of 1.00 has other ones."""
        return held(card, _items(request))

    def plan(self, case: Case[ChangeInformation]) -> Job | None:
        """Those that stand on the chip too."""
        planned = [
            Item(path=path, before=case.chip_items[path], after=value)
            for path, value in _items(case.request).items()
            if path in case.chip_items
        ]
        different = tuple(one for one in planned if one.before != one.after)
        return WriteItems(items=different) if different else None

    def enter(self, case: Case[ChangeInformation]) -> Changed:
        """The register as the holder says."""
        changes, holder = changed(case), case.holder
        guardian = case.request.guardian
        for name, value in changes.items():
            if name != "guardian":
                setattr(holder, name, value)
        if guardian is not None:
            registered(case, holder, guardian)
        return Changed(changed=sorted(changes))


def _agrees(case: Case[ChangeInformation]) -> bool:
    request, person = case.request, case.holder
    if request.birth is None and request.sex is None:
        return True
    return agrees_with_number(own_document(person), request.birth or person.birth, request.sex or person.sex)


def changed(case: Case[ChangeInformation]) -> dict[str, Any]:
    """What is asked to change and is not so already."""
    person, request = case.holder, case.request
    fields: dict[str, Any] = {name: getattr(request, name) for name in ("phone", "address")}
    fields |= {"occupation": occupation(request.occupation)} if request.occupation is not None else {}
    given = {name: value for name, value in fields.items() if value not in (None, getattr(person, name))}
    if request.document_until is not None and last_day(request.document_until) != person.document_until:
        given["document_until"] = last_day(request.document_until)
    return given | corrected(case) | ({"guardian": request.guardian} if request.guardian is not None else {})


def _items(request: ChangeInformation) -> dict[str, str]:
    guardian = request.guardian
    items = {
        PHONE: request.phone,
        ADDRESS: request.address,
        OCCUPATION: request.occupation if request.occupation != NO_OCCUPATION else None,
        SEX: request.sex,
        ETHNIC_GROUP: request.ethnic_group,
        BIRTH: f"{request.birth:%Y%m%d}" if request.birth else None,
        CONTACT: guardian.name if guardian else None,
        CONTACT_PHONE: guardian.phone if guardian else None,
    }
    return {path: value for path, value in items.items() if value is not None}


def _named(case: Case[Transfer]) -> list[str]:
    """The insurances that are to move, of those that the card holds."""
    return [path for path in case.chip_items if ALL in case.request.insurance or path in case.request.insurance]


class Transferred(Result):
    """``origin``: where each insurance was, by the card's item."""

    origin: dict[str, str] = Field(alias="from")
    to: str


class TransferOperation(Operation[Transfer, Transferred]):
    """参保地转移, in the card and in the register: of one insurance, or of several."""

    result = Transferred
    card = CardUse.NEEDED
    request, zh, en, citation = Transfer, "参保地转移", "transfer of the insurance region", C(24)
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        WITH_CARD.under(C(24)),
        *USE,
        NO_CARD_WAITS,
        Rule(
            "WITHIN-PROVINCE",
            C(24),
            "卡内参保地转移限省内跨地区转移",
            "the region in the card moves within the province",
            lambda case: case.request.to[:2] == case.holder.region[:2],
        ),
        Rule(
            "HAS-INSURANCE",
            C(24),
            "卡内没有所述险种的参保地信息，无可转移",
            "the card does not hold the insurance whose region should move",
            lambda case: bool(_named(case)) and set(case.request.insurance) <= {ALL, *case.chip_items},
            grade="D",
        ),
        Rule(
            "ANOTHER-REGION",
            C(24),
            "参保地未发生变化",
            "the region is the same",
            lambda case: any(case.holder.insured.get(one) != case.request.to for one in _named(case)),
            grade="D",
        ),
        Rule(
            "REGION-CHECKED",
            C(24),
            "系统级核验未通过：卡内当前参保地与登记不一致",
            "the system's check failed: the card's present regions are not what is registered",
            lambda case: all(case.chip_items[one] == case.holder.insured.get(one) for one in _named(case)),
        ),
    )

    def read_chip(self, request: Transfer, card: CardInReader) -> dict[str, str]:
        """Returns the region of every insurance, by its item."""
        del request
        return {one.binding.item: one.code for one in regions.read(card.terminal)}

    def plan(self, case: Case[Transfer]) -> Job | None:
        """Those that were named and are elsewhere."""
        target = case.request.to
        return MoveInsurances(
            items=tuple(
                Item(path=one, before=case.chip_items[one], after=target)
                for one in _named(case)
                if case.chip_items[one] != target
            )
        )

    def enter(self, case: Case[Transfer]) -> Transferred:
        """Enters the regions that the chip has now."""
        holder, target = case.holder, case.request.to
        before = {path: code for path, code in holder.insured.items() if self._moves(case, path)}
        holder.insured = {**holder.insured, **dict.fromkeys(before, target)}
        return Transferred.model_validate({"from": before, "to": target})

    @staticmethod
    def _moves(case: Case[Transfer], path: str) -> bool:
        return ALL in case.request.insurance or path in case.request.insurance
