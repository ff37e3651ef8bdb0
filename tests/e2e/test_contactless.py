"""One card in two readers, by its contacts and in a field, and the terminal's own card in a third: what programs that
nobody here wrote find there, and which reader the driver takes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import jsonschema
import pytest
from websockets.sync.client import connect

import harness.trace
from emulator.apdu.transport import follow
from harness.driver.library import SSCardDriver
from harness.driver.reader_choice import FoundReaders
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from harness.readers.pcsc import PcscError
from harness.trace import read
from tests import native
from tests.kit.cards import DF, SSSE, VERIFY
from tests.kit.served import DEADLINE, Served, ended, serving, sscard, started
from tests.native import Library

pytestmark = pytest.mark.pcsc
HISTORICAL = "0081544C908684510151010001"
IN_A_FIELD = "3B8D8001" + HISTORICAL + "06"
UID, ATS = "FFCA000000", "FFCA010000"
PIN_TRIES = "63C"
OPENED = "00B2202804"
"""READ RECORD of an item that the PIN opens."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    trace = tmp_path_factory.mktemp("contactless") / "trace.jsonl"
    with serving(
        "--interface", "both", "--psam", "--slots", "4", "--trace", str(trace), "--personal-data", cards=3
    ) as one:
        yield one, trace


def asked(connection: Pcsc, command: str) -> str:
    """The answer in hex, as it comes."""
    return connection.send(bytes.fromhex(command)).hex().upper()


def session(reader: str) -> Pcsc:
    """With the card there, which is reset at the end, so that no session is left for the other side to take."""
    return Pcsc(reader, reset_at_end=True)


def there(reader: str) -> None:
    """Waits for the card: one that lost its session in another reader is out of this one for a moment."""
    assert pcsc.wait_card(reader)


def test_the_ready_lines_name_a_contactless_reader_and_what_pcsc_shows_as_its_atr(served: tuple[Served, Path]) -> None:
    assert served[0].readers == ["Virtual PCD 00 00", "Virtual PCD Contactless 00 00", "Virtual PCD 00 01"]
    assert "contactless 1" in served[0].seen
    assert f"ready 1 {IN_A_FIELD} {served[0].readers[1]}" in served[0].seen


def test_pyscard_finds_the_contactless_reader_by_its_name_as_public_programs_do(served: tuple[Served, Path]) -> None:
    from smartcard.ATR import ATR
    from smartcard.System import readers

    del served
    reader = next(one for one in readers() if "Contactless" in str(one))
    connection = reader.createConnection()
    connection.connect()
    try:
        told = ATR(connection.getATR())
        assert told.isT1Supported()
        assert told.checksumOK
        assert bytes(told.getHistoricalBytes()).hex().upper() == HISTORICAL
        data, *status = connection.transmit(list(bytes.fromhex(UID)))
        assert (status, len(data), data[0]) == ([0x90, 0], 4, 0x08), "a number drawn anew, by ISO/IEC 14443-3"
        data, *status = connection.transmit(list(bytes.fromhex(SSSE)))
        assert (status, bytes(data[:2]).hex(), len(data)) == ([0x90, 0], "6f1c", 30), "whole, without GET RESPONSE"
    finally:
        connection.disconnect()
        connection.component.hcard = None


def test_pcsc_tools_and_opensc_understand_it(served: tuple[Served, Path]) -> None:
    reader = served[0].readers[1]
    analysed = subprocess.run(
        ["ATR_analysis", *bytes.fromhex(IN_A_FIELD).hex(" ").upper().split()],
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    ).stdout  # fmt: skip
    assert "correct checksum" in analysed, analysed
    assert "Protocol T = 1" in analysed, analysed
    listed = subprocess.run(["opensc-tool", "-l"], capture_output=True, text=True, timeout=DEADLINE, check=True).stdout
    number = next(line.split()[0] for line in listed.splitlines() if line.endswith(reader))
    sent = subprocess.run(
        ["opensc-tool", "-r", number, "-c", "default", "-s", SSSE, "-s", "00B2072C0B"],
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    ).stdout  # fmt: skip
    assert sent.count("(SW1=0x90, SW2=0x00)") == 2, listed + sent


def test_flows_of_contactless_readers_in_the_field(served: tuple[Served, Path]) -> None:
    """As two public programs have them: a card that answers SELECT of the MF at all is a CPU card; then SSSE, and a
    challenge of eight bytes, each whole.
    """
    with session(served[0].readers[1]) as connection:
        assert not connection.is_t0
        assert len(asked(connection, "00A4000000")) >= 4
        assert asked(connection, "00A404000F7378312E73682EC9E7BBE1B1A3D5CF").endswith("9000")
        assert len(asked(connection, "0084000008")) == 2 * 10


