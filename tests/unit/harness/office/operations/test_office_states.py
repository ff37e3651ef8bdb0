"""States that meet: what one clerk began and another goes on with, what happens between acceptance and hand-out, and
what is left of people when all is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.desk import lookup
from harness.office.desk.office import HalfWay
from harness.office.measures.workdays import Workdays
from harness.office.operations.issue import MakeOperation
from harness.office.register import audit, seed
from harness.office.register.queries import Unknown
from harness.office.register.tables import Account, AccountRefusal, Application, Audit, Batch, Card
from harness.office.requests import models as requests
from harness.office.vocabulary import AccountState, DocumentType, Incapacity, Kind, Life, Loss, Progress, Relation
from tests.kit.office_fronts import Torn
from tests.kit.offices import Desk, agent, ask, child, citizen, moving

ME, YOU = citizen(), citizen(31, name="测试乙")
SHOWN = (ME.document,)
NEW_PIN = "246802"
WRITTEN = requests.Document(type=DocumentType.WRITTEN_REQUEST)
ENDING = ask(requests.Cancel, holder=ME.document, shown=(*SHOWN, WRITTEN), reason="pension-ended")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def card(desk: Desk, number: str) -> Card:
    with desk.register.transaction() as session:
        return session.scalars(select(Card).where(Card.number == number)).one()


def trail(desk: Desk) -> list[Audit]:
    with desk.register.transaction() as session:
        return list(audit.lines(session))


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value.rule


def torn(desk: Desk, number: str, request: requests.Request, updates: int = 1, clerk: str = "") -> int:
    """Work that is cut off; its number."""
    with desk.card(number) as connection, pytest.raises(HalfWay) as half:
        desk.do(request, clerk, Torn(connection, updates))
    return half.value.pending


def moved(desk: Desk, number: str, to: str = "510700") -> int:
    return torn(desk, number, moving(to))


def reported(desk: Desk) -> None:
    desk.do(ask(requests.ReportLoss, holder=ME.document, shown=SHOWN))


# --- which card, whose work ------------------------------------------------------------------------------------------


def test_a_number_that_was_typed_is_the_card_that_is_meant(desk: Desk) -> None:
    mine, yours = desk.active(ME), desk.active(YOU)
    desk.with_card(mine, ask(requests.Freeze, card=yours, why="测试"), seed.OFFICER)
    assert (card(desk, mine).frozen_at, card(desk, yours).frozen_at) == (None, desk.clock.now())
    assert refused(lambda: desk.with_card(mine, moving("510700", card=yours))) == "CARD-SHOWN"
    with pytest.raises(Unknown):
        desk.do(ask(requests.Freeze, holder=ME.document, card=yours, why="测试"), seed.OFFICER)


@pytest.mark.parametrize(
    "request_",
    [
        ask(requests.ChangePin, old="123456", new=""),
        ask(requests.ResetPin, shown=SHOWN, new=""),
        ask(requests.ChangeElectronicPin, holder=ME.document, shown=SHOWN, new=""),
    ],
)
def test_nothing_is_no_pin(desk: Desk, request_: requests.Request) -> None:
    number = desk.active()
    assert refused(lambda: desk.with_card(number, request_)) == "PIN-FORM"
    desk.do(ask(requests.ShowCredential, holder=ME.document, pin="135790"))
    desk.with_card(number, ask(requests.ChangePin, old="123456", new=NEW_PIN))


def test_who_takes_it_up_stands_on_the_trail(desk: Desk) -> None:
    number = desk.active()
    pending = moved(desk, number)
    with desk.card(number) as connection, pytest.raises(HalfWay):
        desk.office.resume(pending, Torn(connection, 0), clerk=seed.COUNTER)
    with desk.card(number) as connection:
        assert refused(lambda: desk.office.resume(pending, connection, clerk=seed.BANKER)) == "SOCIAL-FUNCTION"
        with pytest.raises(Unknown):
            desk.office.resume(pending, connection, clerk="nobody")
        desk.office.resume(pending, connection, clerk=seed.OFFICER)
    assert [(line.clerk, str(line.outcome)) for line in trail(desk)[-3:]] == [
        (seed.MAKER, "half-way"),
        (seed.COUNTER, "half-way"),
        (seed.OFFICER, "resumed"),
    ]
    again = moved(desk, number, "510100")
    with desk.card(number) as connection:
        desk.office.abandon(again, connection, clerk=seed.COUNTER)
    assert (trail(desk)[-1].clerk, str(trail(desk)[-1].outcome)) == (seed.COUNTER, "abandoned")


@pytest.mark.parametrize(("pin", "rule"), [("123456", "PIN-NOT-INITIAL"), ("12x", "PIN-FORM"), ("12", "PIN-FORM")])
def test_a_pin_given_anew_is_held_to_the_same_rules(desk: Desk, pin: str, rule: str) -> None:
    number = desk.active()
    pending = torn(desk, number, ask(requests.ResetPin, shown=SHOWN, new=NEW_PIN), updates=0)
    with desk.card(number) as connection:
        assert refused(lambda: desk.office.resume(pending, connection, SecretStr(pin))) == rule
        desk.office.resume(pending, connection, SecretStr(NEW_PIN))


def test_a_credential_is_for_who_asked_and_not_for_the_trail(desk: Desk) -> None:
    desk.active()
    told = desk.do(ask(requests.ShowCredential, holder=ME.document, pin="135790")).data
    assert told["credential"].startswith("SSCARD-TEST:")
    assert "SSCARD-TEST" not in "".join(line.detail for line in trail(desk))


def test_a_second_first_application_sets_the_electronic_pin_anew(desk: Desk) -> None:
    """Article 16: who applies sets the initial PIN; the one of an earlier card counts no more."""
    number = desk.active()
    desk.with_card(number, ENDING)
    apply = ask(requests.Apply, person=ME, bank=seed.BANK, shown=SHOWN, electronic_pin="975310")
    application = desk.do(apply).data["application"]
    desk.do(ask(requests.Make, application=application))
    desk.do(ask(requests.HandOut, application=application, shown=SHOWN))
    assert refused(lambda: show(desk, "135790")) == "ELECTRONIC-PIN-WRONG"
    show(desk, "975310")


def show(desk: Desk, pin: str) -> object:
    return desk.do(ask(requests.ShowCredential, holder=ME.document, pin=pin))


# --- between acceptance and hand-out ---------------------------------------------------------------------------------


def reissued(desk: Desk) -> tuple[str, int]:
    """A card that is lost, and the application for the next one, made."""
    number = desk.active()
    reported(desk)
    application = int(desk.do(ask(requests.Reissue, holder=ME.document, shown=SHOWN)).data["application"])
    desk.do(ask(requests.Make, application=application))
    return number, application


def test_a_card_frozen_meanwhile_has_no_successor(desk: Desk) -> None:
    number, application = reissued(desk)
    desk.do(ask(requests.Freeze, card=number, why="测试"), seed.OFFICER)
    hand_out = ask(requests.HandOut, application=application, shown=SHOWN)
    assert refused(lambda: desk.do(hand_out)) == "OLD-CARD-FROZEN"
    desk.do(ask(requests.Unfreeze, card=number), seed.OFFICER)
    assert desk.do(hand_out).card != number


def test_work_on_the_old_card_is_settled_before_the_next_is_handed_out(desk: Desk) -> None:
    number, application = reissued(desk)
    pending = cancelled_half_way(desk, number)
    hand_out = ask(requests.HandOut, application=application, shown=SHOWN)
    assert refused(lambda: desk.do(hand_out)) == "OLD-CARD-HALF-WAY"
    with desk.card(number) as connection:
        desk.office.resume(pending, connection)
    assert refused(lambda: desk.do(hand_out)) == "STILL-ENTITLED"
    dispose = ask(requests.Dispose, application=application, reason="cancelled-meanwhile")
    desk.do(dispose, seed.OFFICER)


def cancelled_half_way(desk: Desk, number: str) -> int:
    """Torn out by the command that blocks."""
    with desk.card(number) as connection, pytest.raises(HalfWay) as half:
        desk.do(ENDING, connection=TornAt(connection, 0x1E))
    return half.value.pending


class TornAt(Torn):
    """A card that is pulled out before its first command of this instruction."""

    def __init__(self, connection: Any, instruction: int) -> None:
        super().__init__(connection, 10**6)
        self._instruction = instruction

    def send(self, command: bytes) -> bytes:
        if command[1] == self._instruction:
            self._left = 0
        return super().send(bytes([command[0], 0xDC, *command[2:]]) if self._left == 0 else command)


def test_who_dies_before_the_card_is_made_is_closed_too(desk: Desk) -> None:
    """Article 27 speaks of making as well as of handing out."""
    application = desk.applied()
    desk.do(ask(requests.Dispose, application=application, reason="died-meanwhile"), seed.OFFICER)
    assert refused(lambda: desk.do(ask(requests.Make, application=application))) == "NOT-MADE-YET"
    assert late_of(desk)(every=True) == []
    assert desk.applied(YOU) > application


def test_a_card_disposed_of_while_its_chip_was_made_stays_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    application = desk.applied()
    whole = MakeOperation.chip

    def meanwhile(self: MakeOperation, case: Any) -> None:
        whole(self, case)
        desk.do(ask(requests.Dispose, application=application, reason="died-meanwhile"), seed.OFFICER)

    monkeypatch.setattr(MakeOperation, "chip", meanwhile)
    assert refused(lambda: desk.do(ask(requests.Make, application=application))) == "NOT-MADE-YET"
    with desk.register.transaction() as session:
        assert [one.life for one in session.scalars(select(Card))] == [Life.ENDED]


def test_a_card_that_waits_is_disposed_of_and_not_withdrawn(desk: Desk) -> None:
    application = desk.applied()
    number = str(desk.do(ask(requests.Make, application=application)).data["card"])
    with desk.card(number) as connection:
        assert refused(lambda: desk.do(ask(requests.Withdraw, why="测试"), seed.OFFICER, connection)) == "HANDED-OUT"
    desk.do(ask(requests.HandOut, application=application, shown=SHOWN))


def test_a_temporary_loss_made_formal_does_not_lapse(desk: Desk) -> None:
    number = desk.active()
    report = {"holder": ME.document, "shown": SHOWN}
    desk.do(ask(requests.ReportLoss, **report, kind="temporary"))
    desk.clock.step(timedelta(days=6))
    desk.do(ask(requests.ReportLoss, **report, kind="formal"))
    desk.clock.step(timedelta(days=30))
    assert refused(lambda: desk.with_card(number, moving("510700"))) == "LOST"
    assert card(desk, number).loss is Loss.FORMAL


def test_a_guardian_proves_it_whatever_cause_is_given(desk: Desk) -> None:
    kid = child()
    told = {"person": kid, "bank": seed.BANK, "shown": (kid.document,), "electronic_pin": "135790"}
    for cause in (Incapacity.MINOR, Incapacity.OTHER, Incapacity.DISABLED):
        request = ask(requests.Apply, **told, agent=agent(cause, Relation.GUARDIAN))
        assert refused(lambda request=request: desk.do(request)) == "GUARDIANSHIP"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("document", "more", "rule"),
    [
        (citizen(15).document, (), "NEW-DOCUMENT-SHOWN"),
        (citizen(16).document, (citizen(16).document,), "NEW-DOCUMENT-CHECKED"),  # of the other sex
        (YOU.document, (YOU.document,), "NEW-DOCUMENT-CHECKED"),  # another's
        (requests.Document(type=DocumentType.PASSPORT, number="E1"),) * 2 + ("NEW-DOCUMENT-CHECKED",),
    ],
)
def test_a_new_number_is_shown_and_checked(desk: Desk, document: Any, more: Any, rule: str) -> None:
    number = desk.active()
    desk.active(YOU)
    papers = (*SHOWN, *(more if isinstance(more, tuple) else (more,)))
    request = ask(requests.Replace, shown=papers, reason="name-or-number-changed", document=document)
    assert refused(lambda: desk.with_card(number, request)) == rule


def test_what_is_overdue_is_listed(desk: Desk) -> None:
    first, second = desk.applied(ME), desk.applied(YOU)
    desk.do(ask(requests.Extend, application=second, days=30, reason="traffic"))
    late = late_of(desk)
    assert late() == []
    assert [one["late"] for one in late(every=True)] == [False, False]
    desk.clock.step(timedelta(days=50))
    assert [(one["application"], one["kind"], one["late"]) for one in late()] == [(first, Kind.FIRST, True)]
    desk.services.workdays = Workdays()
    desk.clock.set(desk.clock.now().replace(year=2026, month=12, day=20))
    desk.applied(citizen(33))
    assert next(one for one in late() if one["deadline"] is None)["deadline_unknown"].startswith("the holidays of 2027")


def late_of(desk: Desk) -> Callable[..., list[dict[str, Any]]]:
    def listed(*, every: bool = False) -> list[dict[str, Any]]:
        with desk.register.transaction() as session:
            return lookup.late(session, desk.services, desk.clock.today(), every=every)

    return listed


# --- supervision, and the end ----------------------------------------------------------------------------------------


def test_an_anomaly_that_returns_is_found_again(desk: Desk) -> None:
    number = desk.active()
    reconcile = ask(requests.Reconcile)

    def account(state: AccountState) -> list[Any]:
        with desk.register.transaction() as session:
            session.get_one(Account, number).state = state
        return list(desk.do(reconcile, seed.OFFICER).data["anomalies"])

    assert len(account(AccountState.CONTROLLED)) == 1
    about = [(line.operation, line.card_id, json.loads(line.detail)) for line in trail(desk) if line.card_id]
    assert about[-1] == ("freeze", card(desk, number).id, {"by": "reconcile"})
    assert account(AccountState.OPENED) == []
    desk.do(ask(requests.Unfreeze, card=number), seed.OFFICER)
    assert len(account(AccountState.CONTROLLED)) == 1
    assert card(desk, number).frozen_at is not None


def test_the_whole_is_not_the_banks(desk: Desk) -> None:
    desk.active()
    for request in (requests.Query(holder=ME.document, shown=SHOWN, whole=True), requests.Export(holder=ME.document)):
        with pytest.raises(Refusal) as caught:
            desk.do(request, seed.BANKER)
        assert caught.value.rule in ("WHOLE-DATA", "SOCIAL-FUNCTION")


def test_everybody_of_a_batch_is_on_the_trail(desk: Desk) -> None:
    desk.do(batch(ME, YOU))
    assert [(line.operation, line.person_id) for line in trail(desk)] == [
        ("apply", 1),
        ("apply", 2),
        ("apply-batch", None),
    ]


def batch(*people: requests.Personal) -> requests.ApplyBatch:
    clerk = citizen(41, name="测试经办").document
    told = {"institution": "虚构学校", "letter": "虚构介字第1号", "clerk_name": "测试经办", "clerk_document": clerk}
    return ask(requests.ApplyBatch, **told, shown=(clerk,), bank=seed.BANK, people=people)


def test_who_is_forgotten_is_nowhere_any_more(desk: Desk) -> None:
    """Not in the notes, the bank's refusals, the batch, the drawer, nor in what the file's free pages hold."""
    person = citizen(51, name="测试忘忘", address="四川省成都市遗忘路一号")
    desk.do(batch(person))
    with desk.register.transaction() as session:
        session.add(AccountRefusal(document_number=person.document.number, reason="测试"))
    own = {"holder": person.document, "shown": (person.document,)}
    desk.do(ask(requests.Make, application=1))
    number = str(desk.do(ask(requests.HandOut, application=1, shown=(person.document,))).data["card"])
    desk.with_card(number, ask(requests.Activate, shown=(person.document,)))
    desk.with_card(number, ask(requests.ChangeInformation, address="四川省成都市遗忘路二号"))
    desk.do(ask(requests.Freeze, **own, why="测试忘忘冒用"), seed.OFFICER)
    desk.with_card(number, ask(requests.Withdraw, why="测试忘忘出借"), seed.OFFICER)
    desk.do(ask(requests.CloseAccount, card=number), seed.BANKER)
    assert desk.services.card_store.has(number)
    retention_over(desk)
    assert desk.do(ask(requests.Erase), seed.OFFICER).data["erased"] == 1
    assert ("erase", 1) in [(line.operation, line.person_id) for line in trail(desk)]
    with desk.register.transaction() as session:
        assert session.get_one(Batch, 1).agent_name == "已删除"
    assert not desk.services.card_store.has(number)
    desk.register.close()
    held = desk.held()
    for one in ("忘忘", "遗忘路", person.document.number, person.phone, citizen(41).document.number):
        assert one.encode() not in held, one
        assert json.dumps(one)[1:-1].encode() not in held, one


def retention_over(desk: Desk) -> None:
    """The last card ended long ago: the Measures themselves bind for no more than five years."""
    with desk.register.transaction() as session:
        for one in session.scalars(select(Card)):
            assert one.ended_at is not None
            one.ended_at -= timedelta(days=5 * 365)


def test_who_never_had_a_card_is_forgotten_too(desk: Desk) -> None:
    desk.clock.set(desk.clock.now().replace(year=2023, month=9, day=4))
    application, waiting = desk.applied(ME), desk.applied(YOU)
    desk.do(ask(requests.Dispose, application=application, reason="emigrated-meanwhile"), seed.OFFICER)
    desk.clock.set(desk.clock.now().replace(year=2028, month=8, day=31))
    erase = ask(requests.Erase)
    assert desk.do(erase, seed.OFFICER).data["erased"] == 0
    with desk.register.transaction() as session:
        session.get_one(Application, application).accepted_at -= timedelta(days=7)
        session.get_one(Application, waiting).accepted_at -= timedelta(days=7)
    assert desk.do(erase, seed.OFFICER).data["erased"] == 1


def test_an_export_holds_all_that_is_held(desk: Desk) -> None:
    number = desk.active()
    reported(desk)
    told = desk.do(ask(requests.Export, holder=ME.document, shown=SHOWN)).data["export"]
    assert (told["cards"][0]["number"], told["cards"][0]["loss"]) == (number, "formal")
    assert told["applications"][0]["progress"] == Progress.DELIVERED
    assert told["electronic"] is True
    assert [line["operation"] for line in told["trail"]] == ["apply", "make", "hand-out", "activate", "report-loss"]


def test_a_card_that_cannot_be_read_changes_nothing(desk: Desk) -> None:
    number = desk.active()
    before = len(trail(desk))
    with desk.card(number) as connection, pytest.raises((Failed, HalfWay)):
        desk.do(moving("510700"), connection=Torn(connection, 0))
    assert len(trail(desk)) == before + 1
