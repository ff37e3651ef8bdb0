"""The office's program ended at any moment of a transfer: card and register agree, or a note makes them agree."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from harness.office.register import audit
from harness.office.register.tables import Card
from harness.office.vocabulary import Outcome
from harness.terminal import region as regions
from harness.terminal.terminal import Terminal
from tests.kit.forks import Say, forked
from tests.kit.offices import Desk, moving
from tests.kit.sampled import DEEP

KILLS = 200 if DEEP else 12
LONGEST = 0.25
"""Seconds of the processor's: several transfers, however busy the machine is."""
MOST = 10 * KILLS
"""So many if none came in the middle before."""


def mover(folder: Path, number: str, there: str, span: float) -> Callable[[Say], None]:
    """Moves a card to and fro, until the processor has worked for so many seconds."""

    def work(say: Say) -> None:
        desk = Desk(folder)
        regions = ["510700", "513400"]
        if there == regions[0]:
            regions.reverse()
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # it ends the process as SIGKILL would
        signal.setitimer(signal.ITIMER_PROF, span)
        while True:
            for region in regions:
                desk.with_card(number, moving(region))
                say(region)

    return work


def sides(desk: Desk, number: str) -> tuple[set[str], str]:
    with desk.card(number) as connection:
        terminal = Terminal(connection)
        terminal.begin()
        chip = {one.code for one in regions.read(terminal)}
    with desk.register.transaction() as session:
        return chip, session.scalars(select(Card).where(Card.number == number)).one().person.insured["DF03/EF05/61"]


def moves(desk: Desk) -> list[str]:
    """Where to, of every transfer that the trail says was done."""
    with desk.register.transaction() as session:
        lines = [one for one in audit.lines(session) if one.operation == "transfer"]
    return [json.loads(one.detail)["to"] for one in lines if one.outcome in (Outcome.DONE, Outcome.RESUMED)]


@pytest.mark.timeout(3600)
def test_card_and_register_agree_after_every_kill(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    number = desk.active()
    rng = random.Random(2023)
    half_way = told = kill = 0
    there = "510100"
    while kill < KILLS or (not half_way and kill < MOST):
        kill += 1
        desk.register.close()
        program = forked(mover(tmp_path, number, there, rng.uniform(0.001, LONGEST)))
        said = program.lines.read().split()
        assert program.ended() == -signal.SIGPROF, "its timer ended it"
        if pending := desk.office.pending():
            half_way += 1
            assert len(pending) == 1
            with desk.card(number) as connection:
                desk.office.resume(pending[0]["pending"], connection)
        chip, register = sides(desk, number)
        assert chip == {register}
        told += len(said)
        done = moves(desk)
        assert told <= len(done) <= told + kill, "what was told as done is done, and at most one more each time"
        assert register == (done[-1] if done else there)
        there = register
    assert half_way, "some came in the middle"
    with desk.register.transaction() as session:
        assert audit.broken(session) is None
    desk.register.close()
