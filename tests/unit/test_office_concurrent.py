"""Many clerks at once for one person: one card, and everybody else is told why not."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from harness.office.desk import tokens
from harness.office.register import seed
from harness.office.register.tables import Card
from harness.office.vocabulary import Life
from harness.web.office import create, examples
from tests.office import Desk

AT_ONCE = 20


def test_twenty_issues_of_one_person_at_once_make_one_card_and_no_fault(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with desk.register.transaction() as session:
        token = tokens.give(session, seed.MAKER, desk.clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    client = TestClient(
        create(desk.office), base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False
    )
    (body,) = [one.body for one in examples.STORY if one.operation == "issue"]

    def issue(_: int) -> tuple[int, Any]:
        answer = client.post("/issue", json=body)
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