def test_the_reader_answers_for_the_card_in_a_field_alone(served: tuple[Served, Path]) -> None:
    (contact, in_field, _), trace = served[0].readers, served[1]
    with session(in_field) as connection:
        uid = asked(connection, UID)
        assert (len(uid), uid[:2], uid[-4:]) == (12, "08", "9000")
        assert asked(connection, "FFCA000004") == uid
        assert asked(connection, "FFCA000007") == uid[:8] + "6282"
        assert asked(connection, "FFCA000002") == "6C04"
        assert asked(connection, ATS) == f"127880A002{HISTORICAL}9000"
        for other in ("FFCA020000", "FFCA000100", "FF82000006FFFFFFFFFFFF", "FF000000"):
            assert asked(connection, other) == "6A81", other
    with session(contact) as connection:
        assert asked(connection, UID) == "6E00", "the card's own answer"
    events = [one for one in read.events(trace) if one.told("command").startswith("FF")]
    by_reader = [one for one in events if one.kind is read.EventKind.READER]
    assert {one.slot for one in by_reader} == {1}
    assert [one.slot for one in events if one.kind is read.EventKind.APDU] == [0]
    schema = json.loads(Path(harness.trace.__file__).with_name("schema-3.json").read_text())
    for one in by_reader:
        jsonschema.validate(one.table, schema)
    assert "FF82000006************" in {one.told("command") for one in by_reader}, "a key, perhaps"


def test_rights_stay_behind_and_what_is_written_does_not_when_the_power_changes_sides(
    served: tuple[Served, Path],
) -> None:
    contact, in_field, _ = served[0].readers
    there(contact)
    there(in_field)
    with session(contact) as by_contacts:
        follow(by_contacts.send, bytes.fromhex(DF["DF01"]))
        assert asked(by_contacts, OPENED) == "6982"
        assert asked(by_contacts, VERIFY) == "9000"
        assert asked(by_contacts, OPENED)[-4:] == "9000"
        with session(in_field) as by_air:
            assert asked(by_air, SSSE).endswith("9000")
            assert asked(by_air, "0020000003999999").startswith(PIN_TRIES)
            tries = asked(by_air, "0020000003999999")
            with pytest.raises(PcscError):
                by_contacts.send(bytes.fromhex(OPENED))
            assert asked(by_air, "0084000008").endswith("9000"), "this side goes on"
    assert pcsc.wait_card(contact, present=False), "as one whose power failed it leaves"
    there(contact)
    with session(contact) as by_contacts:
        follow(by_contacts.send, bytes.fromhex(DF["DF01"]))
        assert asked(by_contacts, OPENED) == "6982", "no right is left"
        left = asked(by_contacts, "0020000003999999")
        assert int(left[3], 16) == int(tries[3], 16) - 1, "one counter for both sides"
    sscard("pin", "unblock", "--reader", in_field)


def test_a_card_leaves_either_reader_alone_and_is_swapped_in_both(served: tuple[Served, Path]) -> None:
    contact, in_field, _ = served[0].readers
    assert sscard("card", "remove", "0") == "slot 0: empty\n"
    with session(in_field) as connection:
        assert asked(connection, SSSE).endswith("9000")
    sscard("card", "insert", "0")
    assert sscard("card", "remove", "1") == "slot 1: empty\n"
    with session(contact) as connection:
        assert asked(connection, SSSE) == "611E"
    assert "contactless" in sscard("card", "insert", "1")
    told = json.loads(sscard("card", "swap", "1", "--persona", "long-name", "--json"))
    assert (told["slot"], told["interface"], told["atr"][-10:-2]) == (1, "contactless", "51010004")
    for reader in (contact, in_field):
        with session(reader) as connection:
            assert bytes.fromhex("51010004") in connection.atr
    sscard("card", "swap", "0", "--layout", "2.00", expect=1)
    sscard("card", "insert", "1", "--persona", "expired", expect=1)
    sscard("card", "swap", "2", "--interface", "both", expect=1)
    rows = json.loads(sscard("card", "list", "--json"))[0]["slots"]
    assert [(one["interface"], one.get("pair"), one["inserted"]) for one in rows] == [
        ("contact", 1, True), ("contactless", 0, True), ("contact", None, True), ("contact", None, False),
    ]  # fmt: skip
    sscard("card", "swap", "0", "--persona", "adult-chengdu", "--interface", "contactless")
    assert pcsc.wait_card(contact, present=False), "the card that was there left both"
    sscard("card", "swap", "1", "--persona", "adult-chengdu", "--interface", "both")
    for reader in (contact, in_field):
        there(reader)


def _slots(trace: Path, begun: int) -> set[int]:
    """In which slots commands reached cards since the trace had so many events."""
    return {one.slot for one in list(read.events(trace))[begun:] if one.kind is read.EventKind.APDU}


