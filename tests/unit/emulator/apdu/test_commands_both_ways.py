"""Every instruction builds its command, and takes apart what it built: terminal and chip share one declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import catalogue
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions import INSTRUCTIONS, Instruction
from emulator.apdu.instructions.authentication import (
    ExternalAuthentication,
    GetChallenge,
    InternalAuthentication,
)
from emulator.apdu.instructions.bank import GenerateAc, GetData, GetProcessingOptions
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.blocks import ApplicationBlock, ApplicationUnblock, CardBlock
from emulator.apdu.instructions.certificate import ChangeCertificatePin, Hash, VerifyCertificatePin
from emulator.apdu.instructions.issuing import Activate, CompletePersonalisation, LoadKey
from emulator.apdu.instructions.key_import import DecipherSessionKey, ImportKey, ImportSessionKey
from emulator.apdu.instructions.key_pair import ExportPublicKey, GenerateKeyPair
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.psam import (
    MAC_ONLY,
    CipherData,
    CreditSamForPurchase,
    DeliveryKey,
    InitializeEnvironment,
    InitSamForPurchase,
)
from emulator.apdu.instructions.psam_keys import SM4, ChangeKey, CreateKey
from emulator.apdu.instructions.purse import (
    LOAD,
    POOLED,
    GetBalance,
    GetStartingDay,
    GetTransactionProof,
    UpdateStartingDay,
)
from emulator.apdu.instructions.records import LAST, PREVIOUS, THIS, TO_LAST, ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import BY_NAME, CHILD, Select, SelectOnPsam
from emulator.apdu.instructions.signature import ComputeSignature, VerifySignature
from emulator.apdu.instructions.touched import FileNamed, KeyNamed
from emulator.apdu.instructions.transactions import (
    CreditForLoad,
    DebitForPurchase,
    InitializeForLoad,
    InitializeForPurchase,
)
from emulator.apdu.status import CardError
from emulator.apdu.table import EVERYTHING, InstructionTable
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import ApplicationLife

NAME = b"sx1.sh"
PIN, NEW = b"\x12\x34\x56", b"\x65\x43\x21"
MAC, PROOF, TIME, KEY = b"MACs", bytes(range(16)), b"\x20\x26\x11\x26\x09\x30\x00", b"K" * 16
AMOUNTS, TERMINAL = bytes(12), b"\x51\x01\x00\x00\x00\x01"
PAIR = bytes.fromhex("C002A001C202A002")
PSAM_ONLY = (SelectOnPsam,)
"""What only a PSAM's table finds: everywhere else another instruction has the same header."""

