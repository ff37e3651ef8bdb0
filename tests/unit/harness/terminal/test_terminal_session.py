"""The terminal's one session with a card: what it knows of it, and that all go through it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.status import SW
from emulator.crypto import SUITES
from emulator.crypto.keys import test_root as root_of
from emulator.security import Right
from harness.keys.access import Unauthorised
from harness.keys.psam import Psam, PsamError
from harness.keys.root_keys import RootKeys
from harness.readers.connection import InProcess
from harness.terminal.refused import Refused
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import Terminal
from tests.kit.cards import new_card

HARNESS = Path(__file__).parents[4] / "harness"


def session(*, keys: bool = True) -> TerminalSession:
    """With a card whose kind is known; nothing is read to learn it."""
    chip = new_card().chip
    made = TerminalSession(InProcess(chip), RootKeys(root_of) if keys else None)
    made.layout, made.suite, made.region = chip.image.layout, SUITES[chip.image.algorithm], "510100"
    made.reset()
    return made


def test_a_right_is_won_once_and_lost_with_the_application() -> None:
    card = session()
    right = Right("UKSSSE")
    card.enter("SSSE")
    assert card.missing(right) == ("UKSSSE",)
    card.authorise(right, "a test")
    assert card.missing(right) == ()
    card.enter("SSSE")
    assert card.missing(right) == (), "it is current already, so nothing was sent"
    card.enter("SSSE", again=True)
    assert card.missing(right) == ("UKSSSE",)


def test_a_reset_forgets_everything() -> None:
    card = session()
    card.authenticate("UKSSSE")
    card.reset()
    assert card.application == ""
    assert card.missing(Right("UKSSSE")) == ("UKSSSE",)


def test_an_application_without_a_name_is_selected_by_its_id() -> None:
    card = session()
    assert not card.layout.applications["MF"].dfname
    assert card.select("MF").ok
    assert card.application == "MF"


def test_a_blocked_application_is_current_on_the_card_and_not_worked_in() -> None:
    terminal = Terminal(InProcess(new_card().chip))
    terminal.begin()
    terminal.block_application("DF05")
    terminal.enter("SSSE")
    with pytest.raises(Refused, match="selecting DF05") as refused:
        terminal.enter("DF05")
    assert refused.value.sw == SW.APPLICATION_BLOCKED
    assert terminal.application == ""


def test_who_holds_no_key_proves_none() -> None:
    card = session(keys=False)
    assert card.send(GetChallenge.command()).ok
    with pytest.raises(Unauthorised, match="UKSSSE is needed"):
        card.authenticate("UKSSSE")


def test_a_psam_is_told_whose_card_it_serves() -> None:
    own = Psam(TerminalSession(InProcess(new_card("psam", "3des", "psam").chip)))
    with pytest.raises(PsamError, match="no identification code"):
        own.begin(b"")


FOLLOWERS = {
    "terminal/session.py": "the session itself",
    "learning/prober.py": "what is learned of a card is also how it announces and refuses lengths",
    "conformance/steps.py": "vectors say who follows 61xx and 6Cxx: the reader, the program or nobody",
}
"""Modules of the harness that go past the session down to the transport, and why."""


def test_all_work_with_a_card_goes_through_the_session() -> None:
    found = set()
    for path in HARNESS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "emulator.apdu.transport":
                found.add(path.relative_to(HARNESS).as_posix())
    assert found == set(FOLLOWERS)
