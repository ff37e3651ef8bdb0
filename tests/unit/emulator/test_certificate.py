"""The certificate application of 3.00 cards: its own PINs, its key pair and files, its SM2 signatures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto import sm2, sm3, suite
from emulator.crypto.keys import pin_key
from emulator.crypto.suite import Fold
from emulator.filesystem.layouts.specs import LayoutError
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.cells import file_cell
from emulator.filesystem.memory.image import Image
from harness.certificates import authority
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from harness.trace.record import Trace
from harness.verdicts.log import Line
from harness.verdicts.report import trace_lines
from tests.kit.cards import HOME, SSSE, VERIFY, Card, new_card
from tests.kit.judged import Judged

# The curve of GB/T 32918.5
A = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
B = "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
GX = "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
GY = "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"


def digest_of(message: bytes, public: bytes, identity: bytes = b"1234567812345678") -> bytes:
    """SM3 over Z ‖ message, Z over the signer's identity, the curve and the public key. GB/T 32918.2"""
    z = sm3.digest((8 * len(identity)).to_bytes(2, "big") + identity + bytes.fromhex(A + B + GX + GY) + public)
    return sm3.digest(z + message)


@pytest.fixture(params=["3des", "sm4"])
def card(request: pytest.FixtureRequest) -> Card:
    return new_card("3.00", request.param)


PAIR = "08C0020012C2020013"
GENERATE, NAME_PAIR, FETCH_KEY = f"80400000{PAIR}", f"80C98200{PAIR}", "80C9828042"
USER, ADMINISTRATOR = "0181", "0100"
HASH_OF_123456 = "3DE741F445DD357BEA4E6C3FE6437036F62B5E3EC0F00D62796EDB4305ED627F"
HASH_OF_12345678 = "4D59306C7397E06DE3CD82A14A926FBAFED44352AD3EF88A06F5CBE600AF3DCF"
"""SM3 over a PIN's digits in BCD, as a public program has them from a card."""


def fetch(card: Card, command: str) -> bytes:
    told, data = card.send(command), b""
    while told[-4:-2] == "61":
        told = card.send(f"00C00000{told[-2:]}")
        data += bytes.fromhex(told[:-4])
    assert told[-4:] == "9000", told
    return data or bytes.fromhex(told[:-4])


def present_pin(card: Card, pin: str, which: str = USER, size: int = 16) -> str:
    """VERIFY with a proof; of a challenge of 8 bytes and zeros where ``size`` is 8."""
    challenge = bytes.fromhex(card.ok(f"00840000{size:02X}"))
    return card.send(f"0020{which}10{suite('sm4').crypt(pin_key(pin), challenge.ljust(16, bytes(1))).hex()}")


def public_of(card: Card) -> bytes:
    return bytes.fromhex(card.ok("00B0920042"))[2:]


# What public programs do, command by command.


def test_a_printer_makes_a_key_pair(card: Card) -> None:
    card.send(HOME["MF"])
    card.ok(HOME["PKI"], HOME["CERT"], "00A40000020012")
    before = bytes.fromhex(card.ok("00B0000042"))
    assert len(before) == 66
    digest = fetch(card, "80C4010305C10312345600")
    assert digest.hex().upper() == HASH_OF_123456
    challenge = bytes.fromhex(card.ok("0084000010"))
    assert card.send(f"0020018110{suite('sm4').crypt(digest[:16], challenge).hex()}") == "9000"
    assert card.send(GENERATE) == "9000"
    assert card.send(NAME_PAIR) == "9000"
    assert card.send("80C9828000") == "6C42"
    key = bytes.fromhex(card.ok(FETCH_KEY))
    assert len(key) == 66
    assert key != before
    card.ok("00A40000020012")
    assert bytes.fromhex(card.ok("00B0000042")) == key, "the file holds what the card gave"


def test_a_printer_writes_certificates_after_both_pins(card: Card) -> None:
    card.ok(HOME["PKI"], HOME["CERT"])
    for which, pin, digest in ((USER, "123456", HASH_OF_123456), (ADMINISTRATOR, "12345678", HASH_OF_12345678)):
        assert fetch(card, f"80C40103{len(pin) // 2 + 2:02X}C1{len(pin) // 2:02X}{pin}00").hex().upper() == digest
        assert present_pin(card, pin, which) == "9000"
    write_certificate(card, "0018", bytes(range(256)) * 2, 0x70)
    write_certificate(card, "0019", bytes(range(255, -1, -1)) * 2 + b"end", 0x70)


