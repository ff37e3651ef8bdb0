"""The certificate application of 3.00 cards: its own PIN, its files, its SM2 signatures."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from emulator.crypto import sm2, suite
from emulator.crypto.keys import pin_key
from tests.support import HOME, SSSE, VERIFY, Card, new_card

# The curve of GB/T 32918.5
A = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
B = "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
GX = "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
GY = "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def digest_of(message: bytes, public: bytes, identity: bytes = b"1234567812345678") -> bytes:
    """SM3 over Z ‖ message, Z over the signer's identity, the curve and the public key. GB/T 32918.2"""
    z = sm3((8 * len(identity)).to_bytes(2, "big") + identity + bytes.fromhex(A + B + GX + GY) + public)
    return sm3(z + message)


@pytest.fixture(params=["3des", "sm4"])
def card(request: pytest.FixtureRequest) -> Card:
    return new_card("3.00", request.param)


def fetch(card: Card, command: str) -> bytes:
    told, data = card.send(command), b""
    while told[-4:-2] == "61":
        told = card.send(f"00C00000{told[-2:]}")
        data += bytes.fromhex(told[:-4])
    assert told[-4:] == "9000", told
    return data


def present_pin(card: Card, pin: str) -> str:
    challenge = bytes.fromhex(card.ok("0084000010"))
    return card.send(f"0082008110{suite('sm4').crypt(pin_key(pin), challenge).hex()}")


def test_signing_and_verifying(card: Card) -> None:
    card.ok(HOME["PKI"], HOME["CERT"])
    public = bytes.fromhex(card.ok("00B0920040"))
    digest = digest_of(b"a message", public)
    command = f"002A9E9A20{digest.hex()}"
    assert card.send(command) == "6982", "its own PIN comes first"
    assert present_pin(card, "000000") == "63C5"
    assert present_pin(card, "123456") == "9000"
    signature = fetch(card, command)
    assert len(signature) == 64
    assert sm2.verify(public, digest, signature)
    assert card.send(f"002A00A860{digest.hex()}{signature.hex()}") == "9000"
    assert card.send(f"002A00A860{bytes(32).hex()}{signature.hex()}") == "6300"
    assert fetch(card, command) != signature, "every signature has a random number of its own"
    card.ok(SSSE, HOME["CERT"])
    assert card.send(command) == "6982", "the right ended with the application"


def test_the_certificates_are_self_issued_and_hold_the_public_key(card: Card) -> None:
    card.ok(HOME["CERT"])
    public = bytes.fromhex(card.ok("00B0920040"))
    for fid in ("0018", "0019"):
        card.ok(f"00A4020002{fid}")
        content = b"".join(bytes.fromhex(card.ok(f"00B0{at >> 8:02X}{at & 255:02X}00")) for at in range(0, 1024, 256))
        certificate = x509.load_der_x509_certificate(content[: 4 + int.from_bytes(content[2:4], "big")])
        assert certificate.issuer == certificate.subject
        assert "SSCARD TEST" in certificate.subject.rfc4514_string()
        assert public in certificate.tbs_certificate_bytes
        body = certificate.signature[4:] if certificate.signature[1] > 0x80 else certificate.signature[2:]
        r = int.from_bytes(body[2 : 2 + body[1]], "big")
        rest = body[2 + body[1] :]
        s = int.from_bytes(rest[2 : 2 + rest[1]], "big")
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert sm2.verify(public, digest_of(certificate.tbs_certificate_bytes, public), signature)


def test_the_private_key_never_leaves(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert present_pin(card, "123456") == "9000"
    assert card.authenticate("UKCERT") == "9000"
    assert card.send("00B0930020") == "6982"


def test_its_pin_and_rights_are_apart(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.send(VERIFY) == card.send("0020000000") == "6A88", "the other PIN is not found from here"
    for left in range(5, -1, -1):
        assert present_pin(card, "000000") == f"63C{left}"
    assert present_pin(card, "123456") == "6983"
    card.ok(SSSE, VERIFY)
    assert card.send("0020000000") == "63C3"
    assert card.send("002A9E9A20" + "00" * 32) == "6985"


def test_updates_have_the_challenge_as_start_value(card: Card) -> None:
    card.ok(HOME["CERT"])
    assert card.authenticate("UKCERT") == "9000"
    assert card.send("00D6980003AABBCC") == "6987"
    challenge = bytes.fromhex(card.ok("0084000010"))
    message = bytes.fromhex("04D6980007AABBCC")
    mac = suite("sm4").mac(card.key("UKCERT"), message, start=challenge, fold="left")
    assert card.send((message + mac).hex()) == "9000"
    assert card.ok("00B0980003") == "AABBCC"
    assert card.authenticate("UKCERT") == "9000"
    card.ok("0084000010")
    zero = suite("sm4").mac(card.key("UKCERT"), message, fold="left")
    assert card.send((message + zero).hex()) == "6988"


def test_a_card_without_a_key_pair_says_so() -> None:
    card = new_card("3.00", "3des", "blank")
    card.ok(HOME["CERT"])
    assert card.send("002A00A860" + "11" * 96) == "6985"


def test_only_300_has_it() -> None:
    card = new_card("2.00")
    assert card.send(HOME["CERT"]) == "6A82"
    assert card.send("002A9E9A20" + "00" * 32) == "6D00"


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
    with pytest.raises(ValueError, match="no key"):
        sm2.verify(bytes(64), digest, signature)