BUILT: list[tuple[CommandAPDU, type[Instruction], str, dict[str, Any]]] = [
    (Select.command(NAME), Select, "00A4040006", {"by": BY_NAME, "following": False, "target": NAME}),
    (Select.command(NAME, following=True), Select, "00A4040206", {"following": True}),
    (Select.by_id(0x3F00), Select, "00A40000023F00", {"by": 0, "target": b"\x3f\x00"}),
    (Select.by_id(0xDF01, CHILD), Select, "00A4010002DF01", {"by": CHILD}),
    (SelectOnPsam.by_id(0xDF01, 2), SelectOnPsam, "00A4020002DF01", {"by": 2}),
    (ReadRecord.command(5, tag=7), ReadRecord, "00B2072800", {"p1": 7, "sfi": 5, "mode": 0, "le": 0}),
    (ReadRecord.command(5, number=1, le=9), ReadRecord, "00B2012C09", {"p1": 1, "sfi": 5, "mode": THIS, "le": 9}),
    (ReadRecord.command(number=2, mode=TO_LAST), ReadRecord, "00B2020500", {"p1": 2, "sfi": 0, "mode": TO_LAST}),
    (ReadRecord.command(6, tag=9, mode=LAST), ReadRecord, "00B2093100", {"p1": 9, "mode": LAST}),
    (UpdateRecord.command(b"\x09\1A", 6, tag=9), UpdateRecord, "00DC093003090141", {"p1": 9, "data": b"\x09\1A"}),
    (UpdateRecord.command(b"\x09\1A", 6, number=2), UpdateRecord, "00DC0234", {"p1": 2, "mode": THIS}),
    (UpdateRecord.newest(b"rec", 7), UpdateRecord, "00DC003B03", {"p1": 0, "sfi": 7, "mode": PREVIOUS}),
    (ReadBinary.command(0x16, le=6), ReadBinary, "00B0960006", {"sfi": 0x16, "offset": 0, "le": 6}),
    (ReadBinary.command(offset=0x1234), ReadBinary, "00B0123400", {"sfi": 0, "offset": 0x1234, "le": 0}),
    (UpdateBinary.command(b"AB", 8, 200), UpdateBinary, "00D688C8024142", {"sfi": 8, "offset": 200, "data": b"AB"}),
    (GetChallenge.command(16), GetChallenge, "0084000010", {"size": 16}),
    (
        InternalAuthentication.command(PROOF[:8], PROOF[8:]),
        InternalAuthentication,
        "0088000010",
        {"factor": PROOF[:8], "data": PROOF[8:], "version": None},
    ),
    (InternalAuthentication.command(PROOF[:8], PROOF[8:], 2), InternalAuthentication, "0088000011", {"version": 2}),
    (
        ExternalAuthentication.command(0x84, PROOF),
        ExternalAuthentication,
        "0082008410",
        {"key": 0x84, "cryptogram": PROOF[:8], "data": PROOF[8:], "version": None},
    ),
    (ExternalAuthentication.command(0x04, PROOF, 3), ExternalAuthentication, "0082000411", {"version": 3}),
    (Verify.command(PIN), Verify, "0020000003123456", {"presented": "123456"}),
    (Verify.command(), Verify, "0020000000", {"presented": None}),
    (ChangePin.command(PIN, NEW), ChangePin, "805E010007123456FF654321", {"old": PIN, "new": NEW}),
    (ChangePin.command(b"", NEW), ChangePin, "805E010004FF654321", {"old": b"", "new": NEW}),
    (PinChangeUnblock.command(), PinChangeUnblock, "84240000", {"pin": None}),
    (PinChangeUnblock.command(NEW), PinChangeUnblock, "8424000103654321", {"pin": NEW}),
    (PinChangeUnblock.command(b""), PinChangeUnblock, "84240001", {"pin": b""}),
    (ApplicationBlock.command(), ApplicationBlock, "841E0001", {"state": ApplicationLife.PERMANENT}),
    (ApplicationBlock.command(temporary=True), ApplicationBlock, "841E0000", {"state": ApplicationLife.TEMPORARY}),
    (ApplicationUnblock.command(), ApplicationUnblock, "84180000", {}),
    (CardBlock.command(), CardBlock, "84160000", {}),
    (GetResponse.command(8), GetResponse, "00C0000008", {"le": 8}),
    (
        InitializeForLoad.command(1, bytes(4), TERMINAL),
        InitializeForLoad,
        "B02800010B",
        {"index": 1, "amount": bytes(4), "terminal": TERMINAL},
    ),
    (CreditForLoad.command(TIME, MAC), CreditForLoad, "B02A00000B", {"time": TIME, "mac": MAC}),
    (
        InitializeForPurchase.command(1, AMOUNTS, TERMINAL),
        InitializeForPurchase,
        "B028010113",
        {"index": 1, "amounts": AMOUNTS, "terminal": TERMINAL},
    ),
    (
        DebitForPurchase.command(b"\0\0\0\7", TIME, MAC),
        DebitForPurchase,
        "B02C01000F00000007",
        {"sequence": b"\0\0\0\7", "time": TIME, "mac": MAC},
    ),
    (GetBalance.command(le=4), GetBalance, "B026000104", {"which": 1, "le": 4}),
    (GetBalance.command(POOLED), GetBalance, "B026000300", {"which": 3, "le": 0}),
    (GetTransactionProof.command(LOAD, b"\0\1"), GetTransactionProof, "B02E0001020001", {"sequence": b"\0\1"}),
    (UpdateStartingDay.command(b"\x01\x02"), UpdateStartingDay, "B0560000020102", {"day": b"\x01\x02"}),
    (GetStartingDay.command(2), GetStartingDay, "B056010002", {"le": 2}),
    (GetProcessingOptions.command(b"AB"), GetProcessingOptions, "80A800000483024142", {"data": b"\x83\2AB"}),
    (GetData.command(0x9F36), GetData, "80CA9F3600", {"tag": 0x9F36, "le": 0}),
    (GetData.command(0x9F79, 9), GetData, "80CA9F7909", {"tag": 0x9F79, "le": 9}),
    (GenerateAc.command(0x40, b"AB"), GenerateAc, "80AE4000024142", {}),
    (
        VerifyCertificatePin.command(0x81, PROOF),
        VerifyCertificatePin,
        "0020018110",
        {"identifier": 0x81, "proof": PROOF},
    ),
    (ChangeCertificatePin.command(0x00, NEW), ChangeCertificatePin, "845E010003654321", {"identifier": 0, "new": NEW}),
    (
        DecipherSessionKey.command(0xA002, bytes(112)),
        DecipherSessionKey,
        "804E000178C202A002C1820070",
        {"data": PAIR[4:] + bytes.fromhex("C1820070") + bytes(112)},
    ),
    (ImportSessionKey.command(KEY), ImportSessionKey, "804A021012C110", {"data": b"\xc1\x10" + KEY}),
    (
        ImportKey.command(0xA001, bytes(64)),
        ImportKey,
        "80C2400046C002A001CA40",
        {"private": False, "data": PAIR[:4] + b"\xca\x40" + bytes(64)},
    ),
    (
        ImportKey.enciphered_half(0xA002, bytes(32)),
        ImportKey,
        "80C2C00126C202A002CB20",
        {"private": True, "data": PAIR[4:] + b"\xcb\x20" + bytes(32)},
    ),
    (Hash.command(b"AB"), Hash, "80C4010304C1024142", {"data": b"\xc1\2AB"}),
    (GenerateKeyPair.command(0xA001, 0xA002), GenerateKeyPair, "8040000008C002A001", {"data": PAIR}),
    (ExportPublicKey.command(0xA001, 0xA002), ExportPublicKey, "80C9820008", {"fetches": False, "data": PAIR}),
    (ExportPublicKey.fetch(66), ExportPublicKey, "80C9828042", {"fetches": True, "data": b"", "le": 66}),
    (ComputeSignature.command(bytes(32)), ComputeSignature, "002A9E9A20", {"digest": bytes(32)}),
    (
        VerifySignature.command(bytes(32), b"S" * 64),
        VerifySignature,
        "002A00A860",
        {"digest": bytes(32), "signature": b"S" * 64},
    ),
    (Activate.command(catalogue.layout("3.00")), Activate, "80440000", {}),
    (
        LoadKey.command(0x04, KEY, 2),
        LoadKey,
        "84D4020410",
        {"version": 2, "identifier": 4, "pin": False, "value": KEY},
    ),
    (LoadKey.command(0x81, KEY, pin=True), LoadKey, "84D4818110", {"version": 1, "identifier": 0x81, "pin": True}),
    (CompletePersonalisation.command(), CompletePersonalisation, "84460000", {}),
    (InitializeEnvironment.command(0x51), InitializeEnvironment, "BFEC00000151", {"region": 0x51}),
    (
        DeliveryKey.command(0x66, 0x12, b"F" * 24, b"C" * 8),
        DeliveryKey,
        "BFDE661220",
        {"usage": 0x66, "identifier": 0x12, "data": b"F" * 24 + b"C" * 8},
    ),
    (CipherData.command(MAC_ONLY, bytes(16)), CipherData, "80FA050010", {"mode": MAC_ONLY, "data": bytes(16)}),
    (
        InitSamForPurchase.command(b"RAND\0\1", AMOUNTS, 2, TIME, 1, 3, b"F" * 8),
        InitSamForPurchase,
        "8070010024",
        {
            "challenge": b"RAND\0\1",
            "amounts": AMOUNTS,
            "kind": 2,
            "time": TIME,
            "version": 1,
            "algorithm": 3,
            "factors": b"F" * 8,
        },
    ),
    (CreditSamForPurchase.command(MAC), CreditSamForPurchase, "8072000004", {"mac": MAC}),
    (
        CreateKey.command(0x11, 0x66, 0x20, SM4, KEY),
        CreateKey,
        "84D400111866200003",
        {"file": 0x11, "information": bytes.fromhex("6620000300000000") + KEY},
    ),
    (
        ChangeKey.command(0x12, 0x46, 0x40, KEY),
        ChangeKey,
        "84D4011213464000",
        {"file": 0x12, "information": bytes.fromhex("464000") + KEY},
    ),
]


