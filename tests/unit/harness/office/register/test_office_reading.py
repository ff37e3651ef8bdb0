"""Reading the register: in one place, under no lock, and its line of the trail is kept before the answer goes out."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

import harness
from harness.office.measures.articles import Citation
from harness.office.register import audit, queries, seed
from harness.office.register.audit import Act, Actor, Note
from harness.office.register.store import BUSY, Unusable
from harness.office.requests import models as requests
from harness.office.vocabulary import DocumentType, Outcome, Role
from tests.kit.office_fronts import Caller
from tests.kit.offices import Desk, agent, another_program_writes, ask, child, citizen

ASKS = re.compile(r"(?<![.\w])select\(|\bsession\.(query|scalars?|execute)\(")
ME = citizen()
AT_ONCE = 24
QUERY_MOST, SUSPEND_MOST = 9, 7
"""Statements, BEGIN and the line of the trail among them: who asks, whom about, what is known, what changes."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@contextmanager
def another_program_has_it_alone(desk: Desk) -> Iterator[None]:
    desk.register.close()
    link = sqlite3.connect(desk.register.path, isolation_level=None)
    link.execute("PRAGMA locking_mode = EXCLUSIVE")
    link.execute("BEGIN IMMEDIATE")
    link.execute("COMMIT")
    try:
        yield
    finally:
        link.close()


@contextmanager
def counted(desk: Desk) -> Iterator[list[str]]:
    said: list[str] = []

    def note(*given: object) -> None:
        said.append(str(given[2]))

    event.listen(desk.register.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(desk.register.engine, "before_cursor_execute", note)


def line_count(desk: Desk) -> int:
    with desk.register.reading() as session:
        return audit.count(session)


def test_the_register_is_asked_in_one_place() -> None:
    house = Path(harness.__file__).parent
    found = [
        f"{path.relative_to(house)}:{number}"
        for room in ("office", "scenarios", "cli/office", "web/office")
        for path in sorted((house / room).rglob("*.py"))
        if not path.is_relative_to(house / "office" / "register")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ASKS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("path", ["/outlets", "/services", "/late", "/pending", "/trail/verify"])
def test_what_is_only_looked_at_is_answered_while_another_program_writes(desk: Desk, path: str) -> None:
    caller = Caller(desk)
    with another_program_writes(desk.register.path):
        assert caller.get(path, Role.ADMINISTRATOR).status_code == 200


def test_a_glance_waits_for_nobody(desk: Desk) -> None:
    began = time.monotonic()
    with another_program_has_it_alone(desk), pytest.raises(Unusable), desk.register.glance() as link:
        queries.bearer_at_a_glance(link, "0" * 64)
    assert time.monotonic() - began < BUSY / 2


def test_a_token_is_waited_for_where_a_glance_cannot_be_had(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, glances = Caller(desk), []

    @contextmanager
    def none() -> Iterator[object]:
        glances.append(1)
        raise Unusable("somebody has the file alone")
        yield

    monkeypatch.setattr(desk.register, "glance", none)
    assert caller.get("/pending", Role.CLERK).status_code == 200
    assert caller.client.get("/pending", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert len(glances) == 2


def test_what_is_asked_most_takes_few_statements(desk: Desk) -> None:
    number = desk.active()
    with counted(desk) as asked:
        desk.do(ask(requests.Query, holder=ME.document, shown=(ME.document,)))
    assert len(asked) <= QUERY_MOST, asked
    with counted(desk) as asked:
        desk.do(ask(requests.Suspend, card=number, why="信息待核查"), seed.OFFICER)
    assert len(asked) <= SUSPEND_MOST, asked


def test_a_query_reads_under_no_lock_and_only_its_line_of_the_trail_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.active()
    before, transaction = line_count(desk), desk.register.transaction
    monkeypatch.setattr(desk.register, "transaction", lambda: pytest.fail("a query took the lock that writers take"))
    kept: list[Note] = []
    monkeypatch.setattr(desk.register, "note", kept.append)
    done = desk.do(ask(requests.Query, holder=ME.document, shown=(ME.document,)))
    assert done.card
    (note,) = kept
    assert (note.act.operation, note.act.outcome, note.act.person_id) == ("query", Outcome.DONE, done.person)
    monkeypatch.setattr(desk.register, "transaction", transaction)
    assert line_count(desk) == before


def test_a_query_whose_line_cannot_be_kept_is_not_answered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.active()

    def full(_: Note) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(desk.register, "note", full)
    with pytest.raises(OperationalError):
        desk.do(ask(requests.Query, holder=ME.document, shown=(ME.document,)))


def test_a_query_by_an_agent_leaves_who_came(desk: Desk) -> None:
    person, helper = child(), agent()
    papers = (person.document, requests.Document(type=DocumentType.BIRTH_CERTIFICATE))
    desk.do(ask(requests.Apply, person=person, bank=seed.BANK, shown=papers, agent=helper, electronic_pin="135790"))
    desk.do(ask(requests.Query, holder=person.document, shown=papers, agent=helper))
    with desk.register.reading() as session:
        found = queries.person(session, person.document.type, person.document.number)
        assert found is not None
        assert [one.operation for one in queries.agencies(session, found)] == ["apply", "query"]


def test_lines_that_wait_together_are_kept_in_few_transactions_and_each_in_its_place(desk: Desk) -> None:
    register, before = desk.register, line_count(desk)
    with register.reading() as session:
        actor = Actor.of(queries.clerk(session, seed.MAKER))
    turns: list[float] = []
    transaction = register.transaction

    @contextmanager
    def counted() -> Iterator[object]:
        turns.append(time.monotonic())
        with transaction() as session:
            yield session

    def note(number: int) -> None:
        act = Act("list", Citation(22).label_zh, Outcome.DONE, detail={"number": number})
        register.note(Note(desk.clock.now(), actor, act))

    register.transaction = counted  # type: ignore[method-assign, assignment]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        with another_program_writes(desk.register.path):
            waiting = [pool.submit(note, number) for number in range(AT_ONCE)]
            time.sleep(0.5)
            assert not any(one.done() for one in waiting), "nobody is answered before the line is kept"
        for one in waiting:
            one.result()
    assert len(turns) < AT_ONCE / 2
    with register.reading() as session:
        assert audit.broken(session) is None
        details = [line.detail for line in audit.lines(session)][before:]
    assert sorted(details) == sorted(f'{{"number": {number}}}' for number in range(AT_ONCE))