@pytest.mark.parametrize(("kind", "taken"), [(1, 0), (2, 1), (3, 0), (4, 1)])
def test_the_driver_takes_the_reader_that_an_itype_means(served: tuple[Served, Path], kind: int, taken: int) -> None:
    driver = SSCardDriver(FoundReaders())
    assert driver.iReadCardBas(kind)[0] == 0, "and finds the PSAM among three"
    begun = len(list(read.events(served[1])))
    code, out = driver.iReadCardBas(kind)
    assert (code, out.split("|")[5]) == (0, HISTORICAL[-26:]), "the same historical bytes, by either side"
    assert _slots(served[1], begun) == {taken, 2}


def test_the_driver_falls_back_where_an_itype_lets_it(served: tuple[Served, Path]) -> None:
    driver = SSCardDriver(FoundReaders())
    for slot, alone, either in (("0", 1, 3), ("1", 2, 4)):
        sscard("card", "remove", slot)
        assert driver.iReadCardBas(alone)[0] == -2
        begun = len(list(read.events(served[1])))
        assert driver.iReadCardBas(either)[0] == 0
        assert _slots(served[1], begun) == {1 - int(slot), 2}
        sscard("card", "insert", slot)


def test_the_library_the_web_and_the_shell_choose_alike(
    served: tuple[Served, Path], library: Library, tmp_path: Path
) -> None:
    trace, psam = served[1], served[0].readers[2]

    def taken(call: Callable[[], int]) -> set[int]:
        begun = len(list(read.events(trace)))
        assert call() == 0
        return _slots(trace, begun) - {2}

    def by_the_shell(kind: int) -> int:
        command = ("terminal", "basic", "--reader", "Virtual PCD", "--psam-reader", psam, "--json")
        return int(json.loads(sscard(*command, "--type", str(kind)))["code"])

    with (
        native.serving("--socket", f"{tmp_path}/s", "--web", "0") as (__, places),
        connect(places[0].replace("http", "ws"), open_timeout=DEADLINE) as page,
    ):

        def by_a_page(kind: int) -> int:
            page.send(json.dumps({"function": "iReadCardBas", "iType": kind, "pOutInfo": ""}))
            return int(json.loads(page.recv(DEADLINE))["success"] != "1")

        def by_the_library(kind: int) -> int:
            return library("iReadCardBas", kind)[0]

        for kind, slot in ((1, 0), (2, 1), (4, 1)):
            for call in (by_a_page, by_the_library, by_the_shell):
                assert taken(partial(call, kind)) == {slot}, (kind, call.__name__)


def test_a_pcscd_that_runs_keeps_its_readers_names(served: tuple[Served, Path]) -> None:
    assert served[0].process.poll() is None
    with serving("--interface", "contactless", "--persona", "expired") as second:
        assert second.readers == ["Virtual PCD Contactless 00 01"], "the free one that says so"
        with started("run", "--interface", "contactless") as third:
            assert third.process.wait(DEADLINE) == 3
            assert third.process.stderr
            said = third.process.stderr.read()
        assert "no free virtual reader's name says that it is contactless; free are 'Virtual PCD B 00 01'" in said
        assert "--private" in said
        with serving("--interface", "contactless", "--reader-name", "Virtual PCD B") as fourth:
            assert fourth.readers == ["Virtual PCD B 00 01"], "any that was asked for by name"


def test_readers_are_named_as_software_looks_for_them_and_all_options_hold_for_both_sides(tmp_path: Path) -> None:
    image, trace = tmp_path / "card.json", tmp_path / "t.jsonl"
    names = [f"ACS ACR1281 1S Dual Reader {one}" for one in ("ICC", "PICC")]
    with serving(
        "--private", "--interface", "both", *(part for one in names for part in ("--reader-name", one)),
        "--image", str(image), "--trace", str(trace), "--system", "windows", "--demo",
        "--fault", "status,sw=6F00,instruction=GET_BALANCE", cards=2,
    ) as run:  # fmt: skip
        assert run.readers == [f"{one} 00 00" for one in names]
        variable, _, path = run.seen[0].partition("=")
        environment = {variable: path}
        assert any("the session worked" in line.lower() for line in run.seen)
        by_air = ended("apdu", SSSE, "B026000104", "0084000008", UID, "--reader", "ACS ACR1281 1S Dual Reader PICC",
                       "--json", environment=environment, expect=1)  # fmt: skip
        select, balance, challenge, uid = map(json.loads, by_air.splitlines())
        assert [one["sw"] for one in (select, balance, challenge, uid)] == ["9000", "6F00", "9000", "9000"]
        assert uid["data"][:2] == "08"
        sscard("pin", "state", "--image", str(image), expect=1)
        listed = json.loads(ended("readers", "--json", environment=environment))
        assert {one["reader"]: one["contactless_reader"] for one in listed if one["card"]} == dict(
            zip(run.readers, (False, True), strict=True)
        )
        assert {one.slot for one in read.events(trace)} == {0, 1}
        assert run.end() == 0
    assert sscard("pin", "state", "--image", str(image)), "the file is let go"