def ids() -> Iterator[str]:
    for command, kind, _, _ in BUILT:
        yield f"{kind.__name__}-{bytes(command)[:4].hex()}"


@pytest.mark.parametrize(("command", "kind", "begins", "says"), BUILT, ids=list(ids()))
def test_a_built_command_begins_as_the_card_knows_it_and_is_taken_apart_into_what_was_said(
    command: CommandAPDU, kind: type[Instruction], begins: str, says: dict[str, Any]
) -> None:
    raw = bytes(command)
    assert raw.hex().upper().startswith(begins)
    parsed = CommandAPDU.parse(raw)
    instruction: Any = kind.parse(parsed)
    found = asdict(instruction)
    assert {name: found[name] for name in says} == says
    layout = "psam" if kind.cards == ("psam",) else "3.00"
    table = InstructionTable.of(catalogue.layout(layout))
    assert (table.get(raw) or EVERYTHING.get(raw)) is kind


@pytest.mark.parametrize(("command", "kind", "begins", "says"), BUILT, ids=list(ids()))
def test_a_built_command_passes_the_instruction_s_own_checks(
    command: CommandAPDU, kind: type[Instruction], begins: str, says: dict[str, Any]
) -> None:
    del begins, says
    parsed = CommandAPDU.parse(bytes(command))
    sizes = kind.lengths if kind.protected else ()  # as it is sent: enciphered in blocks, with a MAC
    assert any(_passes(kind, replace(parsed, data=bytes(size))) for size in sizes) or _passes(kind, parsed)


