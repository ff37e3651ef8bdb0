"""The register on a PostgreSQL server: what the server itself holds to, what many programs do to it at once, and what
becomes of work when it goes away.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from emulator.filesystem.memory.image import ImageError
from harness.office.cards import chosen, store
from harness.office.cards.in_register import RegisterCards
from harness.office.desk import moving
from harness.office.desk.office import HalfWay
from harness.office.register import audit, condition, copying, secret
from harness.office.register.address import AddressError, ServerAddress, parsed
from harness.office.register.copying import NotEmpty
from harness.office.register.failures import NoRegister, RegisterError, Uncertain, Unusable
from harness.office.register.in_file import SqliteFile
from harness.office.register.secret import SecretError
from harness.office.register.store import Register
from harness.office.register.tables import Audit, Card, Outlet, Person
from harness.readers.connection import Connection
from tests.kit.forks import Say, forked
from tests.kit.office_fronts import CommandLine
from tests.kit.offices import HASH_COST, Desk, citizen
from tests.kit.offices import moving as going
from tests.kit.postgres import ROLE, Cluster, running

ME = citizen()
TOO_LONG = SqliteFile.outgrown_after or 0.0
"""Seconds that are too long for a register in a file."""


@pytest.fixture
def desk(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("tests.kit.offices.server", cluster)
    one = Desk(tmp_path)
    yield one
    one.register.close()
    cluster.forget()


def name_of(desk: Desk) -> str:
    assert isinstance(desk.register.address, ServerAddress)
    return desk.register.address.given["dbname"]


def psql(cluster: Cluster, database: str, statement: str) -> tuple[int, str]:
    """What Debian's own client says."""
    given = ["psql", "-X", "-At", "-h", str(cluster.folder), "-U", ROLE, "-d", database, "-c", statement]
    done = subprocess.run(given, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return done.returncode, (done.stdout + done.stderr).strip()


# --- where it is -----------------------------------------------------------------------------------------------------


def test_an_address_is_told_without_its_passwords() -> None:
    address = parsed("postgresql://office:ge%2Fheim@db.example:5433/register?sslmode=verify-full&sslpassword=auch")
    assert str(address) == "postgresql://office@db.example:5433/register?sslmode=verify-full"
    assert isinstance(address, ServerAddress)
    assert address.has_password
    assert address.given["password"] == "ge/heim", "libpq has it all the same"
    assert "heim" not in repr(address) + str(address)
    assert parsed("office.db") == Path("office.db")


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://office:ge heim@h:port/x",
        "postgresql://h/x?nosuch=geheim",
        "mysql://o:geheim@h/x",
        "postgresql:/office:geheim@h/x",
        "postgresql:office:geheim@h/x",
        "postgresql//office:geheim@h/x",
        " PostgreSQL://office:geheim@h/x",
        "jdbc:postgresql://office:geheim@h/x",
        "psql postgresql://office:geheim@h/x",
        "host=h user=office password=geheim dbname=x",
        "postgresql://office:ge@heim@h/x",
        "postgresql://office:ge/heim@h/x",
        "postgresql://office:12/heim@h/x",
        "postgresql://office@geheim:heim@h/x",
        "",
    ],
)
def test_an_address_that_is_none_is_not_quoted(given: str) -> None:
    with pytest.raises(AddressError) as told:
        parsed(given)
    assert "heim" not in str(told.value)


@pytest.mark.parametrize("given", ["postgres.db", "/var/lib/postgresql/office.db", "C:/office.db", "a@b:c.db"])
def test_a_file_is_a_file_whatever_it_is_called(given: str) -> None:
    assert parsed(given) == Path(given)


@pytest.mark.parametrize(
    "given",
    [
        "postgresql:///x",
        "postgresql://[::1]:5/x",
        "postgresql:///x?host=/run/a,/run/b",
        "postgresql://a%40b@h/%E7%A4%BE",
        "postgresql://a@h:1,i:2/b%40c",
        "postgresql:///x?host=@abstract",
    ],
)
def test_what_an_address_says_is_an_address_again(given: str) -> None:
    address = parsed(given)
    assert parsed(str(address)) == address


