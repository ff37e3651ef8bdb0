"""Every rule of the office refuses what its article forbids, and says the article."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from emulator.personas import numbers
from harness.office.case import shared_rules
from harness.office.case.rule import Refusal
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.register import audit, seed
from harness.office.register.tables import AccountRefusal, Bank, Card
from harness.office.requests import models as requests
from harness.office.requests.models import Document, Request
from harness.office.vocabulary import Cancellation, DocumentType, Incapacity, Loss, PersonKind, Relation, Replacement
from tests.kit.offices import Desk, agent, ask, child, citizen, moving

ME = citizen()
DOC = ME.document
SHOWN = (DOC,)
T = DocumentType
OUTSIDE = "51980019900307001" + numbers.citizen_check("51980019900307001")
"""Passes its check digit and begins otherwise; nobody's either, as GB/T 2260 has no 519800."""
Deed = Callable[[Desk], object]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def apply(person: requests.Personal = ME, **more: Any) -> requests.Apply:
    told = {"shown": (person.document,), "bank": seed.BANK, "electronic_pin": "135790"}
    return ask(requests.Apply, person=person, **(told | more))


def refused(deed: Callable[[], object]) -> tuple[str, int, int]:
    with pytest.raises(Refusal) as caught:
        deed()
    said = str(caught.value)
    assert caught.value.citation.label_zh in said
    assert caught.value.citation.label_en in said
    return caught.value.rule, caught.value.citation.article, caught.value.citation.paragraph


def first(deed: Callable[[Desk, str], object], **more: Any) -> Deed:
    """With a card in use."""
    return lambda desk: deed(desk, desk.active(**more))


def not_activated(deed: Callable[[Desk, str], object]) -> Deed:
    return lambda desk: deed(desk, desk.issued())


def lost(kind: Loss, deed: Callable[[Desk, str], object]) -> Deed:
    def all_of_it(desk: Desk) -> object:
        number = desk.active()
        desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind=kind))
        return deed(desk, number)

    return all_of_it


def later(deed: Deed, **span: float) -> Deed:
    def all_of_it(desk: Desk) -> object:
        desk.clock.step(timedelta(**span))
        return deed(desk)

    return all_of_it


def at(moment: datetime, deed: Deed) -> Deed:
    def all_of_it(desk: Desk) -> object:
        desk.clock.set(moment)
        return deed(desk)

    return all_of_it


def do(request: Request, clerk: str = "") -> Deed:
    return lambda desk: desk.do(request, clerk)


def with_card(request: Request, clerk: str = "") -> Callable[[Desk, str], object]:
    return lambda desk, number: desk.with_card(number, request, clerk)


def frozen(desk: Desk, number: str) -> str:
    desk.do(ask(requests.Freeze, card=number, why="测试"), seed.OFFICER)
    return number


def bank_refuses(desk: Desk) -> object:
    with desk.register.transaction() as session:
        session.add(AccountRefusal(document_number=DOC.number, reason="身份核验未通过"))
    return desk.do(apply())


def another_region(desk: Desk, number: str) -> object:
    """The card says another region than the register."""
    with desk.register.transaction() as session:
        card = session.query(Card).filter_by(number=number).one()
        card.person.insured = dict.fromkeys(card.person.insured, "510700")
    return desk.with_card(number, moving("510300"))


def another_holders_card(desk: Desk, number: str) -> object:
    other = citizen(31)
    desk.active(other)
    return desk.with_card(number, ask(requests.Query, holder=other.document))


def reissued(desk: Desk, number: str) -> object:
    desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN))
    return desk.with_card(number, ask(requests.LiftLoss, holder=DOC, shown=SHOWN))


def two_applications(desk: Desk, _: str) -> object:
    desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN))
    return desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN))


def replaced(request: requests.Replace) -> Callable[[Desk, str], object]:
    return lambda desk, number: desk.with_card(number, request)


