"""A terminal in the certificate application: what it does unasked, and what it refuses to do."""

from __future__ import annotations

import pytest

from emulator.chip import Chip
from harness.certificates.authority import Purpose
from harness.certificates.x509 import CertificateError
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.readers.connection import InProcess
from harness.terminal.certificates import MOST, CertificateApplication, NoApplication, NotProved, NotWritten
from harness.terminal.refused import PinRefused, Refused
from harness.terminal.terminal import Terminal
from tests.kit.cards import Card, new_card


class Sent(InProcess):
    """A connection that keeps what was sent."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        self.sent: list[str] = []

    def send(self, command: bytes) -> bytes:
        self.sent.append(command.hex().upper())
        return super().send(command)


def opened(card: Card) -> tuple[Sent, CertificateApplication]:
    connection = Sent(card.chip)
    terminal = Terminal(connection)
    terminal.begin()
    return connection, CertificateApplication(terminal)


@pytest.mark.parametrize("piece", [0x70, 0xFA])
def test_a_certificate_is_written_in_the_field_s_pieces_over_all_of_an_older_one(piece: int) -> None:
    card = new_card("3.00", "sm4")
    connection, own = opened(card)
    own.prove("123456")
    connection.sent.clear()
    own.write(Purpose.SIGNATURE, b"\x30\x03\x02\x01\x07", piece)
    writes = [one for one in connection.sent if one.startswith("00D6")]
    assert [one[4:10] for one in writes[:2]] == [f"0000{piece:02X}", f"{piece:04X}{piece:02X}"]
    assert connection.sent[0] == "00A40000020018"
    assert sum(int(one[8:10], 16) for one in writes) == MOST
    (content,) = card.chip.image.memory.records("CERT/EF18")
    assert content == b"\x30\x03\x02\x01\x07".ljust(1024, b"\0")


def test_no_pin_is_ever_guessed() -> None:
    connection, own = opened(new_card("3.00", "sm4"))
    for act in (
        own.generate,
        lambda: own.sign(b"x"),
        lambda: own.write(Purpose.SIGNATURE, b"\x30\x00"),
    ):
        with pytest.raises(NotProved):
            act()
    assert not [one for one in connection.sent if one.startswith("0020")]
    with pytest.raises(PinRefused) as refused:
        own.prove("654321")
    assert refused.value.tries_left == 5
    with pytest.raises(NotProved):
        own.sign(b"x")


def test_what_the_card_garbles_is_noticed() -> None:
    faults = plan.Plan((plan.from_text("garbled,by=1,instruction=READ_BINARY,nth=1"),))
    terminal = Terminal(InProcess(FaultyChip(new_card("3.00", "sm4").chip.image, faults)))
    terminal.begin()
    own = CertificateApplication(terminal)
    own.prove("123456")
    with pytest.raises(NotWritten, match="CERT/EF18"):
        own.write(Purpose.SIGNATURE, b"\x30\x03\x02\x01\x07")


def test_a_certificate_that_is_too_long_is_not_begun() -> None:
    connection, own = opened(new_card("3.00", "sm4"))
    own.prove("123456")
    with pytest.raises(CertificateError, match="1020"):
        own.write(Purpose.SIGNATURE, bytes(MOST + 1))
    assert not [one for one in connection.sent if one.startswith("00D6")]


def test_a_key_pair_that_was_made_is_the_one_that_is_exported_and_read() -> None:
    __, own = opened(new_card("3.00", "sm4", "certificate-none"))
    own.prove("123456")
    with pytest.raises(Refused, match="6985"):
        own.sign(b"x")
    made = own.generate()
    assert own.held(Purpose.SIGNATURE).public == made == own.exported()


def test_a_card_of_another_version_has_none() -> None:
    with pytest.raises(NoApplication):
        opened(new_card("2.00"))
