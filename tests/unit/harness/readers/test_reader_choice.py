"""Which reader has the terminal's own card, where nobody said so and other programs use cards too."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import pytest

from emulator.chip import Chip
from emulator.interface import Interface, interface_of
from harness.driver import reader_choice
from harness.driver.reader_choice import FoundReaders
from harness.readers import pcsc
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from tests.kit.cards import new_card


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Readers ``user``, ``own`` and one whose name does not say that it is contactless, with their cards; those named
    here are used by another program.
    """
    in_field = Chip(new_card().chip.image, interface=Interface.CONTACTLESS)
    chips = {"silent": in_field, "user": new_card().chip, "own": new_card("psam", "3des", "psam").chip}
    used: set[str] = set()

    class Opened(InProcess):
        def __init__(self, reader: str, **_: object) -> None:
            if reader in used:
                raise PcscError(f"reader {reader}: sharing violation", pcsc.SHARING_VIOLATION)
            super().__init__(chips[reader])

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
        ) -> None:
            self.close()

    seen = {name: chip.atr for name, chip in chips.items()}
    monkeypatch.setattr(pcsc, "present", lambda: dict(seen))
    monkeypatch.setattr(pcsc, "reader_names", lambda: list(seen))
    monkeypatch.setattr(reader_choice, "Pcsc", Opened)
    monkeypatch.setattr("harness.driver.readers.Pcsc", Opened)
    return used


def test_the_psam_is_found_by_its_application(busy: set[str]) -> None:
    readers = FoundReaders()
    assert not busy
    assert readers.psam() is not None
    assert readers.card(1).atr == new_card().chip.atr


def test_a_reader_with_a_contactless_card_is_contactless_though_its_name_is_silent(busy: set[str]) -> None:
    readers = FoundReaders()
    assert not busy
    assert [interface_of(readers.card(kind).atr) for kind in (1, 2, 3, 4)] == [
        Interface.CONTACT, Interface.CONTACTLESS, Interface.CONTACT, Interface.CONTACTLESS,
    ]  # fmt: skip


def test_a_contactless_card_is_not_asked_whether_it_is_a_psam(busy: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reader_choice, "is_psam", asked.append)
    assert FoundReaders().psam() is None
    assert not busy
    assert asked == ["user", "own"]


def test_a_reader_may_be_said_to_be_contactless(busy: set[str]) -> None:
    readers = FoundReaders(contactless=["us"])
    assert not busy
    with pytest.raises(PcscError, match="no reader of this kind"):
        readers.card(1)


def test_a_psam_that_another_program_uses_is_looked_for_again(busy: set[str]) -> None:
    readers = FoundReaders()
    busy.add("own")
    assert readers.psam() is None
    busy.clear()
    assert readers.psam() is not None, "the terminal is not without a PSAM for good"


def test_a_psam_once_found_is_not_looked_for_with_each_call(busy: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    readers = FoundReaders()
    assert readers.psam() is not None
    asked: list[str] = []
    monkeypatch.setattr(reader_choice, "is_psam", lambda name: asked.append(name))
    assert readers.psam() is not None
    assert not busy
    assert asked == []