def opened(address: ServerAddress, **more: object) -> Register:
    return Register(address, durable=False, hash_cost=HASH_COST, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"host": "127.0.0.1", "port": "1", "user": "x"}, "refused"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"user": "nobody"}, 'role "nobody" does not exist'),
        ({"sslmode": "require", "host": "127.0.0.1", "port": "1"}, "refused"),
    ],
)
def test_who_is_not_let_in_is_told_why_in_a_sentence(
    cluster: Cluster, database: str, other: dict[str, str], told: str
) -> None:
    address = cluster.address(database, **{"password": "geheim", **other})
    with pytest.raises(Unusable) as error:
        opened(address)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert "geheim" not in str(error.value)


def test_a_database_without_a_register_says_how_one_is_made(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database("template1") as name:
        with pytest.raises(NoRegister, match=r"office --register postgresql://.* init"):
            opened(cluster.address(name), make=False, secret_file=tmp_path / "s")
        assert cluster.sql(name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_another_program_filled_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database("template1") as name:
        cluster.sql(name, "CREATE TABLE orders (id int)")
        with pytest.raises(RegisterError, match="found tables of another program: orders"):
            opened(cluster.address(name), secret_file=tmp_path / "office.secret")
        assert cluster.sql(name, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("orders",)]
    assert list(tmp_path.iterdir()) == []


def test_a_newer_programs_register_and_other_encodings_are_refused(cluster: Cluster, database: str) -> None:
    cluster.sql(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RegisterError, match="or one of a newer program"):
        opened(cluster.address(database), secret_file=cluster.secret)
    cluster.sql("postgres", "CREATE DATABASE latin ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(RegisterError, match="expected a database of encoding UTF8, found SQL_ASCII"):
            opened(cluster.address("latin"))
    finally:
        cluster.sql("postgres", "DROP DATABASE latin")


def test_a_register_opens_with_its_own_secret_alone(cluster: Cluster, database: str, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="bring the file from where the register was made"):
        opened(cluster.address(database), secret_file=tmp_path / "none")
    secret.kept(tmp_path / "another")
    with pytest.raises(audit.TrailError, match="not the secret that the register was made with"):
        opened(cluster.address(database), secret_file=tmp_path / "another")
    assert [one.name for one in tmp_path.iterdir()] == ["another"]


# --- what the server holds to ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE audit SET clerk = 'x'",
        "DELETE FROM audit WHERE id < 0",
        "TRUNCATE audit",
        "SET session_replication_role = replica; DELETE FROM audit",
    ],
)
def test_psql_cannot_change_the_trail(cluster: Cluster, database: str, deed: str) -> None:
    code, said = psql(cluster, database, deed)
    assert (code, "the audit trail only grows" in said) == (1, True), said


def test_psql_cannot_give_a_person_two_cards(desk: Desk, cluster: Cluster) -> None:
    desk.active()
    same, ends = "layout, algorithm, life, made_at, valid_until, loss", "frozen_why, ended_why"
    insert = f"INSERT INTO card (person_id, bank_code, number, chip, identification, {same}, {ends})"
    select_ = f"SELECT person_id, bank_code, 'A99', 'F', 'F', {same}, {ends} FROM card"
    code, said = psql(cluster, name_of(desk), f"{insert} {select_}")
    assert (code, "one_person_one_card" in said) == (1, True), said
    code, said = psql(cluster, name_of(desk), "UPDATE card SET person_id = 999")
    assert (code, "fk_card_person_id" in said) == (1, True), said
    assert psql(cluster, name_of(desk), "SELECT count(*) FROM card WHERE life = 'issued'") == (0, "1")


def test_texts_compare_as_in_a_file_whatever_the_server_speaks(cluster: Cluster, database: str) -> None:
    found = cluster.sql(
        database,
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type = 'character varying' AND table_name <> 'alembic_version'",
    )
    assert found == [("C",)]


def test_what_psql_did_to_the_trail_as_a_superuser_shows(desk: Desk, cluster: Cluster) -> None:
    desk.active()
    assert condition.told(desk.register)["faults"] == []
    deed = "ALTER TABLE audit DISABLE TRIGGER audit_only_grows; UPDATE audit SET outcome = 'refused' WHERE id = 2"
    assert psql(cluster, name_of(desk), deed)[0] == 0
    faults = condition.told(desk.register)["faults"]
    assert [one.partition(" ")[0] for one in faults] == ["trigger", "line"], faults


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        (
            "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NULL; END $$",
            "trigger audit_only_grows is missing: the database lets the trail be changed",
        ),
        (
            "DROP TRIGGER audit_only_grows ON audit; CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit "
            "EXECUTE FUNCTION audit_only_grows(); ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_only_grows",
            "trigger audit_only_grows is missing: the database lets the trail be changed",
        ),
        (
            "DROP INDEX one_person_one_card; "
            "CREATE UNIQUE INDEX one_person_one_card ON card (person_id) WHERE life <> 'issued'",
            "the schema is not this program's: index one_person_one_card",
        ),
    ],
)
def test_what_was_put_in_the_place_of_a_rule_is_told(desk: Desk, cluster: Cluster, deed: str, fault: str) -> None:
    assert psql(cluster, name_of(desk), deed)[0] == 0
    assert condition.told(desk.register)["faults"] == [fault]


