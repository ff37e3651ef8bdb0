"""Certificates issued here are what other programs take: OpenSSL, cryptography, and an SM2 that is not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from struct import unpack_from

import gmalg
import pytest
from cryptography import x509 as others

from emulator.crypto import sm2
from harness.certificates import authority, x509
from harness.certificates.authority import Authority, AuthorityError, Holder, Purpose
from harness.certificates.envelope import Envelope, EnvelopeError
from harness.certificates.x509 import CertificateError

BEGINS, ENDS = datetime(2024, 2, 29, tzinfo=UTC), datetime(2055, 9, 14, 23, 59, 59, tzinfo=UTC)
HOLDER = Holder("测试甲", "519900199003070011")
SM2_FOR_OPENSSL = ("-vfyopt", "distid:1234567812345678")


@pytest.fixture
def random() -> Callable[[int], bytes]:
    return Random(15).randbytes


@pytest.fixture
def ca(random: Callable[[int], bytes]) -> Authority:
    return Authority.make("SSCARD TEST", random, BEGINS, 36)


def openssl(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, check=False, timeout=30)


def test_openssl_reads_the_authority_and_verifies_what_it_issued(ca: Authority, tmp_path: Path, random) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "ca.pem").write_text(ca.to_pem())
    assert openssl("pkey", "-in", f"{tmp_path}/ca.pem", "-noout", "-check").returncode == 0
    for purpose, use in ((Purpose.SIGNATURE, "Digital Signature"), (Purpose.ENCRYPTION, "Key Encipherment")):
        made = ca.issue(HOLDER, sm2.key_pair(random)[1], purpose, random, BEGINS, ENDS)
        (tmp_path / "one.pem").write_text(authority.certificate_pem(made))
        told = openssl("verify", *SM2_FOR_OPENSSL, "-CAfile", f"{tmp_path}/ca.pem", f"{tmp_path}/one.pem")
        assert told.returncode == 0, told.stderr
        shown = openssl("x509", "-in", f"{tmp_path}/one.pem", "-noout", "-text", "-nameopt", "utf8").stdout
        for part in (
            use,
            "SM2-with-SM3",
            "CN=测试甲",
            "519900199003070011",
            "Sep 14 23:59:59 2055",
            "Feb 29 00:00:00 2024",
        ):
            assert part in shown.replace(" = ", "="), part


def test_another_program_s_sm2_takes_the_signature(ca: Authority, random: Callable[[int], bytes]) -> None:
    made = ca.issue(HOLDER, sm2.key_pair(random)[1], Purpose.SIGNATURE, random, BEGINS, ENDS)
    loaded = others.load_der_x509_certificate(made.der)
    der = loaded.signature
    halves = der[4 : 4 + der[3]], der[6 + der[3] :]
    r, s = (int.from_bytes(part, "big").to_bytes(32, "big") for part in halves)
    signer = gmalg.SM2(pk=b"\x04" + ca.certificate.public, uid=b"1234567812345678")
    assert signer.verify(loaded.tbs_certificate_bytes, r, s)
    assert loaded.not_valid_after_utc == ENDS
    usage = loaded.extensions.get_extension_for_class(others.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign


def test_what_openssl_issued_is_read(tmp_path: Path) -> None:
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    assert openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", str(key)).returncode == 0
    told = openssl(
        "req", "-x509", "-key", str(key), "-out", str(made), "-days", "3", "-sm3", "-sigopt",
        "distid:1234567812345678", "-subj", "/CN=elsewhere",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = x509.read(authority.der_of(made.read_text(), "cert.pem"))
    assert (found.subject, found.self_issued) == ("CN=elsewhere", True)
    assert found.signed_by(found.public)
    loaded = authority.from_pem(key.read_text() + made.read_text(), "both")
    assert sm2.public_key(loaded.private) == found.public


def test_a_certificate_tells_whose_signature_it_bears(ca: Authority, random: Callable[[int], bytes]) -> None:
    made = ca.issue(HOLDER, sm2.key_pair(random)[1], Purpose.SIGNATURE, random, BEGINS, ENDS)
    assert made.signed_by(ca.certificate.public)
    assert not made.signed_by(made.public)
    spoilt = x509.read(made.der.replace(b"519900199003070011", b"519900199003070012"))
    assert not spoilt.signed_by(ca.certificate.public)
    assert (made.valid_at(BEGINS), made.valid_at(ENDS)) == (True, True)
    assert not made.valid_at(datetime(2024, 2, 28, 23, 59, 59, tzinfo=UTC))
    assert not made.valid_at(datetime(2055, 9, 15, tzinfo=UTC))


def test_a_file_is_cut_at_the_end_of_its_certificate(ca: Authority) -> None:
    der = ca.certificate.der
    assert x509.cut(der + bytes(300)) == der
    assert x509.cut(bytes(1024)) == x509.cut(b"\xff" * 1024) == x509.cut(b"") == b""
    for wrong, said in (
        (der[:-1], "announces"),
        (b"\x31" + der[1:], "begins with 30"),
        (b"\x30\x85" + der, "no certificate"),
    ):
        with pytest.raises(CertificateError, match=said):
            x509.cut(wrong)


def test_certificates_of_others_are_named_for_what_they_are(tmp_path: Path) -> None:
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-out", str(key))
    openssl("req", "-x509", "-key", str(key), "-out", str(made), "-subj", "/CN=P-256")
    der = authority.der_of(made.read_text(), "cert.pem")
    with pytest.raises(CertificateError, match="not one of SM2"):
        x509.read(der)
    with pytest.raises(CertificateError, match="no certificate"):
        x509.read(b"\x30\x03\x02\x01\x01")


def test_a_test_authority_issues_to_nobody_real(ca: Authority, random: Callable[[int], bytes]) -> None:
    public = sm2.key_pair(random)[1]
    with pytest.raises(AuthorityError, match="519900"):
        ca.issue(Holder("somebody", "510100199003070011"), public, Purpose.SIGNATURE, random, BEGINS, ENDS)
    with pytest.raises(AuthorityError, match="before it begins"):
        ca.issue(HOLDER, public, Purpose.SIGNATURE, random, ENDS, BEGINS)


def test_a_file_that_holds_no_authority_says_what_it_lacks(ca: Authority, random: Callable[[int], bytes]) -> None:
    text = ca.to_pem()
    assert authority.from_pem(text, "here") == ca
    key, certificate = text.split("-----BEGIN CERTIFICATE")
    with pytest.raises(AuthorityError, match="here: no CERTIFICATE"):
        authority.from_pem(key, "here")
    with pytest.raises(AuthorityError, match="here: no PRIVATE KEY"):
        authority.from_pem("-----BEGIN CERTIFICATE" + certificate, "here")
    other = Authority.make("SSCARD OTHER", random, BEGINS, 1).to_pem().split("-----BEGIN CERTIFICATE")[0]
    with pytest.raises(AuthorityError, match="not the certificate's"):
        authority.from_pem(other + "-----BEGIN CERTIFICATE" + certificate, "here")


def test_the_published_authority_is_one() -> None:
    made = authority.published()
    assert made.certificate.signed_by(made.certificate.public)
    assert made.certificate.valid_at(datetime(2050, 1, 1, tzinfo=UTC))


def test_an_envelope_opens_for_its_holder_alone(random: Callable[[int], bytes]) -> None:
    """Taken apart at the places where a card printer's program and a desk's have its parts, in hex digits."""
    private, public = sm2.key_pair(random)
    text = Envelope.make(public, random).to_bytes().hex()
    session = bytes.fromhex(text[480:544] + text[608:672] + text[672:736] + text[744:776])
    key = gmalg.SM2(private).decrypt(b"\x04" + session)
    sealed = bytes.fromhex(text[88:152])
    ecb = gmalg.SM4(key)
    inner = b"".join(ecb.decrypt(sealed[at : at + 16]) for at in (0, 16))
    assert sm2.public_key(inner) == bytes.fromhex(text[224:288] + text[352:416])
    assert unpack_from("<III", bytes.fromhex(text)) == (1, 0x401, 256)
    assert Envelope.from_bytes(bytes.fromhex(text)).to_bytes().hex() == text
    for wrong in (b"", bytes(388), bytes.fromhex(text)[:-1]):
        with pytest.raises(EnvelopeError):
            Envelope.from_bytes(wrong)
