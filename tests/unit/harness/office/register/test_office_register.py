"""The register: its schema's history, what the database itself holds to, its trail, and many clerks at once."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, select, text, update

from emulator.personas import numbers
from harness.clock import CHINA
from harness.office.case.rule import Refusal
from harness.office.desk.office import Office
from harness.office.register import audit, condition, seed, store
from harness.office.register.base import Base
from harness.office.register.store import Conflict, Register, RegisterError
from harness.office.register.tables import Application, Audit, Card, Person
from harness.office.requests import models as requests
from harness.office.vocabulary import Life
from tests.kit.forks import Say, forked
from tests.kit.offices import START, Desk, ask, citizen
from tests.kit.sampled import DEEP

ME = citizen()
APPLY = ask(requests.Apply, person=ME, bank=seed.BANK, shown=(ME.document,), electronic_pin="135790")


@pytest.fixture
def desk(tmp_path: Path, either: str) -> Desk:
    del either  # first it is chosen where the register is
    return Desk(tmp_path)


def test_migrations_make_what_the_tables_say(desk: Desk) -> None:
    with desk.register.engine.connect() as link:
        context = MigrationContext.configure(link)
        assert context.get_current_revision() == store.newest()
        assert compare_metadata(context, Base.metadata) == []


def test_a_register_opens_again_with_what_it_holds(desk: Desk, tmp_path: Path) -> None:
    number = desk.active()
    desk.register.close()
    again = Desk(tmp_path).register
    with again.transaction() as session:
        card = session.scalars(select(Card).where(Card.number == number)).one()
        assert card.activated_at == START.replace(tzinfo=CHINA)
    again.close()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look at" * 40, None])
def test_what_is_no_register_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.db"
    if content is None:  # a newer program's
        Register(path).close()
        with sqlite3.connect(path) as link:
            link.execute("UPDATE alembic_version SET version_num = '9999'")
        link.close()
    else:
        path.write_bytes(content)
    with pytest.raises(RegisterError, match=r"other\.db: no register"):
        Register(path)


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (
            "DROP TABLE card_image; DROP TABLE alembic_version",
            "expected a database for the register alone, found tables of another program: account, account_refusal",
        ),
        ("DROP TABLE setting", "the register's tables are not this program's"),
    ],
)
def test_tables_that_are_not_ours_are_left_as_they_are(tmp_path: Path, deed: str, said: str) -> None:
    path = tmp_path / "other.db"
    Register(path).close()
    with contextlib.closing(sqlite3.connect(path)) as link:
        link.executescript(deed)
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(RegisterError, match=said):
        Register(path)
    assert path.read_bytes() == before


def test_the_database_itself_holds_one_person_to_one_card(desk: Desk) -> None:
    number = desk.active()
    with desk.register.transaction() as session:
        card = session.scalars(select(Card).where(Card.number == number)).one()
    second = Card(
        person_id=card.person_id, bank_code=card.bank_code, number="A99999990", chip="F" * 16, identification="F" * 32,
        layout="3.00", algorithm="3des", life=Life.ISSUED, made_at=card.made_at, valid_until=card.valid_until,
    )  # fmt: skip
    with pytest.raises(Conflict, match=r"card\.person_id"):
        written(desk, second)


def written(desk: Desk, row: Base) -> None:
    with desk.register.transaction() as session:
        session.add(row)


def test_the_database_itself_holds_one_person_to_one_application(desk: Desk) -> None:
    desk.applied()
    with desk.register.transaction() as session:
        there = session.scalars(select(Application)).one()
    second = Application(
        person_id=there.person_id, kind=there.kind, bank_code=there.bank_code, outlet_id=1,
        accepted_at=there.accepted_at, progress=there.progress, fee=0,
    )  # fmt: skip
    with pytest.raises(Conflict, match=r"application\.person_id"):
        written(desk, second)


# --- the trail -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", [update(Audit).values(clerk="nobody"), delete(Audit), text("DELETE FROM audit")])
def test_the_trail_only_grows(desk: Desk, deed: object) -> None:
    desk.active()
    with pytest.raises(Conflict, match="only grows"), desk.register.transaction() as session:
        session.execute(deed)  # type: ignore[call-overload]


IN_PLACE = "id, at, 'nobody', role, outlet, operation, article, person_id, card_id, outcome, detail, seal"


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (f"INSERT OR REPLACE INTO audit SELECT {IN_PLACE} FROM audit WHERE id = 2", "the audit trail only grows"),
        (f"REPLACE INTO audit SELECT {IN_PLACE} FROM audit WHERE id = 2", "the audit trail only grows"),
        ("UPDATE OR REPLACE audit SET id = 3 WHERE id = 2", "the audit trail only grows"),
        ("DELETE FROM person", "FOREIGN KEY"),
        ("UPDATE person SET id = 99", "FOREIGN KEY"),
        ("INSERT OR REPLACE INTO person SELECT * FROM person", "UNIQUE"),
        ("INSERT OR REPLACE INTO person SELECT * FROM as_another", "UNIQUE"),
        ("UPDATE OR REPLACE person SET document_number = (SELECT document_number FROM person WHERE id = 1)", "UNIQUE"),
    ],
)
def test_whatever_program_writes_the_file_it_holds_to_its_rules(tmp_path: Path, deed: str, said: str) -> None:
    desk = Desk(tmp_path)
    desk.active()
    desk.applied(citizen(31))
    with contextlib.closing(sqlite3.connect(desk.register.path)) as link:
        assert link.execute("PRAGMA foreign_keys").fetchone() == (0,), "no program need ask for them"
        link.execute("CREATE TEMP TABLE as_another AS SELECT * FROM person WHERE id = 1")
        link.execute("UPDATE as_another SET id = 99")
        with pytest.raises(sqlite3.IntegrityError, match=said):
            link.execute(deed)
    assert condition.told(desk.register)["faults"] == []


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        (
            "DROP TRIGGER audit_no_update; CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END",
            "trigger audit_no_update is missing: the database lets the trail be changed",
        ),
        (
            "CREATE TRIGGER more AFTER INSERT ON card BEGIN DELETE FROM push; END",
            "the schema is not this program's: trigger more",
        ),
        (
            "DROP INDEX one_person_one_card; "
            "CREATE UNIQUE INDEX one_person_one_card ON card (person_id) WHERE life = 'none'",
            "the schema is not this program's: index one_person_one_card",
        ),
        ("UPDATE card SET person_id = 99", "rows of card belong to rows of person that are not there"),
    ],
)
def test_what_was_put_in_the_place_of_a_rule_is_told(tmp_path: Path, deed: str, fault: str) -> None:
    desk = Desk(tmp_path)
    desk.active()
    with contextlib.closing(sqlite3.connect(desk.register.path)) as link:
        link.executescript(deed)
    assert condition.told(desk.register)["faults"] == [fault]


@pytest.mark.parametrize(
    ("deed", "line"),
    [
        ("UPDATE audit SET clerk = 'nobody' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 3", 4),
        ("UPDATE audit SET outcome = 'refused' WHERE id = 4", 4),
    ],
)
def test_what_is_done_to_the_trail_by_other_means_shows(tmp_path: Path, deed: str, line: int) -> None:
    desk = Desk(tmp_path)
    desk.active()
    with desk.register.transaction() as session:
        assert audit.broken(session) is None
    with sqlite3.connect(desk.register.path) as link:
        link.execute("DROP TRIGGER audit_no_update")
        link.execute("DROP TRIGGER audit_no_delete")
        link.execute(deed)
    link.close()
    with desk.register.transaction() as session:
        assert audit.broken(session) == line


# --- many at once ----------------------------------------------------------------------------------------------------


def _tries(office: Office, clerk: str) -> str:
    try:
        return str(office.perform(APPLY, clerk).data["application"])
    except Refusal as refusal:
        return refusal.rule


def test_threads_of_clerks_accept_one_person_once(desk: Desk) -> None:
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda _: _tries(desk.office, desk.clerk), range(24)))
    assert sorted(said) == ["1"] + ["ONE-CARD"] * 23


def clerk(folder: Path, first: int, own: int) -> Callable[[Say], None]:
    """Wants a person that every process wants, then so many of its own."""

    def work(say: Say) -> None:
        desk = Desk(folder)
        say(_tries(desk.office, desk.clerk))
        for order in range(first, first + own):
            number = numbers.citizen_id("19850505", 2 * order + 1)
            person = citizen(11, document={"type": "id-card", "number": number}, birth=date(1985, 5, 5))
            say(desk.active(person))

    return work


def test_processes_of_clerks_share_a_register(desk: Desk, tmp_path: Path, either: str) -> None:
    desk.register.close()
    own = 12 if either == "file" or DEEP else 3
    programs = [forked(clerk(tmp_path, first, own)) for first in range(0, 4 * own, own)]
    said = [program.lines.read().split() for program in programs]
    assert [program.ended() for program in programs] == [0] * 4
    assert sorted(one[0] for one in said) == ["1"] + ["ONE-CARD"] * 3
    assert len({number for one in said for number in one[1:]}) == 4 * own
    with desk.register.transaction() as session:
        assert len(session.scalars(select(Person)).all()) == 4 * own + 1
        assert audit.broken(session) is None