def test_a_desk_program_enters_by_id_and_fills_a_short_challenge_with_zeros(card: Card) -> None:
    card.ok(HOME["PKI"], "00A4000002DF01")
    assert present_pin(card, "123456", size=8) == "9000"
    write_certificate(card, "0018", bytes(1020 - 4) + b"last", 0xFA)


def write_certificate(card: Card, fid: str, content: bytes, piece: int) -> None:
    card.ok(f"00A4000002{fid}")
    for at in range(0, len(content), piece):
        part = content[at : at + piece]
        assert card.send(f"00D6{at:04X}{len(part):02X}{part.hex()}") == "9000"
    for at in range(0, len(content), 128):
        part = content[at : at + 128]
        assert card.ok(f"00B0{at:04X}{len(part):02X}") == part.hex().upper()


# The PINs.


def test_a_wrong_proof_costs_a_try_and_the_right(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    assert present_pin(card, "000000") == "63C5"
    assert card.send(GENERATE) == "6982"
    assert present_pin(card, "123456") == "9000"
    assert card.tries("PINCERT") == 6
    assert card.send(GENERATE) == "9000"


def test_each_pin_locks_by_itself(card: Card) -> None:
    card.ok(HOME["CERT"])
    for left in range(5, -1, -1):
        assert present_pin(card, "000000") == f"63C{left}"
    assert present_pin(card, "123456") == "6983"
    assert present_pin(card, "12345678", ADMINISTRATOR) == "9000"
    assert card.send(GENERATE) == "6982", "the administrator is not the user"
    for left in range(5, -1, -1):
        assert present_pin(card, "123456", ADMINISTRATOR) == f"63C{left}"
    assert present_pin(card, "12345678", ADMINISTRATOR) == "6983"
    card.ok(SSSE, VERIFY)
    assert card.send("0020000000") == "63C3", "the other environment's PIN has tries of its own"


def test_a_proof_needs_a_challenge_and_uses_it_up(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.send("0020018110" + "00" * 16) == "6984"
    challenge = bytes.fromhex(card.ok("0084000010"))
    command = f"0020018110{suite('sm4').crypt(pin_key('123456'), challenge).hex()}"
    assert card.send(command) == "9000"
    assert card.send(command) == "6984"
    card.ok("0084000010")
    assert card.send(command) == "63C5", "the proof was another challenge's"
    assert card.send(command) == "6984", "a challenge serves one use, won or lost"
    assert card.tries("PINCERT") == 5


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0020018208" + "00" * 8, "6A86"),
        ("0020028110" + "00" * 16, "6A86"),
        ("0020018108" + "00" * 8, "6700"),
        ("0020018100", "6700"),
    ],
)
def test_what_is_no_proof(card: Card, command: str, sw: str) -> None:
    card.ok(HOME["CERT"], "0084000010")
    assert card.send(command) == sw
    assert card.tries("PINCERT") == 6


