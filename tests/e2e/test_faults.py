"""What a PC/SC program sees of each fault, through the real pcscd and vpcd: the table in docs/terminals.md."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.terminal.terminal import Refused, Terminal
from harness.trace import read
from tests.kit.cards import DF, SSSE
from tests.kit.served import serving

pytestmark = pytest.mark.pcsc
FAULTS = {
    "status,sw=6A82,item=SSSE/EF05/01": ("SUCCESS", "6A82"),
    "sw61,part=4,item=SSSE/EF05/02": ("SUCCESS", "6103"),
    "sw6c,item=SSSE/EF05/03": ("SUCCESS", "6C07"),
    "truncated,by=4,status_too=yes,item=SSSE/EF05/04": ("SUCCESS", "12 bytes"),
    "truncated,by=99,status_too=yes,item=SSSE/EF05/05": ("SUCCESS", "1 bytes"),
    "oversized,by=200,item=SSSE/EF05/06": ("SUCCESS", "208 bytes"),
    "garbled,item=SSSE/EF05/07": ("SUCCESS", "13 bytes"),
    "delay,seconds=0.7,item=SSSE/EF06/08": ("SUCCESS", "6982"),
    "mute,seconds=0.3,item=SSSE/EF06/09": ("gone", ""),
    "removal,moment=before,item=SSSE/EF06/0A": ("gone", ""),
    "removal,moment=within,item=SSSE/EF06/0B": ("gone", ""),
    "removal,moment=after,item=SSSE/EF06/0C": ("SUCCESS", "6982"),
    "power-cut,after=1,instruction=VERIFY": ("gone", ""),
}


class Client:
    """A PC/SC program with nothing between it and SCardTransmit."""

    def __init__(self, scard: Any, handle: Any, reader: str) -> None:
        self.scard, self.handle, self.reader = scard, handle, reader
        self.connect()

    def connect(self) -> None:
        assert pcsc.wait_card(self.reader)
        result, self.card, _ = self.scard.SCardConnect(
            self.handle, self.reader, self.scard.SCARD_SHARE_EXCLUSIVE, self.scard.SCARD_PROTOCOL_T0
        )
        assert result == 0, self.scard.SCardGetErrorMessage(result)

    def send(self, command: str) -> tuple[str, bytes]:
        result, answer = self.scard.SCardTransmit(self.card, self.scard.SCARD_PCI_T0, list(bytes.fromhex(command)))
        names = {getattr(self.scard, name): name.removeprefix("SCARD_") for name in RESULTS}
        return names.get(result, hex(result)), bytes(answer)

    def again(self) -> None:
        """Waits until the card has left, as PC/SC sees it, and is there again."""
        assert pcsc.wait_card(self.reader, present=False), "PC/SC never saw the card leave"
        self.scard.SCardDisconnect(self.card, self.scard.SCARD_LEAVE_CARD)
        self.connect()


RESULTS = ("SCARD_S_SUCCESS", "SCARD_E_NOT_TRANSACTED", "SCARD_W_REMOVED_CARD")
GONE = ("S_SUCCESS", "E_NOT_TRANSACTED", "W_REMOVED_CARD")
"""What a call is answered by whose card leaves: success without a byte, as a rule."""


@contextmanager
def client(reader: str) -> Iterator[Client]:
    scard: Any = pcsc.scard()
    with pcsc.context() as handle:
        one = Client(scard, handle, reader)
        yield one
        scard.SCardDisconnect(one.card, scard.SCARD_LEAVE_CARD)


def test_what_a_client_sees_of_each_fault(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    arguments = [part for fault in FAULTS for part in ("--fault", fault)]
    seen: dict[str, tuple[str, str]] = {}
    with serving("--trace", str(trace), *arguments) as served, client(served.readers[0]) as one:
        one.send(SSSE)
        lengths = {"01": 18, "02": 3, "03": 6, "04": 14, "05": 6, "06": 6, "07": 11}
        for fault, (result, told) in FAULTS.items():
            tag = fault[-2:]
            if "VERIFY" in fault:
                command = "0020000003999999"
            else:
                command = f"00B2{tag}{'28' if 'EF05' in fault else '30'}{lengths.get(tag, 9):02X}"
            began = time.monotonic()
            got, answer = one.send(command)
            took = time.monotonic() - began
            seen[fault] = (got, answer.hex().upper())
            if result == "gone":
                assert got in GONE, seen
                assert answer == b"", seen
            else:
                assert got == "S_SUCCESS", seen
                assert told in (answer.hex().upper(), f"{len(answer)} bytes"), seen
            if fault.startswith(("delay", "mute")):
                assert took >= 0.3, seen
            if result == "gone" or "moment=after" in fault:
                one.again()
                one.send(SSSE)
    told_in_trace = [event.told("fault").partition(" ")[2] for event in read.events(trace) if event.kind == "fault"]
    assert len(told_in_trace) == len(FAULTS)
    assert {one.partition(",")[0] for one in told_in_trace} == {one.partition(",")[0] for one in FAULTS}


def test_what_a_client_sees_of_faults_that_leave_the_card_where_it_is() -> None:
    faults = (
        "repeat,item=SSSE/EF05/03,once=yes",
        "reset,moment=before,item=SSSE/EF05/04,once=yes",
        "reset,moment=after,item=SSSE/EF05/05,once=yes",
        "status,sw=6581,executed=yes,instruction=VERIFY,once=yes",
        "challenge,nth=2",
    )
    class_, number = "00B2022803", "00B207280B"
    with serving(*(part for fault in faults for part in ("--fault", fault))) as served:
        with client(served.readers[0]) as one:
            one.send(SSSE)
            first = one.send(class_)
            assert first[1][:2] == b"\x02\x01"
            assert one.send("00B2032806") == first, "the last answer once more"
            assert one.send("00B204280E") == ("S_SUCCESS", b"\x6a\x82"), "a reset: nothing is selected"
            one.send(SSSE)
            assert one.send("00B2052806")[1][-2:] == b"\x90\x00"
            assert one.send(number) == ("S_SUCCESS", b"\x6a\x82"), "a reset after the answer"
            one.send(SSSE)
            assert one.send("0020000003123456") == ("S_SUCCESS", b"\x65\x81")
            one.send(DF["DF01"])
            assert one.send("00B2202804")[1][:2] == b"\x20\x02", "the PIN was taken all the same"
        with Pcsc(served.readers[0]) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            with pytest.raises(Refused) as refused:
                terminal.authenticate("RKSSSE")
            assert refused.value.sw & 0xFFF0 == 0x63C0, "another challenge than the card's"


def test_chance_is_the_same_under_the_same_seed_through_pcscd(tmp_path: Path) -> None:
    def drawn(seed: int) -> list[tuple[str, bytes]]:
        trace = tmp_path / f"{seed}.jsonl"
        faults = ("--fault=garbled,item=SSSE/EF05/07,one_in=4", "--fault=status,instruction=READ_RECORD,one_in=9")
        arguments = ("--trace", str(trace), "--force", "--personal-data", "--seed", str(seed), *faults)
        with serving(*arguments) as served, client(served.readers[0]) as one:
            one.send(SSSE)
            seen = [one.send("00B207280B") for _ in range(60)]
        events = list(read.events(trace))
        assert [event.answer for event in events if event.kind == "apdu"][1:] == [answer for _, answer in seen]
        assert 10 < sum(event.kind == "fault" for event in events) < 40
        return seen

    first = drawn(7)
    assert drawn(7) == first
    assert drawn(8) != first


def test_a_card_taken_out_for_good_stays_out() -> None:
    with serving("--fault", "removal,back=no,instruction=VERIFY") as served, client(served.readers[0]) as one:
        one.send(SSSE)
        assert one.send("0020000003123456")[0] in GONE
        assert pcsc.wait_card(served.readers[0], present=False)
        with pytest.raises(AssertionError):
            assert pcsc.wait_card(served.readers[0], timeout=1.5)
