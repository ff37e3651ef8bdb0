"""What the operations do, on the card and in the register."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.layouts.items import ItemError
from emulator.personas import numbers
from emulator.personas.issue import issue
from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.desk import instant
from harness.office.desk.office import Done
from harness.office.measures.workdays import Workdays
from harness.office.operations import ALL
from harness.office.register import audit, seed
from harness.office.register.tables import Account, Agency, Bank, Card, Person, Push
from harness.office.requests import models as requests
from harness.office.requests.models import Document
from harness.office.vocabulary import (
    AccountState,
    Cancellation,
    DocumentType,
    Incapacity,
    Life,
    Loss,
    PersonKind,
    Relation,
    Replacement,
)
from harness.readers.connection import InProcess
from harness.terminal import region as regions
from harness.terminal.personalise import Personaliser
from harness.terminal.terminal import PinRefused, Refused, Terminal
from tests.kit.cards import new_card
from tests.kit.offices import Desk, agent, ask, child, citizen, moving


def made(body: str) -> str:
    """A number built as citizen ids are, with its check character."""
    return body + numbers.citizen_check(body)


ME = citizen()
DOC = ME.document
SHOWN = (DOC,)
KINDS = pytest.mark.parametrize("kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des")], ids="-".join)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def looked_at(desk: Desk, number: str, *items: str) -> list[str]:
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        return [str(terminal.read(item)) for item in items]


def register(desk: Desk, number: str) -> Card:
    with desk.register.transaction() as session:
        return session.scalars(select(Card).where(Card.number == number)).one()


def query(desk: Desk, **more: Any) -> dict[str, Any]:
    return desk.do(ask(requests.Query, holder=DOC, shown=SHOWN, **more)).data


# --- 申领, 启用 ------------------------------------------------------------------------------------------


@KINDS
def test_a_card_from_application_to_use(desk: Desk, kind: tuple[str, str]) -> None:
    number = desk.issued(ME, *kind)
    assert query(desk)["cards"][0]["usable"] is False
    desk.with_card(number, ask(requests.Activate, shown=SHOWN, with_account=True))
    told = query(desk)["cards"][0]
    assert (told["usable"], told["account"], told["valid_until"]) == (True, "active", "2035-03-03")
    items = ("SSSE/EF05/07", "SSSE/EF05/05", "SSSE/EF05/06", "SSSE/EF06/08", "SSSE/EF06/09", "DF01/EF06/28")
    assert looked_at(desk, number, *items) == [number, "20250303", "20350303", DOC.number, ME.name, ME.phone]
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        assert {one.code for one in regions.read(terminal)} == {"510100"}
        assert len(regions.read(terminal)) == 5
        terminal.verify_pin("123456")


def test_before_activation_the_chip_refuses_too(desk: Desk) -> None:
    """Article 13, paragraph 2: not the office alone says so."""
    number = desk.issued()
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        with pytest.raises(Refused, match="6985"):
            terminal.verify_pin("123456")


def test_activation_alone_leaves_the_account(desk: Desk) -> None:
    number = desk.active()
    with desk.register.transaction() as session:
        assert session.get_one(Account, number).state is AccountState.OPENED


@pytest.mark.parametrize(
    ("kind", "type_", "number"),
    [
        (PersonKind.HKMT, DocumentType.HKMT_RESIDENCE, made("81000019900307001")),
        (PersonKind.HKMT, DocumentType.TAIWAN_PERMIT, "00000011"),
        (PersonKind.HKMT, DocumentType.TRAVEL_PERMIT, "H00000001"),
        (PersonKind.OVERSEAS, DocumentType.PASSPORT, "E00000001"),
        (PersonKind.FOREIGNER, DocumentType.PASSPORT, "P0000001"),
        (PersonKind.FOREIGNER, DocumentType.PERMANENT_RESIDENCE, "FRA310090030711"),
        (PersonKind.FOREIGNER, DocumentType.PERMANENT_RESIDENCE, made("99925019900307011")),
    ],
)
def test_every_kind_of_person_applies(desk: Desk, kind: PersonKind, type_: DocumentType, number: str) -> None:
    person = citizen(kind=kind, document=Document(type=type_, number=number), country="HKG")
    assert looked_at(desk, desk.active(person), "SSSE/EF06/08") == [number]


def test_a_child_by_its_guardian_without_photo(desk: Desk) -> None:
    young = child()
    guardian = agent(Incapacity.MINOR, Relation.GUARDIAN, DocumentType.HOUSEHOLD)
    number = desk.active(young, agent=guardian)
    assert looked_at(desk, number, "SSSE/EF05/02", "DF01/EF06/2C", "DF01/EF06/2D") == ["1", "测试监护人", "00000000011"]
    with desk.register.transaction() as session:
        came = [(one.operation, one.relation) for one in session.scalars(select(Agency).order_by(Agency.id))]
    assert came == [(name, Relation.GUARDIAN) for name in ("apply", "hand-out", "activate")]


def test_a_minor_without_identity_card_shows_the_household_register(desk: Desk) -> None:
    young = child(document=Document(type=DocumentType.HOUSEHOLD, number="HK519900-1"))
    assert desk.active(young)


def test_a_long_name_goes_on_in_4e(desk: Desk) -> None:
    name = "测试阿卜杜拉赫曼穆罕默德伊布拉希姆买买提江"
    number = desk.active(citizen(name=name))
    assert looked_at(desk, number, "SSSE/EF06/09", "SSSE/EF06/4E") == [name[:15], name[15:]]


def test_the_deadline_counts_working_days(desk: Desk) -> None:
    """Article 12, over National Day 2025 with its make-up days: 28 September and 11 October are worked."""
    desk.clock.set(datetime(2025, 9, 8, 10))
    number = desk.applied()
    assert query(desk)["applications"][0]["deadline"] == "2025-10-24"
    desk.clock.set(datetime(2025, 10, 24, 23, 59))
    assert query(desk)["applications"][0]["late"] is False
    desk.clock.step(timedelta(minutes=1))
    assert query(desk)["applications"][0]["late"] is True
    later = desk.do(ask(requests.Extend, application=number, days=5, reason="traffic"))
    assert later.data["deadline"] == "2025-10-31"


def test_a_deadline_in_a_year_without_calendar_is_not_guessed(desk: Desk, tmp_path: Path) -> None:
    desk.clock.set(datetime(2026, 12, 20, 10))
    desk.applied()
    told = query(desk)["applications"][0]
    assert told["deadline"] is None
    assert "2027" in told["deadline_unknown"]
    years = tmp_path / "years.toml"
    years.write_text("[2027]\nholidays = [2027-01-01, 2027-10-01]\nworkdays = []\n")
    desk.services.workdays = Workdays([years])
    assert query(desk)["applications"][0]["deadline"] == "2027-02-01"


def test_the_first_card_is_free(desk: Desk) -> None:
    desk.active()
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN))
    told = desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN)).data
    assert [one["fee"] for one in query(desk)["applications"]] == [0, told["fee"]]
    assert told["fee"] > 0


def test_a_school_applies_for_many(desk: Desk) -> None:
    """Article 9: each is judged alone, and told why not."""
    teacher = citizen(41)
    desk.active(citizen(51))
    request = ask(
        requests.ApplyBatch,
        institution="虚构小学",
        letter="介绍信1号",
        clerk_name=teacher.name,
        clerk_document=teacher.document,
        shown=(teacher.document,),
        bank=seed.BANK,
        people=(child(23), child(25, guardian=None), citizen(51), child(27)),
    )
    told = desk.do(request).data
    assert [one["at"] for one in told["accepted"]] == [0, 3]
    assert [(one["at"], one["rule"]) for one in told["refused"]] == [(1, "GUARDIAN"), (2, "ONE-CARD")]


def test_whom_an_institution_applied_for_takes_the_electronic_card_later(desk: Desk) -> None:
    teacher = citizen(41).document
    batch = {"institution": "虚构公司", "letter": "1", "clerk_name": "测试经办", "clerk_document": teacher}
    told = desk.do(ask(requests.ApplyBatch, **batch, shown=(teacher,), bank=seed.BANK, people=(ME,))).data
    application = told["accepted"][0]["application"]
    desk.do(ask(requests.Make, application=application))
    desk.do(ask(requests.HandOut, application=application, shown=SHOWN))
    desk.do(ask(requests.ApplyElectronic, holder=DOC, shown=SHOWN, pin="135790"))
    assert desk.do(ask(requests.ShowCredential, holder=DOC, pin="135790")).data["credential"]


def test_issuing_at_once_goes_on_where_it_was_cut_off(desk: Desk) -> None:
    request = ask(requests.Apply, person=ME, bank=seed.BANK, shown=SHOWN, electronic_pin="135790")
    steps: list[str] = []
    desk.do(ask(requests.Make, application=desk.applied(ME)))
    done = instant.issue(desk.office, request, desk.clerk, say=lambda step: steps.append(step.operation))
    assert steps == ["hand-out", "activate"]
    assert register(desk, done.card).activated_at is not None


def test_a_blank_chip_in_the_reader_is_personalised(desk: Desk) -> None:
    blank = InProcess(Chip(new_card("3.00", "sm4", "blank").chip.image))
    request = ask(requests.Apply, person=ME, bank=seed.BANK, shown=SHOWN, electronic_pin="135790")
    done = instant.issue(desk.office, request, desk.clerk, blank, algorithm="sm4")
    terminal = Terminal(blank)
    terminal.begin()
    assert terminal.read("SSSE/EF05/07") == done.card
    terminal.verify_pin("123456")


def test_making_a_card_is_taken_up_where_it_was_cut_off(desk: Desk) -> None:
    """Power cut at moments of personalisation, and the program ended between chip and register."""
    application = desk.applied()
    image = new_card("2.00", "3des", "blank").chip.image
    make = ask(requests.Make, application=application, layout="2.00")
    for after in (3, 200, 1500):
        image.memory.nvm.cut_after = after
        with pytest.raises(Failed):
            desk.do(make, "", InProcess(Chip(image)))
        image.memory.nvm.cut_after = None
        Chip(image).power_on()
    (card,) = query(desk)["cards"]
    assert card["life"] == "making"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(ALL["make"]), "enter", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.do(make, "", InProcess(Chip(image)))
    assert Personaliser(InProcess(Chip(image)), image).complete()
    assert desk.do(make, "", InProcess(Chip(image))).data["card"] == card["number"]
    desk.do(ask(requests.HandOut, application=application, shown=SHOWN))
    desk.do(ask(requests.Activate, shown=SHOWN), "", InProcess(Chip(image)))
    assert query(desk)["cards"][0]["usable"] is True


def test_another_blank_takes_the_place_of_one_that_is_left_behind(desk: Desk) -> None:
    application = desk.applied()
    first = new_card("2.00", "3des", "blank").chip.image
    other = issue(replace(catalogue.persona("blank"), serial=bytes.fromhex("51017777")), first.layout, "3des")
    first.memory.nvm.cut_after = 50
    make = ask(requests.Make, application=application, layout="2.00")
    with pytest.raises(Failed):
        desk.do(make, "", InProcess(Chip(first)))
    number = desk.do(make, "", InProcess(Chip(other))).data["card"]
    assert number == "A0000002X"
    assert len(query(desk)["cards"]) == 1


def test_only_a_blank_chip_is_made_a_card(desk: Desk) -> None:
    application = desk.applied()
    used = InProcess(Chip(new_card("3.00", "3des", "centenarian").chip.image))
    with pytest.raises(Failed, match="no blank one"):
        desk.do(ask(requests.Make, application=application), "", used)


def test_what_cannot_be_handed_out_is_disposed_of(desk: Desk) -> None:
    number = desk.applied()
    card = desk.do(ask(requests.Make, application=number)).data["card"]
    for _ in range(2):
        desk.do(ask(requests.DeliveryFailed, application=number))
    desk.do(ask(requests.Dispose, application=number, reason="undelivered-twice"), seed.OFFICER)
    assert register(desk, card).life is Life.ENDED
    assert desk.active(), "the way is free for another"


# --- 密码 ------------------------------------------------------------------------------------------------


def test_pin_changed_locked_and_reset(desk: Desk) -> None:
    number = desk.active()
    desk.with_card(number, ask(requests.ChangePin, old="123456", new="246802"))
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        terminal.verify_pin("246802")
        for _ in range(3):
            with pytest.raises(PinRefused):
                terminal.verify_pin("999999")
    with pytest.raises(Failed):
        desk.with_card(number, ask(requests.ChangePin, old="246802", new="135791"))
    desk.with_card(number, ask(requests.ResetPin, shown=SHOWN))
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        terminal.verify_pin("246802")
    desk.with_card(number, ask(requests.ResetPin, shown=SHOWN, new="975310"))
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        terminal.verify_pin("975310")


def test_no_pin_is_on_the_trail_or_in_the_register(desk: Desk) -> None:
    number = desk.active()
    desk.with_card(number, ask(requests.ChangePin, old="123456", new="246802"))
    desk.with_card(number, ask(requests.ResetPin, shown=SHOWN, new="864208"))
    desk.do(ask(requests.ChangeElectronicPin, holder=DOC, old="135790", new="112233"))
    content = desk.held()
    for pin in ("123456", "246802", "864208", "135790", "112233"):
        assert pin.encode() not in content


def test_the_electronic_cards_pin_locks_and_is_reset(desk: Desk) -> None:
    desk.active()
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(Refusal, match=f"{left} tries left"):
            desk.do(ask(requests.ShowCredential, holder=DOC, pin="000000"))
    with pytest.raises(Refusal, match="locked"):
        desk.do(ask(requests.ShowCredential, holder=DOC, pin="135790"))
    desk.do(ask(requests.ChangeElectronicPin, holder=DOC, shown=SHOWN, new="112233"))
    text = desk.do(ask(requests.ShowCredential, holder=DOC, pin="112233")).data["credential"]
    told = desk.do(ask(requests.VerifyCredential, text=text)).data
    assert told["holder"]["name"] == "测**"
    with pytest.raises(Refusal, match="used already"):
        desk.do(ask(requests.VerifyCredential, text=text))


def test_a_credential_runs_out(desk: Desk) -> None:
    desk.active()
    text = desk.do(ask(requests.ShowCredential, holder=DOC, pin="135790")).data["credential"]
    desk.clock.step(timedelta(seconds=60))
    with pytest.raises(Refusal, match="expired") as error:
        desk.do(ask(requests.VerifyCredential, text=text))
    assert error.value.rule == "CREDENTIAL-EXPIRED"


def test_a_lost_cards_credential_is_refused(desk: Desk) -> None:
    desk.active()
    text = desk.do(ask(requests.ShowCredential, holder=DOC, pin="135790")).data["credential"]
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN))
    with pytest.raises(Refusal) as error:
        desk.do(ask(requests.VerifyCredential, text=text))
    assert error.value.rule == "ELECTRONIC-LOST"


# --- 挂失, 补领, 换领 ------------------------------------------------------------------------------------


def test_a_temporary_loss_lapses(desk: Desk) -> None:
    number = desk.active()
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="temporary"))
    desk.clock.step(timedelta(hours=7 * 24 - 1, minutes=59))
    assert query(desk)["cards"][0]["loss"] == "temporary"
    desk.clock.step(timedelta(minutes=1))
    assert query(desk)["cards"][0]["usable"] is True
    desk.with_card(number, moving("510700"))
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="temporary"))


def test_a_formal_loss_stays(desk: Desk) -> None:
    desk.active()
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="temporary"))
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN, kind="formal"))
    desk.clock.step(timedelta(days=400))
    assert query(desk)["cards"][0]["loss"] == "formal"


def test_reissue_ends_the_old_card(desk: Desk) -> None:
    old = desk.active()
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN))
    application = desk.do(ask(requests.Reissue, holder=DOC, shown=SHOWN, bank=seed.OTHER_BANK)).data["application"]
    desk.do(ask(requests.Make, application=application))
    assert register(desk, old).life is Life.ISSUED, "until the new one is handed out"
    new = desk.do(ask(requests.HandOut, application=application, shown=SHOWN)).data["card"]
    assert new.startswith("B")
    assert (register(desk, old).life, register(desk, new).life) == (Life.REPLACED, Life.ISSUED)
    with pytest.raises(Refusal) as error:
        desk.with_card(old, ask(requests.LiftLoss, shown=SHOWN, card=old))
    assert error.value.rule == "NOT-REISSUED"


@pytest.mark.parametrize("reason", Replacement)
def test_replacement_for_every_reason(desk: Desk, reason: Replacement) -> None:
    young = citizen(11, date(2007, 3, 4), guardian=child().guardian)
    desk.clock.set(datetime(2025, 3, 1, 9))
    old = desk.active(young)
    desk.clock.set(datetime(2035, 3, 1, 9) if reason is Replacement.EXPIRED else datetime(2025, 3, 4, 9))
    if reason is Replacement.EXPIRED:
        desk.clock.set(datetime(2028, 8, 1, 9))
        with desk.register.transaction() as session:
            session.scalars(select(Card)).one().valid_until = date(2028, 8, 30)
    more: dict[str, Any] = {
        Replacement.BANK_CHANGED: {"bank": seed.OTHER_BANK},
        Replacement.NAME_OR_NUMBER: {"name": "测试改名"},
        Replacement.INFORMATION_DIFFERS: {"ethnic_group": "03"},
        Replacement.DAMAGED: {"card": old},
        Replacement.FACE_UNREADABLE: {"card": old},
    }.get(reason, {})
    register_shown = (young.document, Document(type=DocumentType.HOUSEHOLD))
    request = ask(requests.Replace, reason=reason, holder=young.document, shown=register_shown, **more)
    done = desk.do(request) if "card" in more else desk.with_card(old, request)
    application = done.data["application"]
    new = desk.do(ask(requests.Make, application=application)).data["card"]
    desk.do(ask(requests.HandOut, application=application, shown=(young.document,)))
    assert (register(desk, old).life, register(desk, new).life) == (Life.REPLACED, Life.ISSUED)
    name = "测试改名" if reason is Replacement.NAME_OR_NUMBER else young.name
    assert looked_at(desk, new, "SSSE/EF06/09") == [name]


def test_at_eighteen_the_holder_is_told(desk: Desk) -> None:
    young = citizen(11, date(2007, 3, 4), guardian=child().guardian)
    number = desk.active(young)
    asked = ask(requests.Query, holder=young.document, shown=(young.document,))
    assert desk.do(asked).notices == ()
    desk.clock.step(timedelta(days=1))
    (notice,) = desk.do(asked).notices
    assert (notice.citation.article, notice.citation.paragraph) == (21, 2)
    assert "18" in notice.zh
    assert number


# --- 查询, 变更, 转移 ------------------------------------------------------------------------------------


def test_information_changes_in_card_and_register(desk: Desk) -> None:
    number = desk.active()
    guardian = child().guardian
    desk.with_card(number, ask(requests.ChangeInformation, phone="00012345678", address="新地址", guardian=guardian))
    assert looked_at(desk, number, "DF01/EF06/28", "DF01/EF06/23", "DF01/EF06/2C") == [
        "00012345678", "新地址", "测试监护人"]  # fmt: skip
    with desk.register.transaction() as session:
        person = session.scalars(select(Person)).one()
        assert (person.phone, person.address, person.guardian and person.guardian.name) == (
            "00012345678", "新地址", "测试监护人")  # fmt: skip


def test_what_is_not_on_the_chip_changes_in_the_register_alone(desk: Desk) -> None:
    number = desk.active()
    told = desk.with_card(number, ask(requests.ChangeInformation, document_until="2040-01-01")).data
    assert told["changed"] == ["document_until"]
    assert desk.office.pending() == []


@KINDS
def test_the_region_moves_in_card_and_register(desk: Desk, kind: tuple[str, str]) -> None:
    number = desk.active(ME, *kind)
    desk.with_card(number, moving("513400"))
    assert looked_at(desk, number, "DF03/EF05/61", "DF04/EF05/84") == ["513400", "513400"]
    assert set(query(desk, whole=True)["holder"]["insured"].values()) == {"513400"}


# --- 注销 ------------------------------------------------------------------------------------------------


def cancel(desk: Desk, reason: Cancellation, *papers: DocumentType, number: str = "", **more: Any) -> Done:
    shown = (DOC, *(Document(type=one) for one in papers))
    request = ask(requests.Cancel, holder=DOC, reason=reason, shown=shown, **more)
    return desk.with_card(number, request) if number else desk.do(request)


@pytest.mark.parametrize(
    ("reason", "papers"),
    [
        (Cancellation.DEAD, [DocumentType.DEATH]),
        (Cancellation.DECLARED_DEAD, [DocumentType.DEATH_JUDGMENT]),
        (Cancellation.EMIGRATED, [DocumentType.SETTLED_ABROAD, DocumentType.NATIONALITY_LOST]),
        (Cancellation.PENSION_ENDED, [DocumentType.WRITTEN_REQUEST]),
    ],
)
def test_cancelled_for_every_reason(desk: Desk, reason: Cancellation, papers: list[DocumentType]) -> None:
    number = desk.active()
    kin = (
        agent(Incapacity.DEAD, Relation.CHILD, *papers)
        if reason in (Cancellation.DEAD, Cancellation.DECLARED_DEAD)
        else None
    )
    done = cancel(desk, reason, *papers, agent=kin)
    assert register(desk, number).life is Life.CANCELLED
    assert [one.citation.article for one in done.notices] == [28]


def test_a_surplus_card_is_cancelled(desk: Desk) -> None:
    number = desk.active()
    surplus = ask(
        requests.RecordSurplus, holder=DOC, number="B00000018", bank=seed.OTHER_BANK, chip="0" * 16,
        identification="0" * 32,
    )  # fmt: skip
    desk.do(surplus, seed.OFFICER)
    cancel(desk, Cancellation.SURPLUS, card="B00000018")
    assert (register(desk, "B00000018").life, register(desk, number).life) == (Life.CANCELLED, Life.ISSUED)


def test_a_cancelled_card_serves_the_bank_alone(desk: Desk) -> None:
    """Articles 26, 28: social security first; the bank hears of it and controls the account, then closes it."""
    number = desk.active()
    with desk.register.transaction() as session:
        session.get_one(Bank, seed.BANK).down = True
    cancel(desk, Cancellation.PENSION_ENDED, DocumentType.WRITTEN_REQUEST, number=number)
    with desk.card(number) as connection:
        with pytest.raises(Refused, match="9303"):
            Terminal(connection).begin()
        assert connection.send(bytes.fromhex("00A4040008A000000333010101"))[0] == 0x61, "the bank's application"
    assert desk.do(ask(requests.TellBanks), seed.OFFICER).data == {"sent": 0, "waiting": 1}
    with pytest.raises(Failed, match="bank-a is down"):
        desk.do(ask(requests.CloseAccount, card=number), seed.BANKER)
    with desk.register.transaction() as session:
        session.get_one(Bank, seed.BANK).down = False
    assert desk.do(ask(requests.TellBanks), seed.OFFICER).data == {"sent": 1, "waiting": 0}
    with desk.register.transaction() as session:
        assert session.get_one(Account, number).state is AccountState.CONTROLLED
        assert session.scalars(select(Push)).one().attempts == 3
    desk.do(ask(requests.CloseAccount, card=number), seed.BANKER)
    assert register(desk, number).life is Life.ENDED


def test_a_withdrawn_card_is_blocked(desk: Desk) -> None:
    number = desk.active()
    desk.with_card(number, ask(requests.Withdraw, why="测试收回"), seed.OFFICER)
    with desk.card(number) as connection, pytest.raises(Refused, match="6A81"):
        Terminal(connection).begin()
    assert register(desk, number).life is Life.CANCELLED


def test_the_bank_account_goes_its_own_way(desk: Desk) -> None:
    """Articles 7, 14, 17: two functions, two PINs, two reports of loss."""
    number = desk.issued()
    desk.with_card(number, ask(requests.Activate, shown=SHOWN, with_account=True))
    (notice,) = desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN)).notices
    assert notice.citation.article == 17
    assert query(desk)["cards"][0]["account"] == "active", "ours only tells"
    for deed, state in (("report-loss", "lost"), ("lift-loss", "active"), ("reset-pin", "active")):
        assert desk.do(ask(requests.BankBusiness, card=number, deed=deed), seed.BANKER).data["account"] == state
    assert query(desk)["cards"][0]["loss"] == "formal"
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        terminal.verify_pin("123456")


def test_who_needs_help_is_told_where(desk: Desk) -> None:
    """Article 33."""
    person = citizen(helps=("sign-language", "cross-province", "large-print"))
    desk.applied(person)
    (notice,) = desk.do(ask(requests.Query, holder=person.document, shown=(person.document,))).notices
    assert notice.citation.article == 33
    assert "手语服务" in notice.zh
    assert "四川省虚构卡管理中心" in notice.zh
    assert "大字版" not in notice.zh


# --- 监管 ------------------------------------------------------------------------------------------------


def test_anomalies_are_found_once_and_freeze(desk: Desk) -> None:
    number = desk.active()
    with desk.register.transaction() as session:
        session.get_one(Account, number).state = AccountState.CLOSED
    found = desk.do(ask(requests.Reconcile), seed.OFFICER).data["anomalies"]
    assert [(one["card"], one["frozen"]) for one in found] == [(number, True)]
    assert desk.do(ask(requests.Reconcile), seed.OFFICER).data["anomalies"] == []
    with pytest.raises(Refusal) as error:
        desk.with_card(number, moving("510700"))
    assert error.value.rule == "FROZEN"
    desk.do(ask(requests.Unfreeze, card=number), seed.OFFICER)
    desk.with_card(number, moving("510700"))


def test_loss_may_be_reported_while_frozen(desk: Desk) -> None:
    number = desk.active()
    desk.do(ask(requests.Freeze, card=number, why="测试"), seed.OFFICER)
    desk.do(ask(requests.ReportLoss, holder=DOC, shown=SHOWN))
    assert register(desk, number).loss is Loss.FORMAL


def test_who_saw_what_is_on_the_trail(desk: Desk) -> None:
    desk.active()
    query(desk)
    query(desk, whole=True)
    with desk.register.transaction() as session:
        looks = [one for one in audit.lines(session, person_id=1) if one.operation == "query"]
    assert ['"whole": true' in one.detail for one in looks] == [False, True]
    exported = desk.do(ask(requests.Export, holder=DOC, shown=SHOWN)).data["export"]
    assert exported["person"]["name"] == ME.name
    assert [one["operation"] for one in exported["trail"]][-2:] == ["query", "query"]


def test_people_are_forgotten_when_time_is_up(desk: Desk) -> None:
    number = desk.active()
    cancel(desk, Cancellation.PENSION_ENDED, DocumentType.WRITTEN_REQUEST)
    desk.do(ask(requests.CloseAccount, card=number), seed.BANKER)
    desk.clock.set(datetime(2028, 8, 1))
    assert desk.do(ask(requests.Erase), seed.OFFICER).data["erased"] == 0
    with desk.register.transaction() as session:
        session.scalars(select(Card)).one().ended_at = desk.clock.now() - timedelta(days=5 * 365)
    assert desk.do(ask(requests.Erase), seed.OFFICER).data["erased"] == 1
    with desk.register.transaction() as session:
        session.connection().exec_driver_sql("SELECT 1")
        rows = [str(vars(one)) for one in session.scalars(select(Person))]
        trail = [one.detail for one in audit.lines(session)]
    assert not any(secret in text for text in (*rows, *trail) for secret in (ME.name, DOC.number, ME.phone))


def test_a_bank_that_cannot_be_reached_keeps_cards_from_being_made(desk: Desk) -> None:
    application = desk.applied()
    with desk.register.transaction() as session:
        session.get_one(Bank, seed.BANK).down = True
    with pytest.raises(Failed, match="bank-a is down"):
        desk.do(ask(requests.Make, application=application))
    assert query(desk)["cards"] == [], "no chip was begun"
    with desk.register.transaction() as session:
        session.get_one(Bank, seed.BANK).down = False
    assert desk.do(ask(requests.Make, application=application)).data["card"] == "A00000011"


def test_what_the_card_has_no_room_for_fails_and_leaves_no_note(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request checks what our layouts hold; a layout of a vendor's own may hold less."""
    number = desk.active()

    def no_room(*_: object) -> None:
        raise ItemError("DF01/EF06/23", "expected at most 10 bytes of GBK, found 12")

    monkeypatch.setattr(Terminal, "update", no_room)
    with pytest.raises(Failed, match="at most 10 bytes"):
        desk.with_card(number, ask(requests.ChangeInformation, address="测试测试测试"))
    assert desk.office.pending() == []


def test_a_surplus_card_is_of_a_bank_that_there_is(desk: Desk) -> None:
    desk.active()
    surplus = {"number": "B00000018", "bank": "bank-z", "chip": "0" * 16, "identification": "0" * 32}
    with pytest.raises(Refusal) as error:
        desk.do(ask(requests.RecordSurplus, holder=DOC, **surplus), seed.OFFICER)
    assert error.value.rule == "BANK-KNOWN"


def test_what_a_card_of_1_00_lacks_changes_in_the_register_alone(desk: Desk) -> None:
    number = desk.active(ME, "1.00")
    told = desk.with_card(number, ask(requests.ChangeInformation, address="新地址", occupation="2020201")).data
    assert told["changed"] == ["address", "occupation"]
    assert desk.office.pending() == []