def _passes(kind: type[Instruction], command: CommandAPDU) -> bool:
    try:
        kind.check(command)
    except CardError:
        return False
    return True


def test_every_instruction_is_built_here() -> None:
    assert {kind for _, kind, _, _ in BUILT} == set(INSTRUCTIONS)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 30), st.integers(1, 254))
def test_what_a_terminal_writes_under_a_number_is_what_the_card_writes(record: bytes, sfi: int, number: int) -> None:
    parsed = UpdateRecord.parse(CommandAPDU.parse(bytes(UpdateRecord.command(record, sfi, number=number))))
    assert parsed == UpdateRecord(number, sfi, THIS, record)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 30), st.integers(0, 0xFF))
def test_what_a_terminal_writes_at_an_offset_is_what_the_card_writes(data: bytes, sfi: int, offset: int) -> None:
    parsed = UpdateBinary.parse(CommandAPDU.parse(bytes(UpdateBinary.command(data, sfi, offset))))
    assert parsed == UpdateBinary(sfi, offset, data)


@pytest.mark.parametrize(
    "build",
    [
        lambda: ReadRecord.command(5, number=1, tag=7),
        lambda: ReadRecord.command(5, number=1, mode=LAST),
        lambda: ReadRecord.command(5, tag=7, mode=THIS),
        lambda: ReadBinary.command(5, 256),
        lambda: ReadBinary.command(offset=0x8000),
    ],
)
def test_what_no_header_can_say_is_refused_before_it_is_sent(build: Any) -> None:
    with pytest.raises(ValueError, match=r"by its number or by its tag|an offset goes to"):
        build()


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (ReadRecord.command(5, tag=7), FileNamed(5, tag=7)),
        (ReadRecord.command(5, number=2), FileNamed(5, number=2)),
        (ReadRecord.command(5, number=2, mode=TO_LAST), FileNamed(5)),
        (UpdateRecord.command(b"\x09\1A", 6, number=2), FileNamed(6, number=2, written=b"\x09\1A")),
        (UpdateRecord.newest(b"rec", 7), FileNamed(7, written=b"rec")),
        (ReadBinary.command(0x16, le=6), FileNamed(0x16)),
        (UpdateBinary.command(b"A", offset=0x100), FileNamed(0)),
        (ExternalAuthentication.command(0x84, PROOF), KeyNamed(0x84, KeyUse.EXTERNAL)),
        (VerifyCertificatePin.command(0x81, PROOF), KeyNamed(0x81, KeyUse.PIN)),
        (Select.command(NAME), Select(BY_NAME, False, NAME)),
        (Verify.command(PIN), None),
        (GetBalance.command(), None),
    ],
)
def test_a_command_says_what_it_is_about(command: CommandAPDU, named: object) -> None:
    kind = EVERYTHING.get(bytes(command))
    assert kind is not None
    assert kind.touches(CommandAPDU.parse(bytes(command))) == named


