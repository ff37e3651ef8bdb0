"""Many clerks at once for one person, in one program or in several: one card, and everybody else is told why not."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from harness.office.cards import store
from harness.office.desk import tokens
from harness.office.register import seed
from harness.office.register.tables import Card
from harness.office.vocabulary import Life
from harness.web.office import create, examples
from tests.kit.offices import Desk

AT_ONCE = 20


def client_of(desk: Desk, token: str) -> TestClient:
    headers = {"Authorization": f"Bearer {token}"}
    return TestClient(create(desk.office), base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False)


def token_of(desk: Desk) -> str:
    with desk.register.transaction() as session:
        return tokens.give(session, seed.MAKER, desk.clock.now())


def in_a_program_of_its_own(folder: Path, token: str, gate: Any, told: Any) -> None:
    """Four clerks who issue for the same person through one service; their answers."""
    client = client_of(Desk(folder), token)
    gate.wait(TIMEOUT)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post("/issue", json=BODY), range(4)))
    told.put([(answer.status_code, answer.json()) for answer in answers])


TIMEOUT = 60
(BODY,) = [one.body for one in examples.STORY if one.operation == "issue"]


def test_services_in_two_programs_wait_for_each_other_and_refuse(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    token = token_of(desk)
    desk.register.close()
    forked = multiprocessing.get_context("fork")
    gate, told = forked.Barrier(2), forked.Queue()
    programs = [forked.Process(target=in_a_program_of_its_own, args=(tmp_path, token, gate, told)) for _ in range(2)]
    for one in programs:
        one.start()
    answers = [answer for _ in programs for answer in told.get(timeout=TIMEOUT)]
    for one in programs:
        one.join(TIMEOUT)
    assert {status for status, _ in answers} == {200, 409}, answers
    assert all(status == 200 or said["error"]["kind"] == "refused" for status, said in answers)
    with Desk(tmp_path).register.reading() as session:
        assert [one.life for one in session.scalars(select(Card))] == [Life.ISSUED]


def test_a_card_that_another_program_has_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    client = client_of(desk, token_of(desk))
    number = desk.issued()
    query = {"holder": examples.ME, "shown": [examples.ME]}
    with ExitStack() as stack:
        stack.enter_context(desk.card(number))
        Timer(0.3, stack.pop_all().close).start()
        assert client.post(f"/operations/query?drawer={number}", json=query).status_code == 200
    monkeypatch.setattr(store, "WAIT", 0.1)
    with desk.card(number):
        answer = client.post(f"/operations/query?drawer={number}", json=query)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "busy"), "but not for ever"


def test_twenty_issues_of_one_person_at_once_make_one_card_and_no_fault(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    client = client_of(desk, token_of(desk))

    def issue(_: int) -> tuple[int, Any]:
        answer = client.post("/issue", json=BODY)
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(issue, range(AT_ONCE)))
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {200, 409}, [answer for answer in answers if answer[0] not in (200, 409)]
    assert statuses[200] >= 1
    for status, said in answers:
        assert status == 200 or said["error"]["kind"] == "refused", said
    with desk.register.transaction() as session:
        assert [one.life for one in session.scalars(select(Card))] == [Life.ISSUED]