def handed_out_twice(desk: Desk) -> object:
    number = desk.applied()
    desk.do(ask(requests.Make, application=number))
    desk.do(ask(requests.HandOut, application=number, shown=SHOWN))
    return desk.do(ask(requests.HandOut, application=number, shown=SHOWN))


def failed_twice(desk: Desk) -> object:
    number = desk.applied()
    desk.do(ask(requests.Make, application=number))
    for _ in range(2):
        desk.do(ask(requests.DeliveryFailed, application=number))
    return desk.do(ask(requests.HandOut, application=number, shown=SHOWN))


def disposed_too_soon(desk: Desk) -> object:
    number = desk.applied()
    desk.do(ask(requests.Make, application=number))
    desk.do(ask(requests.DeliveryFailed, application=number))
    return desk.do(ask(requests.Dispose, application=number, reason="undelivered-twice"), seed.OFFICER)


def cancelled_meanwhile(desk: Desk, number: str) -> object:
    application = desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN)).data["application"]
    desk.do(ask(requests.Make, application=application))
    desk.do(cancel(Cancellation.PENSION_ENDED, T.WRITTEN_REQUEST, card=number))
    return desk.do(ask(requests.HandOut, application=application, shown=SHOWN))


def cancel(reason: Cancellation, *shown: DocumentType, **more: Any) -> requests.Cancel:
    papers = tuple(Document(type=one) for one in shown)
    return ask(requests.Cancel, reason=reason, holder=DOC, shown=(DOC, *papers), **more)


def cancelled(deed: Callable[[Desk, str], object]) -> Callable[[Desk, str], object]:
    def all_of_it(desk: Desk, number: str) -> object:
        desk.with_card(number, cancel(Cancellation.PENSION_ENDED, T.WRITTEN_REQUEST))
        return deed(desk, number)

    return all_of_it


HKMT = citizen(kind=PersonKind.HKMT, document=Document(type=T.PASSPORT, number="H00000001"), country="HKG")
OLD_PASSPORT = citizen(
    kind=PersonKind.FOREIGNER, document=Document(type=T.PASSPORT, number="P0000001"), document_until=date(2025, 3, 2)
)
BATCH = {
    "institution": "虚构学校",
    "clerk_name": "测试经办",
    "clerk_document": citizen(41).document,
    "bank": seed.BANK,
    "people": (ME,),
}
SURPLUS = ask(
    requests.RecordSurplus,
    holder=DOC,
    number="B00000018",
    bank=seed.OTHER_BANK,
    chip="0000000000000001",
    identification="0" * 32,
)


def successor(desk: Desk, number: str) -> int:
    """The application for the card that takes over from this one; that card is made."""
    replaced = desk.with_card(number, ask(requests.Replace, shown=SHOWN, reason="looks-changed"))
    application = int(replaced.data["application"])
    desk.do(ask(requests.Make, application=application))
    return application


def held(kind: type[requests.Freeze | requests.Suspend]) -> Callable[[Desk, str], object]:
    """The new card handed out while supervision holds the old one."""

    def hand_out(desk: Desk, number: str) -> object:
        application = successor(desk, number)
        desk.do(ask(kind, card=number, why="测试"), seed.OFFICER)
        return desk.do(ask(requests.HandOut, application=application, shown=SHOWN))

    return hand_out


def withdrawn_before(desk: Desk) -> object:
    made = str(desk.do(ask(requests.Make, application=desk.applied())).data["card"])
    return desk.with_card(made, ask(requests.Withdraw, why="测试"), seed.OFFICER)


