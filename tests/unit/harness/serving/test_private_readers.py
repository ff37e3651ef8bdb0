"""Readers of one program alone: where they are, and how a card takes the place of one that was put in beforehand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.chip import Chip, Exchange
from harness.serving.private_readers import OWN_NETWORK, Exchangeable, own_network
from tests.kit.cards import SSSE


class Heard:
    def __init__(self) -> None:
        self.events: list[str] = []

    def exchanged(self, exchange: Exchange) -> None:
        self.events.append(exchange.answer.hex().upper())

    def powered(self, event: str, atr: bytes) -> None:
        del atr
        self.events.append(event)


def chip(persona: str = "adult-chengdu", heard: Heard | None = None) -> Chip:
    return Chip(catalogue.card(persona, "3.00"), observer=heard)


def test_the_card_that_comes_in_its_place_is_powered_as_the_first_one_was() -> None:
    heard = Heard()
    place = Exchangeable(chip())
    place.power_on()
    place.exchange(chip(heard=heard))
    assert place.transmit(bytes.fromhex(SSSE)) == b"\x61\x1e"
    assert heard.events == ["reset", "611E"]


def test_one_that_lost_its_power_since_it_was_put_in_leaves_none_to_the_next() -> None:
    heard = Heard()
    place = Exchangeable(chip())
    place.power_on()
    place.power_off()
    place.exchange(chip(heard=heard))
    assert heard.events == ["reset", "off"]


def test_one_that_was_never_put_in_is_replaced_unseen() -> None:
    heard = Heard()
    Exchangeable(chip()).exchange(chip(heard=heard))
    assert heard.events == []


def test_a_card_with_another_atr_cannot_come_in_its_place() -> None:
    with pytest.raises(ValueError, match="another ATR"):
        Exchangeable(chip()).exchange(chip("centenarian"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces are Linux's")
def test_what_is_started_in_a_network_of_its_own_is_there_alone() -> None:
    before = OWN_NETWORK.readlink()
    with own_network() as apart:
        within = OWN_NETWORK.readlink()
        listening = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    assert OWN_NETWORK.readlink() == before
    if os.getuid() == 0 and apart:
        assert within != before
        assert listening == []
    else:
        assert within == before


def test_a_card_is_taken_once_its_atr_was_asked_for_after_its_power() -> None:
    place = Exchangeable(chip())
    assert place.atr
    assert not place.taken.is_set()
    place.power_on()
    assert not place.taken.is_set()
    assert place.atr
    assert place.taken.is_set()
    place.taken_out()
    assert not place.taken.is_set()