def test_a_conflict_quotes_nobody(desk: Desk) -> None:
    desk.active()
    with desk.register.reading() as session:
        (one,) = session.scalars(select(Person))
    values = {column.key: getattr(one, column.key) for column in Person.__table__.columns if column.key != "id"}
    with pytest.raises(RegisterError) as told:
        desk.register.write(lambda session: session.add(Person(**values)))
    assert ME.document.number not in str(told.value)
    assert "person.document_type, person.document_number" in str(told.value)


def test_a_role_that_may_only_serve_is_enough(cluster: Cluster, database: str) -> None:
    cluster.sql("postgres", "CREATE ROLE server LOGIN")
    try:
        for deed in (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server",
            "REVOKE UPDATE, DELETE ON audit FROM server",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO server",
        ):
            cluster.sql(database, deed)
        register = opened(cluster.address(database, user="server"), secret_file=cluster.secret)
        with register.transaction() as session:
            session.add(
                Outlet(
                    name="另一网点",
                    kind="office",
                    region="510100",
                    address="",
                    phone="",
                    hours="",
                    makes_cards=False,
                    helps=[],
                )
            )
        with pytest.raises(Unusable, match="the role may not do this"), register.transaction() as session:
            session.execute(text("UPDATE audit SET clerk = 'x'"))
        register.close()
        cluster.sql(database, "UPDATE alembic_version SET version_num = '0003'")
        with pytest.raises(Unusable, match="run `sscard office init` as the owner"):
            opened(cluster.address(database, user="server"), secret_file=cluster.secret)
    finally:
        cluster.sql(database, "DROP OWNED BY server")
        cluster.sql("postgres", "DROP ROLE server")


# --- many at once ----------------------------------------------------------------------------------------------------


def test_a_deadlock_is_begun_anew_and_not_for_ever(desk: Desk) -> None:
    tries: list[int] = []

    def work(session: Session) -> str:
        tries.append(1)
        if len(tries) < 3:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'deadlock_detected'; END $$"))
        return "done"

    assert desk.register.write(work) == "done"
    assert len(tries) == 3
    tries.clear()

    def never(session: Session) -> None:
        tries.append(1)
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$"))

    with pytest.raises(Unusable, match="the register is busy: try again"):
        desk.register.write(never)
    assert len(tries) == 4


def test_who_keeps_the_lock_is_waited_for_and_not_for_ever(desk: Desk, cluster: Cluster) -> None:
    address = cluster.address(name_of(desk), options="-c lock_timeout=200ms")
    with desk.register.transaction():
        with pytest.raises(Unusable, match="the register is busy: try again"):
            opened(address, secret_file=cluster.secret)
        with desk.register.reading() as session:
            assert audit.count(session) == 0, "who looks waits for nobody"


def test_fifty_threads_write_one_chain(desk: Desk) -> None:
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda at: desk.register.write(lambda session: session.add(_outlet(at))), range(50)))
    with desk.register.reading() as session:
        assert len(session.scalars(select(Outlet)).all()) == 55
        assert audit.broken(session) is None


