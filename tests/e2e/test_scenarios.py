"""Counter software under test, judged through a real pcscd: the driver library's own flows, and clients that err."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.driver.library import SSCardDriver
from harness.driver.pad import Pad
from harness.driver.readers import Given
from harness.readers.connection import Pcsc
from harness.terminal import region
from harness.terminal.terminal import Terminal
from tests.kit.served import serving, sscard

pytestmark = pytest.mark.pcsc
Client = Callable[[str, str], None]
"""Works with the card in one reader, and the PSAM in the other."""
MOVED = ("OFFICE-24-WITHIN_THE_PROVINCE", "moved")
ACTIVATED = ("OFFICE-13-ALONE_OR_WITH_ACCOUNT", "alone")
RESET = ("OFFICE-15-RESET_A_LOCKED_PIN", "reset")
CHANGED = ("OFFICE-23-WITH_THE_CARD", "changed")


def by_terminal(work: Callable[[Terminal], object]) -> Client:
    """The reference terminal, over PC/SC."""

    def client(reader: str, _: str) -> None:
        with Pcsc(reader) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            work(terminal)

    return client


def by_driver(call: Callable[[SSCardDriver], tuple[int, str]], *entries: str) -> Client:
    """The driver library with a PSAM, as counter software calls it; the pad's entries."""

    def client(reader: str, psam: str) -> None:
        driver = SSCardDriver(Given(lambda _: Pcsc(reader), lambda: Pcsc(psam)), Pad(entries))
        assert call(driver) == (0, "")

    return client


def some_insurances(terminal: Terminal) -> None:
    for one in region.read(terminal)[:2]:
        terminal.update(one.binding.item, "510700")


PHONE_AND_ADDRESS = ("DF01EF06|28|23|$", "DF01EF06|00000000099|四川省绵阳市虚构区样例路9号|$")


@pytest.mark.parametrize(
    ("step", "client", "code", "expected"),
    [
        (MOVED, by_terminal(lambda terminal: region.move(terminal, "510700", "510100")), 0, "passed"),
        (MOVED, by_terminal(some_insurances), 1, "expected regions '510700', the chip has ['510100', '510700']"),
        (ACTIVATED, by_terminal(lambda terminal: terminal.activate()), 0, "passed"),
        (ACTIVATED, by_terminal(lambda terminal: terminal.read("SSSE/EF05/07")), 1, "expected activated True"),
        (RESET, by_driver(lambda driver: driver.iReloadPIN(1, "||"), "246810", "246810"), 0, "passed"),
        (RESET, by_driver(lambda driver: driver.iUnblockPIN(1, "||")), 1, "expected pin '246810'"),
        (CHANGED, by_driver(lambda driver: driver.iWriteCard(1, "||", *PHONE_AND_ADDRESS)), 0, "passed"),
    ],
    ids=["moved", "some-moved", "activated", "not-activated", "reset", "only-unblocked", "written"],
)
def test_software_is_judged_by_what_it_did(
    tmp_path: Path, step: tuple[str, str], client: Client, code: int, expected: str
) -> None:
    image, trace = tmp_path / "card.json", tmp_path / "session.jsonl"
    name, before = step
    sscard("scenarios", "card", name, "--before", before, "--image", str(image))
    recorded = ("--trace", str(trace), "--show-secrets", "--personal-data")
    with serving("--image", str(image), "--psam", *recorded, cards=2) as served:
        client(*served.readers)
    told = sscard("scenarios", "judge", name, "--step", before, "--trace", str(trace), expect=code)
    assert expected in told
