"""Several clients of the same readers: calls never interleave, and steps hold the readers for a bounded time."""

from __future__ import annotations

import threading

import pytest

from harness.driver.library import SSCardDriver
from harness.driver.lock import Turns
from harness.driver.readers import Given
from tests.kit.counter import ANY, Counter

DEADLINE = 30.0


def clients(hold: float) -> tuple[Counter, SSCardDriver, SSCardDriver]:
    counter, turns = Counter(), Turns(hold)
    readers = Given(counter.open, lambda: None)
    return counter, SSCardDriver(readers, turns=turns), SSCardDriver(readers, turns=turns)


def test_another_client_waits_for_the_steps_to_end() -> None:
    counter, one, other = clients(DEADLINE)
    _, told = one.iReadCardBas_HSM_Step1(1)
    answers: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: answers.append(other.iReadCard(1, 2, ANY, "SSSEEF05|07|$")))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive(), "it waits"
    assert one.iReadCardBas_HSM_Step2(counter.machine.basic(told))[0] == 0
    thread.join(DEADLINE)
    assert answers == [(0, "SSSEEF05|A00000011|$")]


def test_steps_that_take_too_long_lose_the_readers() -> None:
    counter, one, other = clients(0.01)
    _, told = one.iReadCardBas_HSM_Step1(1)
    assert other.iReadCard(1, 2, ANY, "SSSEEF05|07|$")[0] == 0
    assert one.iReadCardBas_HSM_Step2(counter.machine.basic(told))[0] == -12
    assert one.iReadCardBas_HSM_Step1(1)[0] == 0


def test_a_stray_step_waits_for_nobody() -> None:
    counter, one, other = clients(3600)
    _, told = one.iReadCardBas_HSM_Step1(1)
    for step in (other.iReadCardBas_HSM_Step2, other.iUnblockPIN_HSM_Step2, other.iDoDebit_HSM_Step2):
        assert step("")[0] == -12
    assert one.iReadCardBas_HSM_Step2(counter.machine.basic(told))[0] == 0, "and takes nobody's card away"


def test_nobody_waits_for_a_client_that_has_gone() -> None:
    _, one, other = clients(DEADLINE)
    one.iReadCardBas_HSM_Step1(1)
    one.close()
    assert other.iReadCard(1, 2, ANY, "SSSEEF05|07|$")[0] == 0


@pytest.mark.parametrize("hold", [0.0, DEADLINE])
def test_many_clients_at_once(hold: float) -> None:
    counter, *_ = clients(hold)
    turns, readers = Turns(hold), Given(counter.open, lambda: None)
    codes: list[int] = []

    def work() -> None:
        driver = SSCardDriver(readers, turns=turns)
        for _ in range(5):
            code, told = driver.iReadCardBas_HSM_Step1(1)
            codes.append(code or driver.iReadCardBas_HSM_Step2(counter.machine.basic(told))[0])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(codes) == 30
    assert set(codes) <= ({0} if hold else {0, -12})
