"""SM2 held against the standard's own example and against an implementation that shares nothing with ours."""

from __future__ import annotations

from random import Random

import gmalg
import pytest

from emulator.crypto import sm2, sm3

# GB/T 32918.5, appendix A (signature) and C (encryption): one key, the identity 1234567812345678.
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
DIGEST = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
CIPHER = bytes.fromhex(
    "04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"
    "E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
    "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
    "21886CA989CA9C7D58087307CA93092D651EFA"
)
UNCOMPRESSED = b"\x04"


def test_the_standard_s_example_of_a_signature() -> None:
    assert sm2.public_key(PRIVATE) == PUBLIC
    assert sm2.message_digest(PUBLIC, b"message digest") == DIGEST
    assert sm2.verify(PUBLIC, DIGEST, SIGNATURE)
    assert not sm2.verify(PUBLIC, DIGEST[::-1], SIGNATURE)


def test_the_standard_s_example_of_encryption() -> None:
    assert sm2.decrypt(PRIVATE, CIPHER) == b"encryption standard"
    with pytest.raises(ValueError, match="not enciphered for this key"):
        sm2.decrypt(PRIVATE, CIPHER[:-1] + b"\0")


def test_the_standard_s_examples_of_the_digest() -> None:
    """GB/T 32905, appendix A."""
    assert sm3.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3.digest(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_each_takes_what_the_other_made() -> None:
    random = Random(32918)
    private, public = sm2.key_pair(random.randbytes)
    other = gmalg.SM2(private, sm2.IDENTITY, UNCOMPRESSED + public)
    for message in (b"", b"\0", "测试甲".encode("gbk"), random.randbytes(300)):
        signature = b"".join(half.rjust(32, b"\0") for half in other.sign(message))  # it leaves zeros in front away
        assert sm2.verify(public, sm2.message_digest(public, message), signature)
        ours = sm2.sign(private, public, sm2.message_digest(public, message))
        assert other.verify(message, ours[:32], ours[32:])
    for text in (b"K" * 16, random.randbytes(200)):
        assert other.decrypt(UNCOMPRESSED + sm2.encrypt(public, text)) == text
        assert sm2.decrypt(private, other.encrypt(text)[1:]) == text


def test_coordinates_that_begin_with_zeros_keep_their_place() -> None:
    """ASN.1 leaves leading zeros out, r ‖ s and C1 do not: of so many some begin so."""
    random = Random(256)
    private, public = sm2.key_pair(random.randbytes)
    shortest = 32
    while shortest == 32:
        made = sm2.encrypt(public, b"K" * 16)
        assert len(made) == 112
        shortest = min(len(made[:32].lstrip(b"\0")), len(made[32:64].lstrip(b"\0")))
    assert sm2.decrypt(private, made) == b"K" * 16