CASES: dict[str, tuple[tuple[str, int, int], Deed]] = {
    "before the Measures": (("IN-FORCE", 34, 1), at(datetime(2023, 8, 31, 23, 59), do(apply()))),
    "after the Measures": (("IN-FORCE", 34, 1), at(datetime(2028, 9, 1), do(apply()))),
    "loss online": (("CHANNEL", 33, 1), do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, channel="online"))),
    "kiosk PIN": (("CHANNEL", 33, 1), do(ask(requests.ChangePin, old="123456", new="246802", channel="kiosk"))),
    "small bank's outlet": (("OUTLET-MAKES-CARDS", 6, 1), do(apply(), seed.SMALL_BANK)),
    "bank's role": (("SOCIAL-FUNCTION", 6, 1), do(apply(), seed.BANKER)),
    "a real citizen id": (("FICTITIOUS", 29, 1), do(apply(citizen(document=Document(
        type=T.ID_CARD, number=OUTSIDE))))),
    "not eligible": (("ELIGIBLE", 8, 1), do(apply(entitlement="none"))),
    "no bank of here": (("BANK-CHOICE", 8, 1), do(apply(bank="bank-z"))),
    "wrong kind of document": (("DOCUMENT-KIND", 9, 2), do(apply(HKMT))),
    "an adult's household register": (("DOCUMENT-KIND", 9, 2), do(apply(citizen(
        document=Document(type=T.HOUSEHOLD, number="519900-1"))))),
    "document not shown": (("DOCUMENT-SHOWN", 9, 2), do(apply(shown=()))),
    "document run out": (("DOCUMENT-SHOWN", 9, 2), do(apply(OLD_PASSPORT))),
    "no photo": (("PHOTO", 10, 1), do(apply(citizen(photo=None)))),
    "no photo at seven": (("PHOTO", 10, 1), do(apply(child(birth=date(2018, 3, 3))))),
    "no guardian": (("GUARDIAN", 10, 1), do(apply(child(guardian=None)))),
    "no capacity, no guardian": (("GUARDIAN", 10, 1), do(apply(citizen(full_capacity=False)))),
    "sex and number": (("INFORMATION-CHECKED", 11, 1), do(apply(citizen(sex="2")))),
    "bank's check": (("BANK-CHECK", 11, 1), bank_refuses),
    "second card": (("ONE-CARD", 8, 1), first(lambda desk, _: desk.do(apply()))),
    "second application": (("ONE-CARD", 8, 1), lambda desk: (desk.applied(), desk.do(apply()))),
    "no electronic PIN": (("ELECTRONIC-PIN", 16, 1), do(apply(electronic_pin=None))),
    "batch without letter": (("LETTER", 9, 2), do(ask(requests.ApplyBatch,
        **BATCH, shown=(citizen(41).document,)))),
    "batch, nobody's document": (("INSTITUTION-AGENT", 9, 2), do(
        ask(requests.ApplyBatch, **BATCH, letter="介绍信1号"))),
    "made at a grassroots platform": (("CAN-MAKE", 11, 2), lambda desk: desk.do(
        ask(requests.Make, application=desk.applied()), seed.COUNTER)),
    "handed out before made": (("MADE-AND-WAITING", 12, 1), lambda desk: desk.do(
        ask(requests.HandOut, application=desk.applied(), shown=SHOWN))),
    "handed out twice": (("MADE-AND-WAITING", 12, 1), handed_out_twice),
    "made twice": (("NOT-MADE-YET", 12, 1), lambda desk: (desk.issued(), desk.do(ask(requests.Make, application=1)))),
    "extended after handing out": (("NOT-HANDED-OUT-YET", 12, 1), lambda desk: (
        desk.issued(), desk.do(ask(requests.Extend, application=1, days=5, reason="other")))),
    "disposed after handing out": (("APPLICATION-OPEN", 12, 1), lambda desk: (
        desk.issued(), desk.do(ask(requests.Dispose, application=1, reason="died-meanwhile"), seed.OFFICER))),
    "old card frozen": (("OLD-CARD-FROZEN", 30, 1), first(held(requests.Freeze))),
    "old card suspended": (("OLD-CARD-SUSPENDED", 30, 1), first(held(requests.Suspend))),
    "withdrawn before it was handed out": (("HANDED-OUT", 27, 1), withdrawn_before),
    "a new document that is not shown": (("NEW-DOCUMENT-SHOWN", 21, 1), first(with_card(ask(
        requests.Replace, shown=SHOWN, reason="name-or-number-changed", document=citizen(15).document)))),
    "another's document": (("NEW-DOCUMENT-CHECKED", 11, 1), first(with_card(ask(
        requests.Replace, shown=(*SHOWN, citizen(16).document), reason="name-or-number-changed",
        document=citizen(16).document)))),
    "sex that the number contradicts": (("BIRTH-AND-SEX-CHECKED", 11, 1), first(with_card(ask(
        requests.ChangeInformation, sex="2", shown=(*SHOWN, Document(type=T.HOUSEHOLD)))))),
    "handed out after two failures": (("FAILED-TWICE", 27, 1), failed_twice),
    "another city's bank": (("BANK-CHOICE", 8, 1), do(apply(bank=seed.CITY_BANK))),
    "a batch's bank is none": (("BANK-KNOWN", 8, 1), do(ask(requests.ApplyBatch,
        **(BATCH | {"bank": "bank-z"}), letter="介绍信1号", shown=(citizen(41).document,)))),
    "whole for an agent without purpose": (("WHOLE-PURPOSE", 29, 1), first(lambda desk, _: desk.do(ask(
        requests.Query, holder=DOC, shown=SHOWN, whole=True, agent=agent(Incapacity.OTHER, Relation.SPOUSE))))),
    "an agent asks without letter": (("AGENT-COMMITMENT", 32, 2), first(lambda desk, _: desk.do(ask(requests.Query,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.OTHER, Relation.SPOUSE).model_copy(
            update={"shown": (citizen(13).document,)}))))),
    "suspended card": (("SUSPENDED", 30, 1), first(lambda desk, number: (
        desk.do(ask(requests.Suspend, card=number, why="测试"), seed.OFFICER),
        desk.with_card(number, moving("510700"))))),
    "suspended twice": (("NOT-SUSPENDED-YET", 30, 1), first(lambda desk, number: (
        desk.do(ask(requests.Suspend, card=number, why="测试"), seed.OFFICER),
        desk.do(ask(requests.Suspend, card=number, why="测试"), seed.OFFICER)))),
    "resumed, not suspended": (("IS-SUSPENDED", 30, 1), first(
        lambda desk, number: desk.do(ask(requests.Unsuspend, card=number), seed.OFFICER))),
    "disposed after one failure": (("UNDELIVERED-TWICE", 27, 1), disposed_too_soon),
    "disposed by a clerk": (("MANAGEMENT-BODY", 3, 1), lambda desk: desk.do(
        ask(requests.Dispose, application=desk.applied(), reason="died-meanwhile"))),
    "activation without card": (("CARD-SHOWN", 13, 1), lambda desk: (desk.issued(), desk.do(
        ask(requests.Activate, holder=DOC, shown=SHOWN)))),
    "activation without identity": (("IDENTITY-SHOWN", 13, 1), not_activated(with_card(requests.Activate()))),
    "activated twice": (("NOT-YET-ACTIVE", 13, 1), first(with_card(ask(requests.Activate, shown=SHOWN)))),
    "PIN before activation": (("ACTIVATED", 13, 2), not_activated(
        with_card(ask(requests.ChangePin, old="123456", new="246802")))),
    "transfer before activation": (("ACTIVATED", 13, 2), not_activated(with_card(moving("510700")))),
    "initial PIN": (("PIN-NOT-INITIAL", 14, 1), first(with_card(ask(requests.ChangePin, old="123456", new="123456")))),
    "no PIN": (("PIN-FORM", 14, 1), first(with_card(ask(requests.ChangePin, old="123456", new="12x")))),
    "PIN without card": (("CARD-SHOWN", 15, 1), first(
        lambda desk, _: desk.do(ask(requests.ChangePin, old="123456", new="246802", holder=DOC, shown=SHOWN)))),
    "reset without identity": (("IDENTITY-SHOWN", 15, 2), first(with_card(ask(requests.ResetPin, new="246802")))),
    "reset without card": (("CARD-SHOWN", 15, 2), first(
        lambda desk, _: desk.do(ask(requests.ResetPin, new="246802", holder=DOC, shown=SHOWN)))),
    "electronic PIN wrong": (("ELECTRONIC-PIN-WRONG", 16, 1), first(
        lambda desk, _: desk.do(ask(requests.ChangeElectronicPin, holder=DOC, old="000000", new="111222")))),
    "electronic PIN reset by nobody": (("RESET-NEEDS-IDENTITY", 16, 1), first(
        lambda desk, _: desk.do(ask(requests.ChangeElectronicPin, holder=DOC, new="111222")))),
    "no PIN for it": (("ELECTRONIC-PIN", 16, 1), do(apply(electronic_pin="12x4"))),
    "a second electronic card": (("NO-ELECTRONIC-CARD-YET", 8, 1), first(
        lambda desk, _: desk.do(ask(requests.ApplyElectronic, holder=DOC, shown=SHOWN, pin="135790")))),
    "no electronic card": (("HAS-ELECTRONIC-CARD", 16, 1), lambda desk: (
        desk.do(ask(requests.ApplyBatch, **BATCH, letter="1", shown=(citizen(41).document,))),
        desk.do(ask(requests.ChangeElectronicPin, holder=DOC, shown=SHOWN, new="111222")))),
    "loss without identity": (("IDENTITY-SHOWN", 17, 1), first(
        lambda desk, _: desk.do(ask(requests.ReportLoss, holder=DOC)))),
    "loss of no kind": (("LOSS-KIND", 18, 1), first(
        lambda desk, _: desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="none")))),
    "lost twice": (("NOT-LOST-YET", 18, 1), lost(Loss.FORMAL, lambda desk, _: desk.do(
        ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="temporary")))),
    "lost card used": (("LOST", 18, 1), lost(Loss.FORMAL, with_card(moving("510700")))),
    "lost card, almost seven days": (("LOST", 18, 1), lost(Loss.TEMPORARY, lambda desk, number: later(
        lambda d: d.with_card(number, moving("510700")), hours=167, minutes=59)(desk))),
    "lost card shown as electronic": (("ELECTRONIC-LOST", 18, 1), lost(Loss.FORMAL, lambda desk, _: desk.do(
        ask(requests.ShowCredential, holder=DOC, pin="135790")))),
    "lifted without card": (("CARD-SHOWN", 19, 1), lost(Loss.FORMAL, lambda desk, _: desk.do(
        ask(requests.LiftLoss, holder=DOC, shown=SHOWN)))),
    "lifted without identity": (("IDENTITY-SHOWN", 19, 1), lost(Loss.FORMAL, with_card(requests.LiftLoss()))),
    "lifted after reissue": (("NOT-REISSUED", 19, 1), lost(Loss.FORMAL, reissued)),
    "lifted, not lost": (("IS-LOST", 19, 1), first(with_card(ask(requests.LiftLoss, shown=SHOWN)))),
    "reissue, not lost": (("FORMALLY-LOST", 20, 1), first(
        lambda desk, _: desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN)))),
    "reissue, lost for a time": (("FORMALLY-LOST", 20, 1), lost(Loss.TEMPORARY, lambda desk, _: desk.do(
        ask(requests.Reissue, holder=DOC, shown=SHOWN)))),
    "reissue without identity": (("IDENTITY-SHOWN", 20, 1), lost(Loss.FORMAL, lambda desk, _: desk.do(
        ask(requests.Reissue, holder=DOC)))),
    "reissued twice": (("NO-OPEN-APPLICATION", 8, 1), lost(Loss.FORMAL, two_applications)),
    "reissue by another bank": (("BANK-CHOICE", 8, 1), lost(Loss.FORMAL, lambda desk, _: desk.do(
        ask(requests.Reissue, holder=DOC, shown=SHOWN, bank="bank-z")))),
    "replaced without card": (("CARD-HANDED-IN", 21, 1), first(
        lambda desk, _: desk.do(ask(requests.Replace, holder=DOC, shown=SHOWN, reason="looks-changed")))),
    "replaced, not expired": (("REASON-HOLDS", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="expired")))),
    "replaced, same bank": (("REASON-HOLDS", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="bank-changed", bank=seed.BANK)))),
    "replaced, nothing differs": (("REASON-HOLDS", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="information-differs")))),
    "corrected without proof": (("CHANGE-PROVED", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="information-differs", ethnic_group="03")))),
    "replaced, same name": (("REASON-HOLDS", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="name-or-number-changed", name=ME.name)))),
    "replaced, an adult's card": (("REASON-HOLDS", 21, 1), first(
        replaced(ask(requests.Replace, shown=SHOWN, reason="of-age")))),
    "replaced, but lost": (("NOT-LOST-BUT-REPLACED", 20, 1), lost(
        Loss.FORMAL, replaced(ask(requests.Replace, shown=SHOWN, reason="damaged")))),
    "replaced by a real number": (("FICTITIOUS", 29, 1), first(replaced(ask(requests.Replace,
        shown=SHOWN, reason="name-or-number-changed", document=Document(type=T.ID_CARD, number=OUTSIDE))))),
    "PIN of another's card": (("CARD-SHOWN", 15, 1), first(lambda desk, _: desk.with_card(
        desk.active(citizen(31)), ask(requests.ChangePin, holder=DOC, old="123456", new="246802")))),
    "query by nobody": (("CARD-OR-IDENTITY", 22, 1), first(lambda desk, _: desk.do(ask(requests.Query, holder=DOC)))),
    "query with another's card": (("CARD-OR-IDENTITY", 22, 1), first(another_holders_card)),
    "information without card": (("CARD-SHOWN", 23, 1), first(
        lambda desk, _: desk.do(ask(requests.ChangeInformation, holder=DOC, shown=SHOWN, phone="00000009999")))),
    "a name by information change": (("NAME-NEEDS-NEW-CARD", 21, 1), first(
        with_card(ask(requests.ChangeInformation, name="测试乙")))),
    "nothing changes": (("SOMETHING-CHANGES", 23, 1), first(
        with_card(ask(requests.ChangeInformation, phone=ME.phone)))),
    "transfer without card": (("CARD-SHOWN", 24, 1), first(
        lambda desk, _: desk.do(moving("510700", holder=DOC, shown=SHOWN)))),
    "out of the province": (("WITHIN-PROVINCE", 24, 1), first(with_card(moving("440100")))),
    "to where it is": (("ANOTHER-REGION", 24, 1), first(with_card(moving("510100")))),
    "the card says otherwise": (("REGION-CHECKED", 24, 1), first(another_region)),
    "cancelled without proof": (("REASON-SHOWN", 25, 1), first(
        lambda desk, _: desk.do(cancel(Cancellation.DEAD)))),
    "emigrated, one proof of two": (("REASON-SHOWN", 25, 1), first(
        lambda desk, _: desk.do(cancel(Cancellation.EMIGRATED, T.NATIONALITY_LOST)))),
    "the dead in person": (("BY-ANOTHER", 32, 1), first(
        lambda desk, _: desk.do(cancel(Cancellation.DEAD, T.DEATH)))),
    "the dead applies anew": (("HOLDER-DEAD", 27, 1), first(lambda desk, _: (
        desk.do(cancel(Cancellation.DEAD, T.DEATH, agent=agent(Incapacity.DEAD, Relation.CHILD))),
        desk.do(apply())))),
    "cancelled by nobody": (("IDENTITY-OR-CARD", 25, 1), first(lambda desk, _: desk.do(ask(requests.Cancel,
        holder=DOC, reason="pension-ended", shown=(Document(type=T.WRITTEN_REQUEST),))))),
    "no surplus card": (("SURPLUS", 25, 1), first(lambda desk, _: desk.do(cancel(Cancellation.SURPLUS)))),
    "cancelled twice": (("CANCELLABLE", 25, 1), first(cancelled(
        lambda desk, _: desk.do(cancel(Cancellation.PENSION_ENDED, T.WRITTEN_REQUEST))))),
    "used after cancelling": (("IN-USE", 25, 1), first(cancelled(with_card(moving("510700"))))),
    "account before function": (("FUNCTION-FIRST", 26, 1), first(
        lambda desk, number: desk.do(ask(requests.CloseAccount, card=number), seed.BANKER))),
    "account lifted, not lost": (("ACCOUNT-STATE", 7, 1), first(
        lambda desk, number: desk.do(ask(requests.BankBusiness, card=number, deed="lift-loss"), seed.BANKER))),
    "bank PIN at the counter": (("BANK-ONLY", 7, 1), first(
        lambda desk, number: desk.do(ask(requests.BankBusiness, card=number, deed="reset-pin")))),
    "account closed by a clerk": (("BANK-ONLY", 7, 1), first(cancelled(
        lambda desk, number: desk.do(ask(requests.CloseAccount, card=number))))),
    "frozen card used": (("FROZEN", 30, 1), first(
        lambda desk, number: desk.with_card(frozen(desk, number), moving("510700")))),
    "frozen by a clerk": (("MANAGEMENT-BODY", 3, 1), first(
        lambda desk, number: desk.do(ask(requests.Freeze, card=number, why="测试")))),
    "frozen twice": (("NOT-FROZEN-YET", 30, 1), first(lambda desk, number: frozen(desk, frozen(desk, number)))),
    "unfrozen, not frozen": (("IS-FROZEN", 30, 1), first(
        lambda desk, number: desk.do(ask(requests.Unfreeze, card=number), seed.OFFICER))),
    "withdrawn, not there": (("CARD-AT-HAND", 30, 1), first(
        lambda desk, number: desk.do(ask(requests.Withdraw, card=number, why="测试"), seed.OFFICER))),
    "surplus recorded by a clerk": (("MANAGEMENT-BODY", 3, 1), first(lambda desk, _: desk.do(SURPLUS))),
    "exported to another": (("HOLDER-ONLY", 29, 1), first(lambda desk, _: desk.do(ask(requests.Export,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.OTHER, Relation.SPOUSE))))),
    "agent of a healthy adult": (("AGENT-CAUSE", 32, 1), first(lambda desk, _: desk.do(ask(requests.ReportLoss,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.MINOR, Relation.GUARDIAN))))),
    "agent of a living man as dead": (("AGENT-CAUSE", 32, 1), first(lambda desk, _: desk.do(ask(requests.ReportLoss,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.DEAD, Relation.CHILD))))),
    "agent without document": (("AGENT-IDENTITY", 32, 2), first(lambda desk, _: desk.do(ask(requests.ReportLoss,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.DISABLED, Relation.SPOUSE).model_copy(
            update={"shown": (Document(type=T.COMMITMENT),)}))))),
    "agent without letter": (("AGENT-COMMITMENT", 32, 2), first(lambda desk, _: desk.do(ask(requests.ReportLoss,
        holder=DOC, shown=SHOWN, agent=agent(Incapacity.DISABLED, Relation.SPOUSE).model_copy(
            update={"shown": (citizen(13).document,)}))))),
    "another than the guardian": (("GUARDIAN-REGISTERED", 32, 1), do(apply(
        child(guardian={"name": "测试乙", "document": citizen(15).document, "phone": "00000000015"}),
        agent=agent(Incapacity.MINOR, Relation.GUARDIAN, T.BIRTH_CERTIFICATE)))),
    "an agent with a real citizen id": (("FICTITIOUS", 29, 1), first(lambda desk, _: desk.do(ask(
        requests.ReportLoss, holder=DOC, shown=SHOWN, agent=agent(Incapacity.OTHER, Relation.SPOUSE).model_copy(
            update={"document": Document(type=T.ID_CARD, number=OUTSIDE)}))))),
    "reissue of a frozen card": (("FROZEN", 30, 1), lost(Loss.FORMAL, lambda desk, number: (
        frozen(desk, number), desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN))))),
    "handed out after cancelling": (("STILL-ENTITLED", 27, 1), lost(Loss.FORMAL, cancelled_meanwhile)),
    "nothing to transfer": (("HAS-INSURANCE", 24, 1), lambda desk: desk.with_card(
        desk.active(citizen(insured=())), moving("510700"))),
    "handed out to the dead": (("HOLDER-DEAD", 27, 1), lambda desk: (
        desk.do(ask(requests.Make, application=desk.applied())),
        desk.do(ask(requests.HandOut, application=1, shown=(DOC, Document(type=T.DEATH)),
                    agent=agent(Incapacity.DEAD, Relation.CHILD))))),
    "the bank sees the whole": (("WHOLE-DATA", 29, 1), first(lambda desk, _: desk.do(
        ask(requests.Query, holder=DOC, shown=SHOWN, whole=True), seed.BANKER))),
    "moved while the next card waits": (("NEW-CARD-WAITS", 21, 1), first(lambda desk, number: (
        desk.with_card(number, ask(requests.Replace, shown=SHOWN, reason="looks-changed")),
        desk.do(ask(requests.Make, application=2)),
        desk.with_card(number, moving("510700"))))),
    "guardian without proof": (("GUARDIANSHIP", 32, 2), do(apply(
        child(), agent=agent(Incapacity.MINOR, Relation.GUARDIAN)))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refusals(desk: Desk, name: str) -> None:
    expected, deed = CASES[name]
    assert refused(lambda: deed(desk)) == expected


def every_rule() -> set[str]:
    return {rule.id for operation in ALL.values() for rule in (*shared_rules.BASE, *operation.rules)}


def test_every_rule_is_shown_to_refuse() -> None:
    elsewhere = {"HALF-WAY", "OLD-CARD-HALF-WAY"}  # tests/unit/harness/office/operations/test_office_tear.py
    assert every_rule() - {expected[0] for expected, _ in CASES.values()} == elsewhere


def test_every_rule_speaks_both_languages_and_cites_what_is_there() -> None:
    for operation in ALL.values():
        assert operation.zh
        assert operation.en
        for rule in operation.rules:
            assert any("\u4e00" <= one <= "\u9fff" for one in rule.zh), rule.id
            assert rule.en.isascii(), rule.id
            assert isinstance(rule.citation, Citation)
            assert rule.grade in ("S", "D")


def test_a_refusal_changes_nothing_but_the_trail(desk: Desk) -> None:
    number = desk.active()
    before = state(desk)
    refused(lambda: desk.with_card(number, moving("440100")))
    refused(lambda: desk.do(apply()))
    after = state(desk)
    assert {name for name in after if after[name] != before[name]} == {"audit", "setting"}
    kept = [one for one in after["setting"] if one not in before["setting"]]
    assert [str(one[0]) for one in kept] == [audit.LAST], "which line is the trail's last"


def state(desk: Desk) -> dict[str, list[Any]]:
    with desk.register.engine.connect() as link:
        tables = Bank.metadata.sorted_tables
        return {table.name: [tuple(row) for row in link.execute(table.select())] for table in tables}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth", "soon"),
        ("phone", "12"),
        ("region", "519800"),
        ("sex", "3"),
        ("document", {"type": "id-card", "number": "519900199003070019"}),
        ("name", ""),
        ("photo", "!!"),
        ("surprise", 1),
    ],
)
def test_malformed_requests_say_where_and_not_what(field: str, value: object) -> None:
    table = ME.model_dump(mode="json") | {field: value}
    with pytest.raises(ValidationError) as error:
        requests.Personal.model_validate(table)
    assert field in str(error.value)
    assert "519900199003070019" not in str(error.value)


def test_replacement_reasons_are_the_articles() -> None:
    assert len(Replacement) == 8