def test_the_pins_of_the_two_environments_are_apart(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.send(VERIFY) == card.send("0020000000") == "6A88", "the other PIN is not found from here"
    for home in (SSSE, HOME["PKI"], HOME["MF"]):
        card.ok(home)
        for which in (USER, ADMINISTRATOR):
            assert present_pin(card, "123456", which) == "6A88"


def test_the_right_ends_with_the_application(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    card.ok(SSSE, HOME["CERT"])
    assert card.send(GENERATE) == "6982"


def test_the_master_key_is_authenticated_by_its_id(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.authenticate("MKCERT") == "9000"
    assert card.proof("MKCERT").startswith("0082000010")
    assert card.send(GENERATE) == "6982", "and is no PIN"


def test_a_terminal_proves_the_pin_by_name(card: Card) -> None:
    terminal = Terminal(InProcess(card.chip), card.chip.image.layout)
    terminal.begin()
    terminal.authenticate("PINCERT")
    terminal.authenticate("MPINCERT")
    assert card.chip.session.rights == {"PINCERT", "MPINCERT"}


# The hash.


@pytest.mark.parametrize(
    ("data", "value"),
    [("03C10161", b"a"), ("C9C181C6" + "62" * 198, b"b" * 198), ("06C182000261" + "61", b"aa"), ("02C100", b"")],
)
def test_the_hash_of_anything_that_one_command_carries(card: Card, data: str, value: bytes) -> None:
    card.ok(HOME["CERT"])
    assert fetch(card, f"80C40103{data}") == sm3.digest(value)


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80C4010305C203123456", "6A80"),
        ("80C4010305C104123456", "6A80"),
        ("80C4010308C103123456C10100", "6A80"),
        ("80C4000005C103123456", "6A86"),
        ("80C4010300", "6700"),
        ("80C4010301C1", "6700"),
    ],
)
def test_what_is_not_hashed(card: Card, command: str, sw: str) -> None:
    card.ok(HOME["CERT"])
    assert card.send(command) == sw


# The key pair.


def test_a_new_key_pair_signs_and_the_old_one_is_gone(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    old = public_of(card)
    digest = digest_of(b"a message", old)
    before = fetch(card, f"002A9E9A20{digest.hex()}")
    assert card.send(GENERATE) == "9000"
    new = public_of(card)
    assert new != old
    signature = fetch(card, f"002A9E9A20{digest.hex()}")
    assert sm2.verify(new, digest, signature)
    assert not sm2.verify(old, digest, signature)
    assert card.send(f"002A00A860{digest.hex()}{before.hex()}") == "6300"
    (private,) = card.chip.image.memory.records("CERT/EF13")
    assert sm2.public_key(private) == new


def test_a_key_pair_outlives_power(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    card.ok(GENERATE)
    new = public_of(card)
    card.chip.power_off()
    card.chip.power_on()
    card.ok(HOME["CERT"])
    assert public_of(card) == new


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("08C0020013C2020012", "6A82"),
        ("08C0020018C2020019", "6A82"),
        ("08C2020013C0020012", "6A80"),
        ("08C0020012C2030013", "6A80"),
        ("04C0020012", "6700"),
    ],
)
def test_what_names_no_key_pair(card: Card, data: str, sw: str) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    before = public_of(card)
    assert card.send(f"80400000{data}") == card.send(f"80C98200{data}") == sw
    assert card.send(FETCH_KEY) == "6985"
    assert public_of(card) == before


def test_a_public_key_is_given_without_pin_to_whoever_names_its_pair(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.send(FETCH_KEY) == "6985"
    assert card.send("80C98280" + PAIR) == card.send("80C9820000") == "6700"
    assert card.send(NAME_PAIR) == "9000"
    assert card.send("80C9828041") == "6C42"
    assert bytes.fromhex(card.ok(FETCH_KEY))[2:] == public_of(card)
    assert card.send(FETCH_KEY) == "6985", "once"
    card.ok(NAME_PAIR, SSSE, HOME["CERT"])
    assert card.send(FETCH_KEY) == "6985", "what was named is forgotten with the application"


def test_its_commands_are_given_in_the_application_alone(card: Card) -> None:
    for home in (SSSE, HOME["PKI"], HOME["MF"]):
        card.ok(home)
        for command in (GENERATE, NAME_PAIR, FETCH_KEY, "80C4010305C103123456", "002A9E9A20" + "00" * 32):
            assert card.send(command) == "6985"


def test_without_a_library_for_sm2_no_pair_is_made(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise sm2.Unavailable("no libcrypto")

    monkeypatch.setattr(sm2, "libcrypto", missing)
    card.ok(HOME["CERT"])
    before = public_of(card)
    assert present_pin(card, "123456") == "9000"
    assert card.send(GENERATE) == "6A81"
    assert public_of(card) == before


def test_the_private_key_never_leaves(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    assert present_pin(card, "12345678", ADMINISTRATOR) == "9000"
    assert card.authenticate("MKCERT") == "9000"
    assert card.send("00B0930020") == "6982"
    assert card.send("00D6930001FF") == card.send("00D6920001FF") == "6982", "nor is it written from outside"


def test_a_card_without_a_key_pair_has_zeros_in_its_place() -> None:
    card = new_card("3.00", "3des", "blank")
    card.ok(HOME["CERT"])
    assert public_of(card) == bytes(64)
    assert card.send("002A00A860" + "11" * 96) == "6985"


# The files.


def test_certificates_are_written_by_the_user_without_a_mac(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.send("00D6980003AABBCC") == "6982"
    assert present_pin(card, "123456") == "9000"
    assert card.send("00D6980003AABBCC") == "9000"
    assert card.ok("00B0980003") == "AABBCC"


def test_a_mac_has_the_challenge_as_start_value(card: Card) -> None:
    """A file that asks for none takes one all the same."""
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    challenge = bytes.fromhex(card.ok("0084000010"))
    message = bytes.fromhex("04D6980007AABBCC")
    mac = suite("sm4").mac(card.key("MKCERT"), message, start=challenge, fold=Fold.LEFT)
    assert card.send((message + mac).hex()) == "9000"
    assert card.ok("00B0980003") == "AABBCC"
    card.ok("0084000010")
    zero = suite("sm4").mac(card.key("MKCERT"), message, fold=Fold.LEFT)
    assert card.send((message + zero).hex()) == "6988"


def test_signing_and_verifying(card: Card) -> None:
    card.ok(HOME["PKI"], HOME["CERT"])
    public = public_of(card)
    digest = digest_of(b"a message", public)
    command = f"002A9E9A20{digest.hex()}"
    assert card.send(command) == "6982", "its own PIN comes first"
    assert present_pin(card, "123456") == "9000"
    signature = fetch(card, command)
    assert len(signature) == 64
    assert sm2.verify(public, digest, signature)
    assert card.send(f"002A00A860{digest.hex()}{signature.hex()}") == "9000"
    assert card.send(f"002A00A860{bytes(32).hex()}{signature.hex()}") == "6300"
    assert fetch(card, command) != signature, "every signature has a random number of its own"


def test_each_certificate_is_its_key_s_and_the_published_authority_s(card: Card) -> None:
    pem = Path(authority.__file__).with_name("test-authority.pem").read_bytes()
    issuer = x509.load_pem_x509_certificate(pem)
    signing = issuer.tbs_certificate_bytes.split(bytes.fromhex("03420004"))[1][:64]
    card.ok(HOME["CERT"])
    for key, fid in (("00B0920042", "0018"), ("00B0940042", "0019")):
        public = bytes.fromhex(card.ok(key))[2:]
        card.ok(f"00A4020002{fid}")
        content = b"".join(bytes.fromhex(card.ok(f"00B0{at >> 8:02X}{at & 255:02X}00")) for at in range(0, 1024, 256))
        certificate = x509.load_der_x509_certificate(content[: 4 + int.from_bytes(content[2:4], "big")])
        assert certificate.issuer == issuer.subject
        assert "SSCARD TEST" in certificate.subject.rfc4514_string()
        assert public in certificate.tbs_certificate_bytes
        pair = decode_dss_signature(certificate.signature)
        signature = b"".join(one.to_bytes(32, "big") for one in pair)
        assert sm2.verify(signing, digest_of(certificate.tbs_certificate_bytes, signing), signature)


def test_only_300_has_it() -> None:
    card = new_card("2.00")
    assert card.send(HOME["CERT"]) == "6A82"
    for command in ("002A9E9A20" + "00" * 32, GENERATE, NAME_PAIR, "80C4010305C103123456"):
        assert card.send(command) == "6D00"
    assert card.send("0020018110" + "00" * 16) == "6A86"


def test_the_environment_tells_its_version() -> None:
    card = new_card("3.00")
    assert fetch(card, HOME["PKI"]).hex().upper() == "6F14840C504B492EC9E7BBE1B1A3D5CF730492023330"
    assert fetch(card, HOME["CERT"]).hex().upper() == "6F0E840C53532E434552542E41444631"


# Layouts and images.


def test_another_header_and_tries_are_a_layouts_choice(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'extends = "3.00"\nname = "own"\nschema = 1\n[certificate]\nheader = "00 40"\n[key.PINCERT]\ntries = 3\n'
    )
    card = Card(Chip(catalogue.card(personas.DEFAULT, path, "3des")))
    card.chip.power_on()
    card.ok(HOME["CERT"])
    assert card.ok("00B0920002") == "0040"
    assert present_pin(card, "000000") == "63C2"
    assert present_pin(card, "123456") == "9000"
    card.ok(GENERATE)
    assert card.ok("00B0920002") == "0040"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ('[key.PINCERT]\npin = ""', "expected 4 to 16 digits"),
        ('[key.PINCERT]\npin = "12345x"', "expected 4 to 16 digits"),
        ('[certificate]\nheader = "00 40 00"', "66 bytes or more|67 bytes or more"),
        ('[application.PKI]\ndiscretionary = "92 03 33"', "BER-TLV"),
    ],
)
def test_a_layout_that_cannot_be(tmp_path: Path, change: str, problem: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "3.00"\nname = "own"\nschema = 1\n{change}\n')
    with pytest.raises(LayoutError, match=problem) as refused:
        catalogue.layout(path)
    assert "12345x" not in str(refused.value), "a PIN is not quoted"


def test_an_image_of_before_keeps_its_own_application() -> None:
    """There the PIN is a key to authenticate with, made over its digits as text, and the file has the key alone."""
    image = images.load(Path(__file__).parents[2] / "data/images/0.2.0-3.00-sm4.json").fork()
    card = Card(Chip(image))
    card.chip.power_on()
    card.ok(HOME["CERT"])
    assert len(bytes.fromhex(card.ok("00B0920040"))) == 64
    terminal = Terminal(InProcess(card.chip), image.layout)
    terminal.begin()
    terminal.authenticate("PINCERT")
    assert "PINCERT" in card.chip.session.rights
    assert len(fetch(card, "002A9E9A20" + "11" * 32)) == 64
    assert card.send(GENERATE) == "6982", "nobody may there"
    assert present_pin(card, "123456") == "6A88"


def test_a_card_with_a_new_pair_is_saved_and_loaded(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    card.ok(GENERATE)
    again = Image.from_text(card.chip.image.to_text(), "x")
    assert again.memory.get(file_cell("CERT/EF13")) == card.chip.image.memory.get(file_cell("CERT/EF13"))


# What traces and reports tell.


def watched(card: Card, **options: Any) -> tuple[Trace, io.StringIO]:
    text = io.StringIO()
    trace = Trace(lambda table: print(json.dumps(table), file=text), **options)
    card.chip.observer = trace.slot(0, card.chip.image)
    return trace, text


@pytest.mark.parametrize("personal_data", [True, False])
def test_no_trace_holds_a_pin_its_hash_or_its_proof(card: Card, personal_data: bool) -> None:
    _, text = watched(card, personal_data=personal_data)
    card.ok(HOME["CERT"])
    digest = fetch(card, "80C4010305C103123456")
    challenge = bytes.fromhex(card.ok("0084000010"))
    proof = suite("sm4").crypt(digest[:16], challenge).hex().upper()
    card.ok(f"0020018110{proof}")
    told = text.getvalue()
    assert "HASH" in told
    for secret in ("123456", digest.hex().upper(), HASH_OF_123456[:16], proof):
        assert secret not in told
    assert challenge.hex().upper() in told, "the answer after it is shown again"
    assert '"pins"' not in told, "a proof is no digits, so it has no mark"


def test_a_trace_tells_secrets_to_those_who_ask_for_them(card: Card) -> None:
    _, text = watched(card, show_secrets=True, personal_data=True)
    card.ok(HOME["CERT"])
    fetch(card, "80C4010305C103123456")
    assert HASH_OF_123456 in text.getvalue()
    assert "C103123456" in text.getvalue()


def test_no_report_holds_the_hash() -> None:
    trace = [
        Line(bytes.fromhex("80C4010305C103123456"), bytes.fromhex("6120")),
        Line(bytes.fromhex("00C0000020"), bytes.fromhex(HASH_OF_123456 + "9000")),
    ]
    text = json.dumps(trace_lines(trace, show_secrets=False))
    assert "123456" not in text
    assert HASH_OF_123456 not in text
    assert HASH_OF_123456 in json.dumps(trace_lines(trace, show_secrets=True))


def test_known_answer() -> None:
    """The example of GB/T 32918.2, appendix A, on the recommended curve as GB/T 32918.5 gives it."""
    public = bytes.fromhex(
        "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    digest = digest_of(b"message digest", public)
    assert digest.hex().upper() == "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
    signature = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    assert sm2.verify(public, digest, signature)
    assert not sm2.verify(public, digest, signature[::-1])
    private = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
    assert sm2.verify(public, digest, sm2.sign(private, public, digest))
    assert sm2.public_key(private) == public
    with pytest.raises(ValueError, match="no key"):
        sm2.verify(bytes(64), digest, signature)


def test_private_keys_are_made_of_random_bytes_and_within_the_curves_order() -> None:
    for source in (bytes, lambda size: b"\xff" * size):
        private, public = sm2.key_pair(source)
        assert 1 <= int.from_bytes(private, "big") <= sm2._ORDER - 2
        assert sm2.verify(public, bytes(32), sm2.sign(private, public, bytes(32)))
    assert sm2.key_pair(bytes)[0] == bytes(31) + b"\x01"


@pytest.mark.parametrize(
    ("proofs", "broken"),
    [
        (("fresh",), set()),
        (("fresh", "fresh"), set()),
        (("fresh", "again"), {"CHALLENGE-TWICE"}),
    ],
)
def test_the_monitor_knows_that_a_pins_proof_uses_a_challenge(proofs: tuple[str, ...], broken: set[str]) -> None:
    judged = Judged()
    judged.fci().send(HOME["PKI"], "00C0000016", HOME["CERT"], "00C000000E")
    for proof in proofs:
        if proof == "fresh":
            challenge = judged.connection.send(bytes.fromhex("0084000010"))[:-2]
            sent = f"0020018110{suite('sm4').crypt(pin_key('123456'), challenge).hex()}"
        judged.send(sent)
    assert {rule for rule in judged.end() if rule.startswith(("CHALLENGE", "PIN"))} == broken