def test_who_waits_longer_there_does_not_make_it_outgrown(desk: Desk) -> None:
    waited: list[float] = []
    desk.register.waited = waited.append
    with ThreadPoolExecutor(1) as pool:
        with desk.register.transaction():
            writer = pool.submit(desk.register.write, lambda _: None)
            with pytest.raises(TimeoutError):
                writer.result(TOO_LONG)
        writer.result()
    assert max(waited) >= TOO_LONG
    assert desk.register.longest_wait() == 0
    assert condition.told(desk.register)["advice"] == []


def _outlet(at: int) -> Outlet:
    return Outlet(
        name=f"网点{at}", kind="office", region="510100", address="", phone="", hours="", makes_cards=False, helps=[]
    )


# --- the drawer ------------------------------------------------------------------------------------------------------


def test_a_card_that_another_program_has_is_waited_for_and_then_refused(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = desk.active()
    other = Desk(tmp_path)
    monkeypatch.setattr(store, "WAIT", 0.2)
    with desk.card(number), pytest.raises(ImageError, match="another process holds this card"), other.card(number):
        raise AssertionError
    with other.card(number):
        pass
    other.register.close()


class Meddled:
    """A card of which something happens before the third item that is written."""

    def __init__(self, inner: Connection, meddle: Callable[[], object]) -> None:
        self._inner, self._meddle, self._writes = inner, meddle, 0
        self.atr, self.reset, self.close = inner.atr, inner.reset, inner.close

    def send(self, command: bytes) -> bytes:
        self._writes += command[1] == 0xDC
        if self._writes == 3:
            self._writes += 1
            self._meddle()
        return self._inner.send(command)


def mover(folder: Path, number: str) -> Callable[[Say], None]:
    """Begins a transfer and stops for ever in the middle of its writes."""

    def work(say: Say) -> None:
        def stop() -> None:
            say("half")
            signal.pause()

        desk = Desk(folder)
        with desk.card(number) as connection:
            desk.do(going("510700"), connection=Meddled(connection, stop))

    return work


def test_what_a_killed_program_left_another_takes_up(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = desk.active()
    desk.register.close()
    program = forked(mover(tmp_path, number))
    assert program.lines.readline().strip() == "half"
    monkeypatch.setattr(store, "WAIT", 0.2)
    with pytest.raises(ImageError), desk.card(number):
        raise AssertionError
    program.kill()
    program.ended()
    monkeypatch.setattr(store, "WAIT", 10.0)
    (pending,) = desk.office.pending()
    with desk.card(number) as connection:
        done = desk.office.resume(pending["pending"], connection)
    assert done.data["to"] == "510700"
    assert desk.office.pending() == []
    with desk.register.reading() as session:
        assert audit.broken(session) is None


def test_a_card_whose_lock_was_lost_is_written_no_more(desk: Desk, cluster: Cluster) -> None:
    number = desk.active()
    images: list[object] = []

    def meddle() -> None:
        name = name_of(desk)
        images.extend(cluster.sql(name, "SELECT content FROM card_image"))
        cluster.sql(name, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1")

    with desk.card(number) as connection, pytest.raises(HalfWay, match="has let the card go"):
        desk.do(going("510700"), connection=Meddled(connection, meddle))
    assert cluster.sql(name_of(desk), "SELECT content FROM card_image") == images
    (pending,) = desk.office.pending()
    with desk.card(number) as connection:
        desk.office.resume(pending["pending"], connection)
    assert desk.office.pending() == []


# --- the server goes away --------------------------------------------------------------------------------------------


def test_a_server_that_is_started_again_is_used_again_and_a_lost_end_is_told_apart() -> None:
    with running() as cluster:
        register = opened(cluster.address("planted"), secret_file=cluster.secret)

        def lost_in_the_middle(session: Session) -> None:
            session.add(_outlet(1))
            cluster.stop()
            session.flush()

        def lost_at_the_end(session: Session) -> None:
            session.add(_outlet(2))
            session.flush()
            cluster.stop()

        with pytest.raises(Unusable, match="has ended the connection: try again"):
            register.write(lost_in_the_middle)
        with pytest.raises(Unusable), register.reading() as session:
            audit.count(session)
        cluster.start()
        with pytest.raises(Uncertain, match="look what the register says"):
            register.write(lost_at_the_end)
        cluster.start()
        with register.transaction() as session:
            assert session.scalar(select(Outlet).where(Outlet.name == "网点1")) is None
            session.add(_outlet(3))
        register.close()


# --- from a file, and back -------------------------------------------------------------------------------------------


def test_a_register_moves_onto_a_server_and_back_whole(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = Desk(tmp_path / "old")
    number = old.active()
    with cluster.database("template1") as name:
        address, file = cluster.address(name), tmp_path / "secret"
        copied, cards = moving.copy(old.register, old.services.card_store, address, secret_file=file)
        assert (cards, copied.rows["audit"], copied.rows["card"]) == (1, 4, 1)
        assert cluster.sql(name, "SELECT count(*) FROM audit") == [(4,)]
        with pytest.raises(NotEmpty, match="expected an empty register, found rows in"):
            moving.copy(old.register, old.services.card_store, address, secret_file=file)
        new = opened(address, secret_file=file)
        drawer = chosen.store(new, None)
        assert isinstance(drawer, RegisterCards)
        assert drawer.image(number).to_text() == old.services.card_store.image(number).to_text()
        with new.transaction() as session:
            session.add(_outlet(9))
            session.flush()
            assert session.scalars(select(Outlet).where(Outlet.name == "网点9")).one().id == 6
        back, __ = moving.copy(new, drawer, tmp_path / "back.db", tmp_path / "back-cards")
        assert back.anchor == copied.anchor
        new.close()
        again = Register(tmp_path / "back.db", durable=False, hash_cost=HASH_COST)
        assert condition.told(again)["faults"] == []
        again.close()
    old.register.close()


@pytest.mark.usefixtures("in_a_file")
def test_a_register_that_was_changed_is_not_copied_and_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = Desk(tmp_path / "old")
    old.active()
    with old.register.transaction() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(update(Audit).where(Audit.id == 2).values(clerk="nobody"))
    with cluster.database("template1") as name:
        with pytest.raises(copying.NotWhole, match="line 2 of the trail"):
            moving.copy(old.register, old.services.card_store, cluster.address(name), secret_file=tmp_path / "s")
        assert cluster.sql(name, "SELECT count(*) FROM audit") == [(0,)]
        assert cluster.sql(name, "SELECT count(*) FROM card_image") == [(0,)]
    assert not (tmp_path / "s").exists()
    old.register.close()


def test_pg_dump_and_restore_keep_a_register_whole(desk: Desk, cluster: Cluster, tmp_path: Path) -> None:
    number = desk.active()
    with desk.register.reading() as session:
        anchor = audit.anchor(session)
    where = ["-h", str(cluster.folder), "-U", ROLE]
    subprocess.run(["pg_dump", "-Fc", *where, "-f", tmp_path / "dump", name_of(desk)], check=True)
    with cluster.database("template0") as name:
        subprocess.run(["pg_restore", *where, "-d", name, tmp_path / "dump"], check=True)
        restored = opened(cluster.address(name), secret_file=cluster.secret, make=False)
        assert condition.told(restored)["faults"] == []
        with restored.reading() as session:
            assert audit.holds(session, anchor)
            assert session.scalars(select(Card.number)).all() == [number]
        assert chosen.store(restored, None).has(number)
        restored.close()
        assert "only grows" in psql(cluster, name, "DELETE FROM audit")[1]


# --- at the command line ---------------------------------------------------------------------------------------------


def test_the_commands_work_on_a_server_and_say_no_password(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.database("template1") as name:
        address = f"postgresql://{ROLE}:geheim@/{name}?host={cluster.folder}"
        line = CommandLine(tmp_path, address, tmp_path / "office.secret")
        number = line.issued()
        told = line.result("check")
        assert (told["database"], told["cards"], told["in_drawer"], told["faults"]) == ("postgresql", 1, 1, [])
        assert "geheim" not in json.dumps(told)
        assert line.result("transfer", "--card", number, "--to", "510700", "--insurance", "all")["to"] == "510700"
        warned = line.run("trail", "verify")
        assert "put it into PGPASSWORD" in warned.stderr
        assert "geheim" not in warned.output