@pytest.mark.parametrize(
    ("command", "pins"),
    [
        (Verify.command(PIN), (PIN,)),
        (ChangePin.command(PIN, NEW), (PIN, NEW)),
        (ChangePin.command(b"", NEW), (b"", NEW)),
        (PinChangeUnblock.command(NEW), (NEW,)),
        (ChangeCertificatePin.command(0x81, NEW), (NEW,)),
        (VerifyCertificatePin.command(0x81, PROOF), ()),
        (ReadRecord.command(5, tag=7), ()),
    ],
)
def test_a_command_says_which_pins_it_holds(command: CommandAPDU, pins: tuple[bytes, ...]) -> None:
    kind = EVERYTHING.get(bytes(command))
    assert kind is not None
    assert kind.pins(command.data) == pins


def test_whatever_holds_a_pin_is_secret() -> None:
    for kind in INSTRUCTIONS:
        if kind.pins(PIN) or kind.tries_pin:
            assert kind.secret, kind.name


@pytest.mark.parametrize(
    ("command", "lasting"),
    [
        (ExternalAuthentication.command(0x84, PROOF, 2), b"\2"),
        (InternalAuthentication.command(PROOF[:8], PROOF[8:]), b""),
        (DeliveryKey.command(0x66, 0x12, b"F" * 24, b"C" * 8), b"F" * 24),
        (DebitForPurchase.command(b"\0\0\0\7", TIME, MAC), b""),
        (Verify.command(PIN), b""),
        (UpdateRecord.newest(b"rec", 7), b"rec"),
        (Select.command(NAME), NAME),
    ],
)
def test_a_command_says_what_another_session_would_send_too(command: CommandAPDU, lasting: bytes) -> None:
    kind = EVERYTHING.get(bytes(command))
    assert kind is not None
    assert kind.lasting(command.p1, command.data) == lasting


def test_a_command_says_what_right_it_asks_for() -> None:
    layout = catalogue.layout("3.00")
    here = layout.applications[layout.pin.application]
    asked = {kind.name: str(kind.condition(layout, here)) for kind in INSTRUCTIONS if kind.condition(layout, here)}
    assert layout.purse is not None
    assert layout.certificate is not None
    assert layout.activation is not None
    assert asked == {
        "PIN CHANGE/UNBLOCK": layout.pin.unblock_key,
        "APPLICATION BLOCK": str(here.block),
        "APPLICATION UNBLOCK": str(here.block),
        "CARD BLOCK": str(layout.blocking.card),
        "ACTIVATE": str(layout.activation.needs),
        "GET BALANCE": str(layout.purse.balance),
        "GET STARTING DAY": str(layout.purse.read_day),
        "UPDATE STARTING DAY": str(layout.purse.set_day),
        "INITIALIZE FOR LOAD": str(layout.purse.load),
        "INITIALIZE FOR PURCHASE": str(layout.purse.purchase),
        "GENERATE KEY PAIR": str(layout.certificate.generate),
        "COMPUTE DIGITAL SIGNATURE": str(layout.certificate.sign),
        "DECIPHER SESSION KEY": str(layout.certificate.imports),
        "IMPORT SESSION KEY": str(layout.certificate.imports),
        "IMPORT KEY": str(layout.certificate.imports),
    }
